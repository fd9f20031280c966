"""Rounds that call XGBoost's library themselves: the same models, bit by bit, as those that its Python trains."""

import pickle

import numpy as np
import pytest

xgboost = pytest.importorskip("xgboost")

from skfocal import FocalXGBClassifier
from skfocal.xgboost import rounds, training

from .conftest import make


class AsXGBoostDoes(xgboost.callback.TrainingCallback):
    """In place of `DirectRounds`: leaves the rounds to XGBoost."""

    def __init__(self, objective):
        pass


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"tree_method": "approx"},
        {"tree_method": "exact", "n_jobs": 2},
        {"booster": "dart", "rate_drop": 0.5},
        {"booster": "gblinear", "updater": "coord_descent"},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"multi_strategy": "multi_output_tree"},
        {"early_stopping_rounds": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("data", ["binary", "multiclass"])
def test_the_models_are_those_of_xgboosts_rounds(params, data, request, monkeypatch):
    X, y = request.getfixturevalue(data)
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    start = np.full((len(y), 5) if data == "multiclass" else len(y), 0.5, dtype=np.float32)

    def margins():
        """Those of a model, of one that starts elsewhere, and of one that goes on."""
        model, started = (
            make(FocalXGBClassifier, random_state=0, **params).fit(X, y, sample_weight=weight, base_margin=base_margin)
            for base_margin in (None, start)
        )
        more = make(FocalXGBClassifier, random_state=0, **params).fit(X, y, xgb_model=model)
        return [each.decision_function(X) for each in (model, started, more)]

    direct = margins()
    monkeypatch.setattr(training, "DirectRounds", AsXGBoostDoes)
    for values, expected in zip(direct, margins(), strict=True):
        np.testing.assert_array_equal(values, expected)


class Witness(xgboost.callback.TrainingCallback):
    """Keeps what it is shown in each round: its class, and the booster as pickled and as copied."""

    def __init__(self):
        self.boosters = []

    def after_iteration(self, model, epoch, evals_log):
        assert isinstance(model, xgboost.Booster)
        self.boosters += [pickle.loads(pickle.dumps(model)), model.copy()]
        return False


def test_boosters_of_single_rounds_can_be_kept(binary):
    X, y = binary
    witness = Witness()
    model = make(FocalXGBClassifier, n_estimators=4, callbacks=[witness]).fit(X, y)
    assert type(model.get_booster()) is xgboost.Booster
    assert not hasattr(model.get_booster(), "_direct")
    data = xgboost.DMatrix(X)
    for i, booster in enumerate(witness.boosters):
        assert type(booster) is xgboost.Booster
        expected = model.get_booster().predict(data, output_margin=True, iteration_range=(0, i // 2 + 1))
        np.testing.assert_array_equal(booster.predict(data, output_margin=True), expected)


def test_rounds_after_the_first_are_direct(binary, monkeypatch):
    """That there is something to compare above."""
    calls = []
    update = rounds._Direct.update
    monkeypatch.setattr(rounds._Direct, "update", lambda *arguments: calls.append(1) or update(*arguments))
    make(FocalXGBClassifier, n_estimators=7).fit(*binary)
    assert len(calls) == 6
