"""What holds of links, of the kernel, of threads and of objectives for any parameters and data."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skfocal import BinaryFocalLoss, FocalObjective, MulticlassFocalLoss
from skfocal.losses import HESSIAN_POLICIES
from skfocal.objectives import FocalMetric, TrainingObjective

from .conftest import NEEDS_KERNEL
from .strategies import (
    ROUNDING,
    WAYS,
    assert_alike,
    assert_close,
    assert_same,
    cases,
    computed_by,
    everything,
    few,
    losses,
    positive,
    seeds,
    terms,
    ways,
)  # fmt: skip

policies = st.sampled_from(HESSIAN_POLICIES)
SEVERAL = [MulticlassFocalLoss]

# ---------------------------------------------------------------------------------------------------------------- links


@given(case=cases(farthest=np.inf, dtypes=[np.float64, np.float32]), way=ways)
def test_posteriors_are_probabilities_that_sum_to_1(case, way):
    """Of margins however large, infinite ones too."""
    with computed_by(way):
        posterior = case.loss.predict_proba(case.raw)
    assert posterior.dtype == np.float64
    assert ((posterior >= 0) & (posterior <= 1)).all()
    np.testing.assert_allclose(posterior.sum(axis=1), 1, rtol=1e-13)


@given(
    pair=losses(kinds=[BinaryFocalLoss]),
    z=st.lists(st.floats(allow_nan=False), min_size=1, max_size=30)
    | st.lists(st.floats(-50, 50), min_size=1, max_size=30),
    way=ways,
)
def test_the_binary_link_is_increasing(pair, z, way):
    """Down to the last bit but one. With one gamma it is 1/2 at 0 and symmetric."""
    loss, _ = pair
    z = np.sort(np.array(z))
    with computed_by(way):
        posterior = loss.predict_proba(z)
        assert (np.diff(posterior[:, 1]) >= -4e-13 * posterior[:-1, 1] - 1e-300).all()
        assert (np.diff(posterior[:, 0]) <= 4e-13 * posterior[:-1, 0] + 1e-300).all()
        apart = np.clip(np.unique(np.round(z)), -10, 10)  # which rounding does not make one
        assert (np.diff(loss.predict_proba(np.unique(apart[apart <= 0]))[:, 1]) > 0).all()
        assert (np.diff(loss.predict_proba(np.unique(apart[apart >= 0]))[:, 0]) < 0).all()
        if not isinstance(loss.gamma, tuple):
            np.testing.assert_array_equal(loss.predict_proba(-z)[:, ::-1], posterior)
            assert loss.predict_proba([0.0]).tolist() == [[0.5, 0.5]]


@given(
    case=cases(farthest=500.0, dtypes=[np.float64], kinds=SEVERAL),
    way=ways,
    rise=st.floats(0.0, 20.0),
    k=st.integers(0, 49),
)
def test_a_posterior_rises_with_its_margin(case, way, rise, k):
    k %= case.n_classes
    with computed_by(way):
        before = case.loss.predict_proba(case.raw)
        after = case.loss.predict_proba(case.raw + rise * (np.arange(case.n_classes) == k))
    rounding = 1e-11 * np.maximum(before, after) + 1e-300
    assert (after - before >= -rounding)[:, k].all()


@given(case=cases(gamma=st.floats(0, 50), farthest=500.0, kinds=SEVERAL), way=ways)
def test_with_one_gamma_classes_keep_their_order(case, way):
    with computed_by(way):
        posterior = case.loss.predict_proba(case.raw)
    ordered = np.take_along_axis(posterior, case.raw.argsort(axis=1, kind="stable"), axis=1)
    assert (np.diff(ordered, axis=1) >= -1e-12 * ordered[:, :-1] - 1e-300).all()


@few(0.2)
@given(pair=losses(), data=st.data(), way=ways)
def test_the_link_inverts_the_intercept(pair, data, way):
    """At the prior as alpha weighs it, however rare a class is."""
    loss, n_classes = pair
    prior = np.array(data.draw(st.lists(positive(1e6), min_size=n_classes, max_size=n_classes)))
    weights = np.ones(n_classes) if loss.class_weights is None else np.array(loss.class_weights)
    with computed_by(way):
        intercept = loss.intercept(prior)
        posterior = loss.predict_proba(
            np.atleast_1d(intercept) if n_classes == 2 and np.ndim(intercept) == 0 else [intercept]
        )
        np.testing.assert_allclose(posterior[0], prior * weights / (prior @ weights), rtol=1e-9)
        np.testing.assert_allclose(loss.intercept(8.0 * prior), intercept, rtol=1e-9, atol=1e-9)


@few(0.2)
@given(pair=losses(alpha=False), seed=seeds, way=ways)
def test_the_intercept_inverts_the_link(pair, seed, way):
    loss, n_classes = pair
    farthest = 300 / (1 + np.max(loss.gamma)) / np.log2(n_classes)
    raw = np.random.default_rng(seed).uniform(-farthest, farthest, n_classes)
    raw = raw[:1] if isinstance(loss, BinaryFocalLoss) else [raw - raw.mean()]
    with computed_by(way):
        posterior = loss.predict_proba(raw)[0]
        if posterior.min() > 1e-200 and posterior.max() < 0.999:
            np.testing.assert_allclose(loss.intercept(posterior), raw[0], rtol=1e-6, atol=1e-6)


# --------------------------------------------------------------------------------------------------- kernel and threads


@NEEDS_KERNEL
@given(case=cases(), variant=st.sampled_from(WAYS[1:] or WAYS), seed=seeds)
def test_the_kernel_computes_what_numpy_does(case, variant, seed):
    weight = 10.0 ** np.random.default_rng(seed).uniform(-3, 3, len(case.y))
    with computed_by("NumPy"):
        by_numpy, in_double = everything(*case, weight), in_float64(case, weight)
    with computed_by(variant):
        compiled, compiled_in_double = everything(*case, weight), in_float64(case, weight)
    assert_close(compiled.pop("posterior"), by_numpy.pop("posterior"), 1e-11)
    columns = weight if case.raw.ndim == 1 else weight[:, None]
    assert_alike(compiled, by_numpy, np.maximum(columns, 1) * terms(case))
    for array, values in zip(compiled_in_double, in_double, strict=True):
        assert_close(array, values, 2e-7, 1e-6 * columns * terms(case))


def in_float64(case, weight):
    """Return what an engine gets that has it computed in float64."""
    arrays = []
    for policy in HESSIAN_POLICIES:
        with TrainingObjective(FocalObjective(case.loss, policy, 1), dtype=np.float64) as training:
            arrays += training(case.y, case.raw, weight)
    return arrays


@few(0.3)
@given(case=cases(), n_jobs=st.sampled_from([2, 3, 7, -1]), n_blocks=st.integers(1, 30), way=ways)
def test_threads_change_no_bit(case, n_jobs, n_blocks, way):
    """Of blocks of NumPy's that are small, and of enough samples for the kernel to have several chunks."""
    copies = 1 if way == "NumPy" else 100_000 // max(1, case.raw.size)
    y, raw = np.tile(case.y, copies), np.concatenate([case.raw] * copies)
    weight, block = np.linspace(0, 2, len(y)), 1 + raw.size // n_blocks
    with computed_by(way), patch("skfocal._arrays.BLOCK", block), patch("skfocal.losses.base._ENOUGH_FOR_THREADS", 0):
        for policy in HESSIAN_POLICIES:
            one, several = (FocalObjective(case.loss, policy, n)(y, raw, weight) for n in (1, n_jobs))
            assert_same(several, one)
        assert_same([case.loss.predict_proba(raw, n_jobs=n_jobs)], [case.loss.predict_proba(raw)])


