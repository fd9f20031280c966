"""FocalMLPClassifier goes on: from its own fit, batch by batch, and from a pretrained network."""

from copy import deepcopy

import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from skfocal import FocalMLPClassifier
from skfocal.losses import BinaryFocalLoss

from .conftest import SMALL_NETWORK
from .test_neural_network import IN_ORDER, STANDING_STILL, assert_same_coefficients, network, some_weights


def test_going_on_with_early_stopping_keeps_the_best(doubles):
    """A fit that finds nothing better ends with the network that it started from."""
    X, y = doubles
    params = {"early_stopping": True, "warm_start": True, "tol": 1e-4, "n_iter_no_change": 2}
    model = network(**params).fit(X, y)
    model.set_params(learning_rate_init=1.0)  # as good as certain to make it worse
    best, raw = model.best_validation_score_, model.decision_function(X)
    for _ in range(3):
        model.fit(X, y)
        assert model.best_validation_score_ == best
        np.testing.assert_allclose(model.decision_function(X), raw, rtol=1e-9)


@pytest.mark.parametrize(
    "change",
    [
        {"focal_gamma": 0.0},
        {"early_stopping": False},
        {"validation_metric": "focal_loss"},
        {"solver": "sgd"},
        {"solver": "lbfgs", "max_iter": 5},
        {"class_weight": "balanced"},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_a_warm_start_after_a_change_compares_with_nothing_from_before(doubles, change):
    X, y = doubles
    params = {"early_stopping": True, "warm_start": True, "tol": 1e-4, "n_iter_no_change": 3}
    model = network(**params).fit(X, y)
    first = model.decision_function(X)
    model.set_params(**change).fit(X, y)
    if change.get("solver") != "lbfgs":
        assert model.n_iter_ >= 4
        assert len(model.loss_curve_) > model.n_iter_
        scores = model.validation_scores_
        assert scores is None if change == {"early_stopping": False} else model.best_validation_score_ == max(scores)
    assert not np.array_equal(model.decision_function(X), first)
    model.set_params(solver="adam", early_stopping=False, class_weight=None).partial_fit(X, y)
    assert np.isfinite(model.loss_)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_from_lbfgs_a_solver_that_makes_steps_goes_on(doubles):
    X, y = doubles
    first = network(solver="lbfgs", max_iter=5, warm_start=True).fit(X, y)
    before = [part.copy() for part in first.coefs_]
    model = first.set_params(solver="adam", max_iter=200, learning_rate_init=1e-14).fit(X, y)
    for old_part, part in zip(before, model.coefs_, strict=True):
        np.testing.assert_allclose(part, old_part, atol=1e-9)
    assert model.n_iter_ == len(model.loss_curve_)


def test_a_start_is_kept_if_no_epoch_is_better(doubles, monkeypatch):
    """It is the pretrained network, not a random one."""
    X, y = doubles
    old = network().fit(X, y)
    new = FocalMLPClassifier.from_estimator(old, early_stopping=True, max_iter=3)
    monkeypatch.setattr(FocalMLPClassifier, "_score", lambda *arguments, **more: -np.inf)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        new.fit(X, y)
    np.testing.assert_allclose(new.decision_function(X), old.decision_function(X), rtol=1e-9)


def test_epochs_by_partial_fit_are_those_of_fit(doubles):
    """The scale of the output is taken out and put in again around each."""
    X, y = doubles
    fitted = network(**IN_ORDER).fit(X, y, sample_weight=some_weights(y))
    classes = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
    stepwise = network(**IN_ORDER)
    for _ in range(fitted.n_iter_):
        stepwise.partial_fit(X, y, sample_weight=some_weights(y), classes=classes)
    assert_same_coefficients(stepwise, fitted, 1e-9)
    np.testing.assert_allclose(stepwise.loss_curve_, fitted.loss_curve_, rtol=1e-9)


def test_a_first_batch_without_positives(binary):
    X, y = binary
    legitimate = y == 0
    model = network().partial_fit(X[legitimate][:300], y[legitimate][:300], classes=[0, 1])
    assert model.focal_intercept_ == pytest.approx(BinaryFocalLoss(1.0).intercept([300, 0.5]))
    for start in range(0, len(y), 300):
        model.partial_fit(X[start : start + 300], y[start : start + 300])
    assert metrics.roc_auc_score(y, model.predict_proba(X)[:, 1]) > 0.7


def test_warm_start_goes_on_from_the_margins(doubles):
    X, y = doubles
    sgd = {"solver": "sgd", "momentum": 0.0, "n_iter_no_change": 4, **IN_ORDER}
    once = network(**{**sgd, "n_iter_no_change": 11}).fit(X, y)
    assert once.n_iter_ == 13
    twice = network(**sgd, warm_start=True).fit(X, y)
    assert twice.n_iter_ == 6
    twice.set_params(n_iter_no_change=11).fit(X, y)  # scikit-learn goes on counting
    assert len(twice.loss_curve_) == 13
    assert_same_coefficients(twice, once, 1e-9)


@pytest.fixture(scope="module")
def old(binary):
    X, y = binary
    return MLPClassifier(**SMALL_NETWORK).fit(X.astype(np.float64), y)


def test_from_estimator_starts_from_the_network(old, binary):
    X, y = binary[0].astype(np.float64), binary[1]
    before = [part.copy() for part in old.coefs_ + old.intercepts_]
    new = FocalMLPClassifier.from_estimator(old, focal_gamma=2.0)
    assert {**new.get_params(deep=False), **old.get_params()} == new.get_params(deep=False)
    with pytest.raises(NotFittedError, match="FocalMLPClassifier instance is not fitted yet"):
        new.predict(X)
    log_odds = np.log(old.predict_proba(X)[:, 1] / old.predict_proba(X)[:, 0])
    for solver in ("sgd", "adam"):
        still = clone(new).set_params(solver=solver, **STANDING_STILL).fit(X, y)
        np.testing.assert_allclose(still.decision_function(X), log_odds / 3, rtol=1e-6, atol=1e-8)
    assert still.focal_intercept_ is None
    tuned = new.fit(X, y)
    focal = BinaryFocalLoss(2.0)
    assert focal.loss(y, tuned.decision_function(X)).mean() < focal.loss(y, still.decision_function(X)).mean()
    again = clone(new).fit(X, y)  # each fit starts from the old network, not from the last
    assert_same_coefficients(again, new.fit(X, y), 0)
    for part, copy in zip(old.coefs_ + old.intercepts_, before, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_from_estimator_with_gamma_zero_is_a_warm_start(old, binary):
    X, y = binary[0].astype(np.float64), binary[1]
    new = FocalMLPClassifier.from_estimator(old, focal_gamma=0.0, shuffle=False).fit(X, y)
    own = MLPClassifier(**SMALL_NETWORK, shuffle=False, warm_start=True)
    own.fit(X, y)
    own.coefs_, own.intercepts_ = ([part.copy() for part in parts] for parts in (old.coefs_, old.intercepts_))
    own._no_improvement_count, own.best_loss_ = 0, np.inf
    own.fit(X, y)
    assert_same_coefficients(new, own, 1e-8)


def test_from_a_focal_network_keeps_its_margins(binary):
    X, y = binary[0].astype(np.float64), binary[1]
    first = network(focal_gamma=0.5).fit(X, y)
    second = FocalMLPClassifier.from_estimator(first, focal_gamma=4.0, **STANDING_STILL)
    # In log-odds, that is: divided by 1.5 there, by 5 here.
    np.testing.assert_allclose(
        second.fit(X, y).decision_function(X) * 5, first.decision_function(X) * 1.5, rtol=1e-6, atol=1e-8
    )


def test_partial_fit_and_grid_search_from_a_pretrained_network(old, binary):
    X, y = binary[0].astype(np.float64), binary[1]
    batch = FocalMLPClassifier.from_estimator(FrozenEstimator(old), early_stopping=False).partial_fit(X[:200], y[:200])
    assert metrics.average_precision_score(y, batch.predict_proba(X)[:, 1]) > 0.5
    search = GridSearchCV(FocalMLPClassifier.from_estimator(old), {"focal_gamma": [0.0, 2.0]}, cv=2, n_jobs=2)
    search.set_params(scoring="average_precision", error_score="raise").fit(X, y)
    assert search.best_estimator_.pretrained.estimator.coefs_[0].shape == (8, 16)


BAD_PRETRAINED = {
    "a pipeline": (
        lambda old: make_pipeline(old),
        {},
        TypeError,
        "pretrained must be .* got Pipeline",
    ),
    "not fitted": (
        lambda old: MLPClassifier(),
        {},
        ValueError,
        "pretrained must be .*, got one that is not",
    ),
    "activation": (lambda old: old, {"activation": "tanh"}, ValueError, "activation must be 'relu', .* got 'tanh'"),
    "layers": (
        lambda old: old,
        {"hidden_layer_sizes": (3,)},
        ValueError,
        r"hidden_layer_sizes and y must give the layers of pretrained, .*\(8, 16\).*got \[\(8, 3\)",
    ),
}


@pytest.mark.parametrize(("pretrained", "params", "error", "message"), BAD_PRETRAINED.values(), ids=BAD_PRETRAINED)
def test_what_cannot_be_started_from(old, binary, pretrained, params, error, message):
    with pytest.raises(error, match=message):
        network(pretrained=pretrained(old), **params).fit(*binary)


def test_data_that_the_pretrained_network_does_not_fit(old, binary):
    X, y = binary
    model = FocalMLPClassifier.from_estimator(old)
    with pytest.raises(ValueError, match="X has 4 features, but MLPClassifier is expecting 8"):
        model.fit(X[:, :4], y)
    with pytest.raises(ValueError, match=r"classes of y must be those of pretrained, \[0, 1\], got \['a', 'b'\]"):
        model.fit(X, np.array(["a", "b"])[y])
    with pytest.raises(ValueError, match="estimator must be a fitted MLPClassifier, got one that is not"):
        FocalMLPClassifier.from_estimator(MLPClassifier())
    with pytest.raises(TypeError, match="pretrained must be left out, it is the estimator given, got None"):
        FocalMLPClassifier.from_estimator(old, pretrained=None)
    unfrozen = clone(network(pretrained=old))
    with pytest.raises(ValueError, match="unless it is in a FrozenEstimator"):
        unfrozen.fit(X, y)


def test_bad_calls_of_partial_fit(binary, multilabel):
    X, y = binary
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        network().partial_fit(X, y)
    with pytest.raises(ValueError, match=r"labels of y must be among the classes, \[0, 2\], got \[1\]"):
        network().partial_fit(X, y, classes=[0, 2])
    with pytest.raises(ValueError, match=r"classes must hold at least two different labels, got \[0\]"):
        network().partial_fit(X, 0 * y, classes=[0])
    for name in ("class_weight", "focal_alpha"):
        with pytest.raises(ValueError, match=f"{name} must hold numbers for partial_fit.* got 'balanced'"):
            network(**{name: "balanced"}).partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="early_stopping"):
        network(early_stopping=True).partial_fit(X, y, classes=[0, 1])
    assert not hasattr(network(solver="lbfgs"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        network(solver="lbfgs").partial_fit(X, y)


@pytest.mark.filterwarnings("ignore")
def test_a_batch_that_diverges_leaves_the_model_alone(binary):
    X, y = binary[0].astype(np.float64), binary[1]
    sgd = {"solver": "sgd", "activation": "identity"}
    once, twice = (network(**sgd).partial_fit(X, y, classes=[0, 1]) for _ in range(2))
    with pytest.raises(ValueError, match="non-finite"):
        twice.partial_fit(X * 3e307, y)
    assert_same_coefficients(once.partial_fit(X, y), twice.partial_fit(X, y), 0)
    assert once.loss_curve_ == twice.loss_curve_


def test_a_metric_that_nobody_watches_changes_nothing(binary):
    X, y = binary[0].astype(np.float64), binary[1]
    once, twice = (network().partial_fit(X, y, classes=[0, 1]) for _ in range(2))
    twice.set_params(validation_metric="focal_loss")
    assert_same_coefficients(once.partial_fit(X, y), twice.partial_fit(X, y), 0)


def test_a_random_state_is_not_shared(binary):
    X, y = binary
    state = np.random.RandomState(0)
    old = MLPClassifier(**SMALL_NETWORK | {"random_state": state}).fit(X, y)
    before = state.get_state()[1].copy()
    FocalMLPClassifier.from_estimator(old).fit(X, y)
    np.testing.assert_array_equal(state.get_state()[1], before)


def test_a_pretrained_network_that_has_diverged(old, binary):
    broken = deepcopy(old)
    broken.coefs_[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="estimator must have finite coefs_ and intercepts_, got MLPClassifier"):
        FocalMLPClassifier.from_estimator(broken)


def test_bad_layers_of_a_warm_start(binary):
    X, y = binary
    model = network(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="'hidden_layer_sizes' parameter of FocalMLPClassifier must be"):
        model.set_params(hidden_layer_sizes=None).fit(X, y)
