"""What is scikit-learn's own: its trees, early stopping, warm starts, categories and stages."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import partial_dependence
from sklearn.metrics import average_precision_score, get_scorer, log_loss, make_scorer
from sklearn.model_selection import train_test_split

from skfocal import FocalHistGradientBoostingClassifier
from skfocal.boosting.link import Link
from skfocal.hist_gradient_boosting.training import EngineLoss
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss
from skfocal.objectives import FocalObjective, TrainingObjective

from .conftest import like_own, make, own
from .test_resampling import Double


def fitted(X, y, **params):
    return make(FocalHistGradientBoostingClassifier, **params).fit(X, y)


LOG_LOSS = {"focal_gamma": 0.0, "focal_hessian": "exact"}


def assert_same_trees(model, expected):
    assert len(model._predictors) == len(expected._predictors)
    for trees, theirs in zip(model._predictors, expected._predictors, strict=True):
        for tree, other in zip(trees, theirs, strict=True):
            for name in ("feature_idx", "num_threshold", "left", "right", "count", "missing_go_to_left"):
                np.testing.assert_array_equal(tree.nodes[name], other.nodes[name])
            np.testing.assert_allclose(tree.nodes["value"], other.nodes["value"], atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_gamma_zero_is_scikit_learns_own_model(data, weighted):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y)) if weighted else None
    model = like_own(FocalHistGradientBoostingClassifier, **LOG_LOSS).fit(X, y, sample_weight=weight)
    expected = own(FocalHistGradientBoostingClassifier).fit(X, y, sample_weight=weight)
    assert_same_trees(model, expected)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


@pytest.mark.parametrize("scoring", ["loss", "neg_log_loss", "roc_auc_ovr"])
def test_gamma_zero_stops_where_scikit_learn_stops(data, scoring):
    """With the same split; what is watched is the log loss through the link, which at gamma = 0 is the softmax."""
    X, y = data
    early = {"early_stopping": True, "n_iter_no_change": 3, "n_estimators": 100, "random_state": 0, "scoring": scoring}
    model = like_own(FocalHistGradientBoostingClassifier, **LOG_LOSS, **early).fit(X, y)
    expected = own(FocalHistGradientBoostingClassifier, **early).fit(X, y)
    assert model.n_iter_ == expected.n_iter_ < 100
    np.testing.assert_allclose(model.validation_score_, expected.validation_score_, atol=1e-4)
    assert_same_trees(model, expected)


@pytest.mark.parametrize("policy", ["stable", "exact"])
@pytest.mark.parametrize("loss", [BinaryFocalLoss(2.0, 0.25), MulticlassFocalLoss((0.5, 2.0, 3.0))], ids=str)
def test_the_loss_object_is_the_loss(loss, policy):
    """With the margins, the memory and the weights that scikit-learn passes, against the loss in float64."""
    rng = np.random.default_rng(0)
    n_classes = 2 if isinstance(loss, BinaryFocalLoss) else 3
    raw = np.asfortranarray(rng.normal(scale=3, size=(500, loss.n_margins(n_classes))))
    y, weight = rng.integers(0, n_classes, 500).astype(float), rng.uniform(0.5, 2, 500)
    objective = FocalObjective(loss, policy)
    with TrainingObjective(objective, factor=1.0) as training:
        engine_loss = EngineLoss(Link(loss, np.arange(n_classes)), training)
        gradient, hessian = engine_loss.init_gradient_and_hessian(500, dtype=np.float32, order="F")
        for margins in (-raw, raw):
            engine_loss.gradient_hessian(y, margins, weight, gradient, hessian, n_threads=1)
    squeezed = raw.squeeze()
    columns = weight if n_classes == 2 else weight[:, None]
    expected = loss.gradient_hessian(y, squeezed, hessian=policy)
    np.testing.assert_allclose(gradient, expected[0] * columns, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(hessian, np.maximum(expected[1], 1e-16) * columns, rtol=1e-4, atol=1e-5)
    assert engine_loss(y, raw, weight) == pytest.approx(np.average(loss.loss(y, squeezed), weights=weight))
    np.testing.assert_array_equal(engine_loss.predict_proba(raw), loss.predict_proba(squeezed))
    totals = np.bincount(y.astype(int), weights=weight)
    np.testing.assert_allclose(engine_loss.fit_intercept_only(y, weight), loss.intercept(totals))


def test_early_stopping_watches_the_focal_loss_of_what_scikit_learn_splits_off(binary):
    X, y = binary
    model = fitted(X, y, early_stopping=True, n_iter_no_change=3, random_state=0)
    split = train_test_split(X, y, test_size=0.1, stratify=y, random_state=model._random_seed)
    _, X_val, y_train, y_val = split
    staged = [np.mean(model.focal_loss_.loss(y_val, raw)) for raw in model.staged_decision_function(X_val)]
    np.testing.assert_allclose(-model.validation_score_[1:], staged, rtol=1e-6)
    assert model.focal_intercept_ == pytest.approx(model.focal_loss_.intercept(np.bincount(y_train)))


def test_early_stopping_is_automatic_on_large_data():
    X, y = make_classification(12_000, weights=[0.95], random_state=0)
    model = FocalHistGradientBoostingClassifier(max_iter=300, random_state=0).fit(X, y)
    assert model.do_early_stopping_
    assert model.n_iter_ < 300
    assert not FocalHistGradientBoostingClassifier(max_iter=2).fit(X[:9000], y[:9000]).do_early_stopping_


@pytest.mark.parametrize("n_samples", [9_000, 12_000])
def test_a_sampler_does_not_decide_on_early_stopping(n_samples):
    """Whether there are many samples is counted before it, and it never sees what is watched."""
    X, y = make_classification(n_samples, weights=[0.9], random_state=0)
    for sampler in (Double(9), FewRows()):
        Double.seen = []
        model = FocalHistGradientBoostingClassifier(max_iter=3, sampler=sampler, random_state=0).fit(X, y)
        ((seen, _),) = Double.seen
        assert model.do_early_stopping_ == (n_samples > 10_000)
        assert len(seen) == (0.9 * n_samples if n_samples > 10_000 else n_samples)
        watched = {"X_val": X[:50], "y_val": y[:50]}
        model = FocalHistGradientBoostingClassifier(max_iter=3, sampler=sampler, random_state=0).fit(X, y, **watched)
        assert model.do_early_stopping_  # as scikit-learn's documentation says where something is given to watch
        assert len(Double.seen[-1][0]) == n_samples


class FewRows(Double):
    """A sampler that leaves few samples."""

    def fit_resample(self, X, y):
        self.seen.append((X, y))
        return X[::10], y[::10]


def dear_errors(estimator, X, y):
    """Score without weights, by labels."""
    return -float(np.sum(estimator.predict(X) != y))


SCORERS = {
    "name": "average_precision",
    "scorer": get_scorer("neg_log_loss"),
    "of labels": make_scorer(average_precision_score, response_method="predict_proba", pos_label="yes"),
    "function": dear_errors,
    "its score": None,
}


@pytest.mark.parametrize("scoring", SCORERS.values(), ids=SCORERS)
@pytest.mark.parametrize("sampler", [None, Double(9)], ids=["as given", "resampled"])
def test_scorers_see_labels_and_probabilities_at_the_prior_of_the_data(binary, scoring, sampler):
    """On validation data that is given: what a scorer says in the last round it says of the fitted model.

    After a sampler probabilities are corrected on these data, and so are the model's if they are what it was fitted on.
    """
    X, y = binary[0], np.array(["no", "yes"])[binary[1]]
    if scoring == "average_precision":
        y = binary[1]
    early = {"early_stopping": True, "scoring": scoring, "sampler": sampler, "class_weight": {y[0]: 2.0}}
    model = make(FocalHistGradientBoostingClassifier, focal_alpha=0.3, **early)
    (X_val, y_val), rows = ((X[:500], y[:500]), slice(500, None)) if sampler is None else ((X, y), slice(None))
    model.fit(X[rows], y[rows], X_val=X_val, y_val=y_val)
    scorer = get_scorer(scoring or "accuracy") if not callable(scoring) else scoring
    weight = {} if scoring is dear_errors else {"sample_weight": np.where(y_val == y[0], 2.0, 1.0)}
    assert model.validation_score_[-1] == pytest.approx(scorer(model, X_val, y_val, **weight))
    assert len(pickle.dumps(model)) < 200_000  # not the training data, nor its gradients
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    model.fit(X[::2], y[::2], X_val=X[:500], y_val=y[:500])
    assert not np.array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_nothing_of_a_scorer_by_name_remains(binary):
    """While one is asked, scikit-learn puts a method of its own on the estimator, and leaves it there."""
    X, y = binary
    model = fitted(X, y, early_stopping=True, scoring="average_precision", random_state=0)
    model.set_params(early_stopping=False, max_iter=3).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), fitted(X, y, n_estimators=3).predict_proba(X))


def test_a_scorer_without_weights_is_refused_beside_weights_of_samples(binary):
    X, y = binary
    model = make(FocalHistGradientBoostingClassifier, early_stopping=True, scoring=dear_errors)
    with pytest.raises(ValueError, match=r"scoring must take sample_weight.* got 'dear_errors'"):
        model.fit(X, y, sample_weight=np.ones(len(y)))


@pytest.mark.parametrize("given", [False, True])
def test_the_focal_loss_after_a_sampler_is_that_of_its_shares(binary, given):
    X, y = binary
    train, validate = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=0)
    early = {"early_stopping": True, "n_iter_no_change": 3, "random_state": 0, "validation_fraction": 0.2}
    model = make(FocalHistGradientBoostingClassifier, sampler=Double(20), **early)
    if given:
        model.fit(X[train], y[train], X_val=X[validate], y_val=y[validate])
    else:
        model.fit(X, y)
    rows = np.repeat(validate, np.where(y[validate], 20, 1))
    expected = np.mean(model.focal_loss_.loss(y[rows], model.decision_function(X[rows])))
    assert -model.validation_score_[-1] == pytest.approx(expected, rel=1e-5)
    as_trained = model.focal_loss_.predict_proba(model.decision_function(X))[:, 1].mean()
    assert abs(model.predict_proba(X)[:, 1].mean() - y.mean()) < 0.5 * abs(as_trained - y.mean())


def test_a_prior_does_not_change_when_training_stops(binary):
    X, y = binary
    early = {"early_stopping": True, "n_iter_no_change": 3, "n_estimators": 100, "random_state": 0}
    for sampler in (None, Double(9)):
        plain, other = (fitted(X, y, sampler=sampler, prior=prior, **early) for prior in (None, [0.3, 0.7]))
        np.testing.assert_array_equal(plain.validation_score_, other.validation_score_)
        np.testing.assert_array_equal(plain.decision_function(X), other.decision_function(X))
        assert other.predict_proba(X)[:, 1].mean() > 1.5 * plain.predict_proba(X)[:, 1].mean()


def test_validation_data_is_weighted(binary):
    X, y = binary
    weight = np.random.default_rng(0).uniform(0.5, 2, size=500)
    model = make(FocalHistGradientBoostingClassifier, early_stopping=True, class_weight={1: 5.0})
    model.fit(X[500:], y[500:], X_val=X[:500], y_val=y[:500], sample_weight_val=weight)
    losses = model.focal_loss_.loss(y[:500], model.decision_function(X[:500]))
    expected = np.average(losses, weights=weight * np.where(y[:500], 5.0, 1.0))
    assert -model.validation_score_[-1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("params", "fit", "message"),
    [
        ({}, {"X_val": 0}, "X_val and y_val must be given together, got only one of them"),
        ({}, {"y_val": 0}, "X_val and y_val must be given together, got only one of them"),
        ({}, {"X_val": 0, "y_val": 1}, r"labels of y_val must be among those of y, \[0, 1\], got \[2\]"),
        ({}, {"X_val": 2, "y_val": 0}, "has 3 features, but .* is expecting 8 features"),
        ({}, {"X_val": 0, "y_val": 0, "sample_weight_val": -1}, "sample_weight_val must be >= 0, got -1"),
        ({"early_stopping": False}, {"X_val": 0, "y_val": 0}, "early_stopping is False"),
        ({}, {"sample_weight_val": [1.0]}, "sample_weight_val must be None where no X_val is given"),
        ({"sampler": Double(), "validation_fraction": 50}, {}, r"validation_fraction must be in \(0, 1\), got 50"),
        ({"sampler": Double(), "warm_start": True}, {}, r"sampler must be None with warm_start, got Double\(\)"),
        ({"learning_rate": 0.0}, {}, "The 'learning_rate' parameter of FocalHistGradientBoostingClassifier must be"),
        ({"scoring": "nonsense"}, {}, "The 'scoring' parameter|nonsense"),
    ],
    ids=str,
)
def test_bad_input(binary, params, fit, message):
    X, y = binary
    features = {0: X, 2: X[:, :3]}
    given = {
        name: features[value] if name == "X_val" else y + value if name == "y_val" else np.full(len(y), value)
        for name, value in fit.items()
    }
    model = make(FocalHistGradientBoostingClassifier, **{"early_stopping": True, **params})
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, **given)
    assert not hasattr(model, "classes_")


def test_scoring_on_the_training_data(binary):
    model = fitted(*binary, early_stopping=True, validation_fraction=None, sampler=Double(), n_iter_no_change=2)
    assert len(model.validation_score_) == 0
    assert model.train_score_[-1] > model.train_score_[0]


def test_a_warm_start_goes_on(data):
    X, y = data
    whole = fitted(X, y, n_estimators=20, random_state=0)
    model = make(FocalHistGradientBoostingClassifier, n_estimators=8, warm_start=True, random_state=0).fit(X, y)
    model.set_params(max_iter=20).fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), whole.decision_function(X), atol=1e-5)
    assert model.n_iter_ == 20
    before = model.decision_function(X)
    model.set_params(max_iter=25)
    with pytest.raises(ValueError, match=r"y must have the classes of a warm start, \[0 1.*got \['n0'"):
        model.fit(X, np.char.add("n", y.astype(str)))
    with pytest.raises(ValueError, match="sample_weight must be >= 0"):
        model.fit(X, y, sample_weight=-np.ones(len(y)))
    np.testing.assert_array_equal(model.decision_function(X), before)
    assert model.n_iter_ == 20


def test_an_interrupted_warm_start_leaves_all_as_it_was(binary, monkeypatch):
    X, y = binary
    random = {"n_estimators": 5, "warm_start": True, "max_features": 0.3, "random_state": 0}
    model, other = (make(FocalHistGradientBoostingClassifier, **random).fit(X, y) for _ in range(2))
    before = model.decision_function(X)
    rounds = iter(range(3))

    def stop(self, *arguments, **more):
        if next(rounds, None) is None:
            raise KeyboardInterrupt
        return original(self, *arguments, **more)

    original = TrainingObjective.__call__
    monkeypatch.setattr(TrainingObjective, "__call__", stop)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(max_iter=20).fit(X, y)
    np.testing.assert_array_equal(model.decision_function(X), before)
    assert model.n_iter_ == 5
    monkeypatch.undo()
    goes_on, expected = (each.set_params(max_iter=10).fit(X, y).decision_function(X) for each in (model, other))
    np.testing.assert_array_equal(goes_on, expected)


def test_stages(data):
    X, y = data
    model = fitted(X, y, focal_gamma=[float(k) for k in range(y.max() + 1)], prior=np.arange(1.0, y.max() + 2))
    stages = list(zip(model.staged_predict_proba(X), model.staged_predict(X), strict=True))
    assert len(stages) == 20
    np.testing.assert_array_equal(stages[-1][0], model.predict_proba(X))
    first = make(FocalHistGradientBoostingClassifier, **model.get_params() | {"max_iter": 1}).fit(X, y)
    np.testing.assert_allclose(stages[0][0], first.predict_proba(X))
    for posterior, labels in stages:
        np.testing.assert_array_equal(labels, posterior.argmax(axis=1))


@pytest.mark.parametrize("chosen", ["from_dtype", ["shop"], [False, True, False]], ids=str)
def test_categories_and_missing_values(binary, chosen):
    pd = pytest.importorskip("pandas")
    X, y = binary
    shop = np.where(y, "b", np.where(X[:, 0] > 0, "a", "c")).astype(object)
    shop[::10] = None
    frame = pd.DataFrame({"x": np.where(X[:, 1] > 1, np.nan, X[:, 1]), "shop": pd.Categorical(shop), "z": X[:, 2]})
    model = like_own(FocalHistGradientBoostingClassifier, categorical_features=chosen).fit(frame, y)
    expected = own(FocalHistGradientBoostingClassifier, categorical_features=chosen).fit(frame, y)
    assert model.is_categorical_.tolist() == [False, True, False]
    assert model.feature_names_in_.tolist() == ["x", "shop", "z"]
    assert log_loss(y, model.predict_proba(frame)) < 1.1 * log_loss(y, expected.predict_proba(frame))
    unseen = frame.assign(shop=pd.Categorical(np.full(len(y), "new")))
    assert np.isfinite(model.predict_proba(unseen)).all()
    sampled = fitted(frame, y, categorical_features=chosen, sampler=TakesRows())
    assert np.isfinite(sampled.predict_proba(frame)).all()


class TakesRows(Double):
    """A sampler that leaves tables tables."""

    def fit_resample(self, X, y):
        self.sample_indices_ = np.flatnonzero(np.arange(len(y)) % 3 | (y == 1))
        return X.iloc[self.sample_indices_], y[self.sample_indices_]


def test_monotonic_constraints(binary):
    X, y = binary
    model = fitted(X, y, monotonic_cst=[1] + [0] * 7)
    steps = np.repeat(X[:50], 20, axis=0)
    steps[:, 0] = np.tile(np.linspace(-3, 3, 20), 50)
    assert (np.diff(model.predict_proba(steps)[:, 1].reshape(50, 20), axis=1) >= 0).all()


@pytest.mark.filterwarnings("ignore:invalid value encountered")  # in its binning
def test_infinite_features_are_scikit_learns_business(binary):
    X, y = binary
    assert np.isfinite(fitted(np.where(X > 2, np.inf, X), y).predict_proba(X)).all()


def test_sparse_features_are_refused(binary):
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="Sparse data was passed"):
        fitted(sparse.csr_matrix(binary[0]), binary[1])


def test_partial_dependence_is_of_the_margins(binary):
    X, y = binary
    model = fitted(X, y)
    fast = partial_dependence(model, X, [0], method="recursion", grid_resolution=5)["average"]
    slow = partial_dependence(model, X, [0], method="brute", response_method="decision_function", grid_resolution=5)[
        "average"
    ]
    assert np.corrcoef(fast[0], slow[0])[0, 1] > 0.9


def test_the_fitted_classifier_keeps_nothing_of_the_training_data():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20_000, 2)), rng.integers(0, 2, size=20_000)
    model = fitted(X, y, n_estimators=1, max_leaf_nodes=2)
    assert len(pickle.dumps(model)) < 30_000
    assert model._loss.training is None


def test_it_takes_the_place_of_scikit_learns(binary):
    model = fitted(*binary)
    assert isinstance(model, HistGradientBoostingClassifier)
    assert set(HistGradientBoostingClassifier().get_params()) - set(model.get_params()) == {"loss"}
    with pytest.raises(TypeError, match="loss"):
        FocalHistGradientBoostingClassifier(loss="log_loss")


@pytest.mark.parametrize("params", [{"prior": 0.5}, {"prior": [0.7, 0.3], "focal_alpha": 0.9}], ids=str)
def test_a_prior_holds_though_scikit_learn_splits(binary, params):
    """A model of no trees' worth predicts it, whatever weights the split has left; after a warm start too."""
    X, y = binary
    weight = np.random.default_rng(0).exponential(size=len(y)) ** 4
    early = {"early_stopping": True, "learning_rate": 1e-9, "n_estimators": 2, "random_state": 0, "warm_start": True}
    model = make(FocalHistGradientBoostingClassifier, **early, **params).fit(X, y, sample_weight=weight)
    prior = [0.5, 0.5] if params["prior"] == 0.5 else params["prior"]
    np.testing.assert_allclose(model.predict_proba(X[:1])[0], prior, rtol=1e-5)
    model.set_params(max_iter=4).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.predict_proba(X[:1])[0], prior, rtol=1e-5)


