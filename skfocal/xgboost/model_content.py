"""The content of an XGBoost model file, checked before XGBoost reads it. Imports `compat`, `ubjson` and `boosting`.

XGBoost compares lengths, and takes for granted what indices point to; what is out of reach ends the process. The
checksum tells damage; somebody who means harm writes the right one.
"""

import json
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from skfocal.boosting.trees import as_whole, check_is_tree
from skfocal.xgboost.compat import forest
from skfocal.xgboost.ubjson import read_ubjson

_DEPTH = 100  # of objects and arrays in one another; XGBoost's own are 8, and at some 20,000 its stack ends
_OF_NODES = (
    "base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children", "split_conditions",
    "split_indices", "split_type", "sum_hessian",
)  # fmt: skip
_CATEGORIES = 2**24  # from which on float32, which they come in, skips whole numbers


def check_content(data: bytes) -> None:
    """Raise a ValueError if XGBoost would read or walk beyond the trees of a file's content."""
    try:
        # As XGBoost tells them apart.
        model = json.loads(data, object_pairs_hook=_object) if data[1:2] == b'"' else read_ubjson(data)
        _check_depth(model)
        _check_model(model["learner"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"XGBoost cannot be given its model: {reason}") from error


def _check_model(learner: dict[str, Any]) -> None:
    sizes, booster = learner["learner_model_param"], learner["gradient_booster"]
    n_features, n_margins = int(sizes["num_feature"]), max(int(sizes["num_class"]), 1)
    if int(sizes.get("num_target", 1)) != 1:
        raise ValueError("num_target must be 1.")
    if booster["name"] == "gblinear":
        _check_finite(booster["model"]["weights"], (n_features + 1) * n_margins, "weights")
        return
    model = forest({"learner": learner})
    trees = model["trees"]
    if [tree["id"] for tree in trees] != list(range(len(trees))):
        raise ValueError("trees must stand in their order.")
    if len(as_whole(model["tree_info"], 0, n_margins, "tree_info")) != len(trees):
        raise ValueError("tree_info must be of each tree.")
    bounds = as_whole(model.get("iteration_indptr", []), 0, len(trees) + 1, "iteration_indptr")
    if (np.diff(bounds) < 0).any():
        raise ValueError("iteration_indptr must be in its order.")
    if booster["name"] == "dart":
        _check_finite(booster["weight_drop"], len(trees), "weight_drop")
    for tree in trees:
        _check_tree(tree, n_features, n_margins)
    if "cats" in model:
        _check_encoders(**model["cats"])


def _check_tree(tree: dict[str, Any], n_features: int, n_margins: int) -> None:
    n_nodes, n_values = int(tree["tree_param"]["num_nodes"]), int(tree["tree_param"]["size_leaf_vector"]) or 1
    if n_nodes < 1 or n_values not in (1, n_margins):
        raise ValueError("a tree must have nodes, with a value each, or one for each margin.")
    lengths = dict.fromkeys(_OF_NODES, n_nodes) | {"base_weights": n_nodes * n_values}
    if any(np.shape(tree[name]) != (length,) for name, length in lengths.items()):
        raise ValueError("a tree must have one number for each node.")
    left, right = (as_whole(tree[f"{side}_children"], -1, n_nodes, "children") for side in ("left", "right"))
    is_inner = left >= 0
    inner, leaves = np.flatnonzero(is_inner), np.flatnonzero(~is_inner)
    # Where a leaf is a vector, it tells in place of a child which one.
    if (right[inner] < 0).any() or not np.array_equal(
        right[leaves], range(len(leaves)) if n_values > 1 else left[leaves]
    ):
        raise ValueError("a node must have two children or none.")
    children = np.concatenate([left[inner], right[inner]])
    check_is_tree(children)
    parents = as_whole(tree["parents"][1:], 0, n_nodes, "parents")
    if not np.array_equal(parents[children - 1], np.concatenate([inner, inner])):
        raise ValueError("parents must be those of the children.")
    as_whole(np.asarray(tree["split_indices"])[inner], 0, n_features, "split_indices")
    values = tree["leaf_weights"] if n_values > 1 else np.delete(tree["split_conditions"], inner)
    _check_finite(values, len(leaves) * n_values, "leaves")
    _check_categories(tree, np.flatnonzero(as_whole(tree["split_type"], 0, 2, "split_type")))


def _check_finite(values: Any, length: int, name: str) -> None:
    if np.shape(values) != (length,) or not np.isfinite(values).all():
        raise ValueError(f"{name} must be {length} finite numbers.")


def _check_categories(tree: dict[str, Any], nodes: Any) -> None:
    """Raise if a split by categories has none, or others than are there."""
    known = as_whole(tree["categories"], 0, _CATEGORIES, "categories")
    starts, sizes = (
        as_whole(tree[f"categories_{name}"], 0, len(known) + 1, f"categories_{name}") for name in ("segments", "sizes")
    )
    if not np.array_equal(nodes, tree["categories_nodes"]) or not len(nodes) == len(starts) == len(sizes):
        raise ValueError("categories must be of the splits by them.")
    if (sizes == 0).any() or (starts + sizes > len(known)).any():
        raise ValueError("a split by categories must have its own.")


def _check_encoders(enc: list[Any], feature_segments: list[int], sorted_idx: list[int]) -> None:
    """Raise if the categories that a table may have, of all features in one, are not where they are said to be."""
    counts = []
    for encoder in enc:
        n_values = len(encoder["values"])
        bounds = as_whole(encoder.get("offsets", range(n_values + 1)), 0, n_values + 1, "offsets")
        if (np.diff(bounds) < 0).any():
            raise ValueError("offsets must be in their order.")
        counts.append(max(len(bounds) - 1, 0))
    starts = np.cumsum([0, *counts])
    if not np.array_equal(feature_segments, starts if enc else []):
        raise ValueError("feature_segments must be those of the categories.")
    places = [np.sort(part) for part in np.split(np.asarray(sorted_idx), starts[1:-1])] if enc else [sorted_idx]
    if not np.array_equal(np.concatenate(places), [i for count in counts for i in range(count)]):
        raise ValueError("sorted_idx must have each category once.")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEPTH):
        level = list(chain.from_iterable(map(_containers, level)))
    if level:
        raise ValueError(f"it must not be nested more than {_DEPTH} times.")


def _containers(value: Any) -> Iterable[Any]:
    return (each for each in (value.values() if isinstance(value, dict) else value) if isinstance(each, dict | list))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):  # XGBoost might take another one than we
        raise ValueError("a name must stand there once.")
    return value
