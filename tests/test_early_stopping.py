"""Early stopping on data that fit splits off: what is split, what is watched, what is kept."""

import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import average_precision_score, check_scoring, get_scorer, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from skfocal import FocalLGBMClassifier, FocalXGBClassifier
from skfocal.datasets import load_creditcard

from .conftest import WATCHING, engine_of, make

ids = {"ids": lambda estimator: estimator.__name__}


@pytest.fixture(params=WATCHING, **ids)
def estimator(request):
    return request.param


EARLY = {"n_estimators": 200, "learning_rate": 0.3, "early_stopping_rounds": 5, "random_state": 0}


def only_history(model):
    (history,) = model.evals_result_.values()
    return history


def split_by_hand(y, fraction=0.1):
    """Return the rows that scikit-learn's stratified split gives, in their order."""
    rows = np.arange(len(y))
    return map(np.sort, train_test_split(rows, test_size=fraction, stratify=y, random_state=0))


def fit_by_hand(model, X, y, weight=None, start=None, fraction=0.1):
    """Fit with the same split given as an evaluation set."""
    train, validate = split_by_hand(y, fraction)
    engine = engine_of(model)
    fit = {"eval_set": [(X[validate], y[validate])], **engine.quiet_fit}
    if weight is not None:
        fit |= {"sample_weight": weight[train], engine.eval_weight: [weight[validate]]}
    if start is not None:
        fit |= {engine.start: start[train], engine.eval_start: [start[validate]]}
    return model.fit(X[train], y[train], **fit)


@pytest.mark.parametrize("with_start", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_split_off(estimator, data, weighted, with_start):
    """The model is that of a stratified split by hand; weights and starting margins go with their rows."""
    X, y = data
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.5, 2, size=len(y)) if weighted else None
    start = rng.normal(size=len(y) if y.max() == 1 else (len(y), 5)).astype(np.float32) if with_start else None
    early = make(estimator, **EARLY, validation_fraction=0.2)
    model = clone(early).fit(X, y, sample_weight=weight, **{engine_of(estimator).start: start})
    expected = fit_by_hand(clone(early), X, y, weight, start, fraction=0.2)
    assert model.evals_result_ == expected.evals_result_
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


def test_samples_of_weight_zero_are_in_neither_part(estimator, binary):
    X, y = binary
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    model = make(estimator, **EARLY).fit(X, y, sample_weight=weight)
    kept = make(estimator, **EARLY).fit(X[weight > 0], y[weight > 0], sample_weight=weight[weight > 0])
    assert model.evals_result_ == kept.evals_result_


@pytest.mark.parametrize("class_weight", [{1: 9.0}, "balanced"], ids=str)
def test_class_weights_count_in_the_validation_data(estimator, binary, class_weight):
    """In what is split off, and in evaluation sets too."""
    X, y = binary
    train, _ = split_by_hand(y)
    by_class = np.array([1.0, 9.0]) if class_weight != "balanced" else len(train) / 2 / np.bincount(y[train])
    by_sample = make(estimator, **EARLY).fit(X, y, sample_weight=by_class[y])
    early = make(estimator, class_weight=class_weight, **EARLY)
    split = clone(early).fit(X, y)
    given = fit_by_hand(clone(early), X, y)
    for model in (split, given):
        assert only_history(model)["focal_loss"] == pytest.approx(only_history(by_sample)["focal_loss"], rel=1e-6)


