"""Private or version-dependent touches of scikit-learn and of the array API, each with its reason.

Those of an engine are in the engine's own rooms.

Imports nothing of ours.
"""

import sys
from types import FrameType, ModuleType
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_n_features


def users_stacklevel() -> int:
    """Return the stacklevel with which a warning points at the first caller that is neither ours nor an engine's."""
    frame: FrameType | None = sys._getframe(1)
    level = 1
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in ("skfocal", "xgboost", "contextlib"):
        frame, level = frame.f_back, level + 1
    return level


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


def check_n_features(estimator: Any, X: Any) -> None:
    """Raise if features are not as many as in training; in public scikit-learn compares their names as well."""
    _check_n_features(estimator, X, reset=False)


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


class BinsEmptyColumns:
    """Lets scikit-learn's boosting train on columns without any value, for which 1.9 has no bins and raises.

    A column of 0 has the same bins for every threshold that a tree could ask for: none.
    """

    _is_categorical_remapped: Any

    def _bin_data(self, X: Any, *weights: Any, is_training_data: bool) -> Any:
        if is_training_data:
            is_number = True if self._is_categorical_remapped is None else np.logical_not(self._is_categorical_remapped)
            missing_at_first = np.flatnonzero(np.isnan(X[0]) & is_number)
            empty = [column for column in missing_at_first if np.isnan(X[:, column]).all()]
            if empty:
                X = X.copy()
                X[:, empty] = 0.0
        return super()._bin_data(X, *weights, is_training_data=is_training_data)  # type: ignore[misc]
