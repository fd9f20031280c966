"""Training data that come in batches, or that an engine holds already: labels to codes, batches that must be alike.

Imports `metrics`, `parameters`, `samples`, `tables`, `_checks`, `_state`, `losses` and `priors`.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from os import PathLike
from typing import Any, NamedTuple, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skfocal._checks import as_labels, as_sample_weight, class_weights
from skfocal._state import unchanged_on_error
from skfocal.boosting.metrics import as_metric
from skfocal.boosting.parameters import FocalParameters
from skfocal.boosting.samples import as_pairs
from skfocal.boosting.tables import check_is_computed, column_names, column_types, is_table
from skfocal.losses import BinaryFocalLoss
from skfocal.losses.registry import LossParameters, make_loss
from skfocal.priors import as_prior

Fit = TypeVar("Fit", bound=Callable[..., Any])

_MOST_CLASSES = 10_000  # more different labels are no classes
_LARGEST_WHOLE = 2.0**53  # beyond it not all numbers are there
_ROWS_AT_ONCE = 1_000_000  # to sort labels takes memory


def as_classes(classes: Any) -> NDArray[Any] | None:
    """Return labels that are announced, sorted, or None."""
    if classes is None:
        return None
    labels = as_labels(np.asarray(list(classes) if isinstance(classes, set | frozenset) else classes), "classes")
    distinct = np.unique(labels)
    if len(distinct) < 2 or len(distinct) < len(labels):
        raise ValueError(f"classes must hold at least two labels, each once, got {labels.tolist()}.")
    return distinct


def distinct_labels(labels: NDArray[Any], name: str, where: str) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the different ones among some labels, sorted, and the number of each label's among them."""
    if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        raise ValueError(
            f"{name} must hold class labels, got numbers that are not whole, as {labels[labels % 1 != 0][0]}."
        )
    distinct, codes = np.unique(labels, return_inverse=True)
    if len(distinct) > _MOST_CLASSES:
        raise ValueError(f"{name} must hold class labels, got {len(distinct)} different ones in {where}.")
    return distinct, codes


def check_one_kind(labels: list[NDArray[Any]], name: str, where: str) -> None:
    """Raise if some labels are numbers and others are words."""
    kinds = sorted({"number" if each.dtype.kind in "iuf" else each.dtype.kind for each in labels})
    if len(kinds) > 1:
        raise ValueError(f"{name} must hold labels of one type in all {where}, got NumPy's kinds {kinds}.")


class LabelCodes:
    """Codes of labels that come in batches: numbers in the order in which labels are first seen.

    So that no pass over the data is needed only to find out which labels there are.
    """

    def __init__(self, name: str, announced: NDArray[Any] | None) -> None:
        self._name = name
        self._announced = announced
        self._seen: list[NDArray[Any]] = []  # those of each batch that has new ones, or of another type
        self._codes: dict[Any, int] = {}

    def of(self, y: Any) -> NDArray[np.int32]:
        """Return the codes of a batch of labels."""
        labels = as_labels(y, self._name)
        distinct, inverse = distinct_labels(labels, self._name, "a batch")
        names = distinct.tolist()
        is_new_type = all(labels.dtype != each.dtype for each in self._seen)
        if is_new_type or any(name not in self._codes for name in names):
            self._learn(distinct)
        return np.array([self._codes[name] for name in names], dtype=np.int32)[inverse]

    def _learn(self, distinct: NDArray[Any]) -> None:
        if self._announced is not None:
            unknown = sorted(set(distinct.tolist()) - set(self._announced.tolist()), key=str)
            if unknown:
                raise ValueError(f"{self._name} must hold labels among {self._announced.tolist()}, got {unknown}.")
        check_one_kind([*self._seen, distinct], self._name, "batches")
        self._seen.append(distinct)
        for name in distinct.tolist():
            self._codes.setdefault(name, len(self._codes))

    def classes(self) -> NDArray[Any]:
        """Return all labels, sorted: those announced, or those seen, of which there must be two."""
        seen = np.unique(np.concatenate(self._seen))
        if len(seen) < 2:
            raise ValueError(f"{self._name} must hold at least two classes, got 1 class: {seen.tolist()}.")
        if set(seen.tolist()) != set(self._codes):  # there are numbers that only one of several types can hold
            types = sorted({str(each.dtype) for each in self._seen})
            raise ValueError(f"{self._name} must hold labels of one type in all batches, got {types}.")
        return seen if self._announced is None else self._announced

    def sorted_codes(self, codes: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int32]:
        """Return the places among the sorted classes of codes that were given before all were known."""
        places = {label: i for i, label in enumerate(classes.tolist())}
        return np.array([places[label] for label in self._codes], dtype=np.int32)[codes.astype(np.int32)]


