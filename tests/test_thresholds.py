"""Thresholds: the bounds hold as often as they promise, by simulation; decisions cost least, by trying all of them."""

import pickle
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, binomtest, norm
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
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
    if n_days > 20:  # no more careful than the next rank would be
        assert kept <= binom.ppf(1 - 1e-4, N_DRAWS, 0.95 + 1 / n_days)


def test_alerts_by_hand():
    score = np.array([0.9, 0.8, 0.7, 0.95, 0.2, 0.1, 0.5])
    day = np.array(["a", "a", "a", "b", "b", "b", "c"])
    # After one alert come 0.8, 0.2 and nothing: two of three days, and one more, want to exceed 0.2.
    threshold = alert_threshold(score, groups=day, max_alerts=1, confidence=0.5)
    assert 0.2 < threshold < 0.2 + 1e-7
    assert 0.8 < alert_threshold(score, groups=day, max_alerts=1, confidence=0.75) < 0.8 + 1e-6
    with pytest.warns(UserWarning, match="Every sample may be an alert"):
        assert alert_threshold(score, groups=day, max_alerts=3, confidence=0.75) == -np.inf


@pytest.mark.parametrize("size", [1e-300, 1e-40, 1.0, 3.402823e38, 1e300])
def test_scores_of_any_size(size):
    """Those beyond the largest float32 too have a threshold between them."""
    score = size * (1 + np.arange(20.0) / 20)
    threshold = alert_threshold(score, groups=np.arange(20), max_alerts=0, confidence=0.5)
    assert threshold > score[10]
    assert (threshold <= score[11]) == (size >= 1e-40)  # of what is 0 in float32, one above that
    assert np.isfinite(threshold)


@pytest.mark.filterwarnings("ignore:No threshold that was tried")
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("top", [0.59, 0.9])
def test_a_precision_is_not_found_where_it_is_not(rounded, top):
    """Above 0.9 and below it the precision is just too low, or, with the top at 0.9, only below 0.9."""
    rng = np.random.default_rng(0)
    false, right = 0, 0
    for _ in range(N_DRAWS):
        score = decimals(rng.random(400), rounded)
        y = (rng.random(400) < np.where(score >= 0.9, top, 0.59 - 0.5 * (score < 0.5))).astype(int)
        threshold = precision_threshold(y, score, min_precision=0.6, confidence=0.9)
        scores = decimals(np.linspace(0, 1, 20_001), rounded)
        scores = scores[scores >= threshold]
        if len(scores):
            precision = np.where(scores >= 0.9, top, 0.59 - 0.5 * (scores < 0.5)).mean()
            false, right = false + (precision < 0.6), right + (precision >= 0.6)
    assert false <= binom.ppf(1 - 1e-4, N_DRAWS, 0.1)
    assert right > 0.5 * N_DRAWS if top == 0.9 else (right == 0 and false > 0)  # or the test shows nothing


@pytest.mark.parametrize("rounded", [False, True])
def test_the_alerts_prove_the_precision(rounded):
    """By the binomial test, at a fiftieth of the error."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        score = decimals(rng.random(400), rounded)
        y = (rng.random(400) < score).astype(int)
        threshold = precision_threshold(y, score, min_precision=0.6, confidence=0.9)
        right = y[score >= threshold]
        assert binomtest(int(right.sum()), len(right), 0.6, alternative="greater").pvalue <= 0.1 / 50


def test_the_least_number_of_alerts_that_proves_a_precision():
    score = -np.arange(100.0)
    y = (score > -9).astype(int)  # 0.5 ** 9 < 0.1 / 50 < 0.5 ** 8
    assert np.sum(score >= precision_threshold(y, score, min_precision=0.5, confidence=0.9)) >= 9
    y[8] = 0
    with pytest.warns(UserWarning, match="No threshold"):
        assert precision_threshold(y, score, min_precision=0.5, confidence=0.9) == np.inf


def test_a_precision_that_is_not_there_is_said():
    y, score = np.tile([0, 1], 200), np.random.default_rng(0).random(400)
    with pytest.warns(
        UserWarning, match=r"No threshold that was tried has a precision of min_precision=0.9 .* there are no alerts"
    ):
        assert precision_threshold(y, score, min_precision=0.9) == np.inf


@pytest.mark.parametrize("n_values", [None, 40])
def test_thresholds_hold_for_scores_that_are_rounded(n_values):
    """As ONNX and tables of float32 do; of scores of their own, and of few values, as trees have."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [2000, 50])
    score = rng.random(2050) if n_values is None else rng.random(n_values)[rng.integers(n_values, size=2050)]
    for max_fpr in np.linspace(0.01, 0.5, 25):
        threshold = fpr_threshold(y, score, max_fpr=max_fpr)
        above = score[y == 0] >= threshold
        for rounded in (score.astype(np.float32), pd.Series(score, dtype="Float32"), score.astype(np.float32).tolist()):
            np.testing.assert_array_equal(np.asarray(rounded)[y == 0] >= threshold, above)


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
    # 30 trees give some 800 scores, and up to 400 samples the same: a threshold goes above all of them or below.
    model = FocalHistGradientBoostingClassifier(max_iter=100)
    budget = AlertBudgetClassifier(model, max_alerts=15, max_fpr=0.02, random_state=0)
    budget.fit(X[old], y[old], groups=day[old])
    is_alert = budget.predict(X[new]) == 1
    assert is_alert[y[new] == 0].mean() < 0.03
    assert (np.bincount(day[new], weights=is_alert)[100:] > 15).mean() < 0.15
    assert is_alert[y[new] == 1].mean() > 0.3
    precise = AlertBudgetClassifier(model, min_precision=0.9, random_state=0).fit(X[old], y[old])
    assert y[new][precise.predict(X[new]) == 1].mean() > 0.9


