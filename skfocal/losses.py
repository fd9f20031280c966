"""The focal loss on raw margins: per-sample loss, gradient, Hessian, link and intercept.

A loss is a frozen, stateless, picklable value: gamma, alpha and nothing else. It knows no engine and no sample weight;
what it returns is per sample, so that weighting and averaging happen in one place, outside. Arrays may be of any
array-API namespace. Imports `_math` and `_arrays`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from skfocal._arrays import Array, as_codes, as_margins, in_blocks
from skfocal._compat import array_namespace
from skfocal._math import focal_loss, log_link, log_odds, loss_slope, slope_curvature

__all__ = ["BinaryFocalLoss", "MulticlassFocalLoss", "MultilabelFocalLoss"]

HessianPolicy = Literal["stable", "exact"]
HESSIAN_POLICIES: tuple[HessianPolicy, ...] = ("stable", "exact")

# Margins beyond this are past every prior that float64 can hold: |log prior| <= 745.
_MARGIN_LIMIT = 1e4
# A larger gamma has no use (at 100 a sample with p = 0.1 already weighs 3e-5), and its powers would overflow.
_GAMMA_LIMIT = 1e4


def check_hessian_policy(policy: object, name: str) -> HessianPolicy:
    """Return `policy` if it is one of `HESSIAN_POLICIES`; raise a ValueError that calls it `name` otherwise."""
    if not isinstance(policy, str) or policy not in HESSIAN_POLICIES:
        raise ValueError(f"{name} must be one of {list(HESSIAN_POLICIES)}, got {policy!r}.")
    return policy


def check_gamma(gamma: object, name: str = "gamma") -> float | tuple[float, ...]:
    """Return a focusing parameter as a float, or as a tuple with one float per class."""
    if isinstance(gamma, Real):
        values: tuple[float, ...] = (float(gamma),)
    else:
        values = _as_floats(gamma, f"{name} must be a number >= 0 or one per class")
    if not all(0 <= value <= _GAMMA_LIMIT for value in values):
        raise ValueError(f"{name} must be in [0, {_GAMMA_LIMIT:g}], got {gamma!r}.")
    return values[0] if isinstance(gamma, Real) else values


def check_mix(mix: object, name: str = "focal_mix") -> float:
    """Return the share of the log loss as a float in [0, 1]."""
    if not isinstance(mix, Real):
        raise TypeError(f"{name} must be a number in [0, 1], got {mix!r}.")
    if not 0 <= float(mix) <= 1:
        raise ValueError(f"{name} must be in [0, 1], the share of the log loss, got {mix!r}.")
    return float(mix)


def check_alpha(alpha: object, *, two_classes: bool, name: str = "alpha") -> float | tuple[float, ...] | None:
    """Return class weights as None, a float in (0, 1) (two classes only), or a tuple with one weight per class."""
    if alpha is None:
        return None
    if isinstance(alpha, Real):
        if not two_classes:
            raise ValueError(f"{name} must be None or one weight per class for more than two classes, got {alpha!r}.")
        if not 0 < float(alpha) < 1:
            raise ValueError(f"{name} must be in (0, 1), the weight of the second class, got {alpha!r}.")
        return float(alpha)
    values = _as_floats(alpha, f"{name} must be None, a number in (0, 1) or one weight > 0 per class")
    if not all(0 < value < np.inf for value in values):
        raise ValueError(f"{name} must hold finite weights > 0, one per class, got {alpha!r}.")
    return values


def check_length(values: object, n_classes: int, name: str, *, what: str = "classes") -> None:
    """Raise a ValueError if `values` is a tuple of another length than the number of classes."""
    if isinstance(values, tuple) and len(values) != n_classes:
        raise ValueError(
            f"{name} must have one value for each of the {n_classes} {what}, got {len(values)}: {values!r}."
        )


def _as_floats(values: object, requirement: str) -> tuple[float, ...]:
    """Return a one-dimensional array-like as a tuple of floats."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{requirement}, got {values!r}.") from error
    if values is None:  # which NumPy takes for nan
        raise TypeError(f"{requirement}, got None.")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{requirement}, got {values!r}.")
    return tuple(array.tolist())


