"""Target: checked labels and weights of a network, and the loss that they and the parameters make.

Imports `_checks` and `losses`.
"""

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from skfocal._checks import (
    as_known_codes,
    as_sample_weight,
    check_size,
    class_weights,
    encode_labels,
    per_class,
    prior_totals,
    rows_that_count,
)
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss, MultilabelFocalLoss
from skfocal.losses.parameters import check_length
from skfocal.losses.registry import LossParameters, make_loss

Loss = BinaryFocalLoss | MulticlassFocalLoss | MultilabelFocalLoss


class Target(NamedTuple):
    """Checked labels and weights, and what follows from them and the parameters."""

    y: Any
    sample_weight: NDArray[np.float64] | None
    loss: Loss
    prior: NDArray[np.float64]
    kept: NDArray[np.bool_] | None  # which rows to train on, None for all


def make_target(estimator: Any, y: Any, sample_weight: Any, classes: NDArray[Any] | None) -> Target:
    """Return the target of one column of labels or of several; `classes` are None where `y` has all of them."""
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    if _n_columns(y) > 1:
        return _several_labels(estimator, y, sample_weight, classes)
    return _one_label(estimator, y, sample_weight, classes)


def n_labels(loss: Loss) -> int:
    """Return the number of labels, 0 if the loss is one of classes."""
    return len(loss.labels) if isinstance(loss, MultilabelFocalLoss) else 0


def _one_label(estimator: Any, y: Any, sample_weight: Any, classes: NDArray[Any] | None) -> Target:
    if classes is None:
        codes, classes = encode_labels(y, type(estimator).__name__)
    else:
        if len(classes) < 2:
            raise ValueError(f"classes must hold at least two different labels, got {classes.tolist()}.")
        codes = as_known_codes(y, classes, "y", known="the classes")
    weight = as_sample_weight(sample_weight, len(codes))
    totals = np.bincount(codes, weights=weight, minlength=len(classes)).astype(np.float64)
    parameters = LossParameters(estimator.focal_gamma, estimator.focal_alpha, estimator.focal_mix)
    loss = _class_loss(estimator._family, parameters, estimator.class_weight, classes, totals)
    return Target(classes[codes], weight, loss, prior_totals(totals, weight), rows_that_count(codes, weight))


def _several_labels(estimator: Any, y: Any, sample_weight: Any, classes: NDArray[Any] | None) -> Target:
    """Treat each column of `y` as two classes, absence and presence."""
    y = _as_indicator(y)
    if classes is not None and classes.tolist() != list(range(y.shape[1])):
        raise ValueError(f"classes must be the numbers of y's columns, 0 ... {y.shape[1] - 1}, got {classes.tolist()}.")
    weight = as_sample_weight(sample_weight, y.shape[0])
    present = y.T @ (np.ones(y.shape[0]) if weight is None else weight)
    totals = np.column_stack([(y.shape[0] if weight is None else weight.sum()) - present, present])
    labels = np.arange(len(totals))
    given = zip(
        _for_each(per_class(estimator.focal_gamma, labels, "focal_gamma"), labels, "focal_gamma"),
        _for_each(per_class(estimator.focal_alpha, labels, "focal_alpha"), labels, "focal_alpha"),
        _for_each(estimator.class_weight, labels, "class_weight"),
        totals,
        strict=True,
    )
    losses = [
        _class_loss(
            estimator._family, LossParameters(gamma, alpha, estimator.focal_mix), class_weight, np.arange(2), total
        )
        for gamma, alpha, class_weight, total in given
    ]
    kept = None if weight is None or weight.all() else weight > 0
    return Target(y, weight, MultilabelFocalLoss(tuple(losses)), prior_totals(totals, weight), kept)


def _n_columns(y: Any) -> int:
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    return shape[1] if len(shape) == 2 else 1


def _as_indicator(y: Any) -> Any:
    """Return several columns of 0 and 1, sparse or not, as numbers; raise if they hold anything else."""
    y = y.tocsr() if issparse(y) else np.asarray(y)
    values = y.data if issparse(y) else y
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y of several columns must hold 0 and 1, a column for each label, got {y!r}.") from error
    wrong = numbers[(numbers != 0) & (numbers != 1)]
    if wrong.size:
        raise ValueError(f"y of several columns must hold 0 and 1, a column for each label, got {wrong[0]}.")
    return y if issparse(y) else numbers.astype(np.intp)


def _for_each(values: Any, labels: NDArray[np.integer], name: str) -> list[Any]:
    """Return one value for each label: `values` itself if it is one, else its entries."""
    if values is None or isinstance(values, str | Mapping | Real):
        return [values] * len(labels)
    check_length(tuple(values), len(labels), name, what="labels")
    return list(values)


def _class_loss(
    family: str, parameters: LossParameters, class_weight: Any, classes: NDArray[Any], totals: NDArray[np.float64]
) -> Any:
    """Return the loss of one label, with the class weights in its alpha."""
    weights = class_weights(class_weight, classes, totals)
    loss = make_loss(family, parameters, classes, totals if weights is None else totals * weights)
    if weights is None:
        return loss
    weights = weights * (loss.class_weights or 1.0)
    check_size(weights, "focal_alpha times class_weight")
    return replace(loss, alpha=tuple(weights.tolist()))