def test_too_few_samples_to_split_before_a_sampler(binary):
    X, y = binary
    y = np.where(np.arange(len(y)) == 0, 1, 0)
    with pytest.raises(ValueError, match="early_stopping with a sampler needs two samples of every class"):
        fitted(X, y, early_stopping=True, sampler=Double())


def test_a_scorer_that_is_not_asked_may_take_no_weights(binary):
    X, y = binary
    make(FocalHistGradientBoostingClassifier, scoring=dear_errors).fit(X, y, sample_weight=np.ones(len(y)))


def test_a_warm_start_on_data_of_another_prior():
    """The way to a prior starts from that of the data that trees were added on last."""
    X, y = make_classification(4000, weights=[0.9], n_informative=6, random_state=0)
    balanced = np.concatenate([np.flatnonzero(y), np.flatnonzero(y == 0)[: y.sum()]])
    posteriors = []
    for prior in (None, [0.5, 0.5]):
        model = make(FocalHistGradientBoostingClassifier, max_iter=5, warm_start=True, prior=prior).fit(X, y)
        model.set_params(max_iter=100).fit(X[balanced], y[balanced])
        posteriors.append(model.predict_proba(X[balanced]))
        model.fit(X[balanced], y[balanced])  # adds nothing
        np.testing.assert_allclose(model.predict_proba(X[balanced]), posteriors[-1])
    np.testing.assert_allclose(posteriors[1], posteriors[0])


