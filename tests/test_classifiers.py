"""What both boosted classifiers do, whatever the engine."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from sklearn import metrics
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skfocal
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss

from .conftest import make, own, start_argument


def is_lightgbm(estimator):
    return "LGBM" in estimator.__name__


def no_counts(estimator):
    """Return parameters under which only weights decide on trees, never the number of samples in a leaf."""
    return {"min_child_samples": 0, "min_data_in_bin": 1} if is_lightgbm(estimator) else {}


def quiet_fit(estimator):
    return {} if is_lightgbm(estimator) else {"verbose": False}


@pytest.mark.parametrize("weighted", [False, True])
def test_gamma_zero_from_the_same_start_is_the_engines_own_model(estimator, data, weighted):
    X, y = data
    n_classes = y.max() + 1
    rng = np.random.default_rng(0)
    start = rng.normal(size=len(y) if n_classes == 2 else (len(y), n_classes)).astype(np.float32)
    weight = rng.uniform(0.5, 2, size=len(y)) if weighted else None
    fit = {"sample_weight": weight, start_argument(estimator): start}
    focal = make(estimator, focal_gamma=0.0, focal_hessian="exact").fit(X, y, **fit)
    plain = own(estimator).fit(X, y, **fit)
    raw = plain.predict(X, **{"raw_score" if is_lightgbm(estimator) else "output_margin": True})
    if not is_lightgbm(estimator):  # XGBoost keeps an intercept of the data beside the start it is given, we keep 0
        score = plain.intercept_
        raw = raw - (np.log(score / (1 - score)) if n_classes == 2 else score)
    np.testing.assert_allclose(focal.decision_function(X), raw, atol=1e-4)


def test_gamma_zero_starts_like_the_log_loss(estimator, data):
    """The focal intercept at gamma = 0 is the log of the prior, so a model of no trees' worth predicts the prior."""
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    model = make(estimator, focal_gamma=0.0, learning_rate=1e-9).fit(X, y, sample_weight=weight)
    prior = np.bincount(y, weights=weight) / weight.sum()
    np.testing.assert_allclose(model.predict_proba(X), np.tile(prior, (len(y), 1)), rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_intercept_is_in_the_model_and_gives_the_prior(estimator, data, gamma):
    X, y = data
    model = make(estimator, focal_gamma=gamma, learning_rate=1e-9).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X[:3]), np.tile(np.bincount(y) / len(y), (3, 1)), rtol=1e-5)
    loss = BinaryFocalLoss(gamma) if y.max() == 1 else MulticlassFocalLoss(gamma)
    np.testing.assert_allclose(model.decision_function(X[:1])[0], loss.intercept(np.bincount(y)), rtol=1e-5)
    np.testing.assert_allclose(model.focal_intercept_, loss.intercept(np.bincount(y)))


def test_data_without_any_usable_feature_gives_the_prior(estimator, data):
    _, y = data
    X = np.ones((len(y), 2))
    model = make(estimator).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), np.tile(np.bincount(y) / len(y), (len(y), 1)), rtol=1e-5)


PREDICT_WITHOUT_US = """
import sys
import numpy as np
folder = sys.argv[1]
X = np.load(folder + "/X.npy")
if sys.argv[2] == "lightgbm":
    import lightgbm
    booster = lightgbm.Booster(model_file=folder + "/model")
    raw, value = booster.predict(X, raw_score=True), booster.predict(X)
else:
    import xgboost
    booster = xgboost.Booster(model_file=folder + "/model.ubj")
    raw, value = booster.predict(xgboost.DMatrix(X), output_margin=True), booster.predict(xgboost.DMatrix(X))
assert "skfocal" not in sys.modules
np.savez(folder + "/out.npz", raw=raw, value=value)
"""


