"""Tables of pandas, polars and Arrow: categories, columns that no engine reads, and names of features."""

import sys
from contextlib import suppress

import numpy as np
import pytest

from skfocal import FocalHistGradientBoostingClassifier, FocalLGBMClassifier, FocalXGBClassifier

from .conftest import BOOSTED, WATCHING, boosted_with, engine_of, like_own, make

ids = {"ids": lambda estimator: estimator.__name__}
WORDS = ["ä", "ß", "ö", "aa", "Straße", "日本", "日本語", "b\\n"]


@pytest.fixture(params=BOOSTED, **ids)
def estimator(request):
    return request.param


def words_and_labels():
    rng = np.random.default_rng(0)
    words = rng.choice(WORDS, size=2000)
    return words, rng.normal(size=2000), (words == "ß") ^ (rng.random(2000) < 0.02)


def as_table(kind, words, x):
    """Return a table whose second column has categories."""
    if kind == "pandas":
        pd = pytest.importorskip("pandas")
        return pd.DataFrame({"x": x, "word": pd.Categorical(words)})
    pa = pytest.importorskip("pyarrow")
    if kind == "Arrow":
        return pa.table({"x": x, "word": pa.array(words).dictionary_encode()})
    pl = pytest.importorskip("polars")
    dtype = pl.Categorical if kind == "polars" else pl.Enum(WORDS)
    return pl.DataFrame({"x": x, "word": pl.Series(words, dtype=dtype)})


KINDS = ["pandas", "Arrow", "polars", "polars, Enum"]


@pytest.mark.parametrize("kind", KINDS)
def test_categories_are_the_same_in_every_table(estimator, kind):
    """And found by their names in tables that have others: LightGBM dies of some, XGBoost cuts names of pandas."""
    words, x, y = words_and_labels()
    model = make(estimator).fit(as_table(kind, words, x), y)
    expected = make(estimator).fit(as_table("pandas", words, x), y).predict_proba(as_table("pandas", words, x))
    # Categories that are told in another order part otherwise where they tie.
    np.testing.assert_allclose(model.predict_proba(as_table(kind, words, x)), expected, atol=0.1)
    for word in WORDS:
        alone = model.predict_proba(as_table(kind, [word], [0.0]))
        among = model.predict_proba(as_table(kind, WORDS, [0.0] * len(WORDS)))[WORDS.index(word)]
        np.testing.assert_array_equal(alone[0], among)
        assert model.predict(as_table(kind, [word], [0.0])) == [word == "ß"]


def test_names_beyond_ascii_in_evaluation_sets_and_after_saving(tmp_path):
    pytest.importorskip("pandas")
    words, x, y = words_and_labels()
    table = as_table("pandas", words, x)
    for estimator in boosted_with("files"):
        fit = engine_of(estimator).quiet_fit
        sets = [(as_table("pandas", words[:500], x[:500]), y[:500]), (table, y)]
        model = make(estimator, eval_metric="log_loss").fit(table, y, eval_set=sets, **fit)
        assert all(scores["log_loss"][-1] < 0.2 for scores in model.evals_result_.values())
        path = tmp_path / engine_of(estimator).files[0]
        model.save_model(path)
        alone = as_table("pandas", ["ß"], [0.0])
        np.testing.assert_array_equal(estimator().load_model(path).predict_proba(alone), model.predict_proba(alone))


def test_names_beyond_ascii_need_pyarrow(monkeypatch):
    pd = pytest.importorskip("pandas")
    words, x, y = words_and_labels()
    (estimator,) = (each for each in BOOSTED if engine_of(each).start == "base_margin")
    table = pd.DataFrame({"x": x, "word": pd.Categorical(words.astype(object))})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="Categories with names beyond ASCII need pyarrow"):
        make(estimator).fit(table, y)
    make(estimator).fit(table.assign(word=table["word"].cat.rename_categories(list("abcdefgh"))), y)


