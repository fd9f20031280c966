"""Every private or version-dependent touch of another library, each with its reason. Imports no engine at the top."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any


class LearnedAttribute:
    """A learned attribute kept on the instance where the engine's class makes it a read-only property.

    LightGBM (``classes_``, ``feature_names_in_``) and XGBoost (those and ``n_features_in_``) compute these from the
    booster: class codes instead of labels, and names as the engine rewrote them. scikit-learn sets them in
    `validate_data`, which a property without a setter refuses.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        try:
            return instance.__dict__[self.name]
        except KeyError:
            raise AttributeError(f"{type(instance).__name__!r} object has no attribute {self.name!r}") from None

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = value

    def __delete__(self, instance: Any) -> None:
        del instance.__dict__[self.name]


def adopt_fitted_state(estimator: Any, engine: Any) -> None:
    """Make `estimator` the fitted estimator that `engine`, an instance of its engine's own class, has become.

    Both engines keep what they learn in instance attributes, private ones among them (``_Booster``,
    ``_evals_result``), and their properties and methods read those. Constructor parameters are left alone: XGBoost
    rewrites some while it fits.
    """
    parameters = set(engine.get_params()) | {"kwargs", "_other_params"}
    vars(estimator).update({name: value for name, value in vars(engine).items() if name not in parameters})


def xgboost_engine(params: dict[str, Any], metric: Callable[[Any, Any], list[tuple[str, float]]]) -> Any:
    """Return an XGBClassifier whose `fit` evaluates a metric as `xgboost.train` takes it, which may have many values.

    XGBClassifier takes one callable with one value, and looks it up in `_configure_fit`, second of what that returns.
    """
    from xgboost import XGBClassifier

    class Engine(XGBClassifier):
        def _configure_fit(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
            model, _, *rest = super()._configure_fit(*args, **kwargs)
            return model, metric, *rest

    return Engine(**params)


@cache
def lightgbm_parameter_aliases() -> dict[str, list[str]]:
    """Return LightGBM's parameters, each with all of its names, its own first. Public only in the C library."""
    from lightgbm.basic import _ConfigAliases

    aliases: dict[str, list[str]] = _ConfigAliases._get_all_param_aliases()
    return aliases


@cache
def lightgbm_parameter_names() -> frozenset[str]:
    """Return every name of a parameter that LightGBM's scikit-learn class or its library understands."""
    import lightgbm

    aliases = lightgbm_parameter_aliases().values()
    return frozenset(lightgbm.LGBMClassifier().get_params()).union(*aliases)


@cache
def xgboost_parameter_names() -> frozenset[str]:
    """Return every parameter name that XGBoost knows. It tells the native ones only in a trained booster's settings.

    There they stand beside what is learned and what was derived; and of ``top_k``, which one of the linear updaters
    reads by itself, they say nothing.
    """
    import xgboost

    names = set(xgboost.XGBClassifier().get_params())
    data = xgboost.DMatrix([[0.0], [1.0]], label=[0.0, 1.0])
    for settings in ({"booster": "gbtree"}, {"booster": "dart"}, {"booster": "gblinear"}, {"tree_method": "exact"}):
        booster = xgboost.train({"objective": "binary:logistic", "verbosity": 0, **settings}, data, num_boost_round=1)
        names.update(_leaf_keys(json.loads(booster.save_config())))
    state = {"boost_from_average", "name", "num_feature", "num_target", "num_trees", "specified_updater", "updater_seq"}
    return frozenset(names - state | {"top_k"})


def _leaf_keys(tree: Any) -> Iterator[str]:
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, dict | list):
            yield from _leaf_keys(value)
        elif isinstance(key, str):
            yield key
