"""Samplers inside the estimators, and the way back to the true prior."""

from typing import ClassVar
from unittest.mock import patch

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from scipy.stats import norm
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, get_scorer, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split

import skfocal
from skfocal.boosting.link import matched_correction
from skfocal.datasets import load_creditcard
from skfocal.priors import matching_ratio

from .conftest import BOOSTED, CONSTANT, WATCHING, boosted_with, engine_of, focal_losses, make, real_data, watch

ids = {"ids": lambda estimator: estimator.__name__}


@pytest.fixture(params=BOOSTED, **ids)
def estimator(request):
    return request.param


class Double(BaseEstimator):
    """A sampler that takes the samples of the last class `times` times, and keeps what it has seen."""

    seen: ClassVar[list[tuple]] = []

    def __init__(self, times=3, choose=True):
        self.times = times
        self.choose = choose

    def fit_resample(self, X, y):
        self.seen.append((X, y))
        rows = np.repeat(np.arange(len(y)), np.where(y == np.unique(y)[-1], self.times, 1))
        if self.choose:
            self.sample_indices_ = rows
        return X[rows], y[rows]


@pytest.fixture(autouse=True)
def _nothing_seen():
    Double.seen = []


@pytest.fixture
def repeated(data):
    X, y = data
    rows = np.repeat(np.arange(len(y)), np.where(y == y.max(), 3, 1))
    return X[rows], y[rows]


def most_likely(posterior, y, weight=None):
    """Return a posterior times the weights of classes that make the labels most likely, found by their log loss."""

    def reweighted(log_weights):
        odds = posterior * np.exp(np.append(0, log_weights))
        return odds / odds.sum(axis=1, keepdims=True)

    start = np.zeros(posterior.shape[1] - 1)
    options = {"xatol": 1e-9, "fatol": 1e-15, "maxiter": 10_000, "maxfev": 10_000}
    found = minimize(
        lambda w: log_loss(y, reweighted(w), sample_weight=weight), start, method="Nelder-Mead", options=options
    )
    return reweighted(found.x)


@CONSTANT
def test_margins_are_those_of_the_resampled_data_and_probabilities_those_of_the_data(estimator, data, repeated):
    X, y = data
    model = make(estimator, sampler=Double()).fit(X, y)
    by_hand = make(estimator).fit(*repeated)
    np.testing.assert_array_equal(model.decision_function(X), by_hand.decision_function(X))
    assert model.focal_intercept_ == pytest.approx(by_hand.focal_intercept_)
    best = most_likely(by_hand.predict_proba(X), y)
    np.testing.assert_allclose(model.predict_proba(X), best, rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), np.bincount(y) / len(y), rtol=1e-7)
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X).argmax(axis=1))
    # A model of no trees' worth predicts the prior of the data, not that of the sampler.
    flat = make(estimator, sampler=Double(), learning_rate=1e-9).fit(X, y)
    np.testing.assert_allclose(flat.predict_proba(X[:1])[0], np.bincount(y) / len(y), rtol=1e-5)


def test_a_sampler_never_sees_the_validation_data(estimator, binary):
    X, y = binary
    X = np.column_stack([X, np.arange(len(y))]).astype(np.float32)  # each row can be told from all others
    early = {**engine_of(estimator).early(3), "random_state": 0, "validation_fraction": 0.25}
    early |= {"eval_metric": "focal_loss"} if estimator in WATCHING else {}
    make(estimator, **early, sampler=Double()).fit(X, y)
    train, validate = train_test_split(np.arange(len(y)), test_size=0.25, stratify=y, random_state=0)
    ((seen, labels),) = Double.seen
    assert set(seen[:, -1].astype(int)) == set(train)
    assert not set(seen[:, -1].astype(int)) & set(validate)
    np.testing.assert_array_equal(labels, y[np.sort(train)])
    # and what it makes of them is not evaluated: the same sets give the same scores
    by_hand = make(estimator, **early, sampler=Double())
    watch(by_hand, X[np.sort(train)], y[np.sort(train)], X[validate], y[validate])
    expected = make(estimator, **early, sampler=Double()).fit(X, y)
    np.testing.assert_allclose(focal_losses(by_hand), focal_losses(expected), rtol=1e-6)


