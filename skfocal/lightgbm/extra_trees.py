"""Trees at thresholds drawn at random, with trees among them that look at all thresholds. Imports `compat`.

LightGBM has the former for all trees or none (extremely randomised trees, Geurts et al. 2006). They learn less of the
noise, but miss sharp edges; a few that look at all thresholds find these: docs/measurements/defaults.md has figures.
"""

from math import floor
from typing import Any

import numpy as np

from skfocal.lightgbm.compat import main_names

_SHARE = 0.85  # what "auto" stands for; docs/differences.md says why


def share_of_random(extra_trees: Any, boosting: str) -> float:
    """Return how many of the trees, as a share, look at one random threshold of each feature."""
    if extra_trees == "auto":
        return 0.0 if boosting == "dart" else _SHARE
    share = float(extra_trees or 0)
    if boosting == "dart" and 0 < share < 1:
        raise ValueError(
            f"extra_trees must be True, False or 'auto' with boosting_type='dart', got {extra_trees!r}: LightGBM "
            "forgets the weights of its trees when it is told of a change."
        )
    return share


class RandomThresholds:
    """LightGBM's kind of callback: tells it before which rounds to draw thresholds, and before which not.

    Rounds that look at all thresholds are spread evenly over those of the model, with those of the old one, if any.

    Parameters
    ----------
    share : float
        How many of the rounds draw thresholds, in (0, 1).
    """

    before_iteration = True

    def __init__(self, share: float) -> None:
        self._share = share

    def __call__(self, env: Any) -> None:
        """Tell a booster, before a round that is of the other kind than the one before it."""
        i, is_first = env.iteration, env.iteration == env.begin_iteration
        is_random, was_random = self._is_random(i), is_first or self._is_random(i - 1)  # LightGBM starts with True
        if (is_random != was_random or (is_first and i > 0)) and _can_split(env.model.train_set):
            env.model.reset_parameter({"extra_trees": is_random, **_told_beside_it(env)})
            env.params["extra_trees"] = is_random  # where other callbacks look whether they are to change it

    def _is_random(self, i: int) -> bool:
        before, after = (floor(round(n * (1 - self._share), 9)) for n in (i, i + 1))  # of those that are not
        return before == after


def _can_split(data: Any) -> bool:
    """Tell whether a Dataset has a feature with bins; LightGBM gives up if it is told of a change where none has."""
    return any(data.feature_num_bin(i) > 0 for i in range(data.num_feature()))


def _told_beside_it(env: Any) -> dict[str, Any]:
    """Return what else LightGBM is to be told: seeds that no other round has, and its number of leaves.

    It begins the numbers that it draws by seeds anew, when it is told of a change: for thresholds, and in goss. Told of
    one without the number of leaves, it takes that for not set by the user, and warns.
    """
    given = _by_main_name(env.params)
    told = {"num_leaves": _by_main_name(env.model.params).get("num_leaves")}
    is_goss = "goss" in (given.get("boosting"), given.get("data_sample_strategy"))
    for k, name in enumerate(["extra_seed", "bagging_seed"] if is_goss else ["extra_seed"]):
        seed = int(given.get(name, given.get("seed", 0))) % (1 << 32)
        told[name] = int(np.random.SeedSequence((seed, env.iteration, k)).generate_state(1)[0] >> 1)
    return told


def _by_main_name(params: dict[str, Any]) -> dict[str | None, Any]:
    return {main_names().get(name): value for name, value in params.items() if value is not None}
