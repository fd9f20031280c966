"""The focal loss of one margin, and its derivatives, in log space.

Everything here is a function of ``u``, the margin by which the true class leads. Write p = sigmoid(u) for the
probability of the true class and q = 1 - p. For two classes u = +-z; for K classes u = z_y - logsumexp of the other
margins (see `multiclass`), so these few lines serve both. Arrays are of any array-API namespace.

``mix`` is the share of the log loss in (1 - mix) times the focal loss + mix times the log loss: it makes A(p) into
(1 - mix) A(p) + mix wherever A stands.

Imports `_arrays` and `_compat`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from skfocal._arrays import Array
from skfocal._compat import array_namespace


class LogOdds(NamedTuple):
    """log p, log q and m = -p log p / q of a margin: all that the focal loss is made of."""

    log_p: Array
    log_q: Array
    m: Array


def log1p(t: Array) -> Array:
    """Return log(1 + t) for t >= 0, by `log`: NumPy's own takes eight times as long, in float32 without AVX-512.

    What 1 + t is rounded by is added as the logarithm's derivative has it (Hewlett-Packard's way, Kahan's after it).
    """
    w = 1 + t
    lost = (w - 1) - t
    lost /= w
    return array_namespace(t).log(w) - lost


def log_sigmoids(u: Array) -> tuple[Array, Array, Array]:
    """Split margins into log p and log q without ever forming 1 - p; the third array is t = exp(-|u|).

    With t no term overflows, and neither logarithm cancels: log p = min(u, 0) - log1p(t) and
    log q = min(-u, 0) - log1p(t). Both minima come without rounding: (u - |u|) / 2, and that minus u.
    """
    xp = array_namespace(u)
    away = -xp.abs(u)
    t = xp.exp(away)
    softplus = log1p(t)
    log_p = 0.5 * (u + away)
    log_q = log_p - u
    log_p -= softplus
    log_q -= softplus
    return log_p, log_q, t


def sigmoids(u: Array, t: Array) -> tuple[Array, Array]:
    """Return p and q = 1 - p, where t = exp(-|u|): 1 / (1 + t) is the larger of the two, t / (1 + t) the other.

    Without `exp`, which takes as long as all of it, and without `where`, which takes NumPy as long as `exp`: of t <= 1
    and a step of 0 or 1 the larger one is the numerator.
    """
    xp = array_namespace(u)
    step = xp.asarray(u >= 0, dtype=u.dtype)
    w = 1 + t
    p, q = xp.maximum(t, step), xp.maximum(t, 1 - step)
    p /= w
    q /= w
    return p, q


def power(q: Array, log_q: Array, gamma: float | Array) -> Array:
    """Return q**gamma. NumPy's powers take three times as long as `exp`, but for those that are products."""
    return q**gamma if isinstance(gamma, float) and gamma in (0, 1, 2) else array_namespace(q).exp(gamma * log_q)


def log_odds(u: Array) -> LogOdds:
    """Split margins into `LogOdds`.

    m is 0 at u = -inf and 1 at u = +inf: there log p = -log1p(t) with t = exp(-|u|), and q / p = t.
    """
    xp = array_namespace(u)
    log_p, log_q, t = log_sigmoids(u)
    t += xp.finfo(u.dtype).smallest_normal  # log1p(t) / t is 1 to rounding long before t underflows to 0
    return LogOdds(log_p, log_q, xp.where(u < 0, -t * log_p, log1p(t) / t))


def mixed(focal: Array, other: Array | float, mix: float | Array) -> Array:
    """Return (1 - mix) focal + mix other; without a mix, and the time it takes, what is focal."""
    return focal if isinstance(mix, float) and mix == 0 else (1 - mix) * focal + mix * other


def focal_loss(u: Array, gamma: float | Array, mix: float | Array) -> Array:
    """Return -q**gamma log p, mixed with -log p."""
    log_p, log_q, _ = log_sigmoids(u)
    return -mixed(array_namespace(u).exp(gamma * log_q), 1.0, mix) * log_p


