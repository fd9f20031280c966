"""The bars on real data. Those that train for minutes are in benchmarks/quality.py."""

from functools import cache

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfocal import FocalMLPClassifier
from skfocal.datasets import load_creditcard
from skfocal.losses import BinaryFocalLoss

from .conftest import BOOSTED, ESTIMATORS, boosted_with, engine_of, like_own, make, own, real_data


def split(name):
    """Split in time where the data has one, else at random."""
    X, y = real_data(name)
    if name == "creditcard":
        first = int(0.8 * len(y))
        return X[:first], X[first:], y[:first], y[first:]
    return train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


def mean_average_precision(y, proba):
    if proba.shape[1] == 2:
        return average_precision_score(y, proba[:, 1])
    return np.mean([average_precision_score(y == k, proba[:, k]) for k in range(proba.shape[1])])


@pytest.mark.parametrize("estimator", BOOSTED)
def test_credit_card_fraud(estimator):
    X, X_test, y, y_test = split("creditcard")
    engine = engine_of(estimator)
    proba = make(estimator, n_estimators=100, **engine.on_threads(2)).fit(X, y).predict_proba(X_test)
    least_precision, most_loss = engine.real_bars
    assert average_precision_score(y_test, proba[:, 1]) >= least_precision
    assert log_loss(y_test, proba) <= most_loss


@cache
def own_probabilities(estimator, name):
    """Return what the engine's own log loss predicts on the test part."""
    X, X_test, y, _ = split(name)
    return own(estimator, n_estimators=100, **engine_of(estimator).on_threads(2)).fit(X, y).predict_proba(X_test)


@pytest.mark.parametrize("gamma", [0.5, 3.0])
@pytest.mark.parametrize("name", ["census_kdd_half", "creditcard"])
@pytest.mark.parametrize("estimator", BOOSTED)
def test_the_link_is_as_good_as_the_engines_own_log_loss(estimator, name, gamma):
    X, X_test, y, y_test = split(name)
    model = like_own(estimator, n_estimators=100, focal_gamma=gamma, **engine_of(estimator).on_threads(2))
    focal = model.fit(X, y).predict_proba(X_test)
    assert log_loss(y_test, focal) <= 1.02 * log_loss(y_test, own_probabilities(estimator, name))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 5.0])
@pytest.mark.parametrize("name", ["credit_default_uci", "german_credit", "mc_page_blocks", "mc_thyroid"])
@pytest.mark.parametrize("grown", [make, like_own])
@pytest.mark.parametrize("estimator", BOOSTED)
def test_no_gamma_collapses(estimator, grown, name, gamma):
    X, X_test, y, y_test = split(name)
    model = grown(estimator, n_estimators=100, focal_gamma=gamma, **engine_of(estimator).on_threads(2))
    proba = model.fit(X, y).predict_proba(X_test)
    assert np.isfinite(proba).all()
    assert len(np.unique(proba[:, -1])) > 10
    plain = own_probabilities(estimator, name)
    assert mean_average_precision(y_test, proba) >= 0.9 * mean_average_precision(y_test, plain)


@pytest.mark.parametrize("gamma", [1.0, 2.0])
def test_credit_card_fraud_by_a_network(gamma):
    """Averages over seeds are in benchmarks/neural_network.py."""
    X, X_test, y, y_test = split("creditcard")
    network = FocalMLPClassifier(focal_gamma=gamma, early_stopping=True, random_state=0)
    model = make_pipeline(StandardScaler(), network).fit(X, y)
    proba, raw = model.predict_proba(X_test), model.decision_function(X_test)
    assert average_precision_score(y_test, proba[:, 1]) >= 0.78
    assert log_loss(y_test, proba) <= 0.0033
    assert log_loss(y_test, proba) < (0.9 if gamma == 1 else 0.5) * log_loss(y_test, expit(raw))


