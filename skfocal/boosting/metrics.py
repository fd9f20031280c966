"""Evaluation metrics by name, computed from raw margins through the focal link.

The engines' own metrics take a custom objective's margins for probabilities (LightGBM) or send them through a sigmoid
that is not their link (XGBoost). Here every metric sees what it is defined on, through the `Link` that it is handed.

Imports `link`, `_compat`, `losses`, `metrics`, `objectives` and `priors`.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk
from sklearn.base import BaseEstimator, ClassifierMixin

from skfocal._compat import metric_of_scorer, scorer_name
from skfocal.boosting.link import Link, matched_correction
from skfocal.losses import BinaryFocalLoss
from skfocal.losses.registry import Loss
from skfocal.metrics import precision_at_k, recall_at_fpr, recall_at_precision
from skfocal.objectives import FOCAL_LOSS, FocalMetric
from skfocal.priors import reweighted

Score = Callable[[NDArray[np.intp], NDArray[np.float64], Any], float]


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Evaluation data after a round, and what the model says of them so far.

    Parameters
    ----------
    link : Link
        From margins to probabilities.
    X : array-like or table of shape (n_samples, n_features)
        Features.
    y : array of shape (n_samples,)
        Class codes; engines hand them over as floats.
    raw_prediction : array of shape (n_samples,) or (n_samples, n_classes)
        Margins.
    sample_weight : array of shape (n_samples,) or None
        Weights, those of classes among them.
    """

    link: Link
    X: Any
    y: Any
    raw_prediction: Any
    sample_weight: Any

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        """Class codes."""
        return np.asarray(self.y, dtype=np.intp)

    @cached_property
    def posterior(self) -> NDArray[np.float64]:
        """Probabilities, once for all metrics that want them.

        After a sampler they are corrected on these data as those of the model will be in the end, on its own.
        """
        if self.link.resampled is None:
            return self.link.posterior(self.raw_prediction)
        as_trained, (_, by_class, factor) = self.link.loss.predict_proba(self.raw_prediction), self.link.resampled
        weight = self.sample_weight
        weight = None if weight is None else np.asarray(weight, dtype=np.float64) / by_class[self.codes]
        correction = matched_correction(as_trained, self.codes, weight, factor)
        return self.link.posterior(self.raw_prediction) if correction is None else reweighted(as_trained, correction)


class EvalMetric(NamedTuple):
    """A metric as it is evaluated each round."""

    name: str
    score: Callable[[Evaluated], float]
    greater_is_better: bool
    takes_weights: bool = True


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


_NAMES_OF_LOG_LOSS = (
    "logloss", "mlogloss", "binary_logloss", "binary", "cross_entropy", "xentropy", "multi_logloss", "multiclass",
    "softmax", "multiclassova", "multiclass_ova", "ova", "ovr",
)  # fmt: skip

# name: (score of class codes and posterior, greater is better, other names: the engines' own)
_METRICS: dict[str, tuple[Score, bool, tuple[str, ...]]] = {
    "log_loss": (_log_loss, False, _NAMES_OF_LOG_LOSS),
    "error": (_error, False, ("binary_error", "multi_error", "merror")),
    "roc_auc": (_one_vs_rest(sk.roc_auc_score), True, ("auc",)),
    "average_precision": (_one_vs_rest(sk.average_precision_score), True, ("aucpr",)),
}
_CANONICAL = {alias: name for name, (_, _, others) in _METRICS.items() for alias in (name, *others)}


def as_metric(metric: Any, loss: Loss) -> EvalMetric:
    """Return the metric of a name, a `FocalMetric` of a loss like this one or a scorer of scikit-learn.

    Raises
    ------
    ValueError, TypeError
        If there is no such metric; the message lists those there are.
    """
    if isinstance(metric, FocalMetric) or (isinstance(metric, str) and metric == FOCAL_LOSS):
        return _focal_metric(metric, loss)
    if is_scorer(metric):
        return _scorer_metric(metric)
    if not isinstance(metric, str):
        raise TypeError(f"eval_metric must be a name, a callable or a list of these, got {metric!r}.")
    if metric.partition("@")[0] in _OF_ALERTS:
        return EvalMetric(metric, _of_posterior(_of_alerts(metric, loss)), greater_is_better=True)
    if metric not in _CANONICAL and metric.startswith("error@"):
        return EvalMetric(metric, _of_posterior(_error_at(metric, loss)), greater_is_better=False)
    if metric not in _CANONICAL:
        known = sorted([FOCAL_LOSS, *_CANONICAL, *(f"{name}@{limit}" for name, (_, limit) in _OF_ALERTS.items())])
        hint = f" (pass sklearn.metrics.get_scorer({metric!r}))" if metric in sk.get_scorer_names() else ""
        raise ValueError(f"eval_metric must be a callable or one of {known}, got {metric!r}{hint}.")
    score, greater_is_better, _ = _METRICS[_CANONICAL[metric]]
    return EvalMetric(metric, _of_posterior(score), greater_is_better)


