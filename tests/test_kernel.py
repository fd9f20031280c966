"""The compiled kernel: against the formulas in float64 and mpmath, in every variant that this processor can run."""

import ctypes
import shutil
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp

from skfocal import BinaryFocalLoss, FocalObjective, MulticlassFocalLoss
from skfocal.losses import HESSIAN_POLICIES
from skfocal.losses.compiled import kernel, kernel_computes
from skfocal.objectives import TrainingObjective

from .conftest import NEEDS_KERNEL
from .mpmath_reference import mp_reference
from .programs import run

pytestmark = NEEDS_KERNEL
VARIANTS = [] if kernel is None else kernel.variants()
GAMMAS = [0.0, 0.25, 1.0, 2.0, 5.0, 30.0, 1e4]


@pytest.fixture(params=VARIANTS, autouse=True)
def variant(request):
    kernel.use(request.param)
    yield request.param
    kernel.use(VARIANTS[0])


def make_loss(n_classes, gamma=2.0, **params):
    return (BinaryFocalLoss if n_classes == 2 else MulticlassFocalLoss)(gamma, **params)


def some_data(n_classes, n_samples, scale=4.0, dtype=np.float64, order="C"):
    """Return codes, and margins of which some are equal, some 0 and some far out."""
    rng = np.random.default_rng(n_classes)
    raw = rng.normal(scale=scale, size=(n_samples, n_classes))
    raw[::17] *= 10
    raw[::23] = 0
    y = rng.integers(0, n_classes, n_samples)
    y[:n_classes] = np.arange(n_classes)
    return y, np.asarray(raw[:, 0] if n_classes == 2 else raw, dtype=dtype, order=order)


def assert_close(actual, expected, rtol, atol=1e-33):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


def computed(loss, y, raw, policy="stable", weight=None, *, dtype=np.float32, factor=1.0, intercept=None, n_jobs=1):
    objective = FocalObjective(loss, policy, n_jobs)
    assert kernel_computes(loss, raw)
    with TrainingObjective(objective, factor=factor, dtype=dtype, intercept=intercept) as training:
        return [values.copy() for values in training(y, raw, weight)]


