"""Hypothesis strategies for the properties: losses of any parameters, margins of any size, arrays of any layout.

What shapes an example is drawn by Hypothesis: numbers of rows and classes, parameters, and values that are to occur.
The rest of an array comes from a random generator whose seed is drawn: to draw thousands of numbers would take long.
"""

from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from skfocal import BinaryFocalLoss, FocalObjective, MulticlassFocalLoss
from skfocal.losses import HESSIAN_POLICIES
from skfocal.losses.compiled import kernel

FAR = float(np.float32(1e30))  # margins to start from may be no further out; 1e20 is what losses promise


def few(share):
    """Return settings for a share of the examples of the profile: for properties that take long."""
    return settings(max_examples=max(1, int(settings().max_examples * share)))


gammas = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, 50.0]), st.floats(0, 50))
mixes = st.one_of(st.sampled_from([0.0, 0.0, 1.0]), st.floats(0, 1))
seeds = st.integers(0, 2**32 - 1)
numbers_of_rows = st.sampled_from([3, 1, 0, 2, 8, 31, 255, 256, 257, 600])  # a block of the kernel has 256
numbers_of_classes = st.one_of(st.sampled_from([2, 3, 4, 5, 8]), st.integers(2, 50))


def positive(largest=1e6):
    """Return a strategy of numbers > 0, as many of each size."""
    exponent = float(np.log10(largest))
    return st.floats(-exponent, exponent).map(lambda power: 10.0**power)


def one_or_each(values, n):
    """Return a strategy of a number for all, or of a tuple with one for each."""
    return st.one_of(values, st.lists(values, min_size=n, max_size=n).map(tuple))


def alphas(n_classes):
    each = st.lists(positive(1e3), min_size=n_classes, max_size=n_classes).map(tuple)
    return st.one_of(st.none(), each, st.floats(0.01, 0.99)) if n_classes == 2 else st.one_of(st.none(), each)


@st.composite
def losses(draw, n_classes=None, *, kinds=(MulticlassFocalLoss, BinaryFocalLoss), alpha=True, gamma=None):
    """Return a loss of two classes on one margin, or of several; and the number of its classes."""
    kind = draw(st.sampled_from(kinds))
    n_classes = 2 if kind is BinaryFocalLoss else n_classes or draw(numbers_of_classes)
    gamma = draw(one_or_each(gammas, n_classes)) if gamma is None else draw(gamma)
    weights = draw(alphas(n_classes)) if alpha else None
    if kind is MulticlassFocalLoss and isinstance(weights, float):
        weights = None
    return kind(gamma, weights, draw(mixes)), n_classes


@st.composite
def margins(draw, shape, farthest=FAR, dtype=np.float64):
    """Return margins of which some are drawn one by one, and occur more than once, and others are normal numbers."""
    width = 8 * np.dtype(dtype).itemsize
    pool = draw(st.lists(st.floats(-farthest, farthest, width=width), min_size=1, max_size=6))
    scale, share = draw(st.sampled_from([1.0, 0.1, 5.0, 30.0])), draw(st.sampled_from([0.3, 0.0, 1.0]))
    rng = np.random.default_rng(draw(seeds))
    drawn = rng.random(shape) < share
    scale = min(scale, farthest)
    normal = np.clip(rng.normal(scale=scale, size=shape), -farthest, farthest)
    return np.where(drawn, rng.choice(np.array(pool, dtype=np.float64), shape), normal).astype(dtype)


class Case(NamedTuple):
    """A loss, codes of true classes and margins."""

    loss: Any
    y: Any
    raw: Any

    @property
    def n_classes(self):
        return 2 if self.raw.ndim == 1 else self.raw.shape[1]

    def of_true(self, values):
        """Return of values in the shape of the margins those of the true classes."""
        return values if values.ndim == 1 else np.take_along_axis(values, self.y[:, None], axis=1)[:, 0]


@st.composite
def cases(draw, farthest=FAR, dtypes=(np.float64, np.float32), n_rows=None, **of_loss):
    loss, n_classes = draw(losses(**of_loss))
    n_rows = draw(numbers_of_rows) if n_rows is None else n_rows
    shape = (n_rows,) if isinstance(loss, BinaryFocalLoss) else (n_rows, n_classes)
    raw = draw(margins(shape, farthest, draw(st.sampled_from(dtypes))))
    return Case(loss, np.random.default_rng(draw(seeds)).integers(0, n_classes, n_rows), raw)


