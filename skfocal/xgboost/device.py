"""Where gradients are computed: on the host, or on the GPU by CuPy. Imports `_compat`."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from skfocal._compat import users_stacklevel


@contextmanager
def on_device(device: str | None) -> Iterator[ModuleType]:
    """Yield the namespace in which to compute gradients for a booster on XGBoost's ``device``, which CuPy then uses."""
    name, _, ordinal = str(device or "cpu").partition(":")
    cupy = _cupy() if name in ("cuda", "gpu") else None
    if cupy is None:
        yield np
        return
    with cupy.cuda.Device(int(ordinal)) if ordinal.isdigit() else nullcontext():
        yield cupy


@cache  # so that it warns once
def _cupy() -> Any:
    """Return CuPy, or None with a warning where it cannot be used."""
    try:
        import cupy

        if cupy.is_available():
            return cupy
        reason = "CuPy finds no GPU"
    except ImportError:
        reason = 'CuPy is not installed (pip install "skfocal[cuda]")'
    except Exception as error:  # whatever CUDA says where it has no driver, or an old one
        reason = f"CuPy finds no GPU ({error})"
    warnings.warn(f"Gradients of the focal loss are computed on the host: {reason}.", stacklevel=users_stacklevel())
    return None
