"""Every private or version-dependent touch of another library, each with its reason. Imports no engine at the top.

Those of scikit-learn's network, which are many, are in `_margin_mlp`.
"""

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController


def array_namespace(array: Any) -> ModuleType:
    """Return the array-API namespace of an array; NumPy for whatever is none: a list, a table, a number.

    array-api-compat, which knows CuPy's and PyTorch's arrays too, is a part of scikit-learn: no dependency more.
    """
    if isinstance(array, np.ndarray | np.generic):
        return np
    from sklearn.externals import array_api_compat

    return array_api_compat.array_namespace(array) if array_api_compat.is_array_api_obj(array) else np


def on_host(array: Any) -> Any:
    """Return an array of CuPy as one of NumPy, which CuPy does only if told to; anything else as it is."""
    return array.get() if hasattr(array, "__cuda_array_interface__") and hasattr(array, "get") else array


def scorer_name(scorer: Any) -> str:
    """Return the name of a scorer: of a function its own, of one by `make_scorer` that of its metric, as get_scorer's.

    scikit-learn keeps metric and sign in private attributes.
    """
    if hasattr(scorer, "_score_func"):
        return ("neg_" if scorer._sign < 0 else "") + getattr(scorer._score_func, "__name__", "score")
    name: str = getattr(scorer, "__name__", type(scorer).__name__)
    return name


def column_positions(transformer: Any) -> dict[str, list[int]]:
    """Return which columns each part of a fitted ColumnTransformer takes; it tells names where it was given names."""
    positions: dict[str, list[int]] = transformer._transformer_to_input_indices
    return positions


def metric_of_scorer(scorer: Any) -> Any:
    """Return the metric that `make_scorer` was given, anything else as it is; scorers take any argument."""
    return getattr(scorer, "_score_func", scorer)


def effective_n_threads(n_jobs: int | None) -> int:
    """Return how many threads OpenMP would use: `n_jobs`; all that it may use for None and 0; -1 all, -2 one less.

    scikit-learn's own rule counts the processors that this process has, and minds OMP_NUM_THREADS.
    """
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

    n_threads: int = _openmp_effective_n_threads(n_jobs or None)
    return n_threads


def rest_openmp_threads() -> None:
    """End OpenMP's idle threads, which an engine starts anew when it needs them.

    Otherwise they turn in circles for some milliseconds after the engine's last loop, each on a processor of its own,
    waiting for the next one: exactly where our threads want to work. This takes a tenth of a millisecond for two
    threads; on a machine that is busy with other things it waits for them to get their turn.
    """
    for pause in _openmp_pauses("lightgbm" in sys.modules, "xgboost" in sys.modules):
        pause(1)  # omp_pause_soft; it concerns the threads that belong to the calling one, and no others


@cache  # as looking for them takes ten milliseconds; it is done again once an engine is there, which brings its own
def _openmp_pauses(*engines_there: bool) -> list[Callable[[int], int]]:
    """Return `omp_pause_resource_all` of every OpenMP runtime that is loaded; it is a part of OpenMP 5.0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of runtimes that do not go together: not our concern here
        libraries = [library for library in ThreadpoolController().lib_controllers if library.user_api == "openmp"]
    return [lib.dynlib.omp_pause_resource_all for lib in libraries if hasattr(lib.dynlib, "omp_pause_resource_all")]


@contextmanager
def on_device(device: str | None) -> Iterator[ModuleType]:
    """Yield the namespace in which to compute gradients for a booster on XGBoost's ``device``, which CuPy then uses."""
    name, _, ordinal = str(device or "cpu").partition(":")
    cupy = _cupy() if name in ("cuda", "gpu") else None
    if cupy is None:
        yield np
        return
    with cupy.cuda.Device(int(ordinal)) if ordinal.isdigit() else nullcontext():
        yield cupy


@cache  # so that it warns once
def _cupy() -> Any:
    """Return CuPy, or None with a warning where it cannot be used."""
    try:
        import cupy

        if cupy.is_available():
            return cupy
        reason = "CuPy finds no GPU"
    except ImportError:
        reason = 'CuPy is not installed (pip install "skfocal[cuda]")'
    except Exception as error:  # whatever CUDA says where it has no driver, or an old one
        reason = f"CuPy finds no GPU ({error})"
    # The caller of `fit`, which enters a context manager, which asks here.
    warnings.warn(f"Gradients of the focal loss are computed on the host: {reason}.", stacklevel=5)
    return None


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

    All three engines keep what they learn in instance attributes, private ones among them (``_Booster``,
    ``_optimizer``), and their properties and methods read those. Constructor parameters are left alone: XGBoost
    rewrites some while it fits.
    """
    parameters = set(engine.get_params()) | {"kwargs", "_other_params"}
    vars(estimator).update({name: value for name, value in vars(engine).items() if name not in parameters})


def fitted_lightgbm(booster: Any, n_classes: int, objective: Callable[..., Any]) -> Any:
    """Return an LGBMClassifier that has a booster as if it had been fitted. LightGBM has no public way to do that."""
    from lightgbm import LGBMClassifier

    engine = LGBMClassifier()
    engine._Booster = booster
    engine._n_features = booster.num_feature()
    engine._classes, engine._n_classes = np.arange(n_classes), n_classes
    engine._best_iteration, engine._best_score = booster.best_iteration, booster.best_score
    engine._objective = objective
    engine.fitted_ = True
    return engine


def xgboost_engine(
    params: dict[str, Any], metric: Callable[[Any, Any], list[tuple[str, float]]], *, bins_data: bool
) -> Any:
    """Return an XGBClassifier whose `fit` evaluates a metric as `xgboost.train` takes it, which may have many values.

    XGBClassifier takes one callable with one value, and looks it up in `_configure_fit`, second of what that returns.
    And if it can, it keeps of the features only in which bins they are. These are not those of a model that is
    continued, whose margins would not be what it predicts: without `bins_data` the features are kept.
    """
    from xgboost import DMatrix, XGBClassifier

    class Engine(XGBClassifier):
        def _configure_fit(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
            model, _, *rest = super()._configure_fit(*args, **kwargs)
            return model, metric, *rest

        def _create_dmatrix(self, ref: Any, **kwargs: Any) -> Any:
            return super()._create_dmatrix(ref, **kwargs) if bins_data else DMatrix(**kwargs, nthread=self.n_jobs)

    return Engine(**params)


def first_rounds(booster: Any, n_rounds: int) -> Any:
    """Return the first rounds of an XGBoost booster, which know its categories.

    XGBoost's slices forget them: they would take the codes of any table's categories for those of the training data.
    """
    part = booster[:n_rounds]
    if booster.get_categories().empty():
        return part
    whole, model = (json.loads(each.save_raw("json")) for each in (booster, part))
    _forest(model)["cats"] = _forest(whole)["cats"]
    part.load_model(bytearray(json.dumps(model, ensure_ascii=False), "utf-8"))  # XGBoost reads no \u escapes
    return part


def _forest(model: dict[str, Any]) -> dict[str, Any]:
    """Return the trees of an XGBoost model; those of "dart" are one level deeper, beside their weights."""
    booster = model["learner"]["gradient_booster"]
    forest: dict[str, Any] = booster.get("gbtree", booster)["model"]
    return forest


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
