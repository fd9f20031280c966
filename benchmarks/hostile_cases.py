"""Cases of `hostile.py`: kind of data x parameters x estimator, all drawn from one whole number."""

from typing import Any, NamedTuple

import hostile_tables  # noqa: F401  # which adds to the kinds
import numpy as np
from hostile_data import KINDS, Data
from imblearn import combine, over_sampling, under_sampling
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neural_network import MLPClassifier
from xgboost import XGBClassifier

from skfocal import FocalHistGradientBoostingClassifier, FocalLGBMClassifier, FocalMLPClassifier, FocalXGBClassifier


class Case(NamedTuple):
    """What is fitted on what."""

    seed: int
    kind: str
    ours: type
    engine: type
    params: dict[str, Any]  # of ours
    engine_params: dict[str, Any]
    data: Data
    weight: Any


class Choices(dict):
    """Names of parameters with the values to draw from."""

    def draw(self, rng):
        """Return none of them, a few or many."""
        share = rng.choice([0.0, 0.15, 0.4])
        return {name: values[rng.integers(len(values))] for name, values in self.items() if rng.random() < share}


# Parameters that only ours has, but for the weights of classes, which come with the labels.
FOCAL = Choices(
    focal_gamma=[0.0, 0.5, 2.0, 50.0, 1e3, 1e4],
    focal_alpha=[None, "balanced"],
    focal_mix=[0.0, 1e-9, 0.1, 1.0],
    focal_hessian=["stable", "exact"],
)
LIGHTGBM = Choices(
    boosting_type=["gbdt", "gbdt", "gbdt", "dart", "dart", "rf"],
    data_sample_strategy=["bagging", "goss"],
    tree_learner=["serial", "feature", "data", "voting"],
    num_leaves=[2, 31, 1000],
    max_depth=[-1, 1],
    learning_rate=[1e-9, 0.1, 1.0, 10.0],
    min_child_samples=[0, 1, 20],
    min_child_weight=[0.0, 1e-3],
    reg_alpha=[0.0, 1.0],
    max_bin=[2, 255],
    extra_trees=[False, True, 0.5],
    subsample=[0.5],
    subsample_freq=[1],
    colsample_bytree=[0.5],
    force_row_wise=[True],
    use_quantized_grad=[True],
    zero_as_missing=[True],
    use_missing=[False],
    path_smooth=[1.0],
    linear_tree=[False, False, True],
    max_delta_step=[0.5],
)
XGBOOST = Choices(
    booster=["gbtree", "dart", "gblinear"],
    tree_method=["auto", "exact", "approx", "hist"],
    grow_policy=["depthwise", "lossguide"],
    multi_strategy=["one_output_per_tree", "multi_output_tree"],
    learning_rate=[1e-9, 0.3, 1.0],
    max_depth=[0, 1, 6],
    max_leaves=[0, 2],
    max_bin=[2, 256],
    min_child_weight=[0.0, 1.0],
    reg_lambda=[0.0, 10.0],
    reg_alpha=[0.0, 1.0],
    subsample=[0.5],
    colsample_bynode=[0.5],
    num_parallel_tree=[1, 3],
    sampling_method=["uniform", "gradient_based"],
    max_delta_step=[0.5],
    missing=[np.nan, 0.0, np.inf],
    rate_drop=[0.5],
)
LINEAR = Choices(updater=["coord_descent", "shotgun"], feature_selector=["cyclic", "shuffle", "greedy"])
HIST = Choices(
    learning_rate=[1e-9, 0.1, 1.0],
    max_leaf_nodes=[2, 31, None],
    max_depth=[None, 1],
    min_samples_leaf=[1, 20],
    l2_regularization=[0.0, 1.0],
    max_features=[0.5],
    max_bins=[2, 255],
    early_stopping=[True, False, "auto"],
    n_iter_no_change=[2],
    scoring=["loss", "neg_log_loss", "average_precision"],
    interaction_cst=["pairwise", "no_interactions"],
)
NETWORK = Choices(
    solver=["adam", "sgd", "lbfgs"],
    activation=["identity", "logistic", "tanh", "relu"],
    early_stopping=[True, False],
    n_iter_no_change=[2],
    batch_size=["auto", 7],
    alpha=[0.0, 1e-4, 10.0],
    learning_rate=["constant", "invscaling", "adaptive"],
    learning_rate_init=[1e-9, 0.01, 1.0],
    validation_metric=["average_precision", "focal_loss", "accuracy"],
    validation_fraction=[0.1, 0.5],
)
# Parameters of ours that watch each round.
WATCHING = Choices(
    early_stopping_rounds=[2],
    eval_metric=["focal_loss", "log_loss", "average_precision", "roc_auc", "error", "precision_at_k@10"],
)
SAMPLERS = [
    over_sampling.RandomOverSampler(random_state=0),
    over_sampling.RandomOverSampler(shrinkage=1.0, random_state=0),
    over_sampling.SMOTE(random_state=0),
    over_sampling.SMOTE(k_neighbors=1, random_state=0),
    over_sampling.BorderlineSMOTE(random_state=0),
    over_sampling.SVMSMOTE(random_state=0),
    over_sampling.ADASYN(random_state=0),
    under_sampling.RandomUnderSampler(random_state=0),
    under_sampling.RandomUnderSampler(replacement=True, random_state=0),
    under_sampling.ClusterCentroids(random_state=0),
    under_sampling.NearMiss(),
    under_sampling.TomekLinks(),
    under_sampling.EditedNearestNeighbours(),
    under_sampling.OneSidedSelection(random_state=0),
    under_sampling.InstanceHardnessThreshold(random_state=0, cv=2),
    combine.SMOTEENN(random_state=0),
    combine.SMOTETomek(random_state=0),
]


