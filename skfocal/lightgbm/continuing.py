"""A model of LightGBM to continue: what it must be like, and its categories. Imports `boosting`."""

from collections.abc import Iterable
from os import PathLike, fspath
from typing import Any

from lightgbm import Booster, LGBMModel

from skfocal.boosting.continuing import check_same_features, check_same_margins
from skfocal.boosting.samples import Samples


def as_old_booster(init_model: Any, n_margins: int, n_features: int, feature_names: Iterable[str]) -> Booster | None:
    """Return the booster to continue, of as many margins and the features of X.

    LightGBM passes over what it does not know, and takes features by their places.
    """
    if init_model is None:
        return None
    if isinstance(init_model, LGBMModel):
        booster = init_model.booster_
    elif isinstance(init_model, str | PathLike):
        booster = Booster(model_file=fspath(init_model))
    else:
        booster = init_model
    if not isinstance(booster, Booster):
        raise TypeError(f"init_model must be a model of LightGBM or the name of its file, got {init_model!r}.")
    check_same_margins("init_model", booster.num_model_per_iteration(), n_margins)
    check_same_features("init_model", booster.num_feature(), n_features)
    names = [name.replace(" ", "_") for name in feature_names]  # as LightGBM does
    old_names = booster.feature_name()
    if names and old_names not in (names, [f"Column_{i}" for i in range(len(names))]):
        raise ValueError(f"init_model must have the features of X, {names}, in this order, got {old_names}.")
    return booster


def with_known_categories(samples: Samples, booster: Booster | None) -> Samples:
    """Return samples with the categories of a model to continue, which knows them by their numbers only."""
    return samples if booster is None else samples._replace(X=_with_known_categories(samples.X, booster))


def _with_known_categories(X: Any, booster: Booster) -> Any:
    """Return a table with the categories of a model to continue, which knows them by their numbers only."""
    known = booster.pandas_categorical
    if not known or not hasattr(X, "iloc"):
        return X
    columns = [column for column, dtype in X.dtypes.items() if dtype.name == "category"]
    if len(columns) != len(known):
        raise ValueError(f"init_model must have the categorical features of X, {columns}, got {len(known)} of them.")
    X = X.copy(deep=False)
    for column, categories in zip(columns, known, strict=True):
        new = set(X[column].dropna()).difference(categories)
        if new:
            raise ValueError(f"init_model must know the categories of {column!r} in X, and has not seen {new}.")
        X[column] = X[column].cat.set_categories(categories)
    return X
