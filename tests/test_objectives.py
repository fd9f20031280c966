"""The objectives against the engines' own log loss, in all four ways to call them."""

import pickle

import lightgbm
import numpy as np
import pytest
import xgboost

from skfocal.losses import HESSIAN_POLICIES, BinaryFocalLoss, MulticlassFocalLoss
from skfocal.objectives import FocalMetric, FocalObjective

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
    return params | ({"boost_from_average": False, "verbose": -1} if engine == "lightgbm" else {"base_score": 0.5})


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("policy", HESSIAN_POLICIES)
@pytest.mark.parametrize("loss", [BinaryFocalLoss(2.0, 0.25), MulticlassFocalLoss((0.5, 2.0, 3.0), (1.0, 2.0, 3.0))])
def test_weight_two_counts_twice_and_results_keep_type_and_shape(loss, policy, dtype):
    rng = np.random.default_rng(0)
    raw = rng.normal(scale=4, size=6 if isinstance(loss, BinaryFocalLoss) else (6, 3)).astype(dtype)
    y = np.array([0, 1, 0, 1, 1, 0], dtype=np.float32)
    objective = FocalObjective(loss, policy)
    plain, weighted = objective(y, raw), objective(y, raw, np.array([1, 2, 0, 1, 0.5, 1]))
    for once, with_weight in zip(plain, weighted, strict=True):
        assert with_weight.dtype == dtype
        assert with_weight.shape == raw.shape
        np.testing.assert_array_equal(with_weight[1], 2 * once[1])
        np.testing.assert_array_equal(with_weight[2], 0 * once[2])
        np.testing.assert_array_equal(with_weight[4], once[4] / 2)


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
    np.testing.assert_array_equal(hessian, loss.hessian(np.ones(50), z))


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


def test_unknown_policy():
    with pytest.raises(ValueError, match=r"hessian must be one of \['stable', 'exact'\], got 'clipped'"):
        FocalObjective(BinaryFocalLoss(), "clipped")
