"""Private or version-dependent touches of scikit-learn, of the array API and of OpenMP, each with its reason.

Those of an engine are in the engine's own rooms.

Imports nothing of ours.
"""

import sys
import warnings
from collections.abc import Callable
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


def one_hot_widths(encoder: Any) -> list[int]:
    """Return how many columns a fitted OneHotEncoder makes of each of its features; it tells names of all only."""
    widths: list[int] = encoder._n_features_outs
    return widths


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
