"""What is LightGBM's own: parameters, evaluation, and the booster that carries the intercept."""

import copy
import functools
import pickle
import warnings

import lightgbm
import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_sample_weight

from skfocal import FocalLGBMClassifier, FocalObjective
from skfocal.boosting import plan
from skfocal.lightgbm import compat as lightgbm_compat
from skfocal.objectives import TrainingObjective

from .conftest import CONSTANT, make
from .programs import PYTHON, run


def fitted(X, y, **params):
    return make(FocalLGBMClassifier, **params).fit(X, y)


@pytest.mark.parametrize(
    "params",
    [
        {"boosting_type": "dart"},
        {"boosting_type": "goss"},
        {"data_sample_strategy": "goss"},
        {"use_quantized_grad": True},
        {"subsample": 0.5, "subsample_freq": 1, "extra_trees": True},
    ],
    ids=str,
)
def test_every_way_to_boost_keeps_the_intercept(data, params):
    X, y = data
    np.testing.assert_allclose(fitted(X, y, **params).predict_proba(X).mean(axis=0), np.bincount(y) / len(y), atol=0.03)


def test_contributions_add_up_to_the_margin(data):
    X, y = data
    model = fitted(X, y)
    contributions = model.predict(X, pred_contrib=True).reshape(len(y), -1, X.shape[1] + 1).sum(axis=2)
    np.testing.assert_allclose(contributions.squeeze(), model.decision_function(X), rtol=1e-10, atol=1e-10)


def test_engine_predictions(data):
    X, y = data
    model = fitted(X, y)
    np.testing.assert_array_equal(model.predict(X, raw_score=True), model.decision_function(X))
    assert model.predict(X, pred_leaf=True).shape == (len(y), 20 * (1 if y.max() == 1 else 5))
    first = model.predict_proba(X, num_iteration=1)
    np.testing.assert_allclose(first, fitted(X, y, n_estimators=1).predict_proba(X))
    assert model.n_estimators_ == 20


@pytest.mark.parametrize(("n_estimators", "kind"), [(20, "dart"), (30, "DART")])
def test_watching_the_training_data_does_not_change_dart(binary, n_estimators, kind):
    X, y = binary
    params = {"boosting_type": kind, "drop_rate": 0.5, "skip_drop": 0.0, "n_estimators": n_estimators}
    expected = make(FocalLGBMClassifier, **params).fit(X, y).predict_proba(X)
    model = make(FocalLGBMClassifier, eval_metric="log_loss", **params).fit(X, y, eval_set=[(X, y)])
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    (history,) = model.evals_result_.values()
    assert history["log_loss"][-1] == pytest.approx(log_loss(y, expected))


def test_columns_of_a_sparse_matrix_may_be_in_any_order(binary):
    X, y = np.where(np.abs(binary[0]) < 0.7, 0, binary[0]), binary[1]
    order = np.random.default_rng(0).permutation(len(y))
    columns = sparse.csc_matrix(X)[order]
    assert not columns.has_sorted_indices
    expected = make(FocalLGBMClassifier).fit(X[order], y[order]).predict_proba(X[order])
    model = make(FocalLGBMClassifier).fit(columns, y[order])
    assert not columns.has_sorted_indices  # it is as it was
    np.testing.assert_allclose(model.predict_proba(columns), expected)


