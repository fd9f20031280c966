"""Thresholds on scores: within a budget of alerts or of errors, with a confidence, or by what each decision costs.

The bounds hold for finite samples and any distribution of scores: what is promised of new samples is promised with a
confidence, not in the mean, as long as they are drawn like those given, which the model must not have seen.

Imports `_checks` and `_compat`.
"""

import warnings
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from skfocal._checks import as_finite, as_group_codes, as_scored, check_number
from skfocal._compat import users_stacklevel

_N_RANKS = 20  # at which a precision is tested; each at this part of what the confidence leaves


def alert_threshold(y_score: ArrayLike, *, groups: ArrayLike, max_alerts: int, confidence: float = 0.95) -> float:
    """Return the lowest threshold that gives at most so many alerts in a new group, as a day, with a confidence.

    Of each group the score that comes after its `max_alerts` highest ones is what a threshold must exceed. The
    threshold exceeds as many of these as the confidence asks for if one more group, drawn like them, is to be among
    those: a conformal bound [1]_. It takes no labels.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,)
        Scores, the higher the more likely positive, of samples that the model was not trained on.
    groups : array-like of shape (n_samples,)
        The group of each sample, at least confidence / (1 - confidence) of them: 19 at 0.95.
    max_alerts : int
        The most alerts in a group, >= 0.
    confidence : float, default=0.95
        The least probability, in (0, 1), that a new group has no more.

    Returns
    -------
    threshold : float
        Alert where a score is at least this; -inf where every sample may be one.

    Raises
    ------
    ValueError
        If an argument is outside its valid range, or there are too few groups.

    References
    ----------
    .. [1] Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World, chapter 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.thresholds import alert_threshold
    >>> day = np.repeat(np.arange(20), 500)
    >>> score = np.random.default_rng(0).random(len(day))
    >>> threshold = alert_threshold(score, groups=day, max_alerts=10)
    >>> int(sum(np.bincount(day[score >= threshold]) > 10))
    0
    """
    score = _as_scores(y_score)
    check_share("confidence", confidence)
    check_max_alerts(max_alerts)
    codes = as_group_codes(groups, "groups", len(score))
    n_groups = int(codes.max()) + 1
    rank = int(np.ceil((n_groups + 1) * confidence - 1e-9))
    if rank > n_groups:
        least = int(np.ceil(confidence / (1 - confidence) - 1e-9))
        raise ValueError(f"groups must hold at least {least} groups for confidence={confidence}, got {n_groups}.")
    order = np.lexsort((-score, codes))
    starts = np.searchsorted(codes[order], np.arange(n_groups + 1))
    after = starts[:-1] + max_alerts
    has_more = after < starts[1:]
    to_exceed = np.full(n_groups, -np.inf)
    to_exceed[has_more] = score[order][after[has_more]]
    return _just_above(np.sort(to_exceed)[rank - 1], score.dtype)


