"""Classifiers that decide by a threshold: within a budget of alerts or of errors, or by what each decision costs.

Imports `bounds` and `_checks`.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn._config import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from skfocal._checks import as_group_codes, as_labels, encode_labels
from skfocal.thresholds.bounds import (
    alert_threshold,
    check_max_alerts,
    check_share,
    cost_threshold,
    fpr_threshold,
    precise_threshold,
)


class _DecidingClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier around another of two classes, of whose probabilities it takes those from a threshold on."""

    def _adopt(self, estimator: Any, classes: NDArray[Any], pos_label: Any) -> None:
        self.estimator_, self.classes_ = estimator, classes
        self.positive_ = int(np.flatnonzero(classes == pos_label)[0])
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Return the probabilities of the estimator, which the threshold leaves as they are.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features.

        Returns
        -------
        proba : ndarray of shape (n_samples, 2)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def _decided(self, X: Any, threshold: Any) -> NDArray[Any]:
        """Return the label of each row by its probability and a threshold, or one for each row."""
        proba = self.predict_proba(X)[:, self.positive_].astype(np.float64)
        if np.shape(threshold) not in ((), proba.shape):
            raise ValueError(f"costs must have one value for each of the {len(proba)} rows of X, got {len(threshold)}.")
        is_alert = proba >= threshold
        return self.classes_[np.where(is_alert, self.positive_, 1 - self.positive_)]

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how scikit-learn hands metadata on: that of `fit` to the estimator's.

        Returns
        -------
        routing : MetadataRouter
        """
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=to_fit)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags, tags.classifier_tags.multi_class = inner.input_tags, False
        return tags


class AlertBudgetClassifier(_DecidingClassifier):
    """Classifier whose alerts stay within a budget, with a confidence: so many a day, or so many errors.

    Takes a classifier of two classes and finds the lowest threshold on its probability of the positive class that keeps
    all the limits that are set, on samples that it was not trained on: see `alert_threshold`, `fpr_threshold` and
    `precision_threshold` for what each promises. Each limit has the confidence for itself.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
        Trained on a part of what `fit` is given; or trained already, in a `sklearn.frozen.FrozenEstimator`: all that
        `fit` is given then is for the threshold. The way to go for data in time, with the last days for the threshold.
    max_alerts : int or None, default=None
        The most alerts in a group, as a day; `fit` then needs the groups.
    max_fpr : float or None, default=None
        The largest share of negative samples that are alerts, in (0, 1).
    min_precision : float or None, default=None
        The least share of positive samples among the alerts, in (0, 1).
    confidence : float, default=0.95
        The least probability, in (0, 1), that a limit is kept.
    calibration_fraction : float, default=0.25
        Share of the samples, in (0, 1), that the threshold is found on, where the estimator is not frozen: whole groups
        where there are groups, else the same share of both classes.
    pos_label : label or None, default=None
        The positive class; None for the second of ``classes_``.
    random_state : int, RandomState instance or None, default=None
        Of the choice of these samples.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels, sorted.
    estimator_ : classifier
        The fitted one.
    positive_ : int
        Which of these is the positive class.
    threshold_ : float
        `predict` says the positive class where its probability is at least this; inf, with a warning, if no threshold
        keeps the limits.
    n_features_in_, feature_names_in_
        Those of the estimator, where it has them.

    See Also
    --------
    CostThresholdClassifier : Decisions by what they cost.
    sklearn.model_selection.TunedThresholdClassifierCV : Thresholds that are best in the mean, without a bound.

    Notes
    -----
    `fit` hands other arguments on to that of the estimator, or what was requested with `set_fit_request`, if
    scikit-learn's metadata routing is enabled. Weights have no part in the bounds, which count samples.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skfocal import FocalHistGradientBoostingClassifier
    >>> from skfocal.thresholds import AlertBudgetClassifier
    >>> X, y = make_classification(n_samples=4000, weights=[0.95], random_state=0)
    >>> model = AlertBudgetClassifier(FocalHistGradientBoostingClassifier(), max_fpr=0.01, random_state=0).fit(X, y)
    >>> 0.0 < model.threshold_ < 1.0
    True
    """

    def __init__(
        self,
        estimator: Any,
        *,
        max_alerts: int | None = None,
        max_fpr: float | None = None,
        min_precision: float | None = None,
        confidence: float = 0.95,
        calibration_fraction: float = 0.25,
        pos_label: Any = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.max_alerts = max_alerts
        self.max_fpr = max_fpr
        self.min_precision = min_precision
        self.confidence = confidence
        self.calibration_fraction = calibration_fraction
        self.pos_label = pos_label
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # a budget is not for the most right decisions
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None, **params: Any) -> Self:
        """Fit the estimator, unless it is frozen, and find the threshold.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Labels, of two classes.
        groups : array-like of shape (n_samples,) or None, default=None
            The group of each sample, as its day, which `max_alerts` is for.
        **params
            For the `fit` of the estimator.

        Returns
        -------
        self : AlertBudgetClassifier

        Raises
        ------
        ValueError
            If a parameter or an argument is outside its valid range, or there are too few samples for what is asked.
        """
        self._check_parameters(groups)
        labels, classes = _as_two_classes(y, type(self).__name__)
        pos_label = _as_pos_label(self.pos_label, classes)
        groups = None if groups is None else as_group_codes(groups, "groups", len(labels))
        X, y = indexable(X, y)
        if isinstance(self.estimator, FrozenEstimator):
            estimator, held_out = self.estimator, np.arange(len(labels))
        else:
            training, held_out = self._split(labels, groups)
            given = {
                name: _safe_indexing(each, training) if _has_rows(each, len(labels)) else each
                for name, each in _for_fit(self, params).items()
            }
            estimator = clone(self.estimator).fit(_safe_indexing(X, training), _safe_indexing(y, training), **given)
        score = _probability(estimator, _safe_indexing(X, held_out), pos_label)
        threshold = self._threshold(labels[held_out], score, None if groups is None else groups[held_out], pos_label)
        self._adopt(estimator, classes, pos_label)
        self.threshold_ = threshold
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the positive class where its probability is at least the threshold, else the other.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return self._decided(X, self.threshold_)

    def _check_parameters(self, groups: Any) -> None:
        limits = (self.max_alerts, self.max_fpr, self.min_precision)
        if all(limit is None for limit in limits):
            raise ValueError("max_alerts, max_fpr or min_precision must be set, got None for all of them.")
        if self.max_alerts is not None:
            check_max_alerts(self.max_alerts)
        for name in ("max_fpr", "min_precision"):
            if getattr(self, name) is not None:
                check_share(name, getattr(self, name))
        for name in ("confidence", "calibration_fraction"):
            check_share(name, getattr(self, name))
        if (groups is None) != (self.max_alerts is None):
            given = "None" if groups is None else "groups"
            raise ValueError(f"groups must be given with max_alerts, and only then, got {given}: the day, for example.")

    def _split(self, labels: NDArray[Any], groups: Any) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows to train on and those to find the threshold on."""
        rows = np.arange(len(labels))
        if groups is None:
            return train_test_split(
                rows, test_size=self.calibration_fraction, stratify=labels, random_state=self.random_state
            )
        split = GroupShuffleSplit(1, test_size=self.calibration_fraction, random_state=self.random_state)
        return next(split.split(rows, groups=groups))

    def _threshold(self, labels: NDArray[Any], score: NDArray[Any], groups: Any, pos_label: Any) -> float:
        threshold = -np.inf
        if self.max_alerts is not None:
            threshold = alert_threshold(score, groups=groups, max_alerts=self.max_alerts, confidence=self.confidence)
        if self.max_fpr is not None:
            of_fpr = fpr_threshold(labels, score, max_fpr=self.max_fpr, confidence=self.confidence, pos_label=pos_label)
            threshold = max(threshold, of_fpr)
        if self.min_precision is None:
            return threshold
        return precise_threshold(labels, score, self.min_precision, self.confidence, pos_label, at_least=threshold)


