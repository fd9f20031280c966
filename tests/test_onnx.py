"""ONNX models give what predict and predict_proba give, in a runtime that knows neither skfocal nor an engine."""

import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA, KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from skfocal import FocalXGBClassifier
from skfocal.datasets import load_creditcard
from skfocal.onnx import to_onnx

from .conftest import BOOSTED, CONSTANT, boosted_with, engine_of, make, real_data

ids = {"ids": lambda estimator: estimator.__name__}


@pytest.fixture(params=BOOSTED, **ids)
def boosted(request):
    for package in ("onnx", "skl2onnx", "ndonnx", "spox"):
        pytest.importorskip(package)
    return request.param


def run(model, X):
    """Return labels and probabilities by onnxruntime."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(to_onnx(model).SerializeToString(), providers=["CPUExecutionProvider"])
    has_steps = any(hasattr(step, "transform") for _, step in getattr(model, "steps", ())[:-1])
    dtype, name = (np.float64, "double") if has_steps else (np.float32, "float")
    assert [(each.name, each.type, each.shape[1]) for each in session.get_inputs()] == [
        ("X", f"tensor({name})", np.shape(X)[1])
    ]
    return session.run(["label", "probabilities"], {"X": np.asarray(X, dtype=dtype)})


def assert_same(model, X, share=1.0):
    """Assert that ONNX gives what the model gives, for at least a share of the samples."""
    label, probabilities = run(model, X)
    assert probabilities.dtype == np.float32
    same = np.isclose(probabilities, model.predict_proba(X), rtol=1e-7, atol=1e-5).all(axis=1)
    assert same.mean() >= share
    label, X = label[same], X[same]
    # Where two classes are as probable as each other to the last digit, either is right.
    best_two = np.sort(model.predict_proba(X), axis=1)[:, -2:]
    clear = best_two[:, 1] - best_two[:, 0] > 1e-5
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(label[clear], model.predict(X)[clear])


FOCAL = {
    "defaults": {},
    "mixed": {"focal_mix": 0.1, "focal_alpha": "balanced"},
    "gammas": {"focal_gamma": {"a": 0.5, "b": 3.0}},
    "prior": {"prior": {"a": 0.9, "b": 0.1}},
    "log loss": {"focal_gamma": 0.0},
}


@pytest.mark.parametrize("params", FOCAL.values(), ids=FOCAL)
def test_two_classes(boosted, binary, params):
    X, y = binary
    assert_same(make(boosted, **params).fit(X, np.array(["a", "b"])[y]), X)


@pytest.mark.parametrize(
    "params", [{}, {"focal_gamma": [0.0, 1.0, 2.0, 3.0, 0.5], "focal_mix": 0.1}, {"prior": [1, 2, 3, 4, 5]}], ids=str
)
def test_many_classes(boosted, multiclass, params):
    X, y = multiclass
    assert_same(make(boosted, **params).fit(X, y), X)


@pytest.mark.parametrize("stops", [False, True])
def test_real_frauds(boosted, stops):
    X, y = load_creditcard(return_X_y=True)
    params = {"n_estimators": 300, "random_state": 0, **engine_of(boosted).early(5)} if stops else {}
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    complete, with_holes = make(boosted, **params).fit(X, y), make(boosted, **params).fit(holes, y)
    assert_same(complete, X)
    assert_same(with_holes, holes)
    assert_same(complete, holes)  # values that are missing only now
    assert_same(make(boosted, **params).fit(X, y.astype(bool)), X)


@pytest.mark.parametrize("name", ["mc_page_blocks", "mc_thyroid", "mc_covtype_10k", "credit_default_uci"])
def test_real_data_of_many_kinds(boosted, name):
    """A table with names; several trees a round, where the engine has them."""
    X, y = real_data(name)
    X = X.select_dtypes("number").astype(np.float32)
    early = {"n_estimators": 60, "random_state": 0, **engine_of(boosted).early(5)}
    assert_same(make(boosted, **early, **engine_of(boosted).bagging).fit(X, y), X)


def test_values_on_a_threshold(boosted):
    """Of float32 features that lie so close that no float32 is between them."""
    rng = np.random.default_rng(0)
    steps = np.float32(1) + np.arange(40, dtype=np.float32) * np.finfo(np.float32).eps
    X = rng.choice(steps, size=(2000, 3))
    y = (X.sum(axis=1) > np.median(X.sum(axis=1))).astype(int)
    model = make(boosted, **engine_of(boosted).fine_bins).fit(X, y)
    assert np.ptp(model.predict_proba(X)[:, 1]) > 0.5
    assert_same(model, X)


@CONSTANT
def test_a_model_without_splits(boosted, binary):
    _, y = binary
    X = np.ones((len(y), 2), dtype=np.float32)
    assert_same(make(boosted).fit(X, y), X)


def refused(boosted, params, X, y, message):
    with pytest.raises((ValueError, TypeError), match=message):
        to_onnx(make(boosted, **params).fit(X, y))


def test_what_onnx_has_no_equal_of(boosted, binary):
    X, y = binary
    days = np.array(["2024-02-29", "2025-01-01"], dtype="datetime64[D]")
    refused(boosted, {}, X, days[y], "Labels must be numbers, booleans or strings for ONNX")
    for message, params in engine_of(boosted).onnx_refuses.items():
        refused(boosted, params, np.round(X), y, message)


def test_multi_output_trees_have_no_equal_either(binary, tmp_path):
    X, y = binary[0], (binary[0][:, 0] > 0) + binary[1]
    trees = {"multi_strategy": "multi_output_tree", "tree_method": "hist"}
    refused(FocalXGBClassifier, trees, X, y, "one margin a tree to go to ONNX: fit it with multi_strategy='one_output")
    file = tmp_path / "model.ubj"
    make(FocalXGBClassifier, **trees).fit(X, y).save_model(file)
    with pytest.raises(ValueError, match="one margin a tree to go to ONNX: fit it with multi_strategy='one_output"):
        to_onnx(FocalXGBClassifier().load_model(file))


STEPS = {
    "scale": lambda: [StandardScaler()],
    "project": lambda: [RobustScaler(), PCA(5)],
    "impute": lambda: [SimpleImputer(), StandardScaler()],
    "impute a constant": lambda: [SimpleImputer(strategy="constant", fill_value=-1.5)],
    "impute nothing": lambda: [
        SimpleImputer(missing_values=0.0, strategy="constant", fill_value=np.nan, keep_empty_features=True)
    ],
    "impute for another mark": lambda: [SimpleImputer(missing_values=0.0, strategy="median", add_indicator=True)],
    "indicate": lambda: [SimpleImputer(add_indicator=True), "passthrough", MinMaxScaler()],
    "choose": lambda: [SimpleImputer(strategy="most_frequent"), SelectKBest(k=20)],
    "nothing": lambda: ["passthrough"],
    "nothing, in a pipeline": lambda: [make_pipeline("passthrough", StandardScaler(), None)],
    "bins": lambda: [
        SimpleImputer(),
        KBinsDiscretizer(6, encode="onehot-dense", quantile_method="averaged_inverted_cdf"),
    ],
    "numbers of bins": lambda: [SimpleImputer(), KBinsDiscretizer(9, encode="ordinal", strategy="uniform")],
    "above": lambda: [SimpleImputer(), Binarizer(threshold=0.5)],
    "functions": lambda: [FunctionTransformer(), FunctionTransformer(np.abs), FunctionTransformer(np.sqrt)],
    "union": lambda: [
        SimpleImputer(),
        FeatureUnion(
            [("scale", StandardScaler()), ("no", "drop"), ("as", "passthrough")], transformer_weights={"as": -3}
        ),
    ],
}


@pytest.fixture(scope="module")
def frauds():
    """Return features of float64, as a table has them, some missing, and labels."""
    X, y = load_creditcard(return_X_y=True)
    return np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X.astype(np.float64)), y


@pytest.mark.parametrize("steps", STEPS)
def test_pipelines(boosted, frauds, steps):
    """A threshold of XGBoost is a value of the training data, and no digit of that may be lost."""
    X, y = frauds
    if steps in ("impute for another mark", "impute nothing"):
        X = np.nan_to_num(X)
    if steps == "project":
        X = load_creditcard(return_X_y=True)[0].astype(np.float64)
    # PCA sums in another order: what falls on a threshold may then fall on its other side.
    share = 0.998 if steps == "project" and engine_of(boosted).last_digit_decides else 1.0
    assert_same(make_pipeline(*STEPS[steps](), make(boosted)).fit(X, y), X, share)


@pytest.mark.filterwarnings("ignore:Skipping features without any observed values")
@pytest.mark.parametrize("kept", [False, True])
def test_an_empty_column(boosted, frauds, kept):
    X, y = np.nan_to_num(frauds[0]), frauds[1]
    X[:, 3] = X[::7, 14] = np.nan
    imputer = SimpleImputer(add_indicator=True, keep_empty_features=kept)
    assert_same(make_pipeline(imputer, make(boosted)).fit(X, y), X)


def test_samplers_have_no_part_in_predictions(boosted, frauds):
    imblearn = pytest.importorskip("imblearn")
    X, y = np.nan_to_num(frauds[0]), frauds[1]
    under = imblearn.under_sampling.RandomUnderSampler(random_state=0)
    assert_same(imblearn.pipeline.make_pipeline(under, StandardScaler(), make(boosted)).fit(X, y), X)


def test_columns_by_name(boosted, frauds):
    """The model has no names: columns are in the order of the table."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(frauds[0]).rename(columns="V{}".format)
    columns = ColumnTransformer(
        [
            ("scale", make_pipeline(SimpleImputer(), StandardScaler()), ["V9", "V1"]),
            ("drop", "drop", ["V2"]),
            ("indicate", SimpleImputer(add_indicator=True), make_column_selector("V1.")),
        ],
        remainder="passthrough",
        transformer_weights={"scale": 0.3, "indicate": 7.0},
    )
    assert_same(make_pipeline(columns, make(boosted)).fit(frame, frauds[1]), frame)
    nested = make_pipeline(make_pipeline(columns, RobustScaler()), make(boosted))
    assert_same(nested.fit(frame, frauds[1]), frame)


