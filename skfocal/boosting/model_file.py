"""What a model file of an engine does not hold: labels, loss and prior, as one line of JSON beside the trees.

Imports `safe_file`, `_checks`, `_version` and `losses`.
"""

import json
import re
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skfocal._checks import per_class
from skfocal._version import __version__
from skfocal.boosting.safe_file import CHECKSUM
from skfocal.losses.parameters import check_hessian_policy
from skfocal.losses.registry import Loss, LossParameters, loss_kind, make_loss

KEY = "skfocal"  # under which the line is in the file
FOCAL_PARAMETERS = ("focal_gamma", "focal_alpha", "focal_mix", "focal_hessian")
_FORMAT = 1
_ROOM = 2**26  # bytes of labels, which take as many each as a file says
_DEFAULT_FAMILY = "focal"  # of a file that does not say which loss of the registry it is of


class Description(NamedTuple):
    """What a file says of a classifier, checked."""

    parameters: dict[str, Any]  # those of the focal loss; what was a dict from labels is a list in their order
    classes: NDArray[Any]
    loss: Loss
    prior_correction: NDArray[np.float64] | None
    intercept: Any
    trained_on_sparse: bool
    n_features: int
    feature_names: NDArray[Any] | None
    best_score: dict[str, dict[str, float]]
    record: dict[str, Any]  # the file's own words, in which an engine's room looks up what it has added

    def check_booster(self, n_margins: int, n_features: int) -> None:
        """Raise if the booster of the file has other margins or features than these."""
        wanted = (self.loss.n_margins(len(self.classes)), self.n_features)
        if (n_margins, n_features) != wanted:
            raise ValueError(
                "The file must have a booster of the margins and features that it tells of, "
                f"{wanted[0]} and {wanted[1]}, got {n_margins} and {n_features}."
            )


def describe(classifier: Any, **more: Any) -> str:
    """Return all that `restore` needs, as one line of ASCII without an equals sign."""
    loss, classes = classifier.focal_loss_, classifier.classes_
    names = getattr(classifier, "feature_names_in_", None)
    # Pickles of the first release candidate do not have what they were fitted with.
    fitted = getattr(classifier, "_focal_parameters", {name: getattr(classifier, name) for name in FOCAL_PARAMETERS})
    record = {
        "checksum": CHECKSUM,
        "format": _FORMAT,
        "version": __version__,
        "parameters": {name: per_class(value, classes, name) for name, value in fitted.items()},
        "classes": _labels(classes),
        "loss": {"gamma": loss.gamma, "alpha": loss.alpha, "focal_mix": loss.focal_mix},
        "prior_correction": classifier.prior_correction_,
        "intercept": classifier.focal_intercept_,
        "trained_on_sparse": classifier._trained_on_sparse,
        "n_features": classifier.n_features_in_,
        "feature_names": None if names is None else list(names),
        "best_score": classifier.best_score_,
        **({} if classifier._family == _DEFAULT_FAMILY else {"family": classifier._family}),
        **more,
    }
    text = json.dumps(record, default=lambda value: value.tolist())  # numbers and arrays of NumPy
    return text.replace("=", "\\u003d")  # LightGBM allows one in a line, after the key


def parse(text: str, family: str) -> Description:
    """Return what a file says of a classifier.

    Raises
    ------
    ValueError
        If it is not what `describe` writes for a classifier of this family of losses.
    """
    try:
        record = _as_dict(json.loads(text))
        if not _is_whole(record["format"]):
            raise ValueError(f"format must be an integer, got {record['format']!r}.")
        if record["format"] > _FORMAT:
            version = record["version"]
            raise ValueError(f"it is by skfocal {version}; this is {__version__}, which is too old for it.")
        of_file = record.get("family", _DEFAULT_FAMILY)
        if of_file != family:
            raise ValueError(f"it must be of a model of the loss {family!r}, got one of {of_file!r}.")
        return _checked(record, family)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"The file has no description of a classifier that can be used: {reason}") from error


