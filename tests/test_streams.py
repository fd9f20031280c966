"""Data in batches, and what the engines hold already: the models are those of the same rows in arrays."""

import pickle
import tempfile
from itertools import count, islice, pairwise

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning

from skfocal import FocalHistGradientBoostingClassifier, FocalLGBMClassifier, FocalXGBClassifier
from skfocal.batches import ParquetBatches, predict_in_batches

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

QUICK = {"n_estimators": 15, "random_state": 0}
NAMES = np.array(["fair", "fraud", "strange"])


class Batches(xgboost.DataIter):
    """An iterator over batches, each a dict of what `input_data` takes."""

    def __init__(self, batches, **params):
        super().__init__(**params)
        self.batches = batches
        self.left = iter(())

    def reset(self):
        self.left = iter(self.batches)

    def next(self, input_data):
        batch = next(self.left, None)
        if batch is not None:
            input_data(**batch)
        return batch is not None


class Rows(lightgbm.Sequence):
    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        return self.X[rows]


def data(n_classes=2, n_samples=3000):
    """Return features with few values, of which any engine makes the same bins, and codes."""
    weights = [0.85] + [0.15 / (n_classes - 1)] * (n_classes - 1)
    X, y = make_classification(
        n_samples, 8, n_informative=6, n_classes=n_classes, weights=weights, random_state=0, class_sep=0.7
    )
    X = X.round(1)
    X[::7, 2] = np.nan
    return X, y


def split(n_parts=4, **arrays):
    """Return batches of unequal sizes, of which the first lacks nothing but rows in between."""
    bounds = np.linspace(0, 1, n_parts + 1) ** 1.5
    n_rows = len(next(iter(arrays.values())))
    bounds = (bounds * n_rows).astype(int)
    return [{name: array[start:stop] for name, array in arrays.items()} for start, stop in pairwise(bounds)]


def write(folder, X, y, weight=None, n_files=3):
    """Write parquet files with small row groups, the last of them without rows."""
    columns = {f"x{j}": X[:, j] for j in range(X.shape[1])} | {"label": y}
    table = pd.DataFrame(columns if weight is None else columns | {"weight": weight})
    for i, rows in enumerate(np.array_split(np.arange(len(table)), n_files)):
        table.iloc[rows].to_parquet(folder / f"{i}.parquet", row_group_size=300, index=False)
    table.iloc[:0].to_parquet(folder / "none.parquet", index=False)
    return ParquetBatches(folder, target="label", weight=None if weight is None else "weight")


def of_iterator(X, y, weight, folder):
    return Batches(split(data=X, label=y, **({} if weight is None else {"weight": weight})))


def of_external_memory(X, y, weight, folder):
    batches = split(data=X, label=y, **({} if weight is None else {"weight": weight}))
    return Batches(batches, cache_prefix=str(folder / "cache"))


def of_matrix(X, y, weight, folder):
    return xgboost.DMatrix(X, label=np.unique(y, return_inverse=True)[1], weight=weight)


def of_binned_matrix(X, y, weight, folder):
    return xgboost.QuantileDMatrix(X, label=np.unique(y, return_inverse=True)[1], weight=weight)


def of_parquet(X, y, weight, folder):
    return write(folder, X, y, weight)


def of_dataset(X, y, weight, folder):
    return lightgbm.Dataset(X, label=np.unique(y, return_inverse=True)[1], weight=weight)


def of_sequences(X, y, weight, folder):
    parts = [Rows(part) for part in np.array_split(X, 3)]
    return lightgbm.Dataset(parts, label=np.unique(y, return_inverse=True)[1], weight=weight)


def of_binary_file(X, y, weight, folder):
    path = folder / "data.bin"
    of_dataset(X, y, weight, folder).save_binary(path)
    return lightgbm.Dataset(path)


STREAMS = [
    (FocalXGBClassifier, of_iterator),
    (FocalXGBClassifier, of_external_memory),
    (FocalXGBClassifier, of_matrix),
    (FocalXGBClassifier, of_binned_matrix),
    (FocalXGBClassifier, of_parquet),
    (FocalLGBMClassifier, of_dataset),
    (FocalLGBMClassifier, of_sequences),
    (FocalLGBMClassifier, of_binary_file),
    (FocalLGBMClassifier, of_parquet),
]
streams = pytest.mark.parametrize(
    ("kind", "stream"), STREAMS, ids=[f"{kind.__name__}-{stream.__name__}" for kind, stream in STREAMS]
)
with_parquet = pytest.mark.parametrize("kind", [FocalXGBClassifier, FocalLGBMClassifier])


