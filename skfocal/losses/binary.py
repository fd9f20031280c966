"""The focal loss of two classes. Imports `base`, `_arrays` and `_compat`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from skfocal._arrays import Array, as_link_margins, as_margins
from skfocal._compat import array_namespace
from skfocal.losses.base import FocalLoss


@dataclass(frozen=True)
class BinaryFocalLoss(FocalLoss):
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
    gamma : float or sequence of 2 floats, default=1.0
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

    def _as_raw(self, raw_prediction: ArrayLike) -> Array:
        raw = as_margins(raw_prediction)
        if raw.ndim != 1:
            raise ValueError(f"raw_prediction must have the shape (n_samples,) for two classes, got {raw.shape}.")
        return raw

    @staticmethod
    def n_margins(n_classes: int) -> int:
        """Return the number of margins of a sample: 1."""
        return 1

    def _n_classes(self, raw: Array) -> int:
        return 2

    def _lead(self, codes: Array, raw: Array) -> tuple[Array, Array]:
        sign = array_namespace(codes).asarray(2 * codes - 1, dtype=raw.dtype)
        return sign * raw, sign

    def _gradient(self, chain: Array, slope: Array) -> Array:
        return chain * slope

    def _diagonal(self, chain: Array, slope: Array, curvature: Array) -> Array:
        return curvature

    def _log_odds_posterior(self, z: Any) -> Any:
        gamma_negative, gamma_positive = np.broadcast_to(self.gamma, 2).tolist()
        log_link = self.formulas.log_link
        return log_link(z, gamma_positive, self.focal_mix) - log_link(-z, gamma_negative, self.focal_mix)

    def predict_proba(self, raw_prediction: ArrayLike, *, n_jobs: int | None = 1) -> NDArray[np.float64]:
        """Map margins to posterior probabilities through the focal link.

        Parameters
        ----------
        raw_prediction : array-like of shape (n_samples,)
            Raw margins z.
        n_jobs : int or None, default=1
            Number of threads, as of `skfocal.FocalObjective`; the result is the same for any.

        Returns
        -------
        posterior : ndarray of shape (n_samples, 2), float64
            Increasing in z, strictly but for rounding; 1/2 at z = 0 unless gamma differs between the classes. Each
            column is right by itself, to 1e-12 times what it is, down to 1e-300.
        """
        raw = self._as_raw(raw_prediction)
        return self._through_link(raw, n_jobs)

    def _posterior(self, raw: Array) -> tuple[Array]:
        xp = array_namespace(raw)
        log_odds_posterior = self._log_odds_posterior(as_link_margins(raw))
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

        def gap(z: float) -> float:
            return float(self._log_odds_posterior(np.asarray(z)) - target)

        limit = 1.0
        while gap(-limit) > 0 or gap(limit) < 0:  # it increases with z, without end
            limit *= 2
        return float(brentq(gap, -limit, limit, xtol=1e-300, maxiter=1000))