# ----------------------------------------------------------------------------------------------------------- objectives


@given(case=cases(), policy=policies, way=ways)
def test_objectives_are_the_losses_derivatives_times_weights(case, policy, way):
    """At margins in float32; Hessians times the factor of the engine, and 1e-16 at least before they are weighed."""
    weight, n = np.linspace(0.5, 2, len(case.y)), case.n_classes
    factor = 1 if case.raw.ndim == 1 else 2 if case.raw.dtype == np.float32 else n / (n - 1)
    plain = type(case.loss)(case.loss.gamma, None, case.loss.focal_mix)
    at = case._replace(loss=plain, raw=case.raw.astype(np.float32).astype(np.float64))
    gradient, hessian = plain.gradient_hessian(at.y, at.raw, hessian=policy)
    with computed_by(way):
        actual = FocalObjective(case.loss, policy, 1)(case.y, case.raw, weight)
    weight = weight if case.loss.class_weights is None else weight * np.array(case.loss.class_weights)[case.y]
    columns = weight if case.raw.ndim == 1 else weight[:, None]
    # The kernel makes up for what is lost of the margins and of gamma times a logarithm.
    rounding = ROUNDING[np.float32] if way == "NumPy" else 1.5e-6 * max(1, np.max(case.loss.gamma) / 5)
    assert_close(actual[0], columns * gradient, rounding)
    assert_close(actual[1], columns * np.maximum(factor * hessian, 1e-16), rounding, factor * columns * terms(at))


