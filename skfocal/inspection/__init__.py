"""Pictures of losses and of what classifiers do, as scikit-learn's displays are made (extra ``plot``)."""

from skfocal.inspection.alerts import AlertsDisplay
from skfocal.inspection.gamma_sweep import GammaSweepDisplay
from skfocal.inspection.loss import FocalLossDisplay
from skfocal.inspection.reliability import ReliabilityDisplay

__all__ = ["AlertsDisplay", "FocalLossDisplay", "GammaSweepDisplay", "ReliabilityDisplay"]
