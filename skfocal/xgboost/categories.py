"""Categories that a model of XGBoost knows, and tables that have no others. Imports `compat` and `boosting`.

XGBoost 3.2 looks a category up by its name, and does not see where it is not there: it takes one that training has not
seen for the next one in the order of the alphabet, or fails where there is none; 3.4 fails. In a table it is here as if
it were missing, which it is to other engines, too. A name that the table of the training lists is known, also if no row
has it: else what reads the same table by XGBoost itself, as SHAP does, would fail. What XGBoost is given without names,
codes or a DMatrix, stays as it is.
"""

from typing import Any

import numpy as np
from xgboost import Booster

from skfocal.boosting.tables import column_names, is_table
from skfocal.xgboost.compat import known_categories

# The names of the categories of features, by the places of these.
Known = dict[int, list[Any]]


def categories_of(X: Any) -> Known:
    """Return the categories of a table's columns; none of anything else."""
    if not is_table(X):
        return {}
    if hasattr(X, "iloc"):
        return {place: names.tolist() for place, names in _indices(X).items()}
    return {place: _names(column) for place, column in _dictionaries(_as_arrow(X)).items()}


def with_known_categories(X: Any, known: Known) -> Any:
    """Return a table in which categories that are not known are missing; anything else as it is."""
    if not is_table(X):
        return X
    return _of_pandas(X, known) if hasattr(X, "iloc") else _of_arrow(X, known)


def as_model_knows(X: Any, booster: Booster) -> Any:
    """Return a table as `with_known_categories` of a model; raise if a column has categories that had none there."""
    own = categories_of(X)
    if not own:
        return X
    kinds = booster.feature_types or []
    for place in own:
        if place < len(kinds) and kinds[place] != "c":
            column = column_names(X)[place]
            raise ValueError(f"X must have numbers in {column!r}, as in training, got categories.")
    return with_known_categories(X, known_categories(booster))


def used_categories(X: Any) -> Known:
    """Return the categories that the rows of a table have, of those that its columns may have."""
    if not is_table(X):
        return {}
    if hasattr(X, "iloc"):
        return {place: X.iloc[:, place].cat.remove_unused_categories().cat.categories.tolist() for place in _indices(X)}
    return {
        place: [name for name in column.cast(column.type.value_type).unique().to_pylist() if name is not None]
        for place, column in _dictionaries(_as_arrow(X)).items()
    }


def check_known(names: Known, known: Known, columns: list[Any], model: str) -> None:
    """Raise if there are categories that a model to continue, called `model`, does not know: training adds none."""
    for place, own in names.items():
        is_known = _are_known(own, known.get(place, own))
        new = sorted(name for name, is_old in zip(own, is_known, strict=True) if not is_old)
        if new:
            raise ValueError(f"{model} must know the categories of {columns[place]!r} in X, and has not seen {new}.")


def _are_known(names: list[Any], known: list[Any]) -> list[bool]:
    """Tell which categories are known; all, where they are numbers and those words: XGBoost refuses them itself."""
    if known and not any(isinstance(name, int) == isinstance(known[0], int) for name in names):
        return [True] * len(names)
    of_model = set(known)
    return [name in of_model for name in names]


def _indices(X: Any) -> dict[int, Any]:
    """Return the categories of a table of pandas, as it has them."""
    kinds = enumerate(X.dtypes.tolist())
    return {place: kind.categories for place, kind in kinds if hasattr(kind, "categories")}


def _of_pandas(X: Any, known: Known) -> Any:
    changed = {}
    for place, own in _indices(X).items():
        if place not in known:
            continue
        kept = own[np.array(_are_known(own.tolist(), known[place]), dtype=bool)]
        if not len(kept):
            kept = known[place][:1]  # XGBoost fails at a column without any
        elif len(kept) == len(own):
            continue
        changed[place] = X.iloc[:, place].cat.set_categories(kept)
    if changed:
        X = X.copy(deep=False)
    for place, column in changed.items():
        X.isetitem(place, column)
    return X


def _as_arrow(X: Any) -> Any:
    return X.to_arrow() if hasattr(X, "to_arrow") else X


def _dictionaries(table: Any) -> dict[int, Any]:
    """Return the columns of a table of Arrow that have categories."""
    columns = enumerate(table.columns)
    return {place: column for place, column in columns if str(column.type).startswith("dictionary")}


def _names(column: Any) -> list[Any]:
    """Return the categories of a column of Arrow, those of all its chunks."""
    names = (name for chunk in column.chunks for name in chunk.dictionary.to_pylist())
    return [name for name in dict.fromkeys(names) if name is not None]


def _of_arrow(X: Any, known: Known) -> Any:
    table = given = _as_arrow(X)
    for place, column in _dictionaries(table).items():
        names = _names(column)
        if place in known and not (names and all(_are_known(names, known[place]))):
            table = table.set_column(place, table.field(place).name, _of_known(column, known[place]))
    return X if table is given else table


def _of_known(column: Any, known: list[Any]) -> Any:
    """Return a column of Arrow in which categories that are not known are null, with one name at least."""
    import pyarrow as pa

    chunks = []
    for chunk in column.chunks:
        names = chunk.dictionary.to_pylist()
        kept = np.flatnonzero(_are_known(names, known))
        places = np.full(len(names) + 1, -1)  # the last one is that of null
        places[kept] = np.arange(len(kept))
        codes = places[chunk.indices.cast(pa.int64()).fill_null(len(names)).to_numpy()]
        there = pa.array([names[i] for i in kept] or known[:1], column.type.value_type)
        chunks.append(pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), there))
    return pa.chunked_array(chunks)
