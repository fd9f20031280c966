"""Posterior probabilities at another prior than that of the training data: after resampling, or for another population.

Imports `_checks` and `_compat`.
"""

import warnings
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skfocal._checks import as_sample_weight, check_number, per_class
from skfocal._compat import array_namespace, users_stacklevel

__all__ = ["PriorEstimate", "correct_prior", "effective_prior", "estimate_prior"]

_SMALLEST = 1e-12  # share of a class, which expectation maximisation never takes from 0
_MOST_STEPS = 1000


def correct_prior(posterior: ArrayLike, *, training_prior: ArrayLike, prior: ArrayLike) -> NDArray[np.float64]:
    """Carry posterior probabilities over from the prior of the training data to another one.

    A sampler changes how often the classes occur, and so what a model's probabilities are about. With w_k the ratio of
    the two priors of class k, posterior_k * w_k / sum_j posterior_j * w_j undoes that [1]_ [2]_. It keeps the ranking
    of two classes. It holds as far as the model takes what the sampler has made for more or fewer samples of the same
    classes; where it does not, as after SMOTE, `effective_prior` says what to take for the training prior.

    Parameters
    ----------
    posterior : array-like of shape (n_samples, n_classes)
        Probabilities, rows that sum to 1: what `predict_proba` of a model, or of a pipeline with a sampler, returns.
    training_prior : array-like of shape (n_classes,)
        Weight > 0 of each class in the data that the model was trained on, on any scale: counts or proportions, after
        the sampler, and with sample and class weights if there are any; or what `effective_prior` returns. In the order
        of the columns.
    prior : array-like of shape (n_classes,)
        Weight > 0 of each class where the probabilities are to hold, on any scale.

    Returns
    -------
    posterior : ndarray of shape (n_samples, n_classes), float64
        Rows sum to 1.

    Raises
    ------
    ValueError
        If a shape does not fit, a probability is not in [0, 1] or a row of them does not sum to 1, or a prior is not
        finite and > 0, or has weights that differ by a factor of more than 1e100.

    See Also
    --------
    skfocal.FocalLGBMClassifier : Its parameter ``sampler`` resamples and corrects by itself, ``prior`` corrects.

    References
    ----------
    .. [1] Saerens, Latinne & Decaestecker (2002), Adjusting the outputs of a classifier to new a priori probabilities.
       Neural Computation 14, equation 2.4.
    .. [2] Elkan (2001), The foundations of cost-sensitive learning. IJCAI, theorem 2.

    Examples
    --------
    >>> from skfocal import correct_prior
    >>> correct_prior([[0.5, 0.5], [0.1, 0.9]], training_prior=[1, 1], prior=[0.99, 0.01]).round(4)
    array([[0.99  , 0.01  ],
           [0.9167, 0.0833]])
    """
    values = _as_posterior(posterior)
    ratio = _as_weights(prior, values.shape[1], "prior") / _as_weights(
        training_prior, values.shape[1], "training_prior"
    )
    return reweighted(values, ratio)


