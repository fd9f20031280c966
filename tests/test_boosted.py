"""What all boosted classifiers do, whichever the engine."""

import weakref

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from sklearn import metrics
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skfocal.boosting.samples import Samples
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss
from skfocal.objectives import TrainingObjective

from .conftest import BOOSTED, CONSTANT, WATCHING, boosted_with, engine_of, like_own, make, own
from .programs import PYTHON, run


@pytest.fixture(params=BOOSTED, ids=lambda estimator: estimator.__name__)
def estimator(request):
    return request.param


@pytest.fixture(params=boosted_with("start"), ids=lambda estimator: estimator.__name__)
def starting(request):
    return request.param


@pytest.fixture(params=boosted_with("sparse"), ids=lambda estimator: estimator.__name__)
def sparse_estimator(request):
    return request.param


@pytest.mark.parametrize("weighted", [False, True])
def test_gamma_zero_from_the_same_start_is_the_engines_own_model(starting, data, weighted):
    estimator, engine = starting, engine_of(starting)
    X, y = data
    n_classes = y.max() + 1
    rng = np.random.default_rng(0)
    start = rng.normal(size=len(y) if n_classes == 2 else (len(y), n_classes)).astype(np.float32)
    weight = rng.uniform(0.5, 2, size=len(y)) if weighted else None
    fit = {"sample_weight": weight, engine.start: start}
    focal = like_own(estimator, focal_gamma=0.0, focal_hessian="exact").fit(X, y, **fit)
    plain = own(estimator).fit(X, y, **fit)
    raw = engine.margins(plain, X)
    if engine.keeps_intercept:  # of the data, beside the start it is given; we keep 0
        score = plain.intercept_
        raw = raw - (np.log(score / (1 - score)) if n_classes == 2 else score)
    np.testing.assert_allclose(focal.decision_function(X), raw, atol=1e-4)


@CONSTANT
def test_gamma_zero_starts_like_the_log_loss(estimator, data):
    """The focal intercept at gamma = 0 is the log of the prior, so a model of no trees' worth predicts the prior."""
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    model = make(estimator, focal_gamma=0.0, learning_rate=1e-9).fit(X, y, sample_weight=weight)
    prior = np.bincount(y, weights=weight) / weight.sum()
    np.testing.assert_allclose(model.predict_proba(X), np.tile(prior, (len(y), 1)), rtol=1e-5)


@CONSTANT
@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_intercept_is_in_the_model_and_gives_the_prior(estimator, data, gamma):
    X, y = data
    model = make(estimator, focal_gamma=gamma, learning_rate=1e-9).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X[:3]), np.tile(np.bincount(y) / len(y), (3, 1)), rtol=1e-5)
    loss = BinaryFocalLoss(gamma) if y.max() == 1 else MulticlassFocalLoss(gamma)
    np.testing.assert_allclose(model.decision_function(X[:1])[0], loss.intercept(np.bincount(y)), rtol=1e-5)
    np.testing.assert_allclose(model.focal_intercept_, loss.intercept(np.bincount(y)))


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


@pytest.mark.parametrize("estimator", boosted_with("booster"))
def test_saved_booster_predicts_the_same_margins_without_skfocal(estimator, data, tmp_path):
    X, y = data
    model = make(estimator).fit(X, y)
    np.save(tmp_path / "X.npy", X)
    engine = engine_of(estimator).own.__module__.partition(".")[0]
    engine_of(estimator).booster(model).save_model(tmp_path / {"lightgbm": "model", "xgboost": "model.ubj"}[engine])
    # Run in the folder of the file, where there is no skfocal to import by accident.
    run(PYTHON, "-c", PREDICT_WITHOUT_US, tmp_path, engine, cwd=tmp_path)
    with np.load(tmp_path / "out.npz") as out:
        raw, value = out["raw"], out["value"]
    np.testing.assert_array_equal(raw, model.decision_function(X))
    expected = expit(raw) if y.max() == 1 else softmax(raw, axis=1)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize("params", [{}, {"class_weight": "balanced"}, {"focal_alpha": "balanced"}], ids=str)
def test_weight_two_is_the_same_row_twice(estimator, data, params):
    # LightGBM takes round(Hessian / the leaf's Hessian * the leaf's rows) for the rows of a bin, and refuses a split by
    # their sum. At min_child_samples=1 trees part in the first rounds, whatever the objective: on these data, in five
    # draws of the weights, probabilities after 100 rounds by 0.001 to 0.02 (two classes) and 0.04 to 0.09 (five),
    # LightGBM's own log loss by 0.001 to 0.03 and 0.05 to 0.13. At 0 they do only where the sum on one side is more
    # than the leaf has: in this draw not in 20 rounds, in 100 rounds of five by 0.002 and 0.07 at most, its own by
    # 0.0001 and 0.08.
    X, y = data
    X = np.round(X)  # bins are made of rows, not of weights: few values, so that each has a bin of its own
    weight = np.random.default_rng(0).integers(0, 3, size=len(y))
    weighted = make(estimator, **params, **engine_of(estimator).no_counts).fit(X, y, sample_weight=weight)
    repeated = make(estimator, **params, **engine_of(estimator).no_counts)
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


