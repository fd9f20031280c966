"""Categories that the table of the training does not list are as if they were missing, to every engine.

XGBoost 3.2 itself takes one for the next in the order of the alphabet, and fails where there is none; 3.4 fails.
"""

import numpy as np
import pytest
import xgboost
from sklearn.metrics import log_loss

from skfocal import FocalXGBClassifier

from .conftest import BOOSTED, make
from .streams import Batches

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")

SEEN = ["bb", "dd", "ff", "ßß"]
UNSEEN = ["", "aa", "cc", "ee", "zz", "日本"]  # before all that were seen, between them, after them
NUMBERS = np.array([10, 20, 40])
KINDS = ["pandas", "Arrow", "Arrow, in chunks", "polars"]
HAS_NOT_SEEN_CC = r"xgb_model must know the categories of 'word' in X, and has not seen \['cc'\]"


def as_table(kind, words, x, names=None):
    """Return a table with a column of numbers, and one of categories, of which those that are None are missing."""
    if kind == "pandas":
        return pd.DataFrame({"x": x, "word": pd.Categorical(words, categories=names)})
    parts = [slice(1), slice(1, None)] if kind == "Arrow, in chunks" else [slice(None)]
    # Each with names of its own.
    chunks = [pa.array(list(words)[rows], pa.string()).dictionary_encode() for rows in parts]
    table = pa.table({"x": x, "word": pa.chunked_array(chunks)})
    return pytest.importorskip("polars").from_arrow(table) if kind == "polars" else table


@pytest.fixture
def data():
    """Return words, numbers and labels: those of one word, and of a missing one, are most often of the second class."""
    rng = np.random.default_rng(0)
    words = rng.choice(np.array([*SEEN, None], dtype=object), 2000)
    is_odd = np.isin(words.astype(str), ["dd", "None"])
    return words, rng.normal(size=2000), is_odd ^ (rng.random(2000) < 0.02)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("estimator", BOOSTED, ids=lambda each: each.__name__)
def test_at_predict(estimator, kind, data):
    words, x, y = data
    model = make(estimator).fit(as_table(kind, words, x), y)
    missing = model.predict_proba(as_table(kind, ["bb", None], [0.0, 0.5]))
    assert abs(missing - model.predict_proba(as_table(kind, ["bb", "bb"], [0.0, 0.5]))).max() > 0.5  # it matters
    for word in UNSEEN:
        np.testing.assert_array_equal(model.predict_proba(as_table(kind, ["bb", word], [0.0, 0.5])), missing)
        alone = model.predict_proba(as_table(kind, [word], [0.5]))
        np.testing.assert_array_equal(alone, missing[1:])
    among = as_table(kind, [*UNSEEN, *SEEN], [0.5] * 10)
    alone = [model.predict_proba(as_table(kind, [word], [0.5])) for word in SEEN]
    np.testing.assert_array_equal(model.predict_proba(among), np.vstack([*[missing[1:]] * 6, *alone]))


@pytest.mark.parametrize("estimator", BOOSTED, ids=lambda each: each.__name__)
def test_a_table_may_have_names_that_no_row_has(estimator, data):
    words, x, y = data
    model = make(estimator).fit(as_table("pandas", words, x), y)
    table = as_table("pandas", ["dd", "bb"], [0.0, 0.0], names=["zz", "dd", "cc", "bb"])
    before = table.copy(deep=True)
    expected = model.predict_proba(as_table("pandas", ["dd", "bb"], [0.0, 0.0]))
    np.testing.assert_array_equal(model.predict_proba(table), expected)
    pd.testing.assert_frame_equal(table, before)  # no input is changed
    assert table["word"].cat.categories.tolist() == ["zz", "dd", "cc", "bb"]


@pytest.mark.parametrize("kind", ["pandas", "polars, Enum"])
def test_a_name_that_is_listed_though_no_row_has_it(kind, data):
    """XGBoost sends it where a split names none; what reads the table by the engine itself takes it, too."""
    words, x, y = data
    names = ["bb", "dd", "ff", "gg", "zz"]

    def table(words, x):
        if kind == "pandas":
            return as_table("pandas", words, x, names)
        pl = pytest.importorskip("polars")
        return pl.DataFrame({"x": x, "word": pl.Series(list(words), dtype=pl.Enum(names))})

    model = make(FocalXGBClassifier, max_cat_to_onehot=1).fit(table(np.where(words == "ßß", "gg", words), x), y)
    rows = table(["bb", "zz", "dd"], [0.5] * 3)
    margins = model.decision_function(rows)
    assert margins[0] < 0 < margins[2]
    matrix = xgboost.DMatrix(rows if kind == "pandas" else rows.to_arrow(), enable_categorical=True)
    own = model.get_booster().predict(matrix, output_margin=True)
    np.testing.assert_allclose(margins, own, atol=1e-6)


@pytest.mark.parametrize("estimator", BOOSTED, ids=lambda each: each.__name__)
def test_numbers(estimator):
    rng = np.random.default_rng(0)
    codes = rng.choice([*NUMBERS, -1], 2000)
    y = np.isin(codes, [20, -1]) ^ (rng.random(2000) < 0.02)

    def table(codes):
        codes = pd.Series(codes)
        return pd.DataFrame({"code": codes.where(codes >= 0).astype("Int64").astype("category")})

    model = make(estimator).fit(table(codes), y)
    missing = model.predict_proba(table([-1]))
    assert abs(missing - model.predict_proba(table([10]))).max() > 0.5  # it matters
    for code in (0, 15, 30, 50):
        np.testing.assert_array_equal(model.predict_proba(table([code])), missing)
        np.testing.assert_array_equal(model.predict_proba(table([10, code]))[1:], missing)


