"""Labels, their codes, weights and values per class: as_* converts what is given, check_* raises.

Knows no engine and no loss.

Imports `_compat`.
"""

from collections.abc import Callable, Mapping
from numbers import Real
from reprlib import repr as short_repr
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skfocal._compat import on_host


def _is_missing(label: Any) -> bool:
    try:
        return label is None or bool(label != label)
    except TypeError:  # pandas.NA has no truth value
        return True


def _as_numpy(y: Any) -> Any:
    """Return labels of a table as an array of their own type: scikit-learn makes floats of pandas' newer types."""
    if getattr(y, "ndim", 1) == 2 and hasattr(y, "iloc") and y.shape[1] == 1:
        return y.iloc[:, 0].to_numpy()[:, None]
    if type(y).__module__.startswith("pyarrow"):  # whose to_numpy() makes no copies, which words need
        return np.asarray(y)
    return y.to_numpy() if hasattr(y, "to_numpy") else y


def as_labels(y: Any, name: str) -> NDArray[Any]:
    """Return labels of any one type as an array; raise a ValueError if one is missing, infinite or of another type."""
    if getattr(y, "ndim", 1) == 2 and y.shape[1] > 1:
        raise ValueError(
            f"{name} must be one column of labels, got the shape {tuple(y.shape)}: for several labels of a sample "
            "there are FocalMLPClassifier, and scikit-learn's MultiOutputClassifier around any other."
        )
    if type(y) is not np.ndarray or y.ndim != 1:  # for which scikit-learn has nothing to do, but takes its time
        y = column_or_1d(_as_numpy(on_host(y)), warn=True)
    if y.dtype.kind == "f":
        missing = ~np.isfinite(y)
    elif y.dtype.kind in "mM":
        missing = np.isnat(y)
    elif y.dtype.kind == "O":
        missing = np.fromiter(map(_is_missing, y), dtype=bool, count=len(y))
    else:
        missing = np.zeros(len(y), dtype=bool)
    if missing.any():
        row = int(missing.argmax())
        raise ValueError(f"{name} must hold class labels, neither missing nor infinite, got {y[row]} in row {row}.")
    if y.dtype.kind == "O":
        _check_one_type(y.tolist(), name)
    return y


def _check_one_type(labels: list[Any], name: str) -> None:
    """Raise if labels cannot be sorted, as words among numbers."""
    try:
        sorted(set(labels))
    except TypeError as error:
        kinds = " and ".join(sorted({type(label).__name__ for label in labels}))
        raise ValueError(f"{name} must hold labels of one type, got {kinds}.") from error


def encode_labels(y: Any, estimator_name: str) -> tuple[NDArray[np.integer], NDArray[Any]]:
    """Return class codes and the sorted classes of any labels."""
    if y is None:
        raise ValueError(f"{estimator_name} requires y to be passed, but the target y is None.")
    y = as_labels(y, "y")
    if y.dtype.kind in "biu":
        classes = np.unique(y)
        codes = np.searchsorted(classes, y)
        if len(classes) > len(y) / 2:  # all that scikit-learn's check says of whole numbers, and it takes its time
            check_classification_targets(y)
    else:
        check_classification_targets(y)
        encoder = LabelEncoder().fit(y)
        codes, classes = encoder.transform(y), encoder.classes_
    if len(classes) < 2:
        raise ValueError(f"y must hold at least two classes, got 1 class: {classes.tolist()}.")
    return codes.astype(np.int32), classes  # the codes stay in memory while the engine trains


def as_known_codes(y: Any, classes: NDArray[Any], name: str, *, known: str = "those of y") -> NDArray[np.integer]:
    """Return the codes of labels, which must be among the classes; `known` says in the message where those are from."""
    labels = as_labels(y, name)
    unknown = sorted(set(np.unique(labels).tolist()) - set(classes.tolist()), key=str)
    if unknown:
        raise ValueError(f"The labels of {name} must be among {known}, {classes.tolist()}, got {unknown}.")
    return np.searchsorted(classes, labels)


