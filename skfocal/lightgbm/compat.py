"""Every private or version-dependent touch of LightGBM, each with its reason.

Imports `_state`, `boosting` and `objectives`.
"""

from collections.abc import Callable
from functools import cache
from inspect import signature, unwrap
from typing import Any, cast

import lightgbm
import numpy as np
from lightgbm import Booster, LGBMClassifier, LGBMModel
from lightgbm.basic import _ConfigAliases

from skfocal._state import LearnedAttribute
from skfocal.boosting.tracking import TrackedParameters
from skfocal.objectives import TrainingObjective


@cache
def parameter_aliases() -> dict[str, list[str]]:
    """Return LightGBM's parameters, each with all of its names, its own first. Public only in the C library."""
    aliases: dict[str, list[str]] = _ConfigAliases._get_all_param_aliases()
    return aliases


@cache
def main_names() -> dict[str, str]:
    """Return LightGBM's own name of a parameter for each of its names."""
    return {name: names[0] for names in parameter_aliases().values() for name in names}


@cache
def default_parameters() -> dict[str, Any]:
    """Return the parameters of the constructor of LightGBM's scikit-learn class."""
    defaults: dict[str, Any] = LGBMClassifier().get_params()
    return defaults


@cache
def parameter_names() -> frozenset[str]:
    """Return every name of a parameter that LightGBM's scikit-learn class or its library understands."""
    return frozenset(default_parameters()).union(main_names())


def reads_tables() -> bool:
    """Tell whether LightGBM reads tables of polars and Arrow by itself; before 4.7 it needs cffi, and not for all."""
    return not hasattr(lightgbm.compat, "CFFI_INSTALLED")


def n_threads(classifier: LGBMClassifier, n_jobs: int | None) -> int:
    """Return the number of threads that LightGBM's class makes of `n_jobs`, as scikit-learn's users mean it."""
    number: int = classifier._process_n_jobs(n_jobs)
    return number


class TrainingBooster(Booster):
    """What a booster is while it trains on a function, from the first round until LightGBM reads its text anew.

    Of that text it makes one with LightGBM's own objective, so that any runtime applies sigmoid or softmax: to write
    and read it once more would take as long as some rounds.
    """

    def model_from_string(self, model_str: str) -> Any:
        """Read a model, as one of LightGBM's own objective, and be a booster like any other."""
        self.__class__ = Booster  # type: ignore[assignment]
        n_classes = self.params.get("num_class", 1)
        objective = "binary sigmoid:1" if n_classes == 1 else f"multiclass num_class:{n_classes}"
        self.params["objective"] = objective.partition(" ")[0]
        header, *trees = model_str.partition("\nTree=0\n")
        lines = [line for line in header.split("\n") if not line.startswith("objective=")]
        lines.insert(1, f"objective={objective}")  # after the line that names the format
        return self.model_from_string("".join(["\n".join(lines), *trees]))

    def __reduce__(self) -> tuple[Any, ...]:
        return object.__new__, (Booster,), self.__getstate__()


def prepare_booster(env: Any) -> None:
    """Make a booster one that trains, before its first round: as a callback of LightGBM.

    It is told that its objective is a function when it is made, and tells itself once more, with nothing but that:
    LightGBM then finds no number of leaves beside the depth, and warns of it whatever the user has set.

    For margins to train on dart drops trees, unless it knows that it has; before the first round it asks memory that
    nobody has written to, and draws a random number or not. Then it has, and starts its random numbers anew.
    """
    booster = env.model
    if env.iteration == env.begin_iteration:
        booster.__class__ = TrainingBooster
        booster._Booster__set_objective_to_none = True
        if booster.params.get("boosting_type") == "dart":
            booster._Booster__inner_predict(data_idx=0)
            booster.reset_parameter({"num_leaves": booster.params["num_leaves"]})  # of which it warns as well


prepare_booster.before_iteration = True  # type: ignore[attr-defined]  # how LightGBM is told when to call it
prepare_booster.order = 0  # type: ignore[attr-defined]


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


class _Engine(LGBMClassifier, _UnheardModel):
    """LightGBM's own classifier, which gives `lightgbm.train` parameters that are not its own as well.

    Tools that keep track of experiments put themselves around that, which is well, and around both of LightGBM's
    `fit`: mlflow would save the engine after it, as LightGBM's own class and by skops, which trusts no other.
    """

    _shown: dict[str, Any]  # no parameter of the constructor: those are LightGBM's

    fit = unwrap(LGBMClassifier.fit)
    feature_names_in_ = LearnedAttribute()  # scikit-learn sets it for tables, and before 4.7 it cannot be set

    def _process_params(self, stage: str) -> dict[str, Any]:
        params, objective = super()._process_params(stage), cast(TrainingObjective, self._objective)
        params["objective"] = _from_second_round(objective, params["objective"])
        return TrackedParameters(params, self.__dict__.pop("_shown"))


def unfitted_engine(params: dict[str, Any], shown: dict[str, Any]) -> Any:
    """Return an LGBMClassifier that gives `lightgbm.train` the parameters in `shown` as well."""
    engine = _Engine(**params)
    engine._shown = shown
    return engine


def _from_second_round(objective: TrainingObjective, first: Callable[..., Any]) -> Callable[..., Any]:
    """Return an objective that is called as `first`, LightGBM's own way, until all it asks the data for is prepared."""

    def derivatives(raw_prediction: Any, data: Any) -> Any:
        return objective(None, raw_prediction) if objective.is_prepared else first(raw_prediction, data)

    return derivatives


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
