"""Categories go to ONNX: those that trees know, and those that steps of a pipeline encode; words as words."""

import warnings
from datetime import date

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from xgboost import XGBClassifier

from skfocal import FocalLGBMClassifier, FocalXGBClassifier
from skfocal.onnx import to_onnx

from .conftest import BOOSTED, boosted_with, engine_of, like_own, make

pd = pytest.importorskip("pandas")
runtime = pytest.importorskip("onnxruntime")
for package in ("onnx", "skl2onnx", "ndonnx", "spox"):
    pytest.importorskip(package)

WORDS, NUMBERS = ["merchant", "kind"], ["amount", "hour"]


@pytest.fixture(params=BOOSTED, ids=lambda estimator: estimator.__name__)
def boosted(request):
    return request.param


def payments(seed, n=3000):
    """Return payments, with words and numbers of which some are missing or rare, and ids that float32 cannot hold."""
    rng = np.random.default_rng(seed)
    merchant, near = rng.integers(0, 50, n), rng.integers(0, 30, n)
    risk = 0.5 * (merchant % 7 == 0) + 0.4 * (near % 5 == 1)
    table = pd.DataFrame(
        {
            "amount": rng.lognormal(size=n),
            "merchant": np.array([f"shop {i}" for i in range(50)], dtype=object)[merchant],
            "kind": rng.choice(np.array(["web", "None", "", "atm"], dtype=object), n),
            "id": 2**24 + near,
            "hour": rng.integers(0, 24, n).astype(float),
            "abroad": rng.random(n) < 0.2,
        }
    )
    table.loc[:5, "merchant"], table.loc[6:8, "merchant"] = "rare", "rarer"
    table.loc[rng.random(n) < 0.1, "merchant"] = np.nan
    table.loc[rng.random(n) < 0.1, "hour"] = np.nan
    return table, (rng.random(n) < 0.05 + risk).astype(int)


@pytest.fixture(scope="module")
def known():
    return payments(0)


@pytest.fixture(scope="module")
def new(known):
    """Return payments with merchants and ids that the known ones do not have."""
    table = payments(1)[0]
    table.loc[::9, "merchant"] = "new"
    table.loc[::10, "id"] = 2**24 + 40 + np.arange(len(table))[::10]
    assert set(table["id"]) - set(known[0]["id"])
    return table


def several(y):
    return np.array(["ok", "stolen", "lost"])[np.where(y, 1 + np.arange(len(y)) % 2, 0)]


def session_of(model):
    return runtime.InferenceSession(to_onnx(model).SerializeToString(), providers=["CPUExecutionProvider"])


def run(session, X):
    """Return the probabilities: of a matrix, or of a table's columns one by one, as the README says."""
    inputs = session.get_inputs()
    if [each.name for each in inputs] == ["X"]:
        return session.run(["probabilities"], {"X": np.asarray(X, dtype=np.float64)})[0]
    columns = {each.name: X[[each.name]].to_numpy(object if "string" in each.type else float) for each in inputs}
    return session.run(["probabilities"], columns)[0]


def assert_same(model, *tables, session=None):
    session = session or session_of(model)
    for X in tables:
        np.testing.assert_allclose(run(session, X), model.predict_proba(X), rtol=1e-7, atol=1e-5)


def as_categories(table, like=None):
    """Return a table with columns of categories, of known ones only if it is given a table like it."""
    table = table.copy()
    for name in ["merchant", "kind", "id"]:
        known = table[name] if like is None else like[name].cat.categories
        values = table[name].where(table[name].isin(known))
        table[name] = pd.Categorical(values, categories=None if like is None else known)
    return table


def shuffled(table):
    order = np.random.default_rng(2).permutation(len(table))
    return table.assign(**{name: table[name].to_numpy()[order] for name in ["merchant", "id"]}).astype(table.dtypes)


@pytest.mark.parametrize("labels", [np.asarray, several])
def test_categories_of_a_table(boosted, known, new, labels):
    X, y = as_categories(known[0]), labels(known[1])
    for params in engine_of(boosted).category_splits:
        model = make(boosted, **params).fit(X, y)
        assert np.abs(model.predict_proba(X) - model.predict_proba(shuffled(X))).max() > 0.3  # they matter
        session = session_of(model)
        words = {each.name for each in session.get_inputs() if each.type == "tensor(string)"}
        assert words == {"merchant", "kind"}
        assert_same(model, X, as_categories(new, like=X), session=session)
        assert_same(model, as_categories(new), session=session)  # with categories that it has not seen


