"""Metrics of alerts and costs, against scikit-learn's curves, against all orders of ties, and against plain loops."""

from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, precision_recall_curve, roc_curve
from sklearn.model_selection import cross_val_score

from skfocal.metrics import expected_cost, precision_at_k, recall_at_fpr, recall_at_precision

from .conftest import WATCHING, fit_with_eval, make, watch

RANKINGS = {"k": precision_at_k, "precision": recall_at_precision, "fpr": recall_at_fpr}


@pytest.fixture
def ranked():
    random = np.random.default_rng(0)
    y = (random.random(300) < 0.2).astype(int)
    return y, y + random.normal(size=300)


def test_without_ties_they_are_points_of_scikit_learns_curves(ranked):
    y, score = ranked
    precisions, recalls, _ = precision_recall_curve(y, score)
    for precision in (0.3, 0.5, 0.7, 0.9, 1.0):
        own = recall_at_precision(y, score, precision=precision)
        assert own >= recalls[:-1][precisions[:-1] >= precision].max(initial=0) - 1e-12
        # Between two thresholds a part of one sample may be taken.
        assert own <= recalls[:-1][precisions[:-1] >= precision].max(initial=0) + 1 / y.sum()
    fprs, tprs, _ = roc_curve(y, score, drop_intermediate=False)
    for fpr in fprs:
        assert recall_at_fpr(y, score, fpr=fpr) == pytest.approx(tprs[fprs <= fpr + 1e-12].max(), abs=1e-12)
    for k in (1, 7, 300, 1000):
        assert precision_at_k(y, score, k=k) == pytest.approx(y[np.argsort(-score)][:k].mean())


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_ties_count_as_in_the_mean_over_all_orders(k):
    y, score = np.array([1, 0, 1, 0, 0, 1]), np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1])
    orders = [np.lexsort((order, -score)) for order in permutations(range(6))]
    assert precision_at_k(y, score, k=k) == pytest.approx(np.mean([y[order][:k].mean() for order in orders]))


def test_a_part_of_a_tie_is_on_the_line_between_two_thresholds():
    y, score = [1, 0, 1, 0, 0, 0], [2, 1, 1, 1, 0, 0]
    # Of the three of score 1 a share f: 1 + f of 1 + 3 f are positive, 0.6 where f = 0.5.
    assert recall_at_precision(y, score, precision=0.6) == pytest.approx(0.75)
    # A share f has 2 f of the 4 negatives.
    assert recall_at_fpr(y, score, fpr=0.25) == pytest.approx(0.75)
    assert recall_at_fpr(y, score, fpr=0.0) == pytest.approx(0.5)
    assert recall_at_fpr(y, score, fpr=0.75) == 1.0  # all of the tie


@pytest.mark.parametrize(("name", "value"), [("k", 25), ("precision", 0.4), ("fpr", 0.1)])
def test_a_weight_is_as_many_samples(ranked, name, value):
    y, score = ranked
    score = score.round(1)
    weight = np.random.default_rng(1).integers(0, 4, len(y))
    own = RANKINGS[name](y, score, **{name: value}, sample_weight=weight)
    assert own == pytest.approx(RANKINGS[name](np.repeat(y, weight), np.repeat(score, weight), **{name: value}))


@pytest.mark.parametrize("unit", [1e-9, 0.1, 1e9])
def test_weights_are_in_any_unit(ranked, unit):
    y, score = ranked
    score, weight = score.round(1), np.full(len(y), unit)
    for precision in (0.3, 0.4, 1.0):
        whole = recall_at_precision(y, score, precision=precision)
        assert recall_at_precision(y, score, precision=precision, sample_weight=weight) == pytest.approx(whole)
    for fpr in (0.0, 0.01, 0.1):
        whole = recall_at_fpr(y, score, fpr=fpr)
        assert recall_at_fpr(y, score, fpr=fpr, sample_weight=weight) == pytest.approx(whole)


@pytest.mark.parametrize(("name", "value"), [("k", 25), ("precision", 0.4), ("fpr", 0.1)])
def test_labels_are_words(ranked, name, value):
    y, score = ranked
    words = np.array(["honest", "fraud"])[y]
    own = RANKINGS[name](words, score, **{name: value}, pos_label="fraud")
    assert own == RANKINGS[name](y, score, **{name: value})


