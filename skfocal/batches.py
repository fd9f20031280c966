"""Data that do not fit into memory: parquet files as batches to train on, and predictions batch by batch.

Imports nothing of ours.
"""

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike, fspath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batch", "ParquetBatches", "predict_in_batches"]


class Batch(NamedTuple):
    """Some rows; `y` and `weight` are None where no column is said to hold them.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features), float32 or float64
        Features.
    y : ndarray of shape (n_rows,) or None
        Labels.
    weight : ndarray of shape (n_rows,), float64 or None
        Weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.batches import Batch
    >>> batch = Batch(np.ones((3, 2)), np.array([0, 1, 0]), None)
    >>> batch.X.shape, batch.weight is None
    ((3, 2), True)
    """

    X: NDArray[np.floating]
    y: NDArray[Any] | None
    weight: NDArray[np.float64] | None


class ParquetBatches:
    """Parquet files, one or a folder of them, of which a row group at a time is in memory.

    `FocalXGBClassifier` and `FocalLGBMClassifier` train on these as on arrays: ``fit(ParquetBatches(folder, ...))``.

    Parameters
    ----------
    path : str or path
        A file, or a folder of files with the same columns; folders named ``column=value`` in it make another one.
    target : str or None, default=None
        The column with the labels, of any type; None to predict.
    weight : str or None, default=None
        The column with the weights of samples.
    columns : sequence of str or None, default=None
        The features, in their order: columns of numbers or booleans, of which nulls are missing values. None for all
        columns but `target` and `weight`.

    Attributes
    ----------
    feature_names : list of str
        The columns that are features.
    dtype : dtype
        Of the features: float32, or float64 where a column needs it.
    n_rows : list of int
        The number of rows of each batch, > 0.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If there are no rows, a file lacks a column, or a feature holds anything but numbers and booleans.

    Notes
    -----
    Row groups are what their writer has made of them: a file with a single one is read as a whole. Write with a
    ``row_group_size`` of, say, 250,000 rows.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from skfocal.batches import ParquetBatches
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pd.DataFrame({"amount": [5.0, 700.0], "is_fraud": ["no", "yes"]})
    ...     table.to_parquet(f"{folder}/2026-01.parquet")
    ...     [batch] = ParquetBatches(folder, target="is_fraud")
    >>> batch.X.tolist(), batch.y.tolist()
    ([[5.0], [700.0]], ['no', 'yes'])
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        target: str | None = None,
        weight: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> None:
        try:
            import pyarrow.dataset
        except ImportError as error:
            raise ImportError("ParquetBatches needs pyarrow: pip install pyarrow") from error
        data = pyarrow.dataset.dataset(fspath(path), format="parquet", partitioning="hive")
        others = [name for name in data.schema.names if name not in (target, weight)]
        self.target, self.weight = target, weight
        self.feature_names = others if columns is None else _checked_columns(columns, target, weight)
        files = list(data.get_fragments())
        kinds = [_number_types(data.schema, file, self.feature_names, target, weight) for file in files]
        if columns is None:
            _check_no_others(files, data.schema)
        self.dtype = np.result_type(np.float32, *(kind for of_file in kinds for kind in of_file))
        groups = [(group, _schema_of(file, data.schema)) for file in files for group in file.split_by_row_group()]
        # Not `count_rows`, which counts the rows of the whole file.
        n_rows = [sum(each.num_rows for each in group.row_groups) for group, _ in groups]
        if not sum(n_rows):
            raise ValueError(f"path must lead to rows, got {len(groups)} row groups without any in {fspath(path)!r}.")
        self._groups = [group for group, n in zip(groups, n_rows, strict=True) if n]
        self.n_rows = [n for n in n_rows if n]

    def __iter__(self) -> Iterator[Batch]:
        return map(self.batch, range(len(self._groups)))

    def batch(self, i: int, *, with_features: bool = True) -> Batch:
        """Return a batch by its number; without features there is little to read."""
        features = self.feature_names if with_features else []
        group, schema = self._groups[i]
        table = group.to_table(schema=schema, columns=[*features, *filter(None, (self.target, self.weight))])
        X = np.empty((table.num_rows, len(features)), dtype=self.dtype)
        for j, name in enumerate(features):
            X[:, j] = table[name].cast("float" if self.dtype == np.float32 else "double", safe=False)
        y = None if self.target is None else table[self.target].to_numpy()
        return Batch(X, y, None if self.weight is None else table[self.weight].to_numpy().astype(np.float64))


def _checked_columns(columns: Sequence[str], target: str | None, weight: str | None) -> list[str]:
    """Return the names of the features, each once, and neither that of labels nor that of weights."""
    if isinstance(columns, str) or not len(columns):
        raise ValueError(f"columns must be a list of at least one name, got {columns!r}.")
    names = [*columns, *filter(None, (target, weight))]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"columns, target and weight must be different columns, got {twice} more than once.")
    return list(columns)


def _number_types(schema: Any, file: Any, features: list[str], target: str | None, weight: str | None) -> list[Any]:
    """Return NumPy's types of the features in a file; raise if a column is not there, or holds no numbers."""
    fields = {field.name: field for field in _schema_of(file, schema)}
    for parameter, names in (("target", [target]), ("weight", [weight]), ("columns", features)):
        for name in names:
            if name is not None and name not in fields:
                raise ValueError(f"{parameter} must be a column of {file.path}, which has {[*fields]}, got {name!r}.")
    if weight is not None:
        _number_type(fields[weight], "weight", file)
    return [_number_type(fields[name], "columns", file) for name in features]


