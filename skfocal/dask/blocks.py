"""From Dask's collections to blocks of samples, each on one worker, and what is summed up of all of them.

What is done with rows is done where they are: the client sees labels that differ, sums of weights and numbers of rows.

Imports `_checks` and `boosting`.
"""

from typing import Any, NamedTuple, Self

import dask.array as da
import dask.dataframe as dd
import numpy as np
from dask import delayed
from distributed import Client, Future, wait
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import assert_all_finite

from skfocal._checks import as_known_codes, as_labels, check_size, encode_labels, with_half_a_sample
from skfocal.boosting.samples import Samples
from skfocal.boosting.streams import check_one_kind, distinct_labels, weight_of_batch
from skfocal.boosting.tables import in_native_order


class Summary(NamedTuple):
    """What is to be known of the labels of some blocks; arrays have an entry for each label, sorted."""

    labels: NDArray[Any]
    totals: NDArray[np.float64]  # summed weights
    n_weighing: NDArray[np.int64]  # numbers of samples whose weight is not 0
    n_rows: tuple[int, ...]  # of each block

    def of(self, classes: NDArray[Any]) -> Self:
        """Return the same for classes in their order, of which not all may be among the labels."""
        at = np.searchsorted(classes, self.labels)
        totals, n_weighing = np.zeros(len(classes)), np.zeros(len(classes), dtype=np.int64)
        np.add.at(totals, at, self.totals)
        np.add.at(n_weighing, at, self.n_weighing)
        return self._replace(labels=classes, totals=totals, n_weighing=n_weighing)

    def prior(self, by_class: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Return the weight of each class, > 0, times weights of the classes."""
        totals = self.totals if by_class is None else self.totals * by_class
        return with_half_a_sample(totals, totals.sum() / self.n_weighing.sum())


class Data(NamedTuple):
    """Checked blocks on the workers that hold them; what is in them is (X, labels, weight)."""

    blocks: list[Future]
    summary: Summary
    classes: NDArray[Any]
    meta: Any  # X without rows
    weighted: bool  # whether there are weights


def checked_data(
    client: Client,
    X: Any,
    y: Any,
    weight: Any,
    *,
    names: tuple[str, str, str],
    allow_inf: bool,
    classes: NDArray[Any] | None = None,
) -> Data:
    """Return collections as checked blocks, in the memory of the cluster.

    Parameters
    ----------
    client : Client
        Of the cluster.
    X, y, weight : Dask collections
        Features, labels, and weights or None.
    names : tuple of str
        What these are called in messages.
    allow_inf : bool
        Whether features may be infinite.
    classes : ndarray or None, default=None
        Labels that may occur, None for those that do.
    """
    check_collections(X, y, weight, names)
    columns = [X, y] if weight is None else [X, y, weight]
    parts = zip(*map(partitions, columns), strict=True)
    blocks = client.compute([delayed(_checked_block)(names, allow_inf, *part) for part in parts])
    wait(blocks)
    summary = client.compute(delayed(_sum_of)([delayed(_summary_of)(block) for block in blocks], names[1])).result()
    if not sum(summary.n_rows):
        raise ValueError(f"{names[0]} must have at least one row, got none in {len(blocks)} partitions.")
    if classes is None:
        # Twice each: of labels that all occur once scikit-learn warns, and so it would of these.
        _, classes = encode_labels(np.repeat(summary.labels, 2), names[1])
        if weight is not None and not summary.n_weighing.any():
            raise ValueError(f"{names[2]} must have at least one non-zero weight, got only zeros.")
    else:
        as_known_codes(summary.labels, classes, names[1])
    meta = X._meta if isinstance(X, dd.DataFrame) else X._meta.reshape(0, X.shape[1])
    return Data(blocks, summary.of(classes), classes, meta, weight is not None)


class Encoded(NamedTuple):
    """Samples on the workers that hold them: no block without any."""

    blocks: list[Future]  # of `Samples`
    n_rows: list[int]
    workers: list[str]  # their addresses
    weighted: bool  # whether samples have weights


def encoded(client: Client, data: Data, by_class: NDArray[np.float64] | None) -> Encoded:
    """Return the samples that count, with codes for labels, and the weights of the classes in theirs.

    As on one machine samples of weight 0 are left out, unless their class has no others.
    """
    weightless = data.summary.n_weighing == 0
    blocks = client.compute([delayed(_encoded)(block, data.classes, by_class, weightless) for block in data.blocks])
    sizes = client.gather(client.map(_n_rows, blocks))
    held_by = client.who_has(blocks)
    kept = [(block, size) for block, size in zip(blocks, sizes, strict=True) if size]
    return Encoded(
        [block for block, _ in kept],
        [size for _, size in kept],
        [next(iter(held_by[block.key])) for block, _ in kept],
        data.weighted or by_class is not None,
    )


def partitions(collection: Any) -> list[Any]:
    """Return the partitions of rows of a collection, to be computed.

    Of arrays not as Dask would have them, in better order, but under names that other orders have.
    """
    if isinstance(collection, da.Array):
        return list(np.ravel(collection.to_delayed(optimize_graph=False)))
    return list(collection.to_delayed())


def joined(blocks: list[Samples]) -> Samples:
    """Return blocks as one; on a worker."""
    if len(blocks) == 1:
        return blocks[0]
    weight = None if blocks[0].weight is None else np.concatenate([block.weight for block in blocks])
    return Samples(stacked([block.X for block in blocks]), np.concatenate([block.codes for block in blocks]), weight)


def stacked(features: list[Any]) -> Any:
    """Return features of several blocks as one array, sparse matrix or table."""
    if hasattr(features[0], "iloc"):
        return dd.methods.concat(features)
    if sparse.issparse(features[0]):
        return sparse.vstack(features, format="csr")
    return np.concatenate(features)  # of CuPy's arrays too


def check_collections(X: Any, y: Any, weight: Any, names: tuple[str, str, str]) -> None:
    """Raise if these are not collections of Dask with the same rows in the same partitions, as far as that is known."""
    if not isinstance(X, da.Array | dd.DataFrame):
        raise TypeError(
            f"{names[0]} must be an array or a DataFrame of Dask, got a {type(X).__name__}: "
            "use dask.array.from_array or dask.dataframe.from_pandas, or the classifier for one machine."
        )
    if X.ndim != 2:
        raise ValueError(f"{names[0]} must have two dimensions, got the shape {X.shape}.")
    if isinstance(X, da.Array) and X.numblocks[1] != 1:
        raise ValueError(
            f"{names[0]} must have all features of a row in one chunk, got {X.numblocks[1]} chunks of features: "
            f"use {names[0]}.rechunk({{1: -1}})."
        )
    if isinstance(X, dd.DataFrame):
        _check_categories(X, names[0])
    for column, name in ((y, names[1]), (weight, names[2])):
        if column is weight and weight is None:
            continue
        if not isinstance(column, da.Array | dd.Series) or column.ndim != 1:
            raise TypeError(f"{name} must be an array with one dimension or a Series of Dask, got {_shown(column)}.")
        if column.npartitions != X.npartitions:
            raise ValueError(
                f"{name} must have the {X.npartitions} partitions of {names[0]}, got {column.npartitions}: "
                f"make both of one collection, or use {name}.rechunk(...) or {name}.repartition(...)."
            )
        rows, own = (each.chunks[0] if isinstance(each, da.Array) else () for each in (X, column))
        if rows and own and not np.isnan([*rows, *own]).any() and rows != own:
            raise ValueError(
                f"{name} must have the rows of {names[0]} in each chunk, {rows}, got {own}: use {name}.rechunk(...)."
            )


def _check_categories(X: Any, name: str) -> None:
    for column, kind in X._meta.dtypes.items():
        if kind == "category" and not X[column].cat.known:
            raise ValueError(
                f"{name} must have the same categories in all partitions, those of {column!r} are not known: "
                f"use {name}.categorize()."
            )


def _shown(column: Any) -> str:
    return f"a {type(column).__name__}" + (f" of the shape {column.shape}" if isinstance(column, da.Array) else "")


def _checked_block(
    names: tuple[str, str, str], allow_inf: bool, X: Any, y: Any, weight: Any = None
) -> tuple[Any, Any, Any]:
    if X.shape[0] != len(y) or (weight is not None and X.shape[0] != len(weight)):
        lengths = [len(y)] if weight is None else [len(y), len(weight)]
        raise ValueError(
            f"{' and '.join(names[1 : 1 + len(lengths)])} must have the rows of {names[0]} in each partition, got one "
            f"with {X.shape[0]} rows of {names[0]} and {' and '.join(map(str, lengths))} of these."
        )
    X = in_native_order(X)
    if not allow_inf:
        for features in [X[name].to_numpy() for name in X.select_dtypes("floating")] if hasattr(X, "iloc") else [X]:
            assert_all_finite(features, allow_nan=True, input_name=names[0])
    labels = as_labels(y, names[1]) if len(y) else np.asarray(y)
    if weight is not None:
        weight = weight_of_batch(weight, X.shape[0], names[2])
    return X, labels, weight


def _summary_of(block: tuple[Any, Any, Any]) -> Summary:
    X, labels, weight = block
    if not X.shape[0]:
        return Summary(labels[:0], np.zeros(0), np.zeros(0, dtype=np.int64), (0,))
    distinct, codes = distinct_labels(labels, "y", "one partition")
    totals = np.bincount(codes, weights=weight, minlength=len(distinct)).astype(np.float64)
    n_weighing = np.bincount(codes, weights=None if weight is None else weight > 0, minlength=len(distinct))
    return Summary(distinct, totals, n_weighing.astype(np.int64), (X.shape[0],))


def _sum_of(summaries: list[Summary], name: str) -> Summary:
    n_rows = tuple(n for summary in summaries for n in summary.n_rows)
    some = [summary for summary in summaries if len(summary.labels)] or summaries[:1]
    check_one_kind([each.labels for each in some], name, "partitions")
    labels = np.unique(np.concatenate([summary.labels for summary in some]))
    of_all = [summary.of(labels) for summary in some]
    totals, n_weighing = sum(each.totals for each in of_all), sum(each.n_weighing for each in of_all)
    return Summary(labels, np.asarray(totals), np.asarray(n_weighing), n_rows)


def _encoded(
    block: tuple[Any, Any, Any],
    classes: NDArray[Any],
    by_class: NDArray[np.float64] | None,
    weightless: NDArray[np.bool_],
) -> Samples:
    X, labels, weight = block
    codes = np.searchsorted(classes, labels).astype(np.int32) if len(labels) else np.zeros(0, dtype=np.int32)
    samples = Samples(X, codes, weight)
    if weight is not None and not weight.all():
        samples = samples.rows((weight > 0) | weightless[codes])
    if not len(samples.codes):
        return samples
    samples = samples.weighted(by_class)
    if samples.weight is not None:
        check_size(samples.weight, "sample_weight times class_weight")
    return samples


def _n_rows(samples: Samples) -> int:
    return len(samples.codes)