def loss_slope(u: Array, gamma: float | Array, mix: float | Array) -> tuple[Array, Array]:
    """Return the focal loss and its first derivative with respect to u, from one set of logarithms.

    slope = -q**gamma (q - gamma p log p), which is -q A(p): a sum of terms of one sign, right to rounding everywhere.
    """
    log_p, log_q, t = log_sigmoids(u)
    p, q = sigmoids(u, t)
    modulation = power(q, log_q, gamma)
    pull = modulation * (q - gamma * p * log_p)
    return -mixed(modulation, 1.0, mix) * log_p, -mixed(pull, q, mix)


def slope_curvature(u: Array, gamma: float | Array, mix: float | Array, *, stable: bool) -> tuple[Array, Array]:
    """Return the first and the second derivative of the focal loss with respect to u, the second as exact or stable.

    slope as in `loss_slope`; the exact curvature p q**gamma (q (1 + 2 gamma + gamma log p) - gamma**2 p log p) is
    negative where p is small (gamma = 2: p < 0.058). The stable one is the exact one raised to at least A times a
    curvature of the logistic loss: p q where the sample is right (u >= 0), the logistic loss's own, and lambda(u) =
    tanh(|u|/2) / (2|u|) where it is wrong, the curvature of the quadratic that touches the logistic loss at u and lies
    above it everywhere [1]_. As slope = -q A, both are -slope times a ratio: p, or lambda(u) / q = (1 - exp(-|u|)) /
    (2|u|). The first is the larger one exactly where u >= 0. A Newton step on one sample is then at most 2 where it
    is right, and 2|u| / (1 - exp(-|u|)) where it is wrong: it lands about as far right of 0 as it stood left of it.

    References
    ----------
    .. [1] Jaakkola & Jordan (2000), Bayesian parameter estimation via variational methods. Statistics and Computing 10.
    """
    xp = array_namespace(u)
    log_p, log_q, t = log_sigmoids(u)
    # In place from here on: this is what a round of boosting costs, and a new array costs as much as what goes into it.
    p, q = sigmoids(u, t)
    modulation = power(q, log_q, gamma)
    curvature = log_p
    curvature *= gamma
    gamma_p_log_p = p * curvature
    pull = q - gamma_p_log_p  # -slope / modulation
    curvature += 1 + 2 * gamma
    curvature *= q
    gamma_p_log_p *= gamma
    curvature -= gamma_p_log_p
    curvature *= p
    curvature *= modulation
    pull *= modulation
    pull, curvature = mixed(pull, q, mix), mixed(curvature, p * q, mix)
    if stable:
        # (1 - t) / |u| with t = exp(-|u|), as (t - 1) / log(t): what t is rounded by cancels. Just below 1 it is 1.
        t = xp.minimum(t, xp.full_like(t, 1 - xp.finfo(u.dtype).eps))
        ratio = t - 1
        t += xp.finfo(u.dtype).smallest_normal
        # Where t has underflowed its logarithm is -|u|; elsewhere that is above it, or next to it.
        bound = xp.abs(u)
        bound *= -1
        bound += 8 * xp.finfo(u.dtype).eps
        log_t = xp.minimum(xp.log(t), bound)
        log_t *= 2
        ratio /= log_t
        ratio = xp.maximum(ratio, p)
        ratio *= pull
        curvature = xp.maximum(curvature, ratio)
    return -pull, curvature


def log_link(u: Array, gamma: float | Array, mix: float) -> Array:
    """Return log(p / A(p)), the unnormalised log posterior of the class that has margin u.

    A = q**gamma (1 + gamma m), see `slope_curvature`. Strictly increasing in u; up to -log(mix).
    """
    xp = array_namespace(u)
    log_p, log_q, m = log_odds(u)
    log_a = gamma * log_q + log1p(gamma * m)
    return log_p - (xp.log(mixed(xp.exp(log_a), 1.0, mix)) if mix else log_a)


class Formulas(NamedTuple):
    """What a loss is made of: four functions of ``u``, ``gamma`` and ``mix``, all of which may be arrays."""

    loss: Callable[..., Array]
    loss_slope: Callable[..., tuple[Array, Array]]
    slope_curvature: Callable[..., tuple[Array, Array]]  # with stable=True or False
    log_link: Callable[..., Any]  # log(p / A(p)), strictly increasing, where A = -slope / (1 - p)
    compiled: bool = False  # whether the kernel has them too


FOCAL = Formulas(focal_loss, loss_slope, slope_curvature, log_link, compiled=True)