def _number_type(field: Any, parameter: str, file: Any) -> Any:
    """Return NumPy's type of a column; raise if it holds neither numbers nor booleans."""
    kind = str(field.type)
    if kind.startswith("decimal") or kind == "null":  # of which all are missing
        return np.float64 if kind != "null" else np.float32
    if not kind.startswith(("int", "uint", "halffloat", "float", "double", "bool")):
        raise ValueError(
            f"{parameter} must hold numbers or booleans, got {kind} in {field.name!r} of {file.path}: encode it, or "
            "leave it out."
        )
    return field.type.to_pandas_dtype()


def _schema_of(file: Any, schema: Any) -> Any:
    """Return the columns of a file, as they are in it, and those that the names of its folders are."""
    own = file.physical_schema
    for field in schema:
        if field.name not in own.names and f"{field.name}=" in file.path:
            own = own.append(field)
    return own


def _check_no_others(files: list[Any], schema: Any) -> None:
    """Raise if a file has columns that the first has not, where all are to be features."""
    for file in files:
        others = [name for name in file.physical_schema.names if name not in schema.names]
        if others:
            raise ValueError(f"columns must be given where files differ, got also {others} in {file.path}.")


def predict_in_batches(classifier: Any, batches: Any, method: str = "predict_proba") -> Iterator[NDArray[Any]]:
    """Predict batch by batch: no more than one is in memory.

    Parameters
    ----------
    classifier : estimator
        A fitted classifier, of this project or any other.
    batches : str, path, ParquetBatches, xgboost.DataIter or iterable
        A parquet file or a folder of them, of which the columns that the classifier was fitted on are read; what
        reads them; an iterator of XGBoost's, of which only ``data`` is looked at; or features, some rows at a time.
    method : str, default="predict_proba"
        The method that predicts.

    Returns
    -------
    predictions : iterator of ndarray
        What the method returns, one for each batch.

    Raises
    ------
    ValueError
        If `batches` is a path and the classifier does not know the names of its features.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skfocal import FocalHistGradientBoostingClassifier
    >>> from skfocal.batches import predict_in_batches
    >>> X, y = make_classification(n_samples=1000, random_state=0)
    >>> clf = FocalHistGradientBoostingClassifier(max_iter=10).fit(X, y)
    >>> [posterior.shape for posterior in predict_in_batches(clf, (X[:600], X[600:]))]
    [(600, 2), (400, 2)]
    """
    predict = getattr(classifier, method)
    names = getattr(classifier, "feature_names_in_", None)
    if isinstance(batches, str | PathLike):
        if names is None:
            raise ValueError(
                "batches must be ParquetBatches(path, columns=...) of a classifier that was fitted without names of "
                f"features, got the path {batches!r}."
            )
        batches = ParquetBatches(batches, columns=names.tolist())
    return map(predict, _features_of(batches, names))


def _features_of(batches: Any, names: Any) -> Iterable[Any]:
    """Yield the features of each batch."""
    if isinstance(batches, ParquetBatches):
        if names is not None and batches.feature_names != names.tolist():
            raise ValueError(f"batches must have the columns {names.tolist()}, got {batches.feature_names}.")
        return (_named(batch.X, names) for batch in batches)
    if hasattr(batches, "next") and hasattr(batches, "reset"):
        return _of_iterator(batches)
    return batches


def _named(X: NDArray[Any], names: Any) -> Any:
    """Return features with the names that a classifier was fitted on, and would miss."""
    if names is None:
        return X
    import pandas as pd

    return pd.DataFrame(X, columns=names, copy=False)


def _of_iterator(iterator: Any) -> Iterator[Any]:
    """Yield the features that an iterator of XGBoost's hands over."""
    given: list[Any] = []

    def keep(*, data: Any, **_: Any) -> None:
        given.append(data)

    iterator.reset()
    while iterator.next(keep):
        if len(given) != 1:
            raise ValueError(f"batches must call input_data once in each next(), got {len(given)} calls.")
        X = given.pop()
        if X.shape[0]:
            yield X
