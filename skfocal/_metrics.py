"""Evaluation metrics by name, computed from raw margins through the focal link.

The engines' own metrics take a custom objective's margins for probabilities (LightGBM) or send them through a sigmoid
that is not their link (XGBoost). Here every metric sees what it is defined on: it asks the classifier in training,
which knows the link, the labels and what a sampler did. Imports `objectives` and `_compat`.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk
from sklearn.base import BaseEstimator, ClassifierMixin

from skfocal._compat import scorer_name
from skfocal.objectives import FOCAL_LOSS, FocalMetric

Score = Callable[[NDArray[np.intp], NDArray[np.float64], Any], float]


class EvalMetric(NamedTuple):
    """A metric as the estimators evaluate it each round: ``score(y, raw_prediction, sample_weight, X)``."""

    name: str
    score: Callable[[Any, Any, Any, Any], float]
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


def find_metric(metric: Any, classifier: Any) -> EvalMetric:
    """Return the metric of a name, a `FocalMetric` or a scorer of scikit-learn, as it is asked for.

    Raises
    ------
    ValueError
        If there is no such metric; the message lists those there are.
    """
    if isinstance(metric, FocalMetric) or (isinstance(metric, str) and metric == FOCAL_LOSS):
        return _focal_metric(metric, classifier)
    if is_scorer(metric):
        return _scorer_metric(metric, classifier)
    if not isinstance(metric, str) or metric not in _CANONICAL:
        known = sorted([FOCAL_LOSS, *_CANONICAL])
        raise ValueError(f"eval_metric must be a callable or one of {known}, got {metric!r}.")
    score, greater_is_better, _ = _METRICS[_CANONICAL[metric]]

    def from_margins(y: Any, raw_prediction: Any, sample_weight: Any, X: Any) -> float:
        return float(score(_codes(y), classifier._posterior(raw_prediction), sample_weight))

    return EvalMetric(metric, from_margins, greater_is_better)


def _codes(y: Any) -> NDArray[np.intp]:
    return np.asarray(y, dtype=np.intp)  # engines hand class codes over as floats


def _focal_metric(metric: FocalMetric | str, classifier: Any) -> EvalMetric:
    """Return the mean focal loss, of the classifier's own or of another one.

    After a sampler it is that of data in which the classes have the shares that the sampler gave them. The model is
    trained for that prior: at the true one its mean loss is hardly that of the rare class.
    """
    if isinstance(metric, FocalMetric) and type(metric.loss) is not type(classifier.focal_loss_):
        kind = type(classifier.focal_loss_).__name__
        raise ValueError(f"eval_metric must be a FocalMetric of a {kind}, got {metric!r}.")

    def mean(y: Any, raw_prediction: Any, sample_weight: Any, X: Any) -> float:
        if classifier._oversampling is not None:
            by_class = classifier._oversampling[_codes(y)]
            sample_weight = by_class if sample_weight is None else by_class * sample_weight
        wanted = metric if isinstance(metric, FocalMetric) else FocalMetric(classifier.focal_loss_)
        return wanted.mean(y, raw_prediction, sample_weight)

    return EvalMetric(FOCAL_LOSS, mean, greater_is_better=False)


def is_scorer(metric: Any) -> bool:
    """Tell whether a metric has the signature of scikit-learn's scorers, (estimator, X, y)."""
    if not callable(metric) or isinstance(metric, FocalMetric):
        return False
    try:
        return list(inspect.signature(metric).parameters)[1:2] == ["X"]
    except ValueError:  # a function of C without a signature
        return False


def _scorer_metric(scorer: Callable[..., float], classifier: Any) -> EvalMetric:
    parameters = inspect.signature(scorer).parameters

    def score(y: Any, raw_prediction: Any, sample_weight: Any, X: Any) -> float:
        if sample_weight is not None and "sample_weight" not in parameters:
            raise ValueError(
                "eval_metric must take sample_weight, as the evaluation data have weights, "
                f"got the scorer {scorer!r} that has no such argument."
            )
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(scorer(_ModelSoFar(classifier, X, raw_prediction), X, classifier.classes_[_codes(y)], **weight))

    return EvalMetric(scorer_name(scorer), score, greater_is_better=True)


class _ModelSoFar(ClassifierMixin, BaseEstimator):
    """The classifier after some rounds, as a scorer asks it: with the margins of one evaluation set."""

    def __init__(self, classifier: Any, X: Any, raw_prediction: Any) -> None:
        self.classifier = classifier
        self.X = X
        self.raw_prediction = raw_prediction

    @property
    def classes_(self) -> NDArray[Any]:
        return self.classifier.classes_

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def decision_function(self, X: Any) -> Any:
        if X is not self.X:
            raise ValueError("X must be what the scorer is given: in training no other predictions are known.")
        return self.raw_prediction

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        return self.classifier._posterior(self.decision_function(X))

    def predict(self, X: Any) -> NDArray[Any]:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def engine_probabilities(classifier: Any, raw_prediction: Any) -> NDArray[np.float64]:
    """Return posteriors in the shape in which the engines hand predictions to a user's metric.

    Shape (n_samples,), the positive class, for two classes; (n_samples, n_classes) for more.
    """
    proba = classifier._posterior(raw_prediction)
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
    """Tell whether a metric is a user's function of labels and probabilities, of the engine's signature."""
    return callable(metric) and not isinstance(metric, FocalMetric) and not is_scorer(metric)
