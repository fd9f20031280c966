"""Metrics that a fraud team decides by: how good the alerts are that it can look at, and what its decisions cost.

Written as scikit-learn's are, ``metric(y_true, y_score, *, ..., sample_weight=None)``, and for its `make_scorer`.
Samples of the same score are in no order: where a limit falls among them, all of them count, by the share of them that
is within it, as if that part were drawn at random.

Imports `_checks`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skfocal._checks import (
    as_finite,
    as_group_codes,
    as_known_codes,
    as_labels,
    as_probabilities,
    as_sample_weight,
    as_scored,
    check_number,
    check_positives,
)

__all__ = ["expected_cost", "precision_at_k", "recall_at_fpr", "recall_at_precision"]


def precision_at_k(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    k: float,
    groups: ArrayLike | None = None,
    entities: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the share of positive samples among the k of the highest scores: of so many alerts, how many are right.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels, of two classes.
    y_score : array-like of shape (n_samples,)
        Scores, the higher the more likely positive: margins, probabilities or any other.
    k : float
        The number of alerts, > 0; with `groups` in each of these. Where there are fewer samples, all of them.
    groups : array-like of shape (n_samples,) or None, default=None
        Groups, as the day of a transaction, that have k alerts each: the mean over them.
    entities : array-like of shape (n_samples,) or None, default=None
        What there is one alert for at most, in a group, as the card of a transaction: its highest score counts, and it
        is positive if any of its samples is.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights >= 0: a sample of weight 2 counts like the same sample twice, for the number of alerts too. Those of an
        entity in a group must be the same.
    pos_label : label or None, default=None
        The label of the positive class; None for 1, where the labels are 0 and 1, or -1 and 1.

    Returns
    -------
    precision : float
        In [0, 1].

    Raises
    ------
    ValueError, TypeError
        If an argument is outside its valid range.

    References
    ----------
    Le Borgne, Siblini, Lebichot and Bontempi (2022), Reproducible Machine Learning for Credit Card Fraud Detection,
    section 4.4: "card precision top-k" is this metric with days as groups and cards as entities, where cards that were
    found on a day before are left out.

    Examples
    --------
    >>> from skfocal.metrics import precision_at_k
    >>> precision_at_k([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], k=2)
    0.5
    >>> precision_at_k([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], k=1, groups=["Mon", "Mon", "Tue", "Tue"])
    1.0
    """
    check_number("k", k, lambda number: number > 0, "a number > 0")
    is_positive, score, weight = as_scored(y_true, y_score, sample_weight, pos_label)
    group = as_group_codes(groups, "groups", len(score))
    if entities is not None:
        group, is_positive, score, weight = _one_each(
            group, as_group_codes(entities, "entities", len(score)), is_positive, score, weight
        )
    order = np.argsort(group, kind="stable")
    order = order[weight[order] > 0]
    precisions = []
    for inside in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        blocks = _blocks(is_positive[inside], score[inside], weight[inside])
        taken = np.clip((k - blocks.total_before) / blocks.total, 0.0, 1.0)
        precisions.append(taken @ blocks.positive / (taken @ blocks.total))
    return float(np.mean(precisions))


