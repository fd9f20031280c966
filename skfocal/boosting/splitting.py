"""The split of early stopping: validation data with the same share of every class. Imports `samples` and `_checks`."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from skfocal._checks import check_split
from skfocal.boosting.samples import Samples


class Split(NamedTuple):
    """What early stopping splits off."""

    fraction: float
    random_state: Any
    wanted_by: str = "early_stopping_rounds without an eval_set"  # as messages say it


def split_off(samples: Samples, classes: NDArray[Any], split: Split) -> tuple[Samples, Samples]:
    """Return the samples to train and those to validate, in their order, with the same share of every class in both."""
    fraction, random_state, wanted_by = split
    sizes = np.bincount(samples.codes, minlength=len(classes))
    check_split(sizes, classes, fraction, wanted_by)
    if isinstance(random_state, np.random.Generator):
        random_state = int(random_state.integers(np.iinfo(np.int32).max))
    parts = train_test_split(
        np.arange(len(samples.codes)), test_size=fraction, stratify=samples.codes, random_state=random_state
    )
    for part, purpose in zip(parts, ("train", "validate"), strict=True):
        left_out = np.bincount(samples.codes[part], minlength=len(classes)) == 0
        if left_out.any():
            raise ValueError(
                f"validation_fraction must leave at least one sample of every class to {purpose}, got {fraction}: none "
                f"of the {sizes[left_out][0]} samples of class {classes.tolist()[left_out.argmax()]!r}."
            )
    training, validation = (samples.rows(np.sort(part)) for part in parts)
    return training, validation
