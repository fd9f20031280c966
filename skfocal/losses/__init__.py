"""The focal loss on raw margins: per-sample loss, gradient, Hessian, link and intercept.

A loss is a frozen, stateless, picklable value: its parameters and nothing else. It knows no engine and no sample
weight; what it returns is per sample, so that weighting and averaging happen in one place, outside. Margins and classes
may be arrays of any array-API namespace, in which results then are; priors and intercepts are NumPy's.
"""

from skfocal.losses.binary import BinaryFocalLoss
from skfocal.losses.multiclass import MulticlassFocalLoss
from skfocal.losses.multilabel import MultilabelFocalLoss
from skfocal.losses.parameters import HESSIAN_POLICIES, HessianPolicy

__all__ = ["HESSIAN_POLICIES", "BinaryFocalLoss", "HessianPolicy", "MulticlassFocalLoss", "MultilabelFocalLoss"]
