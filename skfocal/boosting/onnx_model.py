"""The trees of a boosted classifier as an ONNX model of its margins.

Needs the packages of the extra ``onnx`` when it is called.

Imports nothing of ours.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class OnnxTrees(NamedTuple):
    """A model of margins, and which features it takes."""

    model: Any
    is_float64: bool = False  # what type they are of
    zeros_are_missing: bool = False  # of a matrix that is not sparse


def n_margins(classifier: Any) -> int:
    """Return the number of margins of a fitted classifier."""
    number: int = classifier.focal_loss_.n_margins(len(classifier.classes_))
    return number


def float_features(classifier: Any) -> list[Any]:
    """Return the features of a classifier as onnxmltools declares them."""
    from onnxmltools.convert.common.data_types import FloatTensorType

    return [("X", FloatTensorType([None, classifier.n_features_in_]))]


def floored(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return each threshold as the largest float32 that is no larger: x <= threshold is the same for x of float32."""
    below = thresholds.astype(np.float32)
    return np.where(below > thresholds, np.nextafter(below, np.float32(-np.inf)), below)


def tree_attributes(converted: Any) -> dict[str, Any]:
    """Return the attributes of the trees in a converted classifier."""
    from onnx import helper

    (trees,) = (node for node in converted.graph.node if node.op_type == "TreeEnsembleClassifier")
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in trees.attribute}


def margins_model(
    classifier: Any, attributes: dict[str, Any], thresholds: Any, class_of_tree: Any, base_values: list[float]
) -> Any:
    """Return a model of the margins, with the trees of a converted classifier but without its sigmoid or softmax.

    The features of the model are of the type of the `thresholds`, which take the place of "nodes_values".
    """
    from onnx import TensorProto, helper, numpy_helper

    n_targets, values = n_margins(classifier), np.asarray(thresholds)
    numbers = {"base_values": base_values, "nodes_values": values, "target_weights": attributes["class_weights"]}
    is_float64 = values.dtype == np.float64
    if is_float64:
        numbers = {f"{name}_as_tensor": numpy_helper.from_array(np.array(n, float)) for name, n in numbers.items()}
    numeric = ("nodes_values", "nodes_hitrates")
    structure = {k: value for k, value in attributes.items() if k.startswith("nodes_") and k not in numeric}
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["X"],
        ["margins"],
        domain="ai.onnx.ml",
        n_targets=n_targets,
        target_ids=[class_of_tree(tree) for tree in attributes["class_treeids"]],
        target_nodeids=attributes["class_nodeids"],
        target_treeids=attributes["class_treeids"],
        **structure,
        **numbers,
    )
    features = TensorProto.DOUBLE if is_float64 else TensorProto.FLOAT
    X = helper.make_tensor_value_info("X", features, [None, classifier.n_features_in_])
    margins = helper.make_tensor_value_info("margins", TensorProto.FLOAT, [None, n_targets])
    graph = helper.make_graph([node], "trees", [X], [margins])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)])
