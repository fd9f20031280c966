"""Ctrl-C at any moment of `fit`: KeyboardInterrupt comes out, and nothing is half done.

The estimator is as it was before, fitted or not; or, where `fit` had all but returned, what a whole `fit` makes of it.
No thread and no lock remains, and the next `fit` makes the model that it makes without all that. Python itself loses an
interruption where it cannot raise, as in `__del__`, and tells so; `fit` then goes on as if there had been none. And
NumPy reads formats of buffers by a function of Python's, whose interruption it raises as the cause of a ValueError.
"""

import itertools
import os
import random
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import xgboost
from sklearn.exceptions import NotFittedError

from skfocal import _arrays
from skfocal.losses import compiled

from .conftest import of_rounds, small_data
from .programs import returned_by
from .streams import Batches

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process there, and tells it nothing")

N_TIMES = 50
SOON = 20  # seconds until an interruption comes out, at most; a fit here takes a hundredth of one
# In Python 3.11 a thread that is traced, as coverage does it, comes no further while a signal waits for the main
# thread; where that waits for the other one, neither ever does. So programs that interrupt threads are not measured.
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": None}


@pytest.fixture(autouse=True)
def hears():
    """As a program that a user has started: workers of pytest-xdist, and what these start, ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def small(name, **params):
    return of_rounds(name, 10, **params)


def sending(delay):
    """Return a thread that is Ctrl-C after some seconds."""

    def send():
        time.sleep(delay)
        os.kill(os.getpid(), signal.SIGINT)

    return threading.Thread(target=send)


def interrupt():
    sys.setprofile(None)
    signal.raise_signal(signal.SIGINT)


def in_step(number):
    """Return a profile function that is Ctrl-C when Python calls, or returns, for so many times."""
    steps = iter(range(number))
    return lambda *_: next(steps, None) is None and interrupt()


class Interrupted:
    """Fits of one estimator that are interrupted, each with a look at what is left."""

    def __init__(self, name, **params):
        self.name, self.params, (self.X, self.y) = name, params, small_data(1000)
        self.expected = small(name, **params).fit(self.X, self.y).predict_proba(self.X)
        self.lost = []
        sys.unraisablehook = lambda told: self.lost.append(told.exc_type)
        self.n_as_before = 0

    def fit(self, start, stop, *, is_fitted):
        """Fit between `start` and `stop` of what interrupts; return whether it has done so before the fit was over."""
        model = small(self.name, focal_gamma=3.0, **self.params)
        old = model.fit(self.X, self.y).predict_proba(self.X) if is_fitted else None
        before = vars(model.set_params(focal_gamma=1.0)).copy()
        self.lost.clear()
        is_over, started = False, time.monotonic()
        try:
            start()
            model.fit(self.X, self.y)
            is_over = True
            stop()
        except KeyboardInterrupt:
            pass
        except ValueError as error:
            if not isinstance(error.__cause__, KeyboardInterrupt):
                raise
        else:
            assert self.lost == [KeyboardInterrupt], "no KeyboardInterrupt came out, and none was lost by Python"
        assert time.monotonic() - started < SOON
        if vars(model).keys() == before.keys() and all(vars(model)[name] is before[name] for name in before):
            self.n_as_before += 1
            self.check_as_before(model, old)
        else:  # the last step was done
            np.testing.assert_array_equal(model.predict_proba(self.X), self.expected)
        np.testing.assert_array_equal(model.fit(self.X, self.y).predict_proba(self.X), self.expected)
        return not is_over or bool(self.lost)

    def check_as_before(self, model, old):
        """Raise if a model does not predict what the old one did, or predicts at all if there was none."""
        if old is not None:
            np.testing.assert_array_equal(model.set_params(focal_gamma=3.0).predict_proba(self.X), old)
            model.set_params(focal_gamma=1.0)
            return
        try:
            model.predict_proba(self.X)
        except NotFittedError:
            return
        raise AssertionError("a model that was never fitted predicts")


def interrupt_at_any_time(name, **params):
    """Interrupt fits after some time, so that the engine's library is at work, most of the time."""
    warnings.simplefilter("ignore")
    moments, fits = random.Random(0), Interrupted(name, **params)
    started = time.monotonic()
    small(name, **params).fit(fits.X, fits.y)
    duration = time.monotonic() - started
    n_interrupted = 0
    while n_interrupted < N_TIMES:
        thread = sending(moments.uniform(0, duration))
        n_interrupted += fits.fit(thread.start, thread.join, is_fitted=n_interrupted % 2 == 0)
        thread.join()
        while threading.active_count() > 1:  # a thread may have to find out yet that there is nothing left to do
            time.sleep(0.001)
    return fits.n_as_before


def interrupt_in_any_step(name):
    """Interrupt fits in some step of Python's, so that no step is too short to be met."""
    warnings.simplefilter("ignore")
    moments, fits = random.Random(0), Interrupted(name)
    count = itertools.count()
    sys.setprofile(lambda *_: next(count))
    small(name).fit(fits.X, fits.y)
    sys.setprofile(None)
    for i, step in enumerate(moments.sample(range(next(count)), N_TIMES)):
        # Where this is a step or two after the end, `stop` is what is interrupted.
        fits.fit(lambda step=step: sys.setprofile(in_step(step)), interrupt, is_fitted=i % 2 == 0)
    return fits.n_as_before


