"""What is XGBoost's own: parameters, evaluation, and the intercept in base_score."""

import builtins
import json
import sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import xgboost
from sklearn.metrics import log_loss

from skfocal import BinaryFocalLoss, FocalObjective, FocalXGBClassifier
from skfocal.xgboost import device

from .conftest import make


def fitted(X, y, **params):
    return make(FocalXGBClassifier, **params).fit(X, y)


def settings(model):
    """Return all leaves of a booster's configuration."""

    def leaves(tree):
        for key, value in tree.items():
            if isinstance(value, dict):
                yield from leaves(value)
            else:
                yield key, value

    return dict(leaves(json.loads(model.get_booster().save_config())))


@pytest.mark.parametrize(
    "params",
    [
        {"booster": "dart"},
        {"booster": "gblinear"},
        {"tree_method": "exact"},
        {"tree_method": "approx"},
        {"multi_strategy": "multi_output_tree"},
        {"num_parallel_tree": 3, "subsample": 0.5},
    ],
    ids=str,
)
def test_every_way_to_boost_keeps_the_intercept(data, params):
    X, y = data
    np.testing.assert_allclose(fitted(X, y, **params).predict_proba(X).mean(axis=0), np.bincount(y) / len(y), atol=0.03)


def test_contributions_add_up_to_the_margin(data):
    X, y = data
    model = fitted(X, y)
    contributions = model.get_booster().predict(xgboost.DMatrix(X), pred_contribs=True).sum(axis=-1)
    np.testing.assert_allclose(contributions, model.decision_function(X), atol=1e-4)


def test_engine_predictions(data):
    X, y = data
    model = fitted(X, y)
    np.testing.assert_array_equal(model.predict(X, output_margin=True), model.decision_function(X))
    first = model.predict_proba(X, iteration_range=(0, 1))
    np.testing.assert_allclose(first, fitted(X, y, n_estimators=1).predict_proba(X))
    margin = np.zeros(len(y) if y.max() == 1 else (len(y), 5), dtype=np.float32)
    shift = model.decision_function(X) - model.predict(X, output_margin=True, base_margin=margin)
    np.testing.assert_allclose(shift, np.broadcast_to(model.focal_intercept_, shift.shape), atol=1e-5)


@pytest.mark.parametrize("start", [FocalXGBClassifier, xgboost.XGBClassifier])
def test_xgb_model_is_continued_from_its_margins(data, start):
    X, y = data
    first = start(n_estimators=5).fit(X, y)
    more = make(FocalXGBClassifier, learning_rate=1e-9).fit(X, y, xgb_model=first)
    np.testing.assert_allclose(more.decision_function(X), first.predict(X, output_margin=True), atol=1e-6)
    assert more.get_booster().num_boosted_rounds() == 25


@pytest.mark.parametrize("objective", ["binary:logitraw", "reg:squarederror", "binary:hinge", "count:poisson", None])
def test_a_model_of_another_objective_is_continued_from_its_margins(binary, objective):
    """Whatever its objective makes of the intercept; None is for one of a user's own."""
    X, y = binary
    data = xgboost.DMatrix(X, y)
    own_objective = {} if objective else {"obj": FocalObjective(BinaryFocalLoss(2.0))}
    first = xgboost.train({"objective": objective} if objective else {}, data, 5, **own_objective)
    more = make(FocalXGBClassifier, learning_rate=1e-9).fit(X, y, xgb_model=first)
    np.testing.assert_allclose(more.decision_function(X), first.predict(data, output_margin=True), atol=1e-5)


@pytest.mark.parametrize("evaluated", [True, False])
@pytest.mark.parametrize("columns", [["x1", "x0", "x2"], ["x0", "x1", "y"], None], ids=str)
def test_xgb_model_has_the_same_features(columns, evaluated, binary):
    """By name, as in XGBoost; None is an array."""
    pd = pytest.importorskip("pandas")
    X, y = binary
    frame = pd.DataFrame(X[:, :3], columns=["x0", "x1", "x2"])
    old = make(FocalXGBClassifier, n_estimators=2).fit(frame, y)
    other = X[:, :3] if columns is None else frame.rename(columns={"x2": "y"} if "y" in columns else {})[columns]
    arguments = {"xgb_model": old, "eval_set": [(other, y)] if evaluated else None, "verbose": False}
    model = make(FocalXGBClassifier, n_estimators=2)
    with pytest.raises(ValueError, match=r"feature.names"):
        model.fit(other, y, **arguments)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("evaluated", [True, False])
