"""What the boosted classifiers share: parameters to a loss, labels to codes, weights, margins to probabilities.

Knows no engine. Imports `losses` and `_compat`.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from reprlib import repr as short_repr
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import _safe_indexing, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from skfocal._compat import LearnedAttribute
from skfocal.losses import (
    BinaryFocalLoss,
    MulticlassFocalLoss,
    check_alpha,
    check_gamma,
    check_hessian_policy,
    check_length,
)

# Names that people try first, and ours. XGBoost's gamma and alpha are parameters of its own.
_HINTS = {
    "alpha": "focal_alpha",
    "gamma": "focal_gamma",
    "hessian": "focal_hessian",
    "is_unbalance": "class_weight='balanced'",
}


class TrainingData(NamedTuple):
    """Checked training data: no sample in it weighs 0, and every class has one that weighs more."""

    X: Any
    y: NDArray[np.intp]
    sample_weight: NDArray[np.float64] | None
    kept: NDArray[np.bool_] | None  # the rows of the user's data that are left; None: all of them

    @property
    def n_given(self) -> int:
        """Number of rows of the user's data."""
        return len(self.y if self.kept is None else self.kept)

    def keep(self, values: Any) -> Any:
        """Return what belongs to the rows that are left, of something that has one entry per row of the user's data."""
        return values if values is None or self.kept is None else _safe_indexing(values, self.kept)


class FocalClassifierMixin:
    """Focal loss, labels, weights and probabilities of a boosted classifier; goes before the engine's class."""

    focal_gamma: Any
    focal_alpha: Any
    focal_hessian: Any
    class_weight: Any
    objective: Any
    focal_intercept_: Any

    n_features_in_ = LearnedAttribute()
    feature_names_in_ = LearnedAttribute()
    classes_ = LearnedAttribute()

    # What the engine's constructor does not know, and what we set in the engine ourselves.
    _focal_parameters = ("focal_gamma", "focal_alpha", "focal_hessian", "class_weight", "objective")

    def _engine_names(self) -> frozenset[str]:
        """Return every name of a parameter that the engine's own estimator understands."""
        raise NotImplementedError

    def _engine_params(self) -> dict[str, Any]:
        """Return the parameters that are the engine's: neither ours nor those that a subclass has added."""
        names = self._engine_names().difference(self._focal_parameters)
        return {k: v for k, v in self.get_params().items() if k in names}  # type: ignore[attr-defined]  # the engine's

    def _check_parameter_names(self, params: Mapping[str, Any]) -> None:
        """Raise if a parameter is neither ours nor the engine's: both engines take any name, and drop it."""
        known = {*self._focal_parameters, *self._engine_names(), *signature(type(self).__init__).parameters}
        for name in set(params) - known:
            close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
            hint = _HINTS.get(name) or (close[0] if close else None)
            hint = f": did you mean {hint}?" if hint else "."
            raise ValueError(f"{name}={params[name]!r} is not a parameter of {type(self).__name__}{hint}")

    def _check_objective(self) -> None:
        if self.objective is not None:
            raise ValueError(
                f"objective must be None, the focal loss that {type(self).__name__} trains on, got {self.objective!r}."
            )

    def _refuse(self, name: str, value: Any, accepted: tuple[Any, ...], instead: str) -> None:
        """Raise if a parameter that the engine ignores under a custom objective is set to anything that matters."""
        # None is how both engines spell a parameter that is not set.
        if value is not None and not any(np.ndim(value) == 0 and value == neutral for neutral in accepted):
            valid = f"be {' or '.join(map(repr, accepted))}" if accepted else "be left out"
            raise ValueError(f"{name} must {valid} with the focal loss, got {value!r}: {instead}.")

    def _check_X(self, X: Any, *, reset: bool, allow_inf: bool) -> Any:
        """Check features and record (or compare) their number and names. Tables go to the engine as they are."""
        is_table = hasattr(X, "columns") or hasattr(X, "column_names")
        if is_table or hasattr(X, "__cuda_array_interface__"):
            return validate_data(self, X, reset=reset, skip_check_array=True)
        return validate_data(
            self,
            X,
            reset=reset,
            accept_sparse=["csr", "csc"],
            ensure_all_finite=False if allow_inf else "allow-nan",
        )

    def _training_data(self, X: Any, y: Any, sample_weight: Any, *, allow_inf: bool) -> TrainingData:
        """Check everything that `fit` is given, before any work; set ``classes_``, ``n_features_in_`` and ``loss_``."""
        self._check_parameter_names(self.get_params())  # type: ignore[attr-defined]  # the engine's class comes after
        self._check_objective()
        check_hessian_policy(self.focal_hessian, "focal_hessian")
        if not isinstance(self.focal_gamma, Mapping):
            check_gamma(self.focal_gamma, "focal_gamma")
        codes, self.classes_ = _encode_labels(y, type(self).__name__)
        weight = check_sample_weight(sample_weight, len(codes))
        # Weights of the samples, then of the classes, then of the loss: "balanced" balances what comes before it.
        totals = np.bincount(codes, weights=weight).astype(np.float64)
        if (totals == 0).any():
            raise ValueError(
                "sample_weight must be > 0 for at least one sample of every class, got only zero weights for class "
                f"{self.classes_[totals == 0].tolist()}."
            )
        class_weight = class_weights(self.class_weight, self.classes_, totals)
        self.loss_ = self._make_loss(totals if class_weight is None else totals * class_weight)
        if class_weight is not None:
            weight = class_weight[codes] if weight is None else weight * class_weight[codes]
            _check_size(weight, "sample_weight times class_weight")
        X = self._check_X(X, reset=True, allow_inf=allow_inf)
        check_consistent_length(X, codes)
        data = TrainingData(X, codes, weight, None)
        if weight is None or weight.all():
            return data
        # A sample that weighs 0 must not count where the engines count samples: in bins and minimum leaf sizes.
        data = data._replace(kept=weight > 0)
        return data._replace(X=data.keep(X), y=data.keep(codes), sample_weight=data.keep(weight))

    def _make_loss(self, totals: NDArray[np.float64]) -> BinaryFocalLoss | MulticlassFocalLoss:
        n_classes = len(self.classes_)
        gamma = check_gamma(_per_class(self.focal_gamma, self.classes_, "focal_gamma"), "focal_gamma")
        check_length(gamma, n_classes, "focal_gamma")
        alpha = _per_class(self.focal_alpha, self.classes_, "focal_alpha")
        if isinstance(alpha, str):
            if alpha != "balanced":
                raise ValueError(f"focal_alpha must be None, a number, one per class or 'balanced', got {alpha!r}.")
            alpha = _balanced(totals)
        alpha = check_alpha(alpha, two_classes=n_classes == 2, name="focal_alpha")
        check_length(alpha, n_classes, "focal_alpha")
        return BinaryFocalLoss(gamma, alpha) if n_classes == 2 else MulticlassFocalLoss(gamma, alpha)

    def _eval_sets(
        self, eval_set: Any, X: Any, y: Any, data: TrainingData, recognise: Callable[[int], bool], *, allow_inf: bool
    ) -> list[tuple[Any, NDArray[np.intp]]]:
        """Check evaluation sets and encode their labels.

        The engines evaluate on the training data without a copy if they are given the very same objects; `recognise`
        tells whether that is what evaluation set i asks for.
        """
        if eval_set is None:
            return []
        if not isinstance(eval_set, list | tuple):
            raise ValueError(f"eval_set must be a list of pairs (X, y), got a {type(eval_set).__name__}.")
        one_pair = isinstance(eval_set, tuple) and not all(isinstance(entry, tuple) for entry in eval_set)
        pairs = [eval_set] if one_pair else list(eval_set)
        for i, pair in enumerate(pairs):
            if not isinstance(pair, tuple | list) or len(pair) != 2 or pair[1] is None:
                raise ValueError(f"eval_set must be a list of pairs (X, y), got a {type(pair).__name__} as entry {i}.")
        return [
            (data.X, data.y)
            if eval_X is X and eval_y is y and recognise(i)
            else self._eval_pair(eval_X, eval_y, f"eval_set[{i}]", allow_inf=allow_inf)
            for i, (eval_X, eval_y) in enumerate(pairs)
        ]

    def _eval_pair(self, X: Any, y: Any, name: str, *, allow_inf: bool) -> tuple[Any, NDArray[np.intp]]:
        """Return checked features and the codes of their labels, which must be among the training labels."""
        labels = _check_labels(y, name)
        unknown = sorted(set(np.unique(labels).tolist()) - set(self.classes_.tolist()), key=str)
        if unknown:
            raise ValueError(f"The labels of {name} must be among those of y, {self.classes_.tolist()}, got {unknown}.")
        X = self._check_X(X, reset=False, allow_inf=allow_inf)
        check_consistent_length(X, labels)
        return X, np.searchsorted(self.classes_, labels)

    @contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        """Leave the estimator as it was if `fit` fails: a fitted model must not get the labels of another."""
        before = vars(self).copy()
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _intercept(self, data: TrainingData) -> float | NDArray[np.float64]:
        return self.loss_.intercept(np.bincount(data.y, weights=data.sample_weight))

    def _check_fitted_X(self, X: Any, *, allow_inf: bool) -> Any:
        check_is_fitted(self)
        return self._check_X(X, reset=False, allow_inf=allow_inf)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # the engine's class comes after this one
        tags.no_validation = False
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = True
        tags.classifier_tags.multi_label = False
        return tags


