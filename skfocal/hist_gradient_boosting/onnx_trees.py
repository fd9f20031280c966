"""scikit-learn's trees for ONNX. Needs the packages of the extra ``onnx`` when it is called. Imports `boosting`."""

from typing import Any

import numpy as np

from skfocal.boosting.onnx_model import OnnxTrees, floored, margins_model, n_margins


def onnx_trees(classifier: Any, *, in_float64: bool) -> OnnxTrees:
    """Return the trees for features in float64 or float32: scikit-learn compares them in float64.

    skl2onnx's converter rounds thresholds to float32, and fails with current versions of onnx.
    """
    if classifier.is_categorical_ is not None:
        raise ValueError("classifier must have no categorical features to go to ONNX.")
    trees = [tree.nodes for trees in classifier._predictors for tree in trees]
    nodes = np.concatenate(trees)
    leaf = nodes["is_leaf"].astype(bool)
    tree_ids = np.repeat(np.arange(len(trees)), list(map(len, trees)))
    node_ids = np.concatenate([np.arange(len(tree)) for tree in trees])
    attributes = {
        "nodes_treeids": tree_ids,
        "nodes_nodeids": node_ids,
        "nodes_featureids": np.where(leaf, 0, nodes["feature_idx"]),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ"),
        "nodes_truenodeids": np.where(leaf, 0, nodes["left"]),
        "nodes_falsenodeids": np.where(leaf, 0, nodes["right"]),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, nodes["missing_go_to_left"]),
        "class_treeids": tree_ids[leaf],
        "class_nodeids": node_ids[leaf],
        "class_weights": nodes["value"][leaf],
    }
    n_targets, base_values = n_margins(classifier), classifier._baseline_prediction.ravel().tolist()
    thresholds = np.where(leaf, 0.0, nodes["num_threshold"])
    values = thresholds if in_float64 else floored(thresholds)
    lists = {name: array.tolist() for name, array in attributes.items()}
    return OnnxTrees(margins_model(classifier, lists, values, lambda tree: tree % n_targets, base_values), in_float64)
