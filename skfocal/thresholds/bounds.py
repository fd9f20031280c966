"""Thresholds on scores: within a budget of alerts or of errors, with a confidence, or by what each decision costs.

The bounds hold for finite samples and any distribution of scores, as long as new samples (or groups) are drawn like
those given, independently of one another, and the model has not seen these.

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

_N_RANKS = 50  # of which the precision is tested; each at this part of the error that the confidence leaves


def alert_threshold(y_score: ArrayLike, *, groups: ArrayLike, max_alerts: int, confidence: float = 0.95) -> float:
    """Return the lowest threshold that gives at most so many alerts in a new group, as a day, with a confidence.

    Each group could do with a threshold just above its alert number `max_alerts` + 1. The threshold returned is high
    enough for so many of the groups that the next one is among those with the confidence: a conformal bound [1]_. It
    takes no labels. The confidence is over draws of all groups, these and the next one: of one threshold that stays in
    use for long, the share of days over the budget scatters around 1 - `confidence`.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,)
        Scores, the higher the more likely positive, of samples that the model was not trained on.
    groups : array-like of shape (n_samples,)
        The group of each sample, whole groups, at least confidence / (1 - confidence) of them: 19 at 0.95.
    max_alerts : int
        The most alerts in a group, >= 0.
    confidence : float, default=0.95
        The least probability, in (0, 1), that a new group has no more.

    Returns
    -------
    threshold : float
        Alert where a score is at least this; -inf, with a warning, where every sample may be one.

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
    score = as_finite(y_score, "y_score", "hold finite numbers")
    if score.ndim != 1 or not len(score):
        raise ValueError(f"y_score must have the shape (n_samples,), of at least one sample, got {score.shape}.")
    check_share("confidence", confidence)
    check_max_alerts(max_alerts)
    codes = as_group_codes(groups, "groups", len(score))
    rank = alert_rank(int(codes.max()) + 1, confidence)
    order = np.lexsort((-score, codes))
    starts = np.searchsorted(codes[order], np.arange(codes.max() + 2))
    after = starts[:-1] + max_alerts
    has_more = after < starts[1:]
    to_exceed = np.full(len(after), -np.inf)
    to_exceed[has_more] = score[order][after[has_more]]
    score_to_exceed = np.sort(to_exceed)[rank - 1]
    if np.isinf(score_to_exceed):
        warnings.warn(
            f"Every sample may be an alert: {np.sum(~has_more)} of {len(after)} groups have no more than "
            f"max_alerts={max_alerts} samples; the median group has {np.median(np.diff(starts)):.0f}.",
            stacklevel=users_stacklevel(),
        )
    return _just_above(score_to_exceed)


def alert_rank(n_groups: int, confidence: float) -> int:
    """Return which of the scores of so many groups, from below, is to be exceeded; raise if there are too few."""
    rank = int(np.ceil((n_groups + 1) * confidence - 1e-9))
    if rank > n_groups:
        least = int(np.ceil(confidence / (1 - confidence) - 1e-9))
        raise ValueError(f"groups must hold at least {least} groups for confidence={confidence}, got {n_groups}.")
    return rank


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
    is_positive, score, _ = as_scored(y_true, y_score, None, pos_label)
    check_share("max_fpr", max_fpr)
    check_share("confidence", confidence)
    negative = np.sort(score[~is_positive])
    return _just_above(negative[fpr_rank(len(negative), max_fpr, confidence) - 1])


def fpr_rank(n_negative: int, max_fpr: float, confidence: float) -> int:
    """Return which of so many scores of negative samples, from below, is to be exceeded; raise if there are too few."""
    # The rate above the sample of rank r is larger than allowed with the probability that r or more of all are below
    # the quantile that the rate is: P(Bin(n, 1 - max_fpr) >= r).
    rank = int(binom.isf(1 - confidence, n_negative, 1 - max_fpr)) + 1 if n_negative else 1
    if rank > n_negative:
        least = np.ceil(np.log(1 - confidence) / np.log1p(-max_fpr))
        raise ValueError(
            f"y must hold at least {least:.0f} negative samples for max_fpr={max_fpr} and confidence={confidence}, "
            f"got {n_negative}."
        )
    return rank


