"""A loss of another shape, as a user or the next issue might add it: FL + (1 - p)**(gamma + 1) (PolyLoss, Poly-1).

Leng et al. (2022), PolyLoss: a polynomial expansion perspective of classification loss functions. arXiv:2204.12511.
One file, and a line in the registry.
"""

from dataclasses import dataclass

from skfocal._compat import array_namespace
from skfocal.losses.binary import BinaryFocalLoss
from skfocal.losses.formulas import FOCAL, Formulas, log_sigmoids
from skfocal.losses.multiclass import MulticlassFocalLoss
from skfocal.losses.registry import Family


def _parts(u, gamma):
    """Return p, q and q**gamma."""
    xp = array_namespace(u)
    log_p, log_q, _ = log_sigmoids(u)
    return xp.exp(log_p), xp.exp(log_q), xp.exp(gamma * log_q)


def loss(u, gamma, mix=0.0):
    """Return the focal loss + q**(gamma + 1); the log loss has no such term."""
    _, q, modulation = _parts(u, gamma)
    return FOCAL.loss(u, gamma, mix) + (1 - mix) * q * modulation


def loss_slope(u, gamma, mix=0.0):
    """Return the loss and its derivative; dq/du = -p q."""
    p, q, modulation = _parts(u, gamma)
    losses, slope = FOCAL.loss_slope(u, gamma, mix)
    return losses + (1 - mix) * q * modulation, slope - (1 - mix) * (gamma + 1) * p * q * modulation


def slope_curvature(u, gamma, mix=0.0, *, stable):
    """Return both derivatives, the second raised as in `FOCAL` if stable."""
    p, q, modulation = _parts(u, gamma)
    slope, curvature = FOCAL.slope_curvature(u, gamma, mix, stable=False)
    more = (1 - mix) * (gamma + 1) * p * q * modulation
    slope, curvature = slope - more, curvature - more * (q - (gamma + 1) * p)
    if stable:
        xp = array_namespace(u)
        away = xp.abs(u) + xp.finfo(u.dtype).smallest_normal
        curvature = xp.maximum(curvature, -slope * xp.maximum(p, -xp.expm1(-away) / (2 * away)))
    return slope, curvature


def log_link(u, gamma, mix=0.0):
    """Return log(p / A) with A = -slope / q, to which the new term adds (gamma + 1) p q**gamma."""
    xp = array_namespace(u)
    _, log_q, _ = log_sigmoids(u)
    more = xp.log((1 - mix) * (gamma + 1) + 0 * u) + gamma * log_q  # log of what is added to A / p
    return -xp.logaddexp(-FOCAL.log_link(u, gamma, mix), more)


POLY = Formulas(loss, loss_slope, slope_curvature, log_link)


@dataclass(frozen=True)
class BinaryPolyLoss(BinaryFocalLoss):
    formulas = POLY


@dataclass(frozen=True)
class MulticlassPolyLoss(MulticlassFocalLoss):
    formulas = POLY


FAMILY = Family(BinaryPolyLoss, MulticlassPolyLoss)