class CostThresholdClassifier(_DecidingClassifier):
    """Classifier that decides for each sample by what a mistake would cost there, as by the amount of a transaction.

    An alert is made where the probability of the positive class is at least (false_positive - true_negative) /
    (false_positive - true_negative + false_negative - true_positive), see `cost_threshold`: the decision of least
    expected cost, if the probabilities are right [1]_. It takes no threshold from data; `fit` only fits the estimator.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
        Or, trained already, a `sklearn.frozen.FrozenEstimator` around it.
    false_positive, false_negative, true_positive, true_negative : float, default=1.0, 1.0, 0.0, 0.0
        What each outcome costs, in one unit, gains below 0, where `predict` is not told otherwise.
    pos_label : label or None, default=None
        The positive class; None for the second of ``classes_``.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels, sorted.
    estimator_ : classifier
        The fitted one.
    positive_ : int
        Which of the labels is the positive class.
    n_features_in_, feature_names_in_
        Those of the estimator, where it has them.

    See Also
    --------
    skfocal.metrics.expected_cost : What such decisions cost in the mean.

    Notes
    -----
    With scikit-learn's metadata routing costs of samples reach `predict` through pipelines and searches, once
    requested: ``set_predict_request(false_negative=True)``, ``set_score_request(false_negative=True)``.

    References
    ----------
    .. [1] Elkan (2001), The Foundations of Cost-Sensitive Learning.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from skfocal import FocalHistGradientBoostingClassifier
    >>> from skfocal.thresholds import CostThresholdClassifier
    >>> X, y = make_classification(n_samples=2000, weights=[0.95], random_state=0)
    >>> amount = np.random.default_rng(0).exponential(100, len(y))
    >>> model = CostThresholdClassifier(FocalHistGradientBoostingClassifier(), false_positive=5.0).fit(X, y)
    >>> model.predict(X, false_negative=amount).shape
    (2000,)
    """

    def __init__(
        self,
        estimator: Any,
        *,
        false_positive: float = 1.0,
        false_negative: float = 1.0,
        true_positive: float = 0.0,
        true_negative: float = 0.0,
        pos_label: Any = None,
    ) -> None:
        self.estimator = estimator
        self.false_positive = false_positive
        self.false_negative = false_negative
        self.true_positive = true_positive
        self.true_negative = true_negative
        self.pos_label = pos_label

    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit the estimator, unless it is frozen.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Labels, of two classes.
        **params
            For the `fit` of the estimator.

        Returns
        -------
        self : CostThresholdClassifier

        Raises
        ------
        ValueError
            If a cost is not finite, or a mistake costs less than the right decision.
        """
        self._thresholds()
        _, classes = _as_two_classes(y, type(self).__name__)
        pos_label = _as_pos_label(self.pos_label, classes)
        estimator = self.estimator
        if not isinstance(estimator, FrozenEstimator):
            estimator = clone(estimator).fit(X, y, **_for_fit(self, params))
        self._adopt(estimator, classes, pos_label)
        return self

    def predict(
        self,
        X: Any,
        *,
        false_positive: Any = None,
        false_negative: Any = None,
        true_positive: Any = None,
        true_negative: Any = None,
    ) -> NDArray[Any]:
        """Return the label whose decision should cost least.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features.
        false_positive, false_negative, true_positive, true_negative : array-like of shape (n_samples,), float or \