def test_saved_booster_predicts_the_same_margins_without_skfocal(estimator, data, tmp_path):
    X, y = data
    model = make(estimator).fit(X, y)
    np.save(tmp_path / "X.npy", X)
    if is_lightgbm(estimator):
        model.booster_.save_model(tmp_path / "model")
    else:
        model.get_booster().save_model(tmp_path / "model.ubj")
    engine = "lightgbm" if is_lightgbm(estimator) else "xgboost"
    # Run in the folder of the file, where there is no skfocal to import by accident.
    subprocess.run([sys.executable, "-c", PREDICT_WITHOUT_US, str(tmp_path), engine], check=True, cwd=tmp_path)  # noqa: S603
    with np.load(tmp_path / "out.npz") as out:
        raw, value = out["raw"], out["value"]
    np.testing.assert_array_equal(raw, model.decision_function(X))
    expected = expit(raw) if y.max() == 1 else softmax(raw, axis=1)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


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
    model = make(estimator).fit(X, labels[y], eval_set=[(X, labels[y])], **quiet_fit(estimator))
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
    model = make(estimator, n_estimators=10).fit(X[::2], y[::2])
    raw = model.decision_function(X[1::2])
    naive = np.column_stack([expit(-raw), expit(raw)]) if y.max() == 1 else softmax(raw, axis=1)
    focal = model.predict_proba(X[1::2])
    assert metrics.log_loss(y[1::2], focal) < 0.95 * metrics.log_loss(y[1::2], naive)


@pytest.mark.parametrize("params", [{}, {"class_weight": "balanced"}, {"focal_alpha": "balanced"}], ids=str)
def test_weight_two_is_the_same_row_twice(estimator, data, params):
    X, y = data
    X = np.round(X)  # bins are made of rows, not of weights: few values, so that each has a bin of its own
    weight = np.random.default_rng(0).integers(0, 3, size=len(y))
    weighted = make(estimator, **params, **no_counts(estimator)).fit(X, y, sample_weight=weight)
    repeated = make(estimator, **params, **no_counts(estimator))
    repeated.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(weighted.focal_intercept_, repeated.focal_intercept_, atol=1e-12)
    # Of the rows that were trained on: between their values a threshold may lie anywhere.
    np.testing.assert_allclose(weighted.predict_proba(X[weight > 0]), repeated.predict_proba(X[weight > 0]), rtol=1e-5)


def test_class_weight_is_a_sample_weight(estimator, data):
    X, y = data
    by_class = np.arange(1.0, y.max() + 2)
    by_dict = make(estimator, class_weight=dict(enumerate(by_class))).fit(X, y)
    by_sample = make(estimator).fit(X, y, sample_weight=by_class[y])
    np.testing.assert_array_equal(by_dict.predict_proba(X), by_sample.predict_proba(X))
    both = make(estimator, class_weight=dict(enumerate(by_class))).fit(X, y, sample_weight=by_class[y])
    squared = make(estimator).fit(X, y, sample_weight=by_class[y] ** 2)
    np.testing.assert_array_equal(both.predict_proba(X), squared.predict_proba(X))


def test_labels_that_class_weight_leaves_out_weigh_one(estimator, binary):
    X, y = binary
    one = make(estimator, class_weight={1: 5.0}).fit(X, y)
    both = make(estimator, class_weight={0: 1.0, 1: 5.0}).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), both.predict_proba(X))


def test_alpha_is_a_class_weight(estimator, binary):
    X, y = np.round(binary[0]), binary[1]  # XGBoost makes bins of weights, but not of alpha
    expected = make(estimator, class_weight={0: 0.75, 1: 0.25}).fit(X, y).predict_proba(X)
    for alpha in (0.25, [0.75, 0.25], np.array([0.75, 0.25]), {1: 0.25, 0: 0.75}):
        actual = make(estimator, focal_alpha=alpha).fit(X, y).predict_proba(X)
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)


def test_balanced_alpha_starts_at_equal_classes(estimator, data):
    X, y = data
    model = make(estimator, focal_alpha="balanced", learning_rate=1e-9).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X[:1]), np.full((1, y.max() + 1), 1 / (y.max() + 1)), rtol=1e-5)


