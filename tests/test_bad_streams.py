"""Batches, matrices and Datasets that cannot be: errors that say what is wrong, before training."""

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.exceptions import ConvergenceWarning

from skfocal import FocalLGBMClassifier, FocalXGBClassifier
from skfocal.batches import ParquetBatches, predict_in_batches

from .streams import CODES, FEATURES, GOOD, NAMES, Batches, Rows, data, make, streams, with_parquet, write

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


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


SPARE = GOOD[0]
BAD_ITERATORS = {
    "must yield at least one row, got none": Batches([]),
    "must yield at least one row": Batches([{"data": FEATURES[:0], "label": CODES[:0]}]),
    "X has 7 features, but FocalXGBClassifier is expecting 8": Batches(
        [*GOOD, {**SPARE, "data": SPARE["data"][:, 1:]}]
    ),
    "must have the type of the first batch in each, float64, got float32": Batches(
        [*GOOD, {**SPARE, "data": SPARE["data"].astype(np.float32)}]
    ),
    "must have the columns of the first batch in each": Batches(
        [*GOOD, {**SPARE, "data": pd.DataFrame(SPARE["data"])}]
    ),
    "must have categories as pandas has them, got dictionary.* in 'city'": Batches(
        [{"data": pa.table({"city": pa.array(NAMES[CODES]).dictionary_encode()}), "label": CODES}] * 2
    ),
    "must hold class labels, got 10001 different ones in a batch": Batches(
        [{"data": np.zeros((10_001, 8)), "label": np.arange(10_001)}]
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
        ("labels of one type|must hold labels among", GOOD, {}, {"eval_set": [(FEATURES, NAMES[CODES])]}),
        ("X has 3 features, but", GOOD, {}, {"eval_set": [(FEATURES[:, :3], CODES)]}),
        ("must have 8 features, got 3", GOOD, {}, {"eval_set": [xgboost.DMatrix(FEATURES[:, :3], label=CODES)]}),
        ("eval_set.0. must have a label for each row", GOOD, {}, {"eval_set": [xgboost.DMatrix(FEATURES)]}),
        ("eval_set must be a list of pairs", GOOD, {}, {"eval_set": [FEATURES]}),
        (
            r"eval_set.0. must have the categorical features of X, numbers \[\], got \[0\]",
            GOOD,
            {},
            {
                "eval_set": [
                    xgboost.DMatrix(
                        np.abs(FEATURES[:, :1]).round() + np.zeros(8), label=CODES, feature_types=["c", *"qqqqqqq"]
                    )
                ]
            },
        ),
    ],
)
def test_bad_arguments_with_batches(message, given, params, arguments):
    given = xgboost.DMatrix(FEATURES, label=CODES) if given is None else Batches(given)
    with pytest.raises((ValueError, TypeError), match=message):
        make(FocalXGBClassifier, **params).fit(given, **arguments)


def test_bad_matrices():
    with pytest.raises(ValueError, match="X must have a label for each row, got 3000 rows and 0 labels"):
        make(FocalXGBClassifier).fit(xgboost.DMatrix(FEATURES))
    with pytest.raises(ValueError, match="numbers that are not whole"):
        make(FocalXGBClassifier).fit(xgboost.DMatrix(FEATURES, label=CODES + 0.25))


@pytest.mark.parametrize(
    ("message", "params"),
    [
        ("X must have no init_score, margins to start from", {"init_score": CODES}),
        ("X must have no group, query groups", {"group": [1000, 2000]}),
        ("numbers that are not whole", {"label": CODES + 0.25}),
        ("X must have labels, got a Dataset without|must hold at least two classes", {"label": None}),
    ],
)
@pytest.mark.parametrize("constructed", [False, True])
def test_bad_datasets(message, params, constructed):
    given = lightgbm.Dataset(FEATURES, **{"label": CODES} | params)
    if constructed:
        given.construct()
    model = make(FocalLGBMClassifier)
    with pytest.raises(ValueError, match=message):
        model.fit(given)
    assert not hasattr(model, "classes_")


