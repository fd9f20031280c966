"""What holds of metrics and thresholds for any probabilities, scores and weights.

Ties and costs are compared with plain loops: over all orders of ties, over all decisions.
"""

from functools import partial
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from skfocal.metrics import expected_cost, precision_at_k, recall_at_fpr, recall_at_precision
from skfocal.thresholds import alert_threshold, cost_threshold, fpr_threshold, precision_threshold

from .strategies import few, positive, posteriors, seeds

# -------------------------------------------------------------------------------------------------------------- metrics

RANKINGS = {
    precision_at_k: st.fixed_dictionaries({"k": st.floats(0.1, 12)}),
    recall_at_precision: st.fixed_dictionaries({"precision": st.floats(0.01, 1)}),
    recall_at_fpr: st.fixed_dictionaries({"fpr": st.floats(0, 1)}),
}
rankings = st.sampled_from(list(RANKINGS)).flatmap(
    lambda metric: RANKINGS[metric].map(lambda limit: partial(metric, **limit))
)


@st.composite
def scored(draw, most=30, score=None):
    """Return labels, of which one at least is positive, scores with ties, and whole weights."""
    n = draw(st.integers(1, most))
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    y[draw(st.integers(0, n - 1))] = 1
    values = st.one_of(st.integers(0, 3).map(float), st.floats(-1e300, 1e300)) if score is None else score
    weight = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    weight[y.argmax()] = 1
    return y, np.array(draw(st.lists(values, min_size=n, max_size=n))), weight


@given(data=scored(), metric=rankings, seed=seeds)
def test_neither_order_nor_scale_of_scores_matters_and_weights_are_rows(data, metric, seed):
    y, score, weight = data
    value = metric(y, score, sample_weight=weight)
    assert 0 <= value <= 1
    order = np.random.default_rng(seed).permutation(len(y))
    close = partial(pytest.approx, rel=1e-9, abs=1e-9)
    assert metric(y[order], score[order], sample_weight=weight[order]) == close(value)
    assert metric(np.repeat(y, weight), np.repeat(score, weight)) == close(value)
    # An increasing function: any that keeps the ranks.
    ranks = np.unique(score, return_inverse=True)[1]
    steps = np.cumsum(np.random.default_rng(seed).exponential(size=ranks.max() + 1))
    assert metric(y, steps[ranks] - 5, sample_weight=weight) == value
    names = np.array(["no", "yes"])[y]
    assert metric(names, score, sample_weight=weight, pos_label="yes") == value
    if metric.func is not precision_at_k:  # whose k counts weights
        assert metric(y, score, sample_weight=0.125 * weight) == close(value)


def means_over_orders(y, score):
    """Return the number of positive samples among the first 0, 1, 2 ..., in the mean over all orders of ties."""
    orders = [np.lexsort((order, -score)) for order in permutations(range(len(y)))]
    return np.mean([np.concatenate([[0], np.cumsum(y[order])]) for order in orders], axis=0)


def highest(found, margin):
    """Return the highest found where a margin is >= 0; both are linear between the points given."""
    best = 0.0
    for i in range(len(found) - 1):
        (a, b), (low, high) = margin[i : i + 2], found[i : i + 2]
        if b >= -1e-12:
            best = max(best, high)
        elif a >= -1e-12:
            best = max(best, low + (high - low) * max(a, 0) / (max(a, 0) - b))
    return best


@few(0.5)
@given(data=scored(most=6, score=st.integers(0, 2).map(float)), k=st.integers(1, 8), limit=st.floats(0.01, 1))
def test_ties_count_as_in_the_mean_over_all_their_orders(data, k, limit):
    y, score, _ = data
    found = means_over_orders(y, score)
    numbers = np.arange(len(found))
    k = min(k, len(y))
    assert precision_at_k(y, score, k=k) == pytest.approx(found[k] / k)
    between = (k - 1 + limit, found[k - 1] + limit * (found[k] - found[k - 1]))  # a part of a sample
    assert precision_at_k(y, score, k=between[0]) == pytest.approx(between[1] / between[0])
    expected = highest(found, found - limit * numbers)
    assert recall_at_precision(y, score, precision=limit) == pytest.approx(expected / y.sum())
    negative = (1 - y).sum()
    expected = highest(found, limit * negative - (numbers - found))
    assert recall_at_fpr(y, score, fpr=limit) == pytest.approx(expected / y.sum())