@pytest.mark.parametrize("stopped_early", [False, True])
def test_init_model_knows_its_categories(binary, stopped_early, tmp_path):
    """Of tables that lack some of them, or have them in another order: LightGBM keeps numbers."""
    pd = pytest.importorskip("pandas")
    X, y = binary
    shop = np.where(y, "b", np.where(X[:, 0] > 0, "a", "c"))
    frame = pd.DataFrame({"the value": X[:, 1], "shop": pd.Categorical(shop)})
    stop = {"early_stopping_rounds": 3, "random_state": 0} if stopped_early else {}
    old = make(FocalLGBMClassifier, **stop).fit(frame, y)
    old.save_model(tmp_path / "old.txt")
    later = frame[shop != "a"].assign(shop=lambda rows: rows["shop"].cat.set_categories(["c", "b"]))
    labels = y[shop != "a"]
    before = later["shop"].cat.categories
    for init_model in (old, old.booster_, tmp_path / "old.txt"):
        more = make(FocalLGBMClassifier, learning_rate=1e-12).fit(later, labels, init_model=init_model)
        for rows in (frame, later):
            np.testing.assert_allclose(more.decision_function(rows), old.decision_function(rows), atol=1e-9)
    assert later["shop"].cat.categories is before
    later["shop"] = later["shop"].cat.rename_categories({"c": "d"})
    with pytest.raises(ValueError, match=r"init_model must know the categories of 'shop' in X, .* not seen \{'d'\}"):
        make(FocalLGBMClassifier).fit(later, labels, init_model=old)
    with pytest.raises(ValueError, match=r"categorical features of X, \[\], got 1 of them"):
        make(FocalLGBMClassifier).fit(frame.assign(shop=0.0), y, init_model=old)


def test_init_model_knows_its_columns(binary):
    pd = pytest.importorskip("pandas")
    X, y = binary
    frame = pd.DataFrame(X).rename(columns="feature {}".format)
    old = make(FocalLGBMClassifier).fit(frame, y)
    with pytest.raises(ValueError, match=r"init_model must have the features of X, .* in this order, got \['feature_0"):
        make(FocalLGBMClassifier).fit(frame[frame.columns[::-1]], y, init_model=old)
    renamed = {"init_model": old, "feature_name": [f"feature {i}" for i in range(8)]}
    make(FocalLGBMClassifier).fit(frame.rename(columns=str.upper), y, **renamed)
    without_names = make(FocalLGBMClassifier).fit(X, y)
    for init_model in (old, without_names):
        more = make(FocalLGBMClassifier, learning_rate=1e-12).fit(frame, y, init_model=init_model)
        np.testing.assert_allclose(more.decision_function(frame), old.decision_function(frame), atol=1e-9)


@pytest.mark.parametrize("start", [FocalLGBMClassifier, lightgbm.LGBMClassifier])
def test_init_model_is_continued_from_its_margins(data, start):
    X, y = data
    first = start(n_estimators=5, verbose=-1).fit(X, y)
    more = make(FocalLGBMClassifier, learning_rate=1e-12).fit(X, y, init_model=first)
    np.testing.assert_allclose(more.decision_function(X), first.predict(X, raw_score=True), atol=1e-9)
    assert more.booster_.num_trees() == (5 + 20) * (1 if y.max() == 1 else 5)


def test_the_training_data_among_evaluation_sets_is_recognised_with_its_weights(binary):
    X, y = binary
    weight = np.random.default_rng(0).uniform(0, 2, size=len(y)) * (np.arange(len(y)) % 3 > 0)
    model = make(FocalLGBMClassifier).fit(X, y, sample_weight=weight, eval_set=[(X, y)])
    expected = np.average(model.focal_loss_.loss(y, model.decision_function(X)), weights=weight)
    assert model.evals_result_["training"]["focal_loss"][-1] == pytest.approx(expected, rel=1e-5)


def test_evaluation_sets_as_lightgbm_4_7_names_them(binary):
    X, y = binary
    model = make(FocalLGBMClassifier).fit(X, y, eval_X=(X[:500], X[500:]), eval_y=(y[:500], y[500:]))
    expected = make(FocalLGBMClassifier).fit(X, y, eval_set=[(X[:500], y[:500]), (X[500:], y[500:])])
    assert model.evals_result_ == expected.evals_result_
    alone = make(FocalLGBMClassifier).fit(X, y, eval_X=X[:500], eval_y=y[:500])
    assert alone.evals_result_["valid_0"] == expected.evals_result_["valid_0"]
    with pytest.raises(ValueError, match=r"eval_X and eval_y must be tuples .*, got only one tuple"):
        make(FocalLGBMClassifier).fit(X, y, eval_X=(X,), eval_y=y)
    with pytest.raises(ValueError, match="eval_X and eval_y must be given together"):
        make(FocalLGBMClassifier).fit(X, y, eval_X=X)
    with pytest.raises(ValueError, match="eval_set must be None where eval_X and eval_y are given"):
        make(FocalLGBMClassifier).fit(X, y, eval_set=[(X, y)], eval_X=X, eval_y=y)
    with pytest.raises(ValueError, match="must be tuples of the same length, got 2 and 1"):
        make(FocalLGBMClassifier).fit(X, y, eval_X=(X, X), eval_y=(y,))