def recall_at_precision(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    precision: float,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the largest share of the positive samples that can be found with at least a precision.

    Parameters
    ----------
    y_true, y_score, sample_weight, pos_label
        As in `precision_at_k`.
    precision : float
        The least share of positive samples among those above a threshold, in (0, 1].

    Returns
    -------
    recall : float
        In [0, 1]; 0 if no threshold has this precision.

    Raises
    ------
    ValueError, TypeError
        If an argument is outside its valid range.

    Examples
    --------
    >>> from skfocal.metrics import recall_at_precision
    >>> recall_at_precision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], precision=0.6)
    1.0
    >>> recall_at_precision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], precision=0.9)
    0.5
    """
    check_number("precision", precision, lambda number: 0 < number <= 1, "a number in (0, 1]")
    blocks = _blocks_with_positives(*as_scored(y_true, y_score, sample_weight, pos_label))
    # Of a share f of a block, positives - precision * all is linear in f: >= 0 up to where it falls below.
    before = blocks.positive_before - precision * blocks.total_before
    slope = blocks.positive - precision * blocks.total
    rounding = -1e-12 * blocks.total.sum()  # which must not leave out what just has the precision
    is_met, is_met_before = before + slope >= rounding, before >= rounding
    with np.errstate(divide="ignore", invalid="ignore"):
        taken = np.where(is_met, 1.0, before / -slope)
        found = np.where(is_met | is_met_before, blocks.positive_before + taken * blocks.positive, 0.0)
    return float(found.max() / blocks.positive.sum())


def recall_at_fpr(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    fpr: float,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
) -> float:
    """Return the largest share of the positive samples that can be found with at most a false-positive rate.

    Parameters
    ----------
    y_true, y_score, sample_weight, pos_label
        As in `precision_at_k`.
    fpr : float
        The largest share of the negative samples above a threshold, in [0, 1].

    Returns
    -------
    recall : float
        In [0, 1].

    Raises
    ------
    ValueError, TypeError
        If an argument is outside its valid range.

    Examples
    --------
    >>> from skfocal.metrics import recall_at_fpr
    >>> recall_at_fpr([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], fpr=0.4)
    0.5
    """
    check_number("fpr", fpr, lambda number: 0 <= number <= 1, "a number in [0, 1]")
    blocks = _blocks_with_positives(*as_scored(y_true, y_score, sample_weight, pos_label))
    negative = blocks.total - blocks.positive
    left = fpr * negative.sum() - (blocks.total_before - blocks.positive_before)
    with np.errstate(divide="ignore", invalid="ignore"):
        taken = np.where(negative > 0, np.minimum(left / negative, 1.0), 1.0)
    # Rounding must not leave out what lies within the limit.
    found = np.where(left >= -1e-12 * negative.sum(), blocks.positive_before + taken * blocks.positive, 0.0)
    return float(found.max() / blocks.positive.sum())


def expected_cost(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    cost_matrix: ArrayLike,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return what a decision costs in the mean, if each is the one that should cost least by its probabilities.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.
    y_proba : array-like of shape (n_samples,) or (n_samples, n_classes)
        Probabilities of the classes; one column is that of the second of two.
    cost_matrix : array-like of shape (n_classes, n_decisions) or (n_samples, n_classes, n_decisions)
        Costs, in any unit: of a sample of class i of which decision j was made, which need not be one for each class.
        Three dimensions are for costs that differ between samples, as by amounts. Gains are costs below 0.
    labels : array-like of shape (n_classes,) or None, default=None
        Labels in the order of the probabilities, sorted; None for those in `y_true`, which must then all be there.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights >= 0.

    Returns
    -------
    cost : float
        In the unit of `cost_matrix`, for each sample.

    Raises
    ------
    ValueError, TypeError
        If an argument is outside its valid range.

    References
    ----------
    Elkan (2001), The Foundations of Cost-Sensitive Learning, equation 1.

    Examples
    --------
    >>> from skfocal.metrics import expected_cost
    >>> expected_cost([1, 0, 0], [0.3, 0.2, 0.05], cost_matrix=[[0, 1], [9, 1]])
    0.6666666666666666
    """
    y = as_labels(y_true, "y_true")
    classes = np.unique(y) if labels is None else np.asarray(labels)
    proba = as_probabilities(y_proba)
    if proba.ndim == 1:
        proba = np.column_stack([1 - proba, proba])
    if proba.shape != (len(y), len(classes)):
        shape = (len(y), len(classes))
        raise ValueError(f"y_proba must have the shape {shape}, got {proba.shape}: labels name the classes.")
    sums = proba.sum(axis=1)
    if (np.abs(sums - 1) > 1e-4).any():
        raise ValueError(f"y_proba must have rows that sum to 1, got a sum of {sums[np.abs(sums - 1).argmax()]}.")
    if (classes[1:] <= classes[:-1]).any():
        raise ValueError(f"labels must be sorted, as classes_ are, got {classes.tolist()}.")
    codes = as_known_codes(y, classes, "y_true", known="labels")
    costs = as_finite(cost_matrix, "cost_matrix", "hold finite numbers")
    if costs.ndim not in (2, 3) or costs.shape[-2] != len(classes) or (costs.ndim == 3 and len(costs) != len(y)):
        raise ValueError(
            f"cost_matrix must have the shape ({len(classes)}, n_decisions) or ({len(y)}, {len(classes)}, n_decisions),"
            f" got {costs.shape}."
        )
    weight = as_sample_weight(sample_weight, len(y))
    expected = np.einsum("nc,ncd->nd", proba, np.broadcast_to(costs, (len(y), *costs.shape[-2:])))
    is_least = np.isclose(expected, expected.min(axis=1, keepdims=True), rtol=1e-12, atol=0.0)
    of_true = costs[codes] if costs.ndim == 2 else costs[np.arange(len(y)), codes]
    cost = (of_true * is_least).sum(axis=1) / is_least.sum(axis=1)  # decisions that should cost the same: their mean
    return float(np.average(cost, weights=weight))


class _Blocks(NamedTuple):
    """Weights of the samples of each score, from the highest down."""

    positive: NDArray[np.float64]
    total: NDArray[np.float64]

    @property
    def positive_before(self) -> NDArray[np.float64]:
        """Those of positive samples of higher scores."""
        return np.cumsum(self.positive) - self.positive

    @property
    def total_before(self) -> NDArray[np.float64]:
        """Those of all samples of higher scores."""
        return np.cumsum(self.total) - self.total


def _blocks(is_positive: NDArray[np.bool_], score: NDArray[np.float64], weight: NDArray[np.float64]) -> _Blocks:
    _, block = np.unique(-score, return_inverse=True)
    positive, total = (np.bincount(block, weights=each).astype(np.float64) for each in (weight * is_positive, weight))
    return _Blocks(positive, total)


def _blocks_with_positives(
    is_positive: NDArray[np.bool_], score: NDArray[np.float64], weight: NDArray[np.float64]
) -> _Blocks:
    check_positives(is_positive, weight)
    return _blocks(is_positive, score, weight)


def _one_each(
    group: NDArray[np.intp],
    entity: NDArray[np.intp],
    is_positive: NDArray[np.bool_],
    score: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Return the same of each entity in a group: its highest score, and whether any of its samples is positive."""
    _, first, own = np.unique(group * (entity.max() + 1) + entity, return_index=True, return_inverse=True)
    if (weight != weight[first][own]).any():
        raise ValueError("sample_weight must be the same for all samples of an entity in a group, got several.")
    highest = np.full(len(first), -np.inf)
    np.maximum.at(highest, own, score)
    return group[first], np.bincount(own, weights=is_positive) > 0, highest, weight[first]