@given(case=cases(alpha=False), policy=policies, way=ways, seed=seeds)
def test_a_weight_is_as_many_rows(case, policy, way, seed):
    """Of gradients and Hessians to the last bit, so that their sums are those of the rows repeated."""
    weight = np.random.default_rng(seed).integers(0, 9, len(case.y))
    with computed_by(way):
        once, weighted = (FocalObjective(case.loss, policy, 1)(case.y, case.raw, each) for each in (None, weight))
        columns = weight if case.raw.ndim == 1 else weight[:, None]
        assert_same(weighted, [columns * array.astype(np.float64) for array in once])
        assert all(array.dtype == np.float32 for array in weighted)
        if weight.any():
            metric = FocalMetric(case.loss)
            repeated = metric.mean(np.repeat(case.y, weight), np.repeat(case.raw, weight, axis=0))
            rtol = 1e-5 if case.raw.dtype == np.float32 else 1e-12
            assert metric.mean(case.y, case.raw, weight) == pytest.approx(repeated, rel=rtol)


@given(case=cases(), policy=policies, way=ways, power=st.integers(-20, 20), seed=seeds)
def test_objectives_scale_with_the_weights(case, policy, way, power, seed):
    weight = np.random.default_rng(seed).uniform(0.5, 2, len(case.y)).astype(np.float32)
    with computed_by(way):
        objective = FocalObjective(case.loss, policy, 1)
        plain, scaled = objective(case.y, case.raw, weight), objective(case.y, case.raw, 2.0**power * weight)
    for array, values in zip(scaled, plain, strict=True):
        assert_close(array, values * 2.0**power, 1e-6)


@given(case=cases(), policy=policies, way=ways, farther=st.floats(-30.0, 30.0))
def test_rounds_of_a_training_are_objectives(case, policy, way, farther):
    """Whatever was computed before, with an intercept, and over the margins themselves."""
    intercept = farther if case.raw.ndim == 1 else np.linspace(-farther, farther, case.n_classes)
    weight = np.linspace(0.5, 2, len(case.y))
    objective = FocalObjective(case.loss, policy, 1)
    with computed_by(way):
        with TrainingObjective(objective, y_true=case.y, sample_weight=weight) as training:
            training(None, -case.raw)
            assert_same(training(None, case.raw), objective(case.y, case.raw, weight))
        with TrainingObjective(objective, intercept=intercept) as training:
            started, expected = training(case.y, case.raw), objective(case.y, case.raw + intercept)
            if case.raw.dtype == np.float64:
                assert_same(started, expected)
        if case.raw.dtype == np.float32:
            over = case.raw.copy()
            with TrainingObjective(objective, in_place=True) as training:
                gradient, hessian = training(case.y, over, weight)
            assert gradient is over
            assert_same([gradient, hessian], objective(case.y, case.raw, weight))