class Pair(NamedTuple):
    """One of our classes, the engine's own, and what is drawn for them."""

    ours: type
    engine: type
    always: dict[str, Any]  # what makes both quick and quiet
    rounds: str
    engines: Choices  # the engine's parameters, and of the network our own one as well
    only_ours: tuple[str, ...] = ()
    threads: bool = True
    boosted: bool = True
    watching: bool = True


PAIRS = [
    Pair(FocalLGBMClassifier, LGBMClassifier, {"verbose": -1}, "n_estimators", LIGHTGBM, ("extra_trees",)),
    Pair(FocalXGBClassifier, XGBClassifier, {}, "n_estimators", XGBOOST),
    Pair(
        FocalHistGradientBoostingClassifier, HistGradientBoostingClassifier, {}, "max_iter", HIST,
        threads=False, watching=False,
    ),
    Pair(
        FocalMLPClassifier, MLPClassifier, {"hidden_layer_sizes": (8,)}, "max_iter", NETWORK, ("validation_metric",),
        threads=False, boosted=False, watching=False,
    ),
]  # fmt: skip


def kind_and_pair(seed):
    """Return the kind of data and the estimators of a seed: each with each, in four times as many as there are."""
    return KINDS[seed % len(KINDS)], PAIRS[seed // len(KINDS) % len(PAIRS)]


def draw(seed):
    """Return the case of a seed."""
    rng = np.random.default_rng(seed)
    kind, pair = kind_and_pair(seed)
    data = kind(rng)
    rounds = 2000 if "2000" in kind.__name__ else 3 if kind.__name__ == "two_hundred_classes" else 8
    params = {**pair.always, pair.rounds: rounds, "random_state": int(rng.integers(100)), **pair.engines.draw(rng)}
    if pair.threads:
        params["n_jobs"] = int(rng.integers(1, 3))
    if params.get("booster") == "gblinear":
        params |= LINEAR.draw(rng)
    engine_params = {name: value for name, value in params.items() if name not in pair.only_ours}
    params |= FOCAL.draw(rng) | by_class(rng, data.y)
    if pair.watching:
        params |= WATCHING.draw(rng)
    if pair.boosted and rng.random() < 0.2:
        params["sampler"] = SAMPLERS[rng.integers(len(SAMPLERS))]
    if not pair.boosted:
        params.pop("focal_hessian", None)
        params.pop("prior", None)
    return Case(seed, kind.__name__, pair.ours, pair.engine, params, engine_params, data, weights(rng, data.y))


def by_class(rng, y):
    """Return parameters with a value for each class, which say what the labels are or how many."""
    known = list(dict.fromkeys(y.to_pylist() if hasattr(y, "to_pylist") else list(y)))
    drawn = Choices(
        class_weight=["balanced", {label: 10.0 ** rng.integers(-6, 6) for label in known[:1]}],
        prior=[None, [10.0 ** rng.integers(-9, 1) for _ in known]],
    ).draw(rng)
    if rng.random() < 0.2:
        drawn["focal_gamma"] = [rng.choice([0.0, 0.5, 5.0, 1e4]) for _ in known]
    if rng.random() < 0.2:
        drawn["focal_alpha"] = [10.0 ** rng.integers(-6, 6) for _ in known]
    return drawn


def weights(rng, y):
    """Return sample weights of one kind, or None as often as not; some are refused."""
    n_samples = len(y)
    some = rng.random(n_samples)
    kinds = [
        rng.integers(1, 4, n_samples),
        np.where(some < 0.3, 0.0, 1.0),
        np.full(n_samples, 1e-300),
        np.where(some < 0.5, 1e-300, 1.0),
        np.where(some < 0.5, 1e30, 1e-30),
        some.astype(np.float32),
        *(np.zeros(n_samples), np.full(n_samples, 1e300), -some),
    ]
    n_kinds = len(kinds) - (0 if rng.random() < 0.2 else 3)
    return None if rng.random() < 0.5 else kinds[rng.integers(n_kinds)]
