"""What all classifiers share: labels to codes, weights, parameters per class, and the split for early stopping.

Knows no engine. Imports `losses` and `_compat`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from reprlib import repr as short_repr
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skfocal._compat import on_host
from skfocal.losses import check_alpha, check_gamma, check_length


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Leave the estimator as it was if `fit` fails: a fitted model must not get the labels of another."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _is_missing(label: Any) -> bool:
    try:
        return label is None or bool(label != label)
    except TypeError:  # pandas.NA has no truth value
        return True


def check_labels(y: Any, name: str) -> NDArray[Any]:
    """Return labels of any type as an array; raise a ValueError if one is missing or infinite."""
    y = column_or_1d(on_host(y), warn=True)
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
    return y


def encode_labels(y: Any, estimator_name: str) -> tuple[NDArray[np.integer], NDArray[Any]]:
    """Return class codes and the sorted classes of any labels."""
    if y is None:
        raise ValueError(f"{estimator_name} requires y to be passed, but the target y is None.")
    y = check_labels(y, "y")
    check_classification_targets(y)
    encoder = LabelEncoder()
    # fit_transform sorts all of y, which takes ten times as long; codes stay in memory while the engine trains.
    codes = encoder.fit(y).transform(y).astype(np.int32)
    if len(encoder.classes_) < 2:
        raise ValueError(f"y must hold at least two classes, got 1 class: {encoder.classes_.tolist()}.")
    return codes, encoder.classes_


def check_known_labels(y: Any, classes: NDArray[Any], name: str, *, known: str = "those of y") -> NDArray[np.integer]:
    """Return the codes of labels, which must be among the classes; `known` says in the message where those are from."""
    labels = check_labels(y, name)
    unknown = sorted(set(np.unique(labels).tolist()) - set(classes.tolist()), key=str)
    if unknown:
        raise ValueError(f"The labels of {name} must be among {known}, {classes.tolist()}, got {unknown}.")
    return np.searchsorted(classes, labels)


def check_totals(totals: NDArray[Any], classes: NDArray[Any]) -> None:
    """Raise if the summed sample weight of a class is 0."""
    if (totals == 0).any():
        raise ValueError(
            "sample_weight must be > 0 for at least one sample of every class, got only zero weights for class "
            f"{classes[totals == 0].tolist()}."
        )


def _as_floats(values: Any, name: str, requirement: str) -> NDArray[np.float64]:
    """Return numbers as a finite float64 array of any shape."""
    try:
        array = np.asarray(on_host(values), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must {requirement}, got {short_repr(values)}.") from error
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(f"{name} must {requirement}, got {array[~finite][0]}.")
    return array


def check_sample_weight(sample_weight: Any, n_samples: int, name: str = "sample_weight") -> NDArray[np.float64] | None:
    """Return weights as float64, or None; raise a ValueError if they are not finite, >= 0 and somewhere > 0."""
    if sample_weight is None:
        return None
    weight = _as_floats(sample_weight, name, "hold finite numbers >= 0")
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


def check_margins(
    margins: Any, n_samples: int, n_classes: int, name: str, order: Literal["C", "F"]
) -> NDArray[np.float64] | None:
    """Return margins to start from in the shape of the engine's margins, or None.

    `order` is the one in which the engine reads margins of several classes that come flat.
    """
    if margins is None:
        return None
    array = _as_floats(margins, name, "hold finite numbers")
    shape = (n_samples,) if n_classes == 2 else (n_samples, n_classes)
    if array.shape not in (shape, (n_samples, 1) if n_classes == 2 else (n_samples * n_classes,)):
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}.")
    return array.reshape(shape, order=order)


def _balanced(totals: NDArray[np.float64]) -> NDArray[np.float64]:
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
        return _balanced(totals)
    if not isinstance(class_weight, Mapping):
        raise ValueError(f"{name} must be None, 'balanced' or a dict from labels to weights, got {class_weight!r}.")
    weights = _as_floats(per_class(class_weight, classes, name, default=1.0), name, "hold finite weights > 0")
    if not (weights > 0).all():
        raise ValueError(f"{name} must hold finite weights > 0, got {class_weight!r}.")
    return weights


def class_parameters(
    focal_gamma: Any, focal_alpha: Any, classes: NDArray[Any], totals: NDArray[np.float64]
) -> tuple[float | tuple[float, ...], float | tuple[float, ...] | None]:
    """Return gamma and alpha as a loss takes them; `totals`, the summed weights of each class, are for "balanced".

    Raises
    ------
    ValueError, TypeError
        If either is out of range, or does not fit the classes.
    """
    gamma = check_gamma(per_class(focal_gamma, classes, "focal_gamma"), "focal_gamma")
    check_length(gamma, len(classes), "focal_gamma")
    alpha = per_class(focal_alpha, classes, "focal_alpha")
    if isinstance(alpha, str):
        if alpha != "balanced":
            raise ValueError(f"focal_alpha must be None, a number, one per class or 'balanced', got {alpha!r}.")
        alpha = _balanced(totals)
    alpha = check_alpha(alpha, two_classes=len(classes) == 2, name="focal_alpha")
    check_length(alpha, len(classes), "focal_alpha")
    return gamma, alpha


def check_sampler(sampler: Any) -> None:
    """Raise if `sampler` is not an instance of a sampler in imbalanced-learn's manner."""
    if isinstance(sampler, type) or not hasattr(sampler, "fit_resample"):
        raise TypeError(
            "sampler must be None or a sampler of imbalanced-learn, an object with a method fit_resample, "
            f"got {sampler!r}."
        )


