"""Focal-loss classifiers for tabular data that behave like any scikit-learn estimator."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from skfocal._version import __version__

if TYPE_CHECKING:
    from skfocal._show_versions import show_versions
    from skfocal._skops import skops_trusted_types
    from skfocal.hist_gradient_boosting import FocalHistGradientBoostingClassifier
    from skfocal.lightgbm import FocalLGBMClassifier
    from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss
    from skfocal.neural_network import FocalMLPClassifier
    from skfocal.objectives import FocalMetric, FocalObjective
    from skfocal.priors import correct_prior, effective_prior, estimate_prior
    from skfocal.xgboost import FocalXGBClassifier

# Loaded on first use, so that no engine is needed, nor imported, for the rest.
_HOMES = {
    "BinaryFocalLoss": "skfocal.losses",
    "FocalHistGradientBoostingClassifier": "skfocal.hist_gradient_boosting",
    "FocalLGBMClassifier": "skfocal.lightgbm",
    "FocalMLPClassifier": "skfocal.neural_network",
    "FocalMetric": "skfocal.objectives",
    "FocalObjective": "skfocal.objectives",
    "FocalXGBClassifier": "skfocal.xgboost",
    "MulticlassFocalLoss": "skfocal.losses",
    "correct_prior": "skfocal.priors",
    "effective_prior": "skfocal.priors",
    "estimate_prior": "skfocal.priors",
    "show_versions": "skfocal._show_versions",
    "skops_trusted_types": "skfocal._skops",
}

__all__ = [
    "BinaryFocalLoss",
    "FocalHistGradientBoostingClassifier",
    "FocalLGBMClassifier",
    "FocalMLPClassifier",
    "FocalMetric",
    "FocalObjective",
    "FocalXGBClassifier",
    "MulticlassFocalLoss",
    "__version__",
    "correct_prior",
    "effective_prior",
    "estimate_prior",
    "show_versions",
    "skops_trusted_types",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