@given(data=scored(), n_days=st.integers(1, 4), n_cards=st.integers(1, 6), k=st.integers(1, 6), seed=seeds)
def test_alerts_of_days_and_cards_are_means_over_days(data, n_days, n_cards, k, seed):
    y, score, _ = data
    rng = np.random.default_rng(seed)
    day, card = rng.integers(0, n_days, len(y)), rng.integers(0, n_cards, len(y))
    each = [precision_at_k(y[day == d], score[day == d], k=k) for d in np.unique(day)]
    assert precision_at_k(y, score, k=k, groups=day) == pytest.approx(np.mean(each))
    cards = [(y[card == c].max(), score[card == c].max()) for c in np.unique(card)]
    positive_cards, highest_scores = map(np.array, zip(*cards, strict=True))
    expected = precision_at_k(positive_cards, highest_scores, k=k)
    assert precision_at_k(y, score, k=k, entities=np.array(list("abcdef"))[card]) == pytest.approx(expected)


@given(posterior=posteriors(), data=st.data(), n_decisions=st.integers(1, 4), seed=seeds)
def test_expected_costs_are_those_of_the_cheapest_decisions(posterior, data, n_decisions, seed):
    """By trying all of them, sample by sample; costs are whole numbers, so that some are the same."""
    n_rows, n_classes = posterior.shape
    rng = np.random.default_rng(seed)
    y, costs = rng.integers(0, n_classes, n_rows), rng.integers(-3, 9, (n_rows, n_classes, n_decisions)).astype(float)
    weight = rng.integers(0, 3, n_rows)
    weight[0] = 1
    labels = np.sort(rng.choice(1000, n_classes, replace=False))
    per_sample = []
    for row, cost, code in zip(posterior, costs, y, strict=True):
        expected = [float(row @ cost[:, decision]) for decision in range(n_decisions)]
        cheapest = [d for d in range(n_decisions) if np.isclose(expected[d], min(expected), rtol=1e-12, atol=0)]
        per_sample.append(np.mean([cost[code, d] for d in cheapest]))
    cost_of = partial(expected_cost, labels=labels)
    own = cost_of(labels[y], posterior, cost_matrix=costs, sample_weight=weight)
    assert own == pytest.approx(np.average(per_sample, weights=weight))
    repeated = cost_of(
        np.repeat(labels[y], weight), np.repeat(posterior, weight, axis=0), cost_matrix=np.repeat(costs, weight, axis=0)
    )
    assert repeated == pytest.approx(own)
    assert cost_of(
        labels[y][::-1], posterior[::-1], cost_matrix=costs[::-1], sample_weight=weight[::-1]
    ) == pytest.approx(own)
    assert cost_of(labels[y], posterior, cost_matrix=4 * costs, sample_weight=weight) == pytest.approx(4 * own)


# ----------------------------------------------------------------------------------------------------------- thresholds

any_score = st.one_of(st.integers(0, 3).map(float), st.floats(-1e300, 1e300), st.floats(0, 1, width=32))


def _are_float32(score):
    """Tell whether thresholds, which are float32, can be between any two scores."""
    with np.errstate(over="ignore"):
        return (score.astype(np.float32) == score).all()


@pytest.mark.filterwarnings("ignore:Every sample may be an alert")
@given(
    scores=st.lists(any_score, min_size=4, max_size=60),
    n_days=st.integers(4, 9),
    max_alerts=st.integers(0, 5),
    confidence=st.floats(0.05, 0.8),
    seed=seeds,
)
def test_so_many_groups_have_no_more_alerts_than_their_budget(scores, n_days, max_alerts, confidence, seed):
    rng = np.random.default_rng(seed)
    score = np.array(scores)
    day = np.concatenate([np.arange(min(n_days, len(score))), rng.integers(0, n_days, len(score))])[: len(score)]
    n_groups = len(np.unique(day))
    threshold_of = partial(alert_threshold, groups=day, confidence=confidence)
    threshold = threshold_of(score, max_alerts=max_alerts)
    within = sum(np.sum(score[day == d] >= threshold) <= max_alerts for d in np.unique(day))
    rank = int(np.ceil((n_groups + 1) * confidence - 1e-9))
    assert within >= rank
    lower = score[score < threshold]
    if len(lower) and _are_float32(score):  # no more careful than that: at the next score below, too few groups are
        assert sum(np.sum(score[day == d] >= lower.max()) <= max_alerts for d in np.unique(day)) < rank
    assert threshold_of(score, max_alerts=max_alerts + 1) <= threshold
    order = rng.permutation(len(score))
    assert (
        alert_threshold(
            score[order], groups=np.array(list("abcdefghi"))[day][order], max_alerts=max_alerts, confidence=confidence
        )
        == threshold
    )