@pytest.mark.parametrize("weights", [{}, {"focal_alpha": 0.9}, {"class_weight": {1: 9.0}, "focal_alpha": 0.7}], ids=str)
@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_evaluation_is_of_the_corrected_probabilities(estimator, binary, weights):
    """Of those that the model predicts, if it is evaluated on its training data; the focal loss is the sampler's."""
    X, y = binary
    names = {"eval_metric": ["focal_loss", "log_loss", "average_precision"]}
    model = make(estimator, sampler=Double(20), **names, **weights)
    model.fit(X, y, eval_set=[(X, y)], **engine_of(estimator).quiet_fit)
    (history,) = model.evals_result_.values()
    weight = np.where(y, weights.get("class_weight", {1: 1.0})[1], 1.0)
    raw, proba = model.decision_function(X), model.predict_proba(X)
    assert history["log_loss"][-1] == pytest.approx(log_loss(y, proba, sample_weight=weight), rel=1e-5)
    precision = average_precision_score(y, proba[:, 1], sample_weight=weight)
    assert history["average_precision"][-1] == pytest.approx(precision, rel=1e-4)
    resampled = np.average(model.focal_loss_.loss(y, raw), weights=weight * np.where(y, 20, 1))
    assert history["focal_loss"][-1] == pytest.approx(resampled, rel=1e-5)


@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_evaluation_on_other_data_is_at_their_prior(estimator, binary):
    """By the weights of the classes that make these data the most likely ones."""
    X, y = binary
    half = len(y) // 2
    model = make(estimator, sampler=Double(20), eval_metric="log_loss")
    model.fit(X[:half], y[:half], eval_set=[(X[half:], y[half:])], **engine_of(estimator).quiet_fit)
    (history,) = model.evals_result_.values()
    proba = most_likely(model.focal_loss_.predict_proba(model.decision_function(X[half:])), y[half:])
    assert history["log_loss"][-1] == pytest.approx(log_loss(y[half:], proba), rel=1e-5)


@pytest.mark.parametrize("estimator", WATCHING, **ids)
def test_probabilities_are_corrected_once_a_round_and_set(estimator, binary):
    """Not once for each metric, as it takes as long as one, and not where no metric asks for probabilities."""
    X, y = binary
    many = ["log_loss", "average_precision", "error", get_scorer("neg_log_loss")]
    for metrics, times in ((many, 2 * 20), ("focal_loss", 0)):
        model = make(estimator, sampler=Double(20), eval_metric=metrics)
        with patch("skfocal.boosting.metrics.matched_correction", wraps=matched_correction) as matched:
            model.fit(X, y, eval_set=[(X[:99], y[:99]), (X, y)], **engine_of(estimator).quiet_fit)
        assert matched.call_count == times


def test_weights_follow_the_chosen_samples(estimator, binary):
    X, y = binary
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    model = make(estimator, sampler=Double()).fit(X, y, sample_weight=weight)
    rows = np.repeat(np.arange(len(y)), np.where(y, 3, 1))
    by_hand = make(estimator).fit(X[rows], y[rows], sample_weight=weight[rows])
    np.testing.assert_array_equal(model.decision_function(X), by_hand.decision_function(X))
    shares = np.bincount(y, weights=weight) / weight.sum()
    np.testing.assert_allclose(np.average(model.predict_proba(X), axis=0, weights=weight), shares, rtol=1e-7)
    with pytest.raises(
        ValueError, match=r"sample_weight must be None with sampler=Double\(choose=False\), which does not tell"
    ):
        make(estimator, sampler=Double(choose=False)).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("estimator", boosted_with("start"), **ids)
def test_a_sampler_and_a_start_that_is_not_its_own(estimator, binary):
    """Margins from elsewhere hold for the data as given: what part of a new model is at which prior, nobody knows."""
    X, y = binary
    old = make(estimator).fit(X, y)
    starts = {engine_of(estimator).start: np.zeros(len(y)), engine_of(estimator).old_model: old}
    for name, start in starts.items():
        with pytest.raises(ValueError, match=rf"sampler must be None with {name}, got Double\(\)"):
            make(estimator, sampler=Double()).fit(X, y, **{name: start})


