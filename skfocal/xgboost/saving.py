"""Labels, loss and prior as an attribute of the booster, in XGBoost's own formats. Imports `compat` and `boosting`."""

import json
from os import fspath
from typing import Any

from xgboost import XGBClassifier
from xgboost.core import XGBoostError

from skfocal.boosting.model_file import KEY, Description, describe, parse
from skfocal.boosting.safe_file import as_path, is_damaged, sealed, write_whole
from skfocal.xgboost.compat import n_margins


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
    if _is_ubj(data) and not _is_whole(data):  # of which XGBoost would read what is behind the end
        raise ValueError(f"{message}, which is incomplete or damaged.")
    engine = XGBClassifier(n_jobs=n_jobs)
    try:
        engine.load_model(bytearray(data))
    except (XGBoostError, TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{message}.") from error
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


def _is_ubj(data: bytes) -> bool:
    """Tell whether a model is UBJSON, as XGBoost does: an object without a space or a name after its brace."""
    return data[1:2] not in b' \t\r\n"}'


def _is_whole(data: bytes) -> bool:
    """Tell whether UBJSON ends where its last byte is."""
    try:
        return _end_of_value(data, 0) == len(data)
    except (KeyError, ValueError, RecursionError):
        return False


_SIZES = {b"Z": 0, b"T": 0, b"F": 0, b"C": 1, b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8, b"d": 4, b"D": 8}


def _end_of_value(data: bytes, start: int) -> int:
    """Return where a value ends whose type is at `start`; KeyError or ValueError if it is none."""
    kind, at = data[start : start + 1], start + 1
    if kind in _SIZES:
        return at + _SIZES[kind]
    if kind == b"S":
        return _end_of_text(data, at)
    if kind == b"[" and data[at : at + 1] == b"$":  # numbers of a type, without its letter
        length, end = _length(data, at + 3)
        return end + length * _SIZES[data[at + 1 : at + 2]]
    if kind == b"[" and data[at : at + 1] == b"#":
        length, at = _length(data, at + 1)
        for _ in range(length):
            at = _end_of_value(data, at)
        return at
    closing = {b"[": b"]", b"{": b"}"}[kind]
    while data[at : at + 1] != closing:
        at = _end_of_value(data, _end_of_text(data, at) if kind == b"{" else at)
    return at + 1


def _end_of_text(data: bytes, start: int) -> int:
    length, at = _length(data, start)
    return at + length


def _length(data: bytes, start: int) -> tuple[int, int]:
    """Return a number of things, and where these begin."""
    end = start + 1 + _SIZES[data[start : start + 1]]
    length = int.from_bytes(data[start + 1 : end], "big", signed=True)
    if not 0 <= length <= len(data):
        raise ValueError(f"a length must be in [0, {len(data)}], got {length}.")
    return length, end