@st.composite
def posteriors(draw, least_rows=1, most_classes=50, sharpest=100.0):
    """Return probabilities of up to 30 samples, of which some may be 0, 1, or nearly so."""
    n_rows = draw(st.sampled_from([3, 1, 2, 8, 30, least_rows]))
    n_classes = draw(st.sampled_from([2, 3, 5, most_classes]))
    rng, scale = np.random.default_rng(draw(seeds)), draw(st.floats(0, sharpest))
    logits = scale * rng.normal(size=(n_rows, n_classes))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _apart(array):
    wide = np.zeros([2 * length for length in array.shape], dtype=array.dtype)
    every_second = wide[(slice(None, None, 2),) * array.ndim]
    every_second[...] = array
    return every_second


def _read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _unaligned(array):
    memory = np.frombuffer(b"\0" + array.tobytes(), dtype=np.uint8)[1:]
    return memory.view(array.dtype).reshape(array.shape)


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "apart": _apart,
    "backwards": lambda array: array[::-1].copy()[::-1],
    "read-only": _read_only,
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
    "unaligned": _unaligned,
}
layouts = st.sampled_from(list(LAYOUTS.values()))

CODE_TYPES = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint64, np.float32, np.float64, list, bool]


def code_types(n_classes):
    """Return a strategy of types that class codes may have."""
    return st.sampled_from(CODE_TYPES if n_classes == 2 else CODE_TYPES[:-1])


def as_type(codes, kind):
    return codes.tolist() if kind is list else codes.astype(kind)


WAYS = ["NumPy", *(kernel.variants() if kernel else [])]
ways = st.sampled_from(WAYS)


@contextmanager
def computed_by(way):
    """Have NumPy or a variant of the kernel compute."""
    with patch("skfocal.losses.compiled.kernel", None if way == "NumPy" else kernel):
        if way != "NumPy":
            kernel.use(way)
        try:
            yield
        finally:
            if kernel:
                kernel.use(kernel.variants()[0])


def of_loss(loss, y, raw):
    """Return all that a loss has at margins, by name."""
    results = dict(zip(["loss", "gradient"], loss.loss_gradient(y, raw), strict=True))
    results["posterior"] = loss.predict_proba(raw)
    for policy in HESSIAN_POLICIES:  # always NumPy's
        derivatives = loss.gradient_hessian(y, raw, hessian=policy)
        results[f"{policy} gradient"], results[f"{policy} hessian"] = derivatives
    return results


def of_objectives(loss, y, raw, weight=None):
    """Return what an engine gets, by name."""
    results = {}
    for policy in HESSIAN_POLICIES:
        derivatives = FocalObjective(loss, policy, 1)(y, raw, weight)
        results[f"objective's {policy} gradient"], results[f"objective's {policy} hessian"] = derivatives
    return results


def everything(loss, y, raw, weight=None):
    return of_loss(loss, y, raw) | of_objectives(loss, y, raw, weight)


# What rounding may change, relatively. The margin by which the true class leads is rounded, and exp makes of its error
# one that is the margin times 1 + gamma as large: 87 units in float32, 708 in float64, before all of it underflows.
ROUNDING = {np.float32: 4e-5, np.float64: 5e-13}


def assert_same(arrays, expected):
    """Assert that arrays, or dicts of them, are equal to the last bit."""
    if isinstance(arrays, dict):
        assert arrays.keys() == expected.keys()
        arrays, expected = arrays.values(), expected.values()
    for array, values in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, values)


def assert_close(array, expected, rtol=None, scale=0.0):
    """Assert relative closeness, or to what is lost of a number of this scale; below normal numbers there is none."""
    rtol = ROUNDING[array.dtype.type] if rtol is None else rtol
    expected = np.asarray(expected, dtype=np.float64)
    tiny = np.finfo(array.dtype).tiny * 1e6  # times a weight
    wrong = np.abs(array - expected) > rtol * np.maximum(np.abs(expected), scale) + tiny
    assert not wrong.any(), (array[wrong][:3], expected[wrong][:3])


def terms(case):
    """Return the size of what cancels in an exact Hessian, in the shape of the margins; see `slope_curvature`."""
    own = np.abs(case.of_true(case.loss.gradient(case.y, case.raw)).astype(np.float64))
    size = (3 + 3 * np.max(case.loss.gamma)) * own
    return size if case.raw.ndim == 1 else np.repeat(size[:, None], case.n_classes, axis=1)


def assert_alike(actual, expected, scale):
    """Assert closeness of all that is in two dicts; of Hessians as far as terms of this scale allow."""
    assert actual.keys() == expected.keys()
    for name, array in actual.items():
        assert_close(array, expected[name], scale=scale if "hessian" in name else 0.0)
