"""LightGBM's trees for ONNX. Imports `boosting`."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from skfocal.boosting.onnx_model import NODE, Codes, OnnxTrees, as_codes, n_margins, with_sets


def onnx_trees(classifier: Any) -> OnnxTrees:
    """Return the trees. LightGBM compares features as they are given, in float32 or float64."""
    dumped = classifier.booster_.dump_model()
    n_targets = n_margins(classifier)
    rows: list[Any] = []
    sets: dict[int, list[int]] = {}
    for number, tree in enumerate(dumped["tree_info"]):
        for place, (node, yes, no) in enumerate(_nodes(tree["tree_structure"])):
            margin = number % n_targets
            if "split_feature" not in node:
                rows.append((number, place, margin, True, node["leaf_value"], 0, False, 0.0, 0, 0, False))
                continue
            is_set = node["decision_type"] == "=="
            if is_set:
                sets[len(rows)] = [int(category) for category in node["threshold"].split("||")]
            threshold = 0.0 if is_set else node["threshold"]
            missing_is_yes = not is_set and _missing_goes_left(node)
            feature = node["split_feature"]
            rows.append((number, place, margin, False, 0.0, feature, False, threshold, yes, no, missing_is_yes))
    return OnnxTrees(
        nodes=with_sets(np.array(rows, NODE), sets),
        base_values=np.zeros(n_targets),
        n_features=classifier.n_features_in_,
        categories=_categories(classifier.booster_, dumped["feature_infos"]),
    )


def _nodes(root: Any) -> Iterator[tuple[Any, int, int]]:
    """Yield the nodes of a dumped tree, each with the places of its children."""
    nodes = [root]
    for node in nodes:  # which grow in number
        yield node, len(nodes), len(nodes) + 1
        if "split_feature" in node:
            nodes += [node["left_child"], node["right_child"]]


def _missing_goes_left(node: Any) -> bool:
    """Return where NaN goes; if none was in the training data, it is taken for 0."""
    if node["missing_type"] == "Zero":
        raise ValueError(
            "classifier must have no zero_as_missing to go to ONNX: put NaN in the place of zeros, and fit it without."
        )
    return bool(node["threshold"] >= 0 if node["missing_type"] == "None" else node["default_left"])


def _categories(booster: Any, infos: dict[str, Any]) -> dict[int, Codes | None]:
    """Return the codes of categories. A model knows those of a table one by one, but not of which columns they are."""
    text = re.search(r"^\[categorical_feature: (.*)\]$", booster.model_to_string(), flags=re.MULTILINE)
    features = [int(feature) for feature in text[1].split(",") if feature] if text else []
    of_table = booster.pandas_categorical
    if not of_table:
        return dict.fromkeys(features)
    seen = [infos.get(booster.feature_name()[feature], {}).get("values", []) for feature in features]
    if len(features) != len(of_table) or any(max(v, default=0) >= len(c) for v, c in zip(seen, of_table, strict=True)):
        raise ValueError(
            "classifier must have no ordered categories, nor others than a table's, to go to ONNX, as LightGBM does "
            "not tell of which columns they are: encode them by an OrdinalEncoder in a pipeline."
        )
    return dict(zip(features, map(as_codes, of_table), strict=True))