def test_a_warm_start_on_other_features(binary):
    pd = pytest.importorskip("pandas")
    X, y = binary
    model = make(FocalHistGradientBoostingClassifier, max_iter=2, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but FocalHistGradientBoostingClassifier is expecting 8"):
        model.set_params(max_iter=4).fit(X[:, :3], y)
    assert model.n_features_in_ == 8
    assert len(model.predict_proba(X)) == len(y)
    table = pd.DataFrame({"amount": X[:, 0], "kind": pd.Categorical(np.where(X[:, 1] > 0, "web", "shop"))})
    model = make(FocalHistGradientBoostingClassifier, max_iter=2, warm_start=True).fit(table, y)
    before = model.predict_proba(table)
    with pytest.raises(ValueError, match="feature names should match those that were passed during fit"):
        model.set_params(max_iter=4).fit(table[["kind", "amount"]], y)
    for other, message in (
        (table.assign(kind=table["kind"].cat.rename_categories({"web": "app"})), r"feature 1, .*'web'.*got .*'app'"),
        (table.assign(kind=X[:, 1]), r"categorical features of a warm start, \[1\], got \[\]"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(other, y)
    np.testing.assert_array_equal(model.predict_proba(table), before)
    assert model.fit(table, y).n_iter_ == 4
    codes = np.where(X[:, 2] > 0, 1, np.arange(len(y)) % 3 - 1)
    holes = table.assign(kind=pd.Categorical.from_codes(codes, [2.5, 3.5]))  # some are missing
    model = make(FocalHistGradientBoostingClassifier, max_iter=2, warm_start=True).fit(holes, y)
    assert model.set_params(max_iter=4).fit(holes, y).n_iter_ == 4
