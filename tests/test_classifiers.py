"""What all classifiers do, whatever the engine."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from sklearn import metrics
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import GridSearchCV

import skfocal
from skfocal.losses import MulticlassFocalLoss

from .conftest import BOOSTED, boosted_with, make
from .programs import returned_by

LABELS = {
    "strings": ["no", "yes"],
    "booleans": [False, True],
    "signs": [-1, 1],
    "floats": [1.0, 2.0],
    "objects": np.array(["no", "yes"], dtype=object),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_of_any_type(estimator, binary, labels):
    X, y = binary
    labels = np.asarray(labels)
    model = make(estimator).fit(X, labels[y])
    assert model.classes_.tolist() == labels.tolist()
    assert set(model.predict(X).tolist()) == set(labels.tolist())
    np.testing.assert_array_equal(model.predict_proba(X), make(estimator).fit(X, y).predict_proba(X))


def test_labels_of_pandas_types(estimator, binary):
    pd = pytest.importorskip("pandas")
    X, y = binary
    names = pd.Series(np.array(["no", "yes"])[y])
    for labels in (names, names.astype("category"), names.astype(object), pd.Series(y, dtype="Int64")):
        model = make(estimator).fit(X, labels)
        assert set(model.predict(X).tolist()) == set(labels.unique().tolist())


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [("boolean", "b"), ("Int64", "i"), ("UInt8", "u"), ("bool[pyarrow]", "b"), ("int64[pyarrow]", "i")],
)
def test_labels_of_pandas_newer_types_keep_theirs(estimator, binary, dtype, kind):
    """scikit-learn makes floats of them: True would come back as 1.0."""
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    X, y = binary
    labels = pd.Series(y == 1 if kind == "b" else y).astype(dtype)
    for given in (labels, labels.astype("category"), labels.array):
        model = make(estimator).fit(X, given)
        assert (model.classes_.dtype.kind, model.predict(X).dtype.kind) == (kind, kind)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert make(estimator).fit(X, labels.to_frame()).classes_.dtype.kind == kind
    with pytest.raises(ValueError, match=r"y must hold class labels, .*, got (<NA>|nan) in row 3"):
        make(estimator).fit(X, labels.where(np.arange(len(y)) != 3))


@pytest.mark.parametrize("kind", ["words", "booleans", "numbers"])
def test_labels_of_arrow(estimator, binary, kind):
    pa = pytest.importorskip("pyarrow")
    X, y = binary
    labels = {"words": np.array(["no", "yes"])[y], "booleans": y == 1, "numbers": y}[kind]
    expected = make(estimator).fit(X, labels).predict(X)
    for given in (pa.array(labels), pa.chunked_array([labels[:100], labels[100:]])):
        np.testing.assert_array_equal(make(estimator).fit(X, given).predict(X), expected)
    with pytest.raises(ValueError, match="y must hold class labels, neither missing nor infinite"):
        make(estimator).fit(X, pa.array([*labels.tolist()[1:], None]))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_features_of_another_byte_order(estimator, binary, dtype):
    """As files of other machines have them: XGBoost takes their bytes for other numbers."""
    X, y = (10 * binary[0][:500]).astype(dtype), binary[1][:500]
    swapped = X.astype(X.dtype.newbyteorder())
    check_order_is_nothing(estimator, X, y, swapped)


class ArrayLike:
    """Features that only NumPy can make an array of, as those of some libraries."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


def check_order_is_nothing(estimator, X, y, swapped):
    expected = make(estimator).fit(X, y).predict_proba(X)
    for trained, seen in ((swapped, X), (X, swapped)):
        posterior = make(estimator).fit(trained, y).predict_proba(seen)
        np.testing.assert_allclose(posterior, expected, rtol=1e-5, atol=1e-6)


def test_array_likes_of_another_byte_order(estimator, binary):
    X, y = 10 * binary[0][:500], binary[1][:500]
    check_order_is_nothing(estimator, X, y, ArrayLike(X.astype(">f4")))


@pytest.mark.parametrize("estimator", boosted_with("sparse"))
def test_sparse_features_of_another_byte_order(estimator, binary):
    X, y = sparse.csr_matrix(np.maximum(10 * binary[0][:500], 0)), binary[1][:500]
    swapped = sparse.csr_matrix((X.data.astype(">f4"), X.indices, X.indptr), shape=X.shape)
    assert not swapped.dtype.isnative
    check_order_is_nothing(estimator, X, y, swapped)


