"""Thresholds: the bounds hold as often as they promise, by simulation; decisions cost least, by trying all of them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, binomtest, norm
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skfocal import FocalHistGradientBoostingClassifier
from skfocal.metrics import expected_cost
from skfocal.thresholds import (
    AlertBudgetClassifier,
    CostThresholdClassifier,
    alert_threshold,
    cost_threshold,
    fpr_threshold,
    precision_threshold,
)

N_DRAWS = 1000


def at_least(share):
    """Return the least number of draws that a promise may be kept in: fewer come once in 10,000 times."""
    return binom.ppf(1e-4, N_DRAWS, share)


def decimals(score, rounded):
    return score.round(1) if rounded else score


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize(("max_fpr", "confidence"), [(0.1, 0.9), (0.05, 0.95), (0.3, 0.5)])
def test_the_false_positive_rate_is_kept_as_often_as_promised(max_fpr, confidence, rounded):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [150, 20])
    kept, rates = 0, []
    for _ in range(N_DRAWS):
        score = decimals(rng.normal(size=170) + y, rounded)
        threshold = fpr_threshold(y, score, max_fpr=max_fpr, confidence=confidence)
        # The rate of all negative samples: of rounded scores, those from half a step below on.
        rates.append(norm.sf(np.floor(threshold * 10) / 10 + 0.05 if rounded else threshold))
        kept += rates[-1] <= max_fpr
    assert kept >= at_least(confidence)
    if not rounded:  # no more careful than the next rank would be
        assert kept <= binom.ppf(1 - 1e-4, N_DRAWS, min(confidence + 0.2, 1 - 1e-3))


def test_the_rank_is_the_least_that_keeps_the_rate():
    y, score = np.repeat([0, 1], [200, 1]), np.arange(201.0)
    threshold = fpr_threshold(y, score, max_fpr=0.1, confidence=0.95)
    above = int(np.sum(score[y == 0] >= threshold))
    # That of 200 draws so many or fewer come from the worst tenth has a probability of at most 0.05.
    assert binom.cdf(above, 200, 0.1) <= 0.05 < binom.cdf(above + 1, 200, 0.1)


@pytest.mark.parametrize("n_days", [19, 30])
def test_the_budget_of_alerts_is_kept_as_often_as_promised(n_days):
    """Of days that differ, in how many transactions they have and in their scores."""
    rng = np.random.default_rng(0)

    def day():
        return rng.normal(loc=rng.normal(scale=0.3), size=rng.integers(30, 100))

    kept = 0
    for _ in range(N_DRAWS):
        days = [day() for _ in range(n_days)]
        number = np.repeat(np.arange(n_days), [len(each) for each in days])
        threshold = alert_threshold(np.concatenate(days), groups=number, max_alerts=5, confidence=0.95)
        kept += np.sum(day() >= threshold) <= 5
    assert kept >= at_least(0.95)
    assert kept <= binom.ppf(1 - 1e-4, N_DRAWS, min(0.95 + 1 / n_days, 1 - 1e-9))


def test_alerts_by_hand():
    score = np.array([0.9, 0.8, 0.7, 0.95, 0.2, 0.1, 0.5])
    day = np.array(["a", "a", "a", "b", "b", "b", "c"])
    # After one alert come 0.8, 0.2 and nothing: two of three days, and one more, want to exceed 0.2.
    threshold = alert_threshold(score, groups=day, max_alerts=1, confidence=0.5)
    assert 0.2 < threshold < 0.2 + 1e-12
    assert 0.8 < alert_threshold(score, groups=day, max_alerts=1, confidence=0.75) < 0.8 + 1e-12
    assert alert_threshold(score, groups=day, max_alerts=3, confidence=0.75) == -np.inf


@pytest.mark.filterwarnings("ignore:No threshold has a precision")
@pytest.mark.parametrize("rounded", [False, True])
def test_the_precision_is_kept_as_often_as_promised(rounded):
    """Of scores whose posterior falls with them, and of some that are worse at the top."""
    rng = np.random.default_rng(0)
    for posterior in (lambda score: score**2, lambda score: np.where(score > 0.95, 0.3, score)):
        kept, found = 0, 0
        for _ in range(N_DRAWS):
            score = decimals(rng.random(400), rounded) if rounded else rng.random(400)
            y = (rng.random(400) < posterior(score)).astype(int)
            if not y.any():
                continue
            threshold = precision_threshold(y, score, min_precision=0.6, confidence=0.9)
            found += np.isfinite(threshold)
            everyone = np.linspace(0, 1, 20_001)
            everyone = decimals(everyone, rounded)
            alerts = everyone[everyone >= threshold]
            kept += not len(alerts) or posterior(alerts).mean() >= 0.6
        assert kept >= at_least(0.9)
        assert found > 0.5 * N_DRAWS


@pytest.mark.parametrize("rounded", [False, True])
def test_the_alerts_prove_the_precision(rounded):
    """By the binomial test, at a twentieth of the error."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        score = decimals(rng.random(400), rounded)
        y = (rng.random(400) < score).astype(int)
        threshold = precision_threshold(y, score, min_precision=0.6, confidence=0.9)
        right = y[score >= threshold]
        assert binomtest(int(right.sum()), len(right), 0.6, alternative="greater").pvalue <= 0.1 / 20


