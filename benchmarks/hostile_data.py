"""Hostile data: each function of `KINDS` makes one kind from a random generator; others add to them."""

import datetime as dt
from typing import Any, NamedTuple

import numpy as np


class Data(NamedTuple):
    """What a classifier is given, as a user would give it."""

    X: Any
    y: Any
    unseen: Any = None  # features to predict, if not X


KINDS = []


def kind(function):
    """Register a kind of data."""
    KINDS.append(function)
    return function


def features(rng, n_rows=120, n_columns=4):
    """Return ordinary features."""
    return rng.normal(size=(n_rows, n_columns))


def labels(rng, X, n_classes=None):
    """Return labels of two or three classes that the first column tells apart, but for noise."""
    n_classes = n_classes or rng.integers(2, 4)
    score = np.argsort(np.argsort(X[:, 0] + 0.3 * rng.normal(size=len(X))))  # the last class is the rarest
    return np.minimum(-np.log2(1 - score / len(X)).astype(int), n_classes - 1)


@kind
def ordinary(rng):
    """Two or three classes, nothing hostile about them."""
    X = features(rng)
    return Data(X.astype(rng.choice([np.float32, np.float64])), labels(rng, X))


def changed(rng, change, *, n_columns=4):
    """Return ordinary data whose features a function has changed in place."""
    X = features(rng, n_columns=n_columns)
    y = labels(rng, X)
    change(X)
    return Data(X, y)


@kind
def constant_columns(rng):
    """Every sample has the same features."""
    value = rng.choice([0.0, 1.0, -1e30, np.nan])
    return changed(rng, lambda X: X.fill(value))


@kind
def a_constant_column(rng):
    """One column of a single value among others."""
    return changed(rng, lambda X: X[:, 1].fill(rng.choice([0.0, 7.0, 1e30])))


@kind
def missing_column(rng):
    """Make a column of nothing but NaN."""
    return changed(rng, lambda X: X[:, 1].fill(np.nan))


@kind
def missing_values(rng):
    """NaN here and there."""
    return changed(rng, lambda X: X.__setitem__(rng.random(X.shape) < 0.3, np.nan))


@kind
def infinite(rng):
    """Plus and minus infinity here and there."""
    return changed(rng, lambda X: X.__setitem__(rng.random(X.shape) < 0.1, rng.choice([np.inf, -np.inf])))


@kind
def huge(rng):
    """Features around 1e30, which float32 just holds."""
    return changed(rng, lambda X: np.multiply(X, 1e30, out=X))


@kind
def beyond_float32(rng):
    """Features around 1e300, which engines in float32 take for infinite."""
    return changed(rng, lambda X: np.multiply(X, 1e300, out=X))


@kind
def denormals(rng):
    """Features that are next to 0, in either floating dtype."""
    X = features(rng)
    y = labels(rng, X)
    return Data(X * 1e-310, y) if rng.random() < 0.5 else Data((X * 1e-42).astype(np.float32), y)


@kind
def scales_apart(rng):
    """Columns of 1e-300, 1e-30, 1 and 1e30."""
    return changed(rng, lambda X: np.multiply(X, [1e-300, 1e-30, 1.0, 1e30], out=X))


@kind
def one_in_100_000(rng):
    """One positive, 100,000 rows."""
    X = features(rng, 100_000, 2)
    y = np.zeros(len(X), dtype=int)
    y[rng.integers(len(X))] = 1
    return Data(X, y, X[:500])


@kind
def both_labels_on_each_row(rng):
    """Every row twice, once with each label: nothing can be learnt."""
    X = features(rng, 60)
    return Data(np.vstack([X, X]), np.repeat([0, 1], 60))


@kind
def both_labels_on_some_rows(rng):
    """Repeat some rows with the other label."""
    X = features(rng)
    y = labels(rng, X, 2)
    return Data(np.vstack([X, X[:40]]), np.concatenate([y, 1 - y[:40]]))


@kind
def separable_2000_rounds(rng):
    """Two clouds far apart, for 2,000 rounds."""
    X = features(rng, 60, 1)
    y = np.arange(60) % 3 // 2
    return Data(X + 100 * y[:, None], y)


@kind
def two_hundred_classes(rng):
    """One row for each of 200 classes."""
    return Data(features(rng, 200, 2), rng.permutation(200))


@kind
def one_by_one(rng):
    """One row, one column, one class."""
    return Data([[1.0]], [1])


@kind
def two_rows(rng):
    """One row of each class, one column; a single row to predict."""
    return Data(np.array([[0.0], [1.0]]), np.array([0, 1]), np.array([[0.5]]))


