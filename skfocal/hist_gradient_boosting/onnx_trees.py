"""scikit-learn's trees for ONNX. Needs the packages of the extra ``onnx`` when it is called. Imports `boosting`."""

from copy import copy
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from skfocal._state import adopt_fitted_state
from skfocal.boosting.onnx_model import OnnxTrees, float_features, floored, margins_model, n_margins


def onnx_trees(classifier: Any, *, in_float64: bool) -> OnnxTrees:
    """Return the trees for features in float64 or float32: scikit-learn compares them in float64."""
    from skl2onnx import convert_sklearn

    if classifier.is_categorical_ is not None:
        raise ValueError("classifier must have no categorical features to go to ONNX.")
    engine = HistGradientBoostingClassifier()
    adopt_fitted_state(engine, classifier)
    engine.classes_ = np.arange(len(classifier.classes_))
    # skl2onnx rounds thresholds to float32, so it is given their numbers.
    thresholds = [0.0]
    engine._predictors = [[_numbered(tree, thresholds) for tree in trees] for trees in classifier._predictors]
    options = {id(engine): {"raw_scores": True, "zipmap": False}}
    converted = convert_sklearn(engine, initial_types=float_features(classifier), options=options)
    values, n_targets = np.array(thresholds), n_margins(classifier)
    start = classifier._baseline_prediction.ravel().tolist()
    values = values if in_float64 else floored(values)
    return OnnxTrees(margins_model(converted, engine, lambda tree: tree % n_targets, start, values), in_float64)


def _numbered(tree: Any, thresholds: list[float]) -> Any:
    """Return a tree with numbers in place of its thresholds, which are appended to a list."""
    tree = copy(tree)
    tree.nodes = tree.nodes.copy()
    first = len(thresholds)
    thresholds.extend(tree.nodes["num_threshold"].tolist())
    tree.nodes["num_threshold"] = np.arange(first, len(thresholds))
    return tree