def fpr_threshold(
    y_true: ArrayLike, y_score: ArrayLike, *, max_fpr: float, confidence: float = 0.95, pos_label: Any = None
) -> float:
    """Return the lowest threshold whose false-positive rate is at most this, with a confidence.

    The score of the negative sample of the least rank for which the binomial tail allows it [1]_: exact for scores
    without ties, and never more than asked for with them.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels, of two classes.
    y_score : array-like of shape (n_samples,)
        Scores, the higher the more likely positive, of samples that the model was not trained on.
    max_fpr : float
        The largest share of all negative samples that may be alerts, in (0, 1): of those to come, not of these.
    confidence : float, default=0.95
        The least probability, in (0, 1), over draws of these samples, that it holds.
    pos_label : label or None, default=None
        The label of the positive class; None for 1, where the labels are 0 and 1, or -1 and 1.

    Returns
    -------
    threshold : float
        Alert where a score is at least this.

    Raises
    ------
    ValueError
        If an argument is outside its valid range, or there are too few negative samples: log(1 - confidence) /
        log(1 - max_fpr) are needed, 2,995 for 0.001 at 0.95.

    References
    ----------
    .. [1] Tong, Feng & Li (2018), Neyman-Pearson classification algorithms and NP receiver operating characteristics.
       Science Advances 4, proposition 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.thresholds import fpr_threshold
    >>> y = np.repeat([0, 1], [1000, 100])
    >>> score = np.random.default_rng(0).random(1100) + y / 2
    >>> threshold = fpr_threshold(y, score, max_fpr=0.05)
    >>> bool((score[y == 0] >= threshold).mean() < 0.05)
    True
    """
    score = _as_scores(y_score)
    is_positive, _, _ = as_scored(y_true, score, None, pos_label)
    check_share("max_fpr", max_fpr)
    check_share("confidence", confidence)
    negative = np.sort(score[~is_positive])
    n_negative = len(negative)
    least = int(np.ceil(np.log(1 - confidence) / np.log1p(-max_fpr)))
    if n_negative < least:
        raise ValueError(
            f"y_true must hold at least {least} negative samples for max_fpr={max_fpr} and confidence={confidence}, "
            f"got {n_negative}."
        )
    # The rate above the sample of rank r is larger than allowed with the probability that r or more of all are below
    # the quantile that the rate is: P(Bin(n, 1 - max_fpr) >= r).
    ranks = np.arange(1, n_negative + 1)
    rank = int(np.argmax(binom.sf(ranks - 1, n_negative, 1 - max_fpr) <= 1 - confidence)) + 1
    return _just_above(negative[rank - 1], score.dtype)


def precision_threshold(
    y_true: ArrayLike, y_score: ArrayLike, *, min_precision: float, confidence: float = 0.95, pos_label: Any = None
) -> float:
    """Return the lowest threshold whose alerts have at least a precision, with a confidence.

    Twenty numbers of alerts, which depend on the number of samples only, are tested each: whether so many positive
    samples among them would be too many, by the binomial tail, if the precision were below. Each test has a twentieth
    of the error that the confidence leaves [1]_.

    Parameters
    ----------
    y_true, y_score, confidence, pos_label
        As in `fpr_threshold`.
    min_precision : float
        The least share of positive samples among the alerts, in (0, 1): of those to come, not of these.

    Returns
    -------
    threshold : float
        Alert where a score is at least this; inf, with a warning, where no threshold has that precision for sure.

    Raises
    ------
    ValueError
        If an argument is outside its valid range.

    References
    ----------
    .. [1] Angelopoulos, Bates, Candes, Jordan & Lei (2021), Learn then test: calibrating predictive algorithms to
       achieve risk control, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.thresholds import precision_threshold
    >>> y = np.repeat([0, 1], [1000, 300])
    >>> score = np.random.default_rng(0).random(1300) + y / 2
    >>> threshold = precision_threshold(y, score, min_precision=0.8)
    >>> bool(y[score >= threshold].mean() > 0.8)
    True
    """
    return precise_threshold(y_true, y_score, min_precision, confidence, pos_label, at_least=-np.inf)