def test_the_least_number_of_alerts_that_proves_a_precision():
    score = -np.arange(100.0)
    y = (score > -8).astype(int)  # 0.5 ** 8 < 0.1 / 20 < 0.5 ** 7
    assert np.sum(score >= precision_threshold(y, score, min_precision=0.5, confidence=0.9)) >= 8
    y[7] = 0
    with pytest.warns(UserWarning, match="No threshold"):
        assert precision_threshold(y, score, min_precision=0.5, confidence=0.9) == np.inf


def test_a_precision_that_is_not_there_is_said():
    y, score = np.tile([0, 1], 200), np.random.default_rng(0).random(400)
    with pytest.warns(UserWarning, match=r"No threshold has a precision of min_precision=0.9 .* there are no alerts"):
        assert precision_threshold(y, score, min_precision=0.9) == np.inf


def test_thresholds_are_between_scores_of_their_precision():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [200, 50])
    for dtype in (np.float32, np.float64):
        score = rng.random(250).astype(dtype)
        threshold = fpr_threshold(y, score, max_fpr=0.1)
        assert threshold == dtype(threshold)
        assert np.sum(score[y == 0] >= threshold) == np.sum(score[y == 0].astype(float) >= threshold)


def test_costs_of_each_sample_decide():
    rng = np.random.default_rng(0)
    proba, amount = rng.random(1000), rng.exponential(100, 1000)
    costs = {"false_positive": 7.0, "false_negative": amount, "true_positive": -0.1 * amount, "true_negative": -1.0}
    is_alert = proba >= cost_threshold(**costs)
    of_alert = proba * costs["true_positive"] + (1 - proba) * costs["false_positive"]
    of_none = proba * costs["false_negative"] + (1 - proba) * costs["true_negative"]
    np.testing.assert_array_equal(is_alert, of_alert <= of_none)
    assert cost_threshold(false_positive=1.0, false_negative=3.0) == 0.25


def fraud(n_samples=4000):
    X, y = make_classification(n_samples, 6, weights=[0.9], class_sep=1.5, random_state=0)
    return X, y, np.random.default_rng(0).exponential(100, n_samples)


def test_a_classifier_that_decides_by_amounts():
    X, y, amount = fraud()
    model = CostThresholdClassifier(LogisticRegression(), false_positive=10.0).fit(X, y)
    proba = model.predict_proba(X)
    np.testing.assert_array_equal(proba, LogisticRegression().fit(X, y).predict_proba(X))
    np.testing.assert_array_equal(model.predict(X, false_negative=amount), proba[:, 1] >= 10 / (10 + amount))
    np.testing.assert_array_equal(model.predict(X), proba[:, 1] >= 10 / 11)
    matrix = np.zeros((len(y), 2, 2))
    matrix[:, 0, 1], matrix[:, 1, 0] = 10.0, amount
    cost = expected_cost(y, proba, cost_matrix=matrix)
    assert model.score(X, y, false_negative=amount) == pytest.approx(-cost)
    weight = np.arange(len(y)) % 3
    twice = np.repeat(np.arange(len(y)), weight)
    assert model.score(X, y, weight, false_negative=amount) == pytest.approx(
        model.score(X[twice], y[twice], false_negative=amount[twice])
    )


@pytest.mark.parametrize("labels", [np.array(["fair", "fraud"]), np.array([True, False]), np.array([7, -3])])
def test_the_positive_class_may_be_either(labels):
    X, y, _ = fraud()
    named = labels[y]
    cost = CostThresholdClassifier(LogisticRegression(), false_negative=9.0, pos_label=labels[1]).fit(X, named)
    fitted = LogisticRegression().fit(X, named)
    own = fitted.predict_proba(X)[:, fitted.classes_.tolist().index(labels[1])]
    np.testing.assert_array_equal(cost.predict(X), labels[(own >= 0.1).astype(int)])
    budget = AlertBudgetClassifier(FrozenEstimator(fitted), max_fpr=0.05, pos_label=labels[1]).fit(X, named)
    np.testing.assert_array_equal(budget.predict(X), labels[(own >= budget.threshold_).astype(int)])
    assert budget.threshold_ == fpr_threshold(y, own, max_fpr=0.05)