None, default=None
            What each outcome costs, of each sample; None for the parameter of this name.

        Returns
        -------
        labels : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            If a cost is not finite, shapes do not fit, or a mistake costs less than the right decision.
        """
        check_is_fitted(self)
        threshold = self._thresholds(
            false_positive=false_positive,
            false_negative=false_negative,
            true_positive=true_positive,
            true_negative=true_negative,
        )
        return self._decided(X, threshold)

    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        false_positive: Any = None,
        false_negative: Any = None,
        true_positive: Any = None,
        true_negative: Any = None,
    ) -> float:
        """Return what the decisions cost in the mean, times -1, so that more is better.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0.
        false_positive, false_negative, true_positive, true_negative : array-like of shape (n_samples,), float or \
None, default=None
            As in `predict`.

        Returns
        -------
        score : float
            In the unit of the costs.
        """
        given = {
            "false_positive": false_positive,
            "false_negative": false_negative,
            "true_positive": true_positive,
            "true_negative": true_negative,
        }
        is_alert = self.predict(X, **given) == self.classes_[self.positive_]
        is_positive = as_labels(y, "y") == self.classes_[self.positive_]
        costs = self._costs(given)
        right = np.where(is_positive, costs["true_positive"], costs["true_negative"])
        wrong = np.where(is_positive, costs["false_negative"], costs["false_positive"])
        cost = np.where(is_alert == is_positive, right, wrong)
        return -float(np.average(cost, weights=sample_weight))

    def _costs(self, given: dict[str, Any]) -> dict[str, Any]:
        names = ("false_positive", "false_negative", "true_positive", "true_negative")
        return {name: getattr(self, name) if given.get(name) is None else given[name] for name in names}

    def _thresholds(self, **given: Any) -> NDArray[np.float64]:
        return cost_threshold(**self._costs(given))


def _as_two_classes(y: Any, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return labels and the two classes there are."""
    codes, classes = encode_labels(y, name)
    if len(classes) > 2:
        raise ValueError(
            f"Only binary classification is supported. y must hold two classes, got {len(classes)}: {classes.tolist()}."
        )
    return classes[codes], classes


def _as_pos_label(pos_label: Any, classes: NDArray[Any]) -> Any:
    if pos_label is None:
        return classes[1]
    if pos_label not in classes.tolist():
        raise ValueError(f"pos_label must be None or one of {classes.tolist()}, got {pos_label!r}.")
    return pos_label


def _for_fit(router: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Return what the estimator's `fit` is to be given."""
    if not get_config()["enable_metadata_routing"]:
        return params
    return dict(process_routing(router, "fit", **params).estimator.fit)


def _has_rows(value: Any, n_rows: int) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | dict) and len(value) == n_rows


def _probability(estimator: Any, X: Any, pos_label: Any) -> NDArray[np.floating]:
    """Return the probability of the positive class."""
    return estimator.predict_proba(X)[:, int(np.flatnonzero(np.asarray(estimator.classes_) == pos_label)[0])]
