"""Labels, loss and prior as an attribute of the booster, in XGBoost's own formats.

Imports `compat`, `model_content` and `boosting`.
"""

import json
from os import fspath
from typing import Any

from xgboost import XGBClassifier
from xgboost.core import XGBoostError

from skfocal.boosting.model_file import KEY, Description, describe, parse
from skfocal.boosting.safe_file import as_path, is_damaged, sealed, write_whole
from skfocal.xgboost.compat import n_margins
from skfocal.xgboost.model_content import check_content


def write_model(classifier: Any, fname: Any) -> None:
    """Write the booster of a fitted classifier with its description."""
    booster = classifier.get_booster().copy()  # which other threads may be writing too
    booster.set_attr(**{
        KEY: describe(classifier, missing=classifier.missing),
        "scikit_learn": json.dumps({"_estimator_type": "classifier"}),  # as XGBClassifier's own
    })  # fmt: skip
    write_whole(fname, sealed(bytes(booster.save_raw("json" if as_path(fname).suffix == ".json" else "ubj"))))


def read_model(fname: Any, family: str, n_jobs: int | None) -> tuple[XGBClassifier, Description]:
    """Return XGBoost's own classifier and its description."""
    is_content = isinstance(fname, bytes | bytearray)
    if not is_content and not as_path(fname).exists():
        raise FileNotFoundError(f"fname must be a file, and there is no {fspath(fname)!r}.")
    data = bytes(fname) if is_content else as_path(fname).read_bytes()
    shown = "these bytes" if is_content else repr(fspath(fname))
    message = f"fname must be a file that FocalXGBClassifier.save_model wrote, got {shown}"
    if is_damaged(data):
        raise ValueError(f"{message}, which is incomplete or damaged.")
    if not data.startswith(b"{"):  # in memory, where there is no name to go by, XGBoost would end the process
        raise ValueError(f"{message}.")
    engine = XGBClassifier(n_jobs=n_jobs)
    try:
        check_content(data)
        engine.load_model(bytearray(data))
    except (XGBoostError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{message}: {str(error).partition(chr(10))[0]}") from error  # XGBoost adds where it stood
    booster = engine.get_booster()
    text = booster.attr(KEY)
    if text is None:
        raise ValueError(f"{message}, which holds a booster without labels and loss: load it with xgboost.Booster.")
    booster.set_attr(**{KEY: None})
    description = parse(text, family)
    description.check_booster(n_margins(booster), booster.num_features())
    missing = description.record.get("missing", "nothing")
    if missing is not None and type(missing) is not float and (type(missing) is not int or abs(missing) > 2**53):
        raise ValueError(f"{message}, whose missing is no number but {missing!r}.")
    return engine, description
