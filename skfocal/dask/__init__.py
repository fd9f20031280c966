"""The boosted classifiers on a cluster: the engines' own distributed training, on Dask's arrays and tables."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    import dask.dataframe  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError('skfocal.dask needs Dask: pip install "skfocal[dask]"') from error

if TYPE_CHECKING:
    from skfocal.dask.lightgbm import FocalDaskLGBMClassifier
    from skfocal.dask.xgboost import FocalDaskXGBClassifier

# Loaded on first use: neither engine is needed for the other.
_HOMES = {
    "FocalDaskLGBMClassifier": "skfocal.dask.lightgbm",
    "FocalDaskXGBClassifier": "skfocal.dask.xgboost",
}

__all__ = ["FocalDaskLGBMClassifier", "FocalDaskXGBClassifier"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