WEIGHTS = [
    {"class_weight": {1: 5.0}},
    {"focal_alpha": 0.8},
    {"class_weight": "balanced"},
    {"focal_alpha": "balanced"},
    {"class_weight": {1: 5.0}, "focal_alpha": "balanced"},
]


@CONSTANT
@pytest.mark.parametrize("params", WEIGHTS, ids=str)
def test_only_what_the_sampler_did_is_undone(estimator, binary, params):
    """Weights of classes reweight the posterior with a sampler as they do without."""
    X, y = binary
    flat = {"learning_rate": 1e-9, **params}
    plain, resampled = make(estimator, **flat).fit(X, y), make(estimator, **flat, sampler=Double(9)).fit(X, y)
    np.testing.assert_allclose(resampled.predict_proba(X[:1]), plain.predict_proba(X[:1]), rtol=1e-5)


@pytest.mark.parametrize("params", WEIGHTS[2:], ids=str)
def test_balanced_weights_balance_what_the_sampler_makes(estimator, data, repeated, params):
    X, y = data
    model = make(estimator, sampler=Double(), **params).fit(X, y)
    by_hand = make(estimator, **params).fit(*repeated)
    np.testing.assert_array_equal(model.decision_function(X), by_hand.decision_function(X))


@pytest.mark.parametrize("estimator", WATCHING, **ids)
@pytest.mark.parametrize("sampler", [None, Double(9)], ids=str)
@pytest.mark.parametrize("metric", ["log_loss", "focal_loss", "error"])
def test_a_prior_does_not_change_when_training_stops(estimator, binary, metric, sampler):
    """The validation data have the prior of the data, and metrics are of probabilities at that."""
    X, y = binary
    early = {"n_estimators": 100, "early_stopping_rounds": 5, "random_state": 0, "eval_metric": metric}
    plain = make(estimator, sampler=sampler, **early).fit(X, y)
    other = make(estimator, sampler=sampler, **early, prior=[0.3, 0.7]).fit(X, y)
    assert plain.evals_result_ == other.evals_result_
    np.testing.assert_array_equal(plain.decision_function(X), other.decision_function(X))
    assert other.predict_proba(X)[:, 1].mean() > 1.5 * plain.predict_proba(X)[:, 1].mean()


PRIORS = [0.2, [0.8, 0.2], np.array([4, 1]), {"yes": 0.2, "no": 0.8}]


@CONSTANT
@pytest.mark.parametrize("prior", PRIORS, ids=str)
@pytest.mark.parametrize("params", [{}, {"class_weight": "balanced"}, {"focal_alpha": 0.9}], ids=str)
def test_prior(estimator, binary, params, prior):
    """Whatever the weights of the classes, a model of no trees' worth predicts the prior asked for."""
    X, y = binary[0], np.array(["no", "yes"])[binary[1]]
    for sampler in (None, Double()):
        model = make(estimator, learning_rate=1e-9, prior=prior, sampler=sampler, **params).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(X[:1])[0], [0.8, 0.2], rtol=1e-5)


def test_the_prior_of_the_training_data_changes_nothing(estimator, data):
    X, y = data
    plain = make(estimator).fit(X, y)
    same = make(estimator, prior=np.bincount(y)).fit(X, y)
    np.testing.assert_allclose(same.predict_proba(X), plain.predict_proba(X), rtol=1e-12)
    assert plain.prior_correction_ is None


def test_correct_prior_is_the_rule_of_bayes():
    """Two normal densities and a third: the posteriors at one prior become those at another."""
    x = np.linspace(-4, 4, 50)
    densities = np.column_stack([norm(mean, 1).pdf(x) for mean in (-1, 0.5, 2)])

    def posterior(prior):
        joint = densities * prior
        return joint / joint.sum(axis=1, keepdims=True)

    before, after = np.array([0.4, 0.4, 0.2]), np.array([0.9, 0.09, 0.01])
    corrected = skfocal.correct_prior(posterior(before), training_prior=before, prior=after)
    np.testing.assert_allclose(corrected, posterior(after), rtol=1e-12)
    by_counts = skfocal.correct_prior(posterior(before), training_prior=before * 700, prior=after * 3)
    np.testing.assert_allclose(by_counts, posterior(after), rtol=1e-12)