def test_the_limits_are_kept_on_samples_to_come():
    X, y, _ = fraud(40_000)
    day = np.arange(len(y)) // 200
    old, new = slice(0, 20_000), slice(20_000, None)
    model = FocalHistGradientBoostingClassifier(max_iter=30)
    budget = AlertBudgetClassifier(model, max_alerts=15, max_fpr=0.02, random_state=0).fit(X[old], y[old], day[old])
    is_alert = budget.predict(X[new]) == 1
    assert is_alert[y[new] == 0].mean() < 0.03
    assert (np.bincount(day[new], weights=is_alert)[100:] > 15).mean() < 0.15
    assert is_alert[y[new] == 1].mean() > 0.1
    precise = AlertBudgetClassifier(model, min_precision=0.9, random_state=0).fit(X[old], y[old])
    assert y[new][precise.predict(X[new]) == 1].mean() > 0.9


def test_the_strictest_limit_decides():
    X, y, _ = fraud()
    frozen = FrozenEstimator(LogisticRegression().fit(X, y))
    score = frozen.predict_proba(X)[:, 1]
    limits = {"max_fpr": 0.2, "min_precision": 0.5}
    thresholds = [fpr_threshold(y, score, max_fpr=0.2), precision_threshold(y, score, min_precision=0.5)]
    both = AlertBudgetClassifier(frozen, **limits).fit(X, y).threshold_
    assert both >= max(thresholds)
    strict = AlertBudgetClassifier(frozen, max_fpr=0.01, min_precision=0.5).fit(X, y).threshold_
    assert strict >= fpr_threshold(y, score, max_fpr=0.01) > both


def test_whole_groups_are_held_out():
    X, y, _ = fraud()
    day = np.arange(len(y)) % 100

    class Recorder(LogisticRegression):
        def fit(self, X, y):
            type(self).seen = X
            return super().fit(X, y)

    AlertBudgetClassifier(Recorder(), max_alerts=10, random_state=0).fit(X, y, groups=day)
    trained = {tuple(row) for row in Recorder.seen}
    days = {number: {tuple(row) in trained for row in X[day == number]} for number in range(100)}
    assert all(len(each) == 1 for each in days.values())
    assert sum(each == {False} for each in days.values()) == 25


def test_models_are_saved_with_their_thresholds(tmp_path):
    X, y, _ = fraud()
    budget = AlertBudgetClassifier(FocalHistGradientBoostingClassifier(max_iter=5), max_fpr=0.1, random_state=0)
    cost = CostThresholdClassifier(FocalHistGradientBoostingClassifier(max_iter=5), false_negative=3.0)
    for model in (budget.fit(X, y), cost.fit(X, y)):
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
        skops = pytest.importorskip("skops.io")
        from skfocal import skops_trusted_types

        skops.dump(model, tmp_path / "model.skops")
        loaded = skops.load(tmp_path / "model.skops", trusted=list(skops_trusted_types))
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        assert "estimator" in clone(model).get_params()


def test_tables_and_pipelines():
    X, y, _ = fraud()
    table = pd.DataFrame(X, columns=list("abcdef"))
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    model = AlertBudgetClassifier(inner, max_fpr=0.1, random_state=0).fit(table, pd.Series(y))
    assert model.feature_names_in_.tolist() == list("abcdef")
    assert model.n_features_in_ == 6
    assert set(model.predict(table)) == {0, 1}
    weighted = AlertBudgetClassifier(LogisticRegression(), max_fpr=0.1, random_state=0)
    weighted.fit(X, y, sample_weight=1.0 + y)
    plain = clone(weighted).fit(X, y)
    assert not np.array_equal(weighted.estimator_.coef_, plain.estimator_.coef_)


def test_costs_are_routed():
    X, y, amount = fraud()
    with config_context(enable_metadata_routing=True):
        model = CostThresholdClassifier(
            LogisticRegression().set_fit_request(sample_weight=True), false_positive=10.0
        ).set_score_request(false_negative=True, sample_weight=True)
        scores = cross_val_score(model, X, y, params={"false_negative": amount, "sample_weight": 1.0 + y}, cv=3)
        search = GridSearchCV(model, {"estimator__C": [1e-4, 1.0]}, cv=3)
        search.fit(X, y, false_negative=amount, sample_weight=1.0 + y)
        budget = AlertBudgetClassifier(
            LogisticRegression().set_fit_request(sample_weight=True), max_alerts=9, random_state=0
        ).set_fit_request(groups=True)
        budget.fit(X, y, groups=np.arange(len(y)) % 80, sample_weight=1.0 + y)
    assert (scores < 0).all()
    assert search.best_params_["estimator__C"] == 1.0
    assert np.isfinite(budget.threshold_)


