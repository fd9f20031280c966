"""Every private or version-dependent touch of LightGBM, each with its reason. Imports `_state` and `boosting`."""

from collections.abc import Callable
from functools import cache
from inspect import signature, unwrap
from typing import Any

import lightgbm
import numpy as np
from lightgbm import LGBMClassifier, LGBMModel
from lightgbm.basic import _ConfigAliases

from skfocal._state import LearnedAttribute
from skfocal.boosting.tracking import TrackedParameters


@cache
def parameter_aliases() -> dict[str, list[str]]:
    """Return LightGBM's parameters, each with all of its names, its own first. Public only in the C library."""
    aliases: dict[str, list[str]] = _ConfigAliases._get_all_param_aliases()
    return aliases


@cache
def default_parameters() -> dict[str, Any]:
    """Return the parameters of the constructor of LightGBM's scikit-learn class."""
    defaults: dict[str, Any] = LGBMClassifier().get_params()
    return defaults


@cache
def parameter_names() -> frozenset[str]:
    """Return every name of a parameter that LightGBM's scikit-learn class or its library understands."""
    aliases = parameter_aliases().values()
    return frozenset(default_parameters()).union(*aliases)


def reads_tables() -> bool:
    """Tell whether LightGBM reads tables of polars and Arrow by itself; before 4.7 it needs cffi, and not for all."""
    return not hasattr(lightgbm.compat, "CFFI_INSTALLED")


def n_threads(classifier: LGBMClassifier, n_jobs: int | None) -> int:
    """Return the number of threads that LightGBM's class makes of `n_jobs`, as scikit-learn's users mean it."""
    number: int = classifier._process_n_jobs(n_jobs)
    return number


def objective_is_set(env: Any) -> None:
    """Tell a booster, before its first round, that its objective is a function: as a callback of LightGBM.

    It is told so when it is made, and tells itself once more, with nothing but that: LightGBM then finds no number of
    leaves beside the depth, and warns of it whatever the user has set.
    """
    env.model._Booster__set_objective_to_none = True


objective_is_set.before_iteration = True  # type: ignore[attr-defined]  # how LightGBM is told when to call it
objective_is_set.order = 0  # type: ignore[attr-defined]


_fit_model = unwrap(LGBMModel.fit)


class _UnheardModel(LGBMModel):
    def fit(self, X: Any, y: Any, *, eval_set: Any = None, **fit_arguments: Any) -> Any:  # type: ignore[override]
        """Fit with evaluation sets in LightGBM's newer way where there is one: of the older it warns, since 4.7.

        Only through the older does its classifier, which calls this, recognise the training data among them.
        """
        if eval_set and "eval_X" in signature(_fit_model).parameters:
            fit_arguments["eval_X"], fit_arguments["eval_y"] = zip(*eval_set, strict=True)
        else:
            fit_arguments["eval_set"] = eval_set
        return _fit_model(self, X, y, **fit_arguments)


def unfitted_engine(params: dict[str, Any], shown: dict[str, Any]) -> Any:
    """Return an LGBMClassifier that gives `lightgbm.train` the parameters in `shown` as well.

    Tools that keep track of experiments put themselves around that, which is well, and around both of LightGBM's
    `fit`: mlflow would save the engine after it, as LightGBM's own class and by skops, which trusts no other.
    """

    class Engine(LGBMClassifier, _UnheardModel):
        fit = unwrap(LGBMClassifier.fit)
        feature_names_in_ = LearnedAttribute()  # scikit-learn sets it for tables, and before 4.7 it cannot be set

        def _process_params(self, stage: str) -> dict[str, Any]:
            return TrackedParameters(super()._process_params(stage), shown)

    return Engine(**params)


def give_booster(engine: LGBMClassifier, booster: Any, objective: Callable[..., Any]) -> None:
    """Give LightGBM's classifier another booster, and what its property ``objective_`` tells."""
    engine._Booster, engine._objective = booster, objective


def fitted_engine(booster: Any, n_classes: int, objective: Callable[..., Any]) -> Any:
    """Return an LGBMClassifier that has a booster as if it had been fitted. LightGBM has no public way to do that."""
    engine = LGBMClassifier()
    give_booster(engine, booster, objective)
    engine._n_features = booster.num_feature()
    engine._classes, engine._n_classes = np.arange(n_classes), n_classes
    engine._best_iteration, engine._best_score = booster.best_iteration, booster.best_score
    engine.fitted_ = True
    return engine
