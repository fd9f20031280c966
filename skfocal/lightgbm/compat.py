"""Every private or version-dependent touch of LightGBM, each with its reason.

Imports `_state`, `boosting` and `objectives`.
"""

from collections.abc import Callable
from functools import cache
from inspect import signature, unwrap
from typing import Any, cast

import lightgbm
import numpy as np
from lightgbm import Booster, Dataset, LGBMClassifier, LGBMModel
from lightgbm.basic import _ConfigAliases

from skfocal._state import LearnedAttribute
from skfocal.boosting.interrupts import KeptInterrupts
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


def boosting_kind(boosting_type: Any) -> str:
    """Return a kind of boosting as LightGBM's library reads it."""
    return str(boosting_type).lower()


def n_threads(classifier: LGBMClassifier, n_jobs: int | None) -> int:
    """Return the number of threads that LightGBM's class makes of `n_jobs`, as scikit-learn's users mean it."""
    number: int = classifier._process_n_jobs(n_jobs)
    return number


def objective_of(n_margins: int) -> str:
    """Return LightGBM's own objective for models of so many margins, as it stands in its text."""
    return "binary sigmoid:1" if n_margins == 1 else f"multiclass num_class:{n_margins}"


class TrainingBooster(Booster):
    """A booster while it trains on a function: until `lightgbm.train` has it read its own text, as the last thing.

    It then reads it as that of a model with LightGBM's own objective, so that any runtime applies sigmoid or softmax.
    To write and read the text once more for that would take as long as some rounds of training.
    """

    def model_from_string(self, model_str: str) -> Any:
        """Read a model, with LightGBM's own objective if it has none, and be a booster like any other."""
        objective = objective_of(self.num_model_per_iteration())
        header, *trees = model_str.partition("\nTree=0\n")
        lines = header.split("\n")
        if not any(line.startswith("objective=") for line in lines):
            lines.insert(1, f"objective={objective}")  # after the line that names the format
            self.params["objective"] = objective.partition(" ")[0]
        self.__class__ = Booster  # type: ignore[assignment]
        with KeptInterrupts():  # between freeing the old model and forgetting it, to free it again
            return self.model_from_string("".join(["\n".join(lines), *trees]))

    def __reduce__(self) -> tuple[Any, ...]:
        # Of no class of ours: who loads it may have none. `copyreg.__newobj__`, pickle's own, takes no other class.
        return object.__new__, (Booster,), self.__getstate__()


def prepare_booster(env: Any) -> None:
    """Make a booster one that trains, before its first round: as a callback of LightGBM.

    It is told that its objective is a function when it is made, and tells itself once more, with nothing but that:
    LightGBM then finds no number of leaves beside the depth, and warns of it whatever the user has set.
    """
    if env.iteration == env.begin_iteration:
        env.model.__class__ = TrainingBooster
        env.model._Booster__set_objective_to_none = True
        if boosting_kind(env.model.params.get("boosting_type")) == "dart":
            _give_first_margins(env.model)


def _give_first_margins(booster: Any) -> None:
    """Give a booster the margins that it starts from, which it otherwise asks LightGBM's library for.

    For margins to train on, the library's dart drops trees, by numbers drawn at random, if it has not done so in this
    round. In the first round, of a function, it looks that up where nothing has been written yet: the same fit would
    draw one number more or less by chance, and end in one of two models.
    """
    data = booster.train_set
    start = data.get_init_score()
    n_margins = data.num_data() * booster.num_model_per_iteration()
    margins = np.zeros(n_margins) if start is None else np.array(np.ravel(start, order="F"), dtype=np.float64)
    booster._Booster__inner_predict_buffer[0] = margins
    booster._Booster__is_predicted_cur_iter[0] = True


prepare_booster.before_iteration = True  # type: ignore[attr-defined]  # how LightGBM is told when to call it
prepare_booster.order = -np.inf  # type: ignore[attr-defined]  # those of users without an order have some below 0


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


class _ToldModel(_UnheardModel):
    """LightGBM's own model, which gives `lightgbm.train` parameters that are not its own as well.

    Without an encoder of labels: on a cluster each worker would have its own, of the labels that it has seen.
    """

    _shown: dict[str, Any]  # no parameter of the constructor: those are LightGBM's

    feature_names_in_ = LearnedAttribute()  # scikit-learn sets it for tables, and before 4.7 it cannot be set

    def _process_params(self, stage: str) -> dict[str, Any]:
        params, objective = super()._process_params(stage), cast(TrainingObjective, self._objective)
        params["objective"] = of_margins(objective)
        return TrackedParameters(params, self.__dict__.pop("_shown"))


class _Engine(LGBMClassifier, _ToldModel):
    """LightGBM's own classifier, which does so too.

    Tools that keep track of experiments put themselves around `lightgbm.train`, which is well, and around both of
    LightGBM's `fit`: mlflow would save the engine after it, as LightGBM's own class, by skops, which trusts no other.
    """

    fit = unwrap(LGBMClassifier.fit)


def unfitted_engine(params: dict[str, Any], shown: dict[str, Any], n_classes: int | None = None) -> Any:
    """Return LightGBM's own estimator, which gives `lightgbm.train` the parameters in `shown` as well.

    It is its classifier, or, where not all classes may be among the labels that it is given, a model of `n_classes`.
    """
    engine: Any
    if n_classes is None:
        engine = _Engine(**params)
    else:
        engine = _ToldModel(**params if n_classes == 2 else params | {"num_class": n_classes})
    engine._shown = shown
    return engine


def construct(data: Dataset, params: dict[str, Any]) -> Dataset:
    """Return a Dataset with its bins, which `lightgbm.train` makes by the same parameters, only later.

    What it is told afterwards LightGBM compares with these.
    """
    return data._update_params(params).construct()


def keep_network(env: Any) -> None:
    """Let a booster leave its network alone when it is forgotten: as a callback of LightGBM.

    An error keeps the booster of its fit for a while. In the thread that runs the next training by then, it would end
    the network of that.
    """
    env.model._network = False


keep_network.before_iteration = True  # type: ignore[attr-defined]


def free_network() -> None:
    """Let a process leave the network of a distributed training: an error leaves no booster that could be asked to."""
    lightgbm.basic._LIB.LGBM_NetworkFree()  # type: ignore[attr-defined]  # no public way


def of_margins(objective: TrainingObjective) -> Callable[..., Any]:
    """Return an objective as `lightgbm.train` calls it, which does not ask the data for labels and weights it knows."""
    return lambda raw_prediction, data: objective(None, raw_prediction)


def give_booster(engine: LGBMClassifier, booster: Any, objective: Callable[..., Any]) -> None:
    """Give LightGBM's classifier another booster, and what its property ``objective_`` tells."""
    engine._Booster, engine._objective = booster, objective


def fitted_engine(
    booster: Any, n_classes: int, objective: Callable[..., Any], evals_result: dict[str, Any] | None = None
) -> Any:
    """Return an LGBMClassifier that has a booster as if it had been fitted. LightGBM has no public way to do that."""
    engine = LGBMClassifier()
    give_booster(engine, booster, objective)
    engine._n_features = booster.num_feature()
    engine._classes, engine._n_classes = np.arange(n_classes), n_classes
    engine._best_iteration, engine._best_score = booster.best_iteration, booster.best_score
    engine._evals_result = evals_result or {}
    engine.fitted_ = True
    return engine
