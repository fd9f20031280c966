"""The losses against the textbook formulas in mpmath, and those against numerical differentiation."""

import pickle
from dataclasses import FrozenInstanceError
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from skfocal._arrays import BLOCK
from skfocal.losses import HESSIAN_POLICIES, BinaryFocalLoss, MulticlassFocalLoss

from .conftest import LOSSES
from .mpmath_reference import (
    DIGITS,
    DTYPES,
    GAMMAS,
    MIXED,
    TOLERANCE,
    Z,
    assert_close,
    mp_derivatives,
    mp_loss,
    mp_reference,
    some_margins,
)
from .test_multilabel_loss import LABELS


@pytest.mark.parametrize(("gamma", "mix"), [(0.0, 0.0), (0.25, 0.0), (1.0, 0.0), (2.0, 0.0), (5.0, 0.0), (2.0, 0.3)])
@pytest.mark.parametrize("z", [(0.3, -0.7, 1.9), (-2.0, 4.0, 0.5), (0.0, 2.8)])
def test_reference(z, gamma, mix):
    """The reference is the derivative of the loss: mpmath differentiates it numerically."""
    with mp.workdps(DIGITS):
        z, mix = [mpf(v) for v in z], mpf(mix)
        for y in range(len(z)):
            gradient, hessian, _ = mp_derivatives(z, y, gamma, mix)
            for k in range(len(z)):

                def along_k(x, y=y, k=k):
                    return mp_loss([*z[:k], x, *z[k + 1 :]], y, gamma, mix)

                assert mp.almosteq(mp.diff(along_k, z[k]), gradient[k], 1e-25)
                assert mp.almosteq(mp.diff(along_k, z[k], 2), hessian[k], 1e-15, 1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("y", [0, 1])
@pytest.mark.parametrize(("gamma", "mix"), MIXED)
def test_binary_agrees_with_mpmath(gamma, mix, y, dtype):
    z = Z.astype(dtype)
    loss, gradient, hessian, largest = mp_reference([[0, v] for v in z], y, gamma, mix)
    labels = np.full(len(z), y)
    focal = BinaryFocalLoss(gamma, focal_mix=mix)
    assert_close(focal.loss(labels, z), loss, TOLERANCE[dtype])
    assert_close(focal.gradient(labels, z), gradient[:, 1], TOLERANCE[dtype])
    assert_close(focal.hessian(labels, z), hessian[:, 1], TOLERANCE[dtype], largest[:, 1])
    assert focal.gradient(labels, z).dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("gamma", "mix"), MIXED)
def test_multiclass_agrees_with_mpmath(gamma, mix, dtype):
    raw = some_margins(dtype)
    focal = MulticlassFocalLoss(gamma, focal_mix=mix)
    for y in range(3):
        labels = np.full(len(raw), y)
        loss, gradient, hessian, largest = mp_reference(raw, y, gamma, mix)
        assert_close(focal.loss(labels, raw), loss, TOLERANCE[dtype])
        assert_close(focal.gradient(labels, raw), gradient, TOLERANCE[dtype])
        assert_close(focal.hessian(labels, raw), hessian, TOLERANCE[dtype], largest)


