"""What holds of losses for any parameters, margins and labels, computed by NumPy or compiled.

``HYPOTHESIS_PROFILE=long pytest tests/test_properties*.py`` tries thirty times as many examples, new ones in each run.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from skfocal import BinaryFocalLoss, FocalObjective, MulticlassFocalLoss
from skfocal.losses import HESSIAN_POLICIES, MultilabelFocalLoss

from .strategies import (
    LAYOUTS,
    ROUNDING,
    as_type,
    assert_alike,
    assert_close,
    assert_same,
    cases,
    code_types,
    computed_by,
    everything,
    layouts,
    losses,
    margins,
    of_loss,
    seeds,
    terms,
    ways,
)  # fmt: skip

SEVERAL = [MulticlassFocalLoss]


def signs(case):
    """Return the sign that a gradient has: margins of the true class are to grow."""
    if case.raw.ndim == 1:
        return np.where(case.y == 1, -1, 1)
    return np.where(np.arange(case.n_classes) == case.y[:, None], -1, 1)


@given(case=cases(), way=ways)
def test_all_is_finite_and_of_the_right_sign(case, way):
    with computed_by(way):
        results = everything(*case)
    shapes = {"loss": case.y.shape, "posterior": (len(case.y), case.n_classes)}
    for name, array in results.items():
        assert np.isfinite(array).all(), name
        assert array.shape == shapes.get(name, case.raw.shape)
        if "gradient" in name:
            assert (array * signs(case) >= 0).all(), name
        if "objective" not in name and name != "posterior":
            assert array.dtype == case.raw.dtype
    assert (results["loss"] >= 0).all()


@given(case=cases(farthest=8.0), way=ways)
def test_gradients_near_the_middle_are_not_zero(case, way):
    with computed_by(way):
        gradient = case.loss.gradient(case.y, case.raw)
    power = -(1 + np.max(case.loss.gamma)) * np.logaddexp(0, case.loss._lead(case.y, case.raw)[0])  # of 1 - p
    assert (case.of_true(gradient)[power > -80] != 0).all()


@given(case=cases(dtypes=[np.float64], kinds=SEVERAL), way=ways)
def test_gradients_of_several_classes_sum_to_zero(case, way):
    with computed_by(way):
        gradient = case.loss.gradient(case.y, case.raw)
    largest = np.abs(gradient).max(axis=1, initial=0)
    assert (np.abs(gradient.sum(axis=1)) <= 1e-15 * case.n_classes * largest + 1e-300).all()


@given(case=cases(farthest=30.0, dtypes=[np.float64]), way=ways, seed=seeds)
def test_a_loss_rises_by_the_integral_of_its_gradient(case, way, seed):
    """And the gradient of a margin by that of the Hessian's diagonal; along a line, by Gauss's quadrature."""
    nodes, shares = np.polynomial.legendre.leggauss(20)
    direction = np.random.default_rng(seed).uniform(-0.2, 0.2, case.raw.shape)
    axis = np.arange(case.n_classes) == seed % case.n_classes if case.raw.ndim == 2 else 1.0

    def between(function, step):
        return sum(
            share * function(case.raw + (node + 1) / 2 * step) for node, share in zip(nodes, shares / 2, strict=True)
        )

    with computed_by(way):
        of_loss, of_gradient = (
            lambda raw, call=call: call(case.y, raw) for call in (case.loss.loss, case.loss.gradient)
        )
        slope = between(of_gradient, direction) * direction
        slope = slope if slope.ndim == 1 else slope.sum(axis=1)
        before, after = of_loss(case.raw), of_loss(case.raw + direction)
        assert_close(after - before, slope, 1e-9, scale=np.maximum(before, after))
        step = 0.2 * axis
        bent = between(lambda raw: case.loss.hessian(case.y, raw), step) * step
        before, after = of_gradient(case.raw), of_gradient(case.raw + step)
        change = (after - before) * (axis != 0)
        assert_close(change, bent, 1e-9, scale=np.maximum(terms(case), terms(case._replace(raw=case.raw + step))))


@given(case=cases(), way=ways)
def test_hessians_that_are_stable_are_positive_and_no_less_than_exact(case, way):
    with computed_by(way):
        gradient, exact = case.loss.gradient_hessian(case.y, case.raw)
        same, stable = case.loss.gradient_hessian(case.y, case.raw, hessian="stable")
        of_objectives = [FocalObjective(case.loss, policy, 1)(case.y, case.raw)[1] for policy in HESSIAN_POLICIES]
    assert_same([gradient], [same])
    rounding = ROUNDING[case.raw.dtype.type]
    assert (stable >= exact - rounding * (np.abs(exact) + 1e-300)).all()
    assert (stable >= 0).all()
    seen = np.abs(gradient) > (1e-30 if case.raw.dtype == np.float32 else 1e-250)
    assert (stable[seen] > 0).all()
    assert all((hessian > 0).all() for hessian in of_objectives)
    # Of the true class: the exact one, raised to what is promised.
    u = case.loss._lead(case.y, case.raw)[0].astype(np.float64)
    wrong = np.minimum(u, -1e-300)
    ratio = np.where(u < 0, np.expm1(wrong) / (2 * wrong), expit(u))
    least = np.abs(case.of_true(gradient)) * ratio
    assert_close(case.of_true(stable), np.maximum(case.of_true(exact), least))


@given(case=cases(alpha=False), way=ways, seed=seeds)
def test_losses_scale_with_the_weights_of_classes(case, way, seed):
    weights = 10.0 ** np.random.default_rng(seed).uniform(-3, 3, case.n_classes)
    weighted = type(case.loss)(case.loss.gamma, weights, case.loss.focal_mix)
    of_rows = weights[case.y] if case.raw.ndim == 1 else weights[case.y][:, None]
    rtol = 1e-6 if case.raw.dtype == np.float32 else 1e-15
    with computed_by(way):
        plain, more = of_loss(*case), of_loss(weighted, case.y, case.raw)
    np.testing.assert_array_equal(more.pop("posterior"), plain.pop("posterior"))
    assert_close(more.pop("loss"), plain.pop("loss") * weights[case.y], rtol)
    for name, array in more.items():
        assert_close(array, plain[name] * of_rows, rtol)


@given(case=cases(), way=ways, seed=seeds)
def test_a_sample_is_the_same_wherever_it_stands(case, way, seed):
    """To the last bit: in any order, alone, or among others. NumPy sums eight classes of one row in another order."""
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0, 3, len(case.y))
    order = rng.permutation(len(case.y))
    with computed_by(way):
        expected = everything(*case, weight)
        for rows in (order, slice(0, 1), slice(len(case.y) // 3, None), order[: len(case.y) // 2]):
            of_rows = everything(case.loss, case.y[rows], case.raw[rows], weight[rows])
            for name, array in of_rows.items():
                by_numpy = way == "NumPy" or name.startswith(HESSIAN_POLICIES)
                if len(array) == 1 and case.n_classes >= 8 and by_numpy:
                    assert_close(array, expected[name][rows], scale=np.abs(expected[name][rows]).max())
                else:
                    np.testing.assert_array_equal(array, expected[name][rows], name)


@given(case=cases(), way=ways, layout=layouts, data=st.data())
def test_how_arrays_lie_in_memory_changes_nothing(case, way, layout, data):
    """Where only NumPy reads an array it may be the last bits. What is given is left as it is."""
    kind = data.draw(code_types(case.n_classes))
    given_raw, given_y = layout(case.raw), as_type(case.y, kind)
    weight = LAYOUTS["apart"](np.linspace(0, 2, len(case.y)))
    y_before, raw_before, weight_before = np.array(given_y), given_raw.copy(), weight.copy()
    with computed_by(way):
        expected = everything(*case, weight)
        actual = everything(case.loss, given_y, given_raw, weight)
    if given_raw.flags.aligned and given_raw.dtype.isnative and way != "NumPy":
        assert_same(actual, expected)
    else:
        assert_alike(actual, expected, terms(case))
    assert_same([given_y, given_raw, weight], [y_before, raw_before, weight_before])


@given(case=cases(), way=ways, seed=seeds)
def test_renamed_classes_have_the_same_losses(case, way, seed):
    """Of two classes on one margin to the last bit; of several their sum is another's in another order."""
    order = np.random.default_rng(seed).permutation(case.n_classes) if case.raw.ndim == 2 else np.array([1, 0])
    new = np.argsort(order)  # of a class its new code

    def reordered(values):
        return values if not isinstance(values, tuple) else np.array(values)[order]

    alpha = 1 - case.loss.alpha if isinstance(case.loss.alpha, float) else reordered(case.loss.alpha)
    renamed = type(case.loss)(reordered(case.loss.gamma), alpha, case.loss.focal_mix)
    raw = -case.raw if case.raw.ndim == 1 else case.raw[:, order]
    with computed_by(way):
        was, now = everything(*case), everything(renamed, new[case.y], raw)
    for name, values in was.items():
        if values.ndim == 2:
            was[name] = values[:, order]
        elif "gradient" in name:
            was[name] = -values
    assert_alike(now, was, terms(case)[:, order] if case.raw.ndim == 2 else terms(case))


