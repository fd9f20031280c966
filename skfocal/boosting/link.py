"""From the margins of a boosted classifier to probabilities, at the prior of the data or at another, and labels.

Imports `_checks`, `losses` and `priors`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skfocal._checks import prior_totals
from skfocal.losses.registry import Loss
from skfocal.priors import matching_ratio, reweighted


def matched_correction(
    posterior: NDArray[np.float64],
    codes: NDArray[np.integer],
    weight: NDArray[np.float64] | None,
    factor: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """Return the correction by which the mean posterior of these samples is the share of each class, times `factor`.

    What a sampler does to the probabilities of trees its counts do not tell. None if there is no such correction.
    """
    totals = prior_totals(np.bincount(codes, weights=weight, minlength=posterior.shape[1]), weight)
    ratio = matching_ratio(posterior, totals / totals.sum(), weight)
    return None if ratio is None else ratio * factor


class Resampled(NamedTuple):
    """What a sampler, and what weights of classes, do to the classes; arrays of shape (n_classes,)."""

    growth: NDArray[np.float64]  # by which the sampler has made the weight of each class grow
    by_class: NDArray[np.float64]  # weights of classes that are in those of the samples
    factor: NDArray[np.float64]  # what the posterior is to have beyond the prior of the samples: all weights of classes


@dataclass(frozen=True, eq=False)
class Link:
    """The focal link of a loss, and what puts its posterior at another prior than that of the training.

    Parameters
    ----------
    loss : BinaryFocalLoss or MulticlassFocalLoss
        What the margins are of.
    classes : ndarray of shape (n_classes,)
        Labels, sorted.
    correction : ndarray of shape (n_classes,) or None, default=None
        What the posterior is multiplied by, before its rows are divided by their sums.
    resampled : Resampled or None, default=None
        What a sampler has done, None without one.
    """

    loss: Loss
    classes: NDArray[Any]
    correction: NDArray[np.float64] | None = None
    resampled: Resampled | None = None

    def posterior(self, raw_prediction: Any, n_jobs: int | None = 1) -> Any:
        """Return probabilities of shape (n_samples, n_classes), of the array-API namespace of the margins."""
        posterior = self.loss.predict_proba(raw_prediction, n_jobs=n_jobs)
        return posterior if self.correction is None else reweighted(posterior, self.correction)

    def labels(self, posterior: NDArray[np.float64]) -> NDArray[Any]:
        """Return the most probable label of each sample."""
        return self.classes[posterior.argmax(axis=1)]