def shipped_model(estimator):
    """Return a model with defaults; networks want features of one scale, and must not learn the sample by heart."""
    if estimator in BOOSTED:
        return make(estimator)
    network = estimator(early_stopping=True, validation_fraction=0.2, random_state=0)
    return make_pipeline(StandardScaler(), network)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_shipped_sample(estimator):
    """Without any other data: ranks frauds, and the probabilities are those of the true 0.17 %."""
    creditcard = load_creditcard()
    train = creditcard.data[:, 0] < np.quantile(creditcard.data[:, 0], 0.7)
    X, y, weight = creditcard.data[:, 1:], creditcard.target, creditcard.sample_weight
    model = shipped_model(estimator)
    weights = "sample_weight" if estimator in BOOSTED else f"{estimator.__name__.lower()}__sample_weight"
    model.fit(X[train], y[train], **{weights: weight[train]})
    proba, raw = model.predict_proba(X[~train]), model.decision_function(X[~train])
    test = {"sample_weight": weight[~train]}
    assert average_precision_score(y[~train], proba[:, 1], **test) > 0.6
    assert np.average(proba[:, 1], weights=weight[~train]) == pytest.approx(0.0017, abs=0.001)
    assert log_loss(y[~train], proba, **test) < 0.5 * log_loss(y[~train], expit(raw.astype(float)), **test)


@pytest.fixture(scope="module")
def cards():
    """Return the shipped sample, in time: features, labels and weights to train and to test."""
    sample = load_creditcard()
    n = int(0.8 * len(sample.target))
    arrays = sample.data, sample.target, sample.sample_weight
    return [array[:n] for array in arrays], [array[n:] for array in arrays]


@pytest.mark.parametrize("mix", [0.1, 0.5])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_mix_with_the_log_loss(estimator, mix, cards):
    """Ranks frauds, with probabilities through its own link: that of the focal loss alone gives worse ones."""
    (X, y, weight), (X_test, y_test, weight_test) = cards
    model = shipped_model(estimator)
    (model if estimator in BOOSTED else model[-1]).set_params(focal_gamma=2.0, focal_mix=mix)
    weights = "sample_weight" if estimator in BOOSTED else f"{estimator.__name__.lower()}__sample_weight"
    model.fit(X, y, **{weights: weight})
    loss = (model if estimator in BOOSTED else model[-1]).focal_loss_
    raw, proba = model.decision_function(X_test), model.predict_proba(X_test)
    assert average_precision_score(y_test, proba[:, 1], sample_weight=weight_test) > 0.6
    unmixed = BinaryFocalLoss(loss.gamma).predict_proba(raw)
    losses = [log_loss(y_test, each, sample_weight=weight_test) for each in (proba, unmixed)]
    assert losses[0] < 0.9 * losses[1]
    assert np.average(proba[:, 1], weights=weight_test) == pytest.approx(0.0017, abs=0.001)


@pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated")  # by LightGBM 4.7; 4.6 has no other
@pytest.mark.parametrize("stopped_early", [False, True])
@pytest.mark.parametrize("estimator", boosted_with("old_model"))
def test_a_model_of_the_log_loss_is_refined(estimator, stopped_early, cards):
    """It starts from what the old model predicts, whatever its own intercept, and new trees count in predictions."""
    (X, y, weight), (X_test, y_test, weight_test) = cards
    engine = engine_of(estimator)
    old = own(estimator, n_estimators=200 if stopped_early else 10, reg_lambda=10)
    fit = {}
    if stopped_early:
        old.set_params(**{engine.stopping: 3})
        fit = {"eval_set": [(X_test, y_test)], **engine.quiet_fit}
    old.fit(X, y, sample_weight=weight, **fit)
    refine = {engine.old_model: old, "sample_weight": weight}
    same = make(estimator, learning_rate=1e-9).fit(X, y, **refine)
    np.testing.assert_allclose(same.decision_function(X_test), engine.margins(old, X_test), atol=1e-5)
    early = {"n_estimators": 300, "early_stopping_rounds": 10, "random_state": 0}
    new = make(estimator, **early).fit(X, y, **refine)
    (history,) = new.evals_result_.values()
    assert list(history) == ["focal_loss"]
    ((_, best),) = new.best_score_.items()
    assert best["focal_loss"] == min(history["focal_loss"]) < history["focal_loss"][0]
    n_old = 10
    if stopped_early:  # XGBoost's own counts from 0
        n_old = old.best_iteration_ if hasattr(old, "best_iteration_") else old.best_iteration + 1
    assert new.best_iteration_ == n_old + np.argmin(history["focal_loss"]) + 1
    old_loss = np.average(new.focal_loss_.loss(y_test, engine.margins(old, X_test)), weights=weight_test)
    new_loss = np.average(new.focal_loss_.loss(y_test, new.decision_function(X_test)), weights=weight_test)
    assert new_loss < old_loss
    assert np.average(new.predict_proba(X_test)[:, 1], weights=weight_test) == pytest.approx(0.0017, abs=0.001)
