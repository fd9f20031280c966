"""LightGBM's trees for ONNX. Needs the packages of the extra ``onnx`` when it is called. Imports `boosting`."""

import re
from typing import Any

import numpy as np
from lightgbm import Booster

from skfocal.boosting.onnx_model import OnnxTrees, float_features, floored, margins_model, n_margins, tree_attributes


def onnx_trees(classifier: Any, *, in_float64: bool) -> OnnxTrees:
    """Return the trees for features in float64 or float32: LightGBM compares them as they are given."""
    import onnxmltools

    dumped = classifier.booster_.dump_model()
    for node in _nodes(dumped["tree_info"]):
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise ValueError("classifier must have no categorical features and no zero_as_missing to go to ONNX.")
    text = classifier.booster_.model_to_string()
    # The parameters tell of a custom objective, which onnxmltools does not know; the sizes of the trees' texts will
    # not be right, and LightGBM can do without.
    text = re.sub(r"^\[objective: .*\]$|^tree_sizes=.*$", "", text, flags=re.MULTILINE)
    # onnxmltools rounds thresholds to float32, past values of x too. So it is given their numbers, with their signs,
    # which it looks at.
    thresholds = [0.0]

    def numbered(match: re.Match[str]) -> str:
        first, values = len(thresholds), list(map(float, match[0].split()))
        thresholds.extend(values)
        return " ".join(f"{-number if value < 0 else number}" for number, value in enumerate(values, start=first))

    text = re.sub(r"(?<=^threshold=).*$", numbered, text, flags=re.MULTILINE)
    converted = onnxmltools.convert_lightgbm(
        Booster(model_str=text), initial_types=float_features(classifier), zipmap=False
    )
    n_targets = n_margins(classifier)
    attributes = tree_attributes(converted)
    values = np.array(thresholds)[np.abs(attributes["nodes_values"]).astype(np.int64)]
    values = values if in_float64 else floored(values)
    model = margins_model(classifier, attributes, values, lambda tree: tree % n_targets, [0.0] * n_targets)
    return OnnxTrees(model, is_float64=in_float64)


def _nodes(trees: list[Any]) -> list[Any]:
    """Return the splits of LightGBM's dumped trees."""
    todo, splits = [tree["tree_structure"] for tree in trees], []
    while todo:
        node = todo.pop()
        if "split_feature" in node:
            splits.append(node)
            todo += [node["left_child"], node["right_child"]]
    return splits