@pytest.mark.parametrize(("kind", "in_batches"), [*((kind, False) for kind in KINDS), ("pandas", True)])
def test_evaluation_sets_are_as_predictions(kind, in_batches, data):
    words, x, y = data
    training, other = as_table(kind, words, x), as_table(kind, ["cc", "zz", "dd", "bb"] * 50, x[:200])
    model = make(FocalXGBClassifier, eval_metric="log_loss")
    if in_batches:
        sets = [Batches([{"data": other, "label": y[:200]}])]
        model.fit(Batches([{"data": training, "label": y}]), eval_set=sets, verbose=False)
    else:
        model.fit(training, y, eval_set=[(other, y[:200])], verbose=False)
    expected = log_loss(y[:200], model.predict_proba(other))
    assert model.evals_result_["validation_0"]["log_loss"][-1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_goes_on_with_some_of_its_categories(kind, data):
    """In another order, beside a name that it does not know and no row has; evaluated by all that it knows."""
    words, x, y = data
    old = make(FocalXGBClassifier, n_estimators=5).fit(as_table(kind, words, x), y)
    kept = np.isin(words.astype(str), ["ff", "bb"])
    # Now it is "ff" that is of the second class.
    later, labels, whole = words[kept][::-1], words[kept][::-1] == "ff", as_table(kind, words, x)
    fewer = as_table(kind, later, x[kept], ["zz", "ff", "bb"] if kind == "pandas" else None)
    more = make(FocalXGBClassifier, n_estimators=40, eval_metric="log_loss")
    more.fit(fewer, labels, xgb_model=old, eval_set=[(whole, y)], verbose=False)
    posterior = more.predict_proba(as_table(kind, ["bb", "ff", "dd"], [0.0] * 3))[:, 1]
    assert posterior[0] < 0.2 < 0.8 < posterior[1]
    expected = log_loss(y, more.predict_proba(whole))
    assert more.evals_result_["validation_0"]["log_loss"][-1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_to_continue_must_know_them(kind, data):
    """Training adds none; as it is with LightGBM's class (tests/test_lightgbm.py)."""
    words, x, y = data
    old = make(FocalXGBClassifier).fit(as_table(kind, words, x), y)
    new = as_table(kind, ["bb", "cc", "dd"] * 100, x[:300])
    with pytest.raises(ValueError, match=HAS_NOT_SEEN_CC):
        make(FocalXGBClassifier).fit(new, y[:300], xgb_model=old)


@pytest.mark.parametrize("names", [["bb", "cc", "dd", "gg"], ["gg", "dd", "bb", "ff"]], ids=["another", "in order"])
def test_a_matrix_must_have_the_names_of_a_model_to_continue(names, data):
    """XGBoost compares how many there are, and takes the codes."""
    words, x, y = data
    ascii_words = np.where(words == "ßß", "gg", words)
    old = make(FocalXGBClassifier).fit(as_table("pandas", ascii_words, x), y)

    def matrix(names):
        table = as_table("pandas", ["bb", "dd"] * 100, x[:200], names=names)
        return xgboost.DMatrix(table, label=y[:200], enable_categorical=True)

    make(FocalXGBClassifier).fit(matrix(["bb", "dd", "ff", "gg"]), xgb_model=old)
    with pytest.raises(ValueError, match=r"X must have the categories of xgb_model, in their order, .* pass the table"):
        make(FocalXGBClassifier).fit(matrix(names), xgb_model=old)


def test_names_beyond_ascii_in_a_matrix_are_refused(data):
    """XGBoost has cut them where it was made of a table of pandas, which nothing tells."""
    words, x, y = data
    matrix = xgboost.DMatrix(as_table("pandas", words, x), label=y, enable_categorical=True)
    with pytest.raises(ValueError, match=r"X must have categories of ASCII .* in a DMatrix, .*: pass the table"):
        make(FocalXGBClassifier).fit(matrix)


def test_leaves_are_those_of_predictions(data):
    words, x, y = data
    model = make(FocalXGBClassifier).fit(as_table("pandas", words, x), y)
    leaves = model.apply(as_table("pandas", [*UNSEEN, None, "bb"], [0.5] * 8))
    assert (leaves[:7] == leaves[6]).all()
    assert (leaves[7] != leaves[6]).any()


def test_names_that_are_bytes_are_refused(data):
    """XGBoost keeps the same two letters of each."""
    words, x, y = data
    table = as_table("pandas", [None if word is None else word.encode() for word in words], x)
    with pytest.raises(ValueError, match=r"X must have categories that are all words or .* got bytes"):
        make(FocalXGBClassifier).fit(table, y)


@pytest.mark.parametrize("beside", [True, False])
def test_categories_for_numbers_are_refused(beside, data):
    """Beside a column of categories and without: XGBoost would take their codes for the numbers."""
    words, x, y = data
    table = pd.DataFrame({"number": np.round(x), "word": pd.Categorical(words)})[["number", "word"][: 1 + beside]]
    model = make(FocalXGBClassifier).fit(table, y)
    with pytest.raises(ValueError, match="X must have numbers in 'number', as in training, got categories"):
        model.predict_proba(table.astype({"number": int}).astype({"number": "category"}))


def test_words_for_numbers_are_refused(data):
    """Not taken for missing ones: this is another column."""
    words, x, y = data
    of_words = as_table("pandas", words, x)
    of_numbers = pd.DataFrame({"x": x, "word": pd.Categorical(np.arange(len(x)) % 3)})
    for training, other in ((of_words, of_numbers), (of_numbers, of_words)):
        model = make(FocalXGBClassifier).fit(training, y)
        with pytest.raises(ValueError, match="data type doesn't match"):
            model.predict_proba(other)
