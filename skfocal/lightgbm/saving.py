"""Labels, loss and prior in a line of the header of LightGBM's own text format. Imports `model_text` and `boosting`."""

from os import PathLike, fspath
from typing import Any

from lightgbm import Booster
from lightgbm.basic import LightGBMError

from skfocal.boosting.model_file import KEY, Description, describe, parse
from skfocal.boosting.safe_file import as_path, is_damaged, sealed, write_whole
from skfocal.lightgbm.model_text import check_text


def write_model(classifier: Any, fname: str | PathLike[str]) -> None:
    """Write the booster of a fitted classifier, described in the line after the first."""
    text = describe(classifier, best_iteration=classifier.best_iteration_)
    lines = classifier.booster_.model_to_string().split("\n")
    write_whole(fname, sealed("\n".join([lines[0], f"{KEY}={text}", *lines[1:]]).encode()))


def read_model(fname: str | PathLike[str], family: str) -> tuple[Booster, Description]:
    """Return a booster and its description."""
    data = as_path(fname).read_bytes()
    model = data.decode("utf-8", errors="replace")
    header = model.partition("\nTree=")[0].split("\n")
    described = [line.removeprefix(f"{KEY}=") for line in header if line.startswith(f"{KEY}=")]
    message = f"fname must be a file that FocalLGBMClassifier.save_model wrote, got {fspath(fname)!r}"
    if header[0] != "tree":
        raise ValueError(f"{message}.")
    if is_damaged(data) or not _is_complete(model):  # LightGBM would end the process
        raise ValueError(f"{message}, which is incomplete or damaged.")
    if not described:
        raise ValueError(f"{message}, a booster without labels and loss: load it with lightgbm.Booster.")
    description = parse(described[0], family)
    try:
        check_text(model)
        booster = Booster(model_str=model)
    except (LightGBMError, ValueError, RecursionError) as error:  # categories are JSON
        raise ValueError(f"{message}: {error}") from error
    best_iteration, n_rounds = description.record.get("best_iteration"), booster.current_iteration()
    if type(best_iteration) is not int or not -1 <= best_iteration <= n_rounds:
        raise ValueError(f"{message}, whose best_iteration is no round of {n_rounds} but {best_iteration!r}.")
    description.check_booster(booster.num_model_per_iteration(), booster.num_feature())
    booster.best_iteration, booster.best_score = best_iteration, description.best_score
    return booster, description


def _is_complete(model: str) -> bool:
    """Tell whether a file has all parts of LightGBM's format; those of the first release candidate have no checksum."""
    last = model.rstrip("\n").rpartition("\n")[2]
    return "\nend of trees\n" in model and "\nend of parameters\n" in model and last.startswith("pandas_categorical:")