def codes_in_parts(labels: LabelCodes, y: NDArray[Any]) -> NDArray[np.int32]:
    """Return the codes of labels that are there as a whole, as an engine keeps them: floats, of whole numbers."""
    is_whole = bool((y % 1 == 0).all()) and float(np.abs(y).max(initial=0)) < _LARGEST_WHOLE
    parts = np.array_split(y, max(1, len(y) // _ROWS_AT_ONCE))
    return np.concatenate([labels.of(part.astype(np.int64) if is_whole else part) for part in parts])


def weight_of_batch(weight: Any, n_rows: int, name: str) -> NDArray[np.float64]:
    """Return checked weights of some rows, which may all be 0 where those of others are not."""
    array = np.asarray(weight)
    if array.shape == (n_rows,) and not array.any():
        return array.astype(np.float64)
    checked = as_sample_weight(array, n_rows, name)
    assert checked is not None  # noqa: S101  # it was not None
    return checked


class Layout(NamedTuple):
    """What the batches of a stream have in common."""

    names: list[Any]  # of a table's columns
    types: list[str]  # of a table's columns, or of an array

    @classmethod
    def of(cls, X: Any) -> Self:
        """Return that of features."""
        if not is_table(X):
            kind = str(getattr(X, "dtype", type(X).__name__))
            return cls([], [f"sparse {kind}" if sparse.issparse(X) else kind])
        if not hasattr(X, "iloc"):
            return cls(column_names(X), list(column_types(X).values()))
        # Categories in another order are another type here, as engines go by their numbers.
        kinds = X.dtypes.tolist()
        types = [f"category of {list(kind.categories)}" if hasattr(kind, "categories") else str(kind) for kind in kinds]
        return cls(column_names(X), types)

    def check_same(self, first: Self, name: str) -> None:
        """Raise if this is not that of the first batch."""
        if self is first:
            return
        if self.names != first.names or len(self.types) != len(first.types):
            raise ValueError(
                f"{name} must have the columns of the first batch in each, {first.names or 'those of an array'}, "
                f"got {self.names or 'those of an array'}."
            )
        for i, (own, wanted) in enumerate(zip(self.types, first.types, strict=True)):
            column = f" in {self.names[i]!r}" if self.names else ""
            if own.startswith("dictionary"):
                raise ValueError(f"{name} must have categories as pandas has them, got {own}{column}.")
            if own != wanted:
                raise ValueError(f"{name} must have the type of the first batch{column} in each, {wanted}, got {own}.")


def as_entries(eval_set: Any, is_stream: Callable[[Any], bool]) -> list[Any]:
    """Return evaluation sets: what is a stream, and pairs (X, y)."""
    entries = [eval_set] if is_stream(eval_set) else eval_set
    if not isinstance(entries, list | tuple) or not any(map(is_stream, entries)):
        entries = as_pairs(entries)
    checked = [entry if is_stream(entry) else as_pairs([entry])[0] for entry in entries]
    for i, entry in enumerate(checked):
        if isinstance(entry, tuple) and is_stream(entry[0]):
            raise ValueError(f"eval_set[{i}] must be a {type(entry[0]).__name__} alone, as it has labels, got a pair.")
    return checked


def check_before_reading(
    classifier: Any,
    focal: FocalParameters,
    X: Any,
    entries: list[Any],
    early_stopping_rounds: int | None,
    metrics: list[Any],
) -> None:
    """Raise if a parameter asks for what there is with arrays only, or is wrong whatever the labels are."""
    kind = type(X).__name__
    if classifier.sampler is not None:
        raise ValueError(
            f"sampler must be None with a {kind}, whose rows are not in memory, got {classifier.sampler!r}: use "
            "class_weight or focal_alpha, or resample before, and set prior."
        )
    if early_stopping_rounds is not None and not entries:
        raise ValueError(f"early_stopping_rounds needs an eval_set with a {kind}, of which nothing is split off.")
    two_classes, one_each = np.arange(2), np.ones(2)
    for metric in metrics:
        if isinstance(metric, str):
            as_metric(metric, BinaryFocalLoss())
    # Dicts are from labels, and there may be an entry for each class.
    if not isinstance(focal.class_weight, Mapping) and not hasattr(focal.class_weight, "to_dict"):
        class_weights(focal.class_weight, two_classes, one_each)
    if isinstance(focal.loss.focal_alpha, str):
        make_loss(focal.family, LossParameters(1.0, focal.loss.focal_alpha, 0.0), two_classes, one_each)
    if isinstance(focal.prior, str):
        as_prior(focal.prior, two_classes)


def learn_features(classifier: Any, n_features: int, names: Any) -> None:
    """Record the number and the names of features, as scikit-learn's checks do of arrays and tables."""
    classifier.n_features_in_ = n_features
    vars(classifier).pop("feature_names_in_", None)
    if names is not None:
        classifier.feature_names_in_ = np.asarray(names, dtype=object)


def check_names(classifier: Any, names: Any, name: str) -> None:
    """Raise if features have not the names of those of the training, if these have names."""
    wanted = getattr(classifier, "feature_names_in_", None)
    if wanted is not None and list(names) != wanted.tolist():
        raise ValueError(f"{name} must have the features {wanted.tolist()}, got {list(names)}.")
    if len(names) != classifier.n_features_in_:
        raise ValueError(f"{name} must have {classifier.n_features_in_} features, got {len(names)}.")


def or_fits_streams(is_stream: Callable[[Any], bool], fit_stream: Callable[..., None]) -> Callable[[Fit], Fit]:
    """Return a decorator for a `fit` of arrays: what is a stream another function fits, given all arguments by name."""

    def decorated(fit: Fit) -> Fit:
        @wraps(fit)
        def fit_either(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
            if not is_stream(X):
                return fit(self, X, *args, **kwargs)
            given = signature(fit).bind(self, X, *args, **kwargs)
            given.apply_defaults()
            given.arguments["classifier"] = given.arguments.pop("self")
            with unchanged_on_error(self):
                fit_stream(**given.arguments)
            return self

        return cast(Fit, fit_either)

    return decorated


def check_left_out(X: Any, **given: Any) -> None:
    """Raise if an argument of `fit` is given that is for arrays."""
    for name, value in given.items():
        if value is not None and not (isinstance(value, str) and value == "auto"):
            raise ValueError(
                f"{name} must be left out with a {type(X).__name__}, it is for arrays, got a {type(value).__name__}: "
                "labels and weights are to be in the data."
            )


def check_no_stream(X: Any, kinds: str, **given: Any) -> None:
    """Raise if X is no array nor table, or if an argument of `fit` is given that is for data in batches."""
    check_is_computed(X)
    if isinstance(X, str | PathLike) or not (hasattr(X, "__len__") or hasattr(X, "shape") or hasattr(X, "__array__")):
        raise TypeError(f"X must be an array, a table, {kinds}, got a {type(X).__name__}.")
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name} must be left out where y has the labels, it is for data in batches; got {value!r} with a "
                f"{type(X).__name__}."
            )
