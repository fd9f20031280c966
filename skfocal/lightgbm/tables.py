"""Tables that LightGBM cannot take as they are. Imports `boosting`."""

from typing import Any

from skfocal.boosting.tables import column_types


def with_pandas_categories(X: Any) -> Any:
    """Return a table of polars or Arrow with categorical columns as one of pandas, anything else as it is.

    LightGBM knows categories of pandas only: it keeps them in the model, and looks up those of another table there. At
    Arrow's dictionaries, which polars' categories are as well, it ends the process.
    """
    categorical = [name for name, kind in column_types(X).items() if kind.startswith("dictionary")]
    if not categorical:
        return X
    table = X.to_pandas()
    if hasattr(X, "to_arrow"):  # the order of polars' Enum is only that in which it tells its categories
        table[categorical] = table[categorical].apply(lambda column: column.cat.as_unordered())
    return table
