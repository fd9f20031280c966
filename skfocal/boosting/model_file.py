"""What a model file of an engine does not hold: labels, loss and prior, as one line of JSON beside the trees.

Imports `_checks`, `_version` and `losses`.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfocal._checks import per_class
from skfocal._version import __version__
from skfocal.losses.registry import loss_kind

KEY = "skfocal"  # under which the line is in the file
_FORMAT = 1
_DEFAULT_FAMILY = "focal"  # of a file that does not say which loss of the registry it is of
_FOCAL_PARAMETERS = ("focal_gamma", "focal_alpha", "focal_mix", "focal_hessian")


def describe(classifier: Any, **more: Any) -> str:
    """Return all that `restore` needs, as one line of ASCII without an equals sign."""
    loss = classifier.focal_loss_
    names = getattr(classifier, "feature_names_in_", None)
    parameters = {name: per_class(getattr(classifier, name), classifier.classes_, name) for name in _FOCAL_PARAMETERS}
    record = {
        "format": _FORMAT,
        "version": __version__,
        "parameters": parameters,
        "classes": _labels(classifier.classes_),
        "loss": {"gamma": loss.gamma, "alpha": loss.alpha, "focal_mix": loss.focal_mix},
        "prior_correction": classifier.prior_correction_,
        "intercept": classifier.focal_intercept_,
        "trained_on_sparse": classifier._trained_on_sparse,
        "n_features": classifier.n_features_in_,
        "feature_names": None if names is None else list(names),
        **({} if classifier._family == _DEFAULT_FAMILY else {"family": classifier._family}),
        **more,
    }
    text = json.dumps(record, default=lambda value: value.tolist())  # numbers and arrays of NumPy
    return text.replace("=", "\\u003d")  # LightGBM allows one in a line, after the key


def restore(classifier: Any, text: str) -> dict[str, Any]:
    """Give a classifier what `describe` has told, and return that."""
    record: dict[str, Any] = json.loads(text)
    if record["format"] > _FORMAT:
        raise ValueError(f"The file is by skfocal {record['version']}; this is {__version__}, which is too old for it.")
    family = record.get("family", _DEFAULT_FAMILY)
    if family != classifier._family:
        raise ValueError(f"The file must be of a model of the loss {classifier._family!r}, got one of {family!r}.")
    for name, value in record["parameters"].items():
        setattr(classifier, name, value)
    classifier.classes_ = _as_labels(**record["classes"])
    classifier.focal_loss_ = loss_kind(classifier._family, len(classifier.classes_))(**record["loss"])
    classifier.prior_correction_ = _as_array(record["prior_correction"])
    classifier.focal_intercept_ = _as_array(record["intercept"])
    classifier.n_features_in_ = record["n_features"]
    classifier._trained_on_sparse = record["trained_on_sparse"]
    if record["feature_names"] is not None:
        classifier.feature_names_in_ = np.array(record["feature_names"], dtype=object)
    elif hasattr(classifier, "feature_names_in_"):
        del classifier.feature_names_in_
    return record


def _labels(classes: NDArray[Any]) -> dict[str, Any]:
    is_date = classes.dtype.kind in "mM"
    return {"dtype": classes.dtype.str, "values": (classes.view(np.int64) if is_date else classes).tolist()}


def _as_labels(dtype: str, values: list[Any]) -> NDArray[Any]:
    if np.dtype(dtype).kind in "mM":
        return np.array(values, dtype=np.int64).view(dtype)
    return np.array(values, dtype=dtype)


def _as_array(values: Any) -> Any:
    return np.array(values) if isinstance(values, list) else values
