"""scikit-learn's trees for ONNX. Imports `boosting`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfocal.boosting.onnx_model import OnnxTrees, as_codes, as_nodes, members, n_margins, with_sets


def onnx_trees(classifier: Any) -> OnnxTrees:
    """Return the trees; to scikit-learn's, features that are categories come first, the others after them."""
    predictors = [predictor for trees_of_round in classifier._predictors for predictor in trees_of_round]
    nodes = np.concatenate([predictor.nodes for predictor in predictors])
    tree = np.repeat(np.arange(len(predictors)), [len(predictor.nodes) for predictor in predictors])
    categories = {feature: as_codes(values.tolist()) for feature, values in known_categories(classifier).items()}
    order = np.array([*categories, *(i for i in range(classifier.n_features_in_) if i not in categories)])
    ours = as_nodes(
        tree=tree,
        margin=tree % n_margins(classifier),
        is_leaf=nodes["is_leaf"].astype(bool),
        value=nodes["value"],
        feature=order[nodes["feature_idx"]],
        threshold=nodes["num_threshold"],
        yes=nodes["left"],
        no=nodes["right"],
        missing_is_yes=nodes["missing_go_to_left"],
    )
    places = np.flatnonzero(nodes["is_categorical"]).tolist()
    sets = {i: members(predictors[tree[i]].raw_left_cat_bitsets[nodes["bitset_idx"][i]]) for i in places}
    return OnnxTrees(with_sets(ours, sets), classifier._baseline_prediction.ravel(), len(order), categories)


def known_categories(classifier: Any) -> dict[int, NDArray[Any]]:
    """Return the categories of features: of all data that was given to `fit`, what was split off included."""
    if classifier.is_categorical_ is None:
        return {}
    known = classifier._preprocessor.named_transformers_["encoder"].categories_
    return dict(zip(np.flatnonzero(classifier.is_categorical_).tolist(), known, strict=True))