class Backwards(LogisticRegression):
    """A classifier whose classes are not sorted."""

    def fit(self, X, y):
        super().fit(X, y)
        self.coef_, self.intercept_, self.classes_ = -self.coef_, -self.intercept_, self.classes_[::-1]
        return self


def test_the_columns_are_those_of_the_estimator():
    X, y, amount = fraud()
    for make in (lambda: FrozenEstimator(Backwards().fit(X, y)), Backwards):
        budget = AlertBudgetClassifier(make(), max_fpr=0.05, pos_label=1, random_state=0).fit(X, y)
        assert budget.classes_.tolist() == [1, 0]
        assert budget.predict(X)[y == 0].mean() < 0.06
        cost = CostThresholdClassifier(make(), pos_label=1).fit(X, y)
        own = CostThresholdClassifier(LogisticRegression()).fit(X, y)
        np.testing.assert_array_equal(cost.predict(X, false_negative=amount), own.predict(X, false_negative=amount))


def test_a_frozen_estimator_needs_no_frauds():
    X, y, _ = fraud()
    frozen = FrozenEstimator(LogisticRegression().fit(X, y))
    fair, day = X[y == 0], np.arange(np.sum(y == 0)) % 30
    assert CostThresholdClassifier(frozen).fit(fair, y[y == 0]).classes_.tolist() == [0, 1]
    budget = AlertBudgetClassifier(frozen, max_alerts=3).fit(fair, y[y == 0], groups=day)
    assert np.bincount(day, weights=budget.predict(fair)).max() <= 3
    AlertBudgetClassifier(frozen, max_fpr=0.1).fit(fair, y[y == 0])


def test_each_limit_is_found_on_what_is_held_out():
    """By hand: the same rows to train and to find the threshold, with the weights of these rows."""
    X, y, _ = fraud()
    weight, day = 1.0 + np.arange(len(y)) % 3, np.arange(len(y)) % 100
    training, held_out = train_test_split(np.arange(len(y)), test_size=0.25, stratify=y, random_state=0)
    own = LogisticRegression().fit(X[training], y[training], sample_weight=weight[training])
    score = own.predict_proba(X[held_out])[:, 1]
    thresholds = {
        "max_fpr": fpr_threshold(y[held_out], score, max_fpr=0.1),
        "min_precision": precision_threshold(y[held_out], score, min_precision=0.5),
    }
    for name, value in (("max_fpr", 0.1), ("min_precision", 0.5)):
        model = AlertBudgetClassifier(LogisticRegression(), random_state=0, **{name: value})
        model.fit(X, y, sample_weight=weight)
        np.testing.assert_array_equal(model.estimator_.coef_, own.coef_)
        assert model.threshold_ == thresholds[name]
    training, held_out = next(GroupShuffleSplit(1, test_size=0.25, random_state=0).split(X, groups=day))
    own = LogisticRegression().fit(X[training], y[training])
    score = own.predict_proba(X[held_out])[:, 1]
    of_alerts = alert_threshold(score, groups=day[held_out], max_alerts=2)
    of_fpr = fpr_threshold(y[held_out], score, max_fpr=0.02)
    for limits, threshold in (
        ({"max_alerts": 2}, of_alerts),
        ({"max_fpr": 0.02}, of_fpr),
        ({"max_alerts": 2, "max_fpr": 0.02}, max(of_alerts, of_fpr)),
        ({"max_alerts": 20, "max_fpr": 0.02}, of_fpr),
    ):
        model = AlertBudgetClassifier(LogisticRegression(), random_state=0, **limits).fit(X, y, groups=day)
        assert model.threshold_ == threshold


