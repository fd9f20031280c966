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


def words_in_pandas(X: Any) -> Any:
    """Return a table of another library as one of pandas if it has columns that are not numbers, anything as it is.

    In those of Arrow scikit-learn takes a missing category for another one, in those of polars for one of its own.
    """
    check_is_computed(X)
    if all(kind.startswith(_NUMBERS) for kind in column_types(X).values()):
        return X
    try:
        return X.to_pandas()
    except ImportError as error:
        raise ImportError("Tables of polars and Arrow with words need pandas and pyarrow for scikit-learn.") from error


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


def check_columns(X: Any) -> None:
    """Raise if a table has columns that LightGBM and XGBoost cannot read: they die of these, or do not name them."""
    for name, kind in column_types(X).items():
        if not kind.startswith(_READABLE):
            raise ValueError(
                f"X must have columns of numbers, booleans or categories, got {kind} in {name!r}: "
                "make a category of it, or encode it."
            )
