"""XGBoost's parameters. Imports `compat` and `boosting`."""

import math
from typing import Any, NamedTuple

from skfocal.boosting.parameters import Ignored, check_not_ignored, check_rounds, check_watched, engine_parameters
from skfocal.xgboost.compat import parameter_names

# What XGBoost passes over in silence under a custom objective, or we set ourselves: accepted values, and what to do
# instead, or why.
_IGNORED: Ignored = {
    "scale_pos_weight": ((None, 1), "use class_weight={negative: 1, positive: weight}"),
    "base_score": ((None,), "training starts from the focal intercept; pass base_margin to start elsewhere"),
    "num_class": ((), "it is read from y"),
    "disable_default_eval_metric": ((True, 1), "all metrics go through the focal link"),
}


# Two names of one parameter each: XGBoost reads one, and passes over the other.
_ALIASES = {
    "learning_rate": "eta",
    "gamma": "min_split_loss",
    "reg_alpha": "alpha",
    "reg_lambda": "lambda",
    "n_jobs": "nthread",
    "random_state": "seed",
}


# What trees are grown by where the user sets nothing; docs/differences.md says why. XGBoost has 0.3, 1 and 1.
TREE_DEFAULTS = {"learning_rate": 0.1, "reg_lambda": 10.0, "min_child_weight": 0.1}


def own_parameters(all_params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that are XGBoost's, with our defaults for what is not set under any of its names."""
    params = engine_parameters(all_params, parameter_names())
    if params.get("booster") != "gblinear":
        for name, value in TREE_DEFAULTS.items():
            if params.get(name) is None and params.get(_ALIASES.get(name, name)) is None:
                params[name] = value
    return params


class Settings(NamedTuple):
    """What XGBoost is told."""

    params: dict[str, Any]  # all that are XGBoost's own
    booster: Any
    seed: Any
    n_jobs: Any
    early_stopping_rounds: int | None
    device: Any
    callbacks: list[Any]


def checked_settings(classifier: Any, verbose: Any) -> Settings:
    """Return what XGBoost is told, checked as far as that takes no data."""
    given = classifier.get_params(deep=False)
    for name, (accepted, instead) in _IGNORED.items():
        if name in given:
            check_not_ignored(name, given[name], accepted, instead)
    check_watched(classifier, given, parameter_names())
    for names in _ALIASES.items():
        set_by_both = {name: given[name] for name in names if given.get(name) is not None}
        if len(set_by_both) > 1:
            raise ValueError(f"{names[0]} must be given under one name, got {set_by_both}.")
    if classifier.early_stopping_rounds is not None:
        check_rounds(classifier.early_stopping_rounds)
    if verbose is not None and not (isinstance(verbose, int) and verbose >= 0):
        raise ValueError(f"verbose must be None, True, False or an integer >= 0, got {verbose!r}.")
    if classifier.booster == "gblinear" and classifier.missing is not None and math.isinf(classifier.missing):
        # XGBoost then looks at nothing, and what float32 cannot hold makes every coefficient NaN.
        raise ValueError(f"missing must be finite or NaN for booster='gblinear', got {classifier.missing!r}: use NaN.")
    params = own_parameters(given)
    # "exact" knows no categories.
    params["enable_categorical"] = classifier.enable_categorical and classifier.tree_method != "exact"
    return Settings(
        params,
        classifier.booster,
        given.get("seed", classifier.random_state),
        given_n_jobs(params),
        classifier.early_stopping_rounds,
        classifier.device,
        list(classifier.callbacks or ()),
    )


def given_n_jobs(params: dict[str, Any]) -> Any:
    """Return the number of threads that XGBoost is to take, under either of its names; None for its own choice."""
    return next((params[name] for name in ("n_jobs", "nthread") if params.get(name) is not None), None)
