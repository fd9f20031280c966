"""XGBoost at work: the focal objective, and the intercept as its base_score.

Imports `categories`, `compat`, `continuing`, `device`, `evaluation`, `parameters`, `rounds`, `tables` and `boosting`.
"""

from typing import Any

import numpy as np
from scipy.special import expit
from xgboost import Booster, XGBClassifier
from xgboost import train as xgboost_train

from skfocal.boosting.plan import Plan
from skfocal.boosting.progress import Advance
from skfocal.boosting.samples import Samples
from skfocal.boosting.tracking import TrackedParameters, shown_parameters
from skfocal.xgboost.categories import Known, categories_of, with_known_categories
from skfocal.xgboost.compat import Fit, give_booster, known_categories, unfitted_engine
from skfocal.xgboost.continuing import base_score_of
from skfocal.xgboost.device import on_device
from skfocal.xgboost.evaluation import Evaluation, MatrixEvaluation
from skfocal.xgboost.parameters import Settings
from skfocal.xgboost.rounds import DirectRounds
from skfocal.xgboost.tables import with_whole_names


def train(
    classifier: Any,
    plan: Plan,
    settings: Settings,
    sets: list[Samples],
    evaluation: Evaluation,
    old: Booster | None,
    feature_weights: Any,
    *,
    advance: Advance | None,
    verbose: bool | int,
) -> None:
    """Train XGBoost's own classifier on the focal objective, and let ours adopt it, with what its best round has."""

    def become(engine: XGBClassifier) -> Any:
        engine.best_score_ = evaluation.best_score(engine)
        give_booster(engine, evaluation.best_booster(engine))
        has_all_rounds = plan.training.start is None and not hasattr(engine, "best_iteration")
        classifier._adopt(engine, plan, tells_apart=has_all_rounds and rounds.tells_apart(engine.get_booster()))
        return classifier

    params = settings.params | {
        "base_score": base_score(plan) if old is None else base_score_of(old),
        "eval_metric": None,
        "disable_default_eval_metric": True,
        "early_stopping_rounds": None,
    }
    X, on_host = plan.training.X, settings.device in (None, "cpu")
    known = categories_of(X) if old is None else known_categories(old)
    X = with_whole_names(X if old is None else with_known_categories(X, known))
    with (
        on_device(settings.device) as namespace,
        # XGBoost's library copies its margins for whom it predicts them.
        plan.training_objective("xgboost", settings.n_jobs, namespace=namespace, in_place=on_host) as objective,
    ):
        rounds = DirectRounds(objective)
        fit = Fit(evaluation, old is None, shown_parameters(classifier), become)
        engine = unfitted_engine(params | {"objective": objective}, fit)
        callbacks = evaluation.callbacks(settings, engine.get_num_boosting_rounds(), advance, verbose)
        if namespace is np:
            callbacks.insert(0, rounds)
        engine.set_params(callbacks=callbacks).fit(
            X,
            plan.training.codes,
            sample_weight=plan.training.weight,
            base_margin=plan.training.start,
            verbose=False,
            xgb_model=old,
            feature_weights=feature_weights,
            **_evaluation_arguments(sets, X, plan.training, known),
        )


def _evaluation_arguments(sets: list[Samples], X: Any, training: Samples, known: Known) -> dict[str, Any]:
    """Return the arguments of `fit` that evaluation sets are; the features `X` are those of the training."""
    # The very same training data, where it is among them: XGBoost recognises it.
    tables = [X if each.X is training.X else with_whole_names(with_known_categories(each.X, known)) for each in sets]
    return {
        "eval_set": [(table, each.codes) for table, each in zip(tables, sets, strict=True)] or None,
        "sample_weight_eval_set": [samples.weight for samples in sets] or None,
        "base_margin_eval_set": [samples.start for samples in sets] or None,
    }


def train_on_matrix(
    classifier: Any,
    plan: Plan,
    settings: Settings,
    evaluation: MatrixEvaluation,
    old: Booster | None,
    *,
    advance: Advance | None,
    verbose: bool | int,
) -> XGBClassifier:
    """Return XGBoost's own classifier, trained on a matrix, which are the features of the plan's samples.

    XGBoost's own `fit` takes none: it makes them itself.
    """
    engine = engine_to_train(plan, settings)
    history: dict[str, Any] = {}
    if old is not None:
        engine.set_params(base_score=base_score_of(old))
    matrices, on_host = evaluation.matrices, settings.device in (None, "cpu")
    with (
        on_device(settings.device) as namespace,
        plan.training_objective("xgboost", settings.n_jobs, namespace=namespace, in_place=on_host) as objective,
    ):
        booster = xgboost_train(
            TrackedParameters(engine.get_xgb_params(), shown_parameters(classifier)),
            plan.training.X,
            num_boost_round=engine.get_num_boosting_rounds(),
            evals=[(data, f"validation_{i}") for i, data in enumerate(matrices)],
            obj=lambda raw_prediction, data: objective(None, raw_prediction),
            custom_metric=evaluation if matrices else None,
            callbacks=evaluation.callbacks(settings, engine.get_num_boosting_rounds(), advance, verbose),
            verbose_eval=False,
            xgb_model=old,
            evals_result=history,
        )
    return as_trained(engine, booster, history, evaluation, plan)


def engine_to_train(plan: Plan, settings: Settings) -> XGBClassifier:
    """Return XGBoost's own classifier as it is told to train, with the name of its own objective for the booster."""
    params = settings.params | {
        "base_score": base_score(plan),
        "eval_metric": None,
        "disable_default_eval_metric": True,
        "early_stopping_rounds": None,
        "objective": "binary:logistic",
    }
    if plan.n_margins > 1:
        params |= {"objective": "multi:softprob", "num_class": plan.n_margins}
    return XGBClassifier(**params)


def as_trained(
    engine: XGBClassifier, booster: Booster, history: dict[str, Any], evaluation: Evaluation, plan: Plan
) -> XGBClassifier:
    """Return XGBoost's own classifier with a booster, as if it had trained it, and with what its best round has."""
    give_booster(engine, booster)
    engine.n_classes_ = len(plan.link.classes)
    if history:
        engine.evals_result_ = history
    engine.best_score_ = evaluation.best_score(engine)
    if evaluation.keeper is None or evaluation.keeper.booster is not None:
        give_booster(engine, evaluation.best_booster(engine))
    return engine


def base_score(plan: Plan) -> float | list[float]:
    """Return the focal intercept as XGBoost takes it: a probability for two classes, margins for more."""
    if plan.n_margins == 1:
        return float(expit(plan.intercept or 0.0))
    return [0.0] * plan.n_margins if plan.intercept is None else np.asarray(plan.intercept).tolist()