def test_a_model_of_an_array_learns_the_names_of_the_table_it_goes_on_with(evaluated, binary):
    pd = pytest.importorskip("pandas")
    X, y = binary
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    old = make(FocalXGBClassifier, n_estimators=2).fit(X, y)
    eval_set = [(frame, y)] if evaluated else None
    model = make(FocalXGBClassifier, n_estimators=2).fit(frame, y, xgb_model=old, eval_set=eval_set, verbose=False)
    assert model.get_booster().feature_names == list(frame)


@pytest.mark.parametrize("booster", ["gbtree", "dart"])
@pytest.mark.parametrize("kind", ["numbers", "categories"])
@pytest.mark.parametrize("stopped_early", [False, True])
@pytest.mark.parametrize("start", [FocalXGBClassifier, xgboost.XGBClassifier])
def test_xgb_model_is_continued_on_a_table(start, stopped_early, kind, booster, binary, tmp_path):
    pd = pytest.importorskip("pandas")
    X, y = binary
    frame = pd.DataFrame(X).rename(columns="\u2116 {}".format)
    if kind == "categories":
        frame["city"] = pd.Categorical(np.where(y | (X[:, 0] > 0), "Oslo", "Rome"))
    stop = {"early_stopping_rounds": 2} if stopped_early else {}
    old = start(n_estimators=20, enable_categorical=True, booster=booster, **stop)
    old.fit(frame, y, eval_set=[(frame[:500], y[:500])] if stopped_early else None, verbose=False)
    file = tmp_path / "old.ubj"
    old.save_model(file)
    rows = frame[y == 1]
    if kind == "categories":
        rows = rows.assign(city=rows["city"].cat.remove_unused_categories())
    expected = old.predict(frame, output_margin=True)[y == 1]
    for xgb_model in (old, old.get_booster(), str(file)):
        more = make(FocalXGBClassifier, learning_rate=1e-9, booster=booster).fit(frame, y, xgb_model=xgb_model)
        np.testing.assert_allclose(more.predict(rows, output_margin=True), expected, atol=1e-6)


@pytest.mark.parametrize("tree_method", ["hist", "approx", "exact"])
def test_metrics_of_a_continued_model_are_those_of_its_predictions(data, tree_method):
    """Also where the old model was trained on other data, with other bins."""
    X, y = data
    old = xgboost.XGBClassifier(n_estimators=30).fit(X[:1000], y[:1000])
    new, validate = (X[1000:1500], y[1000:1500]), (X[1500:], y[1500:])
    params = {"tree_method": tree_method, "n_estimators": 5, "eval_metric": "log_loss"}
    model = make(FocalXGBClassifier, **params).fit(*new, xgb_model=old, eval_set=[new, validate], verbose=False)
    for history, (features, labels) in zip(model.evals_result_.values(), (new, validate), strict=True):
        expected = log_loss(labels, model.predict_proba(features), labels=model.classes_)
        assert history["log_loss"][-1] == pytest.approx(expected, rel=1e-5)


def test_evaluation_scores_keep_all_their_digits(binary):
    X, y = binary
    model = make(FocalXGBClassifier, focal_gamma=5.0).fit(X, y, eval_set=[(X, y)], verbose=False)
    expected = np.mean(model.focal_loss_.loss(y, model.decision_function(X).astype(float)))
    assert expected < 1e-2
    assert model.evals_result_["validation_0"]["focal_loss"][-1] == pytest.approx(expected, rel=1e-6)