@pytest.mark.parametrize("boosted", boosted_with("sparse"))
def test_steps_that_make_a_sparse_matrix(boosted, frauds, tmp_path):
    """What that leaves out is missing to XGBoost, and 0 to LightGBM."""
    X, y = frauds
    merchant = np.random.default_rng(0).integers(0, 40, len(y)) // (1 + 3 * y)
    X = np.column_stack([np.nan_to_num(X[:, :2]), merchant])
    encode = ("encode", OneHotEncoder(handle_unknown="ignore"), [2])
    columns = ColumnTransformer([encode, ("scale", StandardScaler(), [0, 1])], sparse_threshold=1.0)
    pipeline = make_pipeline(columns, make(boosted)).fit(X, y)
    assert sparse.issparse(pipeline[:-1].transform(X))
    assert np.ptp(pipeline.predict_proba(X)[:, 1]) > 0.3
    assert_same(pipeline, X)
    dense = make_pipeline(columns.set_params(sparse_threshold=0.0), make(boosted)).fit(X, y)
    assert not sparse.issparse(dense[:-1].transform(X))
    assert_same(dense, X)
    pipeline[-1].save_model(tmp_path / engine_of(boosted).files[-1])
    (file,) = tmp_path.iterdir()
    assert_same(make_pipeline(columns.set_params(sparse_threshold=1.0).fit(X), dense[-1].load_model(file)), X)