def test_a_dataset_with_other_bins_is_lightgbms_to_refuse():
    given = lightgbm.Dataset(FEATURES, label=CODES, params={"max_bin": 15, "verbose": -1}).construct()
    with pytest.raises(lightgbm.basic.LightGBMError, match="Cannot change max_bin after constructed Dataset"):
        make(FocalLGBMClassifier, max_bin=63).fit(given)


@pytest.mark.parametrize(
    ("message", "entry"),
    [
        ("eval_set.0. must have 8 features, got 3", lightgbm.Dataset(FEATURES[:, :3], label=CODES)),
        ("eval_set.0. must have 8 features, got 3", lightgbm.Dataset([Rows(FEATURES[:, :3])], label=CODES)),
        ("eval_set.0. must have labels, got a Dataset without", lightgbm.Dataset(FEATURES)),
        ("X has 3 features, but", (FEATURES[:, :3], CODES)),
        ("must hold labels among .0, 1., got .9.", (FEATURES, CODES * 9)),
        ("inconsistent numbers of samples", (FEATURES, CODES[1:])),
    ],
)
def test_bad_evaluation_sets_with_a_dataset(message, entry):
    with pytest.raises((ValueError, lightgbm.basic.LightGBMError), match=message):
        make(FocalLGBMClassifier).fit(lightgbm.Dataset(FEATURES, label=CODES), eval_set=[entry])


def test_sequences_of_other_widths():
    given = lightgbm.Dataset([Rows(FEATURES[:9]), Rows(FEATURES[9:, :3])], label=CODES)
    with pytest.raises(ValueError, match=r"X must have as many features in each part, got parts with \[3, 8\]"):
        make(FocalLGBMClassifier).fit(given)


@with_parquet
def test_evaluation_sets_have_the_features_of_the_training(kind, tmp_path):
    X, y = data()
    batches = write(tmp_path, X, y)
    others = ParquetBatches(tmp_path, target="label", columns=[f"x{j}" for j in reversed(range(8))])
    with pytest.raises(ValueError, match=r"eval_set\[0\] must have the features \['x0', .* got \['x7'"):
        make(kind).fit(batches, eval_set=[others])


def test_parquet_beside_features_without_names(tmp_path):
    """Where there is nothing to compare names with, there are as many features at least."""
    write(tmp_path, FEATURES, CODES)
    few = ParquetBatches(tmp_path, target="label", columns=["x0", "x1"])
    with pytest.raises(ValueError, match=r"eval_set\[0\] must have 8 features, got 2"):
        make(FocalLGBMClassifier).fit(lightgbm.Dataset(FEATURES, label=CODES), eval_set=[few])


@with_parquet
def test_a_fit_that_finds_nothing_warns(kind, tmp_path):
    X, y = data()
    with pytest.warns(ConvergenceWarning, match="has found no split"):
        make(kind).fit(write(tmp_path, np.ones_like(X), y))


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
    with pytest.raises(
        ValueError, match=r"base_margin of X must have a row for each of the \d+ rows of a batch, got \(3,\)"
    ):
        make(FocalXGBClassifier).fit(Batches([{**SPARE, "base_margin": np.zeros(3)}]))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.fit(
            Batches([{**batch, "feature_names": list("abcdefgh")} for batch in GOOD]), eval_set=[(FEATURES, CODES)]
        )
    with pytest.raises(ValueError, match=r"eval_set\[0\] must have the feature_names of X, none, got \['0'"):
        make(FocalXGBClassifier).fit(Batches(GOOD), eval_set=[(pd.DataFrame(FEATURES), CODES)])


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
        make(FocalXGBClassifier).fit(EmptyThenSilent([{"data": FEATURES[:0], "label": CODES[:0]}]))
    model = make(FocalXGBClassifier).fit(FEATURES, CODES)
    with pytest.raises(ValueError, match=r"batches must call input_data once in each next\(\), got 2 calls"):
        list(predict_in_batches(model, Twice(GOOD)))
    with pytest.raises(ValueError, match="got 0 calls"):
        list(predict_in_batches(model, Silent(GOOD)))
    nothing = [{"data": FEATURES[:0], "label": CODES[:0]}]
    posterior = np.concatenate(list(predict_in_batches(model, Batches([*nothing, *GOOD, *nothing]))))
    np.testing.assert_array_equal(posterior, model.predict_proba(FEATURES))


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
    batches = [{"data": FEATURES[: len(part)], "label": part} for part in labels]
    with pytest.raises(ValueError, match=r"must hold labels of one type( in all batches|, got int and str)"):
        make(FocalXGBClassifier).fit(Batches(batches))