def test_several_evaluation_sets(binary):
    X, y = binary
    sets = [(X, y), (X[:500], y[:500])]
    weights = [np.ones(len(y)), np.arange(1.0, 501)]
    model = make(FocalXGBClassifier).fit(X, y, eval_set=sets, sample_weight_eval_set=weights, verbose=False)
    for (X_eval, y_eval), weight, scores in zip(sets, weights, model.evals_result_.values(), strict=True):
        loss = model.focal_loss_.loss(y_eval, model.decision_function(X_eval).astype(float))
        assert scores["focal_loss"][-1] == pytest.approx(np.average(loss, weights=weight), rel=1e-6)
    with pytest.raises(
        ValueError, match="sample_weight_eval_set must have one entry for each of the 2 evaluation sets"
    ):
        make(FocalXGBClassifier).fit(X, y, eval_set=sets, sample_weight_eval_set=weights[:1])
    with pytest.raises(
        TypeError, match="sample_weight_eval_set must be a list with an entry per evaluation set, got a"
    ):
        make(FocalXGBClassifier).fit(X, y, eval_set=sets[:1], sample_weight_eval_set=weights[0])


@pytest.mark.parametrize("metric", ["average_precision", "roc_auc", "focal_loss"])
def test_a_users_early_stopping_goes_in_the_right_direction(binary, metric):
    X, y = binary
    stop = xgboost.callback.EarlyStopping(rounds=5)
    model = make(FocalXGBClassifier, n_estimators=200, learning_rate=0.5, eval_metric=metric, callbacks=[stop])
    model.fit(X[:1000], y[:1000], eval_set=[(X[1000:], y[1000:])], verbose=False)
    scores = np.array(model.evals_result_["validation_0"][metric])
    best = model.best_iteration
    assert best == (scores.argmin() if metric == "focal_loss" else scores.argmax())
    margins = model.get_booster().predict(xgboost.DMatrix(X), output_margin=True)
    np.testing.assert_array_equal(margins, model.decision_function(X))
    assert stop.maximize is None  # the user's own object is as it was
    assert not stop.stopping_history
    assert model.fit(X[:1000], y[:1000], eval_set=[(X[1000:], y[1000:])], verbose=False).best_iteration == best


def test_a_users_early_stopping_may_say_the_direction(binary):
    X, y = binary
    stop = xgboost.callback.EarlyStopping(rounds=3, maximize=True)  # of a loss: no round is better than the first
    model = make(FocalXGBClassifier, eval_metric="focal_loss", callbacks=[stop])
    model.fit(X[:1000], y[:1000], eval_set=[(X[1000:], y[1000:])], verbose=False)
    assert model.best_iteration == 0


def test_linear_boosters_stop_early_and_go_on(binary):
    X, y = binary
    model = make(FocalXGBClassifier, n_estimators=200, booster="gblinear", early_stopping_rounds=3)
    model.fit(X[:1000], y[:1000], eval_set=[(X[1000:], y[1000:])], verbose=False)
    assert model.best_iteration < 199
    assert np.isfinite(model.predict_proba(X)).all()
    more = make(FocalXGBClassifier, booster="gblinear", learning_rate=1e-9).fit(X, y, xgb_model=model)
    np.testing.assert_allclose(more.decision_function(X), model.decision_function(X), atol=1e-5)


def test_a_users_callbacks_run(binary):
    X, y = binary

    class Rounds(xgboost.callback.TrainingCallback):
        seen = ()

        def after_iteration(self, model, epoch, evals_log):
            self.seen = (*self.seen, evals_log["validation_0"]["focal_loss"][-1])
            return False

    rounds = Rounds()
    model = make(FocalXGBClassifier, callbacks=[rounds]).fit(X, y, eval_set=[(X, y)], verbose=False)
    assert list(rounds.seen) == model.evals_result_["validation_0"]["focal_loss"]
    assert model.callbacks == [rounds]


def test_parameters_reach_the_engine(binary):
    X, y = binary
    model = fitted(X, y, tree_method="approx", gamma=0.5, max_cached_hist_node=7)
    config = settings(model)
    assert config["tree_method"] == "approx"
    assert float(config["gamma"]) == 0.5  # XGBoost's own: least loss reduction of a split
    with pytest.raises(xgboost.core.XGBoostError, match="nonsense"):
        fitted(X, y, device="nonsense")
    assert set(model.get_xgb_params()) & {"focal_gamma", "focal_alpha", "focal_hessian", "class_weight"} == set()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"base_score": 0.5}, r"base_score must be None .*got 0\.5: .*pass base_margin"),
        ({"disable_default_eval_metric": False}, "disable_default_eval_metric must be True"),
        ({"base_score": np.array([0.5, 0.5])}, "base_score must be None"),
        ({"name": 1}, "name=1 is not a parameter of FocalXGBClassifier"),
        ({"is_unbalance": True}, "is_unbalance=True is not a parameter .* did you mean class_weight='balanced'"),
        ({"max_dept": 3}, "max_dept=3 is not a parameter of FocalXGBClassifier: did you mean max_depth"),
    ],
    ids=str,
)
def test_what_xgboost_would_ignore_is_refused(binary, params, message):
    with pytest.raises(ValueError, match=message):
        fitted(*binary, **params)