def _is_missing(label: Any) -> bool:
    try:
        return label is None or bool(label != label)
    except TypeError:  # pandas.NA has no truth value
        return True


def _check_labels(y: Any, name: str) -> NDArray[Any]:
    """Return labels of any type as an array; raise a ValueError if one is missing or infinite."""
    y = column_or_1d(y, warn=True)
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


def _encode_labels(y: Any, estimator_name: str) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Return class codes and the sorted classes of any labels."""
    if y is None:
        raise ValueError(f"{estimator_name} requires y to be passed, but the target y is None.")
    y = _check_labels(y, "y")
    check_classification_targets(y)
    encoder = LabelEncoder()
    codes = encoder.fit_transform(y)
    if len(encoder.classes_) < 2:
        raise ValueError(f"y must hold at least two classes, got 1 class: {encoder.classes_.tolist()}.")
    return codes, encoder.classes_


def _as_floats(values: Any, name: str, requirement: str) -> NDArray[np.float64]:
    """Return numbers as a finite float64 array of any shape."""
    try:
        array = np.asarray(values, dtype=np.float64)
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
    _check_size(weight, name)
    if not weight.any():
        raise ValueError(f"{name} must have at least one non-zero weight, got only zeros.")
    return weight


def _check_size(weight: NDArray[np.float64], name: str) -> None:
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


def _per_class(values: Any, classes: NDArray[Any], name: str, default: float | None = None) -> Any:
    """Return a mapping from labels as a list in the order of the classes, anything else as it is."""
    if not isinstance(values, Mapping):
        return values
    labels = classes.tolist()
    unknown = [label for label in values if label not in labels]
    missing = [label for label in labels if label not in values]
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
    weights = _as_floats(_per_class(class_weight, classes, name, default=1.0), name, "hold finite weights > 0")
    if not (weights > 0).all():
        raise ValueError(f"{name} must hold finite weights > 0, got {class_weight!r}.")
    return weights
