"""A process that trains for long stays as it is: nothing of a model that is forgotten stays behind.

benchmarks/long_use.py does a thousand models of each classifier, and looks at the memory of the process, which moves by
itself. Here a few are enough, as what is counted is exact: Python's objects and memory, threads, open files, files.
"""

import gc
import sys
import tempfile
import threading
import tracemalloc
import weakref
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")

import long_use

from skfocal import _arrays
from skfocal.losses import compiled

from .conftest import BOOSTED, ESTIMATORS, boosted_with, engine_of, make

# Of networks that have not converged, and of constant models.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = [name for name, kind in long_use.CLASSIFIERS.items() if kind in {each.__name__ for each in ESTIMATORS}]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the folder in which all temporary files are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def few_threads():
    """Let pyarrow start the threads that it keeps at once: it has more, and starts them by and by."""
    counts = pa.cpu_count(), pa.io_thread_count()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    yield
    pa.set_cpu_count(counts[0])
    pa.set_io_thread_count(counts[1])


@pytest.fixture
def traced():
    """Trace Python's memory, if that is not done already."""
    was_tracing = tracemalloc.is_tracing()
    tracemalloc.start()
    yield
    if not was_tracing:
        tracemalloc.stop()


@pytest.fixture
def no_collection():
    """Keep the garbage collector from what only it finds."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no /proc tells of memory and threads")
@pytest.mark.parametrize("name", NAMES)
def test_nothing_grows(name, folder, few_threads, traced):
    """Not by one object or one array a model, whatever the way it is trained."""
    use = long_use.Use(name, folder, n_jobs=1)
    ways = use.ways().values()
    looks = []
    for _ in range(3):
        for way in ways:
            use.turn(way)
        looks.append(long_use.look(folder))
    more = {what: value - looks[1][what] for what, value in looks[2].items()}
    assert [more[what] for what in ("threads", "Python's threads", "descriptors", "files")] == [0, 0, 0, 0]
    assert more["objects"] < len(ways)
    assert more["blocks"] <= len(more)  # those are the numbers of the last look
    # What measures coverage is seen to keep half of the table for itself.
    is_measured = "coverage" in sys.modules and sys.modules["coverage"].Coverage.current() is not None
    assert more["traced MiB"] * 2**20 < use.X.nbytes / (1 if is_measured else 2)


def test_the_benchmark_sees_what_grows(folder, monkeypatch):
    kept = []

    def keep(use, way):
        kept.append(bytearray(2**20))
        way()

    monkeypatch.setattr(long_use.Use, "turn", keep)
    monkeypatch.setattr(long_use.Use, "ways", lambda use: {"none": lambda: None})
    assert long_use.main(["--models", "1", "--only", "MLP"])
    assert not long_use.main(["--models", "50", "--only", "MLP"])


def watching(estimator, fails):
    """Return parameters to train for a few rounds, watching a scorer."""
    engine = engine_of(estimator)
    scorer = long_use.failing if fails else long_use.half
    return {"n_estimators": 3, ("eval_metric" if engine.eval_weight else "scoring"): scorer} | engine.early(2)


@pytest.mark.parametrize("fails", [False, True], ids=["fits", "fails"])
@pytest.mark.parametrize("estimator", BOOSTED, ids=lambda each: each.__name__)
def test_a_model_is_gone_when_nobody_has_it(estimator, fails, no_collection, traced):
    """And with it the data that it was trained on, at once: the collector may come late, and data are large."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20_000, 8)), rng.integers(2, size=20_000)

    def fit():
        model = make(estimator, **watching(estimator, fails))
        with suppress(long_use.FailureError):
            model.fit(X, y)
        return weakref.ref(model)

    fit()  # what is made once
    before, _ = tracemalloc.get_traced_memory()
    assert fit()() is None
    after, _ = tracemalloc.get_traced_memory()
    assert after - before < X.nbytes / 8


@pytest.mark.parametrize("fails", [False, True], ids=["fits", "fails"])
@pytest.mark.parametrize("estimator", boosted_with("threads"), ids=lambda each: each.__name__)
def test_threads_that_help_end_with_the_fit(estimator, fails, binary, monkeypatch):
    """As NumPy computes in several blocks, for which `TrainingObjective` has threads."""
    monkeypatch.setattr(compiled, "kernel", None)
    monkeypatch.setattr(_arrays, "BLOCK", 500)
    started, start = [], threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda thread: start(thread) or started.append(thread))
    model = make(estimator, **engine_of(estimator).on_threads(2), **watching(estimator, fails))
    with suppress(long_use.FailureError):
        model.fit(*binary)
    assert started
    assert not any(thread.is_alive() for thread in started)
