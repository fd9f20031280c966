"""The prior of samples without labels: known shifts are found, none is made up, intervals hold what they promise."""

import warnings

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import norm

from skfocal import correct_prior, estimate_prior

TRAINING = np.array([0.9, 0.1])


def gaussians(n_samples, prior, seed, training=TRAINING, distance=2.0):
    """Return the right posteriors, at the prior of the training, of samples drawn with another one."""
    random = np.random.default_rng(seed)
    codes = random.choice(len(prior), n_samples, p=prior)
    x = distance * codes + random.normal(size=n_samples)
    joint = np.stack([share * norm.pdf(x, distance * k) for k, share in enumerate(training)], axis=1)
    return joint / joint.sum(axis=1, keepdims=True), codes


@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_known_shifts_are_found(share):
    posterior, codes = gaussians(20_000, [1 - share, share], 0)
    prior, low, high = estimate_prior(posterior, training_prior=TRAINING, random_state=0)
    assert prior.sum() == pytest.approx(1)
    assert low[1] < codes.mean() < high[1]
    assert (high - low)[1] < 0.03
    corrected = correct_prior(posterior, training_prior=TRAINING, prior=prior)
    np.testing.assert_allclose(corrected.mean(axis=0), prior, atol=1e-6)  # what expectation maximisation ends with


def test_several_classes():
    training, true = [0.5, 0.3, 0.2], np.array([0.2, 0.1, 0.7])
    posterior, codes = gaussians(20_000, true, 0, training)
    prior, low, high = estimate_prior(posterior, training_prior=training, random_state=0)
    shares = np.bincount(codes) / len(codes)
    assert (low < shares).all()
    assert (shares < high).all()
    np.testing.assert_allclose(prior, shares, atol=0.02)