def test_probabilities_that_hold_at_another_prior():
    """The prior at which the posteriors of Bayes hold is the one they were made with, on data of any other."""
    x = np.linspace(-12, 12, 4000)
    densities = np.column_stack([norm(mean, 1).pdf(x) for mean in (-1, 0.5, 2)])
    trained_at, prior = np.array([0.4, 0.35, 0.25]), np.array([0.9, 0.08, 0.02])
    joint = densities * trained_at
    weight = densities @ prior  # so often do these x occur
    at = skfocal.effective_prior(joint / joint.sum(axis=1, keepdims=True), prior=prior * 50, sample_weight=weight)
    np.testing.assert_allclose(at, trained_at, rtol=1e-9)
    with pytest.raises(ValueError, match="posterior must have at least one row, got none"):
        skfocal.effective_prior(np.empty((0, 2)), prior=[1, 1])
    with pytest.raises(ValueError, match=r"rows that a prior can move to a mean of \[0.5, 0.5\]"):
        skfocal.effective_prior([[1.0, 0.0], [1.0, 0.0]], prior=[1, 1])
    with pytest.raises(ValueError, match=r"^prior must have the shape \(2,\)"):
        skfocal.effective_prior([[0.9, 0.1]], prior=[1, 1, 1])
    with pytest.raises(ValueError, match=r"^the effective prior must hold weights that differ by"):
        skfocal.effective_prior([[1.0, 1e-110]], prior=[1, 1e-30])


