"""Rounds that call XGBoost's library themselves: the same models, bit by bit, as those that its Python trains."""

import copy
import pickle

import numpy as np
import pytest

xgboost = pytest.importorskip("xgboost")

from skfocal import FocalXGBClassifier
from skfocal.boosting import plan
from skfocal.objectives import TrainingObjective
from skfocal.xgboost import rounds, training

from .conftest import make


class AsXGBoostDoes(xgboost.callback.TrainingCallback):
    """In place of `DirectRounds`: leaves the rounds to XGBoost."""

    def __init__(self, objective):
        pass

    def tells_apart(self, booster):
        return False


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
    # Which looks at the labels and weights that XGBoost hands over, and leaves the margins as they are.
    monkeypatch.setattr(plan, "TrainingObjective", lambda *args, factor, **_: TrainingObjective(*args, factor=factor))
    for values, expected in zip(direct, margins(), strict=True):
        np.testing.assert_array_equal(values, expected)


class Watched(xgboost.callback.TrainingCallback):
    """Calls a function with the booster after each round."""

    def __init__(self, function):
        self.function = function

    def after_iteration(self, model, epoch, evals_log):
        self.function(model)
        return False


@pytest.mark.parametrize(
    "keep",
    [lambda model: pickle.loads(pickle.dumps(model)), xgboost.Booster.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_boosters_of_single_rounds_can_be_kept(keep, binary):
    X, y = binary
    boosters = []
    watched = Watched(lambda model: boosters.append(keep(model)))
    model = make(FocalXGBClassifier, n_estimators=4, callbacks=[watched]).fit(X, y)
    data = xgboost.DMatrix(X)
    for i, booster in enumerate([*boosters, model.get_booster()]):
        assert type(booster) is xgboost.Booster
        expected = model.get_booster().predict(data, output_margin=True, iteration_range=(0, min(i + 1, 4)))
        kept = pickle.loads(pickle.dumps(booster))
        np.testing.assert_array_equal(kept.predict(data, output_margin=True), expected)


@pytest.mark.parametrize("booster", ["dart", "gblinear"])
def test_the_best_booster_is_as_any_other(booster, binary):
    """It is a copy, made in the midst of training."""
    X, y = binary
    model = make(FocalXGBClassifier, booster=booster, early_stopping_rounds=3).fit(X, y)
    assert vars(model.get_booster()).keys() == vars(make(FocalXGBClassifier).fit(X, y).get_booster()).keys()
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_a_callback_may_train_on_other_data(binary, monkeypatch):
    """By an objective of its own, which counts, or by XGBoost's."""
    X, y = binary
    other, calls = xgboost.DMatrix(X[:50], label=1 - y[:50]), []

    def objective(margins, data):
        calls.append(data)
        return margins, np.ones_like(margins)

    def margins(fobj):
        watched = Watched(lambda model: model.update(other, 0, fobj))
        return make(FocalXGBClassifier, n_estimators=3, callbacks=[watched]).fit(X, y).decision_function(X)

    direct = [margins(objective), margins(None)]
    assert calls == [other] * 3
    monkeypatch.setattr(training, "DirectRounds", AsXGBoostDoes)
    for values, expected in zip(direct, [margins(objective), margins(None)], strict=True):
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("evaluated", [True, False])
def test_a_callback_may_score_data_of_its_own(evaluated, binary):
    """Where there is nothing else to score, too: XGBoost is not asked for that."""
    X, y = binary
    other, scores = xgboost.DMatrix(X[:50], label=y[:50]), []

    def score(margins, data):
        assert data is other
        return "mean", margins.mean()

    watched = Watched(lambda model: scores.append(model.eval_set([(other, "own")], 7, score)))
    eval_set = [(X[50:], y[50:])] if evaluated else None
    model = make(FocalXGBClassifier, n_estimators=3, callbacks=[watched]).fit(X, y, eval_set=eval_set, verbose=False)
    means = [model.decision_function(X[:50], iteration_range=(0, i)).mean() for i in (1, 2, 3)]
    assert [text.partition("mean:")[0] for text in scores] == ["[7]\town-"] * 3
    np.testing.assert_allclose([float(text.partition("mean:")[2]) for text in scores], means, atol=1e-5)


def test_a_callback_may_put_another_booster_in_its_place(binary):
    X, y = binary

    class Replaces(xgboost.callback.TrainingCallback):
        def before_training(self, model):
            return xgboost.Booster({"objective": "binary:logistic"}, model_file=model.save_raw())

    model = make(FocalXGBClassifier, callbacks=[Replaces()]).fit(X, y)
    assert type(model.get_booster()) is xgboost.Booster
    assert model.score(X, y) > 0.9


def test_rounds_are_direct(binary, monkeypatch):
    """That there is something to compare above."""
    calls, before = [], list(rounds._ROUNDS)  # of boosters that what another test has raised may hold
    train = rounds._Rounds.train
    monkeypatch.setattr(rounds._Rounds, "train", lambda *arguments: calls.append(1) or train(*arguments))
    make(FocalXGBClassifier, n_estimators=7).fit(*binary)
    assert len(calls) == 7
    assert list(rounds._ROUNDS) == before
