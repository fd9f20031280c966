"""From the margins of a boosted classifier to probabilities, at the prior of the data or at another, and labels.

Imports `losses` and `priors`.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skfocal.losses.registry import Loss
from skfocal.priors import matching_ratio, reweighted


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
    resampled : ndarray of shape (n_classes,) or None, default=None
        By which a sampler has made the weight of each class grow.
    """

    loss: Loss
    classes: NDArray[Any]
    correction: NDArray[np.float64] | None = None
    resampled: NDArray[np.float64] | None = None

    def matched(self, raw_prediction: Any, prior: NDArray[np.float64], weight: Any) -> Self:
        """Return the link whose mean posterior of these samples is `prior`; this one where none is, see `priors`.

        What a sampler does to the probabilities of trees its counts do not tell.
        """
        as_trained = self.loss.predict_proba(raw_prediction)
        ratio = matching_ratio(as_trained, prior / prior.sum(), weight)
        return self if ratio is None else replace(self, correction=ratio)

    def posterior(self, raw_prediction: Any) -> Any:
        """Return probabilities of shape (n_samples, n_classes), of the array-API namespace of the margins."""
        posterior = self.loss.predict_proba(raw_prediction)
        return posterior if self.correction is None else reweighted(posterior, self.correction)

    def labels(self, posterior: NDArray[np.float64]) -> NDArray[Any]:
        """Return the most probable label of each sample."""
        return self.classes[posterior.argmax(axis=1)]
