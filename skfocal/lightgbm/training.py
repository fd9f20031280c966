"""LightGBM at work: the focal objective, and the intercept inside the booster.

Imports `compat`, `evaluation`, `extra_trees`, `parameters` and `boosting`.
"""

import re
from typing import Any

import numpy as np
from lightgbm import Booster, Dataset, LGBMModel, record_evaluation
from lightgbm import train as lightgbm_train
from lightgbm.basic import LightGBMError
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing

from skfocal.boosting.plan import Plan
from skfocal.boosting.progress import Advance
from skfocal.boosting.samples import Samples
from skfocal.boosting.tracking import TrackedParameters, shown_parameters
from skfocal.lightgbm.compat import (
    TrainingBooster,
    default_parameters,
    fitted_engine,
    give_booster,
    main_names,
    n_threads,
    of_margins,
    parameter_aliases,
    prepare_booster,
    unfitted_engine,
)
from skfocal.lightgbm.evaluation import Progress, dataset_metrics, engine_metrics
from skfocal.lightgbm.extra_trees import RandomThresholds
from skfocal.lightgbm.parameters import Settings, is_auto


def train(
    classifier: Any,
    plan: Plan,
    settings: Settings,
    sets: list[Samples],
    metrics: list[Any],
    advance: Advance | None,
    *,
    callbacks: list[Any] | None,
    is_part: bool = False,
    **fit_arguments: Any,
) -> LGBMModel:
    """Return LightGBM's own estimator, trained on the focal objective, with the intercept in its booster.

    It is its classifier, unless the plan's samples are but a part, beside which other workers train on others.
    """
    params = _parameters(settings) | settings.auto_penalty(len(plan.training.codes))
    told = {name: fit_arguments.get(name, "auto") for name in ("feature_name", "categorical_feature")}
    _check_constraints(params, plan.training.X, told)
    fit_arguments |= {
        "X": plan.training.X,
        "y": plan.training.codes,
        "sample_weight": plan.training.weight,
        "init_score": plan.training.start,
        "eval_set": [(samples.X, samples.codes) for samples in sets] or None,
        "eval_sample_weight": [samples.weight for samples in sets],
        "eval_init_score": [samples.start for samples in sets],
        "eval_metric": engine_metrics(metrics, plan, sets),
        "callbacks": _callbacks(settings, callbacks, advance),
    }
    shown, n_classes = shown_parameters(classifier), len(plan.link.classes) if is_part else None
    # As init_score the intercept would be copied three times for every sample.
    with plan.training_objective("lightgbm", settings.n_jobs, intercept=plan.intercept) as params["objective"]:
        try:
            engine = unfitted_engine(params, shown, n_classes).fit(**fit_arguments)
        except LightGBMError as error:
            # With no feature left after its filter LightGBM gives up under a custom objective, and fits constant
            # trees under its own. Unfiltered features let it do the same here.
            if "num_features" not in str(error):
                raise
            params["feature_pre_filter"] = False
            engine = unfitted_engine(params, shown, n_classes).fit(**fit_arguments)
    _finish(engine.booster_, plan)
    give_booster(engine, engine.booster_, plan.objective(settings.n_jobs))  # without what the training kept
    return engine


def train_on_dataset(
    classifier: Any,
    plan: Plan,
    settings: Settings,
    params: dict[str, Any],
    sets: list[Samples],
    metrics: list[Any],
    advance: Advance | None,
    *,
    names: list[str] | None,
    callbacks: list[Any] | None,
) -> LGBMModel:
    """Return LightGBM's own classifier, trained on a Dataset, which are the features of the plan's samples.

    LightGBM's own `fit` takes none: it makes them itself. `params` are those that its bins are made by.
    """
    history: dict[str, Any] = {}
    record = [record_evaluation(history)] if sets else []
    params = params | settings.auto_penalty(len(plan.training.codes))
    of_classes = {"num_class": plan.n_margins} if plan.n_margins > 1 else {}
    with plan.training_objective("lightgbm", settings.n_jobs, intercept=plan.intercept) as objective:
        booster = lightgbm_train(
            TrackedParameters(params | of_classes | {"objective": of_margins(objective)}, shown_parameters(classifier)),
            plan.training.X,
            num_boost_round=settings.params["n_estimators"],
            valid_sets=[each.X for each in sets] or None,
            valid_names=names,
            feval=dataset_metrics(metrics, plan, sets),
            callbacks=[*_callbacks(settings, callbacks, advance), *record],
        )
    _finish(booster, plan)
    return fitted_engine(booster, len(plan.link.classes), plan.objective(settings.n_jobs), history or None)