def test_gamma_per_class(estimator, multiclass):
    X, y = multiclass
    names = np.array(["a", "b", "c", "d", "e"])
    gammas = [0.0, 1.0, 2.0, 3.0, 0.5]
    listed = make(estimator, focal_gamma=gammas).fit(X, names[y])
    mapped = make(estimator, focal_gamma=dict(zip(names, gammas, strict=True))).fit(X, names[y])
    assert listed.loss_ == mapped.loss_ == MulticlassFocalLoss(gammas)
    np.testing.assert_array_equal(listed.predict_proba(X), mapped.predict_proba(X))
    assert not np.array_equal(listed.predict_proba(X), make(estimator).fit(X, names[y]).predict_proba(X))


def test_missing_values_and_sparse_input(estimator, data):
    X, y = data
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.3, np.nan, X)
    model = make(estimator).fit(holes, y)
    assert np.isfinite(model.predict_proba(holes)).all()
    assert metrics.log_loss(y, model.predict_proba(holes)) < metrics.log_loss(
        y, np.tile(np.bincount(y) / len(y), (len(y), 1))
    )
    counts = np.floor(np.abs(X))
    for kind in (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array):
        # XGBoost takes what a sparse matrix does not hold for missing, so sparse is compared with sparse there.
        reference = counts if is_lightgbm(estimator) else sparse.csr_matrix(counts)
        expected = make(estimator).fit(reference, y).predict_proba(reference)
        np.testing.assert_allclose(
            make(estimator).fit(kind(counts), y).predict_proba(kind(counts)), expected, rtol=1e-6
        )


def test_tables_with_categories(estimator, binary):
    pd = pytest.importorskip("pandas")
    X, _ = binary
    rng = np.random.default_rng(0)
    city = rng.choice(["Bonn", "Oslo", "Rome"], size=len(X))
    y = (city == "Oslo") ^ (rng.random(len(X)) < 0.05)
    frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])]).assign(city=pd.Categorical(city))
    model = make(estimator).fit(frame, y)
    assert model.n_features_in_ == 9
    assert model.feature_names_in_.tolist() == list(frame.columns)
    assert model.feature_importances_.shape == (9,)
    assert model.feature_importances_[8] > 0
    assert metrics.roc_auc_score(y, model.predict_proba(frame)[:, 1]) > 0.9
    # Categories are matched by name at prediction, whatever their order.
    shuffled = frame.assign(city=pd.Categorical(city, categories=["Oslo", "Rome", "Bonn"]))
    np.testing.assert_array_equal(model.predict_proba(shuffled), model.predict_proba(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"city": "town"}))
    model.fit(X, y)  # a second fit forgets the names of the first
    assert not hasattr(model, "feature_names_in_")


METRICS = {
    "log_loss": lambda y, p, w: metrics.log_loss(y, p, sample_weight=w),
    "error": lambda y, p, w: metrics.zero_one_loss(y, p.argmax(axis=1), sample_weight=w),
    "roc_auc": lambda y, p, w: np.mean(
        [metrics.roc_auc_score(y == k, p[:, k], sample_weight=w) for k in ([1] if p.shape[1] == 2 else np.unique(y))]
    ),
    "average_precision": lambda y, p, w: np.mean(
        [
            metrics.average_precision_score(y == k, p[:, k], sample_weight=w)
            for k in ([1] if p.shape[1] == 2 else np.unique(y))
        ]
    ),
}


def fit_with_eval(estimator, X, y, eval_set, names, weight=None, **params):
    """Fit and return the model and the history of its only evaluation set."""
    if is_lightgbm(estimator):
        model = make(estimator, **params)
        model.fit(X, y, eval_set=eval_set, eval_metric=names, eval_sample_weight=None if weight is None else [weight])
    else:
        model = make(estimator, eval_metric=names, **params)
        model.fit(X, y, eval_set=eval_set, verbose=False, sample_weight_eval_set=None if weight is None else [weight])
    (history,) = model.evals_result_.values()
    return model, history


