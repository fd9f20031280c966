"""XGBoost's evaluation sets, and metrics and callbacks as it calls them.

Imports `compat`, `parameters`, `boosting` and `losses`.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from numpy.typing import NDArray
from xgboost import Booster, XGBClassifier
from xgboost.callback import EarlyStopping, EvaluationMonitor, TrainingCallback

from skfocal.boosting.link import Link
from skfocal.boosting.metrics import (
    EvalMetric,
    Evaluated,
    as_list,
    as_metric,
    check_metric_names,
    default_metric,
    engine_probabilities,
    is_user_metric,
    takes_weights,
)
from skfocal.boosting.progress import Advance
from skfocal.boosting.samples import Samples, as_pairs, entries_of_sets, evaluation_samples
from skfocal.losses.registry import Loss
from skfocal.xgboost.compat import first_rounds
from skfocal.xgboost.parameters import Settings


def evaluation_sets(
    classifier: Any,
    eval_set: Any,
    weights: Any,
    margins: Any,
    known: tuple[Any, Any, Samples] | None,
    classes: NDArray[Any],
) -> list[Samples]:
    """Return checked evaluation sets.

    `known` is the training data, if XGBoost is to recognise it, see `boosting.samples.evaluation_samples`.
    """
    pairs = as_pairs(eval_set)
    weights = entries_of_sets(weights, len(pairs), "sample_weight_eval_set")
    margins = entries_of_sets(margins, len(pairs), "base_margin_eval_set")
    return [
        evaluation_samples(
            classifier,
            X,
            y,
            f"eval_set[{i}]",
            classes,
            weight=(f"sample_weight_eval_set[{i}]", weight),
            start=(f"base_margin_eval_set[{i}]", start),
            known=known,
        )
        for i, ((X, y), weight, start) in enumerate(zip(pairs, weights, margins, strict=True))
    ]


def as_metrics(classifier: Any, loss: Loss) -> list[EvalMetric]:
    """Return the metrics of the parameter ``eval_metric``."""
    wanted = as_list(classifier.eval_metric) or [default_metric(classifier.sampler)]
    metrics = [_user_metric(metric) if is_user_metric(metric) else as_metric(metric, loss) for metric in wanted]
    check_metric_names(metrics)
    return metrics


def _user_metric(metric: Callable[..., float]) -> EvalMetric:
    """Return a user's metric, of scikit-learn's signature, so that it is given probabilities and not margins."""
    has_weights = takes_weights(metric)

    def score(data: Evaluated) -> float:
        weight = {"sample_weight": data.sample_weight} if has_weights and data.sample_weight is not None else {}
        return metric(data.y, engine_probabilities(data), **weight)

    name = getattr(metric, "__name__", type(metric).__name__)
    return EvalMetric(name, score, greater_is_better=False, takes_weights=has_weights)


class Evaluation(TrainingCallback):
    """The metrics as `xgboost.train` calls one, and a callback that puts their exact values on record.

    XGBoost passes the values of a callable metric on as text with six decimals: too few for the focal loss of a rare
    class, a few 1e-4, and early stopping would see no progress.
    """

    def __init__(self, metrics: list[EvalMetric], link: Link, sets: list[Samples], *, keep_best: bool) -> None:
        self._metrics = metrics
        self._link = link
        self._sets = sets
        self._scores: list[list[tuple[str, float]]] = []  # of this round, one entry for each evaluation set
        self._n_rounds_before = 0  # of a model that is continued; XGBoost counts on from there
        self.keeper = _BestBooster() if keep_best else None

    def before_training(self, model: Any) -> Any:
        """Look up where the count of rounds starts."""
        self._n_rounds_before = model.num_boosted_rounds()
        return model

    def __call__(self, raw_prediction: Any, data: Any) -> list[tuple[str, float]]:
        """Return the scores of the next evaluation set."""
        scores = self._score(self._evaluated(self._sets[len(self._scores)], raw_prediction, data))
        self._scores.append(scores)
        return scores

    def _evaluated(self, samples: Samples, raw_prediction: Any, data: Any) -> Evaluated:
        # The weights as they were given: XGBoost's own are float32, in which small ones are all 0.
        return Evaluated(self._link, samples.X, data.get_label(), raw_prediction, samples.weight)

    def _score(self, data: Evaluated) -> list[tuple[str, float]]:
        return [(metric.name, metric.score(data)) for metric in self._metrics]

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Replace the rounded values of this round."""
        for history, scores in zip(evals_log.values(), self._scores, strict=True):
            for name, value in scores:
                history[name][-1] = value
        self._scores.clear()
        return False

    def callbacks(self, settings: Settings, n_rounds: int, advance: Advance | None, verbose: bool | int) -> list[Any]:
        """Return the user's callbacks and what shows progress, after this one."""
        callbacks = list(settings.callbacks)
        if advance:
            callbacks.append(_Progress(advance, n_rounds))
        if verbose:
            callbacks.append(EvaluationMonitor(period=int(verbose)))
        if settings.early_stopping_rounds is not None:
            callbacks.append(EarlyStopping(rounds=settings.early_stopping_rounds))
        return [self, *map(self._prepared, callbacks), *([] if self.keeper is None else [self.keeper])]

    def _prepared(self, callback: Any) -> Any:
        """Return a callback as it is, but early stopping as a copy: it remembers, and a second fit would stop at once.

        The copy is told whether its metric is to grow, which XGBoost guesses by the name, and to keep all rounds, of
        which `best_booster` chooses.
        """
        if not isinstance(callback, EarlyStopping):
            return callback
        stop = deepcopy(callback)
        stop.save_best = False
        if stop.maximize is None:
            watched = stop.metric_name or self._metrics[-1].name
            stop.maximize = any(metric.greater_is_better for metric in self._metrics if metric.name == watched)
        return _StopsAfterAll(stop)

    def best_booster(self, engine: XGBClassifier) -> Booster:
        """Return the booster as it was in the best round of early stopping, so that what is saved is the model."""
        if self.keeper is not None and self.keeper.booster is not None:
            return self.keeper.booster
        booster = engine.get_booster()
        if not hasattr(engine, "best_iteration"):
            return booster
        best = first_rounds(booster, engine.best_iteration + 1)
        best.set_attr(**booster.attributes())
        return best

    def best_score(self, engine: XGBClassifier) -> dict[str, dict[str, float]]:
        """Return the scores of the best round of early stopping, without which it is the last."""
        best = engine.best_iteration - self._n_rounds_before if hasattr(engine, "best_iteration") else -1
        return {
            name: {metric: scores[best] for metric, scores in history.items()}
            for name, history in getattr(engine, "evals_result_", {}).items()
        }