def test_numbers_beside_words_beyond_ascii():
    """Neither of XGBoost's two ways to read categories takes both."""
    pd = pytest.importorskip("pandas")
    words, x, y = words_and_labels()
    table = as_table("pandas", words, x)
    table["hour"] = (np.arange(len(y)) % 24).tolist()
    table["hour"] = table["hour"].astype("category")
    with pytest.raises(ValueError, match=r"words only beside words beyond ASCII .* got 0 in 'hour': make"):
        make(FocalXGBClassifier).fit(table, y)
    for odd in (words.tolist(), np.arange(len(y)).astype("datetime64[s]")):
        with pytest.raises(ValueError, match=r"X must have columns of numbers, .*, got .* in 'odd'"):
            make(FocalXGBClassifier).fit(as_table("pandas", words, x).assign(odd=odd), y)
    dense = as_table("pandas", words, x).assign(few=np.where(x > 1, x, 0.0))
    sparse = dense.assign(few=pd.arrays.SparseArray(dense["few"]))
    expected = make(FocalXGBClassifier).fit(dense, y).predict_proba(dense)
    np.testing.assert_array_equal(make(FocalXGBClassifier).fit(sparse, y).predict_proba(sparse), expected)


def test_words_among_numbers_are_named_by_scikit_learns_class():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"x": np.arange(4.0), "odd": pd.Series([1, "two", 3, None], dtype=object)})
    with pytest.raises(ValueError, match="got object in 'odd': make a category"):
        make(FocalHistGradientBoostingClassifier).fit(table, [0, 1, 0, 1])


def test_categories_of_other_tables_need_pandas_for_scikit_learns_class():
    words, x, y = words_and_labels()
    table = as_table("Arrow", words, x)

    class Table:
        """One of Arrow, where pandas is not installed."""

        column_names, schema, shape = table.column_names, table.schema, table.shape

        def __len__(self):
            return len(table)

        def to_pandas(self):
            raise ModuleNotFoundError("No module named 'pandas'")

    with pytest.raises(ImportError, match="Tables of polars and Arrow with other columns than numbers need pandas"):
        make(FocalHistGradientBoostingClassifier).fit(Table(), y)


@pytest.mark.parametrize("kind", ["str", object])
def test_words_of_pandas_that_are_no_categories(estimator, kind):
    """At fit and at predict, beside categories: the engines name all of these, none, or their own parameters."""
    pd = pytest.importorskip("pandas")
    words, x, y = words_and_labels()
    table = as_table("pandas", words, x)
    odd = table.assign(odd=pd.Series(words).astype(kind))
    message = r"X must have columns of numbers, booleans or categories, got (str|object) in 'odd': make a"
    with pytest.raises(ValueError, match=message):
        make(estimator).fit(odd, y)
    model = make(estimator).fit(odd.astype({"odd": "category"}), y)
    with pytest.raises(ValueError, match=message):
        model.predict(odd)


def test_numbers_of_other_kinds_are_left_to_scikit_learn():
    """Objects and decimals, which it makes floats of; with two columns of a name, which it refuses since 1.9."""
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    _, x, y = words_and_labels()
    whole = np.round(10 * x)
    expected = make(FocalHistGradientBoostingClassifier).fit(pd.DataFrame({"x": whole}), y)
    for kind in (object, pd.ArrowDtype(pa.decimal128(19))):
        table = pd.DataFrame({"x": pd.Series(whole).astype(int).astype(kind)})
        model = make(FocalHistGradientBoostingClassifier).fit(table, y)
        np.testing.assert_array_equal(model.predict_proba(table), expected.predict_proba(table))
    twice = pd.DataFrame({"x": whole, "z": whole}, dtype=object).set_axis(["x", "x"], axis=1)
    with suppress(ValueError):
        assert (make(FocalHistGradientBoostingClassifier).fit(twice, y).predict(twice) == y).mean() > 0.5


@pytest.mark.parametrize("library", ["polars", "Arrow"])
@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_columns_that_no_engine_reads(estimator, library):
    """Words that are no categories, and days: LightGBM would end the process."""
    pa = pytest.importorskip("pyarrow")
    words, x, y = words_and_labels()
    days = np.arange(len(y)).astype("datetime64[D]")
    for values in (words, days):
        table = pa.table({"x": x, "odd": values})
        table = pytest.importorskip("polars").from_arrow(table) if library == "polars" else table
        with pytest.raises(ValueError, match=r"X must have columns of numbers, booleans or .*, got .* in 'odd': make"):
            make(estimator).fit(table, y)