def check_no_other_table(X: Any, sampler: Any) -> None:
    """Raise if features are in a table of another library than pandas, whose columns imbalanced-learn drops."""
    is_table = hasattr(X, "columns") or hasattr(X, "column_names")
    if is_table and not hasattr(X, "iloc"):
        raise TypeError(
            f"X must be an array, a sparse matrix or a pandas DataFrame with sampler={sampler!r}, "
            f"got a {type(X).__module__.partition('.')[0]} {type(X).__name__}."
        )


def check_sampled(codes: NDArray[np.integer], classes: NDArray[Any], sampler: Any) -> None:
    """Raise if a sampler has left out a class."""
    left_out = classes[np.bincount(codes, minlength=len(classes)) == 0].tolist()
    if left_out:
        raise ValueError(f"sampler must leave samples of every class, got none of {left_out} from {sampler!r}.")


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


def check_fraction(fraction: Any) -> None:
    """Raise if `fraction` is no share of the data."""
    if not isinstance(fraction, Real) or not 0 < float(fraction) < 1:
        raise ValueError(f"validation_fraction must be in (0, 1), got {fraction!r}.")


def stratified_split(
    codes: NDArray[np.integer], classes: NDArray[Any], fraction: float, random_state: Any
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train and those to validate, in their order, with the same share of every class in both."""
    sizes = np.bincount(codes, minlength=len(classes))
    check_split(sizes, classes, fraction, "early_stopping_rounds without an eval_set")
    if isinstance(random_state, np.random.Generator):
        random_state = int(random_state.integers(np.iinfo(np.int32).max))
    rows = train_test_split(np.arange(len(codes)), test_size=fraction, stratify=codes, random_state=random_state)
    for part, purpose in zip(rows, ("train", "validate"), strict=True):
        left_out = np.bincount(codes[part], minlength=len(classes)) == 0
        if left_out.any():
            raise ValueError(
                f"validation_fraction must leave at least one sample of every class to {purpose}, got {fraction}: none "
                f"of the {sizes[left_out][0]} samples of class {classes.tolist()[left_out.argmax()]!r}."
            )
    return np.sort(rows[0]), np.sort(rows[1])


def check_stopping_rounds(rounds: Any, name: str = "early_stopping_rounds") -> None:
    """Raise if `rounds` is no number of rounds."""
    if isinstance(rounds, bool) or not isinstance(rounds, Integral) or rounds < 1:
        raise ValueError(f"{name} must be None or an integer >= 1, got {rounds!r}.")