def test_evaluation_class_weight_is_a_sample_weight(multiclass):
    X, y = multiclass
    names = np.array(["a", "b", "c", "d", "e"])
    by_class = {name: i + 1.0 for i, name in enumerate(names)}
    model = make(FocalLGBMClassifier).fit(X, names[y], eval_set=[(X, names[y])], eval_class_weight=[by_class])
    weight = compute_sample_weight(by_class, names[y])
    expected = make(FocalLGBMClassifier).fit(X, names[y], eval_set=[(X, names[y])], eval_sample_weight={0: weight})
    assert list(model.evals_result_["valid_0"]) == ["focal_loss"]
    assert model.evals_result_ == expected.evals_result_


def test_names_of_evaluation_sets(binary):
    X, y = binary
    sets = {"eval_set": [(X[:500], y[:500]), (X[500:], y[500:])]}
    model = make(FocalLGBMClassifier).fit(X, y, **sets, eval_names=["old", "new"])
    unnamed = make(FocalLGBMClassifier).fit(X, y, **sets)
    assert model.evals_result_ == dict(zip(["old", "new"], unnamed.evals_result_.values(), strict=True))
    with pytest.raises(ValueError, match=r"eval_names must be different, got \['old', 'old'\]"):
        make(FocalLGBMClassifier).fit(X, y, **sets, eval_names=["old", "old"])


@pytest.mark.parametrize("name", ["eval_names", "eval_sample_weight", "eval_class_weight", "eval_init_score"])
def test_more_entries_than_evaluation_sets(binary, name):
    X, y = binary
    with pytest.raises(ValueError, match=f"{name} must have at most 1 entries, one per evaluation set, got 2"):
        make(FocalLGBMClassifier).fit(X, y, eval_set=[(X, y)], **{name: [None, None]})
    with pytest.raises(TypeError, match=f"{name} must be a list with an entry per evaluation set, got a ndarray"):
        make(FocalLGBMClassifier).fit(X, y, eval_set=[(X, y)], **{name: np.ones(len(y))})


def test_metric_as_a_parameter(binary):
    X, y = binary

    def history(eval_metric=None, **params):
        model = make(FocalLGBMClassifier, **params).fit(X, y, eval_set=[(X, y)], eval_metric=eval_metric)
        return model.evals_result_.get("training", {})

    both = history(metric="auc,binary_logloss")
    assert list(both) == ["auc", "binary_logloss"]
    assert both == history(["auc", "binary_logloss"])
    assert list(history(["error"], metrics=["auc"])) == ["error", "auc"]
    own = lambda y_true, y_pred: ("own", 0.5, True)  # noqa: E731
    assert list(history([own, "auc"])) == ["own", "auc"]
    assert not history(metric="None")
    assert not history(metric="none")


def test_lightgbms_own_callbacks_work(binary):
    X, y = binary
    stop = lightgbm.early_stopping(3, verbose=False)
    model = make(FocalLGBMClassifier, n_estimators=300, learning_rate=0.5)
    model.fit(X[:1000], y[:1000], eval_set=[(X[1000:], y[1000:])], callbacks=[stop], eval_metric="average_precision")
    assert 0 < model.best_iteration_ < 300
    assert model.booster_.best_iteration == model.best_iteration_
    assert model.best_score_["valid_0"]["average_precision"] == pytest.approx(
        max(model.evals_result_["valid_0"]["average_precision"])
    )


@CONSTANT
def test_a_schedule_on_data_without_any_usable_feature(binary):
    """Told of another learning rate, LightGBM gives up if its filter has left no feature."""
    y = binary[1]
    schedule = lightgbm.reset_parameter(learning_rate=lambda i: 0.1 / (i + 1))
    model = make(FocalLGBMClassifier).fit(np.ones((len(y), 2)), y, callbacks=[schedule])
    np.testing.assert_allclose(model.predict_proba(np.ones((1, 2)))[0], np.bincount(y) / len(y))


