"""Defaults that are not the engines': what "auto" and None stand for, and that the user's own come first."""

import json
import re

import numpy as np
import pytest
import xgboost
from lightgbm import Dataset
from sklearn.datasets import make_classification

from skfocal import FocalHistGradientBoostingClassifier, FocalLGBMClassifier, FocalXGBClassifier

from .conftest import ESTIMATORS
from .engines import ENGINES

ENOUGH = 5_000  # samples


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(ENOUGH, weights=[0.9], n_informative=5, random_state=0)
    return X.astype(np.float32), y


def told(classifier):
    """Return the penalty that a booster of LightGBM says it was told."""
    return float(re.search(r"^\[lambda_l2: (.*)\]$", classifier.booster_.model_to_string(), re.MULTILINE)[1])


def lightgbm(**params):
    return FocalLGBMClassifier(n_estimators=10, verbose=-1, n_jobs=1, **params)


FEW, MANY = 0, 2


def test_lightgbms_auto_goes_by_the_number_of_samples(data):
    X, y = data
    assert told(lightgbm().fit(X[1:], y[1:])) == FEW
    assert told(lightgbm().fit(X, y)) == MANY


def test_auto_is_what_its_values_are(data):
    X, y = data
    explicit = lightgbm(extra_trees=0.85, reg_lambda=2.0).fit(X, y)
    np.testing.assert_array_equal(lightgbm().fit(X, y).predict_proba(X), explicit.predict_proba(X))
    explicit = lightgbm(extra_trees=0.85, reg_lambda=0.0).fit(X[1:], y[1:])
    np.testing.assert_array_equal(lightgbm().fit(X[1:], y[1:]).predict_proba(X), explicit.predict_proba(X))


def test_samples_of_weight_0_do_not_count(data):
    X, y = data
    weight = np.ones(len(y))
    weight[0] = 0
    assert told(lightgbm().fit(X, y, sample_weight=weight)) == FEW


def test_what_early_stopping_splits_off_does_not_count(data):
    assert told(lightgbm(early_stopping_rounds=2, random_state=0).fit(*data)) == FEW


class Twice:
    """A sampler that repeats all samples, the rare class once more."""

    def get_params(self, deep=True):
        return {}

    def fit_resample(self, X, y):
        self.sample_indices_ = np.concatenate([np.arange(len(y)), np.arange(len(y)), np.flatnonzero(y)])
        return X[self.sample_indices_], y[self.sample_indices_]


def test_samples_of_a_sampler_count(data):
    """As they do behind a pipeline's sampler."""
    X, y = data
    assert told(lightgbm(sampler=Twice()).fit(X[1:], y[1:])) == MANY


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"reg_lambda": 0.5}, 0.5),
        ({"lambda_l2": 0.5}, 0.5),
        ({"reg_lambda": 0}, 0),
        ({"lambda": 0}, 0),
        ({"reg_lambda": None}, 0),  # LightGBM's own
    ],
)
def test_what_the_user_gives_under_any_name_comes_before_auto(data, given, expected):
    assert told(lightgbm(**given).fit(*data)) == expected


@pytest.mark.parametrize("n_samples", [ENOUGH - 1, ENOUGH])
def test_a_dataset_is_counted_too(data, n_samples):
    X, y = data[0][:n_samples], data[1][:n_samples]
    streamed, in_memory = lightgbm().fit(Dataset(X, label=y, params={"verbose": -1})), lightgbm().fit(X, y)
    assert told(streamed) == told(in_memory) == (FEW if n_samples < ENOUGH else MANY)
    np.testing.assert_array_equal(streamed.predict_proba(X), in_memory.predict_proba(X))


@pytest.mark.parametrize("n_samples", [ENOUGH - 1000, ENOUGH])
def test_on_a_cluster_the_rows_of_all_workers_count(client, data, n_samples):
    from skfocal.dask import FocalDaskLGBMClassifier

    from .clusters import chunked, on_both_workers

    X, y = on_both_workers(client, *chunked(data[0][:n_samples], data[1][:n_samples]))
    assert told(FocalDaskLGBMClassifier(n_estimators=3, verbose=-1).fit(X, y)) == (FEW if n_samples < ENOUGH else MANY)


@pytest.mark.parametrize("name", ["reg_lambda", "extra_trees"])
@pytest.mark.parametrize("value", ["Auto", "yes", ""])
def test_other_words_are_refused(data, name, value):
    with pytest.raises(ValueError, match=rf"{name} must be .* or 'auto', got {value!r}\."):
        lightgbm(**{name: value}).fit(*data)


@pytest.mark.parametrize(("alias", "name"), [("lambda_l2", "reg_lambda"), ("extra_tree", "extra_trees")])
def test_auto_under_another_name_is_refused(data, alias, name):
    """LightGBM would end the process."""
    with pytest.raises(ValueError, match=rf"{alias} must be .*; 'auto' is for {name}, got 'auto'\."):
        lightgbm(**{alias: "auto"}).fit(*data)


def config(classifier, *names):
    """Return what a booster of XGBoost was told."""
    text = json.dumps(json.loads(classifier.get_booster().save_config()))
    return [float(re.search(rf'"{name}": "([^"]*)"', text)[1]) for name in names]


def xgb(**params):
    return FocalXGBClassifier(n_estimators=3, n_jobs=1, **params)


OF_TREES = ("eta", "lambda", "min_child_weight")


def test_xgboosts_trees_shrink_more(data):
    np.testing.assert_allclose(config(xgb().fit(*data), *OF_TREES), [0.1, 10, 0.1])
    np.testing.assert_allclose(config(xgb(booster="dart").fit(*data), *OF_TREES), [0.1, 10, 0.1])
    assert xgb().get_xgb_params()["reg_lambda"] == 10


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"learning_rate": 0.3}, [0.3, 10, 0.1]),
        ({"eta": 0.3}, [0.3, 10, 0.1]),
        ({"reg_lambda": 0}, [0.1, 0, 0.1]),
        ({"lambda": 2}, [0.1, 2, 0.1]),
        ({"min_child_weight": 1}, [0.1, 10, 1]),
    ],
)
def test_what_the_user_gives_xgboost_comes_first(data, given, expected):
    np.testing.assert_allclose(config(xgb(**given).fit(*data), *OF_TREES), expected)


def test_xgboosts_linear_booster_keeps_its_own(data):
    own = xgboost.XGBClassifier(booster="gblinear", n_estimators=3, n_jobs=1).fit(*data)
    names = ("learning_rate", "reg_lambda")
    assert config(xgb(booster="gblinear").fit(*data), *names) == config(own, *names)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.estimator.__name__)
def test_no_other_default_of_the_engine_is_changed(engine):
    """What own_settings set, and no more, of what its constructor has; XGBoost's are changed behind its None."""

    def defaults(kind):
        return kind().get_xgb_params() if issubclass(kind, xgboost.XGBClassifier) else kind().get_params()

    ours, own = defaults(engine.estimator), defaults(engine.own)
    changed = {name for name in ours.keys() & own.keys() if repr(ours[name]) != repr(own[name])}
    assert changed - {"loss", "objective", "enable_categorical"} == engine.own_settings.keys() & own.keys()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gamma_is_1(estimator):
    assert estimator().focal_gamma == 1


def test_scikit_learns_trees_are_smaller_and_shrink():
    params = FocalHistGradientBoostingClassifier().get_params()
    assert (params["max_leaf_nodes"], params["l2_regularization"]) == (15, 1)
