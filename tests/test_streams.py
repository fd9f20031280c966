"""Data in batches, and what the engines hold already: the models are those of the same rows in arrays."""

import pickle
import tempfile

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost

from skfocal import BinaryFocalLoss, FocalLGBMClassifier, FocalMetric, FocalXGBClassifier

from .streams import (
    CODES,
    FEATURES,
    NAMES,
    Batches,
    data,
    features_of,
    make,
    of_binary_file,
    of_binned_matrix,
    of_parquet,
    quietly,
    split,
    streams,
    with_parquet,
    write,
)

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@streams
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_model_is_that_of_arrays(kind, stream, n_classes, weighted, tmp_path):
    X, y = data(n_classes)
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float) if weighted else None
    params = {
        "focal_gamma": 1.5,
        "focal_alpha": "balanced",
        "class_weight": {0: 0.5, 1: 2.0},
        "prior": np.arange(n_classes) + 1,
    }
    local = make(kind, **params).fit(X, y, sample_weight=weight)
    model = make(kind, **params).fit(stream(X, y, weight, tmp_path))
    assert model.classes_.tolist() == list(range(n_classes))
    assert model.n_features_in_ == 8
    np.testing.assert_allclose(model.focal_intercept_, local.focal_intercept_, rtol=1e-12)
    np.testing.assert_allclose(model.prior_correction_, local.prior_correction_, rtol=1e-12)
    np.testing.assert_allclose(model.focal_loss_.class_weights, local.focal_loss_.class_weights, rtol=1e-12)
    X_named = features_of(model, X)
    np.testing.assert_allclose(model.decision_function(X_named), local.decision_function(X), atol=1e-4)
    np.testing.assert_allclose(model.predict_proba(X_named), local.predict_proba(X), atol=1e-4)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X_named), model.predict_proba(X_named))
    model.save_model(tmp_path / "model.json")
    again = kind().load_model(tmp_path / "model.json")
    np.testing.assert_array_equal(again.predict_proba(X_named), model.predict_proba(X_named))


@streams
def test_evaluation_and_early_stopping_are_those_of_arrays(kind, stream, tmp_path):
    X, y = data()
    (tmp_path / "training").mkdir()
    (tmp_path / "validation").mkdir()
    training, validation = (X[:2000], y[:2000]), (X[2000:], y[2000:])
    params = {
        "n_estimators": 200, "learning_rate": 0.5, "early_stopping_rounds": 3, "class_weight": {1: 3.0},
        "eval_metric": ["average_precision", "log_loss", "focal_loss"],
    }  # fmt: skip
    local = make(kind, **params).fit(*training, eval_set=[validation], **quietly(kind))
    assert local.best_iteration_ < 200
    named = pd.DataFrame(validation[0], columns=[f"x{j}" for j in range(8)]) if stream is of_parquet else validation[0]
    eval_sets = [[(named, validation[1])]]
    if stream not in (of_binned_matrix, of_binary_file):  # whose bins would be others
        eval_sets.append([stream(*validation, None, tmp_path / "validation")])
    for eval_set in eval_sets:
        model = make(kind, **params).fit(
            stream(*training, None, tmp_path / "training"), eval_set=eval_set, **quietly(kind)
        )
        assert model.best_iteration_ == local.best_iteration_
        ((_, own),), ((_, expected),) = model.evals_result_.items(), local.evals_result_.items()
        for metric, scores in expected.items():
            np.testing.assert_allclose(own[metric], scores, rtol=1e-5)
        (own,), (expected,) = model.best_score_.values(), local.best_score_.values()
        assert own == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(
            model.decision_function(features_of(model, X)), local.decision_function(X), atol=1e-4
        )


@pytest.mark.parametrize("weighted", [False, True])
@streams
def test_the_training_data_may_be_evaluated(kind, stream, weighted, tmp_path):
    X, y = data()
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float) if weighted else None
    given = stream(X, y, weight, tmp_path)
    model = make(kind).fit(given, eval_set=[given], **quietly(kind))
    ((_, scores),) = model.evals_result_.items()
    losses = model.focal_loss_.loss(y, model.decision_function(features_of(model, X)))
    assert scores["focal_loss"][-1] == pytest.approx(np.average(losses, weights=weight), rel=1e-4)