def test_missing_values(estimator, data):
    X, y = data
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.3, np.nan, X)
    model = make(estimator).fit(holes, y)
    assert np.isfinite(model.predict_proba(holes)).all()
    assert metrics.log_loss(y, model.predict_proba(holes)) < metrics.log_loss(
        y, np.tile(np.bincount(y) / len(y), (len(y), 1))
    )


def test_sparse_input(sparse_estimator, data):
    estimator, (X, y) = sparse_estimator, data
    counts = np.floor(np.abs(X))
    for kind in (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array):
        # XGBoost takes what a sparse matrix does not hold for missing, so sparse is compared with sparse there.
        reference = counts if engine_of(estimator).sparse == "zero" else sparse.csr_matrix(counts)
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
    if engine_of(estimator).importances:
        assert model.feature_importances_.shape == (9,)
        assert model.feature_importances_[8] > 0
    assert metrics.roc_auc_score(y, model.predict_proba(frame)[:, 1]) > 0.9
    # Categories are matched by name at prediction, whatever their order.
    shuffled = frame.assign(city=pd.Categorical(city, categories=["Oslo", "Rome", "Bonn"]))
    np.testing.assert_array_equal(model.predict_proba(shuffled), model.predict_proba(frame))
    with pytest.raises(ValueError, match=r"feature names should match|columns are missing"):
        model.predict(frame.rename(columns={"city": "town"}))
    model.fit(X, y)  # a second fit forgets the names of the first
    assert not hasattr(model, "feature_names_in_")


@CONSTANT
def test_a_margin_to_start_from_replaces_the_intercept(starting, data):
    estimator, (X, y) = starting, data
    shape = len(y) if y.max() == 1 else (len(y), y.max() + 1)
    model = make(estimator, learning_rate=1e-9).fit(X, y, **{engine_of(estimator).start: np.zeros(shape)})
    np.testing.assert_allclose(model.decision_function(X), np.zeros(shape), atol=1e-6)
    assert model.focal_intercept_ is None


def test_zero_weights_and_starting_margins_stay_aligned(starting, binary):
    estimator, (X, y) = starting, binary
    rng = np.random.default_rng(0)
    start, keep = rng.normal(size=len(y)).astype(np.float32), rng.random(len(y)) < 0.7
    name = engine_of(estimator).start
    weighted = make(estimator).fit(X, y, sample_weight=keep.astype(float), **{name: start})
    dropped = make(estimator).fit(X[keep], y[keep], sample_weight=np.ones(keep.sum()), **{name: start[keep]})
    np.testing.assert_array_equal(weighted.decision_function(X), dropped.decision_function(X))


def test_flat_margins_are_read_as_the_engine_reads_them(starting, multiclass):
    estimator, (X, y) = starting, multiclass
    margins = np.random.default_rng(0).normal(size=(len(y), 5)).astype(np.float32)
    flat = margins.ravel(order=engine_of(estimator).start_order)
    name = engine_of(estimator).start
    square, flattened = (make(estimator).fit(X, y, **{name: start}).decision_function(X) for start in (margins, flat))
    np.testing.assert_array_equal(square, flattened)


@CONSTANT
def test_data_without_any_usable_feature_gives_the_prior(estimator, data):
    _, y = data
    X = np.ones((len(y), 2))
    model = make(estimator).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), np.tile(np.bincount(y) / len(y), (len(y), 1)), rtol=1e-5)


@CONSTANT
def test_balanced_alpha_starts_at_equal_classes(estimator, data):
    X, y = data
    model = make(estimator, focal_alpha="balanced", learning_rate=1e-9).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X[:1]), np.full((1, y.max() + 1), 1 / (y.max() + 1)), rtol=1e-5)


def test_a_subclass_may_have_parameters_of_its_own(estimator, binary):
    class Subclass(estimator):
        def __init__(self, *, extra=1, **params):
            super().__init__(**params)
            self.extra = extra

    X, y = binary
    model = make(Subclass, extra=2, max_bin=15).fit(X, y)
    assert clone(model).extra == 2
    np.testing.assert_array_equal(model.predict_proba(X), make(estimator, max_bin=15).fit(X, y).predict_proba(X))


