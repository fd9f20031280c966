"""Where fits run: in processes that were forked, in threads that outlive the main one, when the interpreter ends."""

import os
import subprocess
import sys

import pytest

from .conftest import BOOSTED, boosted_with, engine_of

# More than one block of gradients, so that other threads are asked to help.
DATA = """
import lightgbm, skfocal, xgboost
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier

X, y = make_classification(n_samples=140_000, n_features=4, random_state=0)
"""

IN_A_FORK = """
import faulthandler, os, sys

{parent}.fit(X, y)  # whose threads do not live on in a child
child = os.fork()
if child == 0:
    faulthandler.dump_traceback_later({patience}, exit=True)
    {model}.fit(X, y)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

AFTER_THE_MAIN_THREAD = """
import threading, time

def fit():
    threading.main_thread().join()
    time.sleep(0.5)  # the interpreter is ending, and waits for this thread only
    print({model}.fit(X, y).predict_proba(X).shape, flush=True)

threading.Thread(target=fit).start()
"""

AT_EXIT = """
import atexit

atexit.register(lambda: print({model}.fit(X, y).predict_proba(X).shape, flush=True))
"""

ids = {"ids": lambda each: getattr(each, "__name__", None)}


def run(program, **texts):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    return subprocess.run(  # noqa: S603  # a program of ours
        [sys.executable, "-W", "ignore", "-c", DATA + program.format(**texts)],
        env=environment | {"OMP_NUM_THREADS": "2"}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def written(kind):
    """Return a small classifier, ours or an engine's own, as it is written in a program."""
    engine = next(each for each in map(engine_of, BOOSTED) if kind in (each.estimator, each.own))
    quick = engine.quick if kind is engine.estimator else engine.own_quick
    params = {**quick, **engine.on_threads(2), **engine.translated({"n_estimators": 3})}
    module = {"sklearn": ""}.get(kind.__module__.partition(".")[0], kind.__module__.partition(".")[0] + ".")
    return f"{module}{kind.__name__}(**{params!r})"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("parent", [engine_of(each).own for each in BOOSTED], **ids)
@pytest.mark.parametrize("estimator", boosted_with("threads"), **ids)
def test_fits_in_a_fork_wherever_its_engine_does(estimator, parent):
    own = engine_of(estimator).own
    if parent is own or run(IN_A_FORK, parent=written(parent), model=written(own), patience=20).returncode:
        pytest.skip("the engine's own classifier does not end there either: the threads it counts on were the parent's")
    result = run(IN_A_FORK, parent=written(parent), model=written(estimator), patience=100)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("program", [AFTER_THE_MAIN_THREAD, AT_EXIT], ids=["after the main thread", "at exit"])
@pytest.mark.parametrize("estimator", BOOSTED, **ids)
def test_fits_when_no_more_threads_can_be_started(estimator, program):
    result = run(program, model=written(estimator))
    assert result.stdout.endswith("(140000, 2)\n"), result.stderr