class Targets(NamedTuple):
    """The true classes as the formulas take them, each with one entry per sample, or the same for all."""

    truth: Array  # class codes; for two classes 1 and -1, in the dtype of the margins
    gamma: float | Array
    weight: Array | None  # alpha of the true class; what uses the targets may multiply its own weights into it


def weighted(values: Array, weight: Array | None) -> Array:
    """Return values of shape (n_samples, ...) times one weight per sample."""
    if weight is None:
        return values
    return values * (weight[:, None] if values.ndim > 1 else weight)


@dataclass(frozen=True)
class _FocalLoss(ABC):
    """What the two losses share: parameters per class, and the path from margins to one margin ``u`` per sample."""

    gamma: float | Sequence[float] = 2.0
    alpha: float | Sequence[float] | None = None
    focal_mix: float = 0.0

    _two_classes: ClassVar[bool]

    def __post_init__(self) -> None:
        # Tuples keep the value hashable and comparable; a frozen dataclass is set through object.
        object.__setattr__(self, "gamma", check_gamma(self.gamma))
        object.__setattr__(self, "alpha", check_alpha(self.alpha, two_classes=self._two_classes))
        object.__setattr__(self, "focal_mix", check_mix(self.focal_mix))

    @property
    def class_weights(self) -> tuple[float, ...] | None:
        """Alpha as None or one weight per class, in the order of the class codes."""
        if isinstance(self.alpha, float):
            return (1 - self.alpha, self.alpha)
        return self.alpha  # type: ignore[return-value]  # a tuple or None once checked

    @abstractmethod
    def _check_raw(self, raw_prediction: ArrayLike) -> Array: ...

    @abstractmethod
    def _n_classes(self, raw: Array) -> int: ...

    @abstractmethod
    def _truth(self, codes: Array, dtype: Any) -> Array:
        """Return `Targets.truth`."""

    @abstractmethod
    def _lead(self, truth: Array, raw: Array) -> tuple[Array, Any]:
        """Return u, the margin by which the true class leads, and what the chain rule needs of how it came about."""

    @abstractmethod
    def _gradient(self, chain: Any, slope: Array) -> Array:
        """Carry the first derivative by u over to the margins (chain rule)."""

    @abstractmethod
    def _diagonal(self, chain: Any, slope: Array, curvature: Array) -> Array:
        """Carry the second derivative by u over to the margins."""

    def _check_lengths(self, n_classes: int) -> None:
        check_length(self.gamma, n_classes, "gamma")
        check_length(self.alpha, n_classes, "alpha")

    def _targets(self, y_true: ArrayLike, raw: Array, dtype: Any) -> Targets:
        """Check class codes; return what the formulas need of them, for margins like these, but of this dtype."""
        n_classes = self._n_classes(raw)
        self._check_lengths(n_classes)
        return self._targets_of(as_codes(y_true, raw, n_classes), dtype)

    def _targets_of(self, codes: Array, dtype: Any) -> Targets:
        xp = array_namespace(codes)

        def of_class(values: tuple[float, ...]) -> Array:
            return xp.take(xp.asarray(values, dtype=dtype, device=codes.device), codes)

        gamma = of_class(self.gamma) if isinstance(self.gamma, tuple) else self.gamma
        weight = None if self.class_weights is None else of_class(self.class_weights)
        return Targets(self._truth(codes, dtype), gamma, weight)

    def _evaluate(self, formula: Callable[..., Sequence[Array]], y_true: ArrayLike, raw_prediction: ArrayLike) -> Any:
        raw = self._check_raw(raw_prediction)
        return in_blocks(formula, (raw, *self._targets(y_true, raw, raw.dtype)))

    def _loss_gradient(self, codes: Array, raw: Array) -> Any:
        """Return what `loss_gradient` returns, unchecked: a network asks for every batch."""
        return in_blocks(self._losses_gradient, (raw, *self._targets_of(codes, raw.dtype)))

    def _losses(self, raw: Array, truth: Array, gamma: Any, weight: Array | None) -> tuple[Array]:
        return (weighted(focal_loss(self._lead(truth, raw)[0], gamma, self.focal_mix), weight),)

    def _losses_gradient(self, raw: Array, truth: Array, gamma: Any, weight: Array | None) -> tuple[Array, Array]:
        u, chain = self._lead(truth, raw)
        losses, slope = loss_slope(u, gamma, self.focal_mix)
        return weighted(losses, weight), weighted(self._gradient(chain, slope), weight)

    def _derivatives(self, raw: Array, truth: Array, gamma: Any, *, stable: bool) -> tuple[Array, Array]:
        """Return gradient and Hessian; not weighted, as engines put a floor under the Hessian before that."""
        u, chain = self._lead(truth, raw)
        slope, curvature = slope_curvature(u, gamma, self.focal_mix, stable=stable)
        return self._gradient(chain, slope), self._diagonal(chain, slope, curvature)

    def loss(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the focal loss of each sample, alpha_y * -(1 - p_y)**gamma_y * log p_y, mixed as `focal_mix` says.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class codes 0 ... n_classes - 1, of any dtype.
        raw_prediction : array-like of shape (n_samples,) or (n_samples, n_classes)
            Raw margins.

        Returns
        -------
        loss : ndarray of shape (n_samples,)
            In nats, >= 0, in the floating dtype of `raw_prediction`.

        Raises
        ------
        ValueError
            If a shape, a class code or the length of gamma or alpha does not fit.
        """
        return self._evaluate(self._losses, y_true, raw_prediction)[0]

    def loss_gradient(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> tuple[Array, Array]:
        """Return the loss of each sample and its derivative by the margins, for less than the price of both.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class codes 0 ... n_classes - 1, of any dtype.
        raw_prediction : array-like of shape (n_samples,) or (n_samples, n_classes)
            Raw margins.

        Returns
        -------
        loss : ndarray of shape (n_samples,)
            In nats, >= 0, in the floating dtype of `raw_prediction`.
        gradient : ndarray of the shape and floating dtype of `raw_prediction`

        Raises
        ------
        ValueError
            If a shape, a class code or the length of gamma or alpha does not fit.
        """
        losses, gradient = self._evaluate(self._losses_gradient, y_true, raw_prediction)
        return losses, gradient

    def gradient(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the derivative of each sample's loss by its margins; see `loss_gradient`."""
        return self.loss_gradient(y_true, raw_prediction)[1]

    def hessian(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the exact second derivative (for K classes its diagonal); see `gradient_hessian`."""
        return self.gradient_hessian(y_true, raw_prediction)[1]

    def gradient_hessian(
        self, y_true: ArrayLike, raw_prediction: ArrayLike, *, hessian: HessianPolicy = "exact"
    ) -> tuple[Array, Array]:
        """Return the gradient and the Hessian (for K classes its diagonal) of each sample's loss.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class codes 0 ... n_classes - 1, of any dtype.
        raw_prediction : array-like of shape (n_samples,) or (n_samples, n_classes)
            Raw margins. Finite results for |margin| up to 1e20.
        hessian : {"exact", "stable"}, default="exact"
            "exact" is the second derivative; it is negative where the model is confidently wrong. "stable" raises the
            curvature along the margin of the true class to that of a quadratic that bounds the logistic loss
            (Jaakkola & Jordan 2000), times A: positive wherever it does not underflow, and made for Newton steps.

        Returns
        -------
        gradient, hessian : ndarray, each of the shape and floating dtype of `raw_prediction`

        Raises
        ------
        ValueError
            If a shape, a class code, the policy, or the length of gamma or alpha does not fit.
        """
        check_hessian_policy(hessian, "hessian")

        def formula(raw: Array, truth: Array, gamma: Any, weight: Array | None) -> list[Array]:
            derivatives = self._derivatives(raw, truth, gamma, stable=hessian == "stable")
            return [weighted(values, weight) for values in derivatives]

        gradient, diagonal = self._evaluate(formula, y_true, raw_prediction)
        return gradient, diagonal

    @abstractmethod
    def predict_proba(self, raw_prediction: ArrayLike) -> NDArray[np.float64]:
        """Map margins to posterior probabilities through the focal link."""

    @abstractmethod
    def intercept(self, prior: ArrayLike) -> float | NDArray[np.float64]:
        """Return the best constant margins for a prior: the inverse of the focal link."""

    def _log_prior(self, prior: ArrayLike) -> NDArray[np.float64]:
        """Return the log of the prior of the data as alpha reweights it, up to a constant."""
        values = np.asarray(prior, dtype=np.float64)
        if values.ndim != 1 or values.size < 2:
            raise ValueError(f"prior must have the shape (n_classes,), n_classes >= 2, got {values.shape}.")
        self._check_lengths(values.size)
        if not (np.isfinite(values) & (values > 0)).all():
            raise ValueError(f"prior must be finite and > 0 for every class, got {prior!r}.")
        weights = self.class_weights
        return np.log(values) + (0.0 if weights is None else np.log(weights))


@dataclass(frozen=True)
class BinaryFocalLoss(_FocalLoss):
    """Focal loss for two classes, on one margin z per sample.

    With u = z for y = 1 and u = -z for y = 0, p = sigmoid(u) and q = 1 - p [1]_::

        loss      -q**gamma * log p
        gradient  q**gamma * (gamma * p * log p - q)                     by u; times -1 by z where y = 0
        Hessian   p * q**gamma * (q * (gamma * log p + 2 * gamma + 1) - gamma**2 * p * log p)
        link      posterior of class k proportional to p_k / A_k(p_k),
                  A(p) = (1 - p)**gamma - gamma * p * (1 - p)**(gamma - 1) * log p                   [2]_

    all times alpha of the true class (the link excepted: `alpha` reweights the data, and the link gives the posterior
    of the reweighted data, as scikit-learn's `class_weight` does).

    Domain: y in {0, 1}; z any real number. At gamma = 0 all of it is the log loss and the logistic link.

    Parameters
    ----------
    gamma : float or sequence of 2 floats, default=2.0
        Focusing parameter in [0, 1e4]: how fast the weight of a sample falls as it is classified well. Two values are
        those of the negative and the positive class.
    alpha : float, sequence of 2 floats or None, default=None
        Class weights. A float in (0, 1) is the weight of the positive class, the negative class then has 1 - alpha;
        two values > 0 are the weights of the negative and the positive class; None weighs both 1.
    focal_mix : float, default=0.0
        Share of the log loss in [0, 1]: the loss is (1 - focal_mix) times the focal loss + focal_mix times the log
        loss, and A likewise (1 - focal_mix) A + focal_mix. Keeps samples that are classified well from losing all
        weight; at 1 all of it is the log loss.

    References
    ----------
    .. [1] Lin et al. (2017), Focal loss for dense object detection. arXiv:1708.02002.
    .. [2] Charoenphakdee et al. (2021), On focal loss for class-posterior probability estimation. arXiv:2011.09172.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.losses import BinaryFocalLoss
    >>> loss = BinaryFocalLoss(gamma=2.0)
    >>> loss.loss([1, 0], [0.0, -1.0]).round(4)
    array([0.1733, 0.0227])
    >>> gradient, hessian = loss.gradient_hessian([1, 0], [0.0, -1.0])
    >>> gradient.round(4)
    array([-0.2983,  0.0526])
    >>> round(loss.intercept([0.998, 0.002]), 4)
    -2.2953
    >>> loss.predict_proba([loss.intercept([0.998, 0.002])]).round(6)
    array([[0.998, 0.002]])
    """

    _two_classes = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_lengths(2)

    def _check_raw(self, raw_prediction: ArrayLike) -> Array:
        raw = as_margins(raw_prediction)
        if raw.ndim != 1:
            raise ValueError(f"raw_prediction must have the shape (n_samples,) for two classes, got {raw.shape}.")
        return raw

    def _n_classes(self, raw: Array) -> int:
        return 2

    def _truth(self, codes: Array, dtype: Any) -> Array:
        return array_namespace(codes).asarray(2 * codes - 1, dtype=dtype)

    def _lead(self, truth: Array, raw: Array) -> tuple[Array, Array]:
        return truth * raw, truth

    def _gradient(self, chain: Array, slope: Array) -> Array:
        return chain * slope

    def _diagonal(self, chain: Array, slope: Array, curvature: Array) -> Array:
        return curvature

    def _log_odds_posterior(self, z: Any) -> Any:
        gamma_negative, gamma_positive = np.broadcast_to(self.gamma, 2).tolist()
        return log_link(z, gamma_positive, self.focal_mix) - log_link(-z, gamma_negative, self.focal_mix)

    def predict_proba(self, raw_prediction: ArrayLike) -> NDArray[np.float64]:
        """Map margins to posterior probabilities through the focal link.

        Parameters
        ----------
        raw_prediction : array-like of shape (n_samples,)
            Raw margins z.

        Returns
        -------
        posterior : ndarray of shape (n_samples, 2), float64
            Strictly increasing in z; 1/2 at z = 0 unless gamma differs between the classes. Each column is right to
            rounding by itself, however close to 0.
        """
        return in_blocks(self._posterior, (self._check_raw(raw_prediction),))[0]

    def _posterior(self, raw: Array) -> tuple[Array]:
        xp = array_namespace(raw)
        log_odds_posterior = self._log_odds_posterior(xp.asarray(raw, dtype=xp.float64))
        odds_against = xp.exp(-xp.abs(log_odds_posterior))  # of the more probable class
        more, less = 1 / (1 + odds_against), odds_against / (1 + odds_against)
        negative = log_odds_posterior < 0
        return (xp.stack([xp.where(negative, more, less), xp.where(negative, less, more)], axis=-1),)

    def intercept(self, prior: ArrayLike) -> float:
        """Return the constant margin that minimises the loss for a prior: the inverse of the focal link.

        Parameters
        ----------
        prior : array-like of shape (2,)
            Weight of the negative and of the positive class, > 0, on any scale: counts, proportions, or with sample
            weights ``np.bincount(y, weights=sample_weight)``. `alpha` is applied to it.

        Returns
        -------
        margin : float
            ``predict_proba([margin])`` is the prior (reweighted by alpha).
        """
        log_prior = self._log_prior(prior)
        if log_prior.size != 2:
            raise ValueError(f"prior must have the shape (2,), got {log_prior.shape}.")
        target = log_prior[1] - log_prior[0]
        # log p - log q = z, and what gamma adds to it is at most log(1 + gamma) + gamma log 2 against the target.
        limit = abs(target) + 2 * float(np.max(self.gamma)) + 1
        return float(
            brentq(lambda z: self._log_odds_posterior(np.asarray(z)) - target, -limit, limit, xtol=1e-300, maxiter=1000)
        )


@dataclass(frozen=True)
class MulticlassFocalLoss(_FocalLoss):
    """Focal loss for K classes, on K margins per sample, through the softmax.

    With p = softmax(z), y the true class and delta_ky = 1 where k = y [1]_::

        loss      -(1 - p_y)**gamma_y * log p_y
        gradient  A_y(p_y) * (p_k - delta_ky)                            by z_k
        Hessian   A * p_k * (1 - p_k) - A' * p_y * (p_k - delta_ky)**2   its diagonal
        link      posterior of class k proportional to p_k / A_k(p_k),
                  A(p) = (1 - p)**gamma - gamma * p * (1 - p)**(gamma - 1) * log p                   [2]_

    all times alpha of the true class (the link excepted, see `BinaryFocalLoss`). It is computed through the one margin
    u = z_y - logsumexp of the other margins: the loss is then the binary one at u, and the chain rule, with r_k the
    softmax among the other classes, gives the gradient -f'(u) r_k and the diagonal f''(u) r_k**2 - f'(u) r_k (1 - r_k)
    for k != y, f'(u) and f''(u) for y itself. Nothing cancels, and the gradient of a sample sums to 0.

    Domain: y in {0 ... K - 1}; margins any real numbers, adding a constant to all K changes nothing. With two classes
    it equals `BinaryFocalLoss` at z = z_1 - z_0. With one gamma for all classes the link keeps the order of the
    classes; with several it need not.

    Parameters
    ----------
    gamma : float or sequence of K floats, default=2.0
        Focusing parameter in [0, 1e4], for all classes or one for each.
    alpha : sequence of K floats or None, default=None
        Class weights > 0; None weighs every class 1.
    focal_mix : float, default=0.0
        Share of the log loss in [0, 1]: the loss is (1 - focal_mix) times the focal loss + focal_mix times the log
        loss, and A likewise (1 - focal_mix) A + focal_mix. Keeps samples that are classified well from losing all
        weight; at 1 all of it is the log loss.

    References
    ----------
    .. [1] Lin et al. (2017), Focal loss for dense object detection. arXiv:1708.02002.
    .. [2] Charoenphakdee et al. (2021), On focal loss for class-posterior probability estimation. arXiv:2011.09172.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.losses import MulticlassFocalLoss
    >>> loss = MulticlassFocalLoss(gamma=2.0)
    >>> raw = np.array([[0.5, 0.0, -0.5], [1.0, 0.0, 0.0]])
    >>> loss.loss([2, 0], raw).round(4)
    array([1.1125, 0.0991])
    >>> bool(np.allclose(loss.gradient([2, 0], raw).sum(axis=1), 0))
    True
    >>> loss.predict_proba([loss.intercept([90, 9, 1])]).round(6)
    array([[0.9 , 0.09, 0.01]])
    """

    _two_classes = False

    def _check_raw(self, raw_prediction: ArrayLike) -> Array:
        raw = as_margins(raw_prediction)
        if raw.ndim != 2 or raw.shape[1] < 2:
            raise ValueError(
                f"raw_prediction must have the shape (n_samples, n_classes), n_classes >= 2, got {raw.shape}."
            )
        return raw

    def _n_classes(self, raw: Array) -> int:
        return int(raw.shape[1])

    def _truth(self, codes: Array, dtype: Any) -> Array:
        return codes

    def _lead(self, truth: Array, raw: Array) -> tuple[Array, tuple[Array, Array, Array]]:
        """Return u; and which class is the true one, the odds of the others against the best of them, and their shares.

        The arrays of classes are of shape (n_classes, n_samples): maxima and sums over a short last axis are slow.
        What is true of some entries only is multiplied by 0 or 1, as choosing takes ten times as long.
        """
        xp = array_namespace(raw)
        margins = xp.stack([raw[:, k] for k in range(raw.shape[1])])
        codes = xp.arange(raw.shape[1], dtype=truth.dtype, device=raw.device)
        own = xp.asarray(codes[:, None] == truth, dtype=raw.dtype)
        others = margins - own * (xp.finfo(raw.dtype).max / 2)
        best = xp.max(others, axis=0)
        odds = xp.exp(others - best)  # 0 for the true class, 1 for the best of the others
        total = xp.sum(odds, axis=0)
        # The difference first: it is exact where the two margins are close, and large margins do not drown the log.
        return xp.sum(own * (margins - best), axis=0) - xp.log(total), (own, odds, odds / total)

    def _gradient(self, chain: tuple[Array, Array, Array], slope: Array) -> Array:
        own, _, share = chain
        return (slope * (own - share)).T

    def _diagonal(self, chain: tuple[Array, Array, Array], slope: Array, curvature: Array) -> Array:
        own, odds, share = chain
        xp = array_namespace(odds)
        # 1 - share cancels where a share is close to 1. The best class has odds of 1, so that the sum without it is
        # right to rounding, and so is what the others leave of it.
        best = xp.asarray(odds == 1, dtype=odds.dtype)
        n_best, rest = xp.sum(best, axis=0), xp.sum(odds - best, axis=0)
        complement = (rest + (n_best - odds)) / (rest + n_best)
        return (own * curvature + share * (curvature * share - slope * complement)).T

    def _margins_one_vs_rest(self, raw: Array) -> Array:
        """Return z_k - logsumexp of the other margins, for every class k."""
        xp = array_namespace(raw)
        winner = xp.argmax(raw, axis=1)
        is_winner = xp.arange(raw.shape[1], dtype=winner.dtype, device=raw.device) == winner[:, None]
        lead = raw - xp.max(raw, axis=1)[:, None]
        odds = xp.exp(lead)
        rest = xp.sum(odds, axis=1)[:, None] - odds  # >= 1 for all but the winner, whose rest may cancel
        return xp.where(is_winner, self._lead(winner, raw)[0][:, None], lead - xp.log(xp.where(is_winner, 1.0, rest)))

    def predict_proba(self, raw_prediction: ArrayLike) -> NDArray[np.float64]:
        """Map margins to posterior probabilities through the focal link.

        Parameters
        ----------
        raw_prediction : array-like of shape (n_samples, n_classes)
            Raw margins.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_classes), float64
            Rows sum to 1.
        """
        raw = self._check_raw(raw_prediction)
        self._check_lengths(raw.shape[1])
        return in_blocks(self._posterior, (raw,))[0]

    def _posterior(self, raw: Array) -> tuple[Array]:
        xp = array_namespace(raw)
        raw = xp.asarray(raw, dtype=xp.float64)
        gamma = xp.asarray(self.gamma, dtype=xp.float64, device=raw.device)
        logits = log_link(self._margins_one_vs_rest(raw), gamma, self.focal_mix)
        odds = xp.exp(logits - xp.max(logits, axis=1)[:, None])
        return (odds / xp.sum(odds, axis=1)[:, None],)

    def intercept(self, prior: ArrayLike) -> NDArray[np.float64]:
        """Return the constant margins that minimise the loss for a prior: the inverse of the focal link.

        Parameters
        ----------
        prior : array-like of shape (n_classes,)
            Weight of each class, > 0, on any scale: counts, proportions, or with sample weights
            ``np.bincount(y, weights=sample_weight)``. `alpha` is applied to it.

        Returns
        -------
        margins : ndarray of shape (n_classes,), float64
            With mean 0. ``predict_proba([margins])`` is the prior (reweighted by alpha).
        """
        log_prior = self._log_prior(prior)
        gammas = np.broadcast_to(self.gamma, log_prior.shape)
        log_prior = log_prior - log_prior.max()
        first = int(log_prior.argmax())

        def margins(shift: float) -> NDArray[np.float64]:
            """Solve log(p_k / A_k) = log prior_k + shift, class by class."""
            targets = zip(log_prior + shift, gammas, strict=True)
            return np.array([_invert_log_link(value, gamma, self.focal_mix) for value, gamma in targets])

        def excess(shift: float) -> float:
            """Return log of the others' total probability - log(1 - p of the first): 0 where probabilities sum to 1."""
            log_p, log_q, _ = log_odds(margins(shift))
            return float(np.logaddexp.reduce(np.delete(log_p, first)) - log_q[first])

        # excess increases with the shift; p/A = prior * exp(shift) with p <= 1 bounds how far the root can be.
        limit = 1.0
        while excess(-limit) > 0 or excess(limit) < 0:
            limit *= 2
        u = margins(float(brentq(excess, -limit, limit, xtol=1e-15, maxiter=1000)))
        log_p = log_odds(u).log_p
        return log_p - log_p.mean()


@dataclass(frozen=True)
class MultilabelFocalLoss:
    """Focal loss for several labels that a sample has or has not, on one margin each: the sum of two-class losses.

    Domain: y in {0, 1}, one column per label; margins any real numbers. Labels are independent given the margins, so
    gradient, link and intercept are those of `BinaryFocalLoss`, label by label.

    Parameters
    ----------
    labels : sequence of BinaryFocalLoss
        The loss of each label; its alpha weighs absence and presence.

    Raises
    ------
    TypeError
        If `labels` holds anything else.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.losses import BinaryFocalLoss, MultilabelFocalLoss
    >>> loss = MultilabelFocalLoss([BinaryFocalLoss(2.0), BinaryFocalLoss(0.0, alpha=0.9)])
    >>> loss.loss(np.array([[1, 0], [0, 1]]), np.array([[0.0, -1.0], [-3.0, 0.0]])).round(4)
    array([0.2046, 0.6239])
    >>> loss.predict_proba(np.array([[0.0, -1.0]])).round(4)
    array([[0.5   , 0.2689]])
    """

    labels: tuple[BinaryFocalLoss, ...]

    def __post_init__(self) -> None:
        labels = tuple(self.labels)
        wrong = [label for label in labels if not isinstance(label, BinaryFocalLoss)]
        if wrong or not labels:
            raise TypeError(f"labels must hold one BinaryFocalLoss for each label, got {self.labels!r}.")
        object.__setattr__(self, "labels", labels)

    @cached_property
    def _gammas(self) -> NDArray[np.float64]:
        """Gamma of absence and presence, shape (2, n_labels)."""
        return np.array([np.broadcast_to(label.gamma, 2) for label in self.labels]).T

    @cached_property
    def _mixes(self) -> NDArray[np.float64]:
        """focal_mix of each label."""
        return np.array([label.focal_mix for label in self.labels])

    @cached_property
    def _weights(self) -> NDArray[np.float64] | None:
        """Weight of absence and presence, shape (2, n_labels), or None."""
        if all(label.alpha is None for label in self.labels):
            return None
        return np.array([label.class_weights or (1.0, 1.0) for label in self.labels]).T

    def _check_raw(self, raw_prediction: ArrayLike) -> Array:
        raw = as_margins(raw_prediction)
        if raw.ndim != 2 or raw.shape[1] != len(self.labels):
            raise ValueError(f"raw_prediction must have the shape (n_samples, {len(self.labels)}), got {raw.shape}.")
        return raw

    def loss(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the focal loss of each sample; see `loss_gradient`."""
        return self.loss_gradient(y_true, raw_prediction)[0]

    def gradient(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the derivative of each sample's loss by its margins; see `loss_gradient`."""
        return self.loss_gradient(y_true, raw_prediction)[1]

    def loss_gradient(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> tuple[Array, Array]:
        """Return the loss of each sample, summed over labels, and its derivative by the margins.

        Parameters
        ----------
        y_true : array-like of shape (n_samples, n_labels)
            1 or True where a sample has the label, 0 or False where not.
        raw_prediction : array-like of shape (n_samples, n_labels)
            Raw margins.

        Returns
        -------
        loss : ndarray of shape (n_samples,)
            In nats, >= 0, in the floating dtype of `raw_prediction`.
        gradient : ndarray of the shape and floating dtype of `raw_prediction`

        Raises
        ------
        ValueError
            If a shape or an entry of `y_true` does not fit.
        """
        raw = self._check_raw(raw_prediction)
        y = np.asarray(y_true)
        if y.shape != raw.shape:
            raise ValueError(f"y_true must have the shape {raw.shape} of raw_prediction, got {y.shape}.")
        present = y.astype(bool)
        if (present != y).any():
            raise ValueError(f"y_true must hold 0 and 1, got {y[present != y][0]}.")
        return self._loss_gradient(present, raw)

    def _loss_gradient(self, present: NDArray[np.bool_], raw: Array) -> tuple[Array, Array]:
        absence, presence = self._gammas.astype(raw.dtype)
        mix = self._mixes.astype(raw.dtype) if self._mixes.any() else 0.0
        loss, slope = loss_slope(np.where(present, raw, -raw), np.where(present, presence, absence), mix)
        if self._weights is not None:
            absence, presence = self._weights.astype(raw.dtype)
            weight = np.where(present, presence, absence)
            loss, slope = loss * weight, slope * weight
        return loss.sum(axis=1), np.where(present, slope, -slope)

    def predict_proba(self, raw_prediction: ArrayLike) -> NDArray[np.float64]:
        """Map margins to the posterior probability of each label through the focal link.

        Parameters
        ----------
        raw_prediction : array-like of shape (n_samples, n_labels)
            Raw margins.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_labels), float64
        """
        raw = self._check_raw(raw_prediction)
        return np.column_stack([label.predict_proba(raw[:, k])[:, 1] for k, label in enumerate(self.labels)])

    def intercept(self, prior: ArrayLike) -> NDArray[np.float64]:
        """Return the constant margins that minimise the loss for a prior: the inverse of the focal link.

        Parameters
        ----------
        prior : array-like of shape (n_labels, 2)
            Weight of the samples without and with each label, > 0, on any scale.

        Returns
        -------
        margins : ndarray of shape (n_labels,), float64
        """
        values = np.asarray(prior, dtype=np.float64)
        if values.shape != (len(self.labels), 2):
            raise ValueError(f"prior must have the shape ({len(self.labels)}, 2), got {values.shape}.")
        return np.array([label.intercept(pair) for label, pair in zip(self.labels, values, strict=True)])


def _invert_log_link(value: float, gamma: float, mix: float) -> float:
    """Return the u with log(p / A(p)) = value, clipped to +-_MARGIN_LIMIT.

    Where A does not vanish, without gamma or with a mix, the link has an end that the value may be beyond.
    """

    def gap(u: float) -> float:
        return float(log_link(np.asarray(u), gamma, mix)) - value

    if gap(_MARGIN_LIMIT) <= 0:
        return _MARGIN_LIMIT
    if gap(-_MARGIN_LIMIT) >= 0:
        return -_MARGIN_LIMIT
    return float(brentq(gap, -_MARGIN_LIMIT, _MARGIN_LIMIT, xtol=1e-15, maxiter=1000))