@pytest.mark.parametrize(
    ("message", "label", "weight"),
    [
        ("y of X must hold class labels, neither missing nor infinite, got nan", np.where(CODES, np.nan, 0), None),
        ("y of X must hold class labels, neither missing nor infinite, got inf", np.where(CODES, np.inf, 0), None),
        ("The weight of X must hold finite numbers", CODES, np.where(CODES, np.nan, 1)),
        ("The weight of X must hold finite numbers", CODES, np.where(CODES, np.inf, 1)),
    ],
)
def test_numbers_in_a_dataset_that_are_none(message, label, weight):
    with pytest.raises(ValueError, match=message):
        make(FocalLGBMClassifier).fit(lightgbm.Dataset(FEATURES, label=label, weight=weight))


def test_evaluation_datasets_have_the_columns_of_the_training(tmp_path):
    table = pd.DataFrame(FEATURES, columns=[f"col {i}" for i in range(8)])
    training = lightgbm.Dataset(table, label=CODES, free_raw_data=False)
    model = make(FocalLGBMClassifier)
    with pytest.raises(ValueError, match=r"eval_set\[0\] must have the features \['col 0', .* got \['col 7'"):
        model.fit(training, eval_set=[lightgbm.Dataset(table.iloc[:, ::-1], label=CODES)])
    with pytest.raises(ValueError, match=r"eval_set\[0\] must have 8 features, got 5"):
        model.fit(training, eval_set=[lightgbm.Dataset([FEATURES[:, :5]], label=CODES)])
    np.savetxt(tmp_path / "four.csv", np.c_[CODES, FEATURES[:, :4]], delimiter=",")
    with pytest.raises(ValueError, match=r"eval_set\[0\] must not be a text file"):
        model.fit(training, eval_set=[lightgbm.Dataset(str(tmp_path / "four.csv"))])
    with pytest.raises(ValueError, match="eval_names must have at most 1 entries"):
        model.fit(training, eval_set=[training], eval_names=["a", "b"])
    model.fit(training, eval_set=[lightgbm.Dataset(table, label=CODES)])
    assert model.feature_names_in_.tolist() == table.columns.tolist()
    model.predict(table)  # without a warning
    numbers = make(FocalLGBMClassifier).fit(lightgbm.Dataset(pd.DataFrame(FEATURES), label=CODES))
    assert not hasattr(numbers, "feature_names_in_")
    numbers = make(FocalXGBClassifier).fit(xgboost.DMatrix(pd.DataFrame(FEATURES), label=CODES))
    assert not hasattr(numbers, "feature_names_in_")


def test_dart_does_not_evaluate_its_own_dataset():
    given = lightgbm.Dataset(FEATURES, label=CODES)
    with pytest.raises(ValueError, match="eval_set must not hold X itself with boosting_type='dart'"):
        make(FocalLGBMClassifier, boosting_type="dart").fit(given, eval_set=[given])


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
        make(FocalXGBClassifier).fit(lightgbm.Dataset(FEATURES, label=CODES))
    with pytest.raises(ValueError, match=r"eval_set\[0\] must be a DMatrix alone, as it has labels, got a pair"):
        make(FocalXGBClassifier).fit(Batches(GOOD), eval_set=[(xgboost.DMatrix(FEATURES), CODES)])
