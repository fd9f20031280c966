"""Labels, loss and prior in a line of the header of LightGBM's own text format. Imports `boosting`."""

from os import PathLike, fspath
from pathlib import Path
from typing import Any

from lightgbm import Booster

from skfocal.boosting.model_file import KEY, describe


def write_model(classifier: Any, fname: str | PathLike[str]) -> None:
    """Write the booster of a fitted classifier, described in the line after the first."""
    text = describe(classifier, best_iteration=classifier.best_iteration_, best_score=classifier.best_score_)
    lines = classifier.booster_.model_to_string().split("\n")
    file = "\n".join([lines[0], f"{KEY}={text}", *lines[1:]])
    Path(fname).write_text(file, encoding="utf-8", newline="\n")


def read_model(fname: str | PathLike[str]) -> tuple[Booster, str]:
    """Return a booster and its description."""
    model = Path(fname).read_bytes().decode("utf-8", errors="replace")
    header = model.partition("\nTree=")[0].split("\n")
    described = [line.removeprefix(f"{KEY}=") for line in header if line.startswith(f"{KEY}=")]
    message = f"fname must be a file that FocalLGBMClassifier.save_model wrote, got {fspath(fname)!r}"
    if header[0] != "tree":
        raise ValueError(f"{message}.")
    if "\nend of trees\n" not in model:  # LightGBM would end the process
        raise ValueError(f"{message}, which is incomplete.")
    if not described:
        raise ValueError(f"{message}, a booster without labels and loss: load it with lightgbm.Booster.")
    return Booster(model_str=model), described[0]
