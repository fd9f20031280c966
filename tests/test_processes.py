"""Fits in processes of each kind, from a parent that has fitted: the same models, bit by bit, on both sides."""

import multiprocessing
import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import skfocal

from .conftest import make
from .programs import returned_by

NAMES = [name for name in skfocal.__all__ if name.startswith("Focal") and name.endswith("Classifier")]


def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4)).astype(np.float32)
    return X, (X[:, 0] > 1).astype(int)


def fitted(name):
    """Return a fitted estimator, pickled, and what it predicts where it was fitted."""
    warnings.simplefilter("ignore")
    X, y = data()
    model = make(getattr(skfocal, name), random_state=0).fit(X, y)
    return pickle.dumps(model), model.predict_proba(X)


def fit_in_processes(method):
    """Fit all estimators here, in two processes that are started by a method, and here again."""
    X, _ = data()
    here = [fitted(name)[1] for name in NAMES]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as processes:
        there = list(processes.map(fitted, NAMES * 2))
    for expected, (pickled, proba) in zip(here * 2, there, strict=True):
        np.testing.assert_array_equal(proba, expected)
        np.testing.assert_array_equal(pickle.loads(pickled).predict_proba(X), expected)
    for name, expected in zip(NAMES, here, strict=True):
        np.testing.assert_array_equal(fitted(name)[1], expected)
    return len(there)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_models_of_other_processes(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"processes cannot be started by {method} here")
    assert returned_by(fit_in_processes, method, environment={"OMP_NUM_THREADS": "1"}) == 2 * len(NAMES)
