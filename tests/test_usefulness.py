"""A fit that ends useless says so, and what to change."""

import re
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from skfocal import FocalMLPClassifier
from skfocal.boosting.link import Link
from skfocal.datasets import load_creditcard

from .conftest import BOOSTED, boosted_with, engine_of, make

ids = {"ids": lambda estimator: estimator.__name__}
MESSAGE = "has found no split that tells samples apart, all have the same margin"


def warned(model, X, y):
    """Fit, and return how many margins there are and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    return len(np.unique(model.decision_function(X))), [str(each.message) for each in caught]


@pytest.mark.parametrize("estimator", BOOSTED, **ids)
def test_hessians_below_what_a_split_must_have(estimator):
    """A gamma that makes all Hessians tiny, on real cards; smaller ones are of use, and nothing is said."""
    X, y = load_creditcard(return_X_y=True)
    useful, constant = ((gamma, *warned(make(estimator, focal_gamma=gamma), X, y)) for gamma in (10.0, 100.0))
    assert useful[1] > 1000
    assert useful[2] == []
    assert constant[1] == 1
    (message,) = constant[2]
    assert message.startswith(f"{estimator.__name__} {MESSAGE}: lower focal_gamma (100.0)")
    assert f"lower focal_gamma (100.0) or {engine_of(estimator).splits_need}, or raise" in message


@pytest.mark.parametrize("estimator", BOOSTED, **ids)
def test_values_are_those_in_force(estimator, binary):
    """Under whatever name they were given."""
    for params, said in engine_of(estimator).thresholds:
        with pytest.warns(ConvergenceWarning, match=re.escape(said)):
            make(estimator, **params).fit(*binary)


@pytest.mark.parametrize(
    "estimator", [each for each in BOOSTED if "min_child_weight" in engine_of(each).splits_need], **ids
)
def test_what_is_said_helps(estimator, binary):
    """Small weights of classes on small data; without the threshold that is named there are splits."""
    X, y = binary[0][:300], binary[1][:300]
    params = {"focal_alpha": 0.25, "class_weight": {0: 1e-5, 1: 1e-5}, "reg_lambda": 0.0}
    with pytest.warns(ConvergenceWarning, match=f"{MESSAGE}.*min_child_weight") as caught:
        make(estimator, **params).fit(X, y)
    assert caught[0].filename == __file__  # where `fit` is called
    n_margins, messages = warned(make(estimator, **params, min_child_weight=1e-12), X, y)
    assert n_margins > 2, messages


@pytest.mark.parametrize("estimator", BOOSTED, **ids)
def test_where_there_is_nothing_to_find(estimator, data):
    """Features that are the same for all samples; and a single class that weighs anything, which is no failure."""
    _, y = data
    with pytest.warns(ConvergenceWarning, match="if the features are the same for all samples"):
        make(estimator).fit(np.ones((len(y), 2)), y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(estimator).fit(np.ones((len(y), 2)), y, sample_weight=np.where(y == 0, 1.0, 0.0))


@pytest.mark.parametrize("estimator", boosted_with("tells_far_margins"), **ids)
def test_margins_too_far_out_for_probabilities(estimator, binary, monkeypatch):
    """Those that differ, but not in what is predicted."""
    monkeypatch.setattr(Link, "posterior", lambda self, margins, n_jobs=1: np.tile([1.0, 0.0], (len(margins), 1)))
    with pytest.warns(ConvergenceWarning, match=r"all samples have the same probabilities: lower learning_rate or foc"):
        make(estimator).fit(*binary)


NOTHING_LEARNT = "FocalMLPClassifier has learnt nothing that tells samples apart, all have the same probabilities"


@pytest.mark.parametrize(
    ("change", "params"),
    [
        (np.ones_like, {}),
        (lambda X: np.full_like(X, -1e3), {"activation": "tanh"}),
        (lambda X: 1 + 1e-6 * X, {"focal_gamma": 1e4, "solver": "lbfgs"}),  # margins that are far out for this gamma
    ],
    ids=["constant", "saturated", "sure"],
)
@pytest.mark.parametrize("convert", [np.asarray, csr_array, np.ndarray.tolist])
def test_a_network_that_tells_nothing_apart(data, change, params, convert):
    X, y = data
    X = convert(change(X[:1500]))
    with pytest.warns(ConvergenceWarning, match=NOTHING_LEARNT) as caught:
        model = make(FocalMLPClassifier, **params).fit(X, y[:1500])
    assert caught[0].filename == __file__
    assert len(np.unique(model.predict_proba(X), axis=0)) == 1


def test_a_network_that_tells_one_sample_apart():
    """The last one, which is looked at last; and a single class that weighs anything, which is no failure."""
    X = np.ones((3000, 2))
    X[-1] = 5.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(FocalMLPClassifier).fit(X, np.arange(3000) % 2)
        make(FocalMLPClassifier).fit(np.ones((40, 2)), np.arange(40) % 2, sample_weight=np.arange(40) % 2)
    for size in (2999, 80, 7):  # products of matrices differ by rounding within them
        with pytest.warns(ConvergenceWarning, match=NOTHING_LEARNT):
            make(FocalMLPClassifier, hidden_layer_sizes=(8,)).fit(X[:size], np.arange(size) % 2)


@pytest.mark.parametrize("estimator", BOOSTED, **ids)
def test_a_caller_without_a_name(estimator):
    """As programs have that are run from text."""
    given = {"model": make(estimator), "X": np.ones((200, 2)), "y": np.arange(200) % 2}
    with pytest.warns(ConvergenceWarning, match=MESSAGE):
        exec("model.fit(X, y)", given)  # noqa: S102  # which is what is tested