def test_what_changes_nothing_is_accepted(binary):
    X, y = binary
    np.testing.assert_array_equal(fitted(X, y, scale_pos_weight=1).predict_proba(X), fitted(X, y).predict_proba(X))


def test_parameters_of_the_linear_updaters(binary):
    linear = {"booster": "gblinear", "updater": "coord_descent", "feature_selector": "greedy", "top_k": 2}
    assert np.isfinite(fitted(*binary, **linear).predict_proba(binary[0])).all()


def test_infinity_may_mean_missing(binary):
    X, y = binary
    holes = np.where(X > 2, np.nan, X)
    expected = fitted(holes, y).predict_proba(holes)
    marked = np.where(X > 2, np.inf, X)
    np.testing.assert_array_equal(fitted(marked, y, missing=np.inf).predict_proba(marked), expected)


@pytest.mark.parametrize("missing", [np.inf, -np.inf])
def test_infinity_may_not_mean_missing_to_the_linear_booster(binary, missing):
    """XGBoost itself makes NaN of every coefficient here, in silence."""
    X, y = binary
    with pytest.raises(ValueError, match=rf"missing must be finite or NaN for booster='gblinear', got {missing}"):
        fitted(X * np.float64(1e300), y, booster="gblinear", missing=missing)


def test_infinite_features_are_an_error(binary):
    X, y = binary
    with pytest.raises(ValueError, match="Input X contains infinity"):
        fitted(np.where(X > 2, np.inf, X), y)


def test_categories_can_be_switched_off(binary):
    pd = pytest.importorskip("pandas")
    X, y = binary
    frame = pd.DataFrame(X).assign(kind=pd.Categorical(np.where(X[:, 0] > 0, "a", "b")))
    frame.columns = frame.columns.astype(str)
    fitted(frame, y)
    for params in ({"enable_categorical": False}, {"tree_method": "exact"}):
        with pytest.raises(ValueError, match="enable_categorical"):
            fitted(frame, y, **params)


class FakeCuPy(ModuleType):
    """Stands in for CuPy on the host: XGBoost, where it finds no GPU, trains on the host and says nothing."""

    ndarray = generic = type("ndarray", (), {})  # what array-api-compat looks for

    def __init__(self, available=True):
        super().__init__("cupy")
        self.available = available
        self.arrays = 0
        self.devices = []
        self.cuda = SimpleNamespace(Device=self.device)

    def is_available(self):
        if isinstance(self.available, Exception):
            raise self.available
        return self.available

    def device(self, ordinal):
        self.devices.append(ordinal)
        return nullcontext()

    def asarray(self, array):
        self.arrays += 1
        return np.asarray(array)


real_import = builtins.__import__


def without_cupy(name, *args, **kwargs):
    if name == "cupy":
        raise ModuleNotFoundError("No module named 'cupy'")
    return real_import(name, *args, **kwargs)


@pytest.fixture
def cupy(monkeypatch):
    """Return a function that puts a CuPy, or none, in place."""

    def put(module):
        if module is None:
            monkeypatch.delitem(sys.modules, "cupy", raising=False)
            monkeypatch.setattr("builtins.__import__", without_cupy)
        else:
            monkeypatch.setitem(sys.modules, "cupy", module)
        device._cupy.cache_clear()
        return module

    yield put
    device._cupy.cache_clear()


@pytest.mark.parametrize(("device", "devices"), [("cuda", []), ("cuda:1", [1]), ("gpu", [])])
def test_gradients_are_computed_on_the_device(data, cupy, device, devices):
    X, y = data
    fake = cupy(FakeCuPy())
    on_device = fitted(X, y, device=device, n_estimators=5)
    assert fake.arrays == 5  # the margins of every round
    assert fake.devices == devices
    np.testing.assert_array_equal(on_device.predict_proba(X), fitted(X, y, n_estimators=5).predict_proba(X))


