"""LightGBM's text of a model, checked before LightGBM reads it. Imports `compat` and `boosting`.

LightGBM counts, allocates and walks by what the text says, and ends the process if that is wrong. The checksum tells
damage; somebody who means harm writes the right one.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfocal.boosting.trees import as_whole, check_is_tree
from skfocal.lightgbm.compat import objective_of

# A number, lines with names, of which LightGBM reads 22 up to an empty one; it does not survive a missing number.
_TREE = re.compile(r"\d+\n(?:[a-z_]+=[-+.0-9aefin ]*\n){1,22}\n+", re.ASCII)
_SETTINGS = re.compile(r"(?:\[\w+: .*\]\n|\n)*", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}")
_OF_LEAVES = ("leaf_weight", "leaf_count")
_OF_NODES = ("split_gain", "threshold", "internal_value", "internal_weight", "internal_count")
_IS_CATEGORICAL, _DECISIONS = 1, 16  # a bit; the others are the default side and what is missing


def check_text(model: str) -> None:
    """Raise a ValueError if LightGBM would read or walk beyond what is in a text."""
    forest, _, rest = model.partition("\nend of trees\n")
    header, *trees = forest.split("\nTree=")
    settings = rest.partition("\nparameters:\n")[2].partition("end of parameters\n")[0]
    try:
        if re.search(r"[\r\0]", header):  # LightGBM's lines end there, too
            raise ValueError("a line must end as save_model ends it.")
        fields = _fields(header.split("\n")[1:])
        if fields["tree_sizes"].split() != [str(len(f"Tree={tree}\n".encode())) for tree in trees]:
            raise ValueError("tree_sizes must be those of the trees.")
        n_features, n_margins = _whole(fields, "max_feature_idx") + 1, _whole(fields, "num_tree_per_iteration")
        if n_margins < 1 or _whole(fields, "num_class") != n_margins or len(trees) % n_margins:
            raise ValueError("there must be a tree for each margin in each round.")
        own = objective_of(n_margins)
        if fields.get("objective", own) != own:  # LightGBM writes as many probabilities as another one says
            raise ValueError(f"objective must be {own!r}.")
        for tree in trees:
            _check_tree(tree, n_features)
        if not _SETTINGS.fullmatch(settings):
            raise ValueError("a line of parameters must have a name and a value.")
    except (KeyError, ValueError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"LightGBM cannot be given its trees: {reason}") from error


def _check_tree(text: str, n_features: int) -> None:
    if not _TREE.fullmatch(f"{text}\n"):
        raise ValueError("a tree must have lines of a name and numbers.")
    fields = _fields(text.partition("\n\n")[0].split("\n")[1:])
    n_leaves = _whole(fields, "num_leaves")
    if n_leaves < 1 or _whole(fields, "is_linear"):
        raise ValueError("a tree must have leaves, which are constant.")
    if not np.isfinite(_numbers(fields, "leaf_value", float, n_leaves)).all():
        raise ValueError("leaf_value must be finite.")
    if n_leaves == 1:  # LightGBM reads no more of it
        return
    n_nodes = n_leaves - 1
    for name in (*_OF_LEAVES, *_OF_NODES):
        _numbers(fields, name, float, n_leaves if name in _OF_LEAVES else n_nodes)
    children = np.r_[_numbers(fields, "left_child", int, n_nodes), _numbers(fields, "right_child", int, n_nodes)]
    children = as_whole(children, -n_leaves, n_nodes, "children")
    check_is_tree(children[children >= 0])
    as_whole(_numbers(fields, "split_feature", int, n_nodes), 0, n_features, "split_feature")
    decisions = as_whole(_numbers(fields, "decision_type", int, n_nodes), 0, _DECISIONS, "decision_type")
    of_categories = _numbers(fields, "threshold", float, n_nodes)[decisions & _IS_CATEGORICAL > 0]
    _check_categories(fields, of_categories)


def _check_categories(fields: dict[str, str], thresholds: NDArray[Any]) -> None:
    """Raise if a set of categories, which a threshold is the number of, is not among those of the tree."""
    n_sets = _whole(fields, "num_cat")
    as_whole(thresholds.astype(np.int64), 0, n_sets, "the thresholds of categories")
    if n_sets:
        words = _numbers(fields, "cat_threshold", int)
        as_whole(words, 0, 2**32, "cat_threshold")
        bounds = as_whole(_numbers(fields, "cat_boundaries", int, n_sets + 1), 0, len(words) + 1, "cat_boundaries")
        if (np.diff(bounds) < 0).any():
            raise ValueError("cat_boundaries must be in their order.")


def _fields(lines: Iterable[str]) -> dict[str, str]:
    pairs = [(name, value) for name, _, value in (line.partition("=") for line in lines if line)]
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name must stand there once.")
    return fields


def _whole(fields: dict[str, str], name: str) -> int:
    if not _NUMBER.fullmatch(fields[name]):
        raise ValueError(f"{name} must be a whole number, got {fields[name]!r}.")
    return int(fields[name])


def _numbers(fields: dict[str, str], name: str, kind: type, length: int | None = None) -> NDArray[Any]:
    numbers = np.array([kind(word) for word in fields[name].split()])
    if length is not None and len(numbers) != length:
        raise ValueError(f"{name} must have {length} numbers, got {len(numbers)}.")
    return numbers
