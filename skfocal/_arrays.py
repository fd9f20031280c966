"""Arrays on their way into the formulas: margins and class codes of any namespace, in blocks that stay in the cache.

Imports `_compat`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext, suppress
from threading import Lock
from time import sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfocal._compat import array_namespace

# An array of an array-API namespace; the standard has no type for it yet.
Array = Any

# Numbers in an array of a block. A formula makes some thirty passes over ten arrays of that size, which the cache, its
# third level at least, keeps and memory does not have to bring. In smaller blocks the threads wait for Python, which
# starts each pass; and 100,000 samples are done sooner than a second thread has begun.
BLOCK = 1 << 17


def as_margins(raw_prediction: Any) -> Array:
    """Return margins as an array of their own namespace and floating dtype, at least float32."""
    if type(raw_prediction) is np.ndarray and raw_prediction.dtype in (np.float32, np.float64):
        return raw_prediction  # as engines give them: what is asked below takes longer than a row's posterior
    xp = array_namespace(raw_prediction)
    raw = xp.asarray(raw_prediction)
    if not xp.isdtype(raw.dtype, ("bool", "integral", "real floating")):
        raise TypeError(f"raw_prediction must hold real numbers, got dtype {raw.dtype}.")
    is_floating = xp.isdtype(raw.dtype, "real floating")
    return xp.asarray(raw, dtype=xp.result_type(raw.dtype, xp.float32) if is_floating else xp.float64)


def as_link_margins(raw: Array) -> Array:
    """Return margins as a link takes them: in float64, and finite; the link of 1e300 is that of infinity, 0 or 1."""
    xp = array_namespace(raw)
    return xp.clip(xp.asarray(raw, dtype=xp.float64), -1e300, 1e300)


def as_codes(y_true: Any, raw: Array, n_classes: int) -> Array:
    """Return class codes as int32 in the namespace of the margins; engines hand them over as floats."""
    xp, their = array_namespace(raw), array_namespace(y_true)
    y = their.asarray(y_true)
    if y.shape != raw.shape[:1]:
        raise ValueError(f"y_true must have the shape {raw.shape[:1]} of raw_prediction's rows, got {y.shape}.")
    if not their.isdtype(y.dtype, ("bool", "integral", "real floating")):
        raise ValueError(f"y_true must hold class codes 0 ... {n_classes - 1}, got dtype {y.dtype}.")
    y = xp.asarray(y, device=raw.device)
    with np.errstate(invalid="ignore"):  # nan, which the comparison catches
        codes = xp.asarray(y, dtype=xp.int32)
    wrong = (xp.asarray(codes, dtype=y.dtype) != y) | (codes < 0) | (codes >= n_classes)
    if xp.any(wrong):
        raise ValueError(f"y_true must hold class codes 0 ... {n_classes - 1}, got {float(y[wrong][0]):g}.")
    return codes


class _Crew:
    """Threads that do some work together, none of which begins or goes on with it once that is closed."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = Lock()
        self._n_busy = 0
        self._is_closed = False

    def help(self) -> None:
        """Do some of the work, on a thread of its own."""
        with self._lock:
            if self._is_closed:
                return
            self._n_busy += 1
        try:
            self._work()
        finally:
            with self._lock:
                self._n_busy -= 1

    def close(self) -> None:
        """Return, or raise what interrupts this, when nobody is at work any more.

        An executor does not know of a thread whose start was interrupted.
        """
        try:
            with self._lock:
                self._is_closed = True
            while self._n_busy:
                sleep(1e-4)
        except BaseException:
            self.close()
            raise


def in_blocks(
    formula: Callable[..., Sequence[Array]],
    arrays: Sequence[Any],
    *,
    out: Sequence[NDArray[Any]] | None = None,
    n_threads: int = 1,
    pool: Executor | None = None,
) -> Sequence[Array]:
    """Return ``formula(*arrays)``, computed for a block of samples at a time.

    NumPy lets go of Python's lock while it computes, so that threads work side by side. The blocks are the same for any
    number of threads, and so is every bit of the result. Arrays of other namespaces are taken whole: they are there for
    other processors, which have their own ways.

    Parameters
    ----------
    formula : callable
        Takes `arrays` and returns a sequence of arrays, with samples on the first axis of each.
    arrays : sequence
        Arrays with samples on the first axis, margins first; what is no array is handed on as it is.
    out : sequence of ndarray or None, default=None
        Where to put the results; None for new arrays.
    n_threads : int, default=1
        Number of threads, the calling one among them.
    pool : Executor or None, default=None
        Has the other threads; None for new ones.
    """
    raw = arrays[0]
    if array_namespace(raw) is not np:
        return formula(*arrays)
    step = max(1, BLOCK * len(raw) // max(1, raw.size))
    blocks = [slice(start, start + step) for start in range(0, len(raw), step)]
    if out is None and len(blocks) < 2:
        return formula(*arrays)

    def compute(rows: slice) -> Sequence[Array]:
        return formula(*(array[rows] if isinstance(array, np.ndarray) else array for array in arrays))

    if out is None:
        out = [np.empty((len(raw), *values.shape[1:]), values.dtype) for values in compute(slice(1))]
    todo = deque(blocks)  # which all threads take from: one that has to wait for a processor holds nobody up

    def work() -> None:
        while True:
            try:
                rows = todo.popleft()
            except IndexError:  # nothing is left to do
                return
            for array, values in zip(out, compute(rows), strict=True):
                array[rows] = values

    n_helpers = min(n_threads, len(blocks)) - 1
    if n_helpers < 1:
        work()
        return out
    crew = _Crew(work)
    with nullcontext(pool) if pool else ThreadPoolExecutor(n_helpers) as executor:
        helpers: list[Future[None]] = []
        try:
            with suppress(RuntimeError):  # no more threads, as when the interpreter ends: then those there are do it
                helpers += (executor.submit(crew.help) for _ in range(n_helpers))
            work()
            wait(helpers)
        finally:
            todo.clear()
            crew.close()  # they write to `out`, which may be an engine's memory
    for helper in helpers:
        helper.result()  # raises what a thread has raised
    return out
