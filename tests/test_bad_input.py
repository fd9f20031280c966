"""Bad input gets an error that names it, before any training, and leaves the estimator as it was."""

import numpy as np
import pytest

import skfocal
from skfocal import metrics
from skfocal._checks import encode_labels
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss

from .conftest import BOOSTED, WATCHING, boosted_with, engine_of, fit_with_eval, make

ids = {"ids": lambda estimator: estimator.__name__}

BAD_PARAMETERS = [
    ({"focal_gamma": -1}, r"focal_gamma must be in \[0, 10000\], got -1"),
    ({"focal_gamma": float("nan")}, r"focal_gamma must be in \[0, 10000\], got nan"),
    ({"focal_gamma": [1.0, 2.0, 3.0]}, "focal_gamma must have one value for each of the 2 classes, got 3"),
    ({"focal_gamma": {0: 1.0}}, r"focal_gamma must have a key for each of the classes \[0, 1\], got the keys \[0\]"),
    ({"focal_gamma": "two"}, "focal_gamma must be a number >= 0 or one per class, got 'two'"),
    ({"focal_alpha": 1.5}, r"focal_alpha must be in \(0, 1\), the weight of the second class, got 1.5"),
    ({"focal_alpha": 0}, r"focal_alpha must be in \(0, 1\), the weight of the second class, got 0"),
    ({"focal_alpha": [0.5]}, "focal_alpha must have one value for each of the 2 classes, got 1"),
    ({"focal_alpha": [0.5, -0.5]}, r"focal_alpha must hold finite weights > 0, one per class, got \[0.5, -0.5\]"),
    ({"focal_alpha": {0: 1.0, 2: 1.0}}, r"focal_alpha must have a key for each of the classes \[0, 1\]"),
    ({"focal_alpha": "even"}, "focal_alpha must be .* or 'balanced', got 'even'"),
    ({"focal_mix": -0.1}, r"focal_mix must be in \[0, 1\], the share of the log loss, got -0.1"),
    ({"focal_mix": 1.5}, r"focal_mix must be in \[0, 1\], the share of the log loss, got 1.5"),
    ({"focal_mix": "half"}, r"focal_mix must be a number in \[0, 1\], got 'half'"),
    ({"class_weight": {0: -1.0}}, "class_weight must hold finite weights > 0, got {0: -1.0}"),
    ({"class_weight": {7: 1.0}}, r"class_weight must have keys among the classes \[0, 1\], got the keys \[7\]"),
    ({"class_weight": "even"}, "class_weight must be None, 'balanced' or a dict from labels to weights, got 'even'"),
    ({"class_weight": [{0: 1.0}]}, "class_weight must be None, 'balanced' or a dict from labels to weights, got "),
]

BAD_PARAMETERS_OF_BOOSTED = [
    ({"focal_hessian": "newton"}, r"focal_hessian must be one of \['stable', 'exact'\], got 'newton'"),
    ({"objective": "binary:logistic"}, "objective must be None.*got 'binary:logistic'"),
    ({"scale_pos_weight": 5}, "scale_pos_weight must be .*got 5: use class_weight="),
    ({"num_class": 2}, "num_class must be left out with the focal loss, got 2: it is read from y"),
    ({"focal_gama": 2.0}, "focal_gama=2.0 is not a parameter of .*did you mean focal_gamma"),
    ({"hessian": "exact"}, "hessian='exact' is not a parameter of .*did you mean focal_hessian"),
]