def test_categories_that_are_numbers(boosted, known):
    """Of a table: the matrix holds the categories themselves."""
    X, y = as_categories(known[0])[["id", "amount", "abroad"]], known[1]
    model = make(boosted).fit(X, y)
    assert [(each.name, each.type) for each in session_of(model).get_inputs()] == [("X", "tensor(double)")]
    assert_same(model, X)


def test_codes_of_categories(boosted, known):
    """Of a matrix: codes, of which some were not in training, are missing, or are no whole numbers to the engine."""
    table, y = known
    code = table["id"] % 29
    X = np.column_stack([np.where(code == 3, np.nan, code), table["amount"], table["hour"]])
    params, of_fit = engine_of(boosted).codes
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "categorical_feature keyword has been found", UserWarning)
        model = make(boosted, **params).fit(X, y, **of_fit)
    other = X.copy()
    other[:, 0] += 5.0
    assert np.ptp(model.predict_proba(X)[:, 1]) > 0.3
    assert_same(model, X, other)
    other[:, 0] += 0.5
    assert_same(model, other)


@pytest.mark.parametrize("boosted", boosted_with("files"))
def test_categories_of_a_model_from_a_file(boosted, known, tmp_path):
    X = as_categories(known[0])
    for name in engine_of(boosted).files:
        make(boosted).fit(X, known[1]).save_model(tmp_path / name)
        assert_same(boosted().load_model(tmp_path / name), X)


def test_categories_after_early_stopping(boosted, known):
    """Some are in the validation data only."""
    X, y = known
    word = np.where(y, np.where(np.arange(len(y)) % 3, "bad", "good"), "good")
    X = as_categories(X).assign(word=pd.Categorical(np.where(np.arange(len(y)) % 12, word, X.index.astype(str))))
    model = make(boosted, n_estimators=60, random_state=0, **engine_of(boosted).early(5)).fit(X, y)
    assert_same(model, X, X.assign(word=pd.Categorical([np.nan] * len(y), categories=X["word"].cat.categories)))


def encode(encoder, columns=(*WORDS, "id"), **params):
    """Return steps that encode some columns, and fill and scale those of numbers."""
    scale = make_pipeline(SimpleImputer(), StandardScaler())
    parts = [("encode", encoder, list(columns)), ("scale", scale, NUMBERS)]
    return [ColumnTransformer(parts, **{"sparse_threshold": 0.0} | params)]


OTHERS = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
ENCODERS = {
    "ordinal": lambda: encode(OrdinalEncoder(**OTHERS)),
    "ordinal, missing": lambda: encode(OrdinalEncoder(**OTHERS | {"unknown_value": np.nan}, encoded_missing_value=-5)),
    "ordinal, rare": lambda: encode(OrdinalEncoder(**OTHERS, min_frequency=20, encoded_missing_value=-2)),
    "ordinal, few": lambda: encode(OrdinalEncoder(**OTHERS, max_categories=7, dtype=np.int32), [*WORDS[1:], "id"]),
    "one-hot": lambda: encode(OneHotEncoder(handle_unknown="ignore")),
    "one-hot, first dropped": lambda: encode(OneHotEncoder(handle_unknown="ignore", drop="first")),
    "one-hot, of two one": lambda: encode(OneHotEncoder(handle_unknown="ignore", drop="if_binary"), ["abroad", "kind"]),
    "one-hot, rare": lambda: encode(
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, sparse_output=False)
    ),
    "one-hot, few": lambda: encode(OneHotEncoder(handle_unknown="warn", max_categories=5, drop="first")),
    "rate": lambda: encode(TargetEncoder(), sparse_threshold=0.3),
    "target": lambda: encode(TargetEncoder()),
    "target, smooth": lambda: encode(TargetEncoder(smooth=30.0), ["id", "abroad", "hour", "kind"]),
    "filled, target": lambda: encode(make_pipeline(SimpleImputer(strategy="most_frequent"), TargetEncoder()), WORDS),
    "filled, one-hot": lambda: encode(
        make_pipeline(
            SimpleImputer(strategy="constant", fill_value="?"),
            FunctionTransformer(),
            OneHotEncoder(handle_unknown="ignore"),
        ),
        WORDS,
        remainder="passthrough",
    ),
    "all of them": lambda: encode(FeatureUnion([("number", OrdinalEncoder(**OTHERS)), ("rate", TargetEncoder())])),
    "nothing before": lambda: encode(make_pipeline("passthrough", TargetEncoder())),
    "one after another": lambda: [
        ColumnTransformer(
            [("fill", SimpleImputer(strategy="most_frequent"), WORDS), ("scale", StandardScaler(), NUMBERS)],
            remainder="passthrough",
        ),
        ColumnTransformer([("rate", TargetEncoder(), [0, 1])], remainder="passthrough"),
        SimpleImputer(),
    ],
}


