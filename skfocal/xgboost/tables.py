"""Tables that XGBoost misreads. Imports `boosting`."""

from typing import Any

from skfocal.boosting.tables import check_columns


def with_whole_names(X: Any) -> Any:
    """Return a table of pandas whose categories have names beyond ASCII as one of Arrow, anything else as it is.

    XGBoost cuts such names of pandas' categories, by the number of their characters where it should be that of their
    bytes, and so takes one for another in any table but that of the training. Those of Arrow it keeps whole.
    """
    if not hasattr(X, "iloc"):
        return X
    categories = [kind.categories for kind in X.dtypes.tolist() if hasattr(kind, "categories")]
    if all("".join(map(str, names)).isascii() for names in categories):
        return X
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError(
            "Categories with names beyond ASCII need pyarrow: of pandas XGBoost misreads them."
        ) from error
    table = pa.Table.from_arrays([_as_arrow(column, pa) for _, column in X.items()], names=list(map(str, X.columns)))
    check_columns(table)
    return table


def _as_arrow(column: Any, pa: Any) -> Any:
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
