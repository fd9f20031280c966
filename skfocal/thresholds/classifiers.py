"""Classifiers that decide by a threshold: within a budget of alerts or of errors, or by what each decision costs.

Imports `bounds` and `_checks`.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config  # type: ignore[attr-defined]  # public, not typed
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, check_consistent_length, check_is_fitted

from skfocal._checks import as_group_codes, as_known_codes, as_labels, as_sample_weight, encode_labels
from skfocal.thresholds.bounds import (
    alert_rank,
    alert_threshold,
    check_max_alerts,
    check_share,
    cost_threshold,
    fpr_rank,
    fpr_threshold,
    lowest_precise,
)

_COSTS = ("false_positive", "false_negative", "true_positive", "true_negative")


def _has_proba(classifier: Any) -> bool:
    return hasattr(getattr(classifier, "estimator_", classifier.estimator), "predict_proba")


class _DecidingClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier around another of two classes, of whose probabilities it takes those from a threshold on."""

    def _fitted(self, X: Any, y: Any, params: dict[str, Any]) -> Any:
        """Return the estimator, fitted, unless it is frozen."""
        if isinstance(self.estimator, FrozenEstimator):
            check_is_fitted(self.estimator)
            if params:
                raise ValueError(f"Arguments for fit must be left out with a frozen estimator, got {sorted(params)}.")
            return self.estimator
        return clone(self.estimator).fit(X, y, **params)

    def _labels_for_estimator(self, y: Any) -> NDArray[Any]:
        """Return the labels; raise if they, or the estimator, are not for two classes."""
        if not hasattr(self.estimator, "predict_proba"):
            raise TypeError(f"estimator must be a classifier with predict_proba, got {self.estimator!r}.")
        if isinstance(self.estimator, FrozenEstimator):
            check_is_fitted(self.estimator)
            labels, classes = as_labels(y, "y"), np.asarray(self.estimator.classes_)
        else:
            codes, classes = encode_labels(y, type(self).__name__)
            labels = classes[codes]
        _check_two(classes)
        as_pos_label(self.pos_label, classes)
        as_known_codes(labels, classes, "y", known="those of estimator")
        return labels

    def _adopt(self, estimator: Any) -> None:
        self.estimator_, self.classes_ = estimator, np.asarray(estimator.classes_)
        self.pos_label_ = as_pos_label(self.pos_label, self.classes_)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))
            elif hasattr(self, name):  # of an earlier fit
                delattr(self, name)

    @available_if(_has_proba)  # type: ignore[untyped-decorator]
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
        proba = probability_of(self.estimator_, X, self.pos_label_)
        if np.shape(threshold) not in ((), proba.shape):
            raise ValueError(f"costs must have one value for each of the {len(proba)} rows of X, got {len(threshold)}.")
        positive = self.classes_ == self.pos_label_
        return np.where(proba >= threshold, self.classes_[positive], self.classes_[~positive])

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

    Takes a classifier of two classes and finds a threshold on its probability of the positive class, as low as the
    limits that are set allow, on samples that it was not trained on: see `alert_threshold`, `fpr_threshold` and
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
        Labels, as the estimator has them.
    estimator_ : classifier
        The fitted one.
    pos_label_ : label
        The positive class.
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

    def fit(self, X: Any, y: Any, *, groups: Any = None, **params: Any) -> Self:
        """Fit the estimator, unless it is frozen, and find the threshold.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Labels, of two classes.
        groups : array-like of shape (n_samples,) or None, default=None
            The group of each sample, as its day. `max_alerts` needs them; with any limit whole groups are held out.
        **params
            For the `fit` of the estimator. Of those with a value for each sample it gets those of its samples.

        Returns
        -------
        self : AlertBudgetClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, or there are too few samples for what is asked,
            before any training.
        """
        self._check_parameters(groups)
        labels = self._labels_for_estimator(y)
        X, y = indexable(X, y)
        check_consistent_length(X, labels)
        groups = None if groups is None else as_group_codes(groups, "groups", len(labels))
        params = _for_fit(self, params, len(labels))
        training, held_out = self._split(labels, groups)
        self._check_sizes(labels[held_out], None if groups is None else groups[held_out])
        if len(training):
            params = _check_method_params(X, params, indices=training)
        estimator = self._fitted(_safe_indexing(X, training), _safe_indexing(y, training), params)
        pos_label = as_pos_label(self.pos_label, np.asarray(estimator.classes_))
        score = probability_of(estimator, _safe_indexing(X, held_out), pos_label)
        threshold = self._threshold(labels[held_out], score, None if groups is None else groups[held_out], pos_label)
        self._adopt(estimator)
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
        if groups is None and self.max_alerts is not None:
            raise ValueError("groups must be given with max_alerts, got None: the day of each sample, for example.")

    def _split(self, labels: NDArray[Any], groups: Any) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows to train on, none for a frozen estimator, and those to find the threshold on."""
        rows = np.arange(len(labels))
        if isinstance(self.estimator, FrozenEstimator):
            return rows[:0], rows
        share = {"test_size": self.calibration_fraction, "random_state": self.random_state}
        if groups is None:
            return train_test_split(rows, stratify=labels, **share)
        return next(GroupShuffleSplit(1, **share).split(rows, groups=groups))

    def _check_sizes(self, labels: NDArray[Any], groups: Any) -> None:
        """Raise if what is held out is too little for what is asked."""
        try:
            if self.max_alerts is not None:
                alert_rank(len(np.unique(groups)), self.confidence)
            if self.max_fpr is not None:
                classes = np.asarray(getattr(self.estimator, "classes_", np.unique(labels)))
                n_negative = int(np.sum(labels != as_pos_label(self.pos_label, classes)))
                fpr_rank(n_negative, self.max_fpr, self.confidence)
        except ValueError as error:
            if isinstance(self.estimator, FrozenEstimator):
                raise
            held_out = f"So many are held out by calibration_fraction={self.calibration_fraction}."
            raise ValueError(f"{error} {held_out}") from None

    def _threshold(self, labels: NDArray[Any], score: NDArray[Any], groups: Any, pos_label: Any) -> float:
        threshold = -np.inf
        if self.max_alerts is not None:
            threshold = alert_threshold(score, groups=groups, max_alerts=self.max_alerts, confidence=self.confidence)
        if self.max_fpr is not None:
            of_fpr = fpr_threshold(labels, score, max_fpr=self.max_fpr, confidence=self.confidence, pos_label=pos_label)
            threshold = max(threshold, of_fpr)
        if self.min_precision is None:
            return threshold
        return lowest_precise(labels, score, self.min_precision, self.confidence, pos_label, at_least=threshold)


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
        Labels, as the estimator has them.
    estimator_ : classifier
        The fitted one.
    pos_label_ : label
        The positive class.
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
        self._thresholds({})
        self._labels_for_estimator(y)
        self._adopt(self._fitted(X, y, _for_fit(self, params)))
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
        given = (false_positive, false_negative, true_positive, true_negative)
        return self._decided(X, self._thresholds(dict(zip(_COSTS, given, strict=True))))

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
        given = dict(zip(_COSTS, (false_positive, false_negative, true_positive, true_negative), strict=True))
        is_alert = self.predict(X, **given) == self.pos_label_
        check_consistent_length(is_alert, y)
        as_known_codes(y, self.classes_, "y", known="classes_")
        is_positive = as_labels(y, "y") == self.pos_label_
        costs = self._costs(given)
        right = np.where(is_positive, costs["true_positive"], costs["true_negative"])
        wrong = np.where(is_positive, costs["false_negative"], costs["false_positive"])
        weight = as_sample_weight(sample_weight, len(is_alert))
        return -float(np.average(np.where(is_alert == is_positive, right, wrong), weights=weight))

    def _costs(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the costs that are given, and those of the parameters in place of the others."""
        return {name: getattr(self, name) if given.get(name) is None else given[name] for name in _COSTS}

    def _thresholds(self, given: dict[str, Any]) -> NDArray[np.float64]:
        return cost_threshold(**self._costs(given))


def _check_two(classes: NDArray[Any]) -> None:
    if len(classes) != 2:
        raise ValueError(
            f"Only binary classification is supported. y must hold two classes, got {len(classes)}: {classes.tolist()}."
        )


def as_pos_label(pos_label: Any, classes: NDArray[Any]) -> Any:
    """Return the label of the positive class, by default the second of two."""
    if pos_label is None:
        return classes[1]
    if pos_label not in classes.tolist():
        raise ValueError(f"pos_label must be None or one of {classes.tolist()}, got {pos_label!r}.")
    return pos_label


def _for_fit(router: Any, params: dict[str, Any], n_samples: int | None = None) -> dict[str, Any]:
    """Return what the estimator's `fit` is to be given."""
    if n_samples is not None and "sample_weight" in params:  # others of other lengths may be no values of samples
        as_sample_weight(params["sample_weight"], n_samples)
    if not get_config()["enable_metadata_routing"]:
        return params
    return dict(process_routing(router, "fit", **params).estimator.fit)


def probability_of(estimator: Any, X: Any, label: Any) -> NDArray[np.floating]:
    """Return the probability of the class that has this label."""
    return estimator.predict_proba(X)[:, int(np.flatnonzero(np.asarray(estimator.classes_) == label)[0])]
