"""What holds of all estimators for small data of any kind: few rows, any labels, weights, gammas and arrays."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .conftest import BOOSTED, ESTIMATORS, engine_of, make
from .strategies import LAYOUTS, alphas, few, gammas, layouts, mixes, one_or_each, seeds

# Models of features that say nothing have the same margin for all, and of networks of few steps none has converged.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: each.__name__)
every_boosted = pytest.mark.parametrize("estimator", BOOSTED, ids=lambda each: each.__name__)

# Of two to four classes; sorted, so that codes are in their order.
NAMES = {
    "strings": np.array(["Aal", "Barsch", "Zander", "Äsche"]),
    "objects": np.array(["", "a", "aa", "b"], dtype=object),
    "floats": np.array([-3.0, 0.0, 2.0, 1e9]),
    "int8": np.array([-128, -1, 0, 127], dtype=np.int8),
    "uint64": np.array([0, 1, 2**40, 2**63], dtype=np.uint64),
    "int32": np.array([-5, 0, 3, 2**31 - 1], dtype=np.int32),
}


class Data(NamedTuple):
    X: Any
    codes: Any
    weight: Any
    params: dict


@st.composite
def datasets(draw, n_classes=None, weights=True):
    """Return few rows of few values, with some of every class, and parameters of the loss."""
    n_classes = draw(st.sampled_from([2, 3, 4])) if n_classes is None else n_classes
    n_rows, n_columns = draw(st.sampled_from([40, 12, 25, 80])), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(seeds))
    codes = rng.choice(n_classes, n_rows, p=np.arange(1, n_classes + 1)[::-1] / np.arange(1, n_classes + 1).sum())
    codes[:n_classes] = np.arange(n_classes)
    X = np.round(rng.normal(size=(n_rows, n_columns)) + 0.7 * codes[:, None] * rng.integers(0, 2, n_columns))
    weight = rng.integers(0, 4, n_rows).astype(float) if weights and draw(st.booleans()) else None
    if weight is not None:
        weight[0] = 1  # a class may weigh nothing
    params = {
        "focal_gamma": draw(one_or_each(gammas, n_classes)),
        "focal_alpha": draw(alphas(n_classes) | st.just("balanced")),
        "focal_mix": draw(mixes),
        "class_weight": draw(st.sampled_from([None, "balanced"])),
    }
    return Data(X, codes, weight, params)


def small(estimator, params, **more):
    """Return an estimator of few trees, or epochs, to which only weights matter."""
    if estimator in BOOSTED:
        return make(estimator, n_estimators=5, **engine_of(estimator).no_counts | params | more)
    return make(estimator, hidden_layer_sizes=(4,), **params | more)


def smooth(estimator, params):
    """Return the same, but of a network few steps of all rows at a time: sums in another order hardly matter."""
    steps = {} if estimator in BOOSTED else {"solver": "sgd", "max_iter": 4, "learning_rate_init": 0.1}
    return small(estimator, params, **steps)


@every_estimator
@few(0.12)
@given(
    data=datasets(),
    names=st.sampled_from(list(NAMES.values())),
    kind=st.sampled_from([np.float32, np.float64, np.int16, bool]),
    layout=layouts,
)
def test_predictions_are_those_of_a_classifier_and_leave_the_input_as_it_is(estimator, data, names, kind, layout):
    names = names[: data.codes.max() + 1]
    X, y = layout(data.X.astype(kind)), names[data.codes]
    weight = None if data.weight is None else LAYOUTS["apart"](data.weight)
    before = X.copy(), y.copy(), None if weight is None else weight.copy()
    model = small(estimator, data.params).fit(X, y, sample_weight=weight)
    posterior, labels = model.predict_proba(X), model.predict(X)
    assert posterior.shape == (len(y), len(names))
    assert np.isfinite(posterior).all()
    np.testing.assert_allclose(posterior.sum(axis=1), 1, rtol=1e-12)
    assert (posterior >= 0).all()
    assert model.classes_.tolist() == names.tolist()
    assert labels.dtype == (y.dtype if y.dtype != object else model.classes_.dtype)
    np.testing.assert_array_equal(labels, names[posterior.argmax(axis=1)])
    np.testing.assert_allclose(model.predict_proba(X[:1]), posterior[:1], rtol=0 if estimator in BOOSTED else 1e-5)
    for array, was in zip((X, y, weight), before, strict=True):
        np.testing.assert_array_equal(array, was)


@every_estimator
@few(0.12)
@given(data=datasets(), kind=st.sampled_from([np.float32, np.float64]), layout=layouts)
def test_types_and_layouts_of_features_change_nothing(estimator, data, kind, layout):
    """As long as they hold the same numbers."""
    plain = small(estimator, data.params).fit(data.X.astype(kind), data.codes, sample_weight=data.weight)
    expected = plain.predict_proba(data.X.astype(kind))
    given_X = layout(data.X.astype(kind))
    model = small(estimator, data.params).fit(given_X, layout(data.codes), sample_weight=data.weight)
    rtol = 0 if estimator in BOOSTED else 1e-3  # products of matrices are summed as they lie
    np.testing.assert_allclose(model.predict_proba(given_X), expected, rtol=rtol, atol=rtol)
    if estimator in BOOSTED:  # which make bins of float32 or float64; networks compute in either
        other = np.float64 if kind == np.float32 else np.float32
        model.fit(data.X.astype(other), data.codes, sample_weight=data.weight)
        np.testing.assert_array_equal(model.predict_proba(data.X.astype(other)), expected)


@every_estimator
@few(0.12)
@given(data=datasets(), names=st.sampled_from(list(NAMES.values())))
def test_other_names_of_the_labels_are_only_names(estimator, data, names):
    y = names[data.codes]
    params = dict(data.params)
    if isinstance(params["focal_gamma"], tuple):
        params["focal_gamma"] = dict(zip(names.tolist(), params["focal_gamma"], strict=False))
    model = small(estimator, params).fit(data.X, y, sample_weight=data.weight)
    plain = small(estimator, data.params).fit(data.X, data.codes, sample_weight=data.weight)
    np.testing.assert_array_equal(model.predict_proba(data.X), plain.predict_proba(data.X))
    np.testing.assert_array_equal(model.predict(data.X), names[plain.predict(data.X)])


@every_boosted
@few(0.12)
@given(data=datasets(n_classes=2))
def test_two_classes_the_other_way_round(estimator, data):
    """Gradients are the same but for their sign, to the last bit, and so are the trees."""
    params = dict(data.params)
    if isinstance(params["focal_gamma"], tuple):
        params["focal_gamma"] = params["focal_gamma"][::-1]
    if isinstance(params["focal_alpha"], tuple):
        params["focal_alpha"] = params["focal_alpha"][::-1]
    elif isinstance(params["focal_alpha"], float):
        params["focal_alpha"] = 1 - params["focal_alpha"]
    plain = small(estimator, data.params).fit(data.X, data.codes, sample_weight=data.weight)
    turned = small(estimator, params).fit(data.X, 1 - data.codes, sample_weight=data.weight)
    np.testing.assert_allclose(turned.predict_proba(data.X)[:, ::-1], plain.predict_proba(data.X), rtol=1e-4, atol=1e-8)


@every_estimator
@few(0.12)
@given(data=datasets(weights=False), seed=seeds)
def test_the_order_of_the_rows_does_not_matter(estimator, data, seed):
    """To trees: sums of gradients are exact in it. To a network only of all rows at a time."""
    order = np.random.default_rng(seed).permutation(len(data.codes))
    fit = partial(smooth, estimator, data.params)
    plain = fit().fit(data.X, data.codes).predict_proba(data.X)
    permuted = fit().fit(data.X[order], data.codes[order]).predict_proba(data.X)
    np.testing.assert_allclose(permuted, plain, rtol=1e-5, atol=1e-7)


@every_estimator
@few(0.12)
@given(data=datasets(weights=False), alpha=st.sampled_from([None, 0.5, 4.0]), seed=seeds)
def test_a_weight_is_as_many_rows(estimator, data, alpha, seed):
    """Weights are powers of two, so that no gradient is rounded, which would decide between splits that tie."""
    n_classes = data.codes.max() + 1
    weight = np.random.default_rng(seed).choice([0, 1, 2, 4], len(data.codes))
    weight[:n_classes] = 2
    alpha = None if alpha is None else [alpha, *[1.0] * (n_classes - 1)]
    fit = partial(smooth, estimator, data.params | {"focal_alpha": alpha, "class_weight": None})
    weighted = fit().fit(data.X, data.codes, sample_weight=weight)
    repeated = fit().fit(np.repeat(data.X, weight, axis=0), np.repeat(data.codes, weight))
    seen = data.X[weight > 0]  # between their values a threshold may lie anywhere
    np.testing.assert_allclose(weighted.focal_intercept_, repeated.focal_intercept_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(weighted.predict_proba(seen), repeated.predict_proba(seen), rtol=1e-3, atol=1e-5)


@every_boosted
@few(0.12)
@given(data=datasets(), weights=st.lists(st.sampled_from([0.25, 0.5, 2.0, 8.0]), min_size=4, max_size=4))
def test_a_weight_of_a_class_is_one_of_its_samples(estimator, data, weights):
    """Of powers of two, whose sums are exact, so that "balanced" balances the same."""
    n_classes = data.codes.max() + 1
    by_class = np.array(weights[:n_classes])
    params = data.params | {"class_weight": dict(enumerate(by_class.tolist()))}
    of_classes = small(estimator, params).fit(data.X, data.codes, sample_weight=data.weight)
    of_samples = (1.0 if data.weight is None else data.weight) * by_class[data.codes]
    expected = small(estimator, params | {"class_weight": None}).fit(data.X, data.codes, sample_weight=of_samples)
    np.testing.assert_array_equal(of_classes.predict_proba(data.X), expected.predict_proba(data.X))