def test_floats_of_16_bits(estimator):
    """LightGBM would end the process."""
    pa = pytest.importorskip("pyarrow")
    _, x, y = words_and_labels()
    half = x.astype(np.float16)
    table, plain = pa.table({"x": half, "other": half[::-1]}), np.column_stack([half, half[::-1]]).astype(np.float32)
    model = make(estimator).fit(table, y)
    np.testing.assert_array_equal(model.predict_proba(table), make(estimator).fit(plain, y).predict_proba(plain))


@pytest.mark.parametrize("library", ["polars", "Arrow"])
def test_columns_of_all_kinds_of_numbers(estimator, library):
    """Booleans some of which are missing among them, with categories beside them and without."""
    pa = pytest.importorskip("pyarrow")
    _, x, y = words_and_labels()
    flags = pa.array([None if number > 1.5 else number > 0 for number in x])
    plain = np.column_stack(
        [x, (x * 9).astype(np.int8), [np.nan if flag is None else flag for flag in flags.to_pylist()]]
    )
    table = pa.table({"x": x, "int": (x * 9).astype(np.int8), "flag": flags})
    with_word = table.append_column("word", pa.array(np.where(x > 0, "up", "down")).dictionary_encode())
    if library == "polars":
        table, with_word = map(pytest.importorskip("polars").from_arrow, (table, with_word))
    expected = make(estimator).fit(plain, y).predict_proba(plain)
    np.testing.assert_array_equal(make(estimator).fit(table, y).predict_proba(table), expected)
    assert make(estimator).fit(with_word, y).predict_proba(with_word).shape == (len(y), 2)


@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_numbers_of_another_byte_order(estimator, binary):
    """pandas keeps them so, if it cannot do much with them; scikit-learn refuses to predict of them."""
    pd = pytest.importorskip("pandas")
    X, y = pd.DataFrame(binary[0][:500], columns=list("abcdefgh")), binary[1][:500]
    X["word"] = pd.Categorical(["a", "b"] * 250)
    swapped = X.astype({"a": ">f4", "b": ">f8", "c": "<f8"})
    fit = {"eval_set": [(swapped, y)], **engine_of(estimator).quiet_fit}
    expected = make(estimator).fit(X, y).predict_proba(X)
    for model in (make(estimator).fit(X, y, **fit), make(estimator).fit(swapped, y, **fit)):
        np.testing.assert_allclose(model.predict_proba(swapped), expected, rtol=1e-5, atol=1e-6)
        (history,) = model.evals_result_.values()
        loss = model.focal_loss_.loss(y, model.decision_function(X)).mean()
        assert history["focal_loss"][-1] == pytest.approx(loss, rel=1e-5)


def test_scikit_learn_takes_words():
    pl = pytest.importorskip("polars")
    words, x, y = words_and_labels()
    given, plain = pl.DataFrame({"x": x, "word": words}), as_table("polars", words, x)
    model = make(FocalHistGradientBoostingClassifier, categorical_features=["word"]).fit(given, y)
    expected = make(FocalHistGradientBoostingClassifier).fit(plain, y).predict_proba(plain)
    np.testing.assert_array_equal(model.predict_proba(given), expected)


def test_tables_that_are_still_to_be_computed(estimator):
    pl = pytest.importorskip("polars")
    _, x, y = words_and_labels()
    with pytest.raises(TypeError, match=r"X must be a table that is there, got a LazyFrame: pass X.collect\(\)"):
        make(estimator).fit(pl.LazyFrame({"x": x}), y)


@pytest.mark.parametrize("estimator", WATCHING, **ids)  # scikit-learn's boosting predicts in its own way
def test_prediction_of_tables_that_are_still_to_be_computed(estimator):
    pl = pytest.importorskip("polars")
    _, x, y = words_and_labels()
    model = make(estimator).fit(pl.DataFrame({"x": x}), y)
    with pytest.raises(TypeError, match="LazyFrame"):
        model.predict(pl.LazyFrame({"x": x}))


@pytest.mark.parametrize("name", ["a\tb", "a\x0bb", "a b", "ä", "x=1", "Tree=0", "\u2028"])
@pytest.mark.parametrize("estimator", boosted_with("files"), **ids)
def test_odd_names_of_features(estimator, name, binary, tmp_path):
    pd = pytest.importorskip("pandas")
    X, y = binary
    frame = pd.DataFrame(X, columns=[name, *"bcdefgh"])
    model = make(estimator).fit(frame, y)
    np.testing.assert_array_equal(model.predict_proba(frame), make(estimator).fit(X, y).predict_proba(X))
    path = tmp_path / engine_of(estimator).files[0]
    model.save_model(path)
    np.testing.assert_array_equal(estimator().load_model(path).predict_proba(frame), model.predict_proba(frame))