@pytest.mark.parametrize(("params", "message"), BAD_PARAMETERS, ids=[str(params) for params, _ in BAD_PARAMETERS])
def test_bad_parameters(estimator, binary, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make(estimator, **params).fit(*binary)


@pytest.mark.parametrize(("params", "message"), BAD_PARAMETERS_OF_BOOSTED, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("estimator", boosted_with("any_name"), **ids)
def test_bad_parameters_of_boosted(estimator, binary, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make(estimator, **params).fit(*binary)


BAD_DATA = {
    "one class": (lambda y: np.zeros_like(y), None, r"y must hold at least two classes, got 1 class: \[0\]"),
    "nan label": (
        lambda y: np.where(np.arange(len(y)) == 3, np.nan, y),
        None,
        "y must hold class labels.*got nan in row 3",
    ),
    "inf label": (
        lambda y: np.where(np.arange(len(y)) == 3, np.inf, y),
        None,
        "y must hold class labels.*got inf in row 3",
    ),
    "None label": (
        lambda y: np.array([None, *y[1:]], dtype=object),
        None,
        "y must hold class labels.*got None in row 0",
    ),
    "numbers and words": (
        lambda y: np.array([*["zero"] * 9, *y[9:]], dtype=object),
        None,
        "y must hold labels of one type, got int64 and str",
    ),
    "a word among numbers": (lambda y: np.array([*y[1:], "zero"], dtype=object), None, "got int64 and str"),
    "no labels": (lambda y: None, None, "requires y to be passed, but the target y is None"),
    "continuous": (lambda y: y + np.linspace(0, 0.5, len(y)), None, "Unknown label type"),
    "negative weight": (lambda y: y, lambda y: y - 0.5, "sample_weight must be >= 0, got -0.5 in row"),
    "zero weights": (lambda y: y, lambda y: np.zeros(len(y)), "sample_weight must have at least one non-zero weight"),
    "nan weight": (
        lambda y: y,
        lambda y: np.full(len(y), np.nan),
        "sample_weight must hold finite numbers >= 0, got nan",
    ),
    "words for weights": (
        lambda y: y,
        lambda y: np.full(len(y), "a"),
        r"sample_weight must hold finite numbers >= 0, got array\(\['a'",
    ),
    "huge weights": (lambda y: y, lambda y: np.full(len(y), 1e39), r"sample_weight must be at most 3\.4e\+38"),
    "not a time": (
        lambda y: np.where(np.arange(len(y)) == 3, np.datetime64("NaT", "D"), y.astype("datetime64[D]")),
        None,
        "y must hold class labels, neither missing nor infinite, got NaT in row 3",
    ),
    "short weights": (lambda y: y, lambda y: np.ones(3), r"sample_weight must have the shape \(2000,\).*got \(3,\)"),
}


@pytest.mark.parametrize(("labels", "weights", "message"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data(estimator, binary, labels, weights, message):
    X, y = binary
    with pytest.raises((ValueError, TypeError), match=message):
        make(estimator).fit(X, labels(y), sample_weight=None if weights is None else weights(y))


@pytest.mark.parametrize("params", [{"focal_alpha": "x"}, {"class_weight": "x"}, {"focal_gamma": [1.0] * 3}], ids=str)
@pytest.mark.parametrize("estimator", BOOSTED, **ids)
def test_what_does_not_fit_the_labels_is_refused_before_features_are_looked_at(estimator, binary, params):
    with pytest.raises(ValueError, match=f"{next(iter(params))} must "):
        make(estimator, **params).fit([["no number"]], binary[1])


@pytest.mark.parametrize("estimator", BOOSTED, **ids)
def test_weights_too_large_for_the_engines(estimator, binary):
    X, y = binary
    with pytest.raises(ValueError, match="sample_weight times class_weight must be at most"):
        make(estimator, class_weight={1: 10.0}).fit(X, y, sample_weight=np.full(len(y), 3e38))
    for alpha, weight in (([1.0, 10.0], np.full(len(y), 3e38)), ([1.0, 1e300], None)):
        with pytest.raises(ValueError, match="sample_weight times class_weight times focal_alpha must be at most"):
            make(estimator, focal_alpha=alpha).fit(X, y, sample_weight=weight)


def test_a_column_of_pandas_is_no_table(estimator, binary):
    column, y = pytest.importorskip("pandas").Series(binary[0][:, 0]), binary[1]
    model = make(estimator).fit(column.to_frame(), y)
    for call in (lambda: make(estimator).fit(column, y), lambda: model.predict(column)):
        with pytest.raises(ValueError, match=r"(?i)expected (a )?2-dimensional container|expected 2d array"):
            call()


def test_missing_labels_of_pandas(estimator, binary):
    pd = pytest.importorskip("pandas")
    X, y = binary
    with pytest.raises(ValueError, match="y must hold class labels, neither missing nor infinite, got <NA> in row 0"):
        make(estimator).fit(X, pd.Series([pd.NA, *y[1:]], dtype="Int64").astype(object))


@pytest.mark.parametrize("kind", [int, np.uint8, float, str])
def test_what_may_be_a_regression_is_warned_of(kind):
    """As by scikit-learn, whatever the labels are; not where there are half as many classes as samples."""
    few = np.arange(40) // 2
    codes, classes = encode_labels(few.astype(kind), "Model")
    np.testing.assert_array_equal(classes[codes], few.astype(kind))
    with pytest.warns(UserWarning, match="number of unique classes is greater than 50%"):
        encode_labels(np.arange(41).astype(kind), "Model")


@pytest.mark.parametrize("estimator", BOOSTED, **ids)
def test_an_unknown_hessian_policy(estimator, binary):
    with pytest.raises(ValueError, match=r"focal_hessian must be one of \['stable', 'exact'\], got 'newton'"):
        make(estimator, focal_hessian="newton").fit(*binary)


@pytest.mark.parametrize("estimator", [each for each in BOOSTED if not engine_of(each).any_name], **ids)
def test_names_that_a_constructor_does_not_know(estimator):
    with pytest.raises(TypeError, match="unexpected keyword argument 'focal_gama'"):
        estimator(focal_gama=2.0)
    with pytest.raises(ValueError, match="Invalid parameter 'focal_gama' for estimator"):
        estimator().set_params(focal_gama=2.0)


@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_bad_evaluation_sets(estimator, binary):
    X, y = binary
    with pytest.raises(ValueError, match=r"labels of eval_set\[0\] must be among those of y, \[0, 1\], got \[2\]"):
        make(estimator).fit(X, y, eval_set=[(X, y + 1)])
    with pytest.raises(ValueError, match=r"eval_set\[0\] must hold labels of one type, got int and str"):
        make(estimator).fit(X, y, eval_set=[(X, np.array(["zero", *y[1:].tolist()], dtype=object))])
    with pytest.raises(ValueError, match=r"eval_metric must be a callable or one of \[.*'focal_loss'.*\], got 'rmse'"):
        fit_with_eval(estimator, X, y, [(X, y)], "rmse")
    with pytest.raises(ValueError, match=r"eval.*\[0\] must be >= 0, got -1"):
        fit_with_eval(estimator, X, y, [(X, y)], None, weight=np.full(len(y), -1.0))
    with pytest.raises(ValueError, match=r"3 features, but .* is expecting 8 features"):
        make(estimator).fit(X, y, eval_set=[(X[:, :3], y)])


@pytest.mark.parametrize("estimator", WATCHING, **ids)
@pytest.mark.parametrize(
    ("eval_set", "message"),
    [
        (lambda X, y: [X, y], r"eval_set must be a list of pairs \(X, y\), got a ndarray as entry 0"),
        (lambda X, y: 5, r"eval_set must be a list of pairs \(X, y\), got a int"),
        (lambda X, y: [(X, np.where(y, None, y))], r"eval_set\[0\] must hold class labels.* got None in row"),
        (lambda X, y: [(X, None)], r"eval_set must be a list of pairs \(X, y\), got a tuple as entry 0"),
        (lambda X, y: [(X, y, y)], r"eval_set must be a list of pairs \(X, y\), got a tuple as entry 0"),
    ],
)
def test_what_is_no_list_of_pairs(estimator, binary, eval_set, message):
    with pytest.raises(ValueError, match=message):
        make(estimator).fit(*binary, eval_set=eval_set(*binary))


@pytest.mark.parametrize("estimator", boosted_with("start"), **ids)
@pytest.mark.parametrize(
    ("margins", "message"),
    [
        (lambda n, k: np.zeros(3), r"must have the shape \(2000,.*got \(3,\)"),
        (lambda n, k: np.zeros((n, k + 1)), r"must have the shape \(2000,.*got \(2000, "),
        (lambda n, k: np.full(n if k == 2 else (n, k), np.nan), "must hold finite numbers, got nan"),
        (lambda n, k: ["a"] * n, "must hold finite numbers, got"),
    ],
)
def test_bad_margins_to_start_from(estimator, data, margins, message):
    X, y = data
    name = engine_of(estimator).start
    with pytest.raises((ValueError, TypeError), match=f"{name} {message}"):
        make(estimator).fit(X, y, **{name: margins(len(y), y.max() + 1)})


def test_a_failed_fit_leaves_a_fitted_model_alone(estimator, binary):
    X, y = binary
    model = make(estimator).fit(X, y)
    before = model.predict_proba(X), model.predict(X)
    model.set_params(focal_gamma=0.0)
    names = np.array(["a", "b"])[y]
    for bad_X, weight in ((X[:-1], None), (X[:, :4], np.full(len(y), -1.0))):
        with pytest.raises(ValueError, match=r"inconsistent numbers of samples|sample_weight must be >= 0"):
            model.fit(bad_X, names, sample_weight=weight)
        for old, new in zip(before, (model.predict_proba(X), model.predict(X)), strict=True):
            np.testing.assert_array_equal(old, new)
    unfitted = make(estimator, class_weight={0: -1.0})
    with pytest.raises(ValueError, match="class_weight"):
        unfitted.fit(X, y)
    assert not hasattr(unfitted, "classes_")


@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_a_failed_evaluation_set_leaves_a_fitted_model_alone(estimator, binary):
    X, y = binary
    model = make(estimator).fit(X, y)
    before = model.predict_proba(X), model.predict(X)
    model.set_params(focal_gamma=0.0)
    with pytest.raises(ValueError, match="must be among those of y"):
        model.fit(X[:, :4], np.array(["a", "b"])[y], eval_set=[(X[:, :4], y)])
    for old, new in zip(before, (model.predict_proba(X), model.predict(X)), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_metrics_of_one_name_or_of_another_loss_are_refused(estimator, binary):
    X, y = binary
    other = skfocal.FocalMetric(BinaryFocalLoss(0.5))
    with pytest.raises(ValueError, match=r"metrics of different names, got \['focal_loss'\] more than once"):
        fit_with_eval(estimator, X, y, [(X, y)], [other, "focal_loss"])
    with pytest.raises(ValueError, match="eval_metric must be a FocalMetric of a BinaryFocalLoss, got FocalMetric"):
        fit_with_eval(estimator, X, y, [(X, y)], skfocal.FocalMetric(MulticlassFocalLoss()))


@pytest.mark.parametrize("estimator", boosted_with("start"), **ids)
@pytest.mark.parametrize("margin", [1e300, -1e300, 1e31])
def test_margins_beyond_what_engines_keep(estimator, binary, margin):
    X, y = binary
    name = engine_of(estimator).start
    with pytest.raises(
        ValueError, match=rf"{name} must hold numbers in \[-1e30, 1e30\], got {margin:.0e}".replace("+", r"\+")
    ):
        make(estimator).fit(X, y, **{name: np.where(np.arange(len(y)) == 5, margin, 0.0)})
    far = make(estimator).fit(X, y, **{name: np.where(np.arange(len(y)) == 5, np.copysign(1e30, margin), 0.0)})
    assert np.isfinite(far.predict_proba(X)).all()


def test_several_labels_of_a_sample(binary):
    X, y = binary
    for estimator in BOOSTED:
        with pytest.raises(
            ValueError, match=r"y must be one column of labels, got the shape \(2000, 2\): .* FocalMLPC"
        ):
            make(estimator).fit(X, np.column_stack([y, 1 - y]))


SEVERAL_TYPES = np.array([0, "one"], dtype=object)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("y_true", lambda: metrics.expected_cost(SEVERAL_TYPES, [0.5, 0.5], cost_matrix=np.eye(2))),
        ("y_true", lambda: metrics.recall_at_fpr(SEVERAL_TYPES, [0.5, 0.5], fpr=0.1, pos_label="one")),
        ("groups", lambda: metrics.precision_at_k([0, 1], [0.5, 0.5], k=1, groups=SEVERAL_TYPES)),
        ("classes", lambda: skfocal.FocalMLPClassifier().partial_fit([[0.0], [1.0]], [0, 1], classes=SEVERAL_TYPES)),
    ],
)
def test_labels_of_several_types(name, call):
    with pytest.raises(ValueError, match=f"{name} must hold labels of one type, got int and str"):
        call()