@kind
def one_class(rng):
    """Many rows of one class."""
    return Data(features(rng), np.ones(120, dtype=int))


@kind
def more_columns_than_rows(rng):
    """8 rows, 1,000 columns."""
    return Data(features(rng, 8, 1000), np.arange(8) % 2)


@kind
def few_values(rng):
    """Whole numbers from 0 to 2, so that most rows are there many times."""
    return changed(rng, lambda X: np.copyto(X, np.round(X) % 3))


@kind
def unicode_labels(rng):
    """Labels that are words of many scripts, and an empty one."""
    X = features(rng)
    return Data(X, np.array(["日本語\n", "", "naïve\x00é"])[labels(rng, X)])


@kind
def mixed_labels(rng):
    """Numbers and words among the labels."""
    X = features(rng)
    return Data(X, np.array([0, "one", 2.5], dtype=object)[labels(rng, X)])


@kind
def missing_labels(rng):
    """Make a label that is missing, or infinite."""
    X = features(rng)
    y = labels(rng, X).astype(object)
    y[3] = rng.choice(np.array([None, np.nan, np.inf], dtype=object))
    return Data(X, y)


@kind
def odd_labels(rng):
    """Labels of types that one does not expect."""
    X = features(rng)
    kinds = [
        np.array([False, True]),
        np.array([b"no", b"yes"]),
        np.array([-(2**63), 2**63 - 1]),
        np.array([0, 2**64 - 1], dtype=np.uint64),
        np.array([-1e300, 1e-300]),
        np.array([0.0, 0.5]),
        np.array([dt.date(2020, 1, 1), dt.date(2021, 1, 1)], dtype=object),
        np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[s]"),
        np.array([0, 1 + 1j]),
    ]
    return Data(X, kinds[rng.integers(len(kinds))][labels(rng, X, 2)])


@kind
def read_only(rng):
    """Arrays that nobody may write to."""
    X, y, _ = ordinary(rng)
    X.flags.writeable = y.flags.writeable = False
    return Data(X, y)


@kind
def strided(rng):
    """Give views: every other row, backwards, by columns, or one row for all."""
    X = features(rng, 240, 8)
    views = [X[::2, ::2], X[119::-1, 3::-1], np.asfortranarray(X)[:120, 2:6], X.T[:4, :120].T]
    view = views[rng.integers(len(views))]
    if rng.random() < 0.2:
        view = np.broadcast_to(X[0, :4], (120, 4))
    return Data(view, np.repeat(labels(rng, view), 2)[::2])


@kind
def odd_dtypes(rng):
    """Numbers of types that engines do not know."""
    X = features(rng)
    dtypes = [np.float16, np.longdouble, ">f8", ">i4", np.int8, np.uint64, bool, object, complex, "U9", "S9"]
    with np.errstate(invalid="ignore"):
        return Data((9 * X).astype(dtypes[rng.integers(len(dtypes))]), labels(rng, X))


@kind
def lists(rng):
    """Python's own lists or tuples."""
    X = features(rng, 60)
    y = labels(rng, X).tolist()
    return Data(X.tolist(), y) if rng.random() < 0.5 else Data(tuple(map(tuple, X.tolist())), tuple(y))


@kind
def no_rows(rng):
    """No rows at all."""
    return Data(np.empty((0, 3)), np.empty(0, dtype=int))


@kind
def no_columns(rng):
    """Rows without a feature."""
    return Data(np.empty((40, 0)), np.arange(40) % 2)


@kind
def other_lengths(rng):
    """More rows than labels, or the other way round."""
    X = features(rng)
    y = labels(rng, X)
    return Data(X[:-1], y) if rng.random() < 0.5 else Data(X, y[:-1])


@kind
def other_dimensions(rng):
    """Features in one dimension or three, or a number."""
    X = features(rng)
    return Data([X[:, 0], X[:, :, None], np.float64(1.0)][rng.integers(3)], labels(rng, X))


@kind
def no_rows_to_predict(rng):
    """Ordinary data, and nothing to predict."""
    X, y, _ = ordinary(rng)
    return Data(X, y, X[:0])


@kind
def hostile_to_predict(rng):
    """Ordinary data; infinite, missing and huge features to predict."""
    X, y, _ = ordinary(rng)
    values = [np.nan, np.inf, -np.inf, 1e30, 1e-310, -0.0]
    return Data(X, y, np.repeat(np.array(values, dtype=X.dtype), X.shape[1]).reshape(len(values), -1))
