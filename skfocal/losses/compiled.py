"""The formulas in C, for arrays of NumPy: the same results, many times as fast. Without a compiler there is none of it.

Imports `_compat`, and the kernel that is compiled from the files in the folder of this name.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfocal._compat import array_namespace

_Pair = tuple[NDArray[np.float32], NDArray[np.float32]]

kernel: Any
try:
    kernel = import_module("skfocal.losses._kernel")
except ImportError:
    kernel = None


def kernel_computes(loss: Any, raw: Any) -> bool:
    """Tell whether there is a kernel that has the formulas of this loss, for margins like these."""
    return (
        kernel is not None
        and loss.formulas.compiled
        and array_namespace(raw) is np
        and raw.dtype in (np.float32, np.float64)
        and raw.flags.aligned
    )


def kernel_derivatives(
    loss: Any,
    raw: NDArray[Any],
    codes: NDArray[np.integer],
    weight: NDArray[Any] | None,
    *,
    intercept: Any,
    factor: float,
    floor: float,
    stable: bool,
    in_double: bool,
    n_threads: int,
) -> Callable[[NDArray[Any], _Pair], _Pair]:
    """Return what writes gradient and Hessian of margins like `raw`; see `FocalObjective._derivatives`."""
    intercept = None if intercept is None else np.ascontiguousarray(intercept, dtype=np.float64).reshape(-1)
    of_samples = _as_int32(codes), _contiguous(weight)
    of_loss = _gammas(loss, raw), loss.focal_mix, intercept, factor, floor, stable, in_double

    def derivatives(raw: NDArray[Any], out: _Pair) -> _Pair:
        kernel.derivatives(raw, *of_samples, *of_loss, *out, n_threads)
        return out

    return derivatives


def kernel_losses(
    loss: Any, raw: NDArray[Any], codes: NDArray[np.integer], weight: NDArray[Any] | None, *, with_gradient: bool
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the weighted loss of each sample and, if it is wanted, its gradient, in the dtype of the margins."""
    values = np.empty(len(raw), dtype=raw.dtype)
    gradient = np.empty_like(raw) if with_gradient else None
    gammas = _gammas(loss, raw)
    kernel.losses(raw, _as_int32(codes), _contiguous(weight), gammas, loss.focal_mix, values, gradient, 1)
    return values, gradient


def kernel_posterior(loss: Any, raw: NDArray[Any], n_threads: int) -> NDArray[np.float64]:
    """Return the posterior of each class, of shape (n_samples, n_classes)."""
    gammas = _gammas(loss, raw)
    posterior = np.empty((len(raw), len(gammas)))
    kernel.posterior(raw, gammas, loss.focal_mix, posterior, n_threads)
    return posterior


def _gammas(loss: Any, raw: NDArray[Any]) -> NDArray[np.float64]:
    gammas = np.empty(2 if raw.ndim == 1 else raw.shape[1])
    gammas[:] = loss.gamma
    return gammas


def _contiguous(weight: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if weight is None else np.ascontiguousarray(weight)


def _as_int32(codes: NDArray[np.integer]) -> NDArray[np.int32]:
    return np.ascontiguousarray(codes, dtype=np.int32)
