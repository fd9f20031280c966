"""The parameters of the boosted classifiers: names, ranges, what an engine would ignore, and which are the engine's.

Imports `losses`.
"""

import difflib
from collections.abc import Mapping
from inspect import Parameter, signature
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from skfocal.losses.parameters import as_gamma, as_mix, check_hessian_policy
from skfocal.losses.registry import LossParameters

# What an engine's constructor does not know, and what we set in the engine ourselves.
OURS = frozenset({
    "focal_gamma", "focal_alpha", "focal_mix", "focal_hessian", "class_weight", "sampler", "prior",
    "early_stopping_rounds", "validation_fraction", "eval_metric", "progress_bar", "objective",
})  # fmt: skip

# Names that people try first, and ours. XGBoost's gamma and alpha are parameters of its own.
_HINTS = {
    "alpha": "focal_alpha",
    "gamma": "focal_gamma",
    "hessian": "focal_hessian",
    "is_unbalance": "class_weight='balanced'",
}

# What an engine passes over in silence under a custom objective: accepted values, and what to do instead.
Ignored = dict[str, tuple[tuple[Any, ...], str]]


class FocalParameters(NamedTuple):
    """What the user asks of the loss, of the weights of classes and of priors."""

    family: str  # the name of the loss in the registry of losses
    loss: LossParameters
    hessian: Any
    class_weight: Any
    sampler: Any
    prior: Any


def focal_parameters(estimator: Any) -> FocalParameters:
    """Return an estimator's parameters that are ours, checked as far as that takes no data."""
    check_hessian_policy(estimator.focal_hessian, "focal_hessian")
    if not isinstance(estimator.focal_gamma, Mapping):
        as_gamma(estimator.focal_gamma, "focal_gamma")
    mix = as_mix(estimator.focal_mix)
    if estimator.sampler is not None:
        _check_sampler(estimator.sampler)
    return FocalParameters(
        estimator._family,
        LossParameters(estimator.focal_gamma, estimator.focal_alpha, mix),
        estimator.focal_hessian,
        estimator.class_weight,
        estimator.sampler,
        estimator.prior,
    )


def constructor_names(kind: type) -> frozenset[str]:
    """Return the names of the parameters of a class's constructor, and of those that it hands any others on to."""
    constructors = [vars(each)["__init__"] for each in kind.__mro__[:-1] if "__init__" in vars(each)]
    parameters = [each for constructor in constructors for each in signature(constructor).parameters.values()]
    any_name = (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    return frozenset(each.name for each in parameters if each.kind not in any_name) - {"self"}


def engine_parameters(params: dict[str, Any], engine_names: frozenset[str]) -> dict[str, Any]:
    """Return those of an estimator's parameters that are the engine's, not ours nor those that a subclass has added."""
    return {name: value for name, value in params.items() if name in engine_names - OURS}


def check_watched(estimator: Any, params: dict[str, Any], engine_names: frozenset[str]) -> None:
    """Raise if the parameters of a classifier whose engine reports on every round are not what they may be."""
    _check_names(type(estimator), params, engine_names)
    _check_objective(estimator)
    if not isinstance(estimator.progress_bar, bool | np.bool_):
        raise TypeError(f"progress_bar must be True or False, got {estimator.progress_bar!r}.")
    check_fraction(estimator.validation_fraction)


def _check_names(kind: type, params: dict[str, Any], engine_names: frozenset[str]) -> None:
    """Raise if a parameter is neither ours nor the engine's: LightGBM and XGBoost take any name, and drop it."""
    others = set(params) - OURS - engine_names
    if not others:  # a subclass may have its own, which take time to find
        return
    known = {*OURS, *engine_names, *constructor_names(kind)}
    for name in others - known:
        close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
        hint = _HINTS.get(name) or (close[0] if close else None)
        hint = f": did you mean {hint}?" if hint else "."
        raise ValueError(f"{name}={params[name]!r} is not a parameter of {kind.__name__}{hint}")


def _check_objective(estimator: Any) -> None:
    """Raise if an objective is set."""
    if estimator.objective is not None:
        raise ValueError(
            f"objective must be None, the focal loss that {type(estimator).__name__} trains on, "
            f"got {estimator.objective!r}."
        )


def check_not_ignored(name: str, value: Any, accepted: tuple[Any, ...], instead: str) -> None:
    """Raise if a parameter that the engine ignores under a custom objective is set to anything that matters."""
    # None is how both engines spell a parameter that is not set.
    if value is not None and not any(np.ndim(value) == 0 and value == neutral for neutral in accepted):
        valid = f"be {' or '.join(map(repr, accepted))}" if accepted else "be left out"
        raise ValueError(f"{name} must {valid} with the focal loss, got {value!r}: {instead}.")


def check_rounds(rounds: Any, name: str = "early_stopping_rounds") -> None:
    """Raise if `rounds` is no number of rounds."""
    if isinstance(rounds, bool) or not isinstance(rounds, Integral) or rounds < 1:
        raise ValueError(f"{name} must be None or an integer >= 1, got {rounds!r}.")


def check_fraction(fraction: Any) -> None:
    """Raise if `fraction` is no share of the data."""
    if not isinstance(fraction, Real) or not 0 < float(fraction) < 1:
        raise ValueError(f"validation_fraction must be in (0, 1), got {fraction!r}.")


def _check_sampler(sampler: Any) -> None:
    """Raise if `sampler` is not an instance of a sampler in imbalanced-learn's manner."""
    if isinstance(sampler, type) or not hasattr(sampler, "fit_resample"):
        raise TypeError(
            "sampler must be None or a sampler of imbalanced-learn, an object with a method fit_resample, "
            f"got {sampler!r}."
        )


def check_no_sampler(sampler: Any, **others: Any) -> None:
    """Raise if a sampler is to go with a model, or margins, to start from: these are not at the sampler's prior."""
    given = [name for name, other in others.items() if other is not None]
    if given and sampler is not None:
        raise ValueError(f"sampler must be None with {given[0]}, got {sampler!r}.")


def split_sampler_params(params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters of the estimator, and those of its sampler, ``sampler__<name>``, by their own names."""
    others = {name: value for name, value in params.items() if not name.startswith("sampler__")}
    return others, {name.removeprefix("sampler__"): value for name, value in params.items() if name not in others}


def set_sampler_params(estimator: Any, params: dict[str, Any]) -> None:
    """Set parameters of an estimator's sampler, if there are any to set."""
    if params:
        _check_sampler(estimator.sampler)
        estimator.sampler.set_params(**params)
