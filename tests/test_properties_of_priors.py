"""What holds of priors for any probabilities, however sharp, and any weights of samples and classes."""

import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from skfocal import correct_prior, effective_prior, estimate_prior

from .strategies import few, positive, posteriors


def priors(n_classes, largest=1e6):
    return st.lists(positive(largest), min_size=n_classes, max_size=n_classes).map(np.array)


@given(posterior=posteriors(least_rows=0), data=st.data())
def test_a_corrected_prior_and_back_is_where_it_was(posterior, data):
    here, there, elsewhere = (data.draw(priors(posterior.shape[1])) for _ in range(3))
    moved = correct_prior(posterior, training_prior=here, prior=there)
    np.testing.assert_allclose(moved.sum(axis=1), 1, rtol=1e-13)
    assert ((moved >= 0) & (moved <= 1)).all()
    close = partial(np.testing.assert_allclose, rtol=1e-11, atol=1e-300)
    close(correct_prior(moved, training_prior=there, prior=here), posterior)
    # By way of another prior, of priors on another scale, and of classes in another order.
    by_way = correct_prior(moved, training_prior=there, prior=elsewhere)
    close(by_way, correct_prior(posterior, training_prior=1e3 * here, prior=elsewhere / 7))
    close(correct_prior(posterior, training_prior=here, prior=5 * here), posterior)
    backwards = correct_prior(posterior[:, ::-1], training_prior=here[::-1], prior=there[::-1])
    close(backwards[:, ::-1], moved)
    np.testing.assert_array_equal(correct_prior(posterior[::-1], training_prior=here, prior=there)[::-1], moved)


@given(posterior=posteriors(), data=st.data(), k=st.integers(0, 49))
def test_what_is_more_frequent_is_more_probable(posterior, data, k):
    """And of two classes the ranking stays."""
    n_classes = posterior.shape[1]
    here, k = data.draw(priors(n_classes)), k % n_classes
    there = here * np.where(np.arange(n_classes) == k, 3.0, 1.0)
    moved = correct_prior(posterior, training_prior=here, prior=there)
    assert (moved[:, k] >= posterior[:, k] * (1 - 1e-14)).all()
    assert (np.delete(moved - posterior, k, axis=1) <= 1e-15).all()
    # Elkan's theorem, by odds: those of a class against any other are three times as large.
    for other in range(n_classes):
        if other != k:
            np.testing.assert_allclose(
                moved[:, k] * posterior[:, other], 3 * moved[:, other] * posterior[:, k], rtol=1e-12, atol=1e-300
            )


@given(posterior=posteriors(sharpest=3.0), data=st.data())
def test_the_effective_prior_moves_the_mean_to_the_prior(posterior, data):
    prior = data.draw(priors(posterior.shape[1], largest=30.0))
    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(posterior), max_size=len(posterior))))
    assume(weight.any())
    at = effective_prior(posterior, prior=prior, sample_weight=weight)
    moved = correct_prior(posterior, training_prior=at, prior=prior)
    np.testing.assert_allclose(np.average(moved, axis=0, weights=weight), prior / prior.sum(), rtol=1e-8)
    assert at.sum() == pytest.approx(1)
    repeated = effective_prior(np.repeat(posterior, weight, axis=0)[::-1], prior=3 * prior)
    np.testing.assert_allclose(repeated, at, rtol=1e-6)


@few(0.15)
@given(posterior=posteriors(sharpest=5.0, most_classes=4), data=st.data())
def test_an_estimated_prior_is_the_mean_of_what_it_makes_of_posteriors(posterior, data):
    """The fixed point of expectation maximisation, and nothing that has a share of it is without."""
    training = data.draw(priors(posterior.shape[1], largest=30.0))
    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(posterior), max_size=len(posterior))))
    assume(weight.any())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The posteriors hardly tell")
        estimate = partial(estimate_prior, n_bootstrap=1, random_state=0)
        prior, low, high = estimate(posterior, training_prior=training, sample_weight=weight)
        again = estimate(np.repeat(posterior, weight, axis=0), training_prior=training)
    for each in (prior, low, high):
        assert ((each >= 0) & (each <= 1)).all()
    assert (low <= high).all()
    assert prior.sum() == pytest.approx(1)
    likelihood = posterior / (training / training.sum())

    def height(shares):
        return float(weight @ np.log(likelihood @ shares)) / weight.sum()

    # The maximum of a concave function: no prior on the way to a class is more likely, nor that of the rows repeated.
    for k in range(len(prior)):
        towards = 0.99 * prior + 0.01 * (np.arange(len(prior)) == k)
        assert height(towards) <= height(prior) + 1e-6
    assert height(again.prior) == pytest.approx(height(prior), abs=1e-6)
