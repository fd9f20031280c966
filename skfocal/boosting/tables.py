"""Tables of any library: which they are, and what is in their columns. Imports nothing of ours."""

from typing import Any

import numpy as np
from scipy.sparse import issparse

# Arrow's names of what an engine can read, and of the dictionaries that categories are.
_NUMBERS = ("int", "uint", "halffloat", "float", "double", "bool")
_READABLE = (*_NUMBERS, "dictionary")


def is_table(X: Any) -> bool:
    """Tell whether features are in a table, of whatever library."""
    return hasattr(X, "columns") or hasattr(X, "column_names")


def column_names(X: Any) -> list[Any]:
    """Return the names of a table's columns, none if it is of a library that lists them in another way."""
    if hasattr(X, "iloc"):
        return list(X.columns.tolist())
    names = X.column_names if hasattr(X, "column_names") else X.columns
    return names if isinstance(names, list) else []


def column_types(X: Any) -> dict[str, str]:
    """Return the types of a table's columns as Arrow names them; none of pandas, whose own the engines look at."""
    if not is_table(X) or hasattr(X, "iloc"):
        return {}
    schema = getattr(X.head(0).to_arrow() if hasattr(X, "to_arrow") else X, "schema", None)
    return {} if schema is None else {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)}


def as_arrow(X: Any) -> Any:
    """Return a table of polars as one of Arrow, one of Arrow as it is."""
    return X.to_arrow() if hasattr(X, "to_arrow") else X


def with_columns(X: Any, columns: dict[int, Any]) -> Any:
    """Return a table of pandas with other columns, by their places; the table that was given is not changed."""
    if columns:
        X = X.copy(deep=False)
    for place, column in columns.items():
        X.isetitem(place, column)
    return X


def as_scikit_learn_reads(X: Any, categorical_features: Any) -> Any:
    """Return a table with columns that are no numbers as one of pandas, anything else as it is.

    In those of Arrow scikit-learn takes a missing category for another one, in those of polars for one of its own. It
    takes words only in columns that it is told are categories, and does not name the others.
    """
    check_is_computed(X)
    if not all(kind.startswith(_NUMBERS) for kind in column_types(X).values()):
        try:
            X = X.to_pandas()
        except ImportError as error:
            raise ImportError("Tables of polars and Arrow with other columns than numbers need pandas here.") from error
    if categorical_features is None or isinstance(categorical_features, str):
        check_columns(X, of_scikit_learn=True)
    return X


def in_native_order(X: Any) -> Any:
    """Return an array, dense or sparse, or a table of pandas with the bytes of its numbers in this processor's order.

    XGBoost reads them in that order, whatever theirs is, and takes what comes out for the features; pandas itself
    chooses no rows of others.
    """
    if isinstance(X, np.ndarray) or issparse(X):
        return X if X.dtype.isnative else X.astype(X.dtype.newbyteorder("="))
    if not (hasattr(X, "iloc") and is_table(X)) or all(map(_is_native, X.dtypes.tolist())):
        return X
    return X.astype({name: kind.newbyteorder("=") for name, kind in X.dtypes.items() if not _is_native(kind)})


def _is_native(kind: Any) -> bool:
    return not isinstance(kind, np.dtype) or kind.isnative  # pandas' own types always are


def check_is_computed(X: Any) -> None:
    """Raise if features are in a table that is still to be computed."""
    if hasattr(X, "collect_schema") and not hasattr(X, "shape"):
        raise TypeError(f"X must be a table that is there, got a {type(X).__name__}: pass X.collect().")


def check_is_sampled(X: Any, sampler: Any) -> None:
    """Raise if features are in a table of another library than pandas, whose columns imbalanced-learn drops."""
    check_is_computed(X)
    if is_table(X) and not hasattr(X, "iloc"):
        raise TypeError(
            f"X must be an array, a sparse matrix or a pandas DataFrame with sampler={sampler!r}, "
            f"got a {type(X).__module__.partition('.')[0]} {type(X).__name__}."
        )


def check_columns(X: Any, *, of_scikit_learn: bool = False) -> None:
    """Raise if a table has columns that an engine cannot read: it dies of these, or does not name them.

    scikit-learn makes numbers of all but words.
    """
    if is_table(X) and hasattr(X, "iloc"):
        kinds = X.dtypes.tolist()
        if all(map(_is_readable, set(kinds))):
            return
        bad = [
            (X.columns[place], kind)
            for place, kind in enumerate(kinds)
            if not _is_readable(kind) and not (of_scikit_learn and _is_numeric(X.iloc[:, place]))
        ]
    else:
        bad = [(name, kind) for name, kind in column_types(X).items() if not kind.startswith(_READABLE)]
    if bad:
        name, kind = bad[0]
        raise ValueError(
            f"X must have columns of numbers, booleans or categories, got {kind} in {name!r}: make a category or "
            "numbers of it, or encode it."
        )


def _is_readable(kind: Any) -> bool:
    """Tell whether a column of pandas holds numbers, booleans or categories; what says nothing of it is left alone."""
    return hasattr(kind, "categories") or getattr(kind, "kind", "f") in "biuf"


def _is_numeric(column: Any) -> bool:
    """Tell whether a column of pandas that is of no kind of numbers has no words."""
    from pandas.api.types import infer_dtype

    return infer_dtype(column, skipna=True) not in ("string", "bytes", "mixed", "mixed-integer")