def test_a_budget_that_leaves_too_few_alerts_for_a_precision_says_so():
    X, y, _ = fraud()
    frozen = FrozenEstimator(LogisticRegression().fit(X, y))
    budget = AlertBudgetClassifier(frozen, max_alerts=1, min_precision=0.8)
    with pytest.warns(UserWarning, match=r"of those from 0\.\d+ on, which the other limits leave"):
        assert budget.fit(X, y, groups=np.arange(len(y)) % 40).threshold_ == np.inf


def test_groups_that_are_no_days_are_noticed():
    score = np.random.default_rng(0).random(100)
    with pytest.warns(UserWarning, match=r"Every sample may be an alert: 100 of 100 groups .* the median group has 1"):
        assert alert_threshold(score, groups=np.arange(100), max_alerts=5) == -np.inf


@pytest.mark.parametrize(("max_fpr", "confidence", "n"), [(0.2, 0.5904, 4), (0.19, 0.3439, 2), (0.1, 0.271, 3)])
def test_just_enough_negative_samples(max_fpr, confidence, n):
    """Where rounding decides, there is a threshold above the highest negative sample, or an error."""
    y, score = np.repeat([0, 1], [n, 1]), np.arange(n + 1.0)
    with suppress(ValueError):
        assert fpr_threshold(y, score, max_fpr=max_fpr, confidence=confidence) > n - 1


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
    assert not hasattr(model.fit(X, y), "feature_names_in_")
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
        (lambda: fpr_threshold(Y, SCORE, max_fpr=0.01), r"y must hold at least 299 negative samples .* got 50"),
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
        ({"max_alerts": 3}, "groups must be given with max_alerts, got None"),
        (
            {"max_fpr": 0.01},
            r"at least 299 negative samples for max_fpr=0.01 .*, got \d+. So many are held out by calibration",
        ),
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
    with pytest.raises(ValueError, match=r"at least 19 groups for confidence=0.95, got 10\. So many are held out"):
        AlertBudgetClassifier(LogisticRegression(), max_alerts=1).fit(X, y, groups=np.arange(400) % 40)
    fitted = FrozenEstimator(LogisticRegression().fit(X, y))
    with pytest.raises(ValueError, match=r"at least 19 groups for confidence=0.95, got 10\.$"):  # nothing is held out
        AlertBudgetClassifier(fitted, max_alerts=1).fit(X, y, groups=np.arange(400) % 10)
    budget = AlertBudgetClassifier(LogisticRegression(), max_fpr=0.1)
    with pytest.raises(ValueError, match=r"sample_weight must have the shape \(400,\)"):
        budget.fit(X, y, sample_weight=np.ones(300))
    for kind in (AlertBudgetClassifier, CostThresholdClassifier):
        limits = {"max_fpr": 0.1} if kind is AlertBudgetClassifier else {}
        with pytest.raises(TypeError, match="estimator must be a classifier with predict_proba, got LinearSVC"):
            kind(LinearSVC(), **limits).fit(X, y)
        with pytest.raises(NotFittedError):
            kind(FrozenEstimator(LogisticRegression()), **limits).fit(X, y)
        frozen = FrozenEstimator(LogisticRegression().fit(X, y))
        with pytest.raises(ValueError, match=r"must be left out with a frozen estimator, got \['nonsense'\]"):
            kind(frozen, **limits).fit(X, y, nonsense=3)
        with pytest.raises(ValueError, match="The labels of y must be among those of estimator"):
            kind(frozen, **limits).fit(X, np.array(["fair", "fraud"])[y])
        three = FrozenEstimator(LogisticRegression().fit(X, np.arange(400) % 3))
        with pytest.raises(ValueError, match="y must hold two classes, got 3"):
            kind(three, **limits).fit(X, y)
    model = CostThresholdClassifier(LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="costs must have one value for each of the 400 rows of X, got 7"):
        model.predict(X, false_negative=amount[:7])
    with pytest.raises(ValueError, match="false_positive must be > true_negative"):
        CostThresholdClassifier(LogisticRegression(), false_positive=-1.0).fit(X, y)
    with pytest.raises(ValueError, match="The labels of y must be among classes_"):
        model.score(X, np.array(["a", "b"])[y])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, [1])
    with pytest.raises(ValueError, match="sample_weight must be >= 0"):
        model.score(X, y, -np.ones(400))