@pytest.mark.parametrize("name", ["a\nb", "a\rb", ""])
def test_names_that_lightgbm_cannot_read_again(name, binary):
    pd = pytest.importorskip("pandas")
    X, y = binary
    message = "Features must have names that are not empty and without line breaks, got"
    with pytest.raises(ValueError, match=message):
        make(FocalLGBMClassifier).fit(pd.DataFrame(X, columns=[name, *"bcdefgh"]), y)
    with pytest.raises(ValueError, match=message):
        make(FocalLGBMClassifier).fit(X, y, feature_name=[name, *"bcdefgh"])


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")  # LightGBM's own, of an array
@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_names_need_not_be_compared(estimator, binary):
    """As in the engines, by `validate_features`; the number of features is, always."""
    pd = pytest.importorskip("pandas")
    X, y = binary
    model = make(estimator).fit(pd.DataFrame(X, columns=list("abcdefgh")), y)
    expected = model.predict_proba(pd.DataFrame(X, columns=list("abcdefgh")))
    for other in (pd.DataFrame(X, columns=list("ABCDEFGH")), X):
        np.testing.assert_array_equal(model.predict_proba(other, validate_features=False), expected)
        np.testing.assert_array_equal(model.predict(other, validate_features=False), expected.argmax(axis=1))
        with pytest.raises(ValueError, match="3 features, but"):
            model.predict(other[:, :3] if other is X else other.iloc[:, :3], validate_features=False)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(pd.DataFrame(X, columns=list("ABCDEFGH")))


@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")  # scikit-learn's own
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_a_table_of_other_columns_is_refused(estimator, kind, named, binary):
    """In another order, fewer, or none at all."""
    pd, library = pytest.importorskip("pandas"), pytest.importorskip(kind)
    X, y = binary
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    table = {
        "pandas": lambda part: part,
        "polars": lambda part: library.from_pandas(part),
        "pyarrow": lambda part: library.Table.from_pandas(part),
    }[kind]
    model = make(estimator).fit(table(frame) if named else X, y)
    if named:
        model.predict(table(frame))
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(table(frame[list("hgfedcba")]))
    with pytest.raises(ValueError, match=r"feature names should match|[03] features, but"):
        model.predict(table(frame[["a", "b", "c"]]))
    with pytest.raises(ValueError, match=r"feature names should match|0 feature"):
        model.predict(table(frame[[]]))


def of_no_category(kind):
    """Return a column without any category: that of a row whose category is missing, or of a table without any."""
    if kind.startswith("pandas"):
        pd = pytest.importorskip("pandas")
        column = pd.Series([None], dtype=object if kind == "pandas" else float)
        return pd.DataFrame({"word": column.astype("category")})
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"word": pa.array([None], pa.string()).dictionary_encode()})
    return pytest.importorskip("polars").from_arrow(table) if kind == "polars" else table


@pytest.mark.parametrize("kind", ["pandas", "pandas, floats", "Arrow", "polars"])
@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_a_row_whose_category_is_missing(estimator, kind):
    """XGBoost fails at it, alone in a table; the answer is that of the same row among others."""
    pd = pytest.importorskip("pandas")
    words, _, y = words_and_labels()
    table = pd.DataFrame({"word": pd.Categorical(np.where(np.arange(len(y)) % 5, words, None))})
    model = make(estimator).fit(table, y)
    np.testing.assert_array_equal(model.predict_proba(of_no_category(kind)), model.predict_proba(table)[:1])


@pytest.mark.parametrize("kind", ["pandas", "pandas, floats", "Arrow", "polars"])
@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_training_without_any_category(estimator, kind):
    """The column says nothing."""
    _, x, y = words_and_labels()
    row, numbers = of_no_category(kind), x[:500]
    if kind.startswith("pandas"):
        table = row.iloc[np.zeros(500, dtype=int)].assign(x=numbers)
    elif kind == "Arrow":
        table = row.take(np.zeros(500, dtype=int)).append_column("x", [numbers])
    else:
        table = row[[0] * 500].with_columns(x=numbers)
    # Random thresholds are drawn for the column too.
    expected = like_own(estimator).fit(numbers[:, None], y[:500]).predict_proba(numbers[:, None])
    np.testing.assert_array_equal(like_own(estimator).fit(table, y[:500]).predict_proba(table), expected)