def parameters_to_train(classifier: Any, settings: Settings, of_data: dict[str, Any]) -> dict[str, Any]:
    """Return what `lightgbm.train` is told, by our classifier; what it was told of the data comes before defaults.

    But for a penalty that is "auto": that waits until the rows are counted.
    """
    main, defaults, told_before = main_names(), default_parameters(), {main_names().get(name) for name in of_data}
    params = {
        name: value
        for name, value in _parameters(settings).items()
        if name in main
        and value is not None
        and not is_auto(value)
        and not (main[name] in told_before and name in defaults and value == defaults[name])
        and main[name] not in ("num_iterations", "num_threads")
    }
    return params | {"num_threads": n_threads(classifier, settings.n_jobs)}


def _parameters(settings: Settings) -> dict[str, Any]:
    """Return what LightGBM's estimator is told: of metrics nothing, as these are ours."""
    aliases = parameter_aliases()
    ours = {*aliases["metric"], *aliases["early_stopping_round"]}
    params = {name: value for name, value in settings.params.items() if name not in ours} | {"metric": "None"}
    if settings.early_stopping_rounds is not None:
        params["early_stopping_round"] = settings.early_stopping_rounds
    return params


def _check_constraints(params: dict[str, Any], X: Any, told: dict[str, Any]) -> None:
    """Raise if a category is to be monotonic: LightGBM ends the process. Which are categories it says of a row."""
    given = next((params[name] for name in parameter_aliases()["monotone_constraints"] if name in params), None)
    values = given.split(",") if isinstance(given, str) else np.ravel([] if given is None else given)
    try:
        constraints = list(map(int, values))
    except (TypeError, ValueError) as error:
        raise ValueError(f"monotone_constraints must hold -1, 0 or 1 for each feature, got {given!r}.") from error
    if not any(constraints):
        return
    of_data = {name: params[name] for name in parameter_aliases()["categorical_feature"] if name in params}
    told = told | ({"categorical_feature": _as_columns(of_data.popitem()[1])} if of_data else {})
    row = Dataset(_safe_indexing(X, [0]), params={"verbosity": -1}, **told).construct()
    for column in (row.params or {}).get("categorical_column", ()):
        if column < len(constraints) and constraints[column]:
            raise ValueError(
                f"monotone_constraints must be 0 for a categorical feature, got {constraints[column]} "
                f"for feature {column}, {row.get_feature_name()[column]!r}."
            )


def _as_columns(given: Any) -> list[Any]:
    """Return which columns are categories, as LightGBM's library may be told: numbers, words, or a line of either."""
    if isinstance(given, str):
        columns = given.removeprefix("name:").split(",")
        return columns if given.startswith("name:") else list(map(int, columns))
    return np.ravel(given).tolist()


def _callbacks(settings: Settings, callbacks: list[Any] | None, advance: Advance | None) -> list[Any]:
    share = settings.share_of_random
    thresholds = [RandomThresholds(share)] if 0 < share < 1 else []
    return [prepare_booster, *thresholds, *(callbacks or ()), *([Progress(advance)] if advance else ())]


def _finish(booster: Booster, plan: Plan) -> None:
    """Put the intercept into a booster that has trained."""
    if isinstance(booster, TrainingBooster):  # something around `lightgbm.train` keeps it as it trained
        booster.model_from_string(booster.model_to_string()).free_dataset()
    if plan.intercept is not None:
        _add_to_first_trees(booster, np.atleast_1d(plan.intercept))


def _add_to_first_trees(booster: Booster, intercepts: NDArray[np.float64]) -> None:
    """Add one intercept per class to the leaves of the first round's trees, as LightGBM does with its own average."""
    # Not from the dumped model: LightGBM's JSON cannot be read where names of features hold tabs.
    sizes = re.findall(r"^num_leaves=(\d+)$", booster.model_to_string(num_iteration=1), flags=re.MULTILINE)
    for index, (n_leaves, intercept) in enumerate(zip(map(int, sizes), intercepts, strict=True)):
        for leaf in range(n_leaves):
            booster.set_leaf_output(index, leaf, booster.get_leaf_output(index, leaf) + intercept)
