"""The parameters of a focal loss: what they may be, and as what the losses keep them. Imports nothing of ours."""

from numbers import Integral, Real
from typing import Literal

import numpy as np

HessianPolicy = Literal["stable", "exact"]
HESSIAN_POLICIES: tuple[HessianPolicy, ...] = ("stable", "exact")

# A larger gamma has no use (at 100 a sample with p = 0.1 already weighs 3e-5), and its powers would overflow.
_GAMMA_LIMIT = 1e4


def check_hessian_policy(policy: object, name: str) -> None:
    """Raise a ValueError that calls it `name` if `policy` is none of `HESSIAN_POLICIES`."""
    if not isinstance(policy, str) or policy not in HESSIAN_POLICIES:
        raise ValueError(f"{name} must be one of {list(HESSIAN_POLICIES)}, got {policy!r}.")


def check_n_jobs(n_jobs: object) -> None:
    """Raise a ValueError if `n_jobs` is no number of threads."""
    if n_jobs is not None and not isinstance(n_jobs, Integral):
        raise ValueError(f"n_jobs must be None or an integer, got {n_jobs!r}.")


def as_gamma(gamma: object, name: str = "gamma") -> float | tuple[float, ...]:
    """Return a focusing parameter as a float, or as a tuple with one float per class."""
    if isinstance(gamma, Real):
        values: tuple[float, ...] = (float(gamma),)
    else:
        values = _as_floats(gamma, f"{name} must be a number >= 0 or one per class")
    if not all(0 <= value <= _GAMMA_LIMIT for value in values):
        raise ValueError(f"{name} must be in [0, {_GAMMA_LIMIT:g}], got {gamma!r}.")
    return values[0] if isinstance(gamma, Real) else values


def as_mix(mix: object, name: str = "focal_mix") -> float:
    """Return the share of the log loss as a float in [0, 1]."""
    if not isinstance(mix, Real):
        raise TypeError(f"{name} must be a number in [0, 1], got {mix!r}.")
    if not 0 <= float(mix) <= 1:
        raise ValueError(f"{name} must be in [0, 1], the share of the log loss, got {mix!r}.")
    return float(mix)


def as_alpha(alpha: object, *, two_classes: bool, name: str = "alpha") -> float | tuple[float, ...] | None:
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
