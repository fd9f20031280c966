"""Where fits run: in processes that were forked, in threads that outlive the main one, when the interpreter ends."""

import os

import pytest

from skfocal import FocalMLPClassifier

from .conftest import BOOSTED, ESTIMATORS, boosted_with, engine_of
from .programs import PYTHON, run

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


def run_on_two_threads(program, **texts):
    environment = {name: None for name in os.environ if name.startswith("OMP_")} | {"OMP_NUM_THREADS": "2"}
    code = DATA + program.format(**texts)
    return run(PYTHON, "-W", "ignore", "-c", code, environment=environment, may_fail=True)


def written(kind):
    """Return a small classifier, ours or an engine's own, as it is written in a program."""
    if kind is FocalMLPClassifier:
        return "skfocal.FocalMLPClassifier(hidden_layer_sizes=(2,), max_iter=1, batch_size=70_000)"
    engine = next(each for each in map(engine_of, BOOSTED) if kind in (each.estimator, each.own))
    quick = engine.quick if kind is engine.estimator else engine.own_quick
    params = {**quick, **engine.on_threads(2), **engine.translated({"n_estimators": 3})}
    module = {"sklearn": ""}.get(kind.__module__.partition(".")[0], kind.__module__.partition(".")[0] + ".")
    return f"{module}{kind.__name__}(**{params!r})"


PAIRS = [(each, engine_of(other).own) for each in boosted_with("threads") for other in BOOSTED if other is not each]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork, which is tested, is not there")
@pytest.mark.parametrize(("estimator", "parent"), PAIRS, **ids)
def test_fits_in_a_fork_wherever_its_engine_does(estimator, parent):
    """An engine that shares its threads with what the parent has fitted does not end by itself either."""
    models = (engine_of(estimator).own, estimator)
    own_ends, ends = (
        run_on_two_threads(IN_A_FORK, parent=written(parent), model=written(model), patience=30).returncode == 0
        for model in models
    )
    assert ends >= own_ends


@pytest.mark.parametrize("program", [AFTER_THE_MAIN_THREAD, AT_EXIT], ids=["after the main thread", "at exit"])
@pytest.mark.parametrize("estimator", ESTIMATORS, **ids)
def test_fits_when_no_more_threads_can_be_started(estimator, program):
    result = run_on_two_threads(program, model=written(estimator))
    assert result.stdout.endswith("(140000, 2)\n"), result.stderr
