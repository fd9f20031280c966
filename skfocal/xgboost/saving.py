"""Labels, loss and prior as an attribute of the booster, in XGBoost's own formats. Imports `boosting`."""

from os import PathLike, fspath
from pathlib import Path
from typing import Any

from xgboost import XGBClassifier
from xgboost.core import XGBoostError

from skfocal.boosting.model_file import KEY, describe


def write_model(classifier: Any, fname: Any) -> None:
    """Write the booster of a fitted classifier with its description."""
    if not Path(fname).absolute().parent.is_dir():
        raise FileNotFoundError(f"fname must be in a folder that there is, got {fspath(fname)!r}.")
    booster = classifier.get_booster()
    booster.set_attr(**{KEY: describe(classifier, missing=classifier.missing, best_score=classifier.best_score_)})
    try:
        XGBClassifier.save_model(classifier, fname)
    finally:
        booster.set_attr(**{KEY: None})


def read_model(fname: Any, n_jobs: int | None) -> tuple[XGBClassifier, str]:
    """Return XGBoost's own classifier and its description."""
    if isinstance(fname, str | PathLike) and not Path(fname).exists():
        raise FileNotFoundError(f"fname must be a file, and there is no {fspath(fname)!r}.")
    fname = bytearray(fname) if isinstance(fname, bytes) else fname
    shown = "these bytes" if isinstance(fname, bytearray) else repr(fspath(fname))
    engine = XGBClassifier(n_jobs=n_jobs)
    try:
        engine.load_model(fname)
    except (XGBoostError, TypeError, UnicodeDecodeError) as error:  # the last: of its own message about the file
        raise ValueError(f"fname must be a file that FocalXGBClassifier.save_model wrote, got {shown}.") from error
    text = engine.get_booster().attr(KEY)
    if text is None:
        raise ValueError(
            f"fname must be a file that FocalXGBClassifier.save_model wrote, got {shown}, which holds a booster "
            "without labels and loss: load it with xgboost.Booster."
        )
    engine.get_booster().set_attr(**{KEY: None})
    return engine, text