def make(kind, **params):
    quiet = {"verbose": -1, "force_col_wise": True} if kind is FocalLGBMClassifier else {}
    return kind(**QUICK | quiet | params)


def quietly(kind):
    """Return what keeps a fit with evaluation sets from printing."""
    return {"verbose": False} if kind is FocalXGBClassifier else {}


def features_of(model, X):
    """Return features with the names that a model knows."""
    names = getattr(model, "feature_names_in_", None)
    return X if names is None else pd.DataFrame(X, columns=names)


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


@streams
def test_one_class_is_an_error(kind, stream, tmp_path):
    X, y = data()
    with pytest.raises(ValueError, match=r"y of X must hold at least two classes, got 1 class: \[0"):
        make(kind).fit(stream(X, 0 * y, None, tmp_path))


@streams
def test_what_belongs_into_the_data_is_refused(kind, stream, tmp_path):
    X, y = data()
    model, given = make(kind).fit(X, y), stream(X, y, None, tmp_path)
    before = model.predict_proba(X)
    start = "base_margin" if kind is FocalXGBClassifier else "init_score"
    for argument in ({"y": y}, {"sample_weight": np.ones(len(y))}, {start: np.zeros(len(y))}):
        with pytest.raises(ValueError, match=f"{next(iter(argument))} must be left out with a"):
            model.fit(given, **argument)
    with pytest.raises(ValueError, match="early_stopping_rounds needs an eval_set with a"):
        model.set_params(early_stopping_rounds=3).fit(given)
    sampler = pytest.importorskip("imblearn.under_sampling").RandomUnderSampler()
    with pytest.raises(ValueError, match="sampler must be None with a"):
        model.set_params(sampler=sampler).fit(given)
    np.testing.assert_array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize("kind", [FocalXGBClassifier, FocalLGBMClassifier])
def test_what_is_for_batches_is_refused_with_arrays(kind):
    X, y = data()
    with pytest.raises(ValueError, match="classes must be left out where y has the labels"):
        make(kind).fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="requires y to be passed"):
        make(kind).fit(X)


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


class Forgetful(Batches):
    """An iterator that cannot begin anew."""

    def __init__(self, batches):
        super().__init__(batches)
        self.left = iter(batches)

    def reset(self):
        pass


class Shrinking(Batches):
    """An iterator that has a batch less whenever it begins anew."""

    def reset(self):
        super().reset()
        self.batches = self.batches[:-1]


class Silent(Batches):
    """An iterator that says it has handed on a batch, and has not."""

    def next(self, input_data):
        return True


X_BAD, Y_BAD = data()
GOOD = split(data=X_BAD, label=Y_BAD)
SPARE = GOOD[0]
BAD_ITERATORS = {
    "must yield at least one row, got none": Batches([]),
    "must yield at least one row": Batches([{"data": X_BAD[:0], "label": Y_BAD[:0]}]),
    "X has 7 features, but FocalXGBClassifier is expecting 8": Batches(
        [*GOOD, {**SPARE, "data": SPARE["data"][:, 1:]}]
    ),
    "must have the type of the first batch in each, float64, got float32": Batches(
        [*GOOD, {**SPARE, "data": SPARE["data"].astype(np.float32)}]
    ),
    "must have the columns of the first batch in each": Batches(
        [*GOOD, {**SPARE, "data": pd.DataFrame(SPARE["data"])}]
    ),
    "must have labels, got a batch without": Batches([*GOOD, {"data": SPARE["data"]}]),
    "must have a label for each of the": Batches([*GOOD, {**SPARE, "label": SPARE["label"][1:]}]),
    "must hold class labels, neither missing": Batches([*GOOD, {**SPARE, "label": SPARE["label"] * np.nan}]),
    "numbers that are not whole": Batches([*GOOD, {**SPARE, "label": SPARE["label"] + 0.5}]),
    "must hold labels of one type in all batches": Batches([*GOOD, {**SPARE, "label": NAMES[SPARE["label"]]}]),
    "must have weight in all batches or in none": Batches([*GOOD, {**SPARE, "weight": SPARE["label"] + 1.0}]),
    "weight of X must be >= 0": Batches([{**SPARE, "weight": -1.0 - SPARE["label"]}]),
    "weight of X must have at least one non-zero": Batches([{**SPARE, "weight": 0.0 * SPARE["label"]}]),
    "Input X contains infinity": Batches([*GOOD, {**SPARE, "data": SPARE["data"] + np.inf}]),
    "may have .* got .'qid'.": Batches([{**SPARE, "qid": SPARE["label"]}]),
    "must yield at least one row, got none.": Forgetful(GOOD),
    "must yield the same rows whenever it is reset, got": Shrinking([*GOOD, SPARE]),
    "must call input_data once whenever its next.. is true, got 0 calls": Silent(GOOD),
}


