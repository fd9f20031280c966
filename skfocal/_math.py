"""The focal loss of one margin, and its derivatives, in log space.

Everything here is a function of ``u``, the margin by which the true class leads. Write p = sigmoid(u) for the
probability of the true class and q = 1 - p. For two classes u = +-z; for K classes u = z_y - logsumexp of the other
margins (see `skfocal.losses`), so these few lines serve both. Imports nothing of ours.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


class LogOdds(NamedTuple):
    """log p, log q and m = -p log p / q of a margin: all that the focal loss is made of."""

    log_p: FloatArray
    log_q: FloatArray
    m: FloatArray


def log_sigmoids(u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split margins into log p and log q without ever forming 1 - p.

    With t = exp(-|u|) no term overflows, and neither logarithm cancels: log p = min(u, 0) - log1p(t) and
    log q = min(-u, 0) - log1p(t).
    """
    softplus = np.log1p(np.exp(-np.abs(u)))
    return np.minimum(u, 0) - softplus, np.minimum(-u, 0) - softplus


def log_odds(u: FloatArray) -> LogOdds:
    """Split margins into `LogOdds`.

    m is 0 at u = -inf and 1 at u = +inf: there log p = -log1p(t) with t = exp(-|u|), and q / p = t.
    """
    log_p, log_q = log_sigmoids(u)
    t = np.exp(-np.abs(u))
    # log1p(t) / t is 1 to rounding long before t underflows to 0.
    m = np.divide(-log_p, t, out=np.ones_like(t), where=(u >= 0) & (t > 0))
    return LogOdds(log_p, log_q, np.where(u < 0, -t * log_p, m))


def focal_loss(u: FloatArray, gamma: float | FloatArray) -> FloatArray:
    """Return -q**gamma log p."""
    log_p, log_q = log_sigmoids(u)
    return -np.exp(gamma * log_q) * log_p


def loss_slope(u: FloatArray, gamma: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the focal loss and its first derivative with respect to u, from one set of logarithms.

    slope = -q**gamma (q - gamma p log p), which is -q A(p): a sum of terms of one sign, right to rounding everywhere.
    """
    log_p, log_q = log_sigmoids(u)
    modulation = np.exp(gamma * log_q)
    return -modulation * log_p, -modulation * (np.exp(log_q) - gamma * np.exp(log_p) * log_p)


def slope_curvature(u: FloatArray, gamma: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the first and the second derivative of the focal loss with respect to u.

    slope as in `loss_slope`; curvature = p q**gamma (q (1 + 2 gamma + gamma log p) - gamma**2 p log p), which is
    negative where p is small (gamma = 2: p < 0.058).
    """
    log_p, log_q = log_sigmoids(u)
    p, q, modulation = np.exp(log_p), np.exp(log_q), np.exp(gamma * log_q)
    p_log_p = p * log_p
    slope = -modulation * (q - gamma * p_log_p)
    curvature = p * modulation * (q * (1 + 2 * gamma + gamma * log_p) - gamma * gamma * p_log_p)
    return slope, curvature


def stable_curvature(u: FloatArray, slope: FloatArray, curvature: FloatArray) -> FloatArray:
    """Return the curvature raised to at least A times a curvature of the logistic loss.

    The bound is A p q where the sample is right (u >= 0), the logistic loss's own curvature, and A lambda(u) where it
    is wrong, with lambda(u) = tanh(|u|/2) / (2|u|), the curvature of the quadratic that touches the logistic loss at u
    and lies above it everywhere [1]_. As slope = -q A, both are -slope times a ratio: p, or (1 - exp(-|u|)) / (2|u|). A
    Newton step on one sample is then at most 2 where it is right, and 2|u| / (1 - exp(-|u|)) where it is wrong: it
    lands about as far right of 0 as it stood left of it.

    References
    ----------
    .. [1] Jaakkola & Jordan (2000), Bayesian parameter estimation via variational methods. Statistics and Computing 10.
    """
    distance = np.maximum(-u, np.finfo(u.dtype).tiny)  # keeps 0 / 0 out; the ratio is 1/2 at u = 0 from either side
    ratio = np.where(u < 0, -np.expm1(-distance) / (2 * distance), 1 / (1 + np.exp(-np.abs(u))))
    return np.maximum(curvature, -slope * ratio)


def log_link(u: FloatArray, gamma: float | FloatArray) -> FloatArray:
    """Return log(p / A(p)), the unnormalised log posterior of the class that has margin u.

    A = q**gamma (1 + gamma m), see `slope_curvature`. Strictly increasing in u.
    """
    log_p, log_q, m = log_odds(u)
    return log_p - gamma * log_q - np.log1p(gamma * m)