@pytest.mark.parametrize("estimator", boosted_with("any_name"), ids=lambda each: each.__name__)
def test_a_subclass_of_a_subclass_has_the_parameters_of_both(estimator, binary):
    class Child(estimator):
        def __init__(self, *, extra=1, **params):
            super().__init__(**params)
            self.extra = extra

    class Grandchild(Child):
        def __init__(self, *, more=1, **params):
            super().__init__(**params)
            self.more = more

    X, y = binary
    params = {"focal_gamma": 0.0, "class_weight": {0: 1.0, 1: 3.0}, "prior": 0.3, "max_depth": 2, "max_bin": 15}
    expected = make(estimator, **params).fit(X, y).predict_proba(X)
    names = {"extra": 2, "more": 3}
    for model in (make(Grandchild).set_params(**params, **names), make(Grandchild, **params, **names)):
        np.testing.assert_array_equal(clone(model).fit(X, y).predict_proba(X), expected)
        assert {name: clone(model).get_params()[name] for name in params | names} == params | names
    search = GridSearchCV(make(Grandchild), {"focal_gamma": [0.0, 5.0]}, scoring="neg_log_loss", cv=2).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


THREADS = [(each, name, n) for each in BOOSTED for n, name in enumerate(engine_of(each).threads, start=2)]
THREADS += [(boosted, "n_jobs", None) for boosted in boosted_with("threads")]


@pytest.mark.parametrize(("boosted", "name", "n_jobs"), THREADS)
def test_the_objective_takes_the_threads_of_the_engine(boosted, name, n_jobs, binary, monkeypatch):
    asked = []
    monkeypatch.setattr("skfocal.objectives.effective_n_threads", lambda n: asked.append(n) or 1)
    make(boosted, **{"n_jobs": None, name: n_jobs, "n_estimators": 2}).fit(*binary)
    assert set(asked) == {n_jobs}


@pytest.mark.parametrize("estimator", boosted_with("old_model"))
def test_models_that_cannot_be_continued(estimator, binary, multiclass):
    X, y = binary
    name = engine_of(estimator).old_model
    for other in ({"a": 1}, 5, LogisticRegression()):  # which LightGBM passes over
        with pytest.raises(TypeError, match=f"{name} must be a model of .* or the name of its file, got"):
            make(estimator).fit(X, y, **{name: other})
    with pytest.raises(NotFittedError, match="eed to call fit"):
        make(estimator).fit(X, y, **{name: make(estimator)})
    old = make(estimator).fit(X, y)
    with pytest.raises(ValueError, match=f"{name} must have 5 margins, as the classes of y need, got a model with 1"):
        make(estimator).fit(*multiclass, **{name: old})
    with pytest.raises(ValueError, match=f"{name} must have the 3 features of X, got a model with 8"):
        make(estimator).fit(X[:, :3], y, **{name: old})


# scikit-learn splits by itself, in its fit, which holds all of the data. What was there before a sampler is kept, as at
# its prior the probabilities are to hold.
@pytest.mark.parametrize("estimator", WATCHING)
def test_while_it_trains_the_features_are_there_once(estimator, binary, monkeypatch):
    """Beside the user's own: what was made of these before the split is let go."""
    X, y = binary
    made, alive = [], []

    def rows(samples, chosen):
        result = take(samples, chosen)
        made.append(weakref.ref(result.X))
        return result

    def count(self, y_true, y_pred, sample_weight=None, out=None):
        alive.append(made[0]() is not None)
        return compute(self, y_true, y_pred, sample_weight, out)

    take, compute = Samples.rows, TrainingObjective.__call__
    monkeypatch.setattr(Samples, "rows", rows)
    monkeypatch.setattr(TrainingObjective, "__call__", count)
    params = {"random_state": 0, **engine_of(estimator).early(5)}
    weight = (np.arange(len(y)) % 5 > 0).astype(float)  # rows of weight 0 go first: a copy
    make(estimator, **params).fit(X, y, sample_weight=weight)
    assert made
    assert alive
    assert not any(alive)


THREADS = [(estimator, {"n_jobs": None, name: 2}, 2) for estimator in WATCHING for name in ("n_jobs", "nthread")]
THREADS += [(estimator, {}, None) for estimator in BOOSTED if estimator not in WATCHING]  # which have no parameter


@pytest.mark.parametrize(("estimator", "params", "expected"), THREADS)
def test_probabilities_take_as_many_threads_as_the_engine(estimator, params, expected, binary, monkeypatch):
    X, y = binary
    taken, through = [], BinaryFocalLoss._through_link

    def watched(loss, raw, n_jobs):
        taken.append(n_jobs)
        return through(loss, raw, n_jobs)

    model = estimator(**engine_of(estimator).quick | params).fit(X, y)
    monkeypatch.setattr(BinaryFocalLoss, "_through_link", watched)
    model.predict_proba(X)
    assert taken == [expected]