def test_parameters_reach_the_engine(binary):
    X, y = binary
    for name in ("device_type", "device"):
        with pytest.raises(lightgbm.basic.LightGBMError, match="CUDA"):
            fitted(X, y, **{name: "cuda"})
    model = fitted(X, y, max_bin=15, path_smooth=2.0, colsample_bytree=0.5)
    settings = model.booster_.model_to_string()
    for line in ("[max_bin: 15]", "[path_smooth: 2]", "[feature_fraction: 0.5]"):
        assert line in settings
    assert "verbose" not in vars(model)
    assert model.get_params()["max_bin"] == 15


def test_extra_parameters_can_be_set_and_searched(binary):
    X, y = binary
    model = make(FocalLGBMClassifier).set_params(max_bin=15, focal_gamma=1.0)
    np.testing.assert_array_equal(
        model.fit(X, y).predict_proba(X), fitted(X, y, max_bin=15, focal_gamma=1.0).predict_proba(X)
    )
    model.focal_gamma = 3.0  # get_params tells what is, not what was once set
    assert model.get_params()["focal_gamma"] == 3.0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"gamma": 2.0}, r"gamma=2\.0 is not a parameter of FocalLGBMClassifier: did you mean focal_gamma\?"),
        ({"alpha": 0.25}, r"alpha must be left out with the focal loss, got 0\.25: .*the focal loss has focal_alpha"),
        ({"application": "binary"}, "application must be None with the focal loss, got 'binary'"),
        ({"is_unbalance": True}, "is_unbalance must be False .*got True: use class_weight='balanced'"),
        ({"unbalance": True}, "unbalance must be False"),
        ({"pos_bagging_fraction": 0.5}, r"pos_bagging_fraction must be 1 .*got 0\.5"),
        ({"sigmoid": 2.0}, r"sigmoid must be 1 .*got 2\.0"),
        ({"linear_tree": True}, "linear_tree must be False .*got True"),
        ({"fair_c": 1.0}, r"fair_c must be left out with the focal loss, got 1\.0: it belongs to other objectives"),
        ({"boosting_type": "rf"}, "boosting_type must be 'gbdt', 'dart' or 'goss', got 'rf'"),
        ({"boosting": "rf"}, "boosting must be 'gbdt', 'dart' or 'goss', got 'rf'"),
        ({"boost_from_average": False}, "boost_from_average must be True .*got False"),
        ({"multi_error_top_k": 2}, "multi_error_top_k must be 1 .*got 2"),
    ],
    ids=str,
)
def test_what_lightgbm_would_ignore_is_refused(binary, params, message):
    with pytest.raises(ValueError, match=message):
        fitted(*binary, **params)


def test_what_changes_nothing_is_accepted(binary):
    X, y = binary
    neutral = {
        "boosting": "gbrt",
        "unbalance": None,
        "is_unbalance": False,
        "scale_pos_weight": 1.0,
        "boost_from_average": True,
        "sigmoid": 1,
    }
    np.testing.assert_array_equal(fitted(X, y, **neutral).predict_proba(X), fitted(X, y).predict_proba(X))


def test_infinite_features_are_lightgbms_business(binary):
    X, y = binary
    X = np.where(X > 2, np.inf, X)
    assert np.isfinite(fitted(X, y).predict_proba(X)).all()


def test_gradients_from_the_host_train_on_a_gpu(data):
    """LightGBM's "gpu" is OpenCL, for which a driver for the processor is enough; "cuda" is not in its wheels."""
    X, y = data
    try:
        lightgbm.LGBMClassifier(n_estimators=1, device_type="gpu", verbose=-1).fit(X, y)
    except lightgbm.basic.LightGBMError as error:
        pytest.skip(f"LightGBM says: {error}")
    on_device = fitted(X, y, device_type="gpu", gpu_use_dp=True)
    np.testing.assert_allclose(on_device.predict_proba(X), fitted(X, y).predict_proba(X), atol=1e-4)
    np.testing.assert_allclose(on_device.predict_proba(X).mean(axis=0), np.bincount(y) / len(y), atol=0.03)


