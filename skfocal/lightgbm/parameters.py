"""LightGBM's parameters, under whichever of its names they are given.

Imports `compat`, `extra_trees`, `boosting` and `_checks`.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from skfocal._checks import check_number
from skfocal.boosting.parameters import Ignored, check_not_ignored, check_rounds, check_watched, engine_parameters
from skfocal.lightgbm.compat import (
    boosting_kind,
    default_parameters,
    main_names,
    n_threads,
    parameter_aliases,
    parameter_names,
)
from skfocal.lightgbm.extra_trees import share_of_random

# What LightGBM passes over in silence under a custom objective: accepted values, and what to do instead.
_IGNORED: Ignored = {
    "is_unbalance": ((False,), "use class_weight='balanced'"),
    "scale_pos_weight": ((1,), "use class_weight={negative: 1, positive: weight}"),
    "boost_from_average": ((True,), "training starts from the focal intercept; pass init_score to start elsewhere"),
    "pos_bagging_fraction": ((1,), "LightGBM cannot bag by class without its own objective; use a sampler"),
    "neg_bagging_fraction": ((1,), "LightGBM cannot bag by class without its own objective; use a sampler"),
    "sigmoid": ((1,), "the link is that of the focal loss"),
    "alpha": ((), "it belongs to other objectives, the focal loss has focal_alpha"),
    "num_class": ((), "it is read from y"),
    "auc_mu_weights": ((), "the metrics are ours, and have no such parameter"),
    "eval_at": ((), "the metrics are ours, and have no such parameter"),
    "multi_error_top_k": ((1,), "the metrics are ours, and have no such parameter"),
    "linear_tree": ((False,), "the leaves of linear trees cannot carry the focal intercept"),
}
_OTHER_OBJECTIVES = (
    "fair_c", "label_gain", "lambdarank_norm", "lambdarank_position_bias_regularization",
    "lambdarank_truncation_level", "objective_seed", "poisson_max_delta_step", "reg_sqrt", "tweedie_variance_power",
)  # fmt: skip
_IGNORED |= dict.fromkeys(_OTHER_OBJECTIVES, ((), "it belongs to other objectives"))


_MAY_BE_AUTO = {"extra_trees": "True, False, a number in [0, 1]", "reg_lambda": "a number >= 0"}  # or these
_OUR_DEFAULTS = dict.fromkeys(_MAY_BE_AUTO, "auto")
_FEW_SAMPLES, _PENALTY_OF_MORE = 5_000, 2.0  # docs/differences.md says why


class Settings(NamedTuple):
    """What LightGBM is told."""

    params: dict[str, Any]  # all that are LightGBM's own
    share_of_random: float  # of the trees; see `extra_trees`
    boosting: str
    seed: Any
    n_jobs: Any
    early_stopping_rounds: int | None
    metric: list[Any]  # LightGBM's own parameter of this name

    def auto_penalty(self, n_samples: int) -> dict[str, Any]:
        """Return what the penalty is for training data with so many samples, if it is "auto"."""
        if not is_auto(self.params["reg_lambda"]):
            return {}
        return {"reg_lambda": 0.0 if n_samples < _FEW_SAMPLES else _PENALTY_OF_MORE}


def checked_settings(classifier: Any) -> Settings:
    """Return what LightGBM is told, checked as far as that takes no data."""
    _check_ignored({"boosting_type": classifier.boosting_type, **classifier._other_params})
    given = classifier.get_params(deep=False)
    check_watched(classifier, given, parameter_names())
    _check_auto(given)
    params = own_parameters(given)
    boosting = boosting_kind(params["boosting_type"])
    share = share_of_random(params["extra_trees"], boosting)
    params["extra_trees"] = share > 0
    rounds = _early_stopping_rounds(classifier, boosting)
    metric = next((params[name] for name in parameter_aliases()["metric"] if name in params), None)
    return Settings(params, share, boosting, params["random_state"], params["n_jobs"], rounds, _split_names(metric))


def own_parameters(all_params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that are LightGBM's, under the names that our constructor has, where it has one.

    Of several names for one parameter LightGBM reads the first, in an order of its own, and passes over the others: the
    constructor's defaults come before the ``eta`` or the ``max_leaves`` that the user has set.
    """
    params, defaults = engine_parameters(all_params, parameter_names()), default_parameters() | _OUR_DEFAULTS
    params = {name: value for name, value in params.items() if value is not None or name in defaults}
    by_main_name: dict[str, dict[str, Any]] = {}
    for name, value in params.items():
        if name in main_names() and _is_set(name, params, defaults):
            by_main_name.setdefault(main_names()[name], {})[name] = value
    for main_name, given in by_main_name.items():
        if len(given) > 1:
            raise ValueError(f"{main_name} must be given under one name, got {given}.")
        for name in set(given) - set(defaults):
            constructors_own = next((each for each in parameter_aliases()[main_name] if each in defaults), name)
            params[constructors_own] = params.pop(name)
    return params