def effective_prior(
    posterior: ArrayLike, *, prior: ArrayLike, sample_weight: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the prior at which a model's probabilities hold, by its mean on samples whose prior is known.

    The counts after a sampler say it only of a model that sees the sampler's data as a sample of the same classes. One
    of many trees knows SMOTE's samples from real ones, and the few rows that an under-sampler leaves by heart: its
    probabilities hold at a prior between that of the sampler and that of the data. With this one as the training prior
    `correct_prior` gives probabilities whose mean is `prior`, on these samples. That is the maximum of their likelihood
    by weights of the classes, as the derivative by their logarithms is mean posterior - prior [1]_.

    Parameters
    ----------
    posterior : array-like of shape (n_samples, n_classes)
        Probabilities of a model, rows that sum to 1, of samples as they come: before any sampler.
    prior : array-like of shape (n_classes,)
        Weight > 0 of each class among these samples, on any scale.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights >= 0 of the samples.

    Returns
    -------
    prior : ndarray of shape (n_classes,), float64
        Sums to 1.

    Raises
    ------
    ValueError
        If a shape does not fit or a value is out of its range, as in `correct_prior`; or if no prior gives that mean:
        probabilities that are all but 0 or 1 cannot be moved.

    See Also
    --------
    skfocal.correct_prior : What to give it to, as ``training_prior``.

    References
    ----------
    .. [1] Saerens, Latinne & Decaestecker (2002), Adjusting the outputs of a classifier to new a priori probabilities.
       Neural Computation 14, whose likelihood this is, with known labels.

    Examples
    --------
    >>> from skfocal import correct_prior, effective_prior
    >>> posterior = [[0.5, 0.5], [0.1, 0.9], [0.7, 0.3], [0.8, 0.2]]
    >>> at = effective_prior(posterior, prior=[3, 1])
    >>> correct_prior(posterior, training_prior=at, prior=[3, 1]).mean(axis=0).round(6)
    array([0.75, 0.25])
    """
    values, weight = _as_weighted_rows(posterior, sample_weight)
    shares = _as_weights(prior, values.shape[1], "prior")
    ratio = matching_ratio(values, shares, weight)
    if ratio is None:
        raise ValueError(f"posterior must have rows that a prior can move to a mean of {shares.tolist()}.")
    return _as_weights(shares / ratio, len(shares), "the effective prior")


class PriorEstimate(NamedTuple):
    """An estimate of a prior, and the interval of each class's.

    Attributes
    ----------
    prior : ndarray of shape (n_classes,), float64
        The estimate; sums to 1.
    low, high : ndarray of shape (n_classes,), float64
        Ends of the intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal import estimate_prior
    >>> posterior = np.repeat([[0.98, 0.02], [0.02, 0.98]], [900, 100], axis=0)
    >>> estimate = estimate_prior(posterior, training_prior=[1, 1], random_state=0)
    >>> estimate.low.round(2), estimate.high.round(2)
    (array([0.9 , 0.07]), array([0.93, 0.1 ]))
    """

    prior: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def estimate_prior(
    posterior: ArrayLike,
    *,
    training_prior: ArrayLike,
    sample_weight: ArrayLike | None = None,
    n_bootstrap: Any = 200,
    confidence: Any = 0.95,
    random_state: Any = None,
) -> PriorEstimate:
    """Estimate how often the classes occur among samples whose labels are not known: the fraud rate of today's traffic.

    The prior under which the posteriors are most likely, found by expectation maximisation [1]_: posteriors at the last
    estimate, see `correct_prior`, have as their mean the next one. It supposes that samples of a class are as they were
    in the training, only more or fewer; and that the posteriors are right there. A model that is too sure is taken at
    its word: calibrate it first.

    Parameters
    ----------
    posterior : array-like of shape (n_samples, n_classes)
        Probabilities, rows that sum to 1, as `predict_proba` returns them.
    training_prior : array-like of shape (n_classes,)
        Weight > 0 of each class at which the posteriors hold, on any scale, as in `correct_prior`.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights >= 0: a sample of weight 2 counts like the same sample twice. Where weights make up for samples that
        were left out, the estimate is right, but the interval too narrow.
    n_bootstrap : int, default=200
        How many times samples are drawn anew, with replacement, for the interval; 0 for none, which is then the
        estimate itself.
    confidence : float, default=0.95
        What share of such intervals is to hold the prior, in (0, 1). Fewer do, of a class of less than ten samples.
    random_state : int, RandomState instance or None, default=None
        What samples are drawn by.

    Returns
    -------
    estimate : PriorEstimate
        ``prior``, and ``low`` and ``high`` of each class. Parameters `prior` and `correct_prior` take ``prior``.

    Raises
    ------
    ValueError, TypeError
        If a shape does not fit, a probability is not in [0, 1] or a row of them does not sum to 1, a prior is not
        finite and > 0, or another argument is outside its valid range.

    Warns
    -----
    UserWarning
        If the posteriors hardly tell how often a class occurs: its standard error is above half of the estimate.

    See Also
    --------
    correct_prior : Carries posteriors over to the estimate.

    References
    ----------
    .. [1] Saerens, Latinne & Decaestecker (2002), Adjusting the outputs of a classifier to new a priori probabilities.
       Neural Computation 14, section 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal import estimate_prior
    >>> posterior = np.repeat([[0.98, 0.02], [0.02, 0.98]], [900, 100], axis=0)  # of a model for classes of one size
    >>> estimate_prior(posterior, training_prior=[1, 1], random_state=0).prior.round(3)
    array([0.917, 0.083])
    """
    values, weight = _as_weighted_rows(posterior, sample_weight)
    shares = _as_weights(training_prior, values.shape[1], "training_prior")
    weight = np.ones(len(values)) if weight is None else weight
    if isinstance(n_bootstrap, bool) or not isinstance(n_bootstrap, Integral) or n_bootstrap < 0:
        raise ValueError(f"n_bootstrap must be an integer >= 0, got {n_bootstrap!r}.")
    check_number("confidence", confidence, lambda number: 0 < number < 1, "a number in (0, 1)")
    likelihood = np.ascontiguousarray((values / shares).T)
    prior = _most_likely_prior(likelihood, weight, shares)
    _warn_if_not_identified(likelihood, weight, prior)
    random = check_random_state(random_state)
    # A weight is as many samples: of so many, on the whole, each draw has some.
    n_drawn, chances = max(int(weight.sum().round()), 1), weight / weight.sum()
    drawn = [_most_likely_prior(likelihood, random.multinomial(n_drawn, chances), prior) for _ in range(n_bootstrap)]
    tails = [(1 - float(confidence)) / 2, (1 + float(confidence)) / 2]
    low, high = np.quantile(drawn, tails, axis=0) if drawn else (prior, prior)
    return PriorEstimate(prior, low, high)


def _most_likely_prior(
    likelihood: NDArray[np.float64], weight: NDArray[Any], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the prior at which samples are most likely; `likelihood`, by class, is up to a factor of each sample.

    Expectation maximisation, two steps of which say where they lead (SQUAREM, Varadhan & Roland 2008): where it is not
    sure, plain steps come slowly.
    """
    kept = weight > 0
    likelihood, chances = likelihood[:, kept], weight[kept] / weight.sum()

    def stepped(prior: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        sums = prior @ likelihood
        return prior * ((likelihood / sums) @ chances), float(chances @ np.log(sums))

    prior = np.maximum(start, _SMALLEST)
    for _ in range(_MOST_STEPS):
        first, height = stepped(prior)
        second, _ = stepped(first)
        if np.abs(second - first).max() <= 1e-9 * second.max() and np.abs(second / first - 1).max() < 1e-6:
            return second / second.sum()
        change, bend = first - prior, second - 2 * first + prior
        length = max(1.0, float(np.linalg.norm(change)) / max(float(np.linalg.norm(bend)), 1e-300))
        length = min(length, 1e8)  # a longer one is rounding's, and its square may be no number
        leap = prior + 2 * length * change + length**2 * bend
        leap = np.maximum(leap, _SMALLEST)
        landed, reached = stepped(leap / leap.sum())
        prior = landed if reached >= height else second
        prior = np.maximum(prior, _SMALLEST)
    return prior / prior.sum()


def _warn_if_not_identified(
    likelihood: NDArray[np.float64], weight: NDArray[np.float64], prior: NDArray[np.float64]
) -> None:
    """Warn if the standard error of a class's share is above half of it, by the curvature of the likelihood."""
    ratios = likelihood / (prior @ likelihood)
    information = (ratios * weight) @ ratios.T
    # Shares sum to 1: the inverse on the plane of directions that keep the sum.
    directions = np.linalg.svd(np.ones((1, len(prior))))[2][1:]
    curvature = directions @ information @ directions.T
    covariance = directions.T @ np.linalg.pinv(curvature, rcond=1e-15, hermitian=True) @ directions
    flat = np.linalg.eigvalsh(curvature)[0] <= 1e-12 * weight.sum()
    unsure = np.sqrt(np.maximum(np.diagonal(covariance), 0)) > prior / 2  # where flat, rounding makes some negative
    if flat or unsure.any():
        which = "any class" if flat else f"the classes at {np.flatnonzero(unsure).tolist()}"
        warnings.warn(
            f"The posteriors hardly tell how often {which} occurs, estimated as {prior.tolist()}: use more samples, or "
            "a model that tells the classes apart.",
            stacklevel=users_stacklevel(),
        )


def matching_ratio(
    posterior: NDArray[np.float64], shares: NDArray[np.float64], sample_weight: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    """Return what `reweighted` takes to give a posterior whose weighted mean is `shares`; None if nothing does.

    The logarithms of it minimise a convex function, by Newton's steps that are halved until they lower it.
    """
    by_class = np.ascontiguousarray(posterior.T)  # many times as fast as samples in rows
    weight = np.full(len(posterior), 1.0) if sample_weight is None else sample_weight
    weight = weight / weight.sum()

    def moved(log_ratio: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = by_class * np.exp(log_ratio)[:, None]
        sums = odds.sum(axis=0)
        odds /= sums
        return float(weight @ np.log(sums) - shares @ log_ratio), odds

    # Of all ratios together only the relations count: that of the most frequent class stays, as the rest of the sum to
    # 1 would be lost to rounding if a rare one did.
    free = np.arange(len(shares)) != shares.argmax()
    log_ratio = np.zeros(len(shares))
    height, matched = moved(log_ratio)
    for _ in range(300):
        mean = matched @ weight
        if not np.isfinite(mean).all():
            return None
        if np.abs(mean / shares - 1).max() < 1e-10:
            return np.asarray(np.exp(log_ratio - log_ratio.max()))
        curvature = (np.diag(mean) - (weight * matched) @ matched.T)[np.ix_(free, free)]
        # In units in which the curvature of each class is 1; or 0, where no sample is undecided: then the step is as
        # long as steps may be.
        unit = 1 / np.sqrt(np.maximum(curvature.diagonal(), 1e-200))
        hessian = curvature * np.outer(unit, unit) + 1e-14 * np.eye(len(unit))
        step = np.zeros(len(shares))
        step[free] = unit * np.linalg.solve(hessian, unit * (mean - shares)[free])
        step *= min(1.0, 5 / max(np.abs(step).max(), 1e-300))
        lowered = (mean - shares) @ step
        before, start = height, log_ratio
        while True:
            log_ratio = start - step
            if np.array_equal(log_ratio, start) or np.abs(log_ratio).max() > 200:  # nowhere to go, or to a number
                return None
            height, matched = moved(log_ratio)
            if not (lowered > 1e-13 and height > before - 1e-4 * lowered):
                break
            step, lowered = step / 2, lowered / 2
    return None


def reweighted(posterior: Any, ratio: NDArray[np.float64]) -> Any:
    """Return posteriors of shape (n_samples, n_classes), of any array-API namespace, times a ratio of priors."""
    xp = array_namespace(posterior)
    odds = posterior * xp.asarray(ratio / ratio.max(), dtype=xp.float64)
    return odds / xp.sum(odds, axis=1)[:, None]


def correction_to(prior: Any, classes: NDArray[Any], totals: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return what `reweighted` takes to a prior, given as `as_prior` wants it; `totals` are what training had."""
    weights = as_prior(prior, classes)
    return None if weights is None else weights / totals


def as_prior(prior: Any, classes: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return the parameter `prior` as one weight for each class, or None."""
    if prior is None:
        return None
    if isinstance(prior, Real):
        if len(classes) != 2 or not 0 < float(prior) < 1:
            raise ValueError(
                "prior must be None, one weight > 0 per class, or for two classes the share of the second in (0, 1), "
                f"got {prior!r} for {len(classes)} classes."
            )
        prior = [1 - float(prior), float(prior)]
    return _as_weights(per_class(prior, classes, "prior"), len(classes), "prior")


def _as_posterior(posterior: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities as float64, rows that sum to 1."""
    values = np.asarray(posterior, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"posterior must have the shape (n_samples, n_classes), got {values.shape}.")
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        raise ValueError(f"posterior must hold probabilities in [0, 1], got {values[wrong][0]}.")
    sums = values.sum(axis=1)
    if not np.isclose(sums, 1, atol=1e-3).all():
        row = int(np.abs(sums - 1).argmax())
        raise ValueError(f"posterior must have rows that sum to 1, got {sums[row]} in row {row}.")
    return values


def _as_weighted_rows(
    posterior: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return probabilities of at least one sample, and weights or None."""
    values = _as_posterior(posterior)
    if not len(values):
        raise ValueError("posterior must have at least one row, got none.")
    return values, as_sample_weight(sample_weight, len(values))


def _as_weights(values: Any, n_classes: int, name: str) -> NDArray[np.float64]:
    try:
        weights = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must hold a weight > 0 for each of the {n_classes} classes, got {values!r}."
        ) from error
    if weights.shape != (n_classes,):
        raise ValueError(f"{name} must have the shape ({n_classes},), a weight per class, got {weights.shape}.")
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise ValueError(f"{name} must hold finite weights > 0, got {weights.tolist()}.")
    if weights.min() < 1e-100 * weights.max():  # so that products and ratios are numbers
        raise ValueError(f"{name} must hold weights that differ by a factor of 1e100 at most, got {weights.tolist()}.")
    weights = weights / weights.max()
    return weights / weights.sum()
