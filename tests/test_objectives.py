"""The objectives against the engines' own log loss, in all four ways to call them."""

import copy
import pickle
import threading

import lightgbm
import numpy as np
import pytest
import xgboost

from skfocal._arrays import BLOCK, in_blocks
from skfocal._compat import on_host
from skfocal.losses import HESSIAN_POLICIES, BinaryFocalLoss, MulticlassFocalLoss
from skfocal.objectives import FocalMetric, FocalObjective, TrainingObjective

ROUNDS = 20


def loss_for(y, gamma):
    return BinaryFocalLoss(gamma) if y.max() == 1 else MulticlassFocalLoss(gamma)


def weights_for(y, weighted):
    return np.random.default_rng(0).uniform(0.5, 2, size=len(y)) if weighted else None


def own(y, engine):
    """Return the parameters of the engine's own log loss, started at 0."""
    two = {"lightgbm": "binary", "xgboost": "binary:logistic"}
    many = {"lightgbm": "multiclass", "xgboost": "multi:softprob"}
    n_classes = int(y.max()) + 1
    params = {"objective": two[engine]} if n_classes == 2 else {"objective": many[engine], "num_class": n_classes}
    # Splits of small leaves are often exactly as good as others, and then the last bit of a float32 decides.
    settings = {"boost_from_average": False, "verbose": -1, "min_child_samples": 100}
    return params | (settings if engine == "lightgbm" else {"base_score": 0.5})


def lightgbm_train(X, y, weight, objective=None, **kwargs):
    params = own(y, "lightgbm") | ({} if objective is None else {"objective": objective})
    data = lightgbm.Dataset(X, y, weight=weight)
    return lightgbm.train(params, data, ROUNDS, **kwargs).predict(X, raw_score=True)


def lightgbm_class(X, y, weight, objective=None):
    params = own(y, "lightgbm") | ({} if objective is None else {"objective": objective})
    model = lightgbm.LGBMClassifier(n_estimators=ROUNDS, **params).fit(X, y, sample_weight=weight)
    return model.predict(X, raw_score=True)


def xgboost_train(X, y, weight, objective=None, **kwargs):
    data = xgboost.DMatrix(X, y, weight=weight)
    model = xgboost.train(own(y, "xgboost"), data, ROUNDS, obj=objective, **kwargs)
    return model.predict(data, output_margin=True)


def xgboost_class(X, y, weight, objective=None):
    params = own(y, "xgboost") | ({} if objective is None else {"objective": objective})
    params.pop("num_class", None)
    model = xgboost.XGBClassifier(n_estimators=ROUNDS, **params).fit(X, y, sample_weight=weight)
    return model.predict(X, output_margin=True)


CALLERS = [lightgbm_train, lightgbm_class, xgboost_train, xgboost_class]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("train", CALLERS)
def test_gamma_zero_is_the_engines_own_log_loss(train, data, weighted):
    X, y = data
    weight = weights_for(y, weighted)
    focal = train(X, y, weight, FocalObjective(loss_for(y, 0.0), "exact"))
    np.testing.assert_allclose(focal, train(X, y, weight), atol=1e-4)


@pytest.mark.parametrize("train", CALLERS)
def test_all_callers_train_on_the_focal_loss(train, binary):
    """Training lowers the focal loss below that of the engine's own log loss; both start at 0."""
    X, y = binary
    metric = FocalMetric(BinaryFocalLoss(5.0))
    focal = metric.mean(y, train(X, y, None, FocalObjective(BinaryFocalLoss(5.0))))
    assert focal < metric.mean(y, train(X, y, None))


SOME_LOSSES = [BinaryFocalLoss(2.0, 0.25), MulticlassFocalLoss((0.5, 2.0, 3.0), (1.0, 2.0, 3.0))]


def some_data(loss, n_samples, dtype=np.float32, order="C"):
    """Return labels and margins as an engine hands them over."""
    rng = np.random.default_rng(0)
    n_classes = 2 if isinstance(loss, BinaryFocalLoss) else 3
    raw = rng.normal(scale=4, size=n_samples if n_classes == 2 else (n_samples, n_classes))
    return rng.integers(0, n_classes, n_samples).astype(np.float32), np.asarray(raw, dtype=dtype, order=order)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
