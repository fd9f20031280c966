"""Tables that XGBoost misreads. Imports `boosting`."""

from typing import Any

import numpy as np

from skfocal.boosting.tables import as_arrow, check_columns, column_types, is_table, with_columns

_READABLE_NAMES = ("string", "integer")  # as pandas calls them
_NO_NAME = ""  # of the only category of a column that has none


def check_categories(X: Any) -> None:
    """Raise if a table of pandas has categories that XGBoost does not take, as it does not say of which column."""
    if not hasattr(X, "iloc"):
        return
    for place, kind in enumerate(X.dtypes.tolist()):
        names = getattr(kind, "categories", None)
        if names is not None and len(names) and names.inferred_type not in _READABLE_NAMES:
            raise ValueError(
                "X must have categories that are all words or all whole numbers for XGBoost, "
                f"got {names.inferred_type} ones in {X.columns[place]!r}: make words of them."
            )


def with_whole_names(X: Any) -> Any:
    """Return a table as XGBoost reads it right, anything else as it is.

    It cuts names beyond ASCII of pandas' categories, by the number of their characters where it should be that of their
    bytes, and so takes one for another in any table but that of the training; those of Arrow it keeps whole. Of Arrow
    it takes no names with a mask of which are missing, which pandas' have even where none is. And it fails at a column
    without any category, which a row has whose category is missing, and at numbers of pandas' own integers.
    """
    if not is_table(X):
        return X
    if not hasattr(X, "iloc"):
        return _with_plain_names(X)
    kinds = X.dtypes.tolist()
    columns = [column for column, kind in enumerate(kinds) if hasattr(kind, "categories")]
    changed = {}
    for column in columns:
        names = kinds[column].categories
        if not len(names):
            changed[column] = X.iloc[:, column].cat.set_categories([_NO_NAME])
        elif names.inferred_type == "integer" and not isinstance(names.dtype, np.dtype):
            changed[column] = X.iloc[:, column].cat.rename_categories(names.to_numpy(dtype=np.int64))
    X = with_columns(X, changed)
    if all("".join(map(str, kinds[column].categories)).isascii() for column in columns):
        return X
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError(
            "Categories with names beyond ASCII need pyarrow: of pandas XGBoost misreads them."
        ) from error
    arrays = [_arrow_column(column, pa) for _, column in X.items()]
    table = pa.Table.from_arrays(arrays, names=list(map(str, X.columns)))
    check_columns(table)
    return table


def _with_plain_names(X: Any) -> Any:
    """Return a table of Arrow or polars in which the categories of every column have names, without a mask."""
    if not any(kind.startswith("dictionary") for kind in column_types(X).values()):
        return X
    import pyarrow as pa

    table = as_arrow(X)
    for i, column in enumerate(table.columns):
        if not pa.types.is_dictionary(column.type) or all(map(_is_plain, column.chunks)):
            continue
        if any(chunk.dictionary.null_count for chunk in column.chunks):
            column = column.cast(column.type.value_type).dictionary_encode()
        chunks = [
            pa.DictionaryArray.from_arrays(
                chunk.indices, pa.array(chunk.dictionary.to_pylist() or [_NO_NAME], column.type.value_type)
            )
            for chunk in column.chunks
        ]
        table = table.set_column(i, table.field(i).name, pa.chunked_array(chunks))
    return table  # of polars too, whose categories XGBoost 3.4 does not take


def _is_plain(chunk: Any) -> bool:
    return len(chunk.dictionary) > 0 and chunk.dictionary.buffers()[0] is None


def _arrow_column(column: Any, pa: Any) -> Any:
    if hasattr(column, "sparse"):
        column = column.sparse.to_dense()
    if column.dtype.name != "category":
        return pa.array(column, from_pandas=True)
    if not all(isinstance(name, str) for name in column.cat.categories):
        raise ValueError(
            "X must have categories of words only beside words beyond ASCII (of pandas XGBoost misreads these, "
            f"and numbers in those of Arrow), got {column.cat.categories[0]} in {column.name!r}: make words of them."
        )
    codes = column.cat.codes.to_numpy()
    # Names without a mask of which are missing, which pandas' have even where none is: XGBoost takes no other.
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(column.cat.categories.tolist()))