# name: (metric, the parameter that comes after the @)
_OF_ALERTS: dict[str, tuple[Callable[..., float], str]] = {
    "precision_at_k": (precision_at_k, "k"),
    "recall_at_precision": (recall_at_precision, "precision"),
    "recall_at_fpr": (recall_at_fpr, "fpr"),
}


def _of_alerts(metric: str, loss: Loss) -> Score:
    """Return a metric of `skfocal.metrics` with its limit, for two classes."""
    name, _, text = metric.partition("@")
    score, limit = _OF_ALERTS[name]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value or not isinstance(loss, BinaryFocalLoss):
        raise ValueError(f"eval_metric must be {name}@{limit} with a number, for two classes, got {metric!r}.")
    score([0, 1], [0.0, 1.0], **{limit: value})  # raises if it is none that is valid

    def of_second_class(y: NDArray[np.intp], proba: NDArray[np.float64], weight: Any) -> float:
        return score(y, proba[:, 1], sample_weight=weight, **{limit: value})

    return of_second_class


def _of_posterior(score: Score) -> Callable[[Evaluated], float]:
    """Return a score of class codes and posterior as `EvalMetric` has it."""

    def of_posterior(data: Evaluated) -> float:
        return float(score(data.codes, data.posterior, data.sample_weight))

    return of_posterior


def _error_at(metric: str, loss: Loss) -> Score:
    """Return the share of errors at another threshold than one half, as XGBoost's metric of this name."""
    text = metric.removeprefix("error@")
    threshold = float(text) if re.fullmatch(r"\d*\.?\d+(e-\d+)?", text) else -1.0
    if not 0 < threshold < 1 or not isinstance(loss, BinaryFocalLoss):
        raise ValueError(f"eval_metric must be error@t with t in (0, 1), for two classes, got {metric!r}.")

    def error(y: NDArray[np.intp], proba: NDArray[np.float64], weight: Any) -> float:
        return sk.zero_one_loss(y, proba[:, 1] > threshold, sample_weight=weight)

    return error


def _focal_metric(metric: FocalMetric | str, loss: Loss) -> EvalMetric:
    """Return the mean focal loss, of the link's own loss or of another one.

    After a sampler it is that of data in which the classes have the shares that the sampler gave them. The model is
    trained for that prior: at the true one its mean loss is hardly that of the rare class.
    """
    if isinstance(metric, FocalMetric) and type(metric.loss) is not type(loss):
        raise ValueError(f"eval_metric must be a FocalMetric of a {type(loss).__name__}, got {metric!r}.")

    def mean(data: Evaluated) -> float:
        weight = data.sample_weight
        if data.link.resampled is not None:
            growth = data.link.resampled.growth[data.codes]
            weight = growth if weight is None else growth * weight
        wanted = metric if isinstance(metric, FocalMetric) else FocalMetric(data.link.loss)
        return wanted.mean(data.y, data.raw_prediction, weight)

    return EvalMetric(FOCAL_LOSS, mean, greater_is_better=False)


_NAMES_OF_MODELS = ("estimator", "est", "clf", "classifier", "model")


def is_scorer(metric: Any) -> bool:
    """Tell whether a metric has the signature of scikit-learn's scorers, ``(estimator, X, y)``, by these names.

    LightGBM's metrics may have three arguments too: labels, predictions and weights.
    """
    if not callable(metric) or isinstance(metric, FocalMetric):
        return False
    try:
        names = [*inspect.signature(metric).parameters, "", ""]
    except ValueError as error:
        raise ValueError(f"eval_metric must have a signature that Python can read, got {metric!r}.") from error
    return names[0] in _NAMES_OF_MODELS or names[1].startswith(("X", "x"))


def takes_weights(metric: Callable[..., Any]) -> bool:
    """Tell whether a scorer, or a metric of scikit-learn's signature, has an argument ``sample_weight``."""
    parameters = inspect.signature(metric_of_scorer(metric)).parameters
    return "sample_weight" in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def is_mean(metric: Any) -> bool:
    """Tell whether a metric, of this name, is a mean over samples, so that those of parts of the data add up."""
    if not isinstance(metric, str):
        return isinstance(metric, FocalMetric)
    return metric == FOCAL_LOSS or _CANONICAL.get(metric) in ("log_loss", "error") or metric.startswith("error@")


