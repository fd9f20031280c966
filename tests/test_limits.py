"""Fits where the system gives a process no more memory or no more threads: a clear error, or the same model.

How many files may be open is a limit on model files: see `test_broken_files`.
"""

import os
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss, compiled
from skfocal.objectives import FocalObjective

from .conftest import ESTIMATORS, NEEDS_KERNEL, boosted_with, engine_of, of_rounds, small_data
from .programs import returned_by

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="whether a limit holds, and for what, is another elsewhere"
)

N_ROWS = 50_000
SPARE = [0, 1, 2, 4, 8, 256]  # MiB that a process may take beside what it has


def fit_with_little_memory(name):
    """Return how fits end, each with a little more memory than that before; check what is left when there is enough."""
    import resource

    warnings.simplefilter("ignore")
    X, y = small_data(N_ROWS, 8)
    model, ends = of_rounds(name, 2, focal_gamma=3.0).fit(X, y), []
    expected = of_rounds(name, 2).fit(X, y).predict_proba(X)
    proba = model.predict_proba(X)
    model.set_params(focal_gamma=1.0)
    for spare in SPARE:
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + spare * 2**20, resource.RLIM_INFINITY))
        try:
            model.fit(X, y)
            ends.append("fitted")
        except Exception as error:
            ends.append(f"{type(error).__name__}: {error}")
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        proba = expected if ends[-1] == "fitted" else proba
        np.testing.assert_array_equal(model.predict_proba(X), proba)
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected)
    return ends


def test_little_memory(estimator):
    """Some of the fits fail, and say that it is memory that they lack; the last has enough."""
    # Else there may be room enough in what glibc has kept.
    frugal = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
    ends = returned_by(fit_with_little_memory, estimator.__name__, environment=frugal)
    assert ends[-1] == "fitted"
    failed = [end for end in ends if end != "fitted"]
    assert failed
    assert all(end.startswith("MemoryError: Unable to allocate") or "bad_alloc" in end for end in failed)


def ask_kernel_for_much():
    """Compute the loss of a million classes, for which the kernel needs 4 GiB of its own."""
    import resource

    margins, loss = np.zeros((1, 1_000_000), dtype=np.float32), MulticlassFocalLoss(2.0)
    resource.setrlimit(resource.RLIMIT_AS, (2**32, resource.RLIM_INFINITY))
    try:
        loss.predict_proba(margins)
    except MemoryError:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return loss.predict_proba(margins[:, :4]).tolist()
    raise AssertionError("no MemoryError came out")


@NEEDS_KERNEL
def test_memory_that_the_kernel_is_not_given():
    assert returned_by(ask_kernel_for_much) == [[0.25] * 4]


def forbid_threads():
    """Let no more threads be started from here on."""
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if os.getuid() == 0:  # who may have any number
        os.setgid(65534)
        os.setuid(65534)
    try:
        threading.Thread(target=print).start()
    except RuntimeError:
        return
    raise AssertionError("a thread was started")


def gradients_without_threads():
    """Ask for threads where none can be started: gradients by NumPy's formulas and by the kernel, if there is one."""
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 2, 300_000), rng.normal(size=300_000).astype(np.float32)
    one, several = (FocalObjective(BinaryFocalLoss(2.0), n_jobs=n_jobs) for n_jobs in (1, 4))
    ways, expected = [None, compiled.kernel], []
    for compiled.kernel in ways:
        expected.append(one(y, raw)[0])
    forbid_threads()
    for compiled.kernel, gradient in zip(ways, expected, strict=True):
        np.testing.assert_array_equal(several(y, raw)[0], gradient)
    return len(ways)


def n_own_threads():
    return len(list(Path("/proc/self/task").iterdir()))


def fit_without_threads(name, n_threads):
    """Fit on threads, and again when no more can be started; return how many the engine has kept."""
    warnings.simplefilter("ignore")
    X, y = small_data(N_ROWS, 8)
    model = of_rounds(name, 2)
    if n_threads > 1:
        model.set_params(**engine_of(model).on_threads(n_threads))
    before = n_own_threads()
    expected = model.fit(X, y).predict_proba(X)
    forbid_threads()
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected)
    return n_own_threads() - before


def test_gradients_where_no_thread_can_be_started():
    assert returned_by(gradients_without_threads) == 2


# On several threads only where the engine keeps those of a fit before. scikit-learn starts some in every fit, for bins.
ON_THREADS = [*((each, 1) for each in ESTIMATORS), *((each, 2) for each in boosted_with("threads"))]


@pytest.mark.parametrize(("estimator", "n_threads"), ON_THREADS)
def test_fits_where_no_thread_can_be_started(estimator, n_threads):
    environment = {"OMP_NUM_THREADS": str(n_threads), "OPENBLAS_NUM_THREADS": "1"}
    assert returned_by(fit_without_threads, estimator.__name__, n_threads, environment=environment) == n_threads - 1