def test_arrows_names_with_a_mask(estimator):
    """As pandas makes them, even where none is missing: XGBoost does not take them."""
    pa = pytest.importorskip("pyarrow")
    words, x, y = words_and_labels()
    plain = as_table("Arrow", words, x)
    expected = make(estimator).fit(plain, y).predict_proba(plain)
    names = plain["word"].chunk(0).dictionary
    masked = pa.StringArray.from_buffers(len(names), *names.buffers()[1:], pa.py_buffer(b"\xff" * 8))
    codes = plain["word"].chunk(0).indices
    table = pa.table({"x": x, "word": pa.DictionaryArray.from_arrays(codes, masked)})
    assert table["word"].chunk(0).dictionary.buffers()[0] is not None
    np.testing.assert_array_equal(make(estimator).fit(table, y).predict_proba(table), expected)


def test_arrows_categories_one_of_which_is_null():
    """XGBoost does not take its name; pandas, which others read such tables by, says that it must not be."""
    pa = pytest.importorskip("pyarrow")
    words, x, y = words_and_labels()
    gone = pa.array([None if word == "ä" else word for word in words])
    encoded = pa.table({"x": x, "word": gone.dictionary_encode(null_encoding="encode")})
    usual = pa.table({"x": x, "word": gone.dictionary_encode()})
    expected = make(FocalXGBClassifier).fit(usual, y).predict_proba(usual)
    np.testing.assert_array_equal(make(FocalXGBClassifier).fit(encoded, y).predict_proba(encoded), expected)


def of_odd_categories(names):
    """Return a table with categories that are no words, and labels."""
    pd = pytest.importorskip("pandas")
    _, x, y = words_and_labels()
    column = {
        "days": pd.Series(np.arange(len(y)) % 3).astype("datetime64[s]").astype("category"),
        "intervals": pd.Series(pd.cut(x, 3)),
        "floats": pd.Series(np.arange(len(y)) % 3 + 0.5).astype("category"),
        "numbers and words": pd.Series(np.arange(len(y)) % 3, dtype=object).replace(2, "two").astype("category"),
    }[names]
    return pd.DataFrame({"x": x, "odd": column}), y


ODD = ["days", "intervals", "floats", "numbers and words"]


@pytest.mark.parametrize(
    ("estimator", "names"),
    [(each, names) for each in WATCHING for names in ODD if names not in engine_of(each).odd_categories],
)
def test_categories_that_are_refused(estimator, names):
    """LightGBM finds out after training that it cannot write some down; XGBoost does not say which column it is.

    Before anything is split off, which these labels cannot be.
    """
    table, y = of_odd_categories(names)
    early = engine_of(estimator).early(3)
    with pytest.raises(ValueError, match=r"X must have categories that are .*, got .* in 'odd': make words"):
        make(estimator, **early).fit(table, np.arange(len(y)) == 0)


@pytest.mark.parametrize(
    ("estimator", "names"), [(each, names) for each in WATCHING for names in engine_of(each).odd_categories]
)
def test_categories_that_are_no_words(estimator, names):
    table, y = of_odd_categories(names)
    assert make(estimator).fit(table, y).predict_proba(table).shape == (len(y), 2)


@pytest.mark.parametrize(
    ("estimator", "params"),
    [*((each, {}) for each in BOOSTED), (FocalHistGradientBoostingClassifier, {"early_stopping": True})],
)
def test_columns_without_any_value(estimator, params):
    """Whatever is in them later: trees have no threshold for it. scikit-learn 1.9 fails at such columns by itself."""
    _, x, y = words_and_labels()
    X = np.column_stack([x, np.full(len(y), np.nan), x[::-1]])
    for weight in (None, np.arange(len(y)) % 2):
        model = make(estimator, **params).fit(X, y, sample_weight=weight)
        later = np.column_stack([x, np.where(x > 0, 1.0, np.nan), x[::-1]])
        np.testing.assert_array_equal(model.predict_proba(later), model.predict_proba(X))
        assert len(np.unique(model.predict_proba(X)[:, 1])) > 10
