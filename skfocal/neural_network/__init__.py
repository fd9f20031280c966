"""FocalMLPClassifier: scikit-learn's multi-layer perceptron, trained on the focal loss."""

from skfocal.neural_network.classifier import FocalMLPClassifier

__all__ = ["FocalMLPClassifier"]