@pytest.mark.parametrize("external_memory", [False, True])
@pytest.mark.parametrize("message", BAD_ITERATORS)
def test_bad_iterators(message, external_memory):
    class Never(xgboost.callback.TrainingCallback):
        def before_training(self, model):
            raise AssertionError("training has begun")

    model = make(FocalXGBClassifier, callbacks=[Never()])
    with pytest.raises(ValueError, match=message):
        model.fit(BAD_ITERATORS[message], external_memory=external_memory)
    assert not hasattr(model, "classes_")
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize(
    ("message", "given", "params", "arguments"),
    [
        ("tree_method must be 'hist' or 'auto'", GOOD, {"tree_method": "approx"}, {}),
        ("booster must be 'gbtree' or 'dart'", GOOD, {"booster": "gblinear"}, {}),
        ("xgb_model must be None with a Batches", GOOD, {}, {"xgb_model": "model.json"}),
        ("external_memory must be True or False, got 'yes'", GOOD, {}, {"external_memory": "yes"}),
        ("external_memory must be False with a DMatrix", None, {}, {"external_memory": True}),
        ("labels of one type|must hold labels among", GOOD, {}, {"eval_set": [(X_BAD, NAMES[Y_BAD])]}),
        ("X has 3 features, but", GOOD, {}, {"eval_set": [(X_BAD[:, :3], Y_BAD)]}),
        ("must have 8 features, got 3", GOOD, {}, {"eval_set": [xgboost.DMatrix(X_BAD[:, :3], label=Y_BAD)]}),
        ("eval_set.0. must have a label for each row", GOOD, {}, {"eval_set": [xgboost.DMatrix(X_BAD)]}),
        ("eval_set must be a list of pairs", GOOD, {}, {"eval_set": [X_BAD]}),
    ],
)
def test_bad_arguments_with_batches(message, given, params, arguments):
    given = xgboost.DMatrix(X_BAD, label=Y_BAD) if given is None else Batches(given)
    with pytest.raises((ValueError, TypeError), match=message):
        make(FocalXGBClassifier, **params).fit(given, **arguments)


def test_bad_matrices():
    with pytest.raises(ValueError, match="X must have a label for each row, got 3000 rows and 0 labels"):
        make(FocalXGBClassifier).fit(xgboost.DMatrix(X_BAD))
    with pytest.raises(ValueError, match="numbers that are not whole"):
        make(FocalXGBClassifier).fit(xgboost.DMatrix(X_BAD, label=Y_BAD + 0.25))


@pytest.mark.parametrize(
    ("message", "params"),
    [
        ("X must have no init_score, margins to start from", {"init_score": Y_BAD}),
        ("X must have no group, query groups", {"group": [1000, 2000]}),
        ("numbers that are not whole", {"label": Y_BAD + 0.25}),
        ("X must have labels, got a Dataset without|must hold at least two classes", {"label": None}),
    ],
)
@pytest.mark.parametrize("constructed", [False, True])
def test_bad_datasets(message, params, constructed):
    given = lightgbm.Dataset(X_BAD, **{"label": Y_BAD} | params)
    if constructed:
        given.construct()
    model = make(FocalLGBMClassifier)
    with pytest.raises(ValueError, match=message):
        model.fit(given)
    assert not hasattr(model, "classes_")


