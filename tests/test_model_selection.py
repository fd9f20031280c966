"""scikit-learn's and imbalanced-learn's tools around the estimators: searches, thresholds, calibration, ensembles."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, confusion_matrix, log_loss, make_scorer, precision_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfocal import FocalMLPClassifier
from skfocal.datasets import load_creditcard

from .conftest import ESTIMATORS, make

ids = {"ids": lambda estimator: estimator.__name__}


@pytest.fixture(scope="module")
def cards():
    """Return a part of the real card transactions, scaled for the networks: all frauds, a third of the others."""
    X, y = load_creditcard(return_X_y=True)
    keep = (y == 1) | (np.arange(len(y)) % 3 == 0)
    return train_test_split(StandardScaler().fit_transform(X[keep]), y[keep], stratify=y[keep], random_state=0)


def quick(estimator, **params):
    """Return a small estimator; a network that stops early, and does not warn if it did not have to."""
    network = estimator is FocalMLPClassifier
    return make(estimator, **({"tol": 1e-4, "max_iter": 500, "early_stopping": True} if network else {}), **params)


GRID = {"focal_gamma": [0.5, 2.0], "focal_alpha": [None, 0.9]}


@pytest.mark.parametrize("scoring", ["average_precision", "neg_log_loss"])
@pytest.mark.parametrize("search", [GridSearchCV, HalvingGridSearchCV], ids=lambda search: search.__name__)
def test_searches_over_gamma_and_alpha(estimator, cards, search, scoring):
    """Nested in a pipeline, on two processes; what is found is what the best scores belong to."""
    X, X_test, y, y_test = cards
    name = estimator.__name__.lower()
    pipeline = make_pipeline(StandardScaler(), quick(estimator))
    grid = {f"{name}__{parameter}": values for parameter, values in GRID.items()}
    halving = {"factor": 2, "random_state": 0} if search is HalvingGridSearchCV else {}
    found = search(pipeline, grid, scoring=scoring, cv=2, n_jobs=2, **halving).fit(X, y)
    results = found.cv_results_
    assert np.isfinite(results["mean_test_score"]).all()
    assert len({str(params) for params in results["params"]}) == 4
    if search is GridSearchCV:
        assert len(np.unique(results["mean_test_score"])) == 4  # both parameters matter
    assert found.best_estimator_[-1].focal_gamma == found.best_params_[f"{name}__focal_gamma"]
    assert average_precision_score(y_test, found.predict_proba(X_test)[:, 1]) > 0.5


def test_a_search_by_log_loss_takes_no_alpha(estimator, cards):
    """alpha reweights the data and so the probabilities, which the log loss of the data does not forgive."""
    X, _, y, _ = cards
    found = GridSearchCV(quick(estimator), {"focal_alpha": [None, 0.99]}, scoring="neg_log_loss", cv=2, n_jobs=2)
    assert found.fit(X, y).best_params_ == {"focal_alpha": None}


@pytest.mark.parametrize("sampler", ["over_sampling.SMOTE", "under_sampling.RandomUnderSampler"])
def test_searches_behind_a_sampler(estimator, cards, sampler):
    imblearn_pipeline = pytest.importorskip("imblearn.pipeline")
    module, name = sampler.split(".")
    sampling = getattr(pytest.importorskip(f"imblearn.{module}"), name)(random_state=0)
    X, _, y, _ = cards
    pipeline = imblearn_pipeline.Pipeline([("sampler", sampling), ("focal", quick(estimator))])
    grid = {"focal__focal_gamma": [0.5, 2.0], "sampler__sampling_strategy": [0.2, 0.5]}
    found = GridSearchCV(pipeline, grid, scoring="average_precision", cv=2, n_jobs=2).fit(X, y)
    assert (found.cv_results_["mean_test_score"] > 0.5).all()


def cost(y_true, y_pred):
    """A missed fraud costs 50, a false alarm 1."""
    (_, false_alarms), (missed, _) = confusion_matrix(y_true, y_pred)
    return -(50 * missed + false_alarms)


@pytest.mark.parametrize("response", ["predict_proba", "decision_function"])
def test_a_tuned_threshold_costs_less(estimator, cards, response):
    X, X_test, y, y_test = cards
    model = quick(estimator).fit(X, y)
    tuned = TunedThresholdClassifierCV(
        quick(estimator), scoring=make_scorer(cost), response_method=response, cv=3, n_jobs=2, random_state=0
    ).fit(X, y)
    assert tuned.best_threshold_ < (0.5 if response == "predict_proba" else 0.0)
    assert cost(y_test, tuned.predict(X_test)) > cost(y_test, model.predict(X_test))


def test_a_fixed_threshold(estimator, cards):
    """By scikit-learn's rule for costs: an alarm pays from a probability of 1 / 50 on."""
    X, X_test, y, y_test = cards
    model = quick(estimator).fit(X, y)
    fixed = FixedThresholdClassifier(model, threshold=1 / 50, response_method="predict_proba").fit(X, y)
    np.testing.assert_array_equal(fixed.predict(X_test), model.predict_proba(X_test)[:, 1] >= 1 / 50)
    assert cost(y_test, fixed.predict(X_test)) > cost(y_test, model.predict(X_test))


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(estimator, cards, method):
    """There is next to nothing left to calibrate: the link has done that."""
    X, X_test, y, y_test = cards
    calibrated = CalibratedClassifierCV(quick(estimator), method=method, cv=3, n_jobs=2).fit(X, y)
    plain = quick(estimator).fit(X, y)
    losses = [log_loss(y_test, model.predict_proba(X_test)) for model in (plain, calibrated)]
    assert losses[0] < 1.5 * losses[1]