class MatrixEvaluation(Evaluation):
    """The same of matrices that users have made: their labels are not our codes, and they lack weights of classes."""

    def _evaluated(self, samples: Samples, raw_prediction: Any, data: Any) -> Evaluated:
        return Evaluated(self._link, samples.X, samples.codes, raw_prediction, samples.weight)

    @property
    def matrices(self) -> list[Any]:
        """The evaluation sets as XGBoost takes them."""
        return [samples.X for samples in self._sets]


class _StopsAfterAll(TrainingCallback):
    """Early stopping that stops before the next round: XGBoost asks no callback that comes after one that stops.

    By itself it would not print the last round, and tools that keep track of experiments, which come last, would miss
    it.
    """

    def __init__(self, stopping: EarlyStopping) -> None:
        self._stopping = stopping
        self._is_over = False

    def before_training(self, model: Any) -> Any:
        """Let early stopping begin."""
        return self._stopping.before_training(model)

    def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Stop if the round before was the last."""
        return self._is_over or bool(self._stopping.before_iteration(model, epoch, evals_log))

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Ask early stopping about this round."""
        self._is_over = bool(self._stopping.after_iteration(model, epoch, evals_log))
        return False

    def after_training(self, model: Any) -> Any:
        """Let early stopping end."""
        return self._stopping.after_training(model)


class _BestBooster(TrainingCallback):
    """Keep a copy of the booster in its best round: "gblinear" and "dart" change what earlier rounds have made."""

    def __init__(self) -> None:
        self.booster: Booster | None = None
        self._n_rounds_before = 0  # of a model that is continued

    def before_training(self, model: Any) -> Any:
        """Look up where early stopping starts to count rounds."""
        self._n_rounds_before = model.num_boosted_rounds()
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Copy the booster if early stopping, which comes before, has called this round the best one."""
        if model.attr("best_iteration") == str(self._n_rounds_before + epoch):
            self.booster = model.copy()
        return False


class _Progress(TrainingCallback):
    def __init__(self, advance: Advance, n_rounds: int) -> None:
        self._advance = advance
        self._n_rounds = n_rounds

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Show the scores of this round."""
        scores = {
            f"{name} {metric}": values[-1] for name, history in evals_log.items() for metric, values in history.items()
        }
        self._advance(self._n_rounds, scores)
        return False
