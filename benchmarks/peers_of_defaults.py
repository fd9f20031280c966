"""The contenders of `defaults.py`: engines, peers and ours, each as somebody who only types its name has it."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from xgboost import XGBClassifier

from skfocal import FocalHistGradientBoostingClassifier, FocalLGBMClassifier, FocalXGBClassifier

LIGHTGBM = partial(lightgbm.LGBMClassifier, verbose=-1, n_jobs=1, random_state=0)
XGBOOST = partial(XGBClassifier, n_jobs=1, random_state=0, enable_categorical=True)


def _numbers_for_many_levels(X: pd.DataFrame) -> pd.DataFrame:
    """Return codes in the place of categories of which there are more than scikit-learn's boosting takes."""
    categories = X.select_dtypes("category")
    many = [name for name in categories if len(categories[name].cat.categories) > 255]
    return X.assign(**{name: X[name].cat.codes.where(X[name].notna()) for name in many})


def _hist(kind: type, **params: Any) -> Pipeline:
    """Return scikit-learn's boosting, its own or ours."""
    boosting = kind(random_state=0, categorical_features="from_dtype", **params)
    return make_pipeline(FunctionTransformer(_numbers_for_many_levels), boosting)


HIST = partial(_hist, HistGradientBoostingClassifier)


class CatBoost:
    """CatBoost, given categories as words."""

    def __init__(self, **params: Any) -> None:
        self.params = params

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "CatBoost":  # noqa: D102
        from catboost import CatBoostClassifier

        quiet = {"verbose": 0, "thread_count": 1, "allow_writing_files": False, "random_seed": 0}
        categories = list(X.select_dtypes("category"))
        self.model = CatBoostClassifier(**quiet, cat_features=categories, **self.params).fit(self.as_words(X), y)
        return self

    def as_words(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: D102
        return X.assign(**{name: X[name].astype(object).fillna("missing") for name in X.select_dtypes("category")})

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:  # noqa: D102
        proba: np.ndarray = self.model.predict_proba(self.as_words(X))
        return proba


class BalancedXGBoost:
    """XGBoost with classes of the same weight; for it the weight is a number that depends on the data."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "BalancedXGBoost":  # noqa: D102
        self.model = XGBOOST(scale_pos_weight=(len(y) - y.sum()) / y.sum()).fit(X, y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:  # noqa: D102
        proba: np.ndarray = self.model.predict_proba(X)
        return proba


class ClassBalanced:
    """The focal loss of gbdtCBL as LightGBM's objective, with the sigmoid of the margins, as its readme has it."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "ClassBalanced":  # noqa: D102
        from gbdtCBL.binary import FLLoss

        self.model = LIGHTGBM(objective=FLLoss(2)).fit(X, y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:  # noqa: D102
        proba = expit(self.model.predict(X, raw_score=True))
        return np.column_stack([1 - proba, proba])


class Yggdrasil:
    """Gradient boosting of YDF, with its loss."""

    def __init__(self, loss: str) -> None:
        self.loss = loss

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Yggdrasil":  # noqa: D102
        import ydf

        ydf.verbose(0)
        learner = ydf.GradientBoostedTreesLearner(label="label of the row", loss=self.loss, num_threads=1)
        self.model = learner.train(self.as_words(X).assign(**{"label of the row": y.astype(str)}))
        return self

    def as_words(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: D102
        return X.assign(**{name: X[name].astype(object) for name in X.select_dtypes("category")})

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:  # noqa: D102
        proba = self.model.predict(self.as_words(X))
        return np.column_stack([1 - proba, proba])


def _peers() -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return peers with the package that each is in."""

    def imlightgbm() -> Any:
        from imlightgbm import ImbalancedLGBMClassifier

        return ImbalancedLGBMClassifier(objective="binary_focal", verbose=-1, n_jobs=1, random_state=0)

    focal = "Focal:focal_alpha=0.5;focal_gamma=2.0"
    return {
        "CatBoost": ("catboost", CatBoost),
        "CatBoost, its focal loss": ("catboost", partial(CatBoost, loss_function=focal)),
        "imlightgbm": ("imlightgbm", imlightgbm),
        "gbdtCBL": ("gbdtCBL", ClassBalanced),
        "YDF": ("ydf", partial(Yggdrasil, "DEFAULT")),
        "YDF, its focal loss": ("ydf", partial(Yggdrasil, "BINARY_FOCAL_LOSS")),
    }


def contenders() -> dict[str, Callable[[], Any]]:
    """Return what makes each contender, by its name; those that are not installed are left out."""
    ours = {
        "LightGBM": partial(FocalLGBMClassifier, verbose=-1, n_jobs=1, random_state=0),
        "XGBoost": partial(FocalXGBClassifier, n_jobs=1, random_state=0),
        "HistGB": partial(_hist, FocalHistGradientBoostingClassifier),
    }
    found: dict[str, Callable[[], Any]] = {
        "LightGBM": LIGHTGBM,
        "LightGBM, balanced": partial(LIGHTGBM, class_weight="balanced"),
        "LightGBM, reg_lambda=1": partial(LIGHTGBM, reg_lambda=1),
        "LightGBM, reg_lambda=10": partial(LIGHTGBM, reg_lambda=10),
        "XGBoost": XGBOOST,
        "XGBoost, balanced": BalancedXGBoost,
        "XGBoost, reg_lambda=10": partial(XGBOOST, reg_lambda=10),
        "HistGB": HIST,
        "HistGB, balanced": partial(HIST, class_weight="balanced"),
        "HistGB, l2_regularization=10": partial(HIST, l2_regularization=10),
    }
    for name, make in ours.items():
        found[f"skfocal {name}"] = make
        found[f"skfocal {name}, gamma=0"] = partial(make, focal_gamma=0.0)
        found[f"skfocal {name}, gamma=2"] = partial(make, focal_gamma=2.0)
    found |= {name: make for name, (package, make) in _peers().items() if find_spec(package)}
    return found
