"""Tables that LightGBM cannot take as they are. Imports `compat` and `boosting`."""

from numbers import Real
from typing import Any

import numpy as np

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


def check_categories(X: Any) -> None:
    """Raise if a table of pandas has categories that LightGBM finds out after training that it cannot write down."""
    if not hasattr(X, "iloc"):
        return
    for column, kind in enumerate(X.dtypes.tolist()):
        for name in getattr(kind, "categories", ()):
            if not isinstance(name, str | Real | np.bool_):
                raise ValueError(
                    f"X must have categories that are words, numbers or booleans, got a {type(name).__name__} in "
                    f"{X.columns[column]!r}: make words of them."
                )
