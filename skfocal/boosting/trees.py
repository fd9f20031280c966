"""What the trees of a file must be, so that an engine that walks them comes to an end, and to nothing but them.

Engines take a file at its word: a child that is not there ends the process, one that is an ancestor is walked for ever.
Imports nothing of ours.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_whole(values: ArrayLike, low: int, high: int, name: str) -> NDArray[np.int64]:
    """Return whole numbers that are all in ``[low, high)``."""
    numbers: NDArray[Any] = np.asarray(values)
    if numbers.size and (numbers.dtype.kind not in "iu" or numbers.min() < low or numbers.max() >= high):
        raise ValueError(f"{name} must be whole numbers from {low} up to {high - 1}.")
    return numbers.astype(np.int64)


def check_is_tree(children: NDArray[np.int64]) -> None:
    """Raise if a way from the root, which is node 0, leads back; given all children of nodes that are nodes.

    Where each has one parent, and the root none, no way does.
    """
    if (children == 0).any() or len(np.unique(children)) != len(children):
        raise ValueError("a node must have one parent, and the root none.")
