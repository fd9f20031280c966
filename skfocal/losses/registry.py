"""The losses that an estimator can be trained on, by name, made from the estimator's parameters.

Imports `binary`, `multiclass`, `parameters` and `_checks`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skfocal._checks import balanced, per_class
from skfocal.losses.binary import BinaryFocalLoss
from skfocal.losses.multiclass import MulticlassFocalLoss
from skfocal.losses.parameters import as_alpha, as_gamma, check_length

Loss = BinaryFocalLoss | MulticlassFocalLoss


class Family(NamedTuple):
    """One loss, for two classes and for more."""

    two_classes: type[BinaryFocalLoss]
    more_classes: type[MulticlassFocalLoss]


FAMILIES = {"focal": Family(BinaryFocalLoss, MulticlassFocalLoss)}


class LossParameters(NamedTuple):
    """The parameters of a loss as estimators have them: of the labels, by name, or as the losses take them."""

    focal_gamma: Any
    focal_alpha: Any
    focal_mix: float


def loss_kind(name: str, n_classes: int) -> type[Loss]:
    """Return the class of a loss for so many classes."""
    family = FAMILIES[name]
    return family.two_classes if n_classes == 2 else family.more_classes


def make_loss(name: str, parameters: LossParameters, classes: NDArray[Any], totals: NDArray[np.float64]) -> Any:
    """Return the loss of a name; `totals`, the summed weights of each class, are for alpha="balanced".

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range, or does not fit the classes.
    """
    gamma = as_gamma(per_class(parameters.focal_gamma, classes, "focal_gamma"), "focal_gamma")
    check_length(gamma, len(classes), "focal_gamma")
    alpha = per_class(parameters.focal_alpha, classes, "focal_alpha")
    if isinstance(alpha, str):
        if alpha != "balanced":
            raise ValueError(f"focal_alpha must be None, a number, one per class or 'balanced', got {alpha!r}.")
        alpha = balanced(totals)
    alpha = as_alpha(alpha, two_classes=len(classes) == 2, name="focal_alpha")
    check_length(alpha, len(classes), "focal_alpha")
    return loss_kind(name, len(classes))(gamma, alpha, parameters.focal_mix)
