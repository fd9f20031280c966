"""Thresholds that a fraud team decides by: budgets of alerts, bounds on errors, costs. Imports what is in this room."""

from skfocal.thresholds.bounds import alert_threshold, cost_threshold, fpr_threshold, precision_threshold
from skfocal.thresholds.classifiers import AlertBudgetClassifier, CostThresholdClassifier

__all__ = [
    "AlertBudgetClassifier",
    "CostThresholdClassifier",
    "alert_threshold",
    "cost_threshold",
    "fpr_threshold",
    "precision_threshold",
]
