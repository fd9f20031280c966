"""The links and the intercepts against the textbook formulas in mpmath, and the intercepts against an optimiser.

What holds of links for any parameters and margins is in test_properties_of_links.py.
"""

import numpy as np
import pytest
from mpmath import mp, mpf

from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss

from .mpmath_reference import DIGITS, DTYPES, MIXED, Z, assert_close, mp_posterior, some_margins


@pytest.mark.parametrize(("gamma", "mix"), [*MIXED, ((0.5, 3.0), 0.0), ((0.5, 3.0), 0.2)])
def test_binary_link_agrees_with_mpmath(gamma, mix):
    gammas = np.broadcast_to(gamma, 2).tolist()
    with mp.workdps(DIGITS):
        expected = np.array([[float(v) for v in mp_posterior([mpf(0), mpf(z)], gammas, mpf(mix))] for z in Z])
    assert_close(BinaryFocalLoss(gamma, focal_mix=mix).predict_proba(Z), expected, 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("gamma", "mix"), [*MIXED, ((0.5, 3.0, 1.0), 0.0), ((0.5, 3.0, 1.0), 0.2)])
def test_multiclass_link_agrees_with_mpmath(gamma, mix, dtype):
    raw = some_margins(dtype)
    gammas = np.broadcast_to(gamma, 3).tolist()
    with mp.workdps(DIGITS):
        rows = [[mpf(float(v)) for v in z] for z in raw]
        expected = np.array([[float(v) for v in mp_posterior(row, gammas, mpf(mix))] for row in rows])
    assert_close(MulticlassFocalLoss(gamma, focal_mix=mix).predict_proba(raw), expected, 1e-12)


# Of the last one the margin is nearly 0, and no digit of it less right.
PRIORS = [[0.998, 0.002], [0.3, 0.7], [1e-12, 1.0], [1.0, 1e-100], [1.0, 1.0 + 2.0**-40]]


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize(("gamma", "mix"), [*MIXED, ((0.5, 3.0), 0.0), ((0.5, 3.0), 0.2)])
def test_binary_intercept_agrees_with_mpmath(gamma, mix, prior):
    gammas = np.broadcast_to(gamma, 2).tolist()
    actual = BinaryFocalLoss(gamma, focal_mix=mix).intercept(prior)
    with mp.workdps(DIGITS):
        target = mp.log(mpf(prior[1]) / mpf(prior[0]))

        def gap(z):
            posterior = mp_posterior([mpf(0), z], gammas, mpf(mix))
            return mp.log(posterior[1] / posterior[0]) - target

        expected = float(mp.findroot(gap, mpf(actual), tol=mpf(10) ** -40))
    assert actual == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("prior", [[0.9, 0.09, 0.01], [1, 1e-6, 1e-4], [2, 3, 4], [1, 1e-100, 1e-300]])
@pytest.mark.parametrize(
    ("gamma", "mix"), [*MIXED, ((0.5, 3.0, 1.0), 0.0), ((0.0, 2.0, 0.0), 0.0), ((0.5, 3.0, 1.0), 0.2)]
)
def test_multiclass_intercept_agrees_with_mpmath(gamma, mix, prior):
    gammas = np.broadcast_to(gamma, 3).tolist()
    actual = MulticlassFocalLoss(gamma, focal_mix=mix).intercept(prior)
    with mp.workdps(DIGITS):

        def gap(*z):
            posterior = mp_posterior(z, gammas, mpf(mix))
            logs = [mp.log(v) - mp.log(mpf(w)) for v, w in zip(posterior, prior, strict=True)]
            return [logs[1] - logs[0], logs[2] - logs[0], sum(z)]

        root = mp.findroot(gap, [mpf(v) for v in actual], tol=mpf(10) ** -40)
        expected = np.array([float(v) for v in root])
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("loss", [BinaryFocalLoss(2.0), MulticlassFocalLoss(2.0)])
def test_intercept_of_a_prior_of_any_dtype(loss):
    """Its logarithms are of float64."""
    prior = np.array([1e-3, 0.25] if isinstance(loss, BinaryFocalLoss) else [1e-3, 0.25, 0.5], dtype=np.float32)
    np.testing.assert_allclose(loss.intercept(prior), loss.intercept(prior.astype(np.float64)), rtol=1e-12)


@pytest.mark.parametrize(
    "loss", [BinaryFocalLoss(2.0), BinaryFocalLoss((0.0, 5.0), 0.3, 0.1), MulticlassFocalLoss(0.5)]
)
def test_intercept_minimises_the_weighted_loss(loss):
    """The best constant, found by a general optimiser: neither the link nor the intercept formula is used."""
    from scipy.optimize import minimize

    prior = np.array([0.8, 0.2]) if isinstance(loss, BinaryFocalLoss) else np.array([0.7, 0.2, 0.1])
    labels = np.arange(len(prior))

    def mean_loss(z):
        raw = np.full(2, z[0]) if isinstance(loss, BinaryFocalLoss) else np.tile(z, (3, 1))
        return prior @ loss.loss(labels, raw)

    intercept = np.atleast_1d(loss.intercept(prior))
    best = minimize(mean_loss, np.zeros(len(intercept)), tol=1e-12)
    np.testing.assert_allclose(intercept, best.x - (best.x.mean() if len(intercept) > 1 else 0), atol=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 2.0, 1e4])
@pytest.mark.parametrize("margin", [np.inf, 1.7e308, 1e308])
def test_links_of_margins_without_end(gamma, margin):
    np.testing.assert_array_equal(BinaryFocalLoss(gamma).predict_proba([margin, -margin]), [[0, 1], [1, 0]])
    several = MulticlassFocalLoss(gamma).predict_proba([[margin, 0.0, -margin], [-margin, -margin, margin]])
    np.testing.assert_array_equal(several, [[1, 0, 0], [0, 0, 1]])
    equal = MulticlassFocalLoss(gamma).predict_proba([[margin, margin, -margin]])
    np.testing.assert_allclose(equal, [[0.5, 0.5, 0.0]])
    in_float32 = BinaryFocalLoss(gamma).predict_proba(np.array([np.inf, -np.inf], dtype=np.float32))
    np.testing.assert_array_equal(in_float32, [[0, 1], [1, 0]])
    assert np.isnan(BinaryFocalLoss(gamma).predict_proba([np.nan])).all()