@pytest.mark.filterwarnings("ignore:Found unknown categories", "ignore:'force_int_remainder_cols'")
@pytest.mark.parametrize("steps", ENCODERS)
def test_pipelines_that_encode(boosted, known, new, steps):
    X, y = known
    pipeline = make_pipeline(*ENCODERS[steps](), like_own(boosted)).fit(X, several(y) if "target" in steps else y)
    assert np.ptp(pipeline.predict_proba(X), axis=0).max() > 0.3
    assert_same(pipeline, X, new)


@pytest.mark.parametrize("boosted", boosted_with("sparse"))
def test_one_hot_in_a_sparse_matrix(boosted, known, new):
    """Beyond ASCII, too; of thousands of categories the model does not hold a matrix of zeros."""
    X, y = known
    X, new = (table.assign(merchant=table["merchant"] + "é", id=table["id"].astype(str)) for table in (X, new))
    X["id"] = np.where(np.arange(len(y)) % 2, np.arange(len(y)).astype(str), X["id"])
    steps = encode(OneHotEncoder(handle_unknown="ignore"), sparse_threshold=1.0)
    pipeline = make_pipeline(*steps, make(boosted)).fit(X, y)
    assert_same(pipeline, X, new)
    assert len(to_onnx(pipeline).SerializeToString()) < 1e6


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=str)
def test_unknown_categories_are_an_error_where_they_are_one(boosted, known, new, encoder):
    pipeline = make_pipeline(*encode(encoder), make(boosted)).fit(*known)
    session = session_of(pipeline)
    assert_same(pipeline, known[0], session=session)
    with pytest.raises(ValueError, match="Found unknown categories"):
        pipeline.predict_proba(new)
    with pytest.raises(Exception, match="out of data bounds"):
        run(session, new)


def test_ids_in_a_matrix(boosted, known, new):
    X, y = known[0]["id"].to_numpy()[:, None], known[1]
    pipeline = make_pipeline(TargetEncoder(), make(boosted)).fit(X, y)
    assert_same(pipeline, X, new[["id"]].to_numpy(), X + 0.5)


def test_words_in_a_matrix(boosted, known, new):
    """Its columns have no names, so that they get those of scikit-learn."""
    X, other = (table[WORDS].to_numpy(dtype=object) for table in (known[0], new))
    pipeline = make_pipeline(OrdinalEncoder(**OTHERS), make(boosted)).fit(X, known[1])
    named = [pd.DataFrame(each, columns=["x0", "x1"]) for each in (X, other)]
    for each, table in zip((X, other), named, strict=True):
        np.testing.assert_allclose(run(session_of(pipeline), table), pipeline.predict_proba(each), atol=1e-5)


def test_columns_that_are_dropped_are_no_inputs(boosted, known):
    parts = [("encode", OrdinalEncoder(), ["kind"]), ("amount", "passthrough", ["amount"]), ("id", "drop", ["id"])]
    pipeline = make_pipeline(ColumnTransformer(parts), make(boosted)).fit(*known)
    assert {each.name for each in session_of(pipeline).get_inputs()} == {"kind", "amount"}
    assert_same(pipeline, known[0])


def test_words_that_steps_hand_on_to_trees(boosted, known):
    columns = make_column_transformer(
        (StandardScaler(), NUMBERS), remainder="passthrough", verbose_feature_names_out=False
    )
    pipeline = make_pipeline(columns.set_output(transform="pandas"), make(boosted))
    X = as_categories(known[0])
    assert_same(pipeline.fit(X, known[1]), X)


@pytest.mark.parametrize("encoder", [OrdinalEncoder(), OneHotEncoder(sparse_output=False), TargetEncoder()], ids=str)
def test_encoders_that_return_tables(boosted, known, encoder):
    pipeline = make_pipeline(encoder, make(boosted)).set_output(transform="pandas").fit(known[0][WORDS], known[1])
    assert_same(pipeline, known[0][WORDS])


class LogImputer(SimpleImputer):
    def transform(self, X):
        return np.log1p(np.abs(super().transform(X)))


class AddIndicator(SimpleImputer):
    """Other words for what it is."""


def test_subclasses_that_do_something_else_are_refused(boosted, binary):
    X, y = binary
    refused(make_pipeline(LogImputer(), make(boosted)), X, y, "got LogImputer.*: its class has a transform of its own")
    to_onnx(make_pipeline(AddIndicator(), make(boosted)).fit(X, y))
    theirs = type(
        "Other", (boosted,), {"predict_proba": lambda self, X, **how: 1 - boosted.predict_proba(self, X, **how)}
    )
    with pytest.raises(TypeError, match="must predict as its parent in skfocal does, got a Other"):
        to_onnx(make(theirs).fit(X, y))


