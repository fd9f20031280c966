"""Evaluation metrics by name, computed from raw margins through the focal link.

The engines' own metrics take a custom objective's margins for probabilities (LightGBM) or send them through a sigmoid
that is not their link (XGBoost). Here every metric sees what it is defined on. Imports `losses` and `objectives`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss
from skfocal.objectives import FOCAL_LOSS, FocalMetric

Loss = BinaryFocalLoss | MulticlassFocalLoss
Score = Callable[[NDArray[np.intp], NDArray[np.float64], Any], float]


class EvalMetric(NamedTuple):
    """A metric as the estimators evaluate it each round: ``score(y, raw_prediction, sample_weight)``."""

    name: str
    score: Callable[[Any, Any, Any], float]
    greater_is_better: bool


def _log_loss(y: NDArray[np.intp], proba: NDArray[np.float64], weight: Any) -> float:
    return sk.log_loss(y, proba, labels=np.arange(proba.shape[1]), sample_weight=weight)


def _error(y: NDArray[np.intp], proba: NDArray[np.float64], weight: Any) -> float:
    return sk.zero_one_loss(y, proba.argmax(axis=1), sample_weight=weight)


def _one_vs_rest(score: Callable[..., float]) -> Score:
    """Return a ranking metric of the positive class; for more classes the mean over those present, each against all."""

    def mean_score(y: NDArray[np.intp], proba: NDArray[np.float64], weight: Any) -> float:
        if proba.shape[1] == 2:
            return score(y, proba[:, 1], sample_weight=weight)
        return float(np.mean([score(y == k, proba[:, k], sample_weight=weight) for k in np.unique(y)]))

    return mean_score


# name: (score of class codes and posterior, greater is better, other names: the engines' own)
_METRICS: dict[str, tuple[Score, bool, tuple[str, ...]]] = {
    "log_loss": (_log_loss, False, ("logloss", "binary_logloss", "multi_logloss", "mlogloss")),
    "error": (_error, False, ("binary_error", "multi_error", "merror")),
    "roc_auc": (_one_vs_rest(sk.roc_auc_score), True, ("auc",)),
    "average_precision": (_one_vs_rest(sk.average_precision_score), True, ("aucpr",)),
}
_CANONICAL = {alias: name for name, (_, _, others) in _METRICS.items() for alias in (name, *others)}


def find_metric(metric: Any, loss: Loss) -> EvalMetric:
    """Return a `FocalMetric`, or the metric of a name, as asked for.

    Raises
    ------
    ValueError
        If there is no such metric; the message lists those there are.
    """
    if metric == FOCAL_LOSS:
        metric = FocalMetric(loss)
    if isinstance(metric, FocalMetric):
        if type(metric.loss) is not type(loss):
            raise ValueError(f"eval_metric must be a FocalMetric of a {type(loss).__name__}, got {metric!r}.")
        return EvalMetric(FOCAL_LOSS, metric.mean, greater_is_better=False)
    if not isinstance(metric, str) or metric not in _CANONICAL:
        known = sorted([FOCAL_LOSS, *_CANONICAL])
        raise ValueError(f"eval_metric must be a callable or one of {known}, got {metric!r}.")
    score, greater_is_better, _ = _METRICS[_CANONICAL[metric]]

    def from_margins(y: Any, raw_prediction: Any, sample_weight: Any) -> float:
        return float(score(np.asarray(y, dtype=np.intp), loss.predict_proba(raw_prediction), sample_weight))

    return EvalMetric(metric, from_margins, greater_is_better)


def engine_probabilities(loss: Loss, raw_prediction: Any) -> NDArray[np.float64]:
    """Return posteriors in the shape in which the engines hand predictions to a user's metric.

    Shape (n_samples,), the positive class, for two classes; (n_samples, n_classes) for more.
    """
    proba = loss.predict_proba(raw_prediction)
    return proba[:, 1] if proba.shape[1] == 2 else proba


def as_list(eval_metric: Any) -> list[Any]:
    """Return what the user gave as metrics as a list without repetitions."""
    if eval_metric is None:
        return []
    return list(dict.fromkeys(eval_metric)) if isinstance(eval_metric, list | tuple) else [eval_metric]


def check_names(metrics: list[EvalMetric]) -> list[EvalMetric]:
    """Return metrics if their names differ: the engines would merge the values of equal ones."""
    names = [metric.name for metric in metrics]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"eval_metric must hold metrics of different names, got {twice} more than once.")
    return metrics


def is_user_metric(metric: Any) -> bool:
    """Tell whether a metric is a user's function of probabilities; a `FocalMetric` is one of margins."""
    return callable(metric) and not isinstance(metric, FocalMetric)