def card_precision(table, k):
    """Return the precision of the handbook, of the k cards of a day; of a day that has fewer, of all of these."""
    by_day = []
    for _, day in table.groupby("day"):
        cards = day.groupby("card").max().sort_values("score", ascending=False)
        by_day.append(cards.head(k)["fraud"].mean())
    return np.mean(by_day)


def test_groups_end_where_the_next_begins():
    y, score, days = [1, 0, 1, 1], [0.1, 0.2, 0.9, 0.8], [1, 1, 2, 2]
    assert precision_at_k(y, score, k=1, groups=days) == 0.5


@pytest.mark.parametrize(("n_days", "n_cards", "k"), [(5, 150, 20), (200, 4, 2)])
def test_an_alert_for_each_card_and_day(n_days, n_cards, k):
    random = np.random.default_rng(0)
    table = pd.DataFrame({
        "day": random.integers(0, n_days, 2000), "card": random.integers(0, n_cards, 2000),
        "score": random.random(2000),
    })  # fmt: skip
    table["fraud"] = (random.random(2000) < table["score"] / 4).astype(int)
    own = precision_at_k(table["fraud"], table["score"], k=k, groups=table["day"], entities=table["card"])
    assert own == pytest.approx(card_precision(table, k))
    days = [precision_at_k(day["fraud"], day["score"], k=k) for _, day in table.groupby("day")]
    assert precision_at_k(table["fraud"], table["score"], k=k, groups=table["day"]) == pytest.approx(np.mean(days))


def test_costs_of_the_decisions_that_probabilities_lead_to():
    random = np.random.default_rng(0)
    proba = random.dirichlet(np.ones(3), 50)
    y = random.integers(0, 3, 50)
    weight = random.random(50)
    costs = random.normal(size=(50, 3, 4))
    expected = [costs[i, y[i], (proba[i] @ costs[i]).argmin()] for i in range(50)]
    own = expected_cost(y, proba, cost_matrix=costs, sample_weight=weight)
    assert own == pytest.approx(np.average(expected, weights=weight))
    same = [costs[0, y[i], (proba[i] @ costs[0]).argmin()] for i in range(50)]
    assert expected_cost(y, proba, cost_matrix=costs[0]) == pytest.approx(np.mean(same))
    names = np.array(["a", "b", "c"])[y]
    assert expected_cost(names, proba, cost_matrix=costs[0]) == pytest.approx(np.mean(same))


def test_decisions_of_the_same_cost_are_drawn():
    # Alert or not cost 0.5 each, if every second is a fraud; it costs 0 or 1.
    assert expected_cost([1, 0], [0.5, 0.5], cost_matrix=[[0, 1], [1, 0]]) == pytest.approx(0.5)
    assert expected_cost([1, 1], [0.5, 0.5], cost_matrix=[[0, 0.5], [1, 0.5]], labels=[0, 1]) == pytest.approx(0.75)


def test_decisions_of_nearly_the_same_cost_are_not():
    """One of 1e-7 less is taken, whatever the unit."""
    for unit in (1.0, 1e-12):
        costs = np.array([[1.0, 1.0 + 1e-7], [1.0, 3.0]]) * unit
        assert expected_cost([1, 0], [0.0, 0.0], cost_matrix=costs) == pytest.approx(unit, rel=1e-9, abs=0)
        assert expected_cost([0, 1], [0.0, 1.0], cost_matrix=costs[:, ::-1]) == pytest.approx(unit, rel=1e-9, abs=0)


def test_the_threshold_of_costs_is_elkans():
    # An alert costs 2, a missed fraud its amount: alert where p * amount >= 2.
    amounts = np.array([1.0, 10.0, 100.0])
    costs = np.zeros((3, 2, 2))
    costs[:, :, 1], costs[:, 1, 0] = 2.0, amounts
    for proba, cost in ((0.1, [0 + 0 + 2, 1 + 10 + 2]), (0.3, [0 + 2 + 2, 1 + 2 + 2]), (0.01, [0, 111])):
        for label in (0, 1):
            own = expected_cost([label] * 3, [proba] * 3, cost_matrix=costs, labels=[0, 1])
            assert own == pytest.approx(cost[label] / 3)