@pytest.mark.parametrize("loss", SOME_LOSSES)
def test_a_weight_is_as_many_rows(loss, policy, dtype):
    """To the last bit, where the weight of the class is a power of two: 0.25 and 0.75 of alpha are none together."""
    y, raw = some_data(loss, 500, dtype)
    objective = FocalObjective(loss, policy)
    plain = objective(y, raw)
    exact = (y != 0) if isinstance(loss, BinaryFocalLoss) else (y != 2)
    for weight in (0, 0.5, 1, 2, 3, 5, 6, 7, 8):
        for once, with_weight in zip(plain, objective(y, raw, np.full(500, weight)), strict=True):
            assert with_weight.dtype == np.float32
            assert with_weight.shape == raw.shape
            expected = weight * once.astype(np.float64)
            np.testing.assert_array_equal(with_weight[exact], expected[exact])
            np.testing.assert_allclose(with_weight, expected, rtol=2e-7)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
@pytest.mark.parametrize("loss", SOME_LOSSES)
def test_blocks_threads_and_rounds_change_no_bit(loss, policy, dtype, order):
    """Against one thread; the samples are three more than a block."""
    y, raw = some_data(loss, BLOCK + 3, dtype, order)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    one = FocalObjective(loss, policy, n_jobs=1)(y, raw, weight)
    for n_jobs in (2, 3, -1, None):
        for array, expected in zip(FocalObjective(loss, policy, n_jobs=n_jobs)(y, raw, weight), one, strict=True):
            np.testing.assert_array_equal(array, expected)
    with TrainingObjective(FocalObjective(loss, policy, n_jobs=2)) as training:
        training(y, -raw, weight)
        for array, expected in zip(training(y, raw, weight), one, strict=True):
            np.testing.assert_array_equal(array, expected)
    in_place = raw.astype(np.float32)
    with TrainingObjective(FocalObjective(loss, policy, n_jobs=2), in_place=True, factor=1.0) as training:
        actual = training(y, in_place, weight)
    with TrainingObjective(FocalObjective(loss, policy, n_jobs=1), factor=1.0) as training:
        expected = training(y, raw.astype(np.float32), weight)
    assert actual[0] is in_place
    for array, values in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(array, values)
    for start in (0, BLOCK // 3, len(y) - 5):
        rows = slice(start, start + 5)
        for array, expected in zip(FocalObjective(loss, policy)(y[rows], raw[rows], weight[rows]), one, strict=True):
            np.testing.assert_array_equal(array, expected[rows])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
@pytest.mark.parametrize("loss", SOME_LOSSES)
def test_float32_is_right_to_float32_rounding(loss, policy, dtype):
    """Against the loss in float64 at the same margins, times the factor of the engine that this dtype belongs to."""
    y, raw = some_data(loss, 20_000, dtype)
    factor = 1 if raw.ndim == 1 else 2 if dtype == np.float32 else 1.5
    gradient, hessian = FocalObjective(loss, policy)(y, raw)
    expected = loss.gradient_hessian(y, raw.astype(np.float32).astype(np.float64), hessian=policy)
    np.testing.assert_allclose(gradient, expected[0], rtol=1e-5)
    positive = expected[1] > 1e-12
    # Two terms of the exact Hessian cancel where it changes sign; neither is larger than a few gradients.
    rounding = np.abs(expected[1]) + (np.abs(expected[0]) if policy == "exact" else 0)
    assert (np.abs(hessian - factor * expected[1])[positive] <= 1e-5 * factor * rounding[positive]).all()
    assert (hessian[~positive] < 1e-11).all()


def test_a_training_prepares_its_labels_once_and_lets_go_of_them():
    y, raw = some_data(BinaryFocalLoss(), 10)
    expected = FocalObjective(BinaryFocalLoss())(y, raw)
    with TrainingObjective(FocalObjective(BinaryFocalLoss())) as training:
        first = training(y, raw)
        second = training(None, raw)  # the labels are not looked at again
        assert first[0] is second[0]  # and memory is taken once
        assert copy.deepcopy(training) is training
        np.testing.assert_array_equal(second, expected)
    assert training._prepared is None


@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
@pytest.mark.parametrize("loss", SOME_LOSSES)
@pytest.mark.parametrize("namespace", ["array_api_strict", "cupy"])
def test_a_training_computes_where_it_is_told_to(namespace, loss, policy):
    """Any array-API namespace: on a GPU, CuPy. The last bits may be others, than the kernel's too."""
    xp = pytest.importorskip(namespace)
    if namespace == "cupy" and not xp.is_available():
        pytest.skip("CuPy finds no GPU")
    y, raw = some_data(loss, 50)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    with TrainingObjective(FocalObjective(loss, policy), xp) as training:
        for _ in range(2):
            arrays = training(y, raw, weight)
    for array, expected in zip(arrays, FocalObjective(loss, policy)(y, raw, weight), strict=True):
        assert isinstance(array, type(xp.asarray([0.0])))
        assert array.dtype == xp.float32
        np.testing.assert_allclose(np.asarray(on_host(array)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_hessians_are_positive_where_the_focal_loss_is_concave(gamma, policy, dtype):
    z = np.linspace(-1000, 1000, 4001, dtype=dtype)
    for y in (0, 1):
        _, hessian = FocalObjective(BinaryFocalLoss(gamma), policy)(np.full(len(z), y), z)
        assert np.isfinite(hessian).all()
        assert (hessian > 0).all()


def test_exact_policy_is_the_exact_hessian_where_that_is_positive():
    z = np.linspace(-2, 8, 50)
    loss = BinaryFocalLoss(2.0)
    _, hessian = FocalObjective(loss, "exact")(np.ones(50), z)
    np.testing.assert_allclose(hessian, loss.hessian(np.ones(50), z), rtol=2e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_metric_at_gamma_zero_is_the_engines_own(data, weighted):
    X, y = data
    loss = loss_for(y, 0.0)
    objective, metric, weight = FocalObjective(loss, "exact"), FocalMetric(loss), weights_for(y, weighted)
    many = y.max() > 1

    result = {}
    record = [lightgbm.record_evaluation(result)]
    train_set = lightgbm.Dataset(X, y, weight=weight)
    common = {"num_boost_round": ROUNDS, "valid_sets": [train_set], "callbacks": record}
    lightgbm.train(own(y, "lightgbm") | {"objective": objective, "metric": "None"}, train_set, feval=metric, **common)
    focal = result["training"]["focal_loss"]
    train_set = lightgbm.Dataset(X, y, weight=weight)
    lightgbm.train(own(y, "lightgbm"), train_set, **common | {"valid_sets": [train_set]})
    np.testing.assert_allclose(focal, result["training"]["multi_logloss" if many else "binary_logloss"], rtol=1e-4)

    result, data = {}, xgboost.DMatrix(X, y, weight=weight)
    common = {"num_boost_round": ROUNDS, "evals": [(data, "train")], "evals_result": result, "verbose_eval": False}
    xgboost.train(own(y, "xgboost"), data, obj=objective, custom_metric=metric, **common)
    np.testing.assert_allclose(
        result["train"]["focal_loss"], result["train"]["mlogloss" if many else "logloss"], rtol=1e-4
    )


def test_metric_in_the_classes(binary):
    X, y = binary
    loss = BinaryFocalLoss(2.0)
    objective, metric = FocalObjective(loss), FocalMetric(loss)
    one = lightgbm.LGBMClassifier(objective=objective, n_estimators=5, verbose=-1, metric="None")
    one.fit(X, y, eval_set=[(X, y)], eval_metric=metric) if lightgbm.__version__ < "4.7" else one.fit(
        X, y, eval_X=X, eval_y=y, eval_metric=metric
    )
    (scores,) = one.evals_result_.values()
    assert scores["focal_loss"][-1] == pytest.approx(metric.mean(y, one.predict(X, raw_score=True)))
    two = xgboost.XGBClassifier(objective=objective, n_estimators=5, eval_metric=metric)
    two.fit(X, y, eval_set=[(X, y)], verbose=False)
    expected = metric.mean(y, two.predict(X, output_margin=True))
    assert two.evals_result_["validation_0"]["focal_loss"][-1] == pytest.approx(
        expected, abs=1e-6
    )  # XGBoost keeps six decimals


@pytest.mark.parametrize("adapter", [FocalObjective, FocalMetric])
def test_adapters_are_values_and_check_their_loss(adapter):
    made = adapter(BinaryFocalLoss(2.0))
    assert pickle.loads(pickle.dumps(made)) == made
    with pytest.raises(TypeError, match=r"loss must be a BinaryFocalLoss or a MulticlassFocalLoss, got 2\.0"):
        adapter(2.0)


def test_wrong_number_of_weights():
    with pytest.raises(ValueError, match=r"sample_weight must have the shape \(2,\), got \(3,\)"):
        FocalObjective(BinaryFocalLoss())(np.zeros(2), np.zeros(2), np.ones(3))


@pytest.mark.parametrize(
    ("loss", "raw", "error", "message"),
    [
        (BinaryFocalLoss(), np.zeros((3, 3)), ValueError, r"raw_prediction must have the shape .* got \(3, 3\)"),
        (BinaryFocalLoss(), np.zeros((3, 1)), ValueError, r"raw_prediction must have the shape .* got \(3, 1\)"),
        (MulticlassFocalLoss(), np.zeros(3), ValueError, r"raw_prediction must have the shape .* got \(3,\)"),
        (MulticlassFocalLoss(), np.zeros((3, 1)), ValueError, r"raw_prediction must have the shape .* got \(3, 1\)"),
        (BinaryFocalLoss(), np.array(["1", "2", "3"]), TypeError, "raw_prediction must hold real numbers"),
        (BinaryFocalLoss(), np.zeros(3, dtype=complex), TypeError, "raw_prediction must hold real numbers"),
        (BinaryFocalLoss(), np.zeros(2), ValueError, r"y_true must have the shape \(2,\) .* got \(3,\)"),
    ],
)
def test_margins_that_do_not_fit_the_loss(loss, raw, error, message):
    for objective in (FocalObjective(loss), TrainingObjective(FocalObjective(loss))):
        with pytest.raises(error, match=message):
            objective(np.zeros(3), raw)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", SOME_LOSSES)
def test_margins_of_another_byte_order_are_those_of_the_same_engine(loss, dtype):
    y, raw = some_data(loss, 50, dtype)
    swapped = FocalObjective(loss)(y, raw.astype(raw.dtype.newbyteorder()))
    for array, expected in zip(swapped, FocalObjective(loss)(y, raw), strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("loss", SOME_LOSSES)
def test_weights_of_any_namespace(loss):
    xp = pytest.importorskip("array_api_strict")
    y, raw = some_data(loss, 50)
    weight = np.linspace(0.5, 2, 50)
    arrays = FocalObjective(loss)(xp.asarray(y), xp.asarray(raw), xp.asarray(weight))
    for array, expected in zip(arrays, FocalObjective(loss)(y, raw, weight), strict=True):
        np.testing.assert_allclose(np.asarray(array), expected, rtol=1e-5, atol=1e-6)


def test_the_start_is_added_to_the_margins():
    for loss in SOME_LOSSES:
        y, raw = some_data(loss, 100, np.float64)
        start = loss.intercept([0.9, 0.1] if raw.ndim == 1 else [0.9, 0.09, 0.01])
        with TrainingObjective(FocalObjective(loss), intercept=start) as training:
            for array, expected in zip(training(y, raw), FocalObjective(loss)(y, raw + start), strict=True):
                np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("broken", [0, 1], ids=["calling thread", "other thread"])
def test_what_a_thread_raises_is_raised(broken):
    calling = threading.get_ident()
    started = threading.Barrier(2, timeout=60)

    def formula(values):
        started.wait()  # both are in it
        if (threading.get_ident() != calling) == bool(broken):
            raise OverflowError("in a block")
        return [values]

    blocks = np.zeros(2 * BLOCK)
    with pytest.raises(OverflowError, match="in a block"):
        in_blocks(formula, [blocks], out=[blocks.copy()], n_threads=2)


@pytest.mark.parametrize("n_jobs", [1.5, "2", [2]])
def test_n_jobs_is_a_number_of_threads(n_jobs):
    with pytest.raises(ValueError, match="n_jobs must be None or an integer, got"):
        FocalObjective(BinaryFocalLoss(), n_jobs=n_jobs)
    for loss in (BinaryFocalLoss(), MulticlassFocalLoss()):
        with pytest.raises(ValueError, match="n_jobs must be None or an integer, got"):
            loss.predict_proba(np.zeros((2, 3) if isinstance(loss, MulticlassFocalLoss) else 2), n_jobs=n_jobs)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("loss", SOME_LOSSES)
def test_threads_change_no_bit_of_a_posterior(loss, compiled, monkeypatch):
    _, raw = some_data(loss, BLOCK + 3, np.float32)
    if not compiled:
        monkeypatch.setattr("skfocal.losses.compiled.kernel", None)
    one = loss.predict_proba(raw)
    for n_jobs in (2, 7, -1, None):
        np.testing.assert_array_equal(loss.predict_proba(raw, n_jobs=n_jobs), one)


def test_a_gradient_in_the_place_of_the_margins():
    """Of float32, as XGBoost has them; into others the kernel would write what they do not hold."""
    y, raw = some_data(SOME_LOSSES[0], 100, np.float32)
    expected = FocalObjective(SOME_LOSSES[0])(y, raw.astype(np.float64))[0]
    with TrainingObjective(FocalObjective(SOME_LOSSES[0]), in_place=True) as training:
        gradient, _ = training(y, raw)
    assert np.shares_memory(gradient, raw)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-7)
    with (
        TrainingObjective(FocalObjective(SOME_LOSSES[0]), in_place=True) as training,
        pytest.raises(TypeError, match="y_pred must be float32 for a gradient in its place, got float64"),
    ):
        training(y, raw.astype(np.float64))


def test_unknown_policy():
    with pytest.raises(ValueError, match=r"hessian must be one of \['stable', 'exact'\], got 'clipped'"):
        FocalObjective(BinaryFocalLoss(), "clipped")