def cost_threshold(
    *,
    false_positive: ArrayLike,
    false_negative: ArrayLike,
    true_positive: ArrayLike = 0.0,
    true_negative: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Return the probabilities from which on an alert costs less than none.

    (false_positive - true_negative) / (false_positive - true_negative + false_negative - true_positive), for each
    sample [1]_: with a look at an alert that costs c and a fraud that costs its amount, c / (c + amount).

    Parameters
    ----------
    false_positive, false_negative, true_positive, true_negative : float or array-like of shape (n_samples,)
        What each outcome costs, in one unit, of all samples or of each. Gains are costs below 0. A mistake must cost
        more than the right decision: false_positive > true_negative, and false_negative >= true_positive.

    Returns
    -------
    threshold : ndarray of shape () or (n_samples,), float64
        In (0, 1]: alert where the posterior of the positive class is at least this.

    Raises
    ------
    ValueError
        If a cost is not finite, shapes do not fit, or a mistake costs less than the right decision.

    References
    ----------
    .. [1] Elkan (2001), The Foundations of Cost-Sensitive Learning, equation 2.

    Examples
    --------
    >>> from skfocal.thresholds import cost_threshold
    >>> cost_threshold(false_positive=5.0, false_negative=[5.0, 45.0, 495.0])
    array([0.5 , 0.1 , 0.01])
    """
    given = {
        "false_positive": false_positive,
        "false_negative": false_negative,
        "true_positive": true_positive,
        "true_negative": true_negative,
    }
    costs = {name: as_finite(cost, name, "hold finite costs") for name, cost in given.items()}
    shapes = {cost.shape for cost in costs.values() if cost.ndim}
    if len(shapes) > 1 or any(len(shape) > 1 for shape in shapes):
        raise ValueError(
            f"costs must be numbers or have the same shape (n_samples,), got {', '.join(map(str, sorted(shapes)))}."
        )
    alarm = costs["false_positive"] - costs["true_negative"]
    miss = costs["false_negative"] - costs["true_positive"]
    for cost, is_valid, valid in (
        (alarm, alarm > 0, "false_positive must be > true_negative"),
        (miss, miss >= 0, "false_negative must be >= true_positive"),
    ):
        if not np.all(is_valid):
            raise ValueError(f"{valid}, in every sample, got a difference of {cost[~is_valid].flat[0]}.")
    return np.asarray(alarm / (alarm + miss))


def precise_threshold(
    y_true: Any, y_score: Any, min_precision: float, confidence: float, pos_label: Any, *, at_least: float
) -> float:
    """Return the lowest threshold from `at_least` on that has the precision, see `precision_threshold`."""
    score = _as_scores(y_score)
    is_positive, _, _ = as_scored(y_true, score, None, pos_label)
    check_share("min_precision", min_precision)
    check_share("confidence", confidence)
    error = (1 - confidence) / _N_RANKS
    n_samples = len(score)
    least = int(np.ceil(np.log(error) / np.log(min_precision)))  # alerts that prove it if all are right
    order = np.argsort(-score, kind="stable")
    score, is_positive = score[order], is_positive[order]
    # Given the score that comes after k alerts, those above it are drawn like all samples above it: their labels are a
    # sample of the precision there.
    ranks = np.unique(np.geomspace(least, max(n_samples - 1, least), _N_RANKS).astype(int))
    found = np.inf
    for rank in ranks[ranks < n_samples]:
        n_above = int(np.searchsorted(-score, -score[rank], side="left"))  # fewer than the rank where scores are tied
        n_right = int(is_positive[:n_above].sum())
        threshold = _just_above(score[rank], score.dtype)
        if threshold >= at_least and n_above and binom.sf(n_right - 1, n_above, min_precision) <= error:
            found = threshold
    if np.isinf(found):
        warnings.warn(
            f"No threshold has a precision of min_precision={min_precision} with confidence={confidence} on "
            f"{n_samples} samples, {is_positive.sum()} of them positive: there are no alerts. Give more samples, at "
            f"least {least + 1}, or lower one of the two.",
            stacklevel=users_stacklevel(),
        )
    return float(found)


def check_share(name: str, share: Any) -> None:
    """Raise if a parameter is not inside (0, 1)."""
    check_number(name, share, lambda number: 0 < number < 1, "a number in (0, 1)")


def check_max_alerts(max_alerts: Any) -> None:
    """Raise if it is no number of alerts."""
    if isinstance(max_alerts, bool | np.bool_) or not isinstance(max_alerts, Integral) or max_alerts < 0:
        raise ValueError(f"max_alerts must be an integer >= 0, got {max_alerts!r}.")


def _as_scores(y_score: Any) -> NDArray[np.floating]:
    """Return scores in their own precision: a threshold between two of them must be a number of that."""
    score = as_finite(y_score, "y_score", "hold finite numbers")
    if score.ndim != 1 or not len(score):
        raise ValueError(f"y_score must have the shape (n_samples,), of at least one sample, got {score.shape}.")
    dtype = getattr(y_score, "dtype", None)
    return score.astype(np.float32) if dtype == np.float32 else score


def _just_above(score: float, dtype: np.dtype[Any]) -> float:
    """Return the least threshold that a score does not reach."""
    return float(np.nextafter(dtype.type(score), dtype.type(np.inf))) if np.isfinite(score) else float(score)