@pytest.mark.parametrize(
    ("metric", "params", "options"),
    [
        (precision_at_k, {"k": 20}, {"response_method": "predict_proba"}),
        (recall_at_fpr, {"fpr": 0.1}, {"response_method": "decision_function"}),
        (
            expected_cost,
            {"cost_matrix": [[0, 1], [9, 1]]},
            {"response_method": "predict_proba", "greater_is_better": False},
        ),
    ],
)
def test_scorers_of_scikit_learn(ranked, metric, params, options):
    y, score = ranked
    scores = cross_val_score(LogisticRegression(), score[:, None], y, scoring=make_scorer(metric, **params, **options))
    assert np.isfinite(scores).all()
    assert (scores < 0).all() == (metric is expected_cost)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("k must be a number > 0, got 0", {"k": 0}),
        ("k must be a number > 0, got True", {"k": True}),
        ("k must be a number > 0, got 'all'", {"k": "all"}),
        (r"y_score must have the shape \(3,\)", {"y_score": [0.1, 0.2]}),
        ("y_score must hold finite numbers, got nan", {"y_score": [0.1, 0.2, np.nan]}),
        ("y_true must hold labels of two classes", {"y_true": [0, 1, 2]}),
        ("pos_label must be one of the labels", {"y_true": ["no", "yes", "no"]}),
        ("pos_label must be one of the labels .*, got 'Yes'", {"y_true": ["no", "yes", "no"], "pos_label": "Yes"}),
        ("y_true must hold class labels, neither missing", {"y_true": [0, 1, np.nan]}),
        ("sample_weight must be >= 0", {"sample_weight": [1, -1, 1]}),
        (
            r"^sample_weight must be the same for all samples of an entity",
            {"entities": [1, 1, 2], "sample_weight": [1, 2, 1]},
        ),
        ("inconsistent numbers of samples", {"groups": [1, 2]}),
        ("groups must hold class labels, neither missing", {"groups": [1, 2, np.nan]}),
        ("entities must hold class labels, neither missing", {"entities": ["a", None, "b"]}),
    ],
)
def test_bad_input(message, arguments):
    with pytest.raises((ValueError, TypeError), match=message):
        precision_at_k(**{"y_true": [0, 1, 0], "y_score": [0.1, 0.2, 0.3], "k": 1} | arguments)


def test_without_positive_samples():
    """No alert is right on a day without frauds; of recalls there is nothing to be said."""
    y, score = [0, 0, 0], [0.1, 0.2, 0.3]
    assert precision_at_k(y, score, k=2) == 0.0
    for recall in (partial(recall_at_precision, precision=0.5), partial(recall_at_fpr, fpr=0.5)):
        with pytest.raises(ValueError, match="y_true must hold a positive sample of weight > 0, got none among 3"):
            recall(y, score)


@pytest.mark.parametrize(
    ("message", "metric", "arguments"),
    [
        (r"precision must be a number in \(0, 1\], got 0", recall_at_precision, {"precision": 0}),
        (r"precision must be a number in \(0, 1\], got 1.5", recall_at_precision, {"precision": 1.5}),
        (r"fpr must be a number in \[0, 1\], got 1.5", recall_at_fpr, {"fpr": 1.5}),
        (
            "^y_true must hold class labels, neither missing",
            expected_cost,
            {"y_true": [0, np.nan], "cost_matrix": [[1]]},
        ),
        (
            r"y_proba must hold probabilities in \[0, 1\], got nan",
            expected_cost,
            {"y_proba": [0, np.nan], "cost_matrix": [[0, 1], [1, 0]]},
        ),
        (
            r"cost_matrix must have the shape \(2, n_decisions\) or \(2, 2, n_decisions\), got \(3, 2, 2\)",
            expected_cost,
            {"cost_matrix": np.zeros((3, 2, 2))},
        ),
        (
            r"y_proba must hold probabilities in \[0, 1\], got 1.5",
            expected_cost,
            {"y_true": [0, 1, 1], "y_proba": [0.0, 1.0, 1.5], "cost_matrix": [[0, 1], [1, 0]]},
        ),
        (
            r"y_proba must have the shape \(2, 2\), got \(2, 3\)",
            expected_cost,
            {"y_proba": np.ones((2, 3)), "cost_matrix": [[0, 1], [1, 0]]},
        ),
        (r"cost_matrix must have the shape \(2, n_decisions\)", expected_cost, {"cost_matrix": [[0, 1]]}),
        ("cost_matrix must hold finite numbers", expected_cost, {"cost_matrix": [[0, np.inf], [1, 0]]}),
        (
            r"The labels of y_true must be among labels, \[1, 2\], got \[0\]",
            expected_cost,
            {"labels": [1, 2], "cost_matrix": [[0, 1], [1, 0]]},
        ),
    ],
)
def test_bad_input_of_the_others(message, metric, arguments):
    scores = {"y_proba": [0.2, 0.8]} if metric is expected_cost else {"y_score": [0.2, 0.8]}
    with pytest.raises(ValueError, match=message):
        metric(**{"y_true": [0, 1]} | scores | arguments)