def prior_totals(totals: NDArray[Any], sample_weight: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return totals in which a class that weighs nothing counts as half a sample: its margin must be finite."""
    return with_half_a_sample(totals, 1.0 if sample_weight is None else sample_weight[sample_weight > 0].mean())


def with_half_a_sample(totals: NDArray[Any], mean_weight: float) -> NDArray[np.float64]:
    """Return totals in which a class that weighs nothing counts as half a sample of this weight."""
    return np.where(totals > 0, totals, 0.5 * mean_weight)


def rows_that_count(codes: NDArray[np.integer], sample_weight: NDArray[np.float64] | None) -> NDArray[np.bool_] | None:
    """Return which samples to train on, None for all: those of weight 0 only if their class has no others.

    A class that is left out would not be known at all, and ensembles that draw samples at random by giving them weights
    leave out rare ones.
    """
    if sample_weight is None or sample_weight.all():
        return None
    weightless = np.bincount(codes, weights=sample_weight) == 0
    kept: NDArray[np.bool_] = (sample_weight > 0) | weightless[codes]
    return kept


def as_finite(values: Any, name: str, requirement: str) -> NDArray[np.float64]:
    """Return numbers as a finite float64 array of any shape."""
    try:
        array = np.asarray(on_host(values), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must {requirement}, got {short_repr(values)}.") from error
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(f"{name} must {requirement}, got {array[~finite][0]}.")
    return array


def as_sample_weight(sample_weight: Any, n_samples: int, name: str = "sample_weight") -> NDArray[np.float64] | None:
    """Return weights as float64, or None; raise a ValueError if they are not finite, >= 0 and somewhere > 0."""
    if sample_weight is None:
        return None
    weight = as_finite(sample_weight, name, "hold finite numbers >= 0")
    if weight.ndim == 0:
        weight = np.full(n_samples, float(weight))
    if weight.shape != (n_samples,):
        raise ValueError(f"{name} must have the shape ({n_samples},), one weight per row of X, got {weight.shape}.")
    if (weight < 0).any():
        row = int((weight < 0).argmax())
        raise ValueError(f"{name} must be >= 0, got {weight[row]} in row {row}.")
    check_size(weight, name)
    if not weight.any():
        raise ValueError(f"{name} must have at least one non-zero weight, got only zeros.")
    return weight


def check_size(weight: NDArray[np.float64], name: str) -> None:
    """Raise if a weight is too large for the engines, which keep float32."""
    largest = np.finfo(np.float32).max
    if weight.max() > largest:
        raise ValueError(f"{name} must be at most {largest:.3g}, a float32, got {weight.max()}.")


def as_start_margins(
    margins: Any, n_samples: int, n_classes: int, name: str, order: Literal["C", "F"]
) -> NDArray[np.float64] | None:
    """Return margins to start from in the shape of the engine's margins, or None.

    `order` is the one in which the engine reads margins of several classes that come flat.
    """
    if margins is None:
        return None
    array = as_finite(margins, name, "hold finite numbers")
    if (np.abs(array) > 1e30).any():  # the engines keep float32, in which twice that and more is to be a number
        raise ValueError(f"{name} must hold numbers in [-1e30, 1e30], got {array[np.abs(array) > 1e30][0]}.")
    shape = (n_samples,) if n_classes == 2 else (n_samples, n_classes)
    if array.shape not in (shape, (n_samples, 1) if n_classes == 2 else (n_samples * n_classes,)):
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}.")
    return array.reshape(shape, order=order)


def balanced(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights that make all classes count the same; 1 for a class that is not there."""
    return np.divide(totals.sum(), len(totals) * totals, out=np.ones_like(totals), where=totals > 0)


def per_class(values: Any, classes: NDArray[Any], name: str, default: float | None = None) -> Any:
    """Return a mapping from labels (a pandas Series is one) as a list in the order of the classes, else what it is."""
    if hasattr(values, "to_dict"):
        values = values.to_dict()
    if not isinstance(values, Mapping):
        return values
    labels = classes.tolist()
    unknown = [label for label in values if label not in labels]
    missing = [label for label in labels if label not in values]
    if unknown and default is not None:
        raise ValueError(f"{name} must have keys among the classes {labels}, got the keys {list(values)}.")
    if unknown or (missing and default is None):
        raise ValueError(f"{name} must have a key for each of the classes {labels}, got the keys {list(values)}.")
    return [values.get(label, default) for label in labels]


def class_weights(
    class_weight: Any, classes: NDArray[Any], totals: NDArray[np.float64], name: str = "class_weight"
) -> NDArray[np.float64] | None:
    """Return one weight per class, or None; as scikit-learn's `compute_class_weight`, but no key is passed over.

    `totals` are the summed sample weights of each class: "balanced" takes them, not the counts, for the sizes of the
    classes, so that a sample of weight 2 and the same sample twice are the same.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str) and class_weight == "balanced":
        return balanced(totals)
    if not isinstance(class_weight, Mapping):
        raise ValueError(f"{name} must be None, 'balanced' or a dict from labels to weights, got {class_weight!r}.")
    weights = as_finite(per_class(class_weight, classes, name, default=1.0), name, "hold finite weights > 0")
    if not (weights > 0).all():
        raise ValueError(f"{name} must hold finite weights > 0, got {class_weight!r}.")
    return weights


def check_split(sizes: NDArray[np.integer], classes: NDArray[Any], fraction: float, what_for: str) -> None:
    """Raise if classes of these sizes are too small to have some of each in training and in validation data."""
    if sizes.min() < 2:
        raise ValueError(
            f"{what_for} needs two samples of every class, one to train and one to validate, "
            f"got {sizes.min()} of class {classes.tolist()[sizes.argmin()]!r}."
        )
    n_samples, n_classes = int(sizes.sum()), len(sizes)
    n_validation = int(np.ceil(fraction * n_samples))
    if not n_classes <= n_validation <= n_samples - n_classes:
        raise ValueError(
            f"validation_fraction must leave {n_classes} or more of the {n_samples} samples to train and as many to "
            f"validate, one of each class, got {fraction}: {n_validation} to validate."
        )


def as_scored(
    y_true: Any, y_score: Any, sample_weight: Any, pos_label: Any
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Return which samples are positive, scores and weights, which are 1 where there are none."""
    y = as_labels(y_true, "y_true")
    score = as_finite(y_score, "y_score", "hold finite numbers")
    if score.shape != (len(y),) or not len(y):
        raise ValueError(f"y_score must have the shape ({len(y)},), of at least one sample, got {score.shape}.")
    weight = as_sample_weight(sample_weight, len(y))
    weight = np.ones(len(y)) if weight is None else weight
    labels = np.unique(y).tolist()
    if len(labels) > 2:
        raise ValueError(f"y_true must hold labels of two classes, got {labels}.")
    if pos_label is None and not (set(labels) <= {0, 1} or set(labels) <= {-1, 1}):
        raise ValueError(f"pos_label must be one of the labels {labels}, which are not 0 and 1 nor -1 and 1, got None.")
    if pos_label is not None and len(labels) == 2 and pos_label not in labels:
        raise ValueError(f"pos_label must be one of the labels {labels}, got {pos_label!r}.")
    return np.asarray(y == (1 if pos_label is None else pos_label)), score, weight


def as_probabilities(y_proba: Any) -> NDArray[np.float64]:
    """Return probabilities, of whatever shape."""
    proba = as_finite(y_proba, "y_proba", "hold probabilities in [0, 1]")
    if (proba < 0).any() or (proba > 1).any():
        raise ValueError(f"y_proba must hold probabilities in [0, 1], got {proba[(proba < 0) | (proba > 1)][0]}.")
    return proba


def check_positives(is_positive: NDArray[np.bool_], weight: NDArray[np.float64]) -> None:
    """Raise if no positive sample counts."""
    if not weight[is_positive].any():
        raise ValueError(f"y_true must hold a positive sample of weight > 0, got none among {len(weight)}.")


def as_group_codes(values: Any, name: str, n_samples: int) -> NDArray[np.intp]:
    """Return whole numbers for the groups that samples are of, from 0 on; one group where there is none."""
    if values is None:
        return np.zeros(n_samples, dtype=np.intp)
    array = as_labels(values, name)
    check_consistent_length(array, np.empty(n_samples))
    codes: NDArray[np.intp] = np.unique(array, return_inverse=True)[1]
    return codes


def check_number(name: str, number: Any, is_valid: Callable[[float], bool], valid: str) -> None:
    """Raise if a parameter is no number, or not a valid one."""
    if isinstance(number, bool | np.bool_) or not isinstance(number, Real) or not is_valid(float(number)):
        raise ValueError(f"{name} must be {valid}, got {number!r}.")