@pytest.mark.parametrize("alpha", [None, (0.2, 0.8)])
@pytest.mark.parametrize(("gamma", "mix"), [*MIXED, ((0.5, 3.0), 0.2)])
@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
def test_two_classes_equal_binary(gamma, mix, alpha, policy):
    rng = np.random.default_rng(1)
    raw, y = rng.normal(scale=5, size=(50, 2)), rng.integers(2, size=50)
    z = raw[:, 1] - raw[:, 0]
    multiclass, binary = MulticlassFocalLoss(gamma, alpha, mix), BinaryFocalLoss(gamma, alpha, mix)
    np.testing.assert_allclose(multiclass.loss(y, raw), binary.loss(y, z), rtol=1e-12)
    gradient, hessian = binary.gradient_hessian(y, z, hessian=policy)
    multi_gradient, multi_hessian = multiclass.gradient_hessian(y, raw, hessian=policy)
    np.testing.assert_allclose(multi_gradient, np.column_stack([-gradient, gradient]), rtol=1e-12)
    np.testing.assert_allclose(multi_hessian, np.column_stack([hessian, hessian]), rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(multiclass.predict_proba(raw), binary.predict_proba(z), rtol=1e-12)
    intercept = multiclass.intercept([0.9, 0.1])
    assert intercept[1] - intercept[0] == pytest.approx(binary.intercept([0.9, 0.1]), rel=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gamma", GAMMAS)
def test_softmax_gradient_sums_to_zero(gamma, dtype):
    raw = some_margins(dtype)
    for y in range(3):
        gradient = MulticlassFocalLoss(gamma).gradient(np.full(len(raw), y), raw)
        assert (np.abs(gradient.sum(axis=1)) <= 4 * np.finfo(dtype).eps * np.abs(gradient).max(axis=1)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
@pytest.mark.parametrize(("gamma", "mix"), MIXED)
def test_finite_up_to_1e20(gamma, mix, policy, dtype):
    z = np.array([s * 10.0**e for e in range(-20, 21) for s in (1, -1)], dtype=dtype)
    binary, multiclass = BinaryFocalLoss(gamma, None, mix), MulticlassFocalLoss(gamma, None, mix)
    raw = np.column_stack([z, -z, np.zeros_like(z)])
    for y in (0, 1):
        labels = np.full(len(z), y)
        results = [binary.loss(labels, z), *binary.gradient_hessian(labels, z, hessian=policy), binary.predict_proba(z)]
        results += [multiclass.loss(labels, raw), *multiclass.gradient_hessian(labels, raw, hessian=policy)]
        results += [multiclass.predict_proba(raw)]
        assert all(np.isfinite(result).all() for result in results)


@given(z=st.floats(-600, 600), gamma=st.floats(0, 8), mix=st.floats(0, 1))
def test_stable_hessian_is_positive_bounded_below_and_at_least_exact(z, gamma, mix):
    """The bound itself, written with A and the Jaakkola-Jordan curvature in mpmath."""
    labels, raw = np.array([1]), np.array([z])
    focal = BinaryFocalLoss(gamma, focal_mix=mix)
    gradient, stable = focal.gradient_hessian(labels, raw, hessian="stable")
    exact = focal.hessian(labels, raw)
    with mp.workdps(DIGITS):
        u = mpf(z)
        p, q = 1 / (1 + mp.exp(-u)), 1 / (1 + mp.exp(u))
        A = (1 - mpf(mix)) * (q**gamma - gamma * p * q ** (gamma - 1) * mp.log(p)) + mix
        jaakkola_jordan = mp.tanh(abs(u) / 2) / (2 * abs(u)) if u else mpf(1) / 4
        bound = float(A * (jaakkola_jordan if u < 0 else p * q))
    assert stable[0] == pytest.approx(max(float(exact[0]), bound), rel=1e-9, abs=1e-300)
    if abs(gradient[0]) > 1e-290:
        assert stable[0] > 0
        # As promised, but for rounding; the limit of the second at z = 0 is 2.
        longest = 2.0 if z >= 0 else 2 * abs(z) / -np.expm1(-abs(z))
        assert abs(gradient[0]) / stable[0] <= longest * (1 + 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mix", [0.0, 0.5])
def test_stable_hessian_far_out(mix, dtype):
    """Where exp underflows too: of a sample that is as wrong as can be the gradient is -1, the bound 1 / (2 |z|)."""
    z = -np.array([50, 70, 86, 88, 95, 104, 500, 707, 709, 744, 746, 1e4, 1e20], dtype=dtype)
    focal = BinaryFocalLoss(0.0, focal_mix=mix)
    gradient, stable = focal.gradient_hessian(np.ones(len(z)), z, hessian="stable")
    np.testing.assert_allclose(gradient, -1, rtol=1e-12)
    np.testing.assert_allclose(stable, 0.5 / -z, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("alpha", [0.25, (0.75, 0.25)])
def test_alpha_weighs_the_classes(alpha):
    y, z = np.array([0, 1]), np.array([0.3, 0.3])
    plain, weighted = BinaryFocalLoss(2.0), BinaryFocalLoss(2.0, alpha)
    weights = np.array([0.75, 0.25])
    np.testing.assert_array_equal(weighted.loss(y, z), plain.loss(y, z) * weights)
    np.testing.assert_array_equal(weighted.gradient(y, z), plain.gradient(y, z) * weights)
    np.testing.assert_array_equal(weighted.hessian(y, z), plain.hessian(y, z) * weights)
    np.testing.assert_array_equal(weighted.predict_proba(z), plain.predict_proba(z))
    assert weighted.intercept([0.5, 0.5]) == pytest.approx(plain.intercept([0.75, 0.25]))


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_are_values(loss):
    focal = loss(1.5)
    assert pickle.loads(pickle.dumps(focal)) == focal == loss(gamma=1.5)
    assert hash(focal) == hash(loss(1.5))
    assert focal != loss(2.0)
    with pytest.raises(FrozenInstanceError, match="gamma"):
        focal.gamma = 3.0
    assert hash(loss(np.array([1.0, 2.0]), [1.0, 2.0])) == hash(loss((1.0, 2.0), (1.0, 2.0)))
    assert repr(loss(np.int64(2), np.float32([0.5, 1.5]), np.float32(0.5))) == repr(loss(2.0, (0.5, 1.5), 0.5))


@pytest.mark.parametrize("loss", LOSSES)
def test_a_mix_of_one_is_the_log_loss(loss):
    """For any gamma; and between the ends the loss is the mean of both, weighted by their shares."""
    rng = np.random.default_rng(0)
    raw = rng.normal(scale=5, size=200 if loss is BinaryFocalLoss else (200, 3))
    y = rng.integers(2 if loss is BinaryFocalLoss else 3, size=200)
    focal, log_loss = loss(3.0), loss(0.0)
    for mix in (0.0, 0.25, 1.0):
        mixed = loss(3.0, None, mix)
        for name in ("loss", "gradient", "hessian"):
            of_both = (getattr(part, name)(y, raw) for part in (focal, log_loss))
            expected = np.average([*of_both], axis=0, weights=[1 - mix, mix])
            np.testing.assert_allclose(getattr(mixed, name)(y, raw), expected, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(loss(3.0, None, 1.0).predict_proba(raw), log_loss.predict_proba(raw), rtol=1e-12)


def test_integer_and_list_margins():
    focal = BinaryFocalLoss(2.0)
    np.testing.assert_array_equal(focal.gradient([1, 0], [1, -2]), focal.gradient(np.array([1.0, 0.0]), [1.0, -2.0]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("gamma", "mix"), [(0.0, 0.0), (0.5, 0.3), (2.0, 0.0), (2.0, 0.3)])
def test_loss_and_gradient_together(gamma, mix, dtype):
    """They come from a formula of their own, without the Hessian's parts."""
    y = np.arange(len(Z)) % 2
    focal = BinaryFocalLoss(gamma, alpha=0.25, focal_mix=mix)
    loss, gradient = focal.loss_gradient(y, Z.astype(dtype))
    assert loss.dtype == gradient.dtype == dtype
    assert_close(loss, focal.loss(y, Z.astype(dtype)).astype(float), TOLERANCE[dtype])
    assert_close(gradient, focal.gradient_hessian(y, Z.astype(dtype))[0].astype(float), TOLERANCE[dtype])
    margins, y = some_margins(dtype), np.arange(len(some_margins(dtype))) % 3
    focal = MulticlassFocalLoss([gamma, 1.0, 3.0], [1.0, 2.0, 4.0], focal_mix=mix)
    loss, gradient = focal.loss_gradient(y, margins)
    assert_close(loss, focal.loss(y, margins).astype(float), TOLERANCE[dtype])
    assert_close(gradient, focal.gradient_hessian(y, margins)[0].astype(float), TOLERANCE[dtype])


@pytest.mark.parametrize("device", ["CPU_DEVICE", "device1"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "loss",
    [
        BinaryFocalLoss((0.5, 2.0), 0.25),
        MulticlassFocalLoss((0.5, 1.0, 2.0), (1.0, 2.0, 3.0)),
        MulticlassFocalLoss(2, None, 0.1),
        LABELS,
    ],
)
def test_any_array_namespace(loss, dtype, device):
    """The strict namespace has nothing but what the array-API standard has: what runs on it runs on CuPy's arrays.

    On another device than the host nothing may be made where it is made by default.
    """
    xp = pytest.importorskip("array_api_strict")
    device = xp.Device(device)
    rng = np.random.default_rng(0)
    raw = rng.normal(scale=5, size=100 if isinstance(loss, BinaryFocalLoss) else (100, 3)).astype(dtype)
    n_classes = 3 if isinstance(loss, MulticlassFocalLoss) else 2
    y = rng.integers(n_classes, size=raw.shape if loss is LABELS else 100)
    strict = xp.asarray(raw, device=device)
    calls = [(lambda y, raw: [loss.loss(y, raw)], dtype), (loss.loss_gradient, dtype)]
    calls += [(lambda y, raw: [loss.predict_proba(raw)], "float64")]
    if loss is not LABELS:
        calls += [(partial(loss.gradient_hessian, hessian=policy), dtype) for policy in ("exact", "stable")]
    for call, returned in calls:
        expected = call(y, raw)
        there = (xp.asarray(y, device=device), xp.asarray(y.astype(dtype), device=device))
        for labels in (y, *there):  # from the host or the device, of any dtype
            for array, numpy_array in zip(call(labels, strict), expected, strict=True):
                assert array.__array_namespace__() is xp
                assert numpy_array.dtype == returned
                assert array.dtype == getattr(xp, returned)
                rtol = 1e-12 if numpy_array.dtype == np.float64 else 3e-6  # the kernel has other last bits
                assert array.device == device
                on_host = np.asarray(array.to_device(xp.Device("CPU_DEVICE")))
                np.testing.assert_allclose(on_host, numpy_array, rtol=rtol, atol=rtol / 10)
    y[50] = 7
    with pytest.raises(ValueError, match=r"y_true must hold (class codes 0 ... \d|0 and 1), got 7"):
        loss.loss(xp.asarray(y, device=device), strict)


@pytest.mark.parametrize("loss", [BinaryFocalLoss((0.5, 2.0), 0.25), MulticlassFocalLoss(2.0, (1.0, 2.0, 3.0))])
def test_blocks_change_no_bit(loss):
    binary = isinstance(loss, BinaryFocalLoss)
    n = BLOCK + 7
    rng = np.random.default_rng(0)
    raw, y = rng.normal(scale=5, size=n if binary else (n, 3)), rng.integers(2 if binary else 3, size=n)
    tail = slice(n - 20, None)
    np.testing.assert_array_equal(loss.loss(y, raw)[tail], loss.loss(y[tail], raw[tail]))
    np.testing.assert_array_equal(loss.gradient(y, raw)[tail], loss.gradient(y[tail], raw[tail]))
    np.testing.assert_array_equal(loss.hessian(y, raw)[tail], loss.hessian(y[tail], raw[tail]))
    np.testing.assert_array_equal(loss.predict_proba(raw)[tail], loss.predict_proba(raw[tail]))


@pytest.mark.parametrize("loss", LOSSES)
def test_no_samples(loss):
    raw = np.zeros((0,) if loss is BinaryFocalLoss else (0, 3))
    assert loss().loss([], raw).shape == (0,)
    assert loss().gradient([], raw).shape == raw.shape
    assert len(loss().predict_proba(raw)) == 0