def failing(estimator):
    if isinstance(estimator, CostThresholdClassifier):
        return {}
    return {
        "check_classifiers_one_label_sample_weights": "a bound counts samples, and no weights",
        "check_classifiers_train": "predictions are by the threshold, not by the larger probability",
    }


@parametrize_with_checks(
    [
        AlertBudgetClassifier(LogisticRegression(), max_fpr=0.5, confidence=0.5, random_state=0),
        CostThresholdClassifier(LogisticRegression()),
    ],
    expected_failed_checks=failing,
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


Y, SCORE = np.tile([0, 1], 50), np.random.default_rng(0).random(100)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fpr_threshold(Y, SCORE, max_fpr=0.01), r"y_true must hold at least 299 negative samples .* got 50"),
        (lambda: fpr_threshold(Y, SCORE, max_fpr=0.0), r"max_fpr must be a number in \(0, 1\), got 0.0"),
        (lambda: fpr_threshold(Y, SCORE, max_fpr=0.1, confidence=1), r"confidence must be a number in \(0, 1\), got 1"),
        (lambda: fpr_threshold(Y, SCORE[:9], max_fpr=0.1), r"y_score must have the shape \(100,\)"),
        (lambda: fpr_threshold(np.array(list("ab"))[Y], SCORE, max_fpr=0.1), "pos_label must be one of the labels"),
        (lambda: fpr_threshold(Y, SCORE * np.nan, max_fpr=0.1), "y_score must hold finite numbers, got nan"),
        (lambda: precision_threshold(Y, SCORE, min_precision=1.0), r"min_precision must be a number in \(0, 1\)"),
        (
            lambda: alert_threshold(SCORE, groups=np.arange(100) % 18, max_alerts=1),
            "groups must hold at least 19 groups for confidence=0.95, got 18",
        ),
        (lambda: alert_threshold(SCORE, groups=Y, max_alerts=1.5), "max_alerts must be an integer >= 0, got 1.5"),
        (lambda: alert_threshold(SCORE[:, None], groups=Y, max_alerts=1), r"y_score must have the shape \(n_samples,"),
        (lambda: cost_threshold(false_positive=0.0, false_negative=1.0), "false_positive must be > true_negative"),
        (
            lambda: cost_threshold(false_positive=1.0, false_negative=[1.0, -2.0]),
            r"false_negative must be >= true_positive, in every sample, got a difference of -2.0",
        ),
        (
            lambda: cost_threshold(false_positive=[1.0, 2.0, 3.0], false_negative=[1.0, 2.0]),
            r"costs must be numbers or have the same shape \(n_samples,\), got \(2,\), \(3,\)",
        ),
        (lambda: cost_threshold(false_positive=np.inf, false_negative=1.0), "false_positive must hold finite costs"),
    ],
)
def test_bad_input_of_functions(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "max_alerts, max_fpr or min_precision must be set"),
        ({"max_fpr": 2}, r"max_fpr must be a number in \(0, 1\), got 2"),
        ({"min_precision": "high"}, r"min_precision must be a number in \(0, 1\), got 'high'"),
        ({"max_alerts": -1}, "max_alerts must be an integer >= 0, got -1"),
        ({"max_alerts": 3}, "groups must be given with max_alerts, and only then, got None"),
        ({"max_fpr": 0.1, "confidence": 0.0}, "confidence must be a number"),
        ({"max_fpr": 0.1, "calibration_fraction": 1.0}, "calibration_fraction must be a number"),
        ({"max_fpr": 0.1, "pos_label": "fraud"}, r"pos_label must be None or one of \[0, 1\], got 'fraud'"),
    ],
)
def test_bad_parameters_of_the_budget(params, message):
    X, y, _ = fraud(400)
    with pytest.raises(ValueError, match=message):
        AlertBudgetClassifier(LogisticRegression(), **params).fit(X, y)


def test_bad_data():
    X, y, amount = fraud(400)
    with pytest.raises(ValueError, match="y must hold two classes, got 3"):
        AlertBudgetClassifier(LogisticRegression(), max_fpr=0.1).fit(X, np.arange(400) % 3)
    with pytest.raises(ValueError, match="groups must be given with max_alerts, and only then, got groups"):
        AlertBudgetClassifier(LogisticRegression(), max_fpr=0.1).fit(X, y, groups=y)
    model = CostThresholdClassifier(LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="costs must have one value for each of the 400 rows of X, got 7"):
        model.predict(X, false_negative=amount[:7])
    with pytest.raises(ValueError, match="false_positive must be > true_negative"):
        CostThresholdClassifier(LogisticRegression(), false_positive=-1.0).fit(X, y)