@pytest.mark.parametrize("weighted", [False, True])
def test_evaluation_metrics_are_those_of_the_predictions(estimator, data, weighted):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y[::2])) if weighted else None
    names = ["focal_loss", *METRICS]
    model, history = fit_with_eval(estimator, X[1::2], y[1::2], [(X[::2], y[::2])], names, weight)
    assert list(history) == names
    assert all(len(values) == 20 for values in history.values())
    proba = model.predict_proba(X[::2])
    for name, metric in METRICS.items():
        assert history[name][-1] == pytest.approx(metric(y[::2], proba, weight), rel=1e-5)
    focal = np.average(model.loss_.loss(y[::2], model.decision_function(X[::2])), weights=weight)
    assert history["focal_loss"][-1] == pytest.approx(focal, rel=1e-5)


def test_the_default_metric_is_the_focal_loss_and_the_engines_names_work(estimator, data):
    X, y = data
    _, history = fit_with_eval(estimator, X, y, [(X, y)], None)
    assert list(history) == ["focal_loss"]
    _, ours = fit_with_eval(estimator, X, y, [(X, y)], ["log_loss", "roc_auc"])
    engines = (
        ["multi_logloss" if y.max() > 1 else "binary_logloss", "auc"] if is_lightgbm(estimator) else ["logloss", "auc"]
    )
    _, theirs = fit_with_eval(estimator, X, y, [(X, y)], engines)
    assert list(theirs.values()) == list(ours.values())
    assert list(theirs) == engines


@pytest.mark.parametrize("metric", ["focal_loss", "average_precision"])
def test_early_stopping_goes_in_the_right_direction(estimator, binary, metric):
    X, y = binary
    half = len(y) // 2
    params = {"n_estimators": 200, "learning_rate": 0.5, "early_stopping_rounds": 5}
    model, history = fit_with_eval(estimator, X[:half], y[:half], [(X[half:], y[half:])], [metric], **params)
    scores = np.array(history[metric])
    assert len(scores) < 200
    best = scores.argmax() if metric == "average_precision" else scores.argmin()
    assert (model.best_iteration_ - 1 if is_lightgbm(estimator) else model.best_iteration) == best
    assert len(scores) == best + 1 + 5
    loss = np.mean(model.loss_.loss(y[half:], model.decision_function(X[half:])))
    proba = model.predict_proba(X[half:])[:, 1]
    expected = metrics.average_precision_score(y[half:], proba) if metric == "average_precision" else loss
    assert expected == pytest.approx(scores[best], rel=1e-5)


def test_a_users_metric_is_given_probabilities(estimator, data):
    X, y = data
    seen = {}

    def keep(y_true, y_score):
        seen.update(y=y_true, score=y_score)
        return ("kept", 0.5, True) if is_lightgbm(estimator) else 0.5

    model, history = fit_with_eval(estimator, X, y, [(X, y)], keep)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(seen["score"], proba[:, 1] if y.max() == 1 else proba, rtol=1e-5)
    np.testing.assert_array_equal(seen["y"], y)
    assert history["kept" if is_lightgbm(estimator) else "keep"] == [0.5] * 20


def test_clone_and_pickle(estimator, data):
    X, y = data
    model = make(estimator, focal_gamma=1.5, focal_alpha="balanced", max_bin=63).fit(X, y)
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
    model.fit(X, y, sample_weight=weight, eval_set=[(X, y)], **quiet_fit(estimator))
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
    grid = {"focal_gamma": [0.0, 0.5, 2.0], "focal_hessian": ["stable", "exact"]}
    search = GridSearchCV(make(estimator), grid, scoring="average_precision", n_jobs=2, cv=2, error_score="raise")
    search.fit(X, y)
    assert len(np.unique(search.cv_results_["mean_test_score"])) > 1
    assert search.best_estimator_.loss_.gamma == search.best_params_["focal_gamma"]