# What the library looks at when it predicts; with all that it has been told it would be asked for longer than it takes.
_AT_PREDICTION = (
    "num_threads", "verbosity", "predict_disable_shape_check", "pred_early_stop", "pred_early_stop_freq",
    "pred_early_stop_margin",
)  # fmt: skip


@cache
def _names_at_prediction() -> dict[str, str]:
    """Return the main name of every name of such a parameter."""
    return {name: main_name for main_name in _AT_PREDICTION for name in parameter_aliases()[main_name]}


def prediction_parameters(classifier: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return what a prediction is told: what the classifier has of it, and what is given with the prediction."""
    names = _names_at_prediction()
    own = {"n_jobs": classifier.n_jobs} | classifier._other_params
    params = {names[name]: value for name, value in own.items() if name in names}
    params |= {names.get(name, name): value for name, value in given.items()}
    params["num_threads"] = n_threads(classifier, params["num_threads"])
    return params


def is_auto(value: Any) -> bool:
    """Tell whether a parameter is left to us."""
    return isinstance(value, str) and value == "auto"


def _check_auto(given: dict[str, Any]) -> None:
    """Raise if what may be "auto" is another word, of which LightGBM ends the process, or if a share is none."""
    for name, others in _MAY_BE_AUTO.items():
        for alias in set(parameter_aliases()[main_names()[name]]) & set(given):
            value = given[alias]
            valid = f"{others} or 'auto'" if alias == name else f"{others}; 'auto' is for {name}"
            if isinstance(value, str) and not (alias == name and is_auto(value)):
                raise ValueError(f"{alias} must be {valid}, got {value!r}.")
            if name == "extra_trees" and not isinstance(value, bool | np.bool_ | str | None):
                check_number(alias, value, lambda number: 0 <= number <= 1, valid)


def as_of_old_pickle(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a classifier that was pickled when all of this was LightGBM's own: its values stay."""
    others = dict(state["_other_params"])
    given = [others.pop(alias) for alias in parameter_aliases()["extra_trees"] if alias in others]
    penalty = "auto" if set(parameter_aliases()["lambda_l2"]) & set(others) else state["reg_lambda"]
    return state | {"extra_trees": given[0] if given else False, "reg_lambda": penalty, "_other_params": others}


def _is_set(name: str, params: dict[str, Any], defaults: dict[str, Any]) -> bool:
    """Tell whether a parameter has a value, and another than the constructor's."""
    value = params.get(name)
    return value is not None and (name not in defaults or value != defaults[name])


def as_feature_names(feature_name: Any, of_table: Iterable[str]) -> list[str]:
    """Return the names of the features, none if they have none.

    LightGBM finds out after training, and by itself does not say it, that it could not read one in its own text format.
    """
    names = of_table if isinstance(feature_name, str) else feature_name or ()
    for name in map(str, names):
        if not name or set(name) & {"\n", "\r"}:
            raise ValueError(f"Features must have names that are not empty and without line breaks, got {name!r}.")
    return [str(name) for name in names]


def is_linear(params: dict[str, Any]) -> bool:
    """Tell whether parameters ask for linear trees."""
    return any(main_names().get(name) == "linear_tree" and value for name, value in params.items())


def _check_ignored(given: dict[str, Any]) -> None:
    """Raise if a parameter is set that would have no effect on the focal loss."""
    for name, value in given.items():
        main_name = main_names().get(name, name)
        if main_name == "objective":
            check_not_ignored(name, value, (None,), "it is the focal loss")
        elif main_name == "boosting" and boosting_kind(value) in ("rf", "random_forest"):
            raise ValueError(
                f"{name} must be 'gbdt', 'dart' or 'goss', got {value!r}: LightGBM grows random forests on its own "
                "objectives only."
            )
        elif main_name in _IGNORED:
            check_not_ignored(name, value, *_IGNORED[main_name])


def _early_stopping_rounds(classifier: Any, boosting: str) -> int | None:
    names = ["early_stopping_rounds", *parameter_aliases()["early_stopping_round"]]
    given = {"early_stopping_rounds": classifier.early_stopping_rounds, **classifier._other_params}
    given = {name: given[name] for name in names if given.get(name) is not None}
    if len(given) > 1:
        raise ValueError(f"early_stopping_rounds must be given under one name, got {given}.")
    for name, rounds in given.items():
        if name != "early_stopping_rounds" and rounds == 0:  # LightGBM's way to say None
            return None
        check_rounds(rounds, name)
        if boosting == "dart":
            raise ValueError(f"{name} must be None with dart, which changes earlier trees, got {rounds!r}.")
        return int(rounds)
    return None


def _split_names(metric: Any) -> list[Any]:
    if callable(metric):
        raise TypeError(f"metric must hold names of metrics, got {metric!r}: pass functions as eval_metric.")
    return [name.strip() for name in metric.split(",")] if isinstance(metric, str) else list(metric or ())