@pytest.mark.parametrize("estimator", [FocalLGBMClassifier], **ids)
def test_class_weights_of_an_evaluation_set_go_first(estimator, binary):
    X, y = binary
    fit = {"eval_set": [(X[:500], y[:500])], "eval_class_weight": [{1: 3.0}]}
    own = make(estimator, class_weight={1: 9.0}).fit(X, y, **fit)
    loss = own.focal_loss_.loss(y[:500], own.decision_function(X[:500]))
    expected = np.average(loss, weights=np.where(y[:500], 3.0, 1.0))
    assert only_history(own)["focal_loss"][-1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("metric", ["focal_loss", "log_loss", "roc_auc", "average_precision"])
def test_predictions_use_the_best_round(estimator, data, metric):
    X, y = data
    model = make(estimator, **EARLY, eval_metric=metric).fit(X, y)
    scores = np.array(only_history(model)[metric])
    best = scores.argmin() if "loss" in metric else scores.argmax()
    assert len(scores) == best + 1 + 5 < 200
    assert model.best_iteration_ == best + 1
    ((_, best_scores),) = model.best_score_.items()
    assert best_scores[metric] == scores[best]
    train, _ = split_by_hand(y)
    short = make(estimator, **EARLY | {"n_estimators": best + 1, "early_stopping_rounds": None}).fit(X[train], y[train])
    np.testing.assert_allclose(model.predict_proba(X), short.predict_proba(X), rtol=1e-5)


def test_an_evaluation_set_is_watched_instead(estimator, binary):
    X, y = binary
    quiet = engine_of(estimator).quiet_fit
    model = make(estimator, **EARLY).fit(X[500:], y[500:], eval_set=[(X[:500], y[:500])], **quiet)
    loss = np.mean(model.focal_loss_.loss(y[:500], model.decision_function(X[:500])))
    assert min(only_history(model)["focal_loss"]) == pytest.approx(loss, rel=1e-5)
    whole = make(estimator, **EARLY | {"n_estimators": model.best_iteration_, "early_stopping_rounds": None})
    np.testing.assert_allclose(whole.fit(X[500:], y[500:]).predict_proba(X), model.predict_proba(X), rtol=1e-5)


SEEDS = [(each, name) for each in WATCHING for name in engine_of(each).seeds if name != "random_state"]


@pytest.mark.parametrize(("estimator", "name"), SEEDS)
def test_the_random_states_other_names(estimator, binary, name):
    X, y = binary
    given = [make(estimator, **EARLY | {"random_state": None}, **{name: 7}).fit(X, y) for _ in range(2)]
    expected = make(estimator, **EARLY | {"random_state": 7}).fit(X, y)
    assert given[0].evals_result_ == given[1].evals_result_ == expected.evals_result_


@pytest.mark.parametrize("params", [{"booster": "gblinear"}, {"booster": "dart", "rate_drop": 0.3}], ids=str)
@pytest.mark.parametrize("estimator", [FocalXGBClassifier], **ids)
def test_boosters_that_change_earlier_rounds(estimator, binary, params):
    X, y = binary
    _, validate = split_by_hand(y)
    model = make(estimator, **EARLY, **params, eval_metric="log_loss").fit(X, y)
    history = only_history(model)["log_loss"]
    assert len(history) > model.best_iteration_ == np.argmin(history) + 1
    assert log_loss(y[validate], model.predict_proba(X[validate])) == pytest.approx(min(history), rel=1e-5)


@pytest.mark.parametrize("booster", ["gbtree", "gblinear", "dart"])
@pytest.mark.parametrize("estimator", [FocalXGBClassifier], **ids)
def test_a_model_that_is_continued(estimator, binary, booster):
    """Rounds are counted on from the old model's, and the best of them predicts."""
    X, y = binary
    _, validate = split_by_hand(y)
    params = {"booster": booster} | ({"rate_drop": 0.3} if booster == "dart" else {})
    old = make(estimator, **params, n_estimators=5, random_state=0).fit(X, y)
    params |= {"learning_rate": 1.0, "eval_metric": "log_loss"}
    model = make(estimator, **EARLY | params).fit(X, y, xgb_model=old)
    history = only_history(model)["log_loss"]
    assert len(history) > np.argmin(history) + 1
    assert model.best_iteration_ == 5 + np.argmin(history) + 1
    assert log_loss(y[validate], model.predict_proba(X[validate])) == pytest.approx(min(history), rel=1e-5)


def test_categories(estimator, binary):
    """They mean the same in a table that lacks some of them, where their codes are others."""
    pd = pytest.importorskip("pandas")
    X, y = binary
    shop = pd.Categorical(np.where(y, "b", np.where(X[:, 0] > 0, "a", "c")))
    frame = pd.DataFrame({"montant en \u20ac": X[:, 1], "shop": shop})
    rows = frame[shop == "b"]
    fewer = rows.assign(shop=rows["shop"].cat.remove_unused_categories())
    assert set(fewer["shop"].cat.codes) != set(rows["shop"].cat.codes)
    stops = [{}]
    if estimator is FocalXGBClassifier:  # whose callback slices the booster by itself
        stop = pytest.importorskip("xgboost").callback.EarlyStopping(rounds=5)
        stops += [{"callbacks": [stop], "early_stopping_rounds": None}]
    for params in stops:
        model = make(estimator, **EARLY | params)
        model.fit(frame, y, eval_set=[(frame, y)] if params else None, **engine_of(estimator).quiet_fit)
        expected = model.predict_proba(frame)[shop == "b"]
        assert expected[:, 1].mean() > 0.8
        np.testing.assert_array_equal(model.predict_proba(fewer), expected)


@pytest.mark.parametrize("estimator", [FocalXGBClassifier], **ids)
def test_how_often_xgboost_prints(estimator, binary):
    with pytest.raises(ValueError, match="verbose must be None, True, False or an integer >= 0, got -1"):
        make(estimator).fit(*binary, verbose=-1)


def test_the_random_state_decides_on_the_split(estimator, binary):
    X, y = binary
    first, same, other = (make(estimator, **EARLY | {"random_state": seed}).fit(X, y) for seed in (0, 0, 1))
    assert first.evals_result_ == same.evals_result_ != other.evals_result_
    generators = [np.random.default_rng(0)] if engine_of(estimator).generators else []
    for generator in (np.random.RandomState(0), *generators):
        make(estimator, **EARLY | {"random_state": generator, "n_estimators": 3}).fit(X, y)


def dear_errors(estimator, X, y):
    """Score in scikit-learn's manner, with labels and with a column of X, as costs per case do."""
    return -float(np.sum(np.abs(X[:, 0]) * (estimator.predict(X) != y)))


SCORERS = {
    "average_precision_score": make_scorer(average_precision_score, response_method="predict_proba", pos_label="yes"),
    "neg_log_loss": get_scorer("neg_log_loss"),
    "roc_auc_score": get_scorer("roc_auc"),
    "accuracy_score": get_scorer("accuracy"),
    "dear_errors": dear_errors,
}


@pytest.mark.parametrize(("name", "scorer"), SCORERS.items(), ids=SCORERS)
def test_scorers(estimator, binary, name, scorer):
    """What a scorer says of the best round is what it says of the fitted model; greater is better."""
    X, y = binary
    labels = np.array(["no", "yes"])[y]
    model = make(estimator, **EARLY, eval_metric=scorer).fit(X, labels)
    scores = only_history(model)[name]
    assert model.best_iteration_ == np.argmax(scores) + 1
    _, validate = split_by_hand(y)
    # LightGBM's margins have the intercept added after the trees in training, before them in the booster.
    assert max(scores) == pytest.approx(scorer(model, X[validate], labels[validate]), rel=1e-4)


def test_scorers_of_several_evaluation_sets(estimator, binary):
    """Each is asked with the features of its own set, the training data among them."""
    X, y = binary
    sets = [(X[:300], y[:300]), (X, y), (X[300:900], y[300:900])]
    where = {"eval_metric": [dear_errors, "focal_loss"]}
    model = make(estimator, **where).fit(X, y, eval_set=sets, **engine_of(estimator).quiet_fit)
    scores = sorted(history["dear_errors"][-1] for history in model.evals_result_.values())
    assert scores == pytest.approx(sorted(dear_errors(model, *pair) for pair in sets), rel=1e-5)


def test_scorers_and_weights(estimator, binary):
    X, y = binary
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    by_name = make(estimator, **EARLY, eval_metric="log_loss").fit(X, y, sample_weight=weight)
    by_scorer = make(estimator, **EARLY, eval_metric=get_scorer("neg_log_loss")).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(
        only_history(by_scorer)["neg_log_loss"], -np.array(only_history(by_name)["log_loss"]), rtol=1e-12
    )


def cost(y_true, y_pred):
    return 50 * np.sum((y_true == 1) & (y_pred == 0)) + np.sum((y_true == 0) & (y_pred == 1))


UNWEIGHTED = {"dear_errors": dear_errors, "neg_cost": make_scorer(cost, greater_is_better=False)}


@pytest.mark.parametrize(("name", "scorer"), UNWEIGHTED.items(), ids=UNWEIGHTED)
def test_scorers_that_know_no_weights(estimator, binary, name, scorer):
    """They are refused, before any training, where samples have weights; those of classes are not their concern."""
    X, y = binary
    message = f"eval_metric must take sample_weight, as the evaluation data have weights, got '{name}'"
    early = make(estimator, **EARLY, eval_metric=scorer, class_weight={1: 5.0})
    with pytest.raises(ValueError, match=message):
        clone(early).fit(X, y, sample_weight=np.ones(len(y)))
    weights = engine_of(estimator).eval_weight
    fit = {"eval_set": [(X[:500], y[:500])], **engine_of(estimator).quiet_fit}
    with pytest.raises(ValueError, match=message):
        clone(early).fit(X, y, **fit, **{weights: [np.ones(500)]})
    clone(early).fit(X, y, **fit, **{weights: [None]})
    model = early.fit(X, y)
    _, validate = split_by_hand(y)
    assert max(only_history(model)[name]) == pytest.approx(scorer(model, X[validate], y[validate]))


def test_metrics_must_have_a_signature(estimator, binary):
    X, y = binary
    with pytest.raises(ValueError, match=r"eval_metric must have a signature .* got <built-in function max>"):
        make(estimator, **EARLY, eval_metric=max).fit(X, y)


def test_metrics_of_labels_and_probabilities_that_know_no_weights(estimator, binary):
    """As scorers: XGBoost's users give metrics of scikit-learn's signature; LightGBM counts the arguments."""
    X, y = binary

    def error(y_true, y_score):
        value = float(np.mean((y_score > 0.5) != y_true))
        return engine_of(estimator).user_metric("error", value, False)

    early = make(estimator, **EARLY, eval_metric=error, class_weight={1: 5.0})
    _, validate = split_by_hand(y)
    model = clone(early).fit(X, y)
    assert min(only_history(model)["error"]) == pytest.approx(np.mean(model.predict(X[validate]) != y[validate]))
    if engine_of(estimator).weighs_user_metrics:
        with pytest.raises(ValueError, match="eval_metric must take sample_weight"):
            early.fit(X, y, sample_weight=np.ones(len(y)))


def test_what_tells_a_scorer(estimator, binary):
    X, y = binary
    scorers = {
        "estimator": lambda estimator, data, labels: estimator.score(data, labels),
        "clf": lambda clf, data, labels: clf.score(data, labels),
        "X": lambda fitted, X_val, y_val: fitted.score(X_val, y_val),
        "check_scoring": check_scoring(make(estimator)),
        "fitted": lambda model, X_val, y_val: check_is_fitted(model) or model.score(X_val, y_val),
    }
    for scorer in scorers.values():
        model = make(estimator, **EARLY, eval_metric=scorer).fit(X, y)
        _, validate = split_by_hand(y)
        assert max(next(iter(only_history(model).values()))) == pytest.approx(model.score(X[validate], y[validate]))


def test_what_a_scorer_may_not_return(estimator, binary):
    for value in (None, np.zeros(3), "good"):
        with pytest.raises(TypeError, match="eval_metric must return a number, got"):
            make(estimator, **EARLY, eval_metric=lambda estimator, X, y, value=value: value).fit(*binary)


def test_a_scorer_may_not_train(estimator, binary):
    with pytest.raises(TypeError, match="eval_metric must not fit the model that it is given"):
        make(estimator, **EARLY, eval_metric=lambda model, X, y: model.fit(X, y)).fit(*binary)


def test_a_scorer_may_not_ask_for_other_data(estimator, binary):
    def cheats(estimator, X, y):
        return float(estimator.predict_proba(X[:5]).sum())

    with pytest.raises(ValueError, match="X must be what the scorer is given"):
        make(estimator, **EARLY, eval_metric=cheats).fit(*binary)


def test_in_pipelines_and_searches(estimator, binary):
    X, y = binary
    pipeline = make_pipeline(StandardScaler(), make(estimator, **EARLY, eval_metric="average_precision"))
    name = f"{estimator.__name__.lower()}__focal_gamma"
    search = GridSearchCV(pipeline, {name: [0.0, 2.0]}, scoring="average_precision", cv=3, n_jobs=2).fit(X, y)
    assert 0 < search.best_estimator_[-1].best_iteration_ < 200
    assert "average_precision" in only_history(search.best_estimator_[-1])
    assert (search.cv_results_["mean_test_score"] > 2 * y.mean()).all()


def test_card_fraud(estimator):
    """On real frauds it stops well before the end, and the probabilities are the better for it."""
    cards = load_creditcard()
    n = int(0.8 * len(cards.target))
    X, y, weight = cards.data, cards.target, cards.sample_weight
    params = {"n_estimators": 400, "random_state": 0, "validation_fraction": 0.2}
    early = make(estimator, **params, early_stopping_rounds=20)
    losses = []
    for model in (early, clone(early).set_params(early_stopping_rounds=None)):
        model.fit(X[:n], y[:n], sample_weight=weight[:n])
        losses.append(log_loss(y[n:], model.predict_proba(X[n:]), sample_weight=weight[n:]))
    assert 5 < early.best_iteration_ < 200
    assert losses[0] < 0.8 * losses[1]


def test_nothing_of_an_earlier_fit_remains(estimator, binary):
    X, y = binary
    model = make(estimator, **EARLY).fit(X, y)
    model.set_params(early_stopping_rounds=None, n_estimators=3).fit(X, y)
    assert not getattr(model, "evals_result_", {})
    assert not model.best_score_
    assert model.best_iteration_ in (0, -1)  # LightGBM 4.6 says -1
    expected = make(estimator, **EARLY | {"early_stopping_rounds": None, "n_estimators": 3}).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("name", ["early_stopping_round", "early_stopping", "n_iter_no_change"])
@pytest.mark.parametrize("estimator", [FocalLGBMClassifier], **ids)
def test_lightgbms_other_names(estimator, binary, name):
    X, y = binary
    params = EARLY | {"early_stopping_rounds": None}
    model = make(estimator, **params, **{name: 5}).fit(X, y)
    assert model.evals_result_ == make(estimator, **EARLY).fit(X, y).evals_result_
    assert not make(estimator, **params | {"n_estimators": 3}, **{name: 0}).fit(X, y).evals_result_
    with pytest.raises(ValueError, match=rf"must be given under one name, got .*'{name}': 5"):
        make(estimator, **EARLY, **{name: 5}).fit(X, y)
    with pytest.raises(ValueError, match=f"{name} must be None with dart"):
        make(estimator, **params, **{name: 5}, boosting_type="dart").fit(X, y)


def test_the_engines_callbacks_see_our_metrics(estimator, binary):
    """On data that were split off, with the engine's own ways to record and to print each round."""
    X, y = binary
    seen = {}
    if estimator is FocalLGBMClassifier:
        lightgbm = pytest.importorskip("lightgbm")
        model = make(estimator, **EARLY).fit(X, y, callbacks=[lightgbm.record_evaluation(seen)])
    else:
        xgboost = pytest.importorskip("xgboost")

        class Record(xgboost.callback.TrainingCallback):
            def after_iteration(self, model, epoch, evals_log):
                seen.update(evals_log)
                return False

        model = make(estimator, **EARLY, callbacks=[Record()]).fit(X, y)
    assert {name: dict(history) for name, history in seen.items()} == model.evals_result_


@pytest.mark.parametrize("metric", ["focal_loss", "average_precision"])
def test_printing_each_round(estimator, metric, capfd):
    """By XGBoost's verbose and LightGBM's log_evaluation; nothing is printed unless it is asked for."""
    X, y = load_creditcard(return_X_y=True)
    model = make(estimator, **EARLY, eval_metric=metric)
    model.fit(X, y)
    assert capfd.readouterr().out == ""
    if estimator is FocalLGBMClassifier:
        lightgbm = pytest.importorskip("lightgbm")
        model.fit(X, y, callbacks=[lightgbm.log_evaluation(1)])
    else:
        model.fit(X, y, verbose=True)
    printed = [line for line in capfd.readouterr().out.splitlines() if metric in line]
    scores = only_history(model)[metric]
    assert len(printed) == len(scores)
    assert float(printed[-1].split(":")[-1]) == pytest.approx(scores[-1], abs=1e-5)  # XGBoost prints five decimals


def test_progress_bar(estimator, capsys):
    pytest.importorskip("tqdm")
    X, y = load_creditcard(return_X_y=True)
    model = make(estimator, **EARLY, progress_bar=True).fit(X, y)
    shown = capsys.readouterr().err.split("\r")[-1]
    assert shown.startswith(estimator.__name__)
    rounds = len(only_history(model)["focal_loss"])
    assert f"{rounds}/200" in shown
    assert f"focal_loss={only_history(model)['focal_loss'][-1]:.5g}" in shown
    make(estimator, n_estimators=7, progress_bar=True).fit(X, y)  # without anything to evaluate
    assert "7/7" in capsys.readouterr().err.split("\r")[-1]
    make(estimator).fit(X, y)
    assert not capsys.readouterr().err


def test_a_progress_bar_without_tqdm(estimator, binary, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r'progress_bar=True needs tqdm: pip install "skfocal\[all\]"'):
        make(estimator, progress_bar=True).fit(*binary)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"early_stopping_rounds": 0}, "early_stopping_rounds must be None or an integer >= 1, got 0"),
        ({"early_stopping_rounds": 2.5}, "early_stopping_rounds must be None or an integer >= 1, got 2.5"),
        ({"early_stopping_rounds": True}, "early_stopping_rounds must be None or an integer >= 1, got True"),
        ({"validation_fraction": 0.0}, r"validation_fraction must be in \(0, 1\), got 0.0"),
        ({"validation_fraction": 1}, r"validation_fraction must be in \(0, 1\), got 1"),
        ({"validation_fraction": "half"}, r"validation_fraction must be in \(0, 1\), got 'half'"),
        ({"validation_fraction": 0.001}, "one sample of every class to validate, got 0.001: none of the .* of class 1"),
        ({"validation_fraction": 0.999}, "one sample of every class to train, got 0.999: none of the .* of class 1"),
        ({"validation_fraction": 0.0001}, "must leave 2 or more .* got 0.0001: 1 to validate"),
        ({"eval_metric": "rmse"}, r"eval_metric must be a callable or one of \[.*'focal_loss'.*\], got 'rmse'"),
        ({"eval_metric": "neg_log_loss"}, r"got 'neg_log_loss' \(pass sklearn.metrics.get_scorer\('neg_log_loss'\)\)"),
        ({"eval_metric": [["auc"]]}, r"eval_metric must be a name, a callable or a list of these, got \['auc'\]"),
        ({"eval_metric": {"auc"}}, r"eval_metric must be a name, a callable or a list of these, got \{'auc'\}"),
        (
            {"validation_fraction": -1, "early_stopping_rounds": None},
            r"validation_fraction must be in \(0, 1\), got -1",
        ),
        ({"progress_bar": "yes"}, "progress_bar must be True or False, got 'yes'"),
    ],
    ids=str,
)
def test_bad_parameters(estimator, binary, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make(estimator, **EARLY | params).fit(*binary)


def test_too_few_samples_of_a_class(estimator, binary):
    X, y = binary
    y = np.where(np.arange(len(y)) == 0, 1, 0)
    with pytest.raises(ValueError, match="early_stopping_rounds without an eval_set needs two samples of every class"):
        make(estimator, **EARLY).fit(X, y)


@pytest.mark.parametrize("estimator", [FocalLGBMClassifier], **ids)
def test_lightgbm_does_not_watch_the_training_data(estimator, binary):
    model = make(estimator, **EARLY | {"n_estimators": 30})
    with pytest.warns(UserWarning, match="Only training set found, disabling early stopping"):
        model.fit(*binary, eval_set=[binary])
    assert len(only_history(model)["focal_loss"]) == 30