def fit_on_views(name):
    """Fit and predict on sparse entries that are views, from the last to the first."""
    X = sparse.random(300, 5, 0.5, format="csr", dtype=np.float32, random_state=0)
    y = np.arange(300) % 2
    views = sparse.csr_matrix((X.data[::-1], X.indices[::-1], X.nnz - X.indptr[::-1]), shape=X.shape)
    assert not views.data.flags.c_contiguous
    own, copied = (make(getattr(skfocal, name)).fit(each, y) for each in (views, views.copy()))
    np.testing.assert_array_equal(own.predict_proba(views), copied.predict_proba(views.copy()))
    return True


@pytest.mark.parametrize("estimator", boosted_with("sparse"))
def test_sparse_entries_that_are_views(estimator):
    """XGBoost reads what lies beside them: the process dies, with its own class too."""
    assert returned_by(fit_on_views, estimator.__name__)


def test_decision_prediction_and_probability_agree(estimator, data):
    X, y = data
    model = make(estimator).fit(X, y)
    raw, proba, predicted = model.decision_function(X), model.predict_proba(X), model.predict(X)
    assert proba.dtype == np.float64
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(predicted, proba.argmax(axis=1))
    np.testing.assert_array_equal(predicted, raw > 0 if y.max() == 1 else raw.argmax(axis=1))


def test_probabilities_go_through_the_link(estimator, data):
    """The log loss is far better than that of the margins' sigmoid or softmax."""
    X, y = data
    few_trees = {"n_estimators": 10} if estimator in BOOSTED else {}  # many are too sure of themselves
    model = make(estimator, focal_gamma=2.0, **few_trees).fit(X[::2], y[::2])
    raw = model.decision_function(X[1::2])
    naive = np.column_stack([expit(-raw), expit(raw)]) if y.max() == 1 else softmax(raw, axis=1)
    focal = model.predict_proba(X[1::2])
    assert metrics.log_loss(y[1::2], focal) < 0.95 * metrics.log_loss(y[1::2], naive)


def test_labels_that_class_weight_leaves_out_weigh_one(estimator, binary):
    X, y = binary
    one = make(estimator, class_weight={1: 5.0}).fit(X, y)
    both = make(estimator, class_weight={0: 1.0, 1: 5.0}).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), both.predict_proba(X))


def test_one_weight_is_that_of_every_sample(estimator, binary):
    X, y = binary
    one, each = (make(estimator).fit(X, y, sample_weight=weight) for weight in (3.0, np.full(len(y), 3.0)))
    np.testing.assert_array_equal(one.predict_proba(X), each.predict_proba(X))


def test_alpha_is_a_class_weight(estimator, binary):
    X, y = np.round(binary[0]), binary[1]  # XGBoost makes bins of weights, but not of alpha
    expected = make(estimator, class_weight={0: 0.75, 1: 0.25}).fit(X, y).predict_proba(X)
    for alpha in (0.25, [0.75, 0.25], np.array([0.75, 0.25]), {1: 0.25, 0: 0.75}):
        actual = make(estimator, focal_alpha=alpha).fit(X, y).predict_proba(X)
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)


def test_balanced_alpha_balances_what_other_weights_leave(estimator, data):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    model = make(estimator, focal_alpha="balanced", class_weight={0: 1.0, 1: 9.0}).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.focal_intercept_, 0, atol=1e-12)


def test_gamma_per_class(estimator, multiclass):
    X, y = multiclass
    names = np.array(["a", "b", "c", "d", "e"])
    gammas = [0.0, 1.0, 2.0, 3.0, 0.5]
    listed = make(estimator, focal_gamma=gammas).fit(X, names[y])
    mapped = make(estimator, focal_gamma=dict(zip(names, gammas, strict=True))).fit(X, names[y])
    assert listed.focal_loss_ == mapped.focal_loss_ == MulticlassFocalLoss(gammas)
    np.testing.assert_array_equal(listed.predict_proba(X), mapped.predict_proba(X))
    assert not np.array_equal(listed.predict_proba(X), make(estimator).fit(X, names[y]).predict_proba(X))


def test_mixed_with_the_log_loss(estimator, data):
    """All of the log loss is gamma = 0; a share of it is neither that nor the focal loss."""
    X, y = data
    focal, mixed, log_loss = (make(estimator, focal_gamma=3.0, focal_mix=mix).fit(X, y) for mix in (0.0, 0.2, 1.0))
    assert mixed.focal_loss_.focal_mix == 0.2
    expected = make(estimator, focal_gamma=0.0).fit(X, y)
    np.testing.assert_allclose(log_loss.predict_proba(X), expected.predict_proba(X), rtol=1e-3, atol=1e-5)
    for other in (focal, log_loss):
        assert np.abs(mixed.predict_proba(X) - other.predict_proba(X)).max() > 1e-3