@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize("distance", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("frequent", [0, -1])
def test_rare_classes_far_from_one_another(n_classes, distance, frequent):
    """Shares of 1 in 1,000 and less, from probabilities that hold where all are as frequent, some of them all but 0."""
    rng = np.random.default_rng(n_classes)
    shares = rng.uniform(2e-4, 2e-3, n_classes)
    shares[frequent] = 1.0
    shares /= shares.sum()
    means = rng.normal(size=(n_classes, 3)) * distance
    y = np.append(np.arange(n_classes), rng.choice(n_classes, p=shares, size=20_000))
    X = rng.normal(size=(len(y), 3)) + means[y]
    densities = np.column_stack([norm(mean, 1).pdf(X).prod(axis=1) for mean in means])
    posterior = densities / densities.sum(axis=1, keepdims=True)
    at = skfocal.effective_prior(posterior, prior=np.bincount(y))
    corrected = skfocal.correct_prior(posterior, training_prior=at, prior=np.bincount(y))
    np.testing.assert_allclose(corrected.mean(axis=0), np.bincount(y) / len(y), rtol=1e-7)


@pytest.mark.parametrize("share", [1e-6, 1e-12, 1e-60])
@pytest.mark.parametrize("rare", [0, 1])
def test_a_class_that_hardly_is_there(share, rare):
    """Whichever it is: what is left of 1 by the other one would be lost to rounding."""
    p = np.random.default_rng(0).random(2000)
    posterior, prior = np.column_stack([p, 1 - p]), np.where(np.arange(2) == rare, share, 1.0)
    at = skfocal.effective_prior(posterior, prior=prior)
    corrected = skfocal.correct_prior(posterior, training_prior=at, prior=prior)
    np.testing.assert_allclose(corrected.mean(axis=0), prior / prior.sum(), rtol=1e-8)


@pytest.mark.parametrize("bad", [np.nan, 0.0])
def test_posteriors_that_no_ratio_moves(bad):
    """Those of a model that has diverged, and of one that knows no doubt: it is said so, and soon."""
    posterior = np.tile([1.0, bad], (50, 1))
    assert matching_ratio(posterior, np.array([0.9, 0.1]), None) is None
    of_three = np.array([[0.0, 1.0, 1e-10], [1.0, 0.0, 0.0]])  # the first class is half of all, whatever the ratio
    assert matching_ratio(of_three, np.full(3, 1 / 3), None) is None


def test_a_model_without_doubt_is_corrected_by_the_counts(estimator):
    """A step as long as these ends in probabilities of 0 and 1, which no weights of classes move; that is said."""
    X, y = np.repeat([[0.0], [1.0]], 500, axis=0), np.zeros(1000, dtype=int)
    y[:50] = y[500:650] = 1
    model = make(estimator, sampler=Double(5), learning_rate=1e4, n_estimators=1)
    with pytest.warns(UserWarning, match="No weights of the classes move the probabilities") as record:
        model.fit(X, y)
    assert record[0].filename == __file__
    np.testing.assert_allclose(model.prior_correction_[0] / model.prior_correction_[1], 5)
    np.testing.assert_array_equal(model.predict_proba([[0.0], [1.0]]), np.eye(2))


def test_priors_far_apart():
    """The largest ratio there may be; and rows of 0 and 1 stay so."""
    far = {"training_prior": [1e-100, 1.0], "prior": [1.0, 1e-100]}
    corrected = skfocal.correct_prior([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], **far)
    np.testing.assert_allclose(corrected, [[1, 0], [0, 1], [1, 0]], atol=1e-99)


def test_smote_leaves_the_probabilities_of_the_data(estimator):
    """The counts would put the mean at less than half of the true rate: SMOTE's samples are not like real ones."""
    X, X_test, y, y_test = real_split("census_kdd_half")
    smote = make_sampler("SMOTE")
    params = {"n_estimators": 100, **engine_of(estimator).own_settings}  # trees that go far enough to be misled
    plain, model = (make(estimator, sampler=sampler, **params).fit(X, y) for sampler in (None, smote))
    posterior = model.predict_proba(X_test)
    by_counts = skfocal.correct_prior(
        model.focal_loss_.predict_proba(model.decision_function(X_test)), training_prior=[1, 1], prior=np.bincount(y)
    )
    assert by_counts[:, 1].mean() < 0.6 * y_test.mean()
    assert posterior[:, 1].mean() == pytest.approx(y_test.mean(), rel=0.1)
    assert log_loss(y_test, posterior) < 0.95 * log_loss(y_test, by_counts)
    assert log_loss(y_test, posterior) < 1.1 * log_loss(y_test, plain.predict_proba(X_test))


SAMPLERS = {"SMOTE": "over_sampling", "RandomUnderSampler": "under_sampling"}


def make_sampler(name, **params):
    return getattr(pytest.importorskip(f"imblearn.{SAMPLERS[name]}"), name)(random_state=0, **params)


def real_split(name):
    if name == "shipped":
        X, y = load_creditcard(return_X_y=True)
        n = int(0.8 * len(y))
        return X[:n], X[n:], y[:n], y[n:]
    X, y = real_data(name)
    X = X.select_dtypes("number").to_numpy(np.float32)
    return train_test_split(X, y, train_size=20000, test_size=9000, stratify=y, random_state=0)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("data_set", ["shipped", "census_kdd_half"])
def test_the_correction_lowers_the_log_loss_on_real_data(estimator, data_set, name):
    """Below that of the model as trained, and below that by the counts; docs/measurements/samplers.md has others."""
    X, X_test, y, y_test = real_split(data_set)
    early = {"n_estimators": 300, "validation_fraction": 0.2, "random_state": 0, **engine_of(estimator).early(20)}
    model = make(estimator, sampler=make_sampler(name), **early).fit(X, y)
    as_trained = model.focal_loss_.predict_proba(model.decision_function(X_test))
    corrected = model.predict_proba(X_test)
    counts = np.bincount(clone(make_sampler(name)).fit_resample(X, y)[1])
    by_counts = skfocal.correct_prior(as_trained, training_prior=counts, prior=np.bincount(y))
    assert log_loss(y_test, corrected) < 0.9 * log_loss(y_test, as_trained)
    assert log_loss(y_test, corrected) < 1.01 * log_loss(y_test, by_counts)
    assert abs(corrected[:, 1].mean() - y_test.mean()) < abs(as_trained[:, 1].mean() - y_test.mean())
    ranking = [average_precision_score(y_test, proba[:, 1]) for proba in (corrected, as_trained)]
    assert ranking[0] == pytest.approx(ranking[1])


@pytest.mark.parametrize("name", SAMPLERS)
def test_behind_a_pipelines_sampler_the_function_does_the_same(estimator, name):
    pipelines = pytest.importorskip("imblearn.pipeline")
    X, X_test, y, y_test = real_split("shipped")
    sampler = make_sampler(name)
    pipeline = pipelines.make_pipeline(sampler, make(estimator)).fit(X, y)
    proba = pipeline.predict_proba(X_test)
    at = skfocal.effective_prior(pipeline.predict_proba(X), prior=np.bincount(y))
    corrected = skfocal.correct_prior(proba, training_prior=at, prior=np.bincount(y))
    inside = make(estimator, sampler=sampler).fit(X, y)
    np.testing.assert_allclose(corrected, inside.predict_proba(X_test), rtol=1e-6, atol=1e-12)
    assert log_loss(y_test, corrected) < (0.5 if name == "RandomUnderSampler" else 0.99) * log_loss(y_test, proba)


def test_imbalanced_learns_samplers(estimator, multiclass):
    """With labels that are words, in their strategies too; with a table; with weights where they choose."""
    pd = pytest.importorskip("pandas")
    X, y = multiclass
    names = np.array(["a", "b", "c", "d", "e"])[y]
    smote = make_sampler("SMOTE", sampling_strategy={"e": 300}, k_neighbors=3)
    frame = pd.DataFrame(X, columns=list("stuvwxyz"))
    model = make(estimator, sampler=smote).fit(frame, names)
    assert model.classes_.tolist() == list("abcde")
    assert model.predict_proba(frame).shape == (len(y), 5)
    assert not hasattr(smote, "sampling_strategy_")  # the user's sampler is as it was
    np.testing.assert_allclose(model.predict_proba(frame).mean(axis=0), np.bincount(y) / len(y), rtol=1e-7)
    under = make_sampler("RandomUnderSampler")
    make(estimator, sampler=under).fit(X, names, sample_weight=np.ones(len(y)))
    with pytest.raises(ValueError, match=r"sample_weight must be None with sampler=SMOTE\(.*, which does not tell"):
        make(estimator, sampler=smote).fit(X, names, sample_weight=np.ones(len(y)))


def test_a_search_over_the_samplers_parameters(estimator, binary):
    X, y = binary
    search = GridSearchCV(
        make(estimator, sampler=Double()), {"sampler__times": [2, 5], "sampler": [Double(), None]}, cv=2, n_jobs=2
    )
    with pytest.raises(TypeError, match="sampler must be None or a sampler"):
        search.fit(X, y)
    model = make(estimator, sampler=Double()).set_params(sampler__times=7, focal_gamma=1.0)
    assert (model.sampler.times, model.focal_gamma) == (7, 1.0)
    assert clone(model).get_params()["sampler__times"] == 7
    search = GridSearchCV(model, {"sampler__times": [1, 50]}, scoring="average_precision", cv=2, n_jobs=2).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] != scores[1]
    best = search.best_params_["sampler__times"]
    expected = make(estimator, sampler=Double(best), focal_gamma=1.0).fit(X, y)
    np.testing.assert_array_equal(search.predict_proba(X), expected.predict_proba(X))