def test_a_sampler_that_makes_a_dense_matrix(binary):
    """What XGBoost takes for missing in predictions is what a sparse matrix leaves out, whatever a sampler did."""
    X, y = sparse.csr_matrix(np.where(np.abs(binary[0]) < 0.5, 0, binary[0])), binary[1]
    model = make(FocalXGBClassifier, sampler=Densify()).fit(X, y)
    assert model._trained_on_sparse
    assert not make(FocalXGBClassifier, sampler=Densify()).fit(X.toarray(), y)._trained_on_sparse


class Densify(BaseEstimator):
    def fit_resample(self, X, y):
        self.sample_indices_ = np.arange(len(y))
        return X.toarray() if sparse.issparse(X) else X, y


def test_steps_in_float32(boosted, frauds):
    """Few rows may be on the other side of a threshold, and a warning says so."""
    X, y = np.nan_to_num(frauds[0]), frauds[1]
    for step in (PowerTransformer(), PolynomialFeatures(interaction_only=True)):
        pipeline = make_pipeline(SelectKBest(k=5), step, make(boosted)).fit(X, y)
        with pytest.warns(UserWarning, match="Steps of the pipeline go to ONNX in float32") as record:
            probabilities = run(pipeline, X)[1]
        assert __file__ in [each.filename for each in record]
        same = np.isclose(probabilities, pipeline.predict_proba(X), atol=1e-5).all(axis=1).mean()
        assert same > (0.9 if engine_of(boosted).last_digit_decides else 0.95)