def _checked(record: dict[str, Any], family: str) -> Description:
    classes = _as_labels(**_as_dict(record["classes"]))
    n_classes, n_features = len(classes), record["n_features"]
    parameters = _as_dict(record["parameters"], FOCAL_PARAMETERS)
    check_hessian_policy(parameters["focal_hessian"], "focal_hessian")
    given = LossParameters(*(parameters[name] for name in LossParameters._fields))
    make_loss(family, given, classes, np.ones(n_classes))
    loss = loss_kind(family, n_classes)(**_as_dict(record["loss"], ("gamma", "alpha", "focal_mix")))
    loss._check_lengths(n_classes)
    if not _is_whole(n_features) or n_features < 1:
        raise ValueError(f"n_features must be an integer >= 1, got {n_features!r}.")
    if not isinstance(record["trained_on_sparse"], bool):
        raise ValueError(f"trained_on_sparse must be true or false, got {record['trained_on_sparse']!r}.")
    correction, intercept = record["prior_correction"], record["intercept"]
    if correction is not None:
        correction = _as_numbers(correction, n_classes, "prior_correction")
        if not (correction > 0).all():
            raise ValueError(f"prior_correction must be > 0, got {correction.tolist()}.")
    if intercept is not None:
        n_margins = loss.n_margins(n_classes)
        intercept = _as_numbers(np.atleast_1d(intercept).tolist(), n_margins, "intercept")
        intercept = intercept if n_margins > 1 else float(intercept[0])
    return Description(
        parameters,
        classes,
        loss,
        correction,
        intercept,
        record["trained_on_sparse"],
        n_features,
        _as_names(record["feature_names"], n_features),
        _as_scores(record["best_score"]),
        record,
    )


def restore(classifier: Any, description: Description) -> None:
    """Give a classifier what a file says of it."""
    for name, value in description.parameters.items():
        setattr(classifier, name, value)
    classifier._focal_parameters = dict(description.parameters)
    classifier.classes_ = description.classes
    classifier.focal_loss_ = description.loss
    classifier.prior_correction_ = description.prior_correction
    classifier.focal_intercept_ = description.intercept
    classifier.n_features_in_ = description.n_features
    classifier._trained_on_sparse = description.trained_on_sparse
    if description.feature_names is not None:
        classifier.feature_names_in_ = description.feature_names
    elif hasattr(classifier, "feature_names_in_"):
        del classifier.feature_names_in_


def _labels(classes: NDArray[Any]) -> dict[str, Any]:
    is_date = classes.dtype.kind in "mM"
    return {"dtype": classes.dtype.str, "values": (classes.view(np.int64) if is_date else classes).tolist()}


def _as_labels(dtype: Any, values: Any) -> NDArray[Any]:
    if not isinstance(dtype, str) or not re.fullmatch(r"[<>|=]?([biufUO]\d{0,6}|[mM]8\[\d*\w+\])", dtype):
        raise ValueError(f"classes must have a dtype of numbers, booleans, strings or dates, got {dtype!r}.")
    if not isinstance(values, list) or not all(isinstance(value, str | Real) for value in values):
        raise ValueError(f"classes must be a list of labels, got {values!r}.")
    if np.dtype(dtype).itemsize * len(values) > _ROOM:
        raise ValueError(f"classes must have room in {_ROOM} bytes, got {len(values)} of {dtype!r}.")
    is_date = np.dtype(dtype).kind in "mM"
    classes = np.array(values, dtype=np.int64).view(dtype) if is_date else np.array(values, dtype=dtype)
    if classes.ndim != 1 or len(classes) < 2 or not (classes[1:] > classes[:-1]).all():
        raise ValueError(f"classes must be two or more different labels, sorted, got {values!r}.")
    return classes


def _as_dict(value: Any, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict) or (names is not None and set(value) != set(names)):
        raise ValueError(f"it must hold an object with the names {names or 'of a description'}, got {value!r}.")
    return value


def _as_numbers(values: Any, length: int, name: str) -> NDArray[np.float64]:
    if not isinstance(values, list) or not all(isinstance(value, Real) for value in values):
        raise ValueError(f"{name} must be a list of numbers, got {values!r}.")
    numbers = np.array(values, dtype=np.float64)
    if numbers.shape != (length,) or not np.isfinite(numbers).all():
        raise ValueError(f"{name} must hold {length} finite numbers, got {values!r}.")
    return numbers


def _as_names(names: Any, n_features: int) -> NDArray[Any] | None:
    if names is None:
        return None
    if not isinstance(names, list) or len(names) != n_features or not all(isinstance(name, str) for name in names):
        raise ValueError(f"feature_names must be null or {n_features} strings, got {names!r}.")
    return np.array(names, dtype=object)


def _as_scores(scores: Any) -> dict[str, dict[str, float]]:
    for of_set in _as_dict(scores).values():
        if not all(isinstance(score, Real) for score in _as_dict(of_set).values()):
            raise ValueError(f"best_score must hold numbers, got {of_set!r}.")
    return _as_dict(scores)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