def test_the_fitted_classifier_keeps_nothing_of_the_training_data():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20_000, 2)), rng.integers(0, 2, size=20_000)
    model = fitted(X, y, n_estimators=1, num_leaves=2)
    assert model.objective_ == FocalObjective(model.focal_loss_, "stable", 1)
    assert len(pickle.dumps(model)) < 20_000


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_a_start_of_an_evaluation_set_comes_on_top_of_the_model(data, gamma):
    """As in LightGBM, whose own classifier says the same at gamma = 0."""
    X, y = data
    shift = np.full(len(y), 0.7) if y.max() == 1 else np.linspace(-1, 1, 5 * len(y)).reshape(-1, 5)
    model = make(FocalLGBMClassifier, focal_gamma=gamma, focal_hessian="exact")
    model.fit(X, y, eval_set=[(X.copy(), y)], eval_init_score=[shift], eval_metric="log_loss")
    (scores,) = model.evals_result_.values()
    margins = model.decision_function(X) + shift
    assert scores["log_loss"][-1] == pytest.approx(log_loss(y, model.focal_loss_.predict_proba(margins)))


ALIASES = [
    ({"eta": 0.5}, {"learning_rate": 0.5}),
    ({"shrinkage_rate": 0.5}, {"learning_rate": 0.5}),
    *(({name: 4}, {"num_leaves": 4}) for name in ("num_leaf", "max_leaf", "max_leaves", "max_leaf_nodes")),
    *(({name: 200}, {"min_child_samples": 200}) for name in ("min_data_per_leaf", "min_data_in_leaf", "min_data")),
    ({"min_sum_hessian_per_leaf": 9.0}, {"min_child_weight": 9.0}),
    ({"l1_regularization": 5.0}, {"reg_alpha": 5.0}),
    ({"l2_regularization": 50.0}, {"reg_lambda": 50.0}),
    ({"boosting": "goss"}, {"boosting_type": "goss"}),
    ({"bagging_fraction": 0.3, "bagging_freq": 1}, {"subsample": 0.3, "subsample_freq": 1}),
    ({"seed": 7, "extra_trees": True}, {"random_state": 7, "extra_trees": True}),
]


@pytest.mark.parametrize(("alias", "own_name"), ALIASES, ids=lambda params: str(params)[1:-1])
def test_a_parameter_counts_under_any_of_its_names(binary, alias, own_name, capfd):
    """LightGBM passes over them beside the constructor's defaults."""
    X, y = binary
    plain, model = make(FocalLGBMClassifier, verbose=1).fit(X, y), make(FocalLGBMClassifier, verbose=1, **alias)
    printed = capfd.readouterr().out
    expected = make(FocalLGBMClassifier, **own_name).fit(X, y).decision_function(X)
    np.testing.assert_array_equal(model.fit(X, y).decision_function(X), expected)
    assert not np.array_equal(plain.decision_function(X), expected)
    assert "will be ignored" not in capfd.readouterr().out + printed
    assert {name: clone(model).get_params()[name] for name in alias} == alias


@pytest.mark.parametrize(
    "params",
    [
        {"boosting_type": "dart", "boosting": "gbdt"},
        {"learning_rate": 0.2, "eta": 0.3},
        {"num_leaf": 4, "max_leaves": 5},
        {"n_jobs": 2, "num_threads": 1},
        {"max_bin": 15, "max_bins": 31},
    ],
    ids=str,
)
def test_one_parameter_under_two_names(binary, params):
    with pytest.raises(ValueError, match=r"must be given under one name, got \{"):
        FocalLGBMClassifier(**params).fit(*binary)


def test_no_false_warning_of_the_number_of_leaves(binary, capfd):
    """LightGBM gives it, whatever is set, where the objective is a function."""
    FocalLGBMClassifier(max_depth=5, num_leaves=31, n_estimators=2, n_jobs=1).fit(*binary).predict(binary[0])
    assert "num_leaves" not in capfd.readouterr().out


