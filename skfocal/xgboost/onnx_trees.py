"""XGBoost's trees for ONNX. Needs the packages of the extra ``onnx`` when it is called. Imports `boosting`."""

import json
from typing import Any

import numpy as np

from skfocal.boosting.onnx_model import OnnxTrees, float_features, margins_model, n_margins, tree_attributes


def onnx_trees(classifier: Any, *, in_float64: bool) -> OnnxTrees:
    """Return the trees, for features in float32 whatever is asked for: XGBoost compares them so.

    What a sparse matrix leaves out is missing to XGBoost.
    """
    import onnxmltools

    booster = classifier.get_booster().copy()
    booster.feature_names = None  # onnxmltools wants them to be f0, f1 ...
    learner = json.loads(booster.save_raw("json"))["learner"]
    kind = learner["gradient_booster"]["name"]
    if kind != "gbtree":
        raise ValueError(f"classifier must have booster='gbtree' to go to ONNX, got {kind!r}.")
    if classifier.missing is not None and not np.isnan(classifier.missing):
        raise ValueError(f"classifier must have missing=nan to go to ONNX, got {classifier.missing!r}.")
    forest = learner["gradient_booster"]["model"]
    if any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in forest["trees"]):
        raise ValueError("classifier must have multi_strategy='one_output_per_tree' to go to ONNX.")
    if any(tree["categories"] for tree in forest["trees"]):
        raise ValueError("classifier must have no categorical features to go to ONNX.")
    converted = onnxmltools.convert_xgboost(booster, initial_types=float_features(classifier))
    scores = np.atleast_1d(json.loads(learner["learner_model_param"]["base_score"]))
    base = np.log(scores / (1 - scores)) if n_margins(classifier) == 1 else scores
    attributes = tree_attributes(converted)
    values = np.array(attributes["nodes_values"], dtype=np.float32)
    model = margins_model(classifier, attributes, values, forest["tree_info"].__getitem__, base.tolist())
    return OnnxTrees(model, zeros_are_missing=classifier._trained_on_sparse)
