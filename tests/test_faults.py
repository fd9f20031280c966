"""What fails in the middle of a fit comes out as it is, and leaves the estimator as it was.

That is what a user's own metric, callback, sampler or loss raises, and memory of which there is no more. The next fit
works, and makes the same model as that of an estimator which has seen no failure.
"""

import random
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skfocal.losses import compiled
from skfocal.losses.registry import FAMILIES, Family

from .allocations import Allocations
from .conftest import BOOSTED, ESTIMATORS, WATCHING, boosted_with, engine_of, make, of_rounds, small_data
from .poly_focal_loss import POLY, BinaryPolyLoss, MulticlassPolyLoss
from .programs import returned_by


class Fault:
    """What raises an exception when it is called for the nth time."""

    def __init__(self, error, n_calls):
        self.error, self.n_calls = error, n_calls

    def __call__(self, *_, **__):
        self.n_calls -= 1
        if self.n_calls == 0:
            raise self.error
        return 0.5


class FailingSampler(BaseEstimator):
    def __init__(self, fault=None):
        self.fault = fault

    def fit_resample(self, X, y):
        self.fault()
        return X, y

    def __sklearn_clone__(self):
        return self


def of_metric(boosted, fault, X, y):
    if boosted not in WATCHING:
        return boosted, {"scoring": lambda *_: fault(), "early_stopping": True}, {}
    metric = lambda y_true, y_pred: engine_of(boosted).user_metric("mine", fault(), True)  # noqa: E731
    return boosted, {"eval_metric": metric}, {"eval_set": [(X, y)], **engine_of(boosted).quiet_fit}


def of_callback(boosted, fault, X, y):
    return boosted, *engine_of(boosted).callback(fault)


def of_sampler(boosted, fault, X, y):
    return boosted, {"sampler": FailingSampler(fault)}, {}


def of_loss(estimator, fault, X, y):
    def failing(function):
        return lambda *args, **kwargs: (fault(), function(*args, **kwargs))[1]

    names = {name: failing(getattr(POLY, name)) for name in ("loss_slope", "slope_curvature")}
    formulas = {"formulas": POLY._replace(**names)}
    FAMILIES["failing"] = Family(*(type("Failing", (kind,), formulas) for kind in (BinaryPolyLoss, MulticlassPolyLoss)))
    return type("Failing", (estimator,), {"_family": "failing"}), {}, {}


FAULTS = [
    *((of_metric, each) for each in BOOSTED),
    *((of_callback, each) for each in boosted_with("callback")),
    *((of_sampler, each) for each in BOOSTED),
    *((of_loss, each) for each in ESTIMATORS),
]
ERRORS = [ZeroDivisionError("the user's"), KeyboardInterrupt(), SystemExit(3), MemoryError(), StopIteration()]
RAISED = [
    (where, each, error) for where, each in FAULTS for error in ERRORS
    if not (where is of_callback and isinstance(error, engine_of(each).lost_in_callbacks))
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "estimator", "error"), RAISED, ids=lambda each: getattr(each, "__name__", repr(each))
)
def test_what_a_users_function_raises(where, estimator, error, binary, monkeypatch):
    """The very exception, not another that tells of it; and once it is mended all is as if it had not been."""
    X, y = (part[:300] for part in binary)
    monkeypatch.setitem(FAMILIES, "failing", None)
    fault = Fault(error, 10**9)
    kind, params, arguments = where(estimator, fault, X, y)
    model = make(kind, focal_gamma=3.0).fit(X, y)
    without = {name: model.get_params(deep=False)[name] for name in params}
    before, proba = vars(model.set_params(focal_gamma=1.0, **params)).copy(), model.predict_proba(X)
    fault.n_calls = 1 if where is of_sampler else 4
    with pytest.raises(type(error)) as raised:
        model.fit(X, y, **arguments)
    assert raised.value is error
    assert fault.n_calls == 0
    assert vars(model) == before
    assert all(vars(model)[name] is value for name, value in before.items())
    np.testing.assert_array_equal(model.predict_proba(X), proba)
    again, fresh = (each.fit(X, y).predict_proba(X) for each in (model.set_params(**without), make(kind)))
    np.testing.assert_array_equal(again, fresh)


N_ALLOCATIONS = 30


def fail_to_allocate(name):
    """Let one of NumPy's allocations in a fit fail, and look at what is left; by the kernel and by NumPy's formulas."""
    warnings.simplefilter("ignore")
    (X, y), allocations, places = small_data(500), Allocations(), random.Random(0)
    model, fresh = of_rounds(name, 3), of_rounds(name, 3)
    for kernel in {compiled.kernel, None}:
        compiled.kernel = kernel
        model.set_params(focal_gamma=3.0).fit(X, y)
        with allocations.fail(0):
            fresh.fit(X, y)
        n_allocations, expected = allocations.n, fresh.predict_proba(X)
        for number in sorted(places.sample(range(1, n_allocations + 1), N_ALLOCATIONS)):
            model.set_params(focal_gamma=1.0)
            before, proba = vars(model).copy(), model.predict_proba(X)
            try:
                with allocations.fail(number):
                    model.fit(X, y)
            except MemoryError:
                pass
            else:
                raise AssertionError(f"allocation {number} of {n_allocations} was not missed")
            assert vars(model).keys() == before.keys()
            assert all(vars(model)[name] is value for name, value in before.items())
            np.testing.assert_array_equal(model.predict_proba(X), proba)
        np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected)
    return n_allocations


def test_memory_that_numpy_is_not_given(estimator):
    """MemoryError comes out, whichever of the allocations fails."""
    assert returned_by(fail_to_allocate, estimator.__name__) >= N_ALLOCATIONS
