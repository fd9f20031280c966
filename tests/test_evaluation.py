"""Evaluation sets, metrics and early stopping, whatever the engine."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.exceptions import ConvergenceWarning

import skfocal
from skfocal.losses import BinaryFocalLoss

from .conftest import WATCHING, engine_of, fit_with_eval, make


@pytest.fixture(params=WATCHING, ids=lambda estimator: estimator.__name__)
def estimator(request):
    return request.param


METRICS = {
    "log_loss": lambda y, p, w: metrics.log_loss(y, p, sample_weight=w),
    "error": lambda y, p, w: metrics.zero_one_loss(y, p.argmax(axis=1), sample_weight=w),
    "roc_auc": lambda y, p, w: np.mean(
        [metrics.roc_auc_score(y == k, p[:, k], sample_weight=w) for k in ([1] if p.shape[1] == 2 else np.unique(y))]
    ),
    "average_precision": lambda y, p, w: np.mean(
        [
            metrics.average_precision_score(y == k, p[:, k], sample_weight=w)
            for k in ([1] if p.shape[1] == 2 else np.unique(y))
        ]
    ),
}


@pytest.mark.parametrize("weighted", [False, True])
def test_evaluation_metrics_are_those_of_the_predictions(estimator, data, weighted):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y[::2])) if weighted else None
    names = ["focal_loss", *METRICS]
    model, history = fit_with_eval(estimator, X[1::2], y[1::2], [(X[::2], y[::2])], names, weight)
    assert list(history) == names
    assert all(len(values) == 20 for values in history.values())
    proba = model.predict_proba(X[::2])
    for name, metric in METRICS.items():
        assert history[name][-1] == pytest.approx(metric(y[::2], proba, weight), rel=1e-5)
    focal = np.average(model.focal_loss_.loss(y[::2], model.decision_function(X[::2])), weights=weight)
    assert history["focal_loss"][-1] == pytest.approx(focal, rel=1e-5)


def test_the_default_metric_is_the_focal_loss_and_the_engines_names_work(estimator, data):
    X, y = data
    _, history = fit_with_eval(estimator, X, y, [(X, y)], None)
    assert list(history) == ["focal_loss"]
    _, ours = fit_with_eval(estimator, X, y, [(X, y)], ["log_loss", "roc_auc"])
    engines = [engine_of(estimator).log_loss[int(y.max() > 1)], "auc"]
    _, theirs = fit_with_eval(estimator, X, y, [(X, y)], engines)
    assert list(theirs.values()) == list(ours.values())
    assert list(theirs) == engines


@pytest.mark.parametrize("metric", ["focal_loss", "average_precision"])
def test_early_stopping_goes_in_the_right_direction(estimator, binary, metric):
    X, y = binary
    half = len(y) // 2
    params = {"n_estimators": 200, "learning_rate": 0.5, "early_stopping_rounds": 5}
    model, history = fit_with_eval(estimator, X[:half], y[:half], [(X[half:], y[half:])], [metric], **params)
    scores = np.array(history[metric])
    assert len(scores) < 200
    best = scores.argmax() if metric == "average_precision" else scores.argmin()
    assert model.best_iteration_ - 1 == best
    assert len(scores) == best + 1 + 5
    raw = model.decision_function(X[half:])
    if metric == "focal_loss":
        assert np.mean(model.focal_loss_.loss(y[half:], raw)) == pytest.approx(scores[best], rel=1e-5)
        return
    # LightGBM's margins have the intercept added after the trees in training, before them in the booster: a rounding
    # error, which may part samples that were tied, the positive or the negative one first.
    truth = np.where(y[half:], 1e-5, -1e-5)
    least, most = (metrics.average_precision_score(y[half:], raw + shift) for shift in (-truth, truth))
    assert most - least < 0.01
    assert least - 1e-12 <= scores[best] <= most + 1e-12


def test_a_users_metric_is_given_probabilities(estimator, data):
    X, y = data
    seen = {}

    def keep(y_true, y_score):
        seen.update(y=y_true, score=y_score)
        return engine_of(estimator).user_metric("keep", 0.5, True)

    model, history = fit_with_eval(estimator, X, y, [(X, y)], keep)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(seen["score"], proba[:, 1] if y.max() == 1 else proba, rtol=1e-5)
    np.testing.assert_array_equal(seen["y"], y)
    assert history["keep"] == [0.5] * 20


def test_pairs_in_a_tuple(estimator, binary):
    X, y = binary
    quiet = engine_of(estimator).quiet_fit
    model = make(estimator).fit(X, y, eval_set=((X[:500], y[:500]), (X[500:], y[500:])), **quiet)
    assert len(model.evals_result_) == 2


def test_evaluation_sets_may_start_elsewhere(estimator, binary):
    """A start that is only the evaluation set's own moves its first score, and no tree."""
    X, y = binary
    name = engine_of(estimator).eval_start
    fit = {"eval_set": [(X[:500], y[:500])], **engine_of(estimator).quiet_fit}
    near = make(estimator).fit(X, y, **fit)
    far = make(estimator).fit(X, y, **fit, **{name: [np.full(500, 9.0)]})
    np.testing.assert_array_equal(near.decision_function(X), far.decision_function(X))
    (near_scores,), (far_scores,) = near.evals_result_.values(), far.evals_result_.values()
    assert far_scores["focal_loss"][0] > 5 * near_scores["focal_loss"][0]


