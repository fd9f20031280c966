"""Samples: one value for training, validation and evaluation data; and the checks that make it of what users give.

Imports `parameters`, `tables`, `_checks`, `_compat` and `losses`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing, check_consistent_length
from sklearn.utils.validation import check_array, validate_data

from skfocal._checks import (
    as_known_codes,
    as_sample_weight,
    as_start_margins,
    check_size,
    class_weights,
    encode_labels,
    prior_totals,
    rows_that_count,
)
from skfocal._compat import check_n_features
from skfocal.boosting.parameters import FocalParameters
from skfocal.boosting.tables import (
    as_scikit_learn_reads,
    check_columns,
    check_is_computed,
    check_is_sampled,
    column_names,
    in_native_order,
    is_table,
)
from skfocal.losses.registry import Loss, make_loss

# Takes X, and as `reset` whether to record the number and names of its features or to compare them.
AsFeatures = Callable[..., Any]


class Samples(NamedTuple):
    """Checked samples, as an engine takes them."""

    X: Any
    codes: NDArray[np.integer]
    weight: NDArray[np.float64] | None = None
    start: NDArray[np.float64] | None = None  # margins to start from
    is_whole: bool = True  # whether these are all rows of the user's data, in their order

    def rows(self, chosen: Any) -> Self:
        """Return some samples, which may be chosen repeatedly."""

        def choose(part: NDArray[Any] | None) -> Any:
            return None if part is None else part[chosen]

        chosen = np.asarray(chosen)
        X = self.X[chosen] if type(self.X) is np.ndarray else _safe_indexing(self.X, chosen)
        codes, weight, start = map(choose, self[1:4])
        return self._replace(X=X, codes=codes, weight=weight, start=start, is_whole=False)

    def totals(self, n_classes: int = 0) -> NDArray[np.float64]:
        """Return the summed weights of each class; of `n_classes`, if not all may occur."""
        return np.bincount(self.codes, weights=self.weight, minlength=n_classes).astype(np.float64)

    def prior(self, n_classes: int = 0) -> NDArray[np.float64]:
        """Return the weight of each class, > 0; of `n_classes`, if not all may occur."""
        return prior_totals(self.totals(n_classes), self.weight)

    def weighted(self, by_class: NDArray[np.float64] | None) -> Self:
        """Return the samples with the weights of the classes multiplied into theirs."""
        if by_class is None:
            return self
        weight = by_class[self.codes] if self.weight is None else self.weight * by_class[self.codes]
        check_size(weight, "sample_weight times class_weight")
        return self._replace(weight=weight)


def as_features(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    allow_inf: bool,
    dtype: Any = "numeric",
    compare_names: bool = True,
) -> Any:
    """Return checked features, whose number and names are recorded or compared; tables go to the engine as they are."""
    X = in_native_order(X)
    is_sound = _is_sound(X, allow_inf=allow_inf)
    if is_sound and not reset and _has_the_features(estimator, X):
        return X
    check_is_computed(X)
    if dtype is None:  # scikit-learn's boosting takes words too, and looks at columns itself
        X = as_scikit_learn_reads(X, estimator.categorical_features)
    else:
        check_columns(X)
    as_it_is = is_table(X) or hasattr(X, "__cuda_array_interface__") or is_sound
    if not reset and is_table(X) and _has_the_names(estimator, X):
        return X
    checks = {
        "accept_sparse": estimator._accept_sparse,
        "dtype": dtype,
        "ensure_all_finite": False if allow_inf else "allow-nan",
    }
    if compare_names:
        checks = {"skip_check_array": True} if as_it_is else checks
        return in_native_order(validate_data(estimator, X, reset=reset, **checks))
    X = X if as_it_is else in_native_order(check_array(X, estimator=estimator, **checks))
    check_n_features(estimator, X)
    return X


def _has_the_names(estimator: Any, X: Any) -> bool:
    """Tell whether a table's columns are those of the training: scikit-learn says so too, but takes its time."""
    names = getattr(estimator, "feature_names_in_", None)
    return names is not None and column_names(X) == names.tolist()


def _has_the_features(estimator: Any, X: NDArray[Any]) -> bool:
    """Tell whether an array has as many columns as that of the training, and these had no names."""
    return X.shape[1] == getattr(estimator, "n_features_in_", None) and not hasattr(estimator, "feature_names_in_")


def _is_sound(X: Any, *, allow_inf: bool) -> bool:
    """Tell whether features are an array that `check_array` would give back as it is, sooner than that would."""
    with np.errstate(over="ignore", invalid="ignore"):
        return (
            type(X) is np.ndarray
            and X.dtype in (np.float32, np.float64)
            and X.ndim == 2
            and X.size > 0
            and (allow_inf or bool(np.isfinite(X.sum())))
        )


