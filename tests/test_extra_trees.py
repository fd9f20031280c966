"""Trees at random thresholds among trees that look at all of them, in LightGBM's class."""

import numpy as np
import pytest
from lightgbm import Dataset, LGBMClassifier, reset_parameter
from lightgbm.callback import CallbackEnv
from sklearn.datasets import make_classification

from skfocal import FocalLGBMClassifier
from skfocal.lightgbm.extra_trees import RandomThresholds

ROUNDS = 20


@pytest.fixture(scope="module")
def data():
    return make_classification(2000, weights=[0.9], n_informative=5, random_state=0)


def lightgbm(**params):
    """Return a classifier all of whose trees are the first one, but for what is random: it does not learn."""
    still = {"n_estimators": ROUNDS, "learning_rate": 1e-9, "reg_lambda": 0.0, "verbose": -1, "n_jobs": 1}
    return FocalLGBMClassifier(**still | params)


def splits(classifier):
    """Return the splits of each tree, features and thresholds."""
    nodes = classifier.booster_.trees_to_dataframe().dropna(subset="split_feature")
    nodes["split"] = list(zip(nodes["split_feature"], nodes["threshold"], strict=True))
    return nodes.groupby("tree_index")["split"].agg(tuple).tolist()


def which_are_best(classifier, data):
    """Return which of the trees split where LightGBM's own best splits are."""
    (best,) = splits(lightgbm(n_estimators=1, extra_trees=False).fit(*data))
    return [i for i, tree in enumerate(splits(classifier)) if tree == best]


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.85, [6, 13, 19]),
        (0.9, [9, 19]),
        (2 / 3, [2, 5, 8, 11, 14, 17]),
        (0.5, list(range(1, ROUNDS, 2))),
        (0, list(range(ROUNDS))),
        (1e-12, list(range(ROUNDS))),
        (False, list(range(ROUNDS))),
        (None, list(range(ROUNDS))),
        (1.0, []),
        (True, []),
        (np.True_, []),
        ("auto", [6, 13, 19]),
    ],
)
def test_the_share_of_trees_draws_thresholds(data, share, expected):
    assert which_are_best(lightgbm(extra_trees=share).fit(*data), data) == expected


def test_another_name_of_it(data):
    assert which_are_best(lightgbm(extra_tree=0.9).fit(*data), data) == [9, 19]
    with pytest.raises(ValueError, match=r"extra_trees must be given under one name, got .*False"):
        lightgbm(extra_tree=0.9, extra_trees=False).fit(*data)


@pytest.mark.parametrize("params", [{}, {"extra_seed": 3}, {"random_state": 3}])
def test_each_cycle_draws_others(data, params):
    """LightGBM begins its numbers anew when it is told of a change: from one seed it would draw the same again."""
    drawn = [tree for i, tree in enumerate(splits(lightgbm(extra_trees=0.5, **params).fit(*data))) if i % 2 == 0]
    assert len(set(drawn)) > 0.8 * len(drawn)


def test_columns_are_not_drawn_again_either(data):
    """Of its own accord LightGBM goes on with these."""
    model = lightgbm(extra_trees=0.5, colsample_bytree=0.5).fit(*data)
    trees = model.booster_.trees_to_dataframe().dropna(subset="split_feature")
    features = trees.groupby("tree_index")["split_feature"].agg(frozenset)
    assert len(set(features[1::2])) > 0.8 * ROUNDS / 2


@pytest.mark.parametrize("seed", ["random_state", "extra_seed"])
def test_seeds_repeat_it(data, seed):
    first, again, other = (splits(lightgbm(extra_trees=0.5, **{seed: i}).fit(*data))[::2] for i in (1, 1, 2))
    assert first == again
    assert len(set(first) & set(other)) < 0.2 * len(first)


class Told:
    """A booster that keeps what it is told."""

    def __init__(self):
        self.params, self.changes = {}, []
        self.train_set = Dataset(np.arange(100.0)[:, None]).construct()

    def reset_parameter(self, params):
        self.changes.append(params)


@pytest.mark.parametrize("given", [{}, {"bagging_seed": 3}, {"seed": -1}])
@pytest.mark.parametrize("goss", [{"data_sample_strategy": "goss"}, {"boosting_type": "goss"}])
def test_goss_draws_other_samples_in_each_cycle(goss, given):
    booster, callback = Told(), RandomThresholds(0.5)
    for i in range(10):
        callback(CallbackEnv(booster, goss | given, i, 0, 10, None))
    assert [change["extra_trees"] for change in booster.changes] == [False, True] * 4 + [False]
    assert len({change["bagging_seed"] for change in booster.changes}) == 9
    assert all(change["bagging_seed"] != change["extra_seed"] for change in booster.changes)


