"""What a model to continue must have, whatever its engine. Imports nothing of ours."""

from itertools import zip_longest
from typing import Any

from numpy.typing import NDArray


def check_same_categories(known: dict[int, NDArray[Any]], given: dict[int, NDArray[Any]]) -> None:
    """Raise if categorical features, by their places, have others than a model to continue, which knows their order."""
    if known.keys() != given.keys():
        raise ValueError(f"X must have the categorical features of a warm start, {[*known]}, got {[*given]}.")
    for feature, categories in known.items():
        others = given[feature].tolist()
        alike = zip_longest(categories.tolist(), others)  # nan among them, where some are missing
        if not all(one == other or (one != one and other != other) for one, other in alike):
            raise ValueError(
                f"X must have the categories of a warm start in feature {feature}, {categories.tolist()}, got {others}."
            )


def check_same_margins(name: str, given: int, wanted: int) -> None:
    """Raise if a model to continue has another number of margins than the classes of y need."""
    if given != wanted:
        raise ValueError(f"{name} must have {wanted} margins, as the classes of y need, got a model with {given}.")


def check_same_features(name: str, given: int, wanted: int) -> None:
    """Raise if a model to continue has another number of features than X."""
    if given != wanted:
        raise ValueError(f"{name} must have the {wanted} features of X, got a model with {given}.")