def weigh_classes(
    focal: FocalParameters, totals: NDArray[np.float64], classes: NDArray[Any]
) -> tuple[Any, NDArray[np.float64] | None]:
    """Return the loss for samples with these summed weights of each class, and the weights of the classes or None."""
    # Weights of the samples, then of the classes, then of the loss: "balanced" balances what comes before it.
    by_class = class_weights(focal.class_weight, classes, totals)
    return make_loss(focal.family, focal.loss, classes, totals if by_class is None else totals * by_class), by_class


def training_samples(
    estimator: Any, focal: FocalParameters, X: Any, y: Any, sample_weight: Any, start: Any = None, *, reset: bool = True
) -> tuple[Samples, NDArray[Any], Loss, NDArray[np.float64] | None]:
    """Return checked training data and the classes, with their loss and weights.

    The estimator says how its engine takes features and margins; `reset` says whether these features are the first.
    What does not fit the labels is refused first.
    """
    codes, classes = encode_labels(y, type(estimator).__name__)
    weight = as_sample_weight(sample_weight, len(codes))
    samples = Samples(None, codes, weight)
    loss, by_class = weigh_classes(focal, samples.totals(), classes)
    if focal.sampler is not None:
        check_is_sampled(X, focal.sampler)
    X = estimator._as_features(X, reset=reset)
    check_consistent_length(X, codes)
    margins = as_start_margins(start, len(codes), len(classes), estimator._start_name, estimator._start_order)
    samples = samples._replace(X=X, start=margins)
    # A sample that weighs 0 must not count where the engines count samples: in bins and minimum leaf sizes.
    kept = rows_that_count(codes, weight)
    samples = samples if kept is None else samples.rows(kept)
    return samples, classes, loss, by_class


def as_pairs(eval_set: Any) -> list[tuple[Any, Any]]:
    """Return evaluation sets, or one of them, as a list of pairs (X, y)."""
    if eval_set is None:
        return []
    if not isinstance(eval_set, list | tuple):
        raise ValueError(f"eval_set must be a list of pairs (X, y), got a {type(eval_set).__name__}.")
    one_pair = isinstance(eval_set, tuple) and not all(isinstance(entry, tuple) for entry in eval_set)
    pairs = [eval_set] if one_pair else list(eval_set)
    for i, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list) or len(pair) != 2 or pair[1] is None:
            raise ValueError(f"eval_set must be a list of pairs (X, y), got a {type(pair).__name__} as entry {i}.")
    return [(X, y) for X, y in pairs]


def entries_of_sets(entries: Any, n_sets: int, name: str) -> list[Any]:
    """Return the entry of each evaluation set, where there is to be one for each, or none at all."""
    if entries is None:
        return [None] * n_sets
    if not isinstance(entries, list | tuple):
        raise TypeError(f"{name} must be a list with an entry per evaluation set, got a {type(entries).__name__}.")
    if len(entries) != n_sets:
        raise ValueError(f"{name} must have one entry for each of the {n_sets} evaluation sets, got {len(entries)}.")
    return list(entries)


def check_given_together(X_val: Any, y_val: Any, sample_weight_val: Any) -> None:
    """Raise if of an evaluation set, as scikit-learn names it, only a part is given."""
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val must be given together, got only one of them.")
    if X_val is None and sample_weight_val is not None:
        raise ValueError("sample_weight_val must be None where no X_val is given, got weights.")


def evaluation_samples(
    estimator: Any,
    X: Any,
    y: Any,
    name: str,
    classes: NDArray[Any],
    *,
    weight: tuple[str, Any],
    start: tuple[str, Any] = ("", None),
    known: tuple[Any, Any, Samples] | None = None,
) -> Samples:
    """Return a checked evaluation set, whose labels must be among those of the training.

    `weight` and `start` are what the set has of these, each after its name. `known` are X and y as `fit` is given them,
    and what was made of them: engines recognise their training data if they are given the very same objects.
    """
    if known is not None and known[0] is X and known[1] is y:
        samples = Samples(known[2].X, known[2].codes)
    else:
        codes = as_known_codes(y, classes, name)
        samples = Samples(estimator._as_features(X, reset=False), codes)
        check_consistent_length(samples.X, codes)
    (weight_name, weights), (start_name, margins) = weight, start
    n_samples = len(samples.codes)
    return samples._replace(
        weight=as_sample_weight(weights, n_samples, weight_name),
        start=as_start_margins(margins, n_samples, len(classes), start_name, estimator._start_order),
    )
