"""Tables that LightGBM cannot take as they are. Imports `compat` and `boosting`."""

from typing import Any

from skfocal.boosting.tables import column_types
from skfocal.lightgbm.compat import reads_tables


def as_readable(X: Any) -> Any:
    """Return a table of polars or Arrow that has columns at which LightGBM ends the process as one of pandas.

    These are categories, of which it knows pandas' only (it keeps them in the model, and looks up those of another
    table there), and floats of 16 bits; before 4.7 all. Anything else is returned as it is.
    """
    kinds = column_types(X)
    unreadable = any(kind.startswith(("dictionary", "halffloat")) for kind in kinds.values())
    if not kinds or (reads_tables() and not unreadable):
        return X
    import pandas as pd
    import pyarrow as pa

    # Booleans some of which are missing would become objects.
    table = X.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    if hasattr(X, "to_arrow"):  # the order of polars' Enum is only that in which it tells its categories
        categorical = [name for name, kind in kinds.items() if kind.startswith("dictionary")]
        table[categorical] = table[categorical].apply(lambda column: column.cat.as_unordered())
    return table
