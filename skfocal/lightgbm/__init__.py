"""FocalLGBMClassifier: LightGBM's scikit-learn classifier, trained on the focal loss."""

try:
    import lightgbm  # noqa: F401
except ImportError as error:
    raise ImportError('FocalLGBMClassifier needs LightGBM: pip install "skfocal[lightgbm]"') from error

from skfocal.lightgbm.classifier import FocalLGBMClassifier

__all__ = ["FocalLGBMClassifier"]
