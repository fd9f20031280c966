"""XGBoost's trees for ONNX. Imports `boosting` and `compat`."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfocal.boosting.onnx_model import Codes, OnnxTrees, as_codes, as_nodes, n_margins, with_sets
from skfocal.xgboost.compat import forest, known_categories


def onnx_trees(classifier: Any) -> OnnxTrees:
    """Return the trees. XGBoost compares features in float32, and what a sparse matrix leaves out is missing to it."""
    model = json.loads(classifier.get_booster().save_raw("json"))
    learner = model["learner"]
    kind = learner["gradient_booster"]["name"]
    if kind == "gblinear":
        raise ValueError("classifier must have trees to go to ONNX: fit it with booster='gbtree', not 'gblinear'.")
    ensemble = forest(model)
    if any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in ensemble["trees"]):
        raise ValueError(
            "classifier must have one margin a tree to go to ONNX: fit it with multi_strategy='one_output_per_tree'."
        )
    categories = _categories(learner, known_categories(classifier.get_booster()))
    missing = np.nan if classifier.missing is None else float(classifier.missing)
    if categories and not np.isnan(missing):
        raise ValueError(f"classifier must have missing=nan to go to ONNX with categories, got {missing!r}.")
    weights = learner["gradient_booster"].get("weight_drop", [1.0] * len(ensemble["trees"]))  # of "dart"
    trees = zip(ensemble["trees"], ensemble["tree_info"], weights, strict=True)
    parts = [_nodes(number, *each) for number, each in enumerate(trees)]
    starts = np.cumsum([0, *(len(nodes) for nodes, _ in parts)])
    sets = {start + place: s for start, (_, own) in zip(starts, parts, strict=False) for place, s in own.items()}
    scores = np.atleast_1d(json.loads(learner["learner_model_param"]["base_score"]))
    return OnnxTrees(
        nodes=with_sets(np.concatenate([nodes for nodes, _ in parts]), sets),
        base_values=np.log(scores / (1 - scores)) if n_margins(classifier) == 1 else scores,
        n_features=classifier.n_features_in_,
        categories=categories,
        branch="BRANCH_LT",
        in_float32=True,
        missing=missing,
        zeros_are_missing=classifier._trained_on_sparse,
    )


def _nodes(number: int, tree: Any, margin: int, weight: float) -> tuple[NDArray[Any], dict[int, list[int]]]:
    """Return the nodes of a tree, and sets of categories by the places of nodes; what is in a set goes right."""
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    leaf, numbers = left < 0, np.array(tree["split_conditions"], dtype=np.float32)
    sets = {
        node: tree["categories"][start : start + size]
        for node, start, size in zip(
            tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True
        )
    }
    is_set = np.isin(np.arange(len(leaf)), list(sets))
    nodes = as_nodes(
        tree=number,
        margin=margin,
        is_leaf=leaf,
        value=numbers * weight,
        feature=tree["split_indices"],
        threshold=numbers,
        yes=np.where(is_set, right, left),
        no=np.where(is_set, left, right),
        missing_is_yes=np.array(tree["default_left"], bool) != is_set,
    )
    reached = np.isin(nodes["node"], [0, *left[~leaf], *right[~leaf]])  # not what was pruned
    places = np.cumsum(reached) - 1
    return nodes[reached], {int(places[node]): each for node, each in sets.items()}


def _categories(learner: Any, known: dict[int, list[Any]]) -> dict[int, Codes | None]:
    """Return the codes of categories, of those features that have some; None where XGBoost was given the codes."""
    features = [i for i, kind in enumerate(learner["feature_types"]) if kind == "c"]
    cut = [name for names in known.values() for name in names if "\N{REPLACEMENT CHARACTER}" in str(name)]
    if cut:
        raise ValueError(
            f"classifier must have whole categories to go to ONNX, XGBoost has cut {cut[0]!r}: fit it on a table."
        )
    return {feature: as_codes(known[feature]) if feature in known else None for feature in features}
