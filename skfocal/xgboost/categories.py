"""Categories that a model of XGBoost knows, and tables that have no others. Imports `compat` and `boosting`.

XGBoost 3.2 looks a category up by its name, and does not see where it is not there: it takes one that training has not
seen for the next one in the order of the alphabet, or fails where there is none; 3.4 fails. In a table it is here as if
it were missing, which it is to other engines, too. A name that the table of the training lists is known, also if no row
has it: else what reads the same table by XGBoost itself, as SHAP does, would fail. What XGBoost is given without names,
codes or a DMatrix, stays as it is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from xgboost import Booster

from skfocal.boosting.tables import as_arrow, column_names, is_table, with_columns
from skfocal.xgboost.compat import known_categories

# The names of the categories of features, by the places of these.
Known = dict[int, list[Any]]


def categories_of(X: Any) -> Known:
    """Return the categories of a table's columns; none of anything else."""
    return {place: _names(own) for place, own in _categorical(X).items()}


def used_categories(X: Any) -> Known:
    """Return the categories that the rows of a table have, of those that its columns may have."""
    if hasattr(X, "iloc"):
        columns = {place: X.iloc[:, place].cat.remove_unused_categories() for place in _categorical(X)}
        return {place: column.cat.categories.tolist() for place, column in columns.items()}
    words = {place: column.drop_null().cast(column.type.value_type) for place, column in _categorical(X).items()}
    return {place: column.unique().to_pylist() for place, column in words.items()}


def with_known_categories(X: Any, known: Known) -> Any:
    """Return a table in which categories that are not known are missing; anything else as it is."""
    changed = {
        place: own
        for place, own in _categorical(X).items()
        if place in known and not ((names := _names(own)) and all(_are_known(names, known[place])))
    }
    if not changed:
        return X
    if hasattr(X, "iloc"):
        return with_columns(X, {place: _of_pandas(X.iloc[:, place], known[place]) for place in changed})
    table = as_arrow(X)
    for place, column in changed.items():
        table = table.set_column(place, table.field(place).name, _of_arrow(column, known[place]))
    return table


def as_model_knows(X: Any, booster: Booster) -> Any:
    """Return a table as `with_known_categories` of a model; raise if a column has categories that had none there."""
    own = _categorical(X)
    if not own:
        return X  # at once: to ask a booster takes as long as a row
    kinds = booster.feature_types or []
    for place in own:
        if place < len(kinds) and kinds[place] != "c":
            column = column_names(X)[place]
            raise ValueError(f"X must have numbers in {column!r}, as in training, got categories.")
    return with_known_categories(X, known_categories(booster))


def check_known(names: Known, known: Known, columns: Sequence[Any], model: str) -> None:
    """Raise if there are categories that a model to continue, called `model`, does not know: training adds none."""
    for place, own in names.items():
        is_known = _are_known(own, known.get(place, own))
        new = sorted(name for name, is_old in zip(own, is_known, strict=True) if not is_old)
        if new:
            raise ValueError(f"{model} must know the categories of {columns[place]!r} in X, and has not seen {new}.")


def check_are_ascii(names: Known, columns: Sequence[Any], name: str, where: str, instead: str) -> None:
    """Raise if there are categories that XGBoost cuts, where it cannot be given a table of Arrow in place of `name`."""
    for place, own in names.items():
        beyond = [each for each in map(str, own) if not each.isascii()]
        if beyond:
            raise ValueError(
                f"{name} must have categories of ASCII characters {where}, where XGBoost takes others for one another, "
                f"got {beyond[0]!r} in {columns[place]!r}: {instead}."
            )


def _categorical(X: Any) -> dict[int, Any]:
    """Return what has the categories of each column that has some: pandas' index of them, or the column of Arrow."""
    if not is_table(X):
        return {}
    if hasattr(X, "iloc"):
        kinds = enumerate(X.dtypes.tolist())
        return {place: kind.categories for place, kind in kinds if hasattr(kind, "categories")}
    columns = enumerate(as_arrow(X).columns)
    return {place: column for place, column in columns if str(column.type).startswith("dictionary")}


def _names(own: Any) -> list[Any]:
    """Return the names in what has the categories of a column; in one of Arrow those of all its chunks."""
    if not hasattr(own, "chunks"):
        return list(own.tolist())
    names = (name for chunk in own.chunks for name in chunk.dictionary.to_pylist())
    return [name for name in dict.fromkeys(names) if name is not None]


def _are_known(names: list[Any], known: list[Any]) -> list[bool]:
    """Tell which categories are known; all, where they are numbers and those words: XGBoost refuses them itself."""
    if known and not any(isinstance(name, int) == isinstance(known[0], int) for name in names):
        return [True] * len(names)
    of_model = set(known)
    return [name in of_model for name in names]


def _of_pandas(column: Any, known: list[Any]) -> Any:
    """Return a column of pandas in which categories that are not known are missing, with one name at least."""
    names = column.cat.categories
    kept = names[np.array(_are_known(names.tolist(), known), dtype=bool)]
    return column.cat.set_categories(kept if len(kept) else known[:1])


def _of_arrow(column: Any, known: list[Any]) -> Any:
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