class LeavesOut(Double):
    def fit_resample(self, X, y):
        return X[y == y[0]], y[y == y[0]]


class LeavesNothing(Double):
    def fit_resample(self, X, y):
        return X[:0], y[:0]


@pytest.mark.parametrize(
    ("sampler", "error", "message"),
    [
        (LogisticRegression(), TypeError, r"object with a method fit_resample, got LogisticRegression\(\)"),
        (Double, TypeError, "sampler must be None or a sampler .* got <class"),
        ("smote", TypeError, "sampler must be None or a sampler .* got 'smote'"),
        (LeavesOut(), ValueError, r"sampler must leave samples of every class, got none of \[1\] from LeavesOut\(\)"),
        (LeavesNothing(), ValueError, r"sampler must leave samples of every class, got none of \[0, 1\]"),
    ],
)
def test_bad_samplers(estimator, binary, sampler, error, message):
    with pytest.raises(error, match=message):
        make(estimator, sampler=sampler).fit(*binary)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (0.0, r"prior must be None, one weight > 0 per class, or .* in \(0, 1\), got 0.0 for 2 classes"),
        (1.5, r"prior must be None, one weight > 0 per class, or .* in \(0, 1\), got 1.5 for 2 classes"),
        ([1.0], r"prior must have the shape \(2,\), a weight per class, got \(1,\)"),
        ([1.0, -1.0], r"prior must hold finite weights > 0, got \[1.0, -1.0\]"),
        ({0: 1.0}, r"prior must have a key for each of the classes \[0, 1\], got the keys \[0\]"),
        ("balanced", "prior must hold a weight > 0 for each of the 2 classes, got 'balanced'"),
    ],
)
def test_bad_priors(estimator, binary, prior, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make(estimator, prior=prior).fit(*binary)


def test_a_series_is_read_by_its_labels(estimator, binary):
    """As value_counts gives it: the most frequent label first."""
    pd = pytest.importorskip("pandas")
    X, y = binary
    swapped = make(estimator, prior=pd.Series([0.2, 0.8], index=[1, 0])).fit(X, y)
    np.testing.assert_array_equal(
        swapped.predict_proba(X), make(estimator, prior=[0.8, 0.2]).fit(X, y).predict_proba(X)
    )


def test_tables_that_no_sampler_takes(estimator, binary):
    pa = pytest.importorskip("pyarrow")
    X, y = binary
    table = pa.table({f"x{i}": X[:, i] for i in range(8)})
    with pytest.raises(
        TypeError, match=r"X must be .* a pandas DataFrame with sampler=Double\(\), got a pyarrow Table"
    ):
        make(estimator, sampler=Double()).fit(table, y)


def test_a_table_to_be_computed_is_first_to_be_computed(estimator, binary):
    pl = pytest.importorskip("polars")
    X, y = binary
    with pytest.raises(TypeError, match=r"pass X.collect\(\)"):
        make(estimator, sampler=Double()).fit(pl.LazyFrame(X), y)


def test_a_number_is_no_prior_of_several_classes(estimator, multiclass):
    with pytest.raises(ValueError, match=r"share of the second in .* got 0.2 for 5 classes"):
        make(estimator, prior=0.2).fit(*multiclass)


@pytest.mark.parametrize(
    ("posterior", "arguments", "message"),
    [
        ([0.1, 0.9], {}, r"posterior must have the shape \(n_samples, n_classes\), got \(2,\)"),
        ([[0.1, 1.9]], {}, r"posterior must hold probabilities in \[0, 1\], got 1.9"),
        ([[np.nan, 0.5]], {}, r"posterior must hold probabilities in \[0, 1\], got nan"),
        ([[0.1, 0.9]], {"prior": [1, 1, 1]}, r"prior must have the shape \(2,\), a weight per class, got \(3,\)"),
        ([[0.1, 0.9]], {"training_prior": [1, 0]}, r"training_prior must hold finite weights > 0, got \[1.0, 0.0\]"),
        ([[0.1, 0.9]], {"prior": [1e-200, 1e200]}, "prior must hold weights that differ by a factor of 1e100 at most"),
        ([[0.1, 0.9]], {"training_prior": [1e-300, 1.0]}, "training_prior must hold weights that differ by a factor"),
        ([[0.1, 0.9], [0.0, 0.0]], {}, r"posterior must have rows that sum to 1, got 0.0 in row 1"),
    ],
    ids=["a row", "above 1", "nan", "three classes", "none", "far apart", "nearly none", "no sum"],
)
def test_bad_input_of_correct_prior(posterior, arguments, message):
    with pytest.raises(ValueError, match=message):
        skfocal.correct_prior(posterior, **{"training_prior": [1, 1], "prior": [1, 2], **arguments})


@pytest.mark.parametrize("estimator", boosted_with("sparse"), **ids)
@pytest.mark.parametrize("layout", ["csr_matrix", "csc_matrix", "csr_array", "csc_array"])
def test_sparse_features(estimator, binary, layout):
    """What a sampler chooses comes in another order, which must not matter."""
    X, y = np.where(np.abs(binary[0]) < 0.7, 0, binary[0]), binary[1]
    if engine_of(estimator).sparse == "missing":
        X[X == 0] = np.nan
    compact = getattr(sparse, layout)(np.nan_to_num(X))
    models = [make(estimator, sampler=make_sampler("RandomUnderSampler")).fit(features, y) for features in (X, compact)]
    probabilities = [model.predict_proba(features) for model, features in zip(models, (X, compact), strict=True)]
    np.testing.assert_allclose(probabilities[1], probabilities[0], atol=1e-6)
