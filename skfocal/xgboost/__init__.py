"""FocalXGBClassifier: XGBoost's scikit-learn classifier, trained on the focal loss."""

try:
    import xgboost  # noqa: F401
except ImportError as error:
    raise ImportError('FocalXGBClassifier needs XGBoost: pip install "skfocal[xgboost]"') from error

from skfocal.xgboost.classifier import FocalXGBClassifier

__all__ = ["FocalXGBClassifier"]
