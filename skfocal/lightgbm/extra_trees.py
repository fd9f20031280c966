"""Trees at thresholds drawn at random, with trees among them that look at all thresholds. Imports `compat`.

LightGBM has the former for all trees or none (extremely randomised trees, Geurts et al. 2006). They learn less of the
noise, but miss sharp edges; a few that look at all thresholds find these. docs/measurements.md has what it comes to.
"""

from math import floor
from typing import Any

import numpy as np

from skfocal.lightgbm.compat import main_names

_SHARE = 0.85  # what "auto" stands for; docs/differences.md says why
# LightGBM begins the numbers that it draws by these (the second: goss's) anew, when it is told of a change.
_SEEDS = ("extra_seed", "bagging_seed")


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

    Rounds that look at all thresholds are spread evenly, the first is none of them: LightGBM starts with
    ``extra_trees=True``.

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
        i = env.iteration - env.begin_iteration
        if i > 0 and self._is_random(i) != self._is_random(i - 1):
            env.model.reset_parameter({"extra_trees": self._is_random(i), **_with_new_seeds(env.params, i)})

    def _is_random(self, i: int) -> bool:
        before, after = (floor(round(n * (1 - self._share), 9)) for n in (i, i + 1))  # of those that are not
        return before == after


def _with_new_seeds(params: dict[str, Any], i: int) -> dict[str, Any]:
    """Return what LightGBM is to be told beside it in round i: seeds that no other round has.

    And the number of leaves again: told of a change without, LightGBM takes it for not set by the user, and warns.
    """
    given = {main_names().get(name): value for name, value in params.items() if value is not None}
    seeds = {name: int(given.get(name, given.get("seed", 0))) % (1 << 32) for name in _SEEDS}
    new = {name: int(np.random.SeedSequence((seed, i)).generate_state(1)[0] >> 1) for name, seed in seeds.items()}
    return new | ({"num_leaves": given["num_leaves"]} if "num_leaves" in given else {})