@given(case=cases(dtypes=[np.float32]), way=ways)
def test_float32_is_float64_but_for_rounding(case, way):
    with computed_by(way):
        in_float, in_double = of_loss(*case), of_loss(case.loss, case.y, case.raw.astype(np.float64))
    np.testing.assert_array_equal(in_float["posterior"], in_double["posterior"])  # links compute in float64
    assert_alike(in_float, in_double, terms(case))


@given(case=cases(n_classes=2, kinds=SEVERAL))
def test_two_classes_are_the_binary_loss(case):
    binary = BinaryFocalLoss(case.loss.gamma, case.loss.alpha, case.loss.focal_mix)
    raw = np.clip(case.raw, -1e3, 1e3).astype(np.float64)
    expected = of_loss(binary, case.y, raw[:, 1] - raw[:, 0])
    for name, values in expected.items():
        if "gradient" in name:
            expected[name] = np.stack([-values, values], axis=1)
        elif "hessian" in name:
            expected[name] = np.stack([values, values], axis=1)
    assert_alike(of_loss(case.loss, case.y, raw), expected, terms(case._replace(raw=raw)))


@given(case=cases(farthest=100.0, dtypes=[np.float64], kinds=SEVERAL), way=ways, shift=st.integers(-(2**20), 2**20))
def test_a_constant_on_all_margins_changes_nothing(case, way, shift):
    raw = np.round(case.raw * 2**20) / 2**20  # so that the sum is exact
    with computed_by(way):
        assert_same(of_loss(case.loss, case.y, raw + shift), of_loss(case.loss, case.y, raw))


@given(data=st.data(), n_rows=st.integers(0, 20), way=ways)
def test_several_labels_are_as_many_binary_losses(data, n_rows, way):
    labels = [loss for loss, _ in data.draw(st.lists(losses(kinds=[BinaryFocalLoss]), min_size=1, max_size=6))]
    raw = data.draw(margins((n_rows, len(labels)), dtype=data.draw(st.sampled_from([np.float32, np.float64]))))
    y = np.random.default_rng(data.draw(seeds)).integers(0, 2, raw.shape)
    loss = MultilabelFocalLoss(labels)
    with computed_by(way):
        alone = [label.loss_gradient(y[:, k], raw[:, k]) for k, label in enumerate(labels)]
        assert_same(
            [*loss.loss_gradient(y, raw), loss.predict_proba(raw)],
            [
                sum(losses for losses, _ in alone),
                np.column_stack([gradient for _, gradient in alone]),
                np.column_stack([label.predict_proba(raw[:, k])[:, 1] for k, label in enumerate(labels)]),
            ],
        )