@pytest.mark.parametrize("stopped", [False, True])
def test_the_booster_has_the_parameters_of_the_user(data, stopped):
    """As LGBMClassifier's: by their names there, with the objective, which is LightGBM's own of such margins."""
    X, y = data
    given = {"learning_rate": 0.3, "num_leaves": 7, "max_bin": 63}
    early = {"early_stopping_rounds": 3, "random_state": 0} if stopped else {}
    booster = make(FocalLGBMClassifier, **given, **early).fit(X, y).booster_
    own = lightgbm.LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1, **given).fit(X, y).booster_.params
    for name in ("learning_rate", "num_leaves", "max_bin", "objective", "num_iterations", "min_child_samples"):
        assert booster.params[name] == own[name], name


def test_what_callbacks_keep_on_the_booster_stays(binary):
    X, y = binary

    def keep(env):
        env.model.rounds_seen = env.iteration + 1

    model = make(FocalLGBMClassifier).fit(X, y, callbacks=[keep], eval_set=[(X, y), (X[:99], y[:99])])
    assert model.booster_.rounds_seen == 20
    assert list(model.evals_result_) == ["training", "valid_1"]


@pytest.mark.parametrize(
    "keep",
    [lambda model: pickle.loads(pickle.dumps(model)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_boosters_of_single_rounds_can_be_kept(keep, data):
    """While it trains a booster has no objective, and no intercept yet."""
    X, y = data
    boosters = []
    model = make(FocalLGBMClassifier, n_estimators=3).fit(
        X, y, callbacks=[lambda env: boosters.append(keep(env.model))]
    )
    for i, booster in enumerate([*boosters, model.booster_]):
        assert type(booster) is lightgbm.Booster
        margins = model.predict(X, raw_score=True, num_iteration=min(i + 1, 3))
        start = 0 if booster is model.booster_ else np.float64(model.focal_intercept_)
        kept = lightgbm.Booster(model_str=pickle.loads(pickle.dumps(booster)).model_to_string())
        np.testing.assert_allclose(kept.predict(X, raw_score=True) + start, margins, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("params", [{}, {"boosting_type": "dart"}, {"early_stopping_rounds": 3}], ids=str)
def test_rounds_do_not_ask_the_data(params, data, monkeypatch):
    """For labels and weights, which are known; the models are the same, bit by bit, as with those that LightGBM has."""
    X, y = data
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    asked = []
    for name in ("get_label", "get_weight"):
        method = getattr(lightgbm.Dataset, name)
        monkeypatch.setattr(lightgbm.Dataset, name, lambda self, method=method: asked.append(1) or method(self))

    def fit():
        asked.clear()
        model = make(FocalLGBMClassifier, random_state=0, **params).fit(X, y, sample_weight=weight)
        return model.decision_function(X), len(asked)

    known, n_asked = fit()
    monkeypatch.setattr(lightgbm_compat, "of_margins", lightgbm.sklearn._ObjectiveFunctionWrapper)
    monkeypatch.setattr(
        plan,
        "TrainingObjective",
        lambda objective, *, factor, intercept, **_: TrainingObjective(objective, factor=factor, intercept=intercept),
    )
    expected, n_asked_in_every_round = fit()
    np.testing.assert_array_equal(known, expected)
    assert n_asked_in_every_round >= n_asked + 2 * 4  # there are four rounds at least


DART = """
from sklearn.datasets import make_classification
from skfocal import FocalLGBMClassifier

X, y = make_classification(2000, weights=[0.95], random_state=0)
params = {"boosting_type": "dart", "drop_rate": 0.5, "skip_drop": 0.0, "force_col_wise": True, "random_state": 0}
for others in ({}, {"colsample_bytree": 0.5}, {"subsample": 0.5, "subsample_freq": 1}):
    model = FocalLGBMClassifier(n_estimators=10, verbose=-1, **params, **others).fit(X, y)
    print(model.decision_function(X).sum())
"""


def test_dart_draws_the_same_numbers_in_every_fit():
    """Whatever there is in memory that nobody has written to: glibc's allocator fills it with a byte's complement.

    Other allocators do not know the variable; what must hold anywhere is the next test's.
    """
    outputs = [run(PYTHON, "-c", DART, environment={"MALLOC_PERTURB_": byte}).stdout for byte in ("255", "1", "254")]
    assert len(outputs[0].split()) == 3
    assert outputs[1:] == outputs[:1] * 2


class Recorded:
    """LightGBM's library, and the names of its functions that were called."""

    def __init__(self, library):
        self.library, self.names = library, []

    def __getattr__(self, name):
        self.names.append(name)
        return getattr(self.library, name)


def test_dart_is_asked_for_no_margins_before_the_first_round(binary, monkeypatch):
    """Before every other it is, once."""
    library = Recorded(lightgbm.basic._LIB)
    monkeypatch.setattr(lightgbm.basic, "_LIB", library)
    make(FocalLGBMClassifier, n_estimators=3, boosting_type="dart").fit(*binary)
    asked, trained = "LGBM_BoosterGetPredict", "LGBM_BoosterUpdateOneIterCustom"
    assert [name for name in library.names if name in (asked, trained)] == [trained, asked, trained, asked, trained]


@pytest.mark.parametrize("how", [{"init_score": None}, {"init_score": "drawn"}, {"init_model": "fitted"}], ids=str)
def test_dart_starts_from_the_margins_that_it_is_given(how, data):
    """The first round's gradients are those of its start: one tree is that of no dart."""
    X, y = data
    start = np.random.default_rng(0).normal(size=len(y) if y.max() == 1 else (len(y), 5))
    given = {"drawn": start, "fitted": make(FocalLGBMClassifier, n_estimators=2).fit(X, y), None: None}
    arguments = {name: given[value] for name, value in how.items()}
    one, other = (
        make(FocalLGBMClassifier, n_estimators=1, boosting_type=kind, extra_trees=False).fit(X, y, **arguments)
        for kind in ("dart", "gbdt")
    )
    np.testing.assert_allclose(one.decision_function(X), other.decision_function(X), rtol=1e-12)


def test_an_empty_parameter_is_none(binary):
    """As of a file of settings; LightGBM takes None for a parameter that is not set."""
    X, y = binary
    model = make(FocalLGBMClassifier, num_class=None, application=None, pos_bagging_fraction=None).fit(X, y)
    assert "objective=binary sigmoid:1" in model.booster_.model_to_string().splitlines()
    np.testing.assert_array_equal(model.predict_proba(X), make(FocalLGBMClassifier).fit(X, y).predict_proba(X))


@pytest.mark.parametrize("params", [{}, {"early_stopping_rounds": 2, "random_state": 0, "learning_rate": 1.0}], ids=str)
def test_a_booster_that_is_kept_as_it_trained(params, data, monkeypatch):
    """By something around `lightgbm.train`: it has LightGBM's own objective none the less."""
    X, y = data
    expected = make(FocalLGBMClassifier, **params).fit(X, y)
    monkeypatch.setattr(lightgbm.sklearn, "train", functools.partial(lightgbm.train, keep_training_booster=True))
    model = make(FocalLGBMClassifier, **params).fit(X, y)
    assert type(model.booster_) is lightgbm.Booster
    assert model.booster_.num_trees() == expected.booster_.num_trees()
    assert not hasattr(model.booster_, "train_set")
    np.testing.assert_array_equal(model.booster_.predict(X), expected.booster_.predict(X))
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


def test_a_booster_of_a_fit_that_was_interrupted_reads_other_models_as_they_are(binary):
    X, y = binary
    kept = []

    def interrupt(env):
        kept.append(env.model)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(FocalLGBMClassifier).fit(X, y, callbacks=[interrupt])
    other = lightgbm.train({"objective": "poisson", "verbose": -1}, lightgbm.Dataset(X, label=y), 3)
    params = dict(kept[0].params)
    kept[0].model_from_string(other.model_to_string())
    assert kept[0].params == params
    np.testing.assert_array_equal(kept[0].predict(X), other.predict(X))


def test_warnings_are_filtered_by_nobody_else(binary):
    """LightGBM warns of evaluation sets as we hand them on; a filter of ours could stay behind where threads fit."""
    X, y = binary
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before, seen = list(warnings.filters), []
        model = make(FocalLGBMClassifier)
        model.fit(
            X, y, eval_set=[(X, y), (X[:99], y[:99])], callbacks=[lambda env: seen.append(list(warnings.filters))]
        )
    assert seen == [before] * 20


def test_metrics_of_the_same_name(binary):
    """LightGBM would put both on one record; what a user's own is called it says when it is asked."""
    X, y = binary
    mine = lambda y, proba: ("log_loss", 5.0, True)  # noqa: E731
    with pytest.raises(ValueError, match=r"metrics of different names, got \['log_loss'\] more than once"):
        make(FocalLGBMClassifier).fit(X, y, eval_set=[(X, y)], eval_metric=["log_loss", mine])
    with pytest.raises(TypeError, match=r"metric must hold names of metrics, .*: pass functions as eval_metric"):
        make(FocalLGBMClassifier, metric=len).fit(X, y)


def test_extra_parameters_are_attributes_too(binary):
    model = FocalLGBMClassifier(max_bin=15, verbose=-1)
    assert (model.max_bin, model.verbose) == (15, -1)
    assert "max_bin" not in vars(model)
    assert clone(model).set_params(max_bin=31).max_bin == 31
    with pytest.raises(AttributeError, match="'FocalLGBMClassifier' object has no attribute 'max_bins'"):
        _ = model.max_bins


def test_metrics_that_are_none(binary):
    X, y = binary
    model = make(FocalLGBMClassifier).fit(X, y, eval_set=[(X[:500], y[:500])], eval_metric=["auc", None])
    assert list(model.evals_result_["valid_0"]) == ["auc"]


def test_a_scorer_without_weights_on_the_training_data(binary):
    """Which LightGBM recognises, and evaluates with the weights of the training."""
    X, y = binary
    scorer = lambda estimator, X, y: 0.5  # noqa: E731
    model = make(FocalLGBMClassifier, eval_metric=scorer)
    with pytest.raises(ValueError, match="eval_metric must take sample_weight, as the evaluation data have weights"):
        model.fit(X, y, sample_weight=np.ones(len(y)), eval_set=[(X, y)])
    model.fit(X, y, eval_set=[(X, y)])
    model.fit(X, y, sample_weight=np.ones(len(y)), eval_set=[(X[:500], y[:500])])


@pytest.mark.parametrize("constraints", [[0, -1], (0, 1), np.array([0, 1]), "0,1"])
@pytest.mark.parametrize("kind", ["pandas", "index", "name", "parameter", "line"])
def test_categories_cannot_be_monotonic(kind, constraints):
    """LightGBM ends the process."""
    pd = pytest.importorskip("pandas")
    x, codes = np.arange(200.0), np.arange(200) % 5
    X = pd.DataFrame({"a": x, "c": pd.Categorical(codes) if kind == "pandas" else codes})
    told = {"index": {"categorical_feature": [1]}, "name": {"categorical_feature": ["c"]}}.get(kind, {})
    params = {"parameter": {"categorical_feature": [1]}, "line": {"cat_feature": "1"}}.get(kind, {})
    message = r"monotone_constraints must be 0 for a categorical feature, got -?1 for feature 1, 'c'"
    with pytest.raises(ValueError, match=message):
        make(FocalLGBMClassifier, monotone_constraints=constraints, **params).fit(X, x > 100, **told)
    others = make(FocalLGBMClassifier, monotone_constraints=[1, 0]).fit(X, x > 100, **told)
    alike = X.assign(c=X["c"].iloc[[0] * 200].reset_index(drop=True))
    assert (np.diff(others.predict_proba(alike)[:, 1]) >= 0).all()


def test_one_constraint_and_bad_ones():
    x = np.arange(200.0)[:, None]
    model = make(FocalLGBMClassifier, monotone_constraints=1).fit(x, x[:, 0] > 100)
    assert (np.diff(model.predict_proba(x)[:, 1]) >= 0).all()
    for bad in ("1,", ["up"], {"a": 1}):
        with pytest.raises(ValueError, match="monotone_constraints must hold -1, 0 or 1 for each feature, got"):
            make(FocalLGBMClassifier, monotone_constraints=bad).fit(x, x[:, 0] > 100)
