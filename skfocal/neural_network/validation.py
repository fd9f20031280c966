"""What early stopping of a network validates on, and by. Imports `_checks` and `losses`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

from skfocal._checks import check_split
from skfocal.losses import MultilabelFocalLoss

VALIDATION_METRICS = ("average_precision", "focal_loss", "accuracy")


def stratified_split(
    network: Any, X: Any, y: NDArray[np.bool_], codes: NDArray[Any], sample_weight: Any, random_state: Any
) -> tuple[list[Any], list[Any]]:
    """Return [X, y, sample_weight] of the training part and of the validation part; `codes` are `y` for the loss."""
    fraction = network.validation_fraction
    has_labels = isinstance(network.focal_loss_, MultilabelFocalLoss)
    sizes = np.array([len(y)]) if has_labels else np.bincount(codes, minlength=len(network.classes_))
    check_split(sizes, network.classes_, fraction, "early_stopping")
    parts = train_test_split(
        *([X, y] if sample_weight is None else [X, y, sample_weight]),
        random_state=random_state,
        test_size=fraction,
        stratify=_rarest_label(y, fraction) if has_labels else codes,
    )
    training, validation = parts[::2], parts[1::2]
    in_validation = validation[1]
    can_be_ranked = in_validation.any(axis=0) & ~in_validation.all(axis=0)
    if network.validation_metric == "average_precision" and not can_be_ranked.any():
        raise ValueError(
            "validation_metric='average_precision' needs a sample of each of two classes in the validation data, "
            f"got {len(in_validation)} samples of one: raise validation_fraction, {fraction}, "
            "or choose validation_metric='focal_loss'."
        )
    padding = [] if sample_weight is not None else [None]
    return training + padding, validation + padding


def mean_average_precision(y: NDArray[np.bool_], posterior: NDArray[np.float64], sample_weight: Any) -> float:
    """Return the average precision of the rarer of two classes; of several columns the mean over those that occur."""
    if y.shape[1] == 1 and y.mean() > 0.5:
        y, posterior = ~y, -posterior  # the rarer class, whatever its label; only the order counts
    occurs = np.flatnonzero(y.any(axis=0))
    scores = [average_precision_score(y[:, k], posterior[:, k], sample_weight=sample_weight) for k in occurs]
    return float(np.mean(scores))


def _rarest_label(y: NDArray[np.bool_], validation_fraction: float) -> NDArray[np.integer]:
    """Return strata of multilabel data: the rarest label of each sample, so that both parts get some of each.

    Strata too small for that join the largest.
    """
    rare_first = np.argsort(y.sum(axis=0), kind="stable")
    strata = np.where(y.any(axis=1), rare_first[y[:, rare_first].argmax(axis=1)], y.shape[1])
    sizes = np.bincount(strata)
    smallest = max(2, 1 / min(validation_fraction, 1 - validation_fraction))
    return np.where(sizes[strata] < smallest, sizes.argmax(), strata)