def test_where_nothing_shifts_nothing_moves():
    # The mean of the posteriors is the prior of the training: a fixed point, and the only one.
    posterior = np.repeat([[0.99, 0.01], [0.3, 0.7], [0.05, 0.95]], [880, 60, 60], axis=0)
    training = posterior.mean(axis=0)
    np.testing.assert_allclose(estimate_prior(posterior, training_prior=training).prior, training, rtol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_is_the_maximum_of_the_likelihood(n_classes):
    training = np.array([0.5, 0.3, 0.2][:n_classes])
    training /= training.sum()
    true = np.array([0.2, 0.7, 0.1][:n_classes])
    posterior, _ = gaussians(500, true / true.sum(), 1, training, distance=1.0)

    def loss(logits):
        prior = np.exp(np.append(logits, 0.0))
        return -np.log(posterior @ (prior / prior.sum() / training)).sum()

    best = minimize(loss, np.zeros(n_classes - 1), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    expected = np.exp(np.append(best.x, 0.0))
    own = estimate_prior(posterior, training_prior=training, n_bootstrap=0)
    np.testing.assert_allclose(own.prior, expected / expected.sum(), atol=1e-4)
    np.testing.assert_array_equal(own.low, own.prior)


def most_likely(posterior, weight):
    """Return the share of the second of two classes at which the slope of the likelihood is 0."""
    first, second = (posterior / TRAINING).T
    return brentq(lambda share: weight @ ((second - first) / (share * second + (1 - share) * first)), 0, 1, xtol=1e-14)


def test_a_share_of_some_in_a_million():
    """Its own digits count, not those of a sum with the other."""
    posterior, weight = np.array([[0.999, 0.001], [0.4, 0.6], [1e-9, 1 - 1e-9]]), np.array([3e6, 20.0, 5.0])
    own = estimate_prior(posterior, training_prior=TRAINING, sample_weight=weight, n_bootstrap=0)
    assert own.prior[1] == pytest.approx(most_likely(posterior, weight), rel=1e-5, abs=0)
    assert own.prior[1] < 1e-5


@pytest.mark.filterwarnings("ignore:The posteriors hardly tell")
@pytest.mark.parametrize("distance", [0.05, 0.1])
def test_what_plain_steps_would_not_reach(distance):
    """Of classes that are all but the same: steps of expectation maximisation become too short to go on with."""
    posterior, _ = gaussians(20_000, [0.7, 0.3], 1, distance=distance)
    own = estimate_prior(posterior, training_prior=TRAINING, n_bootstrap=0)
    assert own.prior[1] == pytest.approx(most_likely(posterior, np.ones(20_000)), rel=1e-5)


def test_the_interval_has_the_quantiles_of_samples_that_are_drawn_anew():
    posterior, _ = gaussians(300, [0.7, 0.3], 5)
    weight = np.random.default_rng(0).integers(0, 4, 300)
    random = np.random.RandomState(3)
    drawn = [most_likely(posterior, random.multinomial(weight.sum(), weight / weight.sum())) for _ in range(40)]
    of_samples = {"training_prior": TRAINING, "sample_weight": weight, "random_state": 3}
    _, low, high = estimate_prior(posterior, n_bootstrap=40, confidence=0.5, **of_samples)
    np.testing.assert_allclose([low[1], high[1]], np.quantile(drawn, [0.25, 0.75]), rtol=1e-5)
    np.testing.assert_allclose(low + high[::-1], 1, rtol=1e-6)
    as_said = estimate_prior(posterior, n_bootstrap=200, confidence=0.95, **of_samples)
    np.testing.assert_array_equal(estimate_prior(posterior, **of_samples), as_said)


def test_a_weight_is_as_many_samples():
    posterior, _ = gaussians(3000, [0.7, 0.3], 2)
    weight = np.random.default_rng(0).integers(0, 4, 3000)
    own = estimate_prior(posterior, training_prior=TRAINING, sample_weight=weight, random_state=0)
    repeated = estimate_prior(np.repeat(posterior, weight, axis=0), training_prior=10 * TRAINING, random_state=0)
    np.testing.assert_allclose(own.prior, repeated.prior, rtol=1e-5)
    np.testing.assert_allclose(own.high - own.low, repeated.high - repeated.low, rtol=0.3)


def test_intervals_hold_the_prior_as_often_as_they_say():
    held = 0
    for seed in range(200):
        posterior, _ = gaussians(400, [0.7, 0.3], seed)
        _, low, high = estimate_prior(
            posterior, training_prior=TRAINING, n_bootstrap=100, confidence=0.8, random_state=seed
        )
        held += low[1] <= 0.3 <= high[1]
    assert 0.7 < held / 200 < 0.9  # 0.8, by the standard error of 200 trials 0.03


@pytest.mark.parametrize(
    "posterior",
    [np.full((500, 2), 0.5), np.full((5, 3), 1 / 3), np.tile([[0.51, 0.49], [0.49, 0.51]], (250, 1))],
)
def test_posteriors_that_say_nothing_are_warned_of(posterior):
    message = r"^The posteriors hardly tell how often (any class|the classes at \[0, 1\]) occurs, estimated as \[.*\]: "
    with pytest.warns(
        UserWarning, match=message + "use more samples, or a model that tells the classes apart.$"
    ) as record:
        estimate_prior(posterior, training_prior=[1] * posterior.shape[1], random_state=0)
    assert ("any class" in str(record[0].message)) == (np.ptp(posterior) < 1e-9)


def test_the_warning_comes_above_a_standard_error_of_half_of_the_share():
    posterior, _ = gaussians(400, [0.7, 0.3], 6, distance=1.0)
    share = most_likely(posterior, np.ones(400))
    first, second = (posterior / TRAINING).T
    step = 1e-4 * share
    heights = [np.log(at * second + (1 - at) * first).sum() for at in (share - step, share, share + step)]
    information = -np.diff(heights, 2)[0] / step**2  # of so many samples of weight 1
    for relative_error, warns in ((0.49, False), (0.51, True)):
        weight = np.full(400, 1 / (information * (relative_error * share) ** 2))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimate_prior(posterior, training_prior=TRAINING, sample_weight=weight, n_bootstrap=0)
        assert [str(each.message)[:57] for each in caught] == [
            "The posteriors hardly tell how often the classes at [1] o"
        ] * warns


@pytest.mark.filterwarnings("ignore:The posteriors hardly tell")
@pytest.mark.parametrize("share", [0.07, 0.23, 3.03])
def test_steps_that_only_rounding_makes_end(share):
    training = [share, share, 1.0, 1.0]
    prior = estimate_prior(np.full((2, 4), 0.25), training_prior=training, n_bootstrap=0).prior
    assert np.isfinite(prior).all()
    assert prior.sum() == pytest.approx(1)


def test_posteriors_that_say_enough_are_not():
    posterior, _ = gaussians(5000, [0.7, 0.3], 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate_prior(posterior, training_prior=TRAINING, n_bootstrap=5)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("^posterior must have at least one row, got none.$", {"posterior": np.empty((0, 2))}),
        ("posterior must have rows that sum to 1", {"posterior": [[0.1, 0.2]]}),
        ("training_prior must hold finite weights > 0", {"training_prior": [0, 1]}),
        (r"training_prior must have the shape \(2,\)", {"training_prior": [1, 1, 1]}),
        ("sample_weight must be >= 0", {"sample_weight": [-1.0]}),
        ("n_bootstrap must be an integer >= 0, got 1.5", {"n_bootstrap": 1.5}),
        (r"confidence must be a number in \(0, 1\), got 95", {"confidence": 95}),
        (r"confidence must be a number in \(0, 1\), got 0", {"confidence": 0}),
        (r"confidence must be a number in \(0, 1\), got 1", {"confidence": 1}),
    ],
)
def test_bad_input(message, arguments):
    with pytest.raises((ValueError, TypeError), match=message):
        estimate_prior(**{"posterior": [[0.2, 0.8]], "training_prior": [1, 1]} | arguments)
