"""The focal loss of several classes, through the softmax.

Imports `base`, `formulas`, `_arrays` and `_compat`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from skfocal._arrays import Array, as_link_margins, as_margins
from skfocal._compat import array_namespace
from skfocal.losses.base import FocalLoss
from skfocal.losses.formulas import log_odds

# Margins beyond this are past every prior that float64 can hold: |log prior| <= 745.
_MARGIN_LIMIT = 1e4


@dataclass(frozen=True)
class MulticlassFocalLoss(FocalLoss):
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
    gamma : float or sequence of K floats, default=1.0
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

    def _as_raw(self, raw_prediction: ArrayLike) -> Array:
        raw = as_margins(raw_prediction)
        if raw.ndim != 2 or raw.shape[1] < 2:
            raise ValueError(
                f"raw_prediction must have the shape (n_samples, n_classes), n_classes >= 2, got {raw.shape}."
            )
        return raw

    @staticmethod
    def n_margins(n_classes: int) -> int:
        """Return the number of margins of a sample: one for each class."""
        return n_classes

    def _n_classes(self, raw: Array) -> int:
        return int(raw.shape[1])

    def _lead(self, codes: Array, raw: Array) -> tuple[Array, tuple[Array, Array, Array]]:
        """Return u; and which class is the true one, the odds of the others against the best of them, and their shares.

        The arrays of classes are of shape (n_classes, n_samples): maxima and sums over a short last axis are slow.
        What is true of some entries only is multiplied by 0 or 1, as choosing takes ten times as long.
        """
        xp = array_namespace(raw)
        margins = xp.stack([raw[:, k] for k in range(raw.shape[1])])
        classes = xp.arange(raw.shape[1], dtype=codes.dtype, device=raw.device)
        own = xp.asarray(classes[:, None] == codes, dtype=raw.dtype)
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

    def predict_proba(self, raw_prediction: ArrayLike, *, n_jobs: int | None = 1) -> NDArray[np.float64]:
        """Map margins to posterior probabilities through the focal link.

        Parameters
        ----------
        raw_prediction : array-like of shape (n_samples, n_classes)
            Raw margins.
        n_jobs : int or None, default=1
            Number of threads, as of `skfocal.FocalObjective`; the result is the same for any.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_classes), float64
            Rows sum to 1.
        """
        raw = self._as_raw(raw_prediction)
        self._check_lengths(raw.shape[1])
        return self._through_link(raw, n_jobs)

    def _posterior(self, raw: Array) -> tuple[Array]:
        xp = array_namespace(raw)
        raw = as_link_margins(raw)
        gamma = xp.asarray(self.gamma, dtype=xp.float64, device=raw.device)
        logits = self.formulas.log_link(self._margins_one_vs_rest(raw), gamma, self.focal_mix)
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
            return np.array([self._invert_log_link(value, gamma) for value, gamma in targets])

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

    def _invert_log_link(self, value: float, gamma: float) -> float:
        """Return the u with log(p / A(p)) = value, clipped to +-_MARGIN_LIMIT.

        Where A does not vanish, without gamma or with a mix, the link has an end that the value may be beyond.
        """

        def gap(u: float) -> float:
            return float(self.formulas.log_link(np.asarray(u), gamma, self.focal_mix)) - value

        if gap(_MARGIN_LIMIT) <= 0:
            return _MARGIN_LIMIT
        if gap(-_MARGIN_LIMIT) >= 0:
            return -_MARGIN_LIMIT
        return float(brentq(gap, -_MARGIN_LIMIT, _MARGIN_LIMIT, xtol=1e-15, maxiter=1000))