class Halve(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X / 2


WITHOUT = [
    KNNImputer(),
    LinearDiscriminantAnalysis(),
    FunctionTransformer(np.cbrt),
    Halve(),
    KernelPCA(2, eigen_solver="arpack"),
]


@pytest.mark.parametrize("step", WITHOUT, ids=str)
def test_steps_that_onnx_does_not_have(boosted, binary, step):
    X, y = binary
    pipeline = make_pipeline(step, make(boosted)).fit(np.round(X), y)
    with pytest.raises(
        ValueError, match=r"classifier must have steps that can go to ONNX, got .*: .*\. Transform the data before"
    ):
        to_onnx(pipeline)


def test_other_classifiers(binary):
    for other in (LogisticRegression(), make_pipeline(LogisticRegression()), "model"):
        with pytest.raises(TypeError, match=r"classifier must be .* or a pipeline that ends in one, got a (L|s)"):
            to_onnx(other)
    for unfitted in (BOOSTED[0](), make_pipeline(BOOSTED[0]())):
        with pytest.raises(ValueError, match="not fitted"):
            to_onnx(unfitted)


@pytest.mark.parametrize("package", ["onnx", "skl2onnx", "ndonnx", "spox"])
def test_without_the_extra(boosted, binary, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r'pip install "skfocal\[onnx\]"'):
        to_onnx(make(boosted).fit(*binary))


@pytest.mark.parametrize("boosted", boosted_with("onnx_takes"))
def test_parameters_that_ask_something_of_onnx(boosted, binary):
    X, y = np.where(np.random.default_rng(0).random(binary[0].shape) < 0.2, -1, binary[0]).astype(np.float32), binary[1]
    for params in engine_of(boosted).onnx_takes:
        model = make(boosted, **params).fit(X, y)
        assert_same(model, X)
        (trees,) = (node for node in to_onnx(model).graph.node if node.op_type == "TreeEnsembleRegressor")
        numbers = {each.name: each.ints for each in trees.attribute}
        tree, yes, no, nodes = (numbers[f"nodes_{name}ids"] for name in ("tree", "truenode", "falsenode", "node"))
        reached = {*zip(tree, yes, strict=True), *zip(tree, no, strict=True)}  # leaves have 0, which is the root
        assert set(zip(tree, nodes, strict=True)) == reached  # not what was pruned