def precision_threshold(
    y_true: ArrayLike, y_score: ArrayLike, *, min_precision: float, confidence: float = 0.95, pos_label: Any = None
) -> float:
    """Return a low threshold whose alerts have at least a precision, with a confidence.

    Fifty numbers of alerts, which depend on the number of samples only, are tried: whether so many positive samples
    among them would be too many, by the binomial tail, if the precision were below. Each of these tests has a fiftieth
    of the error that the confidence leaves [1]_. The threshold is the lowest that passes.

    Parameters
    ----------
    y_true, y_score, confidence, pos_label
        As in `fpr_threshold`.
    min_precision : float
        The least share of positive samples among the alerts, in (0, 1): of those to come, not of these.

    Returns
    -------
    threshold : float
        Alert where a score is at least this; inf, with a warning, where none passes.

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
    return lowest_precise(y_true, y_score, min_precision, confidence, pos_label, at_least=-np.inf)


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


def lowest_precise(
    y_true: Any, y_score: Any, min_precision: float, confidence: float, pos_label: Any, *, at_least: float
) -> float:
    """Return what `precision_threshold` does, of thresholds from `at_least` on."""
    is_positive, score, _ = as_scored(y_true, y_score, None, pos_label)
    check_share("min_precision", min_precision)
    check_share("confidence", confidence)
    error = (1 - confidence) / _N_RANKS
    least = int(np.ceil(np.log(error) / np.log(min_precision)))  # alerts that prove it if all are right
    order = np.argsort(-score, kind="stable")
    descending, n_positive = score[order], np.cumsum(is_positive[order])
    ranks = np.unique(np.geomspace(least, max(len(score) - 1, least), _N_RANKS).astype(int))
    found = np.inf
    for rank in ranks[ranks < len(score)]:
        # Given the score that comes after a number of alerts, those above it are drawn like all samples above it: their
        # labels are a sample of the precision there.
        threshold = _just_above(descending[rank])
        n_above = int(np.searchsorted(-descending[:rank], -threshold, side="right"))  # fewer than the rank with ties
        if threshold < at_least or not n_above:
            continue
        if binom.sf(n_positive[n_above - 1] - 1, n_above, min_precision) <= error:
            found = threshold
    if np.isinf(found):
        _warn_of_no_alerts(min_precision, confidence, len(score), least, at_least)
    return found


def _warn_of_no_alerts(min_precision: float, confidence: float, n_samples: int, least: int, at_least: float) -> None:
    others = "" if np.isinf(at_least) else f", of those from {at_least:.4g} on, which the other limits leave,"
    warnings.warn(
        f"No threshold that was tried{others} has a precision of min_precision={min_precision} with "
        f"confidence={confidence}, which takes {least} alerts if all are right: there are no alerts. Give more than "
        f"these {n_samples} samples, or lower min_precision or confidence.",
        stacklevel=users_stacklevel(),
    )


def check_share(name: str, share: Any) -> None:
    """Raise if a parameter is not inside (0, 1)."""
    check_number(name, share, lambda number: 0 < number < 1, "a number in (0, 1)")


def check_max_alerts(max_alerts: Any) -> None:
    """Raise if it is no number of alerts."""
    if isinstance(max_alerts, bool | np.bool_) or not isinstance(max_alerts, Integral) or max_alerts < 0:
        raise ValueError(f"max_alerts must be an integer >= 0, got {max_alerts!r}.")


def _just_above(score: float) -> float:
    """Return the least threshold that a score does not reach, nor where it is rounded to float32, as by ONNX."""
    if not np.isfinite(score):
        return float(score)
    with np.errstate(over="ignore"):
        above = np.nextafter(np.float32(score), np.float32(np.inf))
        return float(above if np.isfinite(above) else np.nextafter(score, np.inf))  # of a score that no float32 holds