def test_a_mix_keeps_the_margins_growing(estimator, binary):
    """The focal loss lets go of what is classified well; with a share of the log loss the margins go on."""
    X, y = binary
    margins = [make(estimator, focal_mix=mix).fit(X, y).decision_function(X) for mix in (0.0, 0.3)]
    assert np.abs(margins[1]).mean() > 1.2 * np.abs(margins[0]).mean()


def test_clone_and_pickle(estimator, data):
    X, y = data
    model = make(estimator, focal_gamma=1.5, focal_alpha="balanced").fit(X, y)
    assert repr(clone(model).get_params()) == repr(model.get_params())
    assert not hasattr(clone(model), "classes_")
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert repr(loaded.get_params()) == repr(model.get_params())  # XGBoost's missing=nan is no == of itself


def test_fit_changes_no_parameter_and_no_input(estimator, data):
    X, y = data
    weight = np.random.default_rng(0).integers(0, 3, size=len(y)).astype(float)
    copies = X.copy(), y.copy(), weight.copy()
    model = make(estimator, class_weight={0: 2.0}, focal_gamma=[1.0] * (y.max() + 1))
    before = pickle.dumps(model.get_params())
    model.fit(X, y, sample_weight=weight)
    assert pickle.dumps(model.get_params()) == before
    for original, copy in zip((X, y, weight), copies, strict=True):
        np.testing.assert_array_equal(original, copy)


def test_a_second_fit_forgets_the_first(estimator, binary, multiclass):
    X, y = binary
    model = make(estimator).fit(*multiclass).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), make(estimator).fit(X, y).predict_proba(X))
    model.set_params(class_weight="balanced", focal_gamma=0.0).fit(X, y)
    fresh = make(estimator, class_weight="balanced", focal_gamma=0.0).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), fresh.predict_proba(X))


def test_grid_search_over_gamma_in_two_processes(estimator, binary):
    X, y = binary
    grid = {"focal_gamma": [0.0, 0.5, 2.0], "focal_alpha": [None, "balanced"]}
    search = GridSearchCV(make(estimator), grid, scoring="average_precision", n_jobs=2, cv=2, error_score="raise")
    search.fit(X, y)
    assert len(np.unique(search.cv_results_["mean_test_score"])) > 1
    assert search.best_estimator_.focal_loss_.gamma == search.best_params_["focal_gamma"]


def test_smote_pipeline(estimator, binary):
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    from imblearn.pipeline import make_pipeline

    X, y = binary
    pipeline = make_pipeline(over_sampling.SMOTE(random_state=0), make(estimator)).fit(X, y)
    # Trained on equal classes: it starts at margin 0 and finds more positives than there are.
    assert pipeline[-1].focal_intercept_ == pytest.approx(0, abs=1e-12)
    assert pipeline.predict_proba(X)[:, 1].mean() > y.mean()


def test_gamma_per_class_decides_by_probability(estimator, binary):
    """With several gammas the link is not 1/2 at margin 0: labels follow the probabilities."""
    X, y = binary
    model = make(estimator, focal_gamma=[0.0, 4.0]).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X).argmax(axis=1))
    assert (model.predict(X) != (model.decision_function(X) > 0)).any()


def test_scikit_learn_sees_a_classifier_of_several_classes(estimator):
    tags = estimator().__sklearn_tags__()
    assert tags.estimator_type == "classifier"
    assert tags.classifier_tags.multi_class
    assert tags.classifier_tags.multi_label == (estimator not in BOOSTED)


def test_a_class_that_weighs_nothing_counts_as_half_a_sample(estimator, data):
    X, y = data
    weight = np.where(y == y.max(), 0.0, 3.0)
    model = make(estimator).fit(X, y, sample_weight=weight)
    totals = np.bincount(y, weights=weight)
    totals[-1] = 1.5  # half of a sample like the others
    np.testing.assert_allclose(model.focal_intercept_, model.focal_loss_.intercept(totals), rtol=1e-6)
    posterior = model.predict_proba(X)
    assert posterior.shape == (len(y), y.max() + 1)
    assert 0 < posterior[:, -1].mean() < 0.01


def test_bagging_may_leave_out_rare_classes(estimator, data):
    X, y = data
    rare = np.flatnonzero(y == y.max())
    kept = np.setdiff1d(np.arange(len(y)), rare[3:])
    few = BaggingClassifier(make(estimator), n_estimators=5, max_samples=0.1, random_state=0).fit(X[kept], y[kept])
    assert all(member.classes_.tolist() == np.unique(y).tolist() for member in few.estimators_)
    posterior = few.predict_proba(X)
    np.testing.assert_allclose(posterior.sum(axis=1), 1)
    assert 0 < posterior[:, -1].mean() < 0.1