def test_what_a_search_has_found(boosted, known):
    grid = {"targetencoder__smooth": [1.0, 9.0]}
    X, y = known[0][WORDS], known[1]
    pipeline = make_pipeline(TargetEncoder(), make(boosted))
    search = GridSearchCV(pipeline, grid, cv=2, scoring="average_precision").fit(X, y)
    assert_same(search, X)
    last = make_pipeline(TargetEncoder(), GridSearchCV(make(boosted), {"focal_gamma": [0.0, 2.0]}, cv=2))
    assert_same(last.fit(X, y), X)


def test_what_stands_around_a_classifier_names_the_way_out(boosted, binary):
    X, y = binary
    around = {
        r"GridSearchCV\. .* best_estimator_: fit it, with refit=True": GridSearchCV(
            make(boosted), {}, cv=2, refit=False
        ),
        r"CalibratedClassifierCV\. Pass the estimator of one": CalibratedClassifierCV(make(boosted), cv=2),
        r"FixedThresholdClassifier\. Pass its estimator_": FixedThresholdClassifier(make(boosted)),
        r"TunedThresholdClassifierCV\. Pass its estimator_": TunedThresholdClassifierCV(make(boosted), cv=2),
    }
    for message, model in around.items():
        with pytest.raises(TypeError, match=message):
            to_onnx(model.fit(X, y))


def refused(model, X, y, message):
    with pytest.raises(ValueError, match=message):
        to_onnx(model.fit(X, y))


def test_categories_that_onnx_cannot_tell_apart(boosted, known):
    X, y = known[0].astype({"kind": object}), known[1]
    pipeline = make_pipeline(OrdinalEncoder(), make(boosted))
    X.loc[X["kind"] == "web", "kind"] = "nan"
    X.loc[X["kind"] == "atm", "kind"] = np.nan
    refused(pipeline, X[["kind"]], y, "cannot tell from each other: .*Rename what is missing")
    refused(pipeline, 2**53 + X[["id"]], y, "above 2\\*\\*53 cannot be categories for ONNX: make them words")
    refused(pipeline, X[["merchant"]].rename(columns={"merchant": "label"}), y, "no features 'label' and .*: rename")
    days = [date(2024, 1, 1 + int(hour)) for hour in X["hour"].fillna(0)]
    dates = pd.DataFrame({"day": pd.Series(days, index=X.index, dtype=object)})
    refused(pipeline, dates, y, "Categories must be all words or all numbers for ONNX")


def test_words_that_nothing_encodes(boosted, known):
    X, y = known
    indicated = SimpleImputer(strategy="most_frequent", add_indicator=True)
    encoded = make_pipeline(indicated, OrdinalEncoder(**OTHERS))
    refused(make_pipeline(encoded, make(boosted)), X[WORDS], y, "got SimpleImputer.*: .*Transform the data before")
    beside = FeatureUnion([("gone", MissingIndicator(features="all")), ("rate", TargetEncoder())])
    refused(make_pipeline(beside, make(boosted)), X[WORDS], y, "got MissingIndicator.*: words must be encoded before")


def test_words_beyond_ascii(boosted, known):
    """XGBoost keeps those of a table whole: it is handed over as one of Arrow."""
    X, y = as_categories(known[0])[["kind", "amount"]], known[1]
    accents = X.assign(kind=X["kind"].cat.rename_categories(lambda word: "ß" + word + "é"))
    assert_same(make(boosted).fit(accents, y), accents)


def test_words_that_xgboost_has_cut(known):
    """Of a model of XGBoost's own class, trained on pandas, that went on without the column."""
    X, y = as_categories(known[0])[["kind", "amount"]], known[1]
    accents = X.assign(kind=X["kind"].cat.rename_categories(lambda word: word + "é"))
    old = XGBClassifier(n_estimators=2, enable_categorical=True, n_jobs=1).fit(accents, y)
    none = accents.assign(kind=accents["kind"].where(accents["amount"] > np.inf))
    model = make(FocalXGBClassifier).fit(none, y, xgb_model=old)
    with pytest.raises(ValueError, match=r"whole categories to go to ONNX, XGBoost has cut .*: fit it on a table"):
        to_onnx(model)


def test_categories_that_engines_do_not_tell_of(known):
    X, y = as_categories(known[0]), known[1]
    ordered = X.assign(kind=X["kind"].cat.as_ordered())
    refused(make(FocalLGBMClassifier), ordered, y, "no ordered categories.* OrdinalEncoder in a pipeline")
    refused(make(FocalXGBClassifier, missing=0.5), X, y, "missing=nan to go to ONNX with categories, got 0.5")