@pytest.mark.parametrize("estimator", WATCHING)
@pytest.mark.parametrize(
    ("name", "metric", "limit"),
    [
        ("precision_at_k@25", precision_at_k, {"k": 25}),
        ("recall_at_precision@0.6", recall_at_precision, {"precision": 0.6}),
        ("recall_at_fpr@0.02", recall_at_fpr, {"fpr": 0.02}),
    ],
)
def test_early_stopping_by_name(estimator, binary, name, metric, limit):
    X, y = binary
    weight = np.random.default_rng(0).integers(1, 3, len(y)).astype(float)
    model, history = fit_with_eval(estimator, X, y, [(X, y)], [name], weight=weight)
    own = metric(y, model.predict_proba(X)[:, 1], **limit, sample_weight=weight)
    assert history[name][-1] == pytest.approx(own, rel=1e-5)
    stopped = make(estimator, eval_metric=name, early_stopping_rounds=2, n_estimators=100)
    watch(stopped, X[:1500], y[:1500], X[1500:], y[1500:])
    (scores,) = (history[name] for history in stopped.evals_result_.values())
    assert stopped.best_iteration_ == np.argmax(scores) + 1


@pytest.mark.parametrize("name", ["precision_at_k", "precision_at_k@", "precision_at_k@0", "recall_at_fpr@2"])
@pytest.mark.parametrize("estimator", WATCHING)
def test_bad_names(estimator, binary, name):
    with pytest.raises(ValueError, match=r"eval_metric must be .* with a number|k must be|fpr must be"):
        make(estimator, eval_metric=name, early_stopping_rounds=2).fit(*binary)


def test_groups_of_weight_zero_are_not_there():
    y, score, days = [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], ["a", "a", "b", "b"]
    weighted = precision_at_k(y, score, k=1, groups=days, sample_weight=[1, 1, 0, 0])
    assert weighted == precision_at_k(y[:2], score[:2], k=1, groups=days[:2]) == 1.0


@pytest.mark.parametrize(("n_negative", "n_positive"), [(18, 7), (11, 14), (43, 7), (2, 1), (30, 3)])
def test_a_precision_that_is_met_exactly(n_negative, n_positive):
    """The negative samples rank first: all positive ones are found at just the precision of all of these."""
    y = np.repeat([0, 1, 0], [n_negative, n_positive, 1])
    precision = n_positive / (n_negative + n_positive)
    assert recall_at_precision(y, -np.arange(len(y)), precision=precision) == 1.0
    assert recall_at_precision(y, -np.arange(len(y)), precision=precision + 1e-6) == 0.0


@pytest.mark.parametrize(
    ("message", "proba", "labels"),
    [
        ("labels must be sorted, as classes_ are, got", [[0.2, 0.8], [0.7, 0.3]], [1, 0]),
        ("labels must be sorted, as classes_ are, got", [[0.2, 0.8], [0.7, 0.3]], [1, 1]),
        ("labels must be sorted, as classes_ are, got", [[0.2, 0.8, 0.0], [0.7, 0.3, 0.0]], [0, 2, 1]),
        ("y_proba must have rows that sum to 1, got a sum of 0.5", [[0.2, 0.3], [0.7, 0.3]], None),
        ("y_proba must have rows that sum to 1, got a sum of 1.5", [[0.7, 0.3], [0.8, 0.7]], None),
        (r"y_proba must have the shape \(2, 3\), got \(2, 2\): labels name the classes", [[0.2, 0.8]] * 2, [0, 1, 2]),
    ],
)
def test_bad_probabilities_and_labels(message, proba, labels):
    with pytest.raises(ValueError, match=message):
        expected_cost([0, 1], proba, cost_matrix=[[0, 1], [1, 0]], labels=labels)