def test_a_dataset_with_other_bins_is_lightgbms_to_refuse():
    given = lightgbm.Dataset(X_BAD, label=Y_BAD, params={"max_bin": 15, "verbose": -1}).construct()
    with pytest.raises(lightgbm.basic.LightGBMError, match="Cannot change max_bin after constructed Dataset"):
        make(FocalLGBMClassifier, max_bin=63).fit(given)


@pytest.mark.parametrize(
    ("message", "entry"),
    [
        ("eval_set.0. must have 8 features, got 3", lightgbm.Dataset(X_BAD[:, :3], label=Y_BAD)),
        ("eval_set.0. must have 8 features, got 3", lightgbm.Dataset([Rows(X_BAD[:, :3])], label=Y_BAD)),
        ("eval_set.0. must have labels, got a Dataset without", lightgbm.Dataset(X_BAD)),
        ("X has 3 features, but", (X_BAD[:, :3], Y_BAD)),
        ("must hold labels among .0, 1., got .9.", (X_BAD, Y_BAD * 9)),
        ("inconsistent numbers of samples", (X_BAD, Y_BAD[1:])),
    ],
)
def test_bad_evaluation_sets_with_a_dataset(message, entry):
    with pytest.raises((ValueError, lightgbm.basic.LightGBMError), match=message):
        make(FocalLGBMClassifier).fit(lightgbm.Dataset(X_BAD, label=Y_BAD), eval_set=[entry])


def test_sequences_of_other_widths():
    given = lightgbm.Dataset([Rows(X_BAD[:9]), Rows(X_BAD[9:, :3])], label=Y_BAD)
    with pytest.raises(ValueError, match=r"X must have as many features in each part, got parts with \[3, 8\]"):
        make(FocalLGBMClassifier).fit(given)


@with_parquet
def test_evaluation_sets_have_the_features_of_the_training(kind, tmp_path):
    X, y = data()
    batches = write(tmp_path, X, y)
    others = ParquetBatches(tmp_path, target="label", columns=[f"x{j}" for j in reversed(range(8))])
    with pytest.raises(ValueError, match=r"eval_set\[0\] must have the features \['x0', .* got \['x7'"):
        make(kind).fit(batches, eval_set=[others])


@with_parquet
def test_a_fit_that_finds_nothing_warns(kind, tmp_path):
    X, y = data()
    with pytest.warns(ConvergenceWarning, match="has found no split"):
        make(kind).fit(write(tmp_path, np.ones_like(X), y))


@with_parquet
def test_a_folder_of_parquet_files(kind, tmp_path):
    X, y = data()
    batches = write(tmp_path, X, NAMES[y])
    model = make(kind).fit(batches)
    assert model.feature_names_in_.tolist() == [f"x{j}" for j in range(8)]
    posterior = np.concatenate(list(predict_in_batches(model, tmp_path)))
    np.testing.assert_array_equal(posterior, model.predict_proba(features_of(model, X)))
    labels = np.concatenate(list(predict_in_batches(model, batches, "predict")))
    np.testing.assert_array_equal(labels, model.predict(features_of(model, X)))


def test_predictions_are_made_when_they_are_asked_for():
    X, y = data()
    model = make(FocalXGBClassifier).fit(X, y)
    without_end = predict_in_batches(model, (X[i : i + 10] for i in count()))
    for i, posterior in enumerate(islice(without_end, 3)):
        np.testing.assert_array_equal(posterior, model.predict_proba(X[i : i + 10]))
    of_iterator = np.concatenate(list(predict_in_batches(model, Batches(split(data=X, label=y)))))
    np.testing.assert_array_equal(of_iterator, model.predict_proba(X))
    with pytest.raises(ValueError, match="batches must be ParquetBatches"):
        predict_in_batches(model, "folder")


def test_the_number_of_columns_of_a_prediction(tmp_path):
    X, y = data()
    batches = write(tmp_path, X, y)
    model = make(FocalXGBClassifier).fit(batches)
    with pytest.raises(ValueError, match=r"batches must have the columns \['x0', .* got \['x1', 'x0'\]"):
        predict_in_batches(model, ParquetBatches(tmp_path, columns=["x1", "x0"]))
    unnamed = FocalHistGradientBoostingClassifier(max_iter=5).fit(X[:, [1, 0]], y)
    chosen = ParquetBatches(tmp_path, columns=["x1", "x0"])
    np.testing.assert_array_equal(
        np.concatenate(list(predict_in_batches(unnamed, chosen))), unnamed.predict_proba(X[:, [1, 0]])
    )