@given(data=st.data(), n=st.integers(5, 80), max_fpr=st.floats(0.05, 0.9), confidence=st.floats(0.05, 0.9), seed=seeds)
def test_the_false_positive_rate_could_not_be_larger(data, n, max_fpr, confidence, seed):
    """The negative samples above the threshold are so few that a larger rate than asked for would rarely give them.

    One more, and it would give them more often.
    """
    assume(n >= np.log(1 - confidence) / np.log1p(-max_fpr) + 1)
    score = np.array(data.draw(st.lists(any_score, min_size=n, max_size=n)))
    y = np.zeros(n + 2, dtype=int)
    y[-2:] = 1
    score = np.append(score, [0.5, 2.0])
    threshold = fpr_threshold(y, score, max_fpr=max_fpr, confidence=confidence)
    above = int(np.sum(score[:n] >= threshold))
    assert binom.cdf(above, n, max_fpr) <= 1 - confidence + 1e-9
    lower = score[:n][score[:n] < threshold]
    if _are_float32(score[:n]):
        assert binom.cdf(np.sum(score[:n] >= lower.max()), n, max_fpr) > 1 - confidence - 1e-9
    order = np.random.default_rng(seed).permutation(n + 2)
    assert fpr_threshold(y[order], score[order], max_fpr=max_fpr, confidence=confidence) == threshold
    assert (
        fpr_threshold(np.array(["b", "a"])[y], score, max_fpr=max_fpr, confidence=confidence, pos_label="a")
        == threshold
    )
    assert fpr_threshold(y, score, max_fpr=min(0.95, max_fpr * 1.05), confidence=confidence) <= threshold


@pytest.mark.filterwarnings("ignore:No threshold that was tried")
@given(
    seed=seeds,
    n=st.integers(1, 300),
    decimals=st.integers(0, 3),
    min_precision=st.floats(0.05, 0.95),
    confidence=st.floats(0.05, 0.95),
)
def test_alerts_prove_the_precision_of_their_threshold(seed, n, decimals, min_precision, confidence):
    rng = np.random.default_rng(seed)
    score = rng.random(n).round(decimals)
    y = (rng.random(n) < score).astype(int)
    y[0] = 1
    threshold = precision_threshold(y, score, min_precision=min_precision, confidence=confidence)
    above = score >= threshold
    if np.isfinite(threshold):
        assert binom.sf(y[above].sum() - 1, above.sum(), min_precision) <= (1 - confidence) / 50 + 1e-12
    order = rng.permutation(n)
    again = precision_threshold(y[order], score[order], min_precision=min_precision, confidence=confidence)
    assert again == threshold


@pytest.mark.filterwarnings("ignore:No threshold that was tried")
@given(
    seed=seeds,
    n=st.integers(2, 60),
    decimals=st.integers(0, 3),
    min_precision=st.floats(0.3, 0.95),
    confidence=st.floats(0.05, 0.95),
)
def test_no_lower_threshold_has_alerts_that_prove_the_precision(seed, n, decimals, min_precision, confidence):
    """Of few samples, of which every number of alerts is tried: steps of the fifty are less than one."""
    error = (1 - confidence) / 50
    fewest = np.ceil(np.log(error) / np.log(min_precision))
    assume((n - 1) * np.log((n - 1) / fewest) < 49)
    rng = np.random.default_rng(seed)
    score = rng.random(n).round(decimals)
    y = (rng.random(n) < score**0.2).astype(int)
    y[0] = 1
    threshold = precision_threshold(y, score, min_precision=min_precision, confidence=confidence)
    for other in np.unique(score[score < threshold])[:-1]:  # the last is that just below it
        above = score > other
        assert binom.sf(y[above].sum() - 1, above.sum(), min_precision) > error * (1 - 1e-9)


costs = st.floats(-1e3, 1e3)


@given(
    outcome=st.tuples(costs, costs), alarm=positive(1e3), miss=st.just(0.0) | positive(1e3), posterior=st.floats(0, 1)
)
def test_above_the_threshold_of_costs_an_alert_costs_less(outcome, alarm, miss, posterior):
    """Both decisions are priced: by the probability, whatever a constant on both is."""
    true_negative, true_positive = outcome
    priced = {
        "true_negative": true_negative,
        "false_positive": true_negative + alarm,
        "true_positive": true_positive,
        "false_negative": true_positive + miss,
    }
    assume(priced["false_positive"] > true_negative and priced["false_negative"] >= true_positive)
    threshold = float(cost_threshold(**priced))
    assert 0 < threshold <= 1
    alert = posterior * priced["true_positive"] + (1 - posterior) * priced["false_positive"]
    none = posterior * priced["false_negative"] + (1 - posterior) * priced["true_negative"]
    if abs(posterior - threshold) > 1e-9:
        assert (alert < none + 1e-9) if posterior >= threshold else (alert > none - 1e-9)
    of_each = cost_threshold(**{name: [cost, cost] for name, cost in priced.items()})
    np.testing.assert_array_equal(of_each, [threshold, threshold])