@pytest.mark.parametrize("kind", [FocalXGBClassifier, FocalLGBMClassifier])
@pytest.mark.parametrize("labels", [NAMES[:2], np.array([-1, 10**9]), np.array([False, True]), np.array([0.0, 5.0])])
def test_labels_of_any_type(kind, labels, tmp_path):
    X, y = data()
    model = make(kind).fit(write(tmp_path, X, labels[y]))
    assert model.classes_.tolist() == labels.tolist()
    np.testing.assert_array_equal(model.predict(features_of(model, X)), make(kind).fit(X, labels[y]).predict(X))


@with_parquet
def test_classes_come_in_any_order(kind, tmp_path):
    X, y = data(3)
    last_first = np.argsort(-y, kind="stable")
    X, y = X[last_first], NAMES[y[last_first]]
    local = make(kind).fit(X, y)
    model = make(kind).fit(write(tmp_path, X, y))
    assert model.classes_.tolist() == local.classes_.tolist()
    np.testing.assert_allclose(model.predict_proba(features_of(model, X)), local.predict_proba(X), atol=1e-5)


def test_labels_that_an_engine_holds_need_not_be_codes():
    X, y = data()
    expected = make(FocalLGBMClassifier).fit(X, y).predict_proba(X)
    given = lightgbm.Dataset(X, label=2 * y - 1)
    model = make(FocalLGBMClassifier).fit(given, eval_set=[given, (X, 2 * y - 1)])
    assert model.classes_.tolist() == [-1, 1]
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert model.evals_result_["training"] == model.evals_result_["valid_1"]
    expected = make(FocalXGBClassifier).fit(X, y).predict_proba(X)
    given = xgboost.QuantileDMatrix(X, label=2 * y - 1)
    model = make(FocalXGBClassifier).fit(given, eval_set=[given, (X, 2 * y - 1)], verbose=False)
    assert model.classes_.tolist() == [-1, 1]
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert model.evals_result_["validation_0"] == model.evals_result_["validation_1"]


def test_what_is_given_stays_as_it_is():
    X, y = data()
    weight = np.random.default_rng(0).random(len(y)).astype(np.float32)
    before = X.copy()
    matrix = xgboost.DMatrix(X, label=3 * y, weight=weight)
    make(FocalXGBClassifier, class_weight={3: 5.0}).fit(matrix)
    np.testing.assert_array_equal(matrix.get_label(), 3 * y)
    np.testing.assert_array_equal(matrix.get_weight(), weight)
    dataset = lightgbm.Dataset(X, label=3 * y, weight=weight)
    make(FocalLGBMClassifier, class_weight={3: 5.0}).fit(dataset)
    np.testing.assert_array_equal(dataset.get_label(), 3 * y)
    np.testing.assert_array_equal(dataset.get_weight(), weight)
    assert dataset.get_init_score() is None
    batches = split(data=X, label=NAMES[y])
    make(FocalXGBClassifier).fit(Batches(batches))
    np.testing.assert_array_equal(np.concatenate([batch["label"] for batch in batches]), NAMES[y])
    np.testing.assert_array_equal(X, before)


@streams
def test_classes_that_are_announced(kind, stream, tmp_path):
    X, y = data()
    given = stream(X, y, None, tmp_path)
    model = make(kind).fit(given, classes=[0, 1, 2])
    posterior = model.predict_proba(features_of(model, X))
    assert posterior.shape == (len(y), 3)
    assert 0 < posterior[:, 2].max() < 0.05  # counted as half a sample
    with pytest.raises(ValueError, match=r"y of X must hold labels among \[0, 5\], got \[1"):
        make(kind).fit(given, classes=[5, 0])
    with pytest.raises(ValueError, match=r"classes must hold at least two labels, each once, got \[0, 1, 1\]"):
        make(kind).fit(given, classes=[0, 1, 1])


