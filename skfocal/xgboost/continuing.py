"""A model of XGBoost to continue: its trees alone, and its intercept. Imports `categories`, `compat` and `boosting`."""

import json
from os import PathLike
from typing import Any

import numpy as np
from scipy.special import expit
from xgboost import Booster, DMatrix, XGBModel
from xgboost.core import XGBoostError

from skfocal.boosting.continuing import check_same_features, check_same_margins
from skfocal.boosting.tables import column_names, is_table
from skfocal.xgboost.categories import check_known, used_categories
from skfocal.xgboost.compat import first_rounds, known_categories
from skfocal.xgboost.compat import n_margins as margins_of


def as_old_booster(xgb_model: Any, n_margins: int, X: Any) -> Booster | None:
    """Return the trees of a model to continue, of as many margins and features, whose categories it knows."""
    if xgb_model is None:
        return None
    booster = _trees_alone(xgb_model)
    check_same_margins("xgb_model", margins_of(booster), n_margins)
    known, is_matrix = known_categories(booster), isinstance(X, DMatrix)
    check_same_features("xgb_model", booster.num_features(), X.num_col() if is_matrix else X.shape[1])
    if is_matrix and (own := known_categories(X)) != known:
        raise ValueError(
            f"X must have the categories of xgb_model, in their order, {known}, got {own}: pass the table instead of a "
            "DMatrix."
        )
    if is_table(X):
        check_known(used_categories(X), known, column_names(X), "xgb_model")
    return booster


def _trees_alone(xgb_model: Any) -> Booster:
    """Return a model to continue: up to its best round, and without its metrics and what is known of its training.

    XGBoost would keep the best round of a model that has stopped early, so that no later one would count in
    predictions; and evaluate the old model's metrics beside ours, through its own link.
    """
    if isinstance(xgb_model, XGBModel):
        booster = xgb_model.get_booster()
    elif isinstance(xgb_model, str | PathLike | bytearray):
        booster = Booster(model_file=xgb_model)
    else:
        booster = xgb_model
    if not isinstance(booster, Booster):
        raise TypeError(f"xgb_model must be a model of XGBoost or the name of its file, got {xgb_model!r}.")
    best = booster.attr("best_iteration")
    try:
        booster = booster.copy() if best is None else first_rounds(booster, int(best) + 1)
    except XGBoostError:  # linear boosters have no rounds
        booster = booster.copy()
    booster.set_attr(**dict.fromkeys(booster.attributes()))
    return Booster(model_file=booster.save_raw("ubj"))  # the model without the settings that it was trained with


def base_score_of(booster: Booster) -> float | None:
    """Return the intercept of a model to continue as our base_score, or None if it is one as it stands.

    It is what the old objective takes it for: a margin with "binary:logitraw", a custom objective and others.
    """
    learner = json.loads(booster.save_config())["learner"]
    is_binary = learner["learner_model_param"]["num_class"] == "0"
    if not is_binary or learner["objective"]["name"] in ("binary:logistic", "reg:logistic"):
        return None
    row = np.zeros((1, booster.num_features()))
    margin, of_trees = (
        booster.predict(DMatrix(row, base_margin=start), output_margin=True, validate_features=False)
        for start in (None, [0.0])
    )
    return float(expit(margin - of_trees)[0])