def test_what_is_read_of_parquet(tmp_path):
    table = pa.table({
        "amount": pa.array([1.5, None, 3.0], pa.float32()),
        "count": pa.array([2**40 + 1, None, 3]),
        "is_new": pa.array([True, None, False]),
        "label": ["no", "yes", "no"],
        "weight": pa.array([1, 2, 3]),
        "when": pa.array([0, 1, 2], pa.timestamp("s")),
    })  # fmt: skip
    for month in (1, 2):
        (tmp_path / f"month={month}").mkdir()
        pq.write_table(table, tmp_path / f"month={month}" / "0.parquet", row_group_size=2)
    names = ["month", "is_new", "count", "amount"]
    batches = ParquetBatches(tmp_path, target="label", weight="weight", columns=names)
    assert batches.n_rows == [2, 1, 2, 1]
    assert batches.dtype == np.float64
    first, *_, last = batches
    np.testing.assert_array_equal(first.X, [[1, 1, 2**40 + 1, 1.5], [1, np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(last.X, [[2, 0, 3, 3]])
    assert first.y.tolist() == ["no", "yes"]
    assert first.weight.tolist() == [1.0, 2.0]
    assert ParquetBatches(tmp_path, columns=["amount", "is_new"]).dtype == np.float32
    with pytest.raises(ValueError, match="columns must hold numbers or booleans, got string in 'label'"):
        ParquetBatches(tmp_path, target="weight")
    with pytest.raises(ValueError, match="columns must hold numbers or booleans, got timestamp"):
        ParquetBatches(tmp_path, columns=["when"])
    with pytest.raises(ValueError, match=r"target must be a column of .* got 'lable'"):
        ParquetBatches(tmp_path, target="lable")
    pq.write_table(table.slice(0, 0), tmp_path / "none.parquet")
    with pytest.raises(ValueError, match="path must lead to rows, got"):
        ParquetBatches(tmp_path / "none.parquet", columns=["amount"])
    with pytest.raises(ValueError, match=r"must have labels: ParquetBatches\(..., target=...\)"):
        FocalLGBMClassifier().fit(ParquetBatches(tmp_path, columns=["amount"]))
    with pytest.raises(ValueError, match="must have labels, got a batch without"):
        FocalXGBClassifier().fit(ParquetBatches(tmp_path, columns=["amount"]))


def test_parquet_files_must_agree(tmp_path):
    X, y = data()
    batches = write(tmp_path, X, y)
    table = pd.DataFrame(X[:100], columns=batches.feature_names).assign(label=y[:100])
    # Other numbers are as good.
    table.assign(x3=table["x3"].round().astype("Int64")).to_parquet(tmp_path / "9.parquet")
    *_, last = ParquetBatches(tmp_path, target="label")
    np.testing.assert_array_equal(last.X[:, 3], X[:100, 3].round())
    table.assign(x3=None).to_parquet(tmp_path / "9.parquet")
    *_, last = ParquetBatches(tmp_path, target="label")
    assert np.isnan(last.X[:, 3]).all()
    table.drop(columns="x3").to_parquet(tmp_path / "9.parquet")
    with pytest.raises(ValueError, match=r"columns must be a column of .*9.parquet, which has .* got 'x3'"):
        ParquetBatches(tmp_path, target="label")
    with pytest.raises(ValueError, match=r"columns must be a column of .*9.parquet"):
        predict_in_batches(make(FocalXGBClassifier).fit(batches), tmp_path)
    table.assign(more=1).to_parquet(tmp_path / "9.parquet")
    with pytest.raises(ValueError, match=r"columns must be given where files differ, got also \['more'\] in .*9.parq"):
        ParquetBatches(tmp_path, target="label")
    assert len(ParquetBatches(tmp_path, target="label", columns=["x0"]).feature_names) == 1


@pytest.mark.parametrize(
    ("message", "params"),
    [
        (r"must be different columns, got \['label'\]", {"target": "label", "columns": ["x0", "label"]}),
        (r"must be different columns, got \['x0'\]", {"weight": "x0", "columns": ["x0", "x1"]}),
        (r"must be different columns, got \['x0'\]", {"target": "x0", "weight": "x0", "columns": ["x1"]}),
        ("columns must be a list of at least one name, got 'x0'", {"columns": "x0"}),
        ("columns must be a list of at least one name, got ..", {"columns": []}),
    ],
)
def test_bad_columns_of_parquet(message, params, tmp_path):
    write(tmp_path, X_BAD, Y_BAD)
    with pytest.raises(ValueError, match=message):
        ParquetBatches(tmp_path, **params)


def test_weights_in_parquet_must_be_numbers(tmp_path):
    with pytest.raises(ValueError, match=r"weight must hold numbers or booleans, got .*string in 'weight'"):
        write(tmp_path, X_BAD, Y_BAD, NAMES[Y_BAD])


def test_what_the_constructor_says_of_features():
    X, y = data()
    weights = np.array([0, 0, 0, 0, 0, 0, 0, 1.0])
    params = {"feature_weights": weights, "colsample_bynode": 0.2}
    model = make(FocalXGBClassifier, **params).fit(Batches(split(data=X, label=y)))
    assert list(model.get_booster().get_score()) == ["f7"]
    Z = np.c_[np.floor(np.abs(np.nan_to_num(X[:, 0]))), X[:, 1:]]
    types = ["c"] + ["q"] * 7
    local = make(FocalXGBClassifier, feature_types=types).fit(Z, y)
    model = make(FocalXGBClassifier, feature_types=types).fit(Batches(split(data=Z, label=y)), eval_set=[(Z, y)])
    np.testing.assert_allclose(model.decision_function(Z), local.decision_function(Z), atol=1e-4)
    matrix = xgboost.QuantileDMatrix(X, label=y, max_bin=64)
    for name, value, message in [
        ("feature_weights", weights, "feature_weights must be left out with a QuantileDMatrix"),
        ("feature_types", types, "feature_types must be left out with a QuantileDMatrix"),
        ("missing", 0.0, "missing must be nan, as X was made, got 0.0"),
        ("max_bin", 32, "max_bin must be 64, as X was made, got 32"),
        ("tree_method", "approx", "tree_method must be 'hist' or 'auto' with a QuantileDMatrix"),
    ]:
        with pytest.raises(ValueError, match=message):
            make(FocalXGBClassifier, **{"max_bin": 64} | {name: value}).fit(matrix)
    make(FocalXGBClassifier, missing=None, max_bin=64).fit(matrix)  # None is XGBoost's way to say NaN
    with pytest.raises(ValueError, match="must have no query groups"):
        make(FocalXGBClassifier).fit(xgboost.DMatrix(X, label=y, qid=np.repeat([0, 1], 1500)))


@pytest.mark.parametrize(
    ("message", "name", "value"),
    [
        ("base_margin in all batches or in none", "base_margin", np.arange(len(SPARE["label"]))),
        ("feature_names in all batches or in none", "feature_names", list("abcdefgh")),
        ("feature_types in all batches or in none", "feature_types", ["q"] * 8),
    ],
)
def test_what_one_batch_has_is_not_that_of_others(message, name, value):
    with pytest.raises(ValueError, match=message):
        make(FocalXGBClassifier).fit(Batches([*GOOD, {**SPARE, name: value}]))


def test_names_beside_arrays():
    named = [{**batch, "feature_names": list("abcdefgh")} for batch in GOOD]
    model = make(FocalXGBClassifier).fit(Batches(named), eval_set=[Batches(named)], verbose=False)
    assert model.feature_names_in_.tolist() == list("abcdefgh")
    named[1] = {**named[1], "feature_names": list("hgfedcba")}
    with pytest.raises(ValueError, match="X must have the same feature_names in all batches"):
        make(FocalXGBClassifier).fit(Batches(named))
    with pytest.raises(ValueError, match="base_margin of X must hold finite numbers, got nan"):
        make(FocalXGBClassifier).fit(Batches([{**SPARE, "base_margin": SPARE["label"] * np.nan}]))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.fit(Batches([{**batch, "feature_names": list("abcdefgh")} for batch in GOOD]), eval_set=[(X_BAD, Y_BAD)])
    with pytest.raises(ValueError, match=r"eval_set\[0\] must have the feature_names of X, none, got \['0'"):
        make(FocalXGBClassifier).fit(Batches(GOOD), eval_set=[(pd.DataFrame(X_BAD), Y_BAD)])


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


class Interrupted(Batches):
    """An iterator whose user loses patience in some pass."""

    def __init__(self, batches, in_pass):
        super().__init__(batches)
        self.passes_left = in_pass

    def reset(self):
        super().reset()
        self.passes_left -= 1

    def next(self, input_data):
        if self.passes_left < 0 and self.left.__length_hint__() == 2:
            raise KeyboardInterrupt
        return super().next(input_data)


@pytest.mark.parametrize("external_memory", [False, True])
@pytest.mark.parametrize("in_pass", range(3))
def test_an_interruption_while_batches_are_read(in_pass, external_memory):
    X, y = data()
    model = make(FocalXGBClassifier).fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(KeyboardInterrupt):
        model.fit(Interrupted(GOOD, in_pass), external_memory=external_memory)
    np.testing.assert_array_equal(model.predict_proba(X), before)


class Twice(Batches):
    """An iterator that hands on two batches at a time."""

    def next(self, input_data):
        return super().next(input_data) and super().next(input_data)


class EmptyThenSilent(Batches):
    """An iterator whose first batch has no rows, and which then hands on nothing."""

    def next(self, input_data):
        super().next(input_data)
        return True


def test_a_batch_in_each_call():
    with pytest.raises(ValueError, match=r"must call input_data once whenever its next.. is true, got 2 calls"):
        make(FocalXGBClassifier).fit(Twice(GOOD))
    with pytest.raises(ValueError, match="got 0 calls and True"):
        make(FocalXGBClassifier).fit(EmptyThenSilent([{"data": X_BAD[:0], "label": Y_BAD[:0]}]))
    model = make(FocalXGBClassifier).fit(X_BAD, Y_BAD)
    with pytest.raises(ValueError, match=r"batches must call input_data once in each next\(\), got 2 calls"):
        list(predict_in_batches(model, Twice(GOOD)))
    with pytest.raises(ValueError, match="got 0 calls"):
        list(predict_in_batches(model, Silent(GOOD)))
    nothing = [{"data": X_BAD[:0], "label": Y_BAD[:0]}]
    posterior = np.concatenate(list(predict_in_batches(model, Batches([*nothing, *GOOD, *nothing]))))
    np.testing.assert_array_equal(posterior, model.predict_proba(X_BAD))


@pytest.mark.parametrize(
    "labels",
    [
        [np.array([0, 1, 0, 1]), np.array([False, True, True, False])],
        [np.array([0, 1, 0, 1]), np.array(["a", "b", "a", "b"])],
        [np.array([2**63 + 1, 1], dtype=np.uint64), np.array([-1, 1])],
        [np.array([2**53 + 1, 1]), np.array([1.0, 2.0])],
        [np.array([1, "a"], dtype=object)],
    ],
)
def test_labels_of_several_types(labels):
    batches = [{"data": X_BAD[: len(part)], "label": part} for part in labels]
    with pytest.raises(ValueError, match="must hold labels of one type in"):
        make(FocalXGBClassifier).fit(Batches(batches))


@pytest.mark.parametrize(
    ("message", "label", "weight"),
    [
        ("y of X must hold class labels, neither missing nor infinite, got nan", np.where(Y_BAD, np.nan, 0), None),
        ("y of X must hold class labels, neither missing nor infinite, got inf", np.where(Y_BAD, np.inf, 0), None),
        ("The weight of X must hold finite numbers", Y_BAD, np.where(Y_BAD, np.nan, 1)),
        ("The weight of X must hold finite numbers", Y_BAD, np.where(Y_BAD, np.inf, 1)),
    ],
)
def test_numbers_in_a_dataset_that_are_none(message, label, weight):
    with pytest.raises(ValueError, match=message):
        make(FocalLGBMClassifier).fit(lightgbm.Dataset(X_BAD, label=label, weight=weight))


def test_evaluation_datasets_have_the_columns_of_the_training(tmp_path):
    table = pd.DataFrame(X_BAD, columns=[f"col {i}" for i in range(8)])
    training = lightgbm.Dataset(table, label=Y_BAD, free_raw_data=False)
    model = make(FocalLGBMClassifier)
    with pytest.raises(ValueError, match=r"eval_set\[0\] must have the features \['col 0', .* got \['col 7'"):
        model.fit(training, eval_set=[lightgbm.Dataset(table.iloc[:, ::-1], label=Y_BAD)])
    with pytest.raises(ValueError, match=r"eval_set\[0\] must have 8 features, got 5"):
        model.fit(training, eval_set=[lightgbm.Dataset([X_BAD[:, :5]], label=Y_BAD)])
    np.savetxt(tmp_path / "four.csv", np.c_[Y_BAD, X_BAD[:, :4]], delimiter=",")
    with pytest.raises(ValueError, match=r"eval_set\[0\] must not be a text file"):
        model.fit(training, eval_set=[lightgbm.Dataset(str(tmp_path / "four.csv"))])
    with pytest.raises(ValueError, match="eval_names must have at most 1 entries"):
        model.fit(training, eval_set=[training], eval_names=["a", "b"])
    model.fit(training, eval_set=[lightgbm.Dataset(table, label=Y_BAD)])
    assert model.feature_names_in_.tolist() == table.columns.tolist()
    model.predict(table)  # without a warning
    numbers = make(FocalLGBMClassifier).fit(lightgbm.Dataset(pd.DataFrame(X_BAD), label=Y_BAD))
    assert not hasattr(numbers, "feature_names_in_")
    numbers = make(FocalXGBClassifier).fit(xgboost.DMatrix(pd.DataFrame(X_BAD), label=Y_BAD))
    assert not hasattr(numbers, "feature_names_in_")


def test_what_a_dataset_was_told():
    with pytest.raises(ValueError, match="X must not be for linear_tree"):
        make(FocalLGBMClassifier).fit(lightgbm.Dataset(X_BAD, label=Y_BAD, params={"linear_tree": True}))
    told = {"max_bin": 7, "bin_construct_sample_cnt": 500, "verbose": -1}
    few_bins = lightgbm.Dataset(X_BAD, label=Y_BAD, params=told)
    model = make(FocalLGBMClassifier).fit(few_bins)
    assert few_bins.get_params()["bin_construct_sample_cnt"] == 500
    local = make(FocalLGBMClassifier, max_bin=7, subsample_for_bin=500).fit(X_BAD, Y_BAD)
    np.testing.assert_array_equal(model.decision_function(X_BAD), local.decision_function(X_BAD))


def test_dart_does_not_evaluate_its_own_dataset():
    given = lightgbm.Dataset(X_BAD, label=Y_BAD)
    with pytest.raises(ValueError, match="eval_set must not hold X itself with boosting_type='dart'"):
        make(FocalLGBMClassifier, boosting_type="dart").fit(given, eval_set=[given])


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


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"eval_metric": "typo"}, "eval_metric must be a callable or one of"),
        ({"class_weight": 3}, "class_weight must be None, 'balanced' or a dict"),
        ({"focal_alpha": "x"}, "focal_alpha must be"),
        ({"prior": "x"}, "prior must"),
    ],
)
def test_what_needs_no_labels_is_checked_before_reading(params, message):
    batches = Batches(GOOD)
    with pytest.raises((ValueError, TypeError), match=message):
        make(FocalXGBClassifier, **params).fit(batches)
    assert batches.left.__length_hint__() == 0  # as it was made


@pytest.mark.parametrize("kind", [FocalXGBClassifier, FocalLGBMClassifier])
@pytest.mark.parametrize("given", ["folder", (batch for batch in GOOD)], ids=["path", "generator"])
def test_other_things_than_data(kind, given):
    with pytest.raises(TypeError, match="X must be an array, a table, ParquetBatches"):
        make(kind).fit(given)


def test_streams_of_the_other_engine():
    with pytest.raises(TypeError, match=r"ParquetBatches or a lightgbm.Dataset, got a Batches"):
        make(FocalLGBMClassifier).fit(Batches(GOOD))
    with pytest.raises(TypeError, match=r"an xgboost.DataIter or an xgboost.DMatrix, got a Dataset"):
        make(FocalXGBClassifier).fit(lightgbm.Dataset(X_BAD, label=Y_BAD))
    with pytest.raises(ValueError, match=r"eval_set\[0\] must be a DMatrix alone, as it has labels, got a pair"):
        make(FocalXGBClassifier).fit(Batches(GOOD), eval_set=[(xgboost.DMatrix(X_BAD), Y_BAD)])