@pytest.mark.parametrize("program", [interrupt_at_any_time, interrupt_in_any_step], ids=lambda each: each.__name__)
def test_an_interrupted_fit_has_changed_nothing(program, estimator):
    n_as_before = returned_by(program, estimator.__name__, environment=UNMEASURED)
    assert n_as_before >= N_TIMES // 2  # some meet the end of the fit


def interrupt_threads(name):
    """Interrupt a fit whose gradients several threads write into XGBoost's own memory."""
    compiled.kernel, _arrays.BLOCK = None, 64
    return interrupt_at_any_time(name, n_jobs=2)


def test_no_thread_remains():
    n_as_before = returned_by(interrupt_threads, "FocalXGBClassifier", environment=UNMEASURED)
    assert n_as_before >= N_TIMES // 2


def as_batches(X, y):
    """Return the arguments of `fit` that are these data in two batches."""
    return (Batches([{"data": X[rows], "label": y[rows]} for rows in (slice(400), slice(400, None))]),)


def interrupt_before_reading(n_calls, in_batches):
    """Interrupt XGBoost's library whenever it calls Python for data, before that has done anything."""
    X, y = small_data(1000)
    model = small("FocalXGBClassifier").fit(X, y)
    before, read, calls = model.predict_proba(X), xgboost.core.DataIter._next_wrapper, []

    def interrupted(iterator, this):
        calls.append(this)
        if len(calls) == number:
            signal.raise_signal(signal.SIGINT)
        return read(iterator, this)

    xgboost.core.DataIter._next_wrapper = interrupted
    for number in range(1, n_calls + 1):
        calls.clear()
        try:
            model.fit(*(as_batches(X, y) if in_batches else (X, y)))
        except KeyboardInterrupt:
            np.testing.assert_array_equal(model.predict_proba(X), before)
        else:
            raise AssertionError(f"no KeyboardInterrupt came out in call {number}")
    number = 0
    calls.clear()
    model.fit(*(as_batches(X, y) if in_batches else (X, y)))
    assert len(calls) == n_calls
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), before)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(("n_calls", "in_batches"), [(8, False), (12, True)], ids=["an array", "batches"])
def test_xgboosts_library_may_be_interrupted_where_it_reads_data(n_calls, in_batches):
    """Of an array it asks twice in each of four passes, of two batches three times: the last time for their end."""
    returned_by(interrupt_before_reading, n_calls, in_batches)


class Slow(Batches):
    """An iterator whose second batch is long in coming."""

    def next(self, input_data):
        time.sleep(0 if self.left.__length_hint__() == 2 else 2 * SOON)
        return super().next(input_data)


def test_a_source_of_data_is_interrupted_at_once():
    X, y = small_data(1000)
    (batches,) = as_batches(X, y)
    thread = sending(0.3)
    started = time.monotonic()
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        small("FocalXGBClassifier").fit(Slow(batches.batches))
    thread.join()
    assert time.monotonic() - started < SOON  # not after what it waits for


def test_an_interruption_that_does_not_raise_is_not_lost():
    """A handler of the user's own is called, after the library is done, and is in its place again."""
    told, (X, y) = [], small_data(1000)
    before = signal.signal(signal.SIGINT, lambda *arguments: told.append(arguments[0]))
    try:
        own, read = signal.getsignal(signal.SIGINT), Batches.next
        batches = as_batches(X, y)
        batches[0].next = lambda input_data: signal.raise_signal(signal.SIGINT) or read(batches[0], input_data)
        fitted = small("FocalXGBClassifier").fit(*batches)
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(told) == 12
    np.testing.assert_array_equal(fitted.predict_proba(X), small("FocalXGBClassifier").fit(X, y).predict_proba(X))


class InterruptedPool:
    """An executor that is interrupted when it has started a thread, and does not know yet that it has."""

    def submit(self, function):
        self.thread = threading.Thread(target=function)
        self.thread.start()
        time.sleep(0.1)
        raise KeyboardInterrupt


@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
def test_no_thread_writes_after_an_interruption(again, monkeypatch):
    """What it would write to may be memory of an engine's, which is free by then; who is impatient waits, too."""
    more = [KeyboardInterrupt] * again

    def sleep(seconds):
        if more:
            raise more.pop()
        time.sleep(seconds)

    def slow(block):
        time.sleep(0.3)
        return (block + 1,)

    pool, raw = InterruptedPool(), np.zeros(2 * _arrays.BLOCK)
    out = np.zeros_like(raw)
    monkeypatch.setattr(_arrays, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        _arrays.in_blocks(slow, (raw,), out=[out], n_threads=2, pool=pool)
    assert not more
    left = out.copy()
    pool.thread.join()
    np.testing.assert_array_equal(out, left)