def test_our_own_metric_object_is_a_metric_too(estimator, binary):
    X, y = binary
    other = skfocal.FocalMetric(BinaryFocalLoss(0.5))
    model, history = fit_with_eval(estimator, X, y, [(X, y)], [other, "auc", "auc"])
    assert list(history) == ["focal_loss", "auc"]
    assert len(history["auc"]) == 20
    assert history["focal_loss"][-1] == pytest.approx(other.mean(y, model.decision_function(X)), rel=1e-5)


def test_training_data_among_the_evaluation_sets_with_a_start_of_its_own(estimator, binary):
    X, y = binary
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    name = engine_of(estimator).eval_start
    fit = {"sample_weight": weight, **engine_of(estimator).quiet_fit, name: [np.full(len(y), 5.0)]}
    (same,) = make(estimator).fit(X, y, eval_set=[(X, y)], **fit).evals_result_.values()
    (copied,) = make(estimator).fit(X, y, eval_set=[(X.copy(), y)], **fit).evals_result_.values()
    assert same == copied


def test_labels_of_evaluation_sets_are_those_of_the_training_data(estimator, binary):
    X, y = binary
    names = np.array(["no", "yes"])[y]
    _, expected = fit_with_eval(estimator, X, y, [(X, y)], None)
    _, history = fit_with_eval(estimator, X, names, [(X, names)], None)
    assert history == expected


def test_evaluation_changes_no_input(estimator, data):
    X, y = data
    X_eval, y_eval = X.copy(), y.copy()
    fit_with_eval(estimator, X, y, [(X_eval, y_eval)], None)
    np.testing.assert_array_equal(X_eval, X)
    np.testing.assert_array_equal(y_eval, y)


def test_no_metric_is_the_default_metric(estimator, binary):
    X, y = binary
    _, history = fit_with_eval(estimator, X, y, [(X, y)], [])
    assert list(history) == ["focal_loss"]


@pytest.mark.parametrize("metric", ["focal_loss", "roc_auc"])
def test_saved_booster_after_early_stopping(estimator, binary, metric, tmp_path):
    X, y = binary
    params = {"n_estimators": 200, "learning_rate": 0.5, "early_stopping_rounds": 5}
    model, history = fit_with_eval(estimator, X[:1000], y[:1000], [(X[1000:], y[1000:])], [metric], **params)
    assert len(history[metric]) < 200
    engine, file = engine_of(estimator), tmp_path / engine_of(estimator).files[-1]
    engine.booster(model).save_model(file)
    np.testing.assert_array_equal(engine.booster_margins(file, X), model.decision_function(X))


@pytest.mark.parametrize(
    "name", ["binary", "cross_entropy", "xentropy", "multiclass", "softmax", "multiclassova", "ova", "mlogloss"]
)
def test_the_log_loss_under_the_names_of_the_engines(estimator, data, name):
    X, y = data
    model, history = fit_with_eval(estimator, X, y, [(X[:500], y[:500])], name)
    expected = metrics.log_loss(y[:500], model.predict_proba(X[:500]), labels=np.unique(y))
    assert history[name][-1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("sets", [{"early_stopping_rounds": 2}, {}], ids=["split off", "given"])
def test_weights_that_are_0_to_the_engine(estimator, binary, sets):
    """They are float32 there; all the same weight is as good as none, but for leaves that must weigh something."""
    X, y = binary
    weight = np.full(len(y), 1e-300)
    watched = {} if sets else {"eval_set": [(X, y)], engine_of(estimator).eval_weight: [weight]}
    model = make(estimator, **sets)
    with pytest.warns(ConvergenceWarning, match="raise weights that are small"):
        model.fit(X, y, sample_weight=weight, **watched, **engine_of(estimator).quiet_fit)
    (history,) = model.evals_result_.values()
    intercept = np.full(len(y), model.focal_intercept_)
    assert history["focal_loss"][0] == pytest.approx(
        model.focal_loss_.loss(y, intercept).mean(), rel=0.05 if sets else 1e-6
    )