def check_weights(metrics: Iterable[Any], *, weighted: bool) -> None:
    """Raise if samples to evaluate have weights of their own that a metric cannot take."""
    for metric in metrics:
        if weighted and isinstance(metric, EvalMetric) and not metric.takes_weights:
            _raise_of_weights("eval_metric", metric.name)


def check_scoring(scoring: Any, *, weighted: bool) -> None:
    """Raise if samples to evaluate have weights of their own that scikit-learn's parameter `scoring` cannot take."""
    if weighted and callable(scoring) and not takes_weights(scoring):
        _raise_of_weights("scoring", scorer_name(scoring))


def _raise_of_weights(parameter: str, metric: str) -> None:
    raise ValueError(
        f"{parameter} must take sample_weight, as the evaluation data have weights, "
        f"got {metric!r}, which has no such argument."
    )


def _scorer_metric(scorer: Callable[..., float]) -> EvalMetric:
    has_weights = takes_weights(scorer)

    def score(data: Evaluated) -> float:
        # What cannot be weighted is asked without: the weights are those of classes then, see check_weights.
        weight = {"sample_weight": data.sample_weight} if has_weights and data.sample_weight is not None else {}
        value: Any = scorer(_ModelSoFar(data), data.X, data.link.classes[data.codes], **weight)
        if not isinstance(value, Real):
            raise TypeError(f"eval_metric must return a number, got {value!r} from {scorer!r}.")
        return float(value)

    return EvalMetric(scorer_name(scorer), score, greater_is_better=True, takes_weights=has_weights)


class _ModelSoFar(ClassifierMixin, BaseEstimator):
    """The classifier after some rounds, as a scorer asks it: with what it says of one evaluation set."""

    def __init__(self, data: Evaluated) -> None:
        self.data = data

    @property
    def classes_(self) -> NDArray[Any]:
        return self.data.link.classes

    def fit(self, X: Any, y: Any) -> None:
        """Raise; without this method scikit-learn's checks would not take it for an estimator."""
        raise TypeError("eval_metric must not fit the model that it is given, which is in training.")

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _check(self, X: Any) -> None:
        if X is not self.data.X:
            raise ValueError("X must be what the scorer is given: in training no other predictions are known.")

    def decision_function(self, X: Any) -> Any:
        self._check(X)
        return self.data.raw_prediction

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        self._check(X)
        return self.data.posterior

    def predict(self, X: Any) -> NDArray[Any]:
        return self.data.link.labels(self.predict_proba(X))


def score_in_training(scorer: Any, link: Link, model: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
    """Return what a scorer says of a model that scikit-learn trains, through the link, as it asks each round."""
    codes = np.searchsorted(link.classes, y)
    return _scorer_metric(scorer).score(Evaluated(link, X, codes, model.decision_function(X), sample_weight))


def engine_probabilities(data: Evaluated) -> NDArray[np.float64]:
    """Return posteriors in the shape in which the engines hand predictions to a user's metric.

    Shape (n_samples,), the positive class, for two classes; (n_samples, n_classes) for more.
    """
    return data.posterior[:, 1] if data.posterior.shape[1] == 2 else data.posterior


def as_list(eval_metric: Any) -> list[Any]:
    """Return what the user gave as metrics as a list without repetitions."""
    if eval_metric is None:
        return []
    metrics = list(eval_metric) if isinstance(eval_metric, list | tuple) else [eval_metric]
    return [metric for i, metric in enumerate(metrics) if metric not in metrics[:i]]


def default_metric(sampler: Any) -> str:
    """Return the name of the metric of a classifier that is asked for none.

    After a sampler the focal loss is that of data with the sampler's shares, of which a model that ranks well need not
    have the least: docs/measurements/samplers.md.
    """
    return FOCAL_LOSS if sampler is None else "log_loss"


def check_metric_names(metrics: Iterable[Any]) -> None:
    """Raise if metrics have the same name."""
    check_different(metric.name for metric in metrics if isinstance(metric, EvalMetric))


def check_different(names: Iterable[str]) -> None:
    """Raise if names of metrics are the same: the engines would merge their values."""
    names = list(names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"eval_metric must hold metrics of different names, got {twice} more than once "
            "(a function of yours that calls a scorer has a name of its own)."
        )


def is_user_metric(metric: Any) -> bool:
    """Tell whether a metric is a user's function of labels and probabilities, of the engine's signature."""
    return callable(metric) and not isinstance(metric, FocalMetric) and not is_scorer(metric)