def test_calibration_display(estimator, cards):
    pytest.importorskip("matplotlib").use("Agg")
    X, X_test, y, y_test = cards
    model = quick(estimator).fit(X, y)
    display = CalibrationDisplay.from_estimator(model, X_test, y_test, n_bins=4, strategy="quantile")
    np.testing.assert_array_equal(display.y_prob, model.predict_proba(X_test)[:, 1])
    assert np.abs(display.prob_true - display.prob_pred).max() < 0.2


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_cross_val_predict(estimator, data, method):
    """What is predicted of a fold is by the model of the others."""
    X, y = data
    folds = list(StratifiedKFold(2).split(X, y))
    out_of_fold = cross_val_predict(make(estimator), X, y, cv=folds, method=method, n_jobs=2)
    for others, fold in folds:
        expected = getattr(make(estimator).fit(X[others], y[others]), method)(X[fold])
        np.testing.assert_array_equal(out_of_fold[fold], expected)


def test_permutation_importance(estimator, cards):
    X, X_test, y, y_test = cards
    model = quick(estimator).fit(X, y)
    importance = permutation_importance(
        model, X_test, y_test, scoring="average_precision", n_repeats=3, random_state=0, n_jobs=2
    ).importances_mean
    assert np.argmax(importance) in (4, 10, 12, 14, 17)  # the components known to tell frauds
    assert importance.max() > 0.005


def test_stacking_and_voting(cards):
    X, X_test, y, y_test = cards
    models = [(each.__name__, quick(each)) for each in ESTIMATORS]
    stack = StackingClassifier(models, LogisticRegression(), cv=2, n_jobs=2).fit(X, y)
    vote = VotingClassifier(models, voting="soft", n_jobs=2).fit(X, y)
    assert stack.transform(X_test).shape == (len(y_test), len(models))
    np.testing.assert_allclose(
        vote.predict_proba(X_test), np.mean([model.predict_proba(X_test) for model in vote.estimators_], axis=0)
    )
    for model in (stack, vote):
        proba = model.predict_proba(X_test)[:, 1]
        assert average_precision_score(y_test, proba) > 0.8
        assert precision_score(y_test, model.predict(X_test)) > 0.8