def test_smote_pipeline(estimator, binary):
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    from imblearn.pipeline import make_pipeline

    X, y = binary
    pipeline = make_pipeline(over_sampling.SMOTE(random_state=0), make(estimator)).fit(X, y)
    # Trained on equal classes: it starts at margin 0 and finds more positives than there are.
    assert pipeline[-1].focal_intercept_ == pytest.approx(0, abs=1e-12)
    assert pipeline.predict_proba(X)[:, 1].mean() > y.mean()


def test_a_margin_to_start_from_replaces_the_intercept(estimator, data):
    X, y = data
    shape = len(y) if y.max() == 1 else (len(y), y.max() + 1)
    model = make(estimator, learning_rate=1e-9).fit(X, y, **{start_argument(estimator): np.zeros(shape)})
    np.testing.assert_allclose(model.decision_function(X), np.zeros(shape), atol=1e-6)
    assert model.focal_intercept_ is None


def test_zero_weights_and_starting_margins_stay_aligned(estimator, binary):
    X, y = binary
    rng = np.random.default_rng(0)
    start, keep = rng.normal(size=len(y)).astype(np.float32), rng.random(len(y)) < 0.7
    name = start_argument(estimator)
    weighted = make(estimator).fit(X, y, sample_weight=keep.astype(float), **{name: start})
    dropped = make(estimator).fit(X[keep], y[keep], sample_weight=np.ones(keep.sum()), **{name: start[keep]})
    np.testing.assert_array_equal(weighted.decision_function(X), dropped.decision_function(X))


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
    ({"focal_hessian": "newton"}, r"focal_hessian must be one of \['stable', 'exact'\], got 'newton'"),
    ({"objective": "binary:logistic"}, "objective must be None.*got 'binary:logistic'"),
    ({"class_weight": {0: -1.0}}, "class_weight must hold finite weights > 0, got {0: -1.0}"),
    ({"class_weight": {7: 1.0}}, r"class_weight must have a key for each of the classes \[0, 1\], got the keys \[7\]"),
    ({"class_weight": "even"}, "class_weight must be None, 'balanced' or a dict from labels to weights, got 'even'"),
    ({"scale_pos_weight": 5}, "scale_pos_weight must be .*got 5: use class_weight="),
    ({"num_class": 2}, "num_class must be left out with the focal loss, got 2: it is read from y"),
    ({"focal_gama": 2.0}, "focal_gama=2.0 is not a parameter of .*did you mean focal_gamma"),
    ({"hessian": "exact"}, "hessian='exact' is not a parameter of .*did you mean focal_hessian"),
]


@pytest.mark.parametrize(("params", "message"), BAD_PARAMETERS, ids=[str(params) for params, _ in BAD_PARAMETERS])
def test_bad_parameters(estimator, binary, params, message):
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
    "no labels": (lambda y: None, None, "requires y to be passed, but the target y is None"),
    "continuous": (lambda y: y + np.linspace(0, 0.5, len(y)), None, "Unknown label type"),
    "negative weight": (lambda y: y, lambda y: y - 0.5, "sample_weight must be >= 0, got -0.5 in row"),
    "zero weights": (lambda y: y, lambda y: np.zeros(len(y)), "sample_weight must have at least one non-zero weight"),
    "zero weights of a class": (lambda y: y, lambda y: 1.0 * y, r"sample_weight must be > 0 for .* class \[0\]"),
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
    "huge product": (lambda y: y, lambda y: np.full(len(y), 3e38), "sample_weight times class_weight must be at most"),
    "not a time": (
        lambda y: np.where(np.arange(len(y)) == 3, np.datetime64("NaT"), np.datetime64("2020-01-01") + y),
        None,
        "y must hold class labels, neither missing nor infinite, got NaT in row 3",
    ),
    "short weights": (lambda y: y, lambda y: np.ones(3), r"sample_weight must have the shape \(2000,\).*got \(3,\)"),
}


