"""FocalHistGradientBoostingClassifier: scikit-learn's histogram boosting, trained on the focal loss."""

from skfocal.hist_gradient_boosting.classifier import FocalHistGradientBoostingClassifier

__all__ = ["FocalHistGradientBoostingClassifier"]