def test_a_dataset_has_the_same_trees(data):
    X, y = data
    in_memory = lightgbm(random_state=0).fit(X, y)
    streamed = lightgbm(random_state=0).fit(Dataset(X, label=y, params={"verbose": -1}))
    assert splits(streamed) == splits(in_memory)


def test_workers_of_a_cluster_draw_together(client, data):
    from skfocal.dask import FocalDaskLGBMClassifier

    from .clusters import chunked, on_both_workers

    still = {"n_estimators": 10, "learning_rate": 1e-9, "extra_trees": 0.5, "verbose": -1}
    trees = splits(FocalDaskLGBMClassifier(**still).fit(*on_both_workers(client, *chunked(*data))))
    assert len(set(trees[1::2])) == 1  # all at the best thresholds
    assert len(set(trees[::2])) == 5


def test_rounds_count_on_from_those_of_the_old_model(data):
    """And draw other thresholds than it did."""
    model = None
    for _ in range(5):
        model = lightgbm(n_estimators=4, extra_trees=0.85).fit(*data, init_model=model)
    assert which_are_best(model, data) == [6, 13, 19]
    drawn = [tree for i, tree in enumerate(splits(model)) if i not in (6, 13, 19)]
    assert len(set(drawn)) > 0.8 * len(drawn)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([False] * ROUNDS, list(range(ROUNDS))),
        ([True] * ROUNDS, []),
        ([True] * 3 + [False] * 17, list(range(3, ROUNDS))),
    ],
)
def test_what_a_users_callback_says_comes_first(data, told, expected):
    model = lightgbm().fit(*data, callbacks=[reset_parameter(extra_trees=told)])
    assert which_are_best(model, data) == expected


def test_a_users_number_of_leaves_stays(data):
    def in_the_first_round(env):
        if env.iteration == 0:
            env.model.reset_parameter({"num_leaves": 4})

    in_the_first_round.before_iteration = True
    trees = lightgbm(extra_trees=0.5).fit(*data, callbacks=[in_the_first_round]).booster_.trees_to_dataframe()
    assert trees["split_feature"].isna().groupby(trees["tree_index"]).sum().eq(4).all()


def test_dart_has_no_share(data):
    """Told of a change, LightGBM's dart forgets the weights of its trees."""
    model = lightgbm(boosting_type="dart").fit(*data)
    assert which_are_best(model, data) == list(range(ROUNDS))
    with pytest.raises(
        ValueError, match=r"extra_trees must be True, False or 'auto' with boosting_type='dart', got 0.5"
    ):
        lightgbm(boosting_type="dart", extra_trees=0.5).fit(*data)
    assert which_are_best(lightgbm(boosting_type="dart", extra_trees=True).fit(*data), data) == []


@pytest.mark.parametrize("share", [-0.1, 1.5, np.nan, np.inf, [0.5], {}, np.array([0.5, 0.5])])
def test_what_is_no_share_is_refused(data, share):
    with pytest.raises(ValueError, match=r"extra_trees must be True, False, a number in \[0, 1\] or 'auto', got"):
        lightgbm(extra_trees=share).fit(*data)


@pytest.mark.parametrize(
    "params", [{"max_depth": 6}, {"max_depth": 6, "num_leaves": 31}, {"max_depth": 4, "num_leaves": None}]
)
def test_lightgbm_says_no_more_of_leaves_than_without(data, capfd, params):
    """Told of a change alone, it would find no number of leaves beside the depth, and warn."""
    said = []
    for share in (0.5, 0.0):
        lightgbm(extra_trees=share, verbose=1, **params).fit(*data)
        out, err = capfd.readouterr()
        said.append([line for line in (out + err).splitlines() if "num_leaves" in line])
    assert said[0] == said[1]


def test_it_is_lightgbms_own_at_both_ends(data):
    """And no more than that: gamma = 0 and the exact Hessian have LightGBM's own trees."""
    X, y = data
    for extra_trees in (True, False):
        given = {"extra_trees": extra_trees, "n_estimators": 10, "verbose": -1, "n_jobs": 1}
        ours = FocalLGBMClassifier(focal_gamma=0.0, focal_hessian="exact", reg_lambda=0.0, **given).fit(X, y)
        np.testing.assert_allclose(ours.predict_proba(X), LGBMClassifier(**given).fit(X, y).predict_proba(X), rtol=1e-5)