@pytest.mark.parametrize(("labels", "weights", "message"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data(estimator, binary, labels, weights, message):
    X, y = binary
    class_weight = {1: 10.0} if "times" in message else None
    with pytest.raises((ValueError, TypeError), match=message):
        make(estimator, class_weight=class_weight).fit(
            X, labels(y), sample_weight=None if weights is None else weights(y)
        )


def test_missing_labels_of_pandas(estimator, binary):
    pd = pytest.importorskip("pandas")
    X, y = binary
    with pytest.raises(ValueError, match="y must hold class labels, neither missing nor infinite, got <NA> in row 0"):
        make(estimator).fit(X, pd.Series([pd.NA, *y[1:]], dtype="Int64").astype(object))


def test_bad_evaluation_sets(estimator, binary):
    X, y = binary
    with pytest.raises(ValueError, match=r"labels of eval_set\[0\] must be among those of y, \[0, 1\], got \[2\]"):
        make(estimator).fit(X, y, eval_set=[(X, y + 1)])
    with pytest.raises(ValueError, match=r"eval_metric must be a callable or one of \[.*'focal_loss'.*\], got 'rmse'"):
        fit_with_eval(estimator, X, y, [(X, y)], "rmse")
    with pytest.raises(ValueError, match=r"eval.*\[0\] must be >= 0, got -1"):
        fit_with_eval(estimator, X, y, [(X, y)], None, weight=np.full(len(y), -1.0))
    with pytest.raises(ValueError, match=r"3 features, but .* is expecting 8 features"):
        make(estimator).fit(X, y, eval_set=[(X[:, :3], y)])


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


def test_pairs_in_a_tuple(estimator, binary):
    X, y = binary
    model = make(estimator).fit(X, y, eval_set=((X[:500], y[:500]), (X[500:], y[500:])), **quiet_fit(estimator))
    assert len(model.evals_result_) == 2


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
    name = start_argument(estimator)
    with pytest.raises((ValueError, TypeError), match=f"{name} {message}"):
        make(estimator).fit(X, y, **{name: margins(len(y), y.max() + 1)})


def test_flat_margins_are_read_as_the_engine_reads_them(estimator, multiclass):
    X, y = multiclass
    margins = np.random.default_rng(0).normal(size=(len(y), 5)).astype(np.float32)
    flat = margins.ravel(order="F" if is_lightgbm(estimator) else "C")
    name = start_argument(estimator)
    square, flattened = (make(estimator).fit(X, y, **{name: start}).decision_function(X) for start in (margins, flat))
    np.testing.assert_array_equal(square, flattened)


def test_evaluation_sets_may_start_elsewhere(estimator, binary):
    """A start that is only the evaluation set's own moves its first score, and no tree."""
    X, y = binary
    name = "eval_init_score" if is_lightgbm(estimator) else "base_margin_eval_set"
    fit = {"eval_set": [(X[:500], y[:500])], **quiet_fit(estimator)}
    near = make(estimator).fit(X, y, **fit)
    far = make(estimator).fit(X, y, **fit, **{name: [np.full(500, 9.0)]})
    np.testing.assert_array_equal(near.decision_function(X), far.decision_function(X))
    (near_scores,), (far_scores,) = near.evals_result_.values(), far.evals_result_.values()
    assert far_scores["focal_loss"][0] > 5 * near_scores["focal_loss"][0]


def test_a_failed_fit_leaves_a_fitted_model_alone(estimator, binary):
    X, y = binary
    model = make(estimator).fit(X, y)
    before = model.predict_proba(X), model.predict(X)
    model.set_params(focal_gamma=0.0)
    with pytest.raises(ValueError, match="must be among those of y"):
        model.fit(X[:, :4], np.array(["a", "b"])[y], eval_set=[(X[:, :4], y)])
    for old, new in zip(before, (model.predict_proba(X), model.predict(X)), strict=True):
        np.testing.assert_array_equal(old, new)
    unfitted = make(estimator, class_weight={0: -1.0})
    with pytest.raises(ValueError, match="class_weight"):
        unfitted.fit(X, y)
    assert not hasattr(unfitted, "classes_")


def test_our_own_metric_object_is_a_metric_too(estimator, binary):
    X, y = binary
    other = skfocal.FocalMetric(BinaryFocalLoss(0.5))
    model, history = fit_with_eval(estimator, X, y, [(X, y)], [other, "auc", "auc"])
    assert list(history) == ["focal_loss", "auc"]
    assert len(history["auc"]) == 20
    assert history["focal_loss"][-1] == pytest.approx(other.mean(y, model.decision_function(X)), rel=1e-5)


def test_metrics_of_one_name_or_of_another_loss_are_refused(estimator, binary):
    X, y = binary
    other = skfocal.FocalMetric(BinaryFocalLoss(0.5))
    with pytest.raises(ValueError, match=r"metrics of different names, got \['focal_loss'\] more than once"):
        fit_with_eval(estimator, X, y, [(X, y)], [other, "focal_loss"])
    with pytest.raises(ValueError, match="eval_metric must be a FocalMetric of a BinaryFocalLoss, got FocalMetric"):
        fit_with_eval(estimator, X, y, [(X, y)], skfocal.FocalMetric(MulticlassFocalLoss()))


def test_a_subclass_may_have_parameters_of_its_own(estimator, binary):
    class Subclass(estimator):
        def __init__(self, *, extra=1, **params):
            super().__init__(**params)
            self.extra = extra

    X, y = binary
    model = make(Subclass, extra=2, max_bin=15).fit(X, y)
    assert clone(model).extra == 2
    np.testing.assert_array_equal(model.predict_proba(X), make(estimator, max_bin=15).fit(X, y).predict_proba(X))


def test_training_data_among_the_evaluation_sets_with_a_start_of_its_own(estimator, binary):
    X, y = binary
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    name = "eval_init_score" if is_lightgbm(estimator) else "base_margin_eval_set"
    fit = {"sample_weight": weight, **quiet_fit(estimator), name: [np.full(len(y), 5.0)]}
    (same,) = make(estimator).fit(X, y, eval_set=[(X, y)], **fit).evals_result_.values()
    (copied,) = make(estimator).fit(X, y, eval_set=[(X.copy(), y)], **fit).evals_result_.values()
    assert same == copied


def test_no_metric_is_the_default_metric(estimator, binary):
    X, y = binary
    _, history = fit_with_eval(estimator, X, y, [(X, y)], [])
    assert list(history) == ["focal_loss"]


@pytest.mark.parametrize("metric", ["focal_loss", "roc_auc"])
def test_saved_booster_after_early_stopping(estimator, binary, metric, tmp_path):
    X, y = binary
    params = {"n_estimators": 200, "learning_rate": 0.5, "early_stopping_rounds": 5}
    model, history = fit_with_eval(estimator, X[:1000], y[:1000], [(X[1000:], y[1000:])], [metric], **params)
    assert len(history[metric]) < 200
    if is_lightgbm(estimator):
        model.booster_.save_model(tmp_path / "model")
        raw = own_module(estimator).Booster(model_file=tmp_path / "model").predict(X, raw_score=True)
    else:
        model.get_booster().save_model(tmp_path / "model.ubj")
        xgboost = own_module(estimator)
        raw = xgboost.Booster(model_file=tmp_path / "model.ubj").predict(xgboost.DMatrix(X), output_margin=True)
    np.testing.assert_array_equal(raw, model.decision_function(X))


def own_module(estimator):
    return pytest.importorskip("lightgbm" if is_lightgbm(estimator) else "xgboost")


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
    assert not tags.classifier_tags.multi_label
    assert estimator.__name__ in skfocal.__all__