@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
@pytest.mark.parametrize("mix", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("n_classes", [2, 3, 11])
def test_derivatives_are_those_of_the_formulas(n_classes, gamma, mix, policy):
    """Of margins that are rounded to float32 first: their rounding is not the kernel's. 4.8e-7 is that to 21 bits."""
    loss = make_loss(n_classes, gamma, focal_mix=mix)
    y, raw = some_data(n_classes, 3001, dtype=np.float32)
    gradient, hessian = loss.gradient_hessian(y, raw.astype(np.float64), hessian=policy)
    # Beyond the usual gammas the logarithm that is multiplied by them has too few bits in float32.
    in_float = 1e-6 * max(1.0, gamma / 5)
    scale = np.abs(hessian).max() if policy == "exact" else 0  # which is 0 somewhere, and cancels near there
    for dtype, rtol in ((np.float32, in_float), (np.float64, 1e-7)):  # both return float32
        actual = computed(loss, y, raw, policy, dtype=dtype)
        assert_close(actual[0], gradient, rtol)
        assert_close(actual[1], np.maximum(hessian, 1e-16), rtol, atol=rtol * scale + 1e-33)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_derivatives_are_those_of_mpmath(n_classes, gamma):
    loss = make_loss(n_classes, gamma)
    raw = np.array([-30.0, -8.5, -1.0, -1e-3, 0.0, 1e-7, 0.3, 2.0, 12.0, 40.0], dtype=np.float32)
    z = np.column_stack([np.zeros_like(raw), raw, raw[::-1] / 3][:n_classes]).astype(np.float32)
    margins = raw if n_classes == 2 else z
    for y in range(n_classes):
        losses, gradient, hessian, largest = mp_reference(z, y, gamma, 0.0)
        codes = np.full(len(raw), y)
        if n_classes == 2:
            gradient, hessian, largest = (values[:, 1] for values in (gradient, hessian, largest))
        actual = computed(loss, codes, margins, "exact")
        assert_close(actual[0], gradient, 1e-6)
        error, largest = np.abs(actual[1] - np.maximum(hessian, 1e-16)), np.maximum(largest, np.abs(hessian))
        assert (error <= 1e-6 * np.maximum(largest, 1e-16)).all()
        assert_close(loss.loss(codes, margins), losses, 1e-6)
        assert_close(loss.loss(codes, margins.astype(np.float64)), losses, 1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("n_classes", [2, 5])
def test_losses_and_their_gradient(n_classes, gamma, dtype):
    alpha = np.linspace(0.5, 2, n_classes)
    loss = make_loss(n_classes, gamma, alpha=alpha, focal_mix=0.1)
    y, raw = some_data(n_classes, 2001, dtype=dtype)
    codes, margins = loss._targets(y, raw.astype(np.float64), np.float64).codes, raw.astype(np.float64)
    expected = loss._losses_gradient(margins, codes, alpha[y])  # the formulas in NumPy
    rtol = 1e-6 * max(1.0, gamma / 5) if dtype == np.float32 else 1e-13 * max(1.0, gamma / 5)
    for actual, values in zip(loss.loss_gradient(y, raw), expected, strict=True):
        assert actual.dtype == dtype
        assert_close(actual, values, rtol)
    assert_close(loss.loss(y, raw), expected[0], rtol)


@pytest.mark.parametrize("mix", [0.0, 0.3])
@pytest.mark.parametrize("gamma", [*GAMMAS, "of classes"])
@pytest.mark.parametrize("n_classes", [2, 3, 11])
def test_posteriors_are_those_of_the_formulas(n_classes, gamma, mix):
    gamma = np.linspace(0, 5, n_classes) if gamma == "of classes" else gamma
    loss = make_loss(n_classes, gamma, focal_mix=mix)
    _, raw = some_data(n_classes, 2001)
    posterior = loss.predict_proba(raw)
    rtol = 1e-12 * max(1.0, np.max(gamma) / 5)
    assert_close(posterior, loss._posterior(raw)[0], rtol, atol=1e-300)
    np.testing.assert_allclose(posterior.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_array_equal(loss.predict_proba(raw[::-1])[::-1], posterior)


@pytest.mark.parametrize("mix", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("gammas", [(0, 0), (2, 2), (0.5, 3), (0, 1e4), (1e4, 0), (3, 1e4), (1e4, 1e4)])
def test_posteriors_of_two_classes_are_those_of_mpmath(gammas, mix):
    """Each by itself, however small."""
    farthest = 690 / (1 + max(gammas))
    raw = np.random.default_rng(0).uniform(-1, 1, 60) * np.repeat([3, farthest, min(farthest, 3)], 20)
    loss = BinaryFocalLoss(gammas, focal_mix=mix)

    def unnormalised(margin, gamma):
        """Return p / A(p), with 1 - p and log p from their own formulas: nothing cancels."""
        p, q, log_p = 1 / (1 + mp.exp(-margin)), 1 / (1 + mp.exp(margin)), -mp.log1p(mp.exp(-margin))
        return p / ((1 - mp.mpf(mix)) * (q**gamma - gamma * p * q ** (gamma - 1) * log_p) + mp.mpf(mix))

    with mp.workdps(40):
        for z, posterior in zip(raw, loss.predict_proba(raw), strict=True):
            shares = [
                unnormalised(sign * mp.mpf(z), mp.mpf(gamma)) for sign, gamma in zip((-1, 1), gammas, strict=True)
            ]
            for value, share in zip(posterior, shares, strict=True):
                expected = share / sum(shares)
                assert expected < 1e-300 or abs(value / expected - 1) < 1e-12


@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_gammas_weights_and_starts(n_classes, policy):
    loss = make_loss(n_classes, np.linspace(0.5, 3, n_classes), alpha=np.linspace(1, 2, n_classes))
    y, raw = some_data(n_classes, 1000, scale=1.0)
    weight, start = np.random.default_rng(0).uniform(0, 3, 1000), np.linspace(-1, 1, n_classes)
    start = start if n_classes > 2 else start[0]
    gradient, hessian = loss.gradient_hessian(y, raw + start, hessian=policy)
    actual = computed(loss, y, raw, policy, weight, factor=1.5, intercept=start)
    columns = weight if n_classes == 2 else weight[:, None]
    alpha = np.linspace(1, 2, n_classes)[y] if n_classes == 2 else np.linspace(1, 2, n_classes)[y][:, None]
    assert_close(actual[0], gradient * columns, 3e-6, atol=1e-6)
    assert_close(actual[1], np.maximum(1.5 * hessian / alpha, 1e-16) * alpha * columns, 3e-6, atol=3e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_samples", [0, 1, 255, 256, 257, 100_003])
def test_threads_and_places_change_no_bit(n_samples, n_classes):
    loss = make_loss(n_classes)
    y, raw = some_data(n_classes, max(n_samples, n_classes))
    y, raw = y[:n_samples], raw[:n_samples]
    one = computed(loss, y, raw)
    for n_jobs in (2, 7):
        for values, expected in zip(computed(loss, y, raw, n_jobs=n_jobs), one, strict=True):
            np.testing.assert_array_equal(values, expected)
    for rows in (slice(1, None), slice(n_samples // 3, n_samples // 2), slice(None, None, -1)):
        for values, expected in zip(computed(loss, y[rows], raw[rows]), one, strict=True):
            np.testing.assert_array_equal(values, expected[rows])


@pytest.mark.parametrize("mix", [0.0, 0.1])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_posterior_is_the_same_alone_and_among_others(n_classes, mix):
    loss = make_loss(n_classes, focal_mix=mix)
    _, raw = some_data(n_classes, 40_003)
    posterior = loss.predict_proba(raw)
    np.testing.assert_array_equal(loss.predict_proba(raw, n_jobs=7), posterior)
    for first, n_samples in [(0, 1), (1, 7), (100, 15), (37, 16), (255, 17), (40_002, 1), (13, 300)]:
        rows = slice(first, first + n_samples)
        np.testing.assert_array_equal(loss.predict_proba(raw[rows]), posterior[rows])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_margins_in_any_layout(dtype):
    loss = make_loss(3)
    y, raw = some_data(3, 1000, dtype=dtype)
    wide = np.zeros((2000, 7), dtype=dtype)
    wide[::2, 1:7:2] = raw
    expected = computed(loss, y, raw)
    for margins in (np.asfortranarray(raw), wide[::2, 1:7:2], raw[:, ::-1].copy()[:, ::-1]):
        assert not margins.flags.c_contiguous
        for values, others in zip(computed(loss, y, margins), expected, strict=True):
            np.testing.assert_array_equal(values, others)
        np.testing.assert_array_equal(loss.predict_proba(margins), loss.predict_proba(raw))


def test_labels_and_weights_that_lie_apart():
    loss, (y, raw) = make_loss(2), some_data(2, 1000, dtype=np.float32)
    weight = np.random.default_rng(0).random(1000, dtype=np.float32)
    for apart in (lambda values: np.repeat(values, 2)[::2], lambda values: values[::-1].copy()[::-1]):
        actual = computed(loss, apart(y.astype(np.int32)), raw, weight=apart(weight))
        for values, expected in zip(actual, computed(loss, y, raw, weight=weight), strict=True):
            np.testing.assert_array_equal(values, expected)


def test_arrays_that_say_their_byte_order():
    """As those over memory of C do."""
    loss, (y, raw) = make_loss(2), some_data(2, 1000, dtype=np.float32)
    marked = np.ctypeslib.as_array((ctypes.c_float * 1000)(*raw.tolist()))
    assert memoryview(marked).format != memoryview(raw).format
    for values, expected in zip(computed(loss, y, marked), computed(loss, y, raw), strict=True):
        np.testing.assert_array_equal(values, expected)


def test_what_the_kernel_cannot_read_numpy_computes():
    loss, (y, raw) = make_loss(2), some_data(2, 100)
    unaligned = np.frombuffer(b"\0" + raw.tobytes(), dtype=np.uint8)[1:].view(np.float64)
    for margins in (raw.astype(">f8"), raw.astype(np.longdouble), unaligned):
        assert not kernel_computes(loss, margins)
        np.testing.assert_allclose(loss.loss(y, margins), loss.loss(y, raw), rtol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_margins_that_are_no_numbers_spoil_no_others(n_classes):
    loss = make_loss(n_classes)
    y, raw = some_data(n_classes, 600, dtype=np.float32)
    expected = computed(loss, y, raw)
    raw[[3, 300]] = np.nan
    for values, others in zip(computed(loss, y, raw), expected, strict=True):
        assert np.isnan(values[[3, 300]]).all()
        np.testing.assert_array_equal(np.delete(values, [3, 300], axis=0), np.delete(others, [3, 300], axis=0))
    assert np.isnan(loss.predict_proba(raw)[[3, 300]]).all()


@pytest.mark.parametrize("mix", [0.0, 1e-309])  # the second is all that is left of A
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("gamma", [0.0, 2.0, 1e4])
def test_margins_far_out_are_finite(gamma, n_classes, mix):
    loss = make_loss(n_classes, gamma, focal_mix=mix)
    y, _ = some_data(n_classes, 40)
    raw = (
        np.sign(some_data(n_classes, 40)[1]) * 10.0 ** (np.arange(40) % 20)[(slice(None),) + (None,) * (n_classes > 2)]
    )
    derivatives = *computed(loss, y, raw), *computed(loss, y, raw, dtype=np.float64)
    for values in (*derivatives, loss.loss(y, raw), loss.predict_proba(raw)):
        assert np.isfinite(values).all()


def test_errors_of_exp_and_log_are_those_that_are_claimed(tmp_path):
    """By the compiler that has compiled the kernel, if it is still there; the bounds are those in elementary.h."""
    compiler = (sysconfig.get_config_var("CC") or "").split()
    if not compiler or shutil.which(compiler[0]) is None:
        pytest.skip("the compiler of the kernel is no longer there")
    sources, program = Path(__file__).parent, tmp_path / "errors"
    kernel_folder = sources.parent / "skfocal" / "losses" / "kernel"
    command = [
        *compiler,
        "-std=c11",
        "-O2",
        f"-I{kernel_folder}",
        sources / "elementary_errors.c",
        "-o",
        program,
        "-lm",
    ]
    run(*command)
    output = run(program).stdout
    of_float, of_double = np.array(output.split(), dtype=float).reshape(2, 4)
    for errors in (of_float, of_double):
        assert (errors <= [1.5, 2.0, 3.0, 3.0]).all(), output
        assert (errors > 0.3).all(), output  # something was measured


def test_the_kernel_refuses_what_does_not_fit():
    y, raw = some_data(3, 10)
    codes, gamma, out = y.astype(np.int32), np.full(3, 2.0), np.empty_like(raw, dtype=np.float32)

    def call(raw=raw, codes=codes, weight=None, gamma=gamma, intercept=None, gradient=out, hessian=out):
        arguments = (0.0, intercept, 1.0, 0.0, True, False, gradient, hessian, 1)
        kernel.derivatives(raw, codes, weight, gamma, *arguments)

    call()
    frozen = out.copy()
    frozen.flags.writeable = False
    for error, message, arguments in [
        (TypeError, "raw must have a dtype among 'fd', got 'i'", {"raw": codes}),
        (TypeError, "raw must have a dtype among 'fd', got '>d'", {"raw": raw.astype(">f8")}),
        (ValueError, "raw must have one or two dimensions", {"raw": raw[None]}),
        (ValueError, "codes must hold 10 contiguous numbers", {"codes": codes[:9]}),
        (ValueError, "codes must hold 10 contiguous numbers", {"codes": np.repeat(codes, 2)[::2]}),
        (TypeError, "codes must have a dtype among 'il', got 'd'", {"codes": codes.astype(float)}),
        (TypeError, "weight must have a dtype among 'f', got 'd'", {"weight": np.ones(10)}),
        (ValueError, "gamma must hold 3 contiguous numbers", {"gamma": gamma[:2]}),
        (ValueError, "intercept must hold 3 contiguous numbers", {"intercept": np.zeros(4)}),
        (ValueError, "gradient must have 10 rows and 3 columns", {"gradient": out[:, :2]}),
        (ValueError, "hessian must have 10 rows and 3 columns", {"hessian": out[:9]}),
        (BufferError, "not writable|read-only", {"hessian": frozen}),
        (TypeError, "bytes-like|buffer", {"raw": None}),
    ]:
        with pytest.raises(error if error is not BufferError else (BufferError, ValueError), match=message):
            call(**arguments)
    with pytest.raises(ValueError, match="variant must be one of variants"):
        kernel.use("MMX")