def test_external_memory_leaves_no_files(tmp_path, monkeypatch):
    X, y = data()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    class Look(xgboost.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            seen.append([path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()])
            return False

    model = make(FocalXGBClassifier, callbacks=[Look()])
    model.fit(Batches(split(data=X, label=y)), eval_set=[(X, y)], external_memory=True, verbose=False)
    assert sum(seen[-1]) > 0
    assert not list(tmp_path.iterdir())
    np.testing.assert_allclose(
        model.decision_function(X), make(FocalXGBClassifier).fit(X, y).decision_function(X), atol=1e-4
    )
    assert model.evals_result_["validation_0"]["focal_loss"][-1] == pytest.approx(
        model.focal_loss_.loss(y, model.decision_function(X)).mean(), rel=1e-4
    )


def test_dart_keeps_its_best_round():
    X, y = data()
    params = {"booster": "dart", "rate_drop": 0.3, "early_stopping_rounds": 5, "n_estimators": 60, "learning_rate": 0.7}
    sets = {"eval_set": [(X[2000:], y[2000:])], "verbose": False}
    model, local = make(FocalXGBClassifier, **params), make(FocalXGBClassifier, **params)
    model.fit(Batches(split(data=X[:2000], label=y[:2000])), **sets)
    local.fit(X[:2000], y[:2000], **sets)
    assert model.best_iteration_ == local.best_iteration_ < 60
    np.testing.assert_allclose(model.decision_function(X), local.decision_function(X), atol=1e-4)


def test_margins_to_start_from():
    X, y = data()
    margins = np.random.default_rng(0).normal(size=len(y))
    local = make(FocalXGBClassifier).fit(X, y, base_margin=margins)
    for given in (
        Batches(split(data=X, label=y, base_margin=margins)),
        xgboost.DMatrix(X, label=y, base_margin=margins),
    ):
        model = make(FocalXGBClassifier).fit(given)
        assert model.focal_intercept_ is None
        np.testing.assert_allclose(model.decision_function(X), local.decision_function(X), atol=1e-4)
    X, y = data(3)
    with pytest.raises(ValueError, match=r"base_margin of X must have the shape \(3000, 3\), got \(3000,\)"):
        make(FocalXGBClassifier).fit(xgboost.DMatrix(X, label=y, base_margin=margins))


def test_a_model_is_continued_on_a_matrix():
    X, y = data()
    old = make(FocalXGBClassifier).fit(X, y)
    local = make(FocalXGBClassifier).fit(X, y, xgb_model=old)
    model = make(FocalXGBClassifier).fit(xgboost.DMatrix(X, label=y), xgb_model=old)
    np.testing.assert_allclose(model.decision_function(X), local.decision_function(X), atol=1e-4)
    with pytest.raises(ValueError, match="xgb_model must be None with a QuantileDMatrix"):
        make(FocalXGBClassifier).fit(xgboost.QuantileDMatrix(X, label=y), xgb_model=old)


def test_tables_with_categories_in_batches():
    X, y = data()
    table = pd.DataFrame(X[:, :4], columns=list("abcd"))
    table["city"] = pd.Categorical(np.array(["Köln", "Oslo", "Bern"])[(y + (X[:, 4] > 1)) % 3])
    model = make(FocalXGBClassifier).fit(Batches(split(data=table, label=y)))
    assert model.feature_names_in_.tolist() == [*"abcd", "city"]
    local = make(FocalXGBClassifier).fit(table, y)
    np.testing.assert_allclose(model.decision_function(table), local.decision_function(table), atol=1e-4)
    batches = split(data=table, label=y)
    reordered = batches[2]["data"]["city"].cat.reorder_categories(["Oslo", "Köln", "Bern"])
    batches[2]["data"] = batches[2]["data"].assign(city=reordered)
    with pytest.raises(ValueError, match="X must have the type of the first batch in 'city' in each"):
        make(FocalXGBClassifier).fit(Batches(batches))


@pytest.mark.parametrize("library", ["Arrow", "polars"])
def test_tables_of_other_libraries_in_batches(library):
    X, y = data()
    table = pd.DataFrame(X[:, :4], columns=list("abcd"))
    batches = split(data=table, label=y)
    as_table = pa.Table.from_pandas if library == "Arrow" else pytest.importorskip("polars").from_pandas
    others = [batch | {"data": as_table(batch["data"])} for batch in batches]
    model, expected = (make(FocalXGBClassifier).fit(Batches(each)) for each in (others, batches))
    assert model.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(model.decision_function(table), expected.decision_function(table))
    others[2]["data"] = (
        others[2]["data"].rename_columns(list("abce")) if library == "Arrow" else others[2]["data"].rename({"d": "e"})
    )
    with pytest.raises(ValueError, match=r"columns of the first batch in each, \['a', 'b', 'c', 'd'\], got .*'e'"):
        make(FocalXGBClassifier).fit(Batches(others))


@streams
def test_metrics_of_the_users_own(kind, stream, tmp_path):
    X, y = data()
    given = stream(X, y, None, tmp_path)
    model = make(kind, eval_metric=FocalMetric(BinaryFocalLoss(0.5))).fit(given, eval_set=[given], **quietly(kind))
    (history,) = model.evals_result_.values()
    expected = BinaryFocalLoss(0.5).loss(y, model.decision_function(features_of(model, X)).astype(float)).mean()
    assert history["focal_loss"][-1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", [np.random.RandomState, np.random.default_rng])
def test_a_dataset_and_a_random_state(kind):
    """It draws one number, for bins and trees: as another of the same state does, and the same one not again."""
    X, y = data()
    bagging = {"subsample": 0.5, "subsample_freq": 1}
    state, same = kind(0), kind(0)
    first, second, other = (
        make(FocalLGBMClassifier, random_state=each, **bagging).fit(lightgbm.Dataset(X, label=y)).predict_proba(X)
        for each in (state, same, state)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_sparse_batches():
    sparse = pytest.importorskip("scipy.sparse")
    X, y = data()
    X = sparse.csr_matrix(np.where(np.abs(np.nan_to_num(X)) < 1, 0, np.nan_to_num(X)))
    batches = split(label=y, data=X)
    model = make(FocalXGBClassifier).fit(Batches(batches))
    assert model._trained_on_sparse
    local = make(FocalXGBClassifier).fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), local.decision_function(X), atol=1e-4)
    batches[1]["data"] = batches[1]["data"].toarray()
    with pytest.raises(ValueError, match="must have the type of the first batch in each, sparse float64, got float64"):
        make(FocalXGBClassifier).fit(Batches(batches))
    assert make(FocalLGBMClassifier).fit(lightgbm.Dataset(X, label=y.astype(float)))._trained_on_sparse


def test_what_a_dataset_was_told():
    with pytest.raises(ValueError, match="X must not be for linear_tree"):
        make(FocalLGBMClassifier).fit(lightgbm.Dataset(FEATURES, label=CODES, params={"linear_tree": True}))
    told = {"max_bin": 7, "bin_construct_sample_cnt": 500, "verbose": -1}
    few_bins = lightgbm.Dataset(FEATURES, label=CODES, params=told)
    model = make(FocalLGBMClassifier).fit(few_bins)
    assert few_bins.get_params()["bin_construct_sample_cnt"] == 500
    local = make(FocalLGBMClassifier, max_bin=7, subsample_for_bin=500).fit(FEATURES, CODES)
    np.testing.assert_array_equal(model.decision_function(FEATURES), local.decision_function(FEATURES))


@pytest.mark.filterwarnings("ignore:Overriding the parameters from Reference Dataset")
def test_refits_of_one_model():
    X, y = data()
    model = make(FocalLGBMClassifier).fit(X, y)
    reference = lightgbm.Dataset(X[:, :5], label=y)
    model.fit(lightgbm.Dataset(X[:, :5], label=y, reference=reference))
    assert model.n_features_in_ == 5
    np.testing.assert_array_equal(
        model.fit(X, y).predict_proba(X), make(FocalLGBMClassifier).fit(X, y).predict_proba(X)
    )
    model = make(FocalXGBClassifier).fit(pd.DataFrame(X, columns=list("abcdefgh")), y)
    model.fit(Batches(split(data=X, label=y)))
    assert not hasattr(model, "feature_names_in_")
    np.testing.assert_array_equal(model.predict_proba(X), make(FocalXGBClassifier).fit(X, y).predict_proba(X))