def test_the_host_does_not_ask_for_cupy(binary, cupy):
    fake = cupy(FakeCuPy())
    fitted(*binary, device="cpu")
    fitted(*binary)
    assert fake.arrays == 0


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (None, r'CuPy is not installed \(pip install "skfocal\[cuda\]"\)'),
        (FakeCuPy(available=False), "CuPy finds no GPU"),
        (FakeCuPy(available=RuntimeError("no driver")), r"CuPy finds no GPU \(no driver\)"),
    ],
)
def test_without_cupy_gradients_are_computed_on_the_host_and_that_is_said_once(binary, cupy, module, reason):
    X, y = binary
    cupy(module)
    with pytest.warns(UserWarning, match=f"Gradients of the focal loss are computed on the host: .*{reason}") as record:
        model = fitted(X, y, device="cuda")
    assert record[0].filename == __file__
    fitted(X, y, device="cuda")  # a second warning would be an error
    np.testing.assert_array_equal(model.predict_proba(X), fitted(X, y).predict_proba(X))


class OnDevice:
    """An array as CuPy has it: it must be told to come to the host."""

    __cuda_array_interface__ = None

    def __init__(self, array):
        self.array = array

    def __len__(self):
        return len(self.array)

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def get(self):
        return self.array


def test_labels_and_weights_may_be_on_the_device(binary):
    X, y = binary
    weight = np.linspace(0.5, 2, len(y))
    model = make(FocalXGBClassifier).fit(X, OnDevice(y), sample_weight=OnDevice(weight))
    expected = make(FocalXGBClassifier).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


def test_on_a_gpu(data):
    """On a real one, with two classes and five, against the host."""
    cupy = pytest.importorskip("cupy")
    if not cupy.is_available():
        pytest.skip("CuPy finds no GPU")
    X, y = data
    weight = np.linspace(0.5, 2, len(y))
    on_device = make(FocalXGBClassifier, device="cuda").fit(X, y, sample_weight=weight)
    expected = make(FocalXGBClassifier).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(on_device.predict_proba(X), expected.predict_proba(X), atol=0.02)


def test_weights_may_come_by_position(binary):
    """As XGBoost still allows, with its warning."""
    X, y = binary
    weight = np.linspace(0.5, 2, len(y))
    with pytest.warns(FutureWarning, match="Pass `sample_weight` as keyword args"):
        model = make(FocalXGBClassifier).fit(X, y, weight)
    expected = make(FocalXGBClassifier).fit(X, y, sample_weight=weight).decision_function(X)
    np.testing.assert_array_equal(model.decision_function(X), expected)


@pytest.mark.parametrize(
    "params",
    [{"eta": 0.1, "learning_rate": 0.3}, {"reg_lambda": 1, "lambda": 2}, {"random_state": 1, "seed": 2}],
    ids=str,
)
def test_one_parameter_under_two_names(binary, params):
    with pytest.raises(ValueError, match=r"must be given under one name, got \{"):
        FocalXGBClassifier(**params).fit(*binary)


def test_asking_for_names_of_parameters_trains_nothing_that_others_see(monkeypatch):
    """Tools that keep track of experiments listen to `xgboost.train`; and it is done on one thread."""
    import xgboost

    from skfocal.xgboost import compat

    expected = compat.parameter_names()
    compat.parameter_names.cache_clear()
    monkeypatch.setattr(xgboost, "train", None)
    assert compat.parameter_names() == expected


@pytest.mark.parametrize("threshold", [0.3, 0.01])
def test_the_error_at_a_threshold(binary, threshold):
    X, y = binary
    model = make(FocalXGBClassifier, eval_metric=f"error@{threshold}").fit(X, y, eval_set=[(X, y)], verbose=False)
    expected = np.mean((model.predict_proba(X)[:, 1] > threshold) != y)
    assert model.evals_result_["validation_0"][f"error@{threshold}"][-1] == pytest.approx(expected)
    for wrong in ("error@2", "error@", "error@0x1", "error@nan"):
        with pytest.raises(ValueError, match=rf"eval_metric must be error@t with t in \(0, 1\), .* got '{wrong}'"):
            make(FocalXGBClassifier, eval_metric=wrong).fit(X, y)
