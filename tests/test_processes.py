"""Fits in processes of each kind, from a parent that has fitted: the same models, bit by bit, on both sides."""

import multiprocessing
import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from .conftest import ESTIMATORS, make, small_data
from .programs import returned_by


def fitted(estimator):
    """Return a fitted estimator, pickled, and what it predicts where it was fitted."""
    warnings.simplefilter("ignore")
    X, y = small_data(500)
    model = make(estimator, random_state=0).fit(X, y)
    return pickle.dumps(model), model.predict_proba(X)


def fit_in_processes(method):
    """Fit all estimators here, in two processes that are started by a method, and here again."""
    X, _ = small_data(500)
    here = [fitted(estimator)[1] for estimator in ESTIMATORS]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as processes:
        there = list(processes.map(fitted, ESTIMATORS * 2))
    for expected, (pickled, proba) in zip(here * 2, there, strict=True):
        np.testing.assert_array_equal(proba, expected)
        np.testing.assert_array_equal(pickle.loads(pickled).predict_proba(X), expected)
    for estimator, expected in zip(ESTIMATORS, here, strict=True):
        np.testing.assert_array_equal(fitted(estimator)[1], expected)
    return len(there)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_models_of_other_processes(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"processes cannot be started by {method} here")
    assert returned_by(fit_in_processes, method, environment={"OMP_NUM_THREADS": "1"}) == 2 * len(ESTIMATORS)
