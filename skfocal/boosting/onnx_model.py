"""The trees of a boosted classifier, as its engine tells of them, and an ONNX model of their margins.

Only `margins_model` needs the packages of the extra ``onnx``.

Imports nothing of ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# A node of a tree: a leaf with a value, or a question whose answer is yes for a feature that is at most (or below, see
# `OnnxTrees.branch`) the threshold, or that is equal to it. The root of a tree is node 0.
NODE = np.dtype(
    [
        ("tree", np.int64),
        ("node", np.int64),
        ("margin", np.int64),
        ("is_leaf", bool),
        ("value", np.float64),
        ("feature", np.int64),
        ("is_equal", bool),
        ("threshold", np.float64),
        ("yes", np.int64),
        ("no", np.int64),
        ("missing_is_yes", bool),
    ]
)


class Codes(NamedTuple):
    """What stands for the categories of a feature in trees; one that is missing is NaN."""

    categories: Sequence[Any]
    codes: NDArray[np.float64]


class OnnxTrees(NamedTuple):
    """Trees, and which features they take."""

    nodes: NDArray[Any]  # of NODE
    base_values: NDArray[np.float64]  # where each margin starts
    n_features: int
    categories: Mapping[int, Codes | None] = {}  # by feature; None where the codes themselves are given
    branch: str = "BRANCH_LEQ"
    in_float32: bool = False  # whether features are compared in float32, of whatever type they are
    missing: float = np.nan
    zeros_are_missing: bool = False  # of a matrix that is not sparse


def n_margins(classifier: Any) -> int:
    """Return the number of margins of a fitted classifier."""
    number: int = classifier.focal_loss_.n_margins(len(classifier.classes_))
    return number


def as_codes(categories: Sequence[Any]) -> Codes:
    """Return categories with codes from 0 on."""
    return Codes(categories, np.arange(len(categories), dtype=np.float64))


def as_nodes(*, tree: Any, margin: Any, is_leaf: NDArray[np.bool_], value: Any, **splits: Any) -> NDArray[Any]:
    """Return nodes of trees, one after another, from an array for each field; what is not for leaves is 0 in them."""
    nodes = np.zeros(len(is_leaf), NODE)
    nodes["tree"], nodes["margin"] = tree, margin
    nodes["node"] = np.arange(len(nodes)) - np.searchsorted(nodes["tree"], nodes["tree"])
    nodes["is_leaf"], nodes["value"] = is_leaf, np.where(is_leaf, value, 0)
    for name, array in splits.items():
        nodes[name] = np.where(is_leaf, 0, array)
    return nodes


def members(bits: Any) -> list[int]:
    """Return the numbers in a set that is kept as bits, in words of 32."""
    numbers: list[int] = np.flatnonzero(np.unpackbits(bits.astype("<u4").view(np.uint8), bitorder="little")).tolist()
    return numbers


def with_sets(nodes: NDArray[Any], sets: Mapping[int, Sequence[int]]) -> NDArray[Any]:
    """Return nodes in which a chain of questions for one category each takes the place of one for a set of them.

    `sets` has them by the place of the node. All answers yes of a chain lead to the same node, which ONNX runtimes
    know from the usual conversion of LightGBM's models, and make one question for a set of again.
    """
    chains, free = [], int(nodes["node"].max()) + 1
    for place, categories in sets.items():
        asked = categories or [-1]  # which is no code: in an empty set is only what is missing, if at all
        chain = np.repeat(nodes[place : place + 1], len(asked))
        chain["is_equal"], chain["threshold"] = True, asked
        chain["node"][1:] = chain["no"][:-1] = np.arange(free, free + len(chain) - 1)
        free += len(chain) - 1
        chains.append(chain)
    others = np.delete(nodes, list(sets)) if sets else nodes
    return np.sort(np.concatenate([others, *chains]), order=["tree", "node"])


def floored(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return each threshold as the largest float32 that is no larger: x <= threshold is the same for x of float32."""
    with np.errstate(over="ignore"):
        below = thresholds.astype(np.float32)
    return np.where(below > thresholds, np.nextafter(below, np.float32(-np.inf)), below)


def margins_model(trees: OnnxTrees, *, in_float64: bool) -> Any:
    """Return a model of the margins of features "X" in float64 or float32."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = trees.nodes
    leaves = nodes[nodes["is_leaf"]]
    modes = np.where(nodes["is_equal"], "BRANCH_EQ", trees.branch)
    thresholds = nodes["threshold"] if in_float64 else floored(nodes["threshold"])
    numbers = {"base_values": trees.base_values, "nodes_values": thresholds, "target_weights": leaves["value"]}
    structure = {
        "nodes_treeids": nodes["tree"],
        "nodes_nodeids": nodes["node"],
        "nodes_featureids": nodes["feature"],
        "nodes_modes": np.where(nodes["is_leaf"], "LEAF", modes),
        "nodes_truenodeids": nodes["yes"],
        "nodes_falsenodeids": nodes["no"],
        "nodes_missing_value_tracks_true": nodes["missing_is_yes"].astype(np.int64),
        "target_treeids": leaves["tree"],
        "target_nodeids": leaves["node"],
        "target_ids": leaves["margin"],
    }
    attributes = {name: array.tolist() for name, array in structure.items()}
    if in_float64:
        attributes |= {f"{name}_as_tensor": numpy_helper.from_array(array.copy()) for name, array in numbers.items()}
    else:
        attributes |= {name: array.tolist() for name, array in numbers.items()}
    n_targets = len(trees.base_values)
    node = helper.make_node(
        "TreeEnsembleRegressor", ["X"], ["margins"], domain="ai.onnx.ml", n_targets=n_targets, **attributes
    )
    features = TensorProto.DOUBLE if in_float64 else TensorProto.FLOAT
    X = helper.make_tensor_value_info("X", features, [None, trees.n_features])
    margins = helper.make_tensor_value_info("margins", TensorProto.FLOAT, [None, n_targets])
    graph = helper.make_graph([node], "trees", [X], [margins])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)])
