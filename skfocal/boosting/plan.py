"""Plan: all that is decided before an engine trains; made once, of samples and parameters.

Imports `link`, `parameters`, `resampling`, `samples`, `splitting`, `_checks`, `losses`, `objectives` and `priors`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfocal._checks import class_weights
from skfocal.boosting.link import Link
from skfocal.boosting.parameters import FocalParameters
from skfocal.boosting.resampling import resample
from skfocal.boosting.samples import AsFeatures, Samples
from skfocal.boosting.splitting import Split, split_off
from skfocal.losses.parameters import HessianPolicy
from skfocal.losses.registry import Loss, make_loss
from skfocal.objectives import FocalObjective
from skfocal.priors import as_prior


@dataclass(frozen=True, eq=False)
class Plan:
    """What an engine is to train on, and what its margins will mean."""

    training: Samples  # after the split, the sampler and the weights of classes
    validation: Samples | None  # what was split off, with the weights of classes
    hessian: HessianPolicy
    link: Link  # at the prior of the data as given, which metrics are evaluated on
    prior_correction: NDArray[np.float64] | None  # of the link to predict with
    intercept: float | NDArray[np.float64] | None  # None where training starts from other margins

    @property
    def loss(self) -> Loss:
        """The loss to train on."""
        return self.link.loss

    @property
    def n_margins(self) -> int:
        """The number of margins of a sample."""
        return self.loss.n_margins(len(self.link.classes))

    def objective(self, n_jobs: int | None) -> FocalObjective:
        """Return what the engine is to minimise, on as many threads as it uses itself."""
        return FocalObjective(self.loss, self.hessian, n_jobs)


def make_plan(
    focal: FocalParameters,
    samples: Samples,
    classes: NDArray[Any],
    split: Split | None,
    as_features: AsFeatures,
    *,
    starts_elsewhere: bool = False,
) -> Plan:
    """Split validation data off, resample the rest, weigh both.

    Parameters
    ----------
    focal : FocalParameters
        What the user asks for.
    samples : Samples
        All training data.
    classes : ndarray of shape (n_classes,)
        Labels, sorted.
    split : Split or None
        What to split off for early stopping.
    as_features : callable
        Makes of what the sampler returns what the engine takes.
    starts_elsewhere : bool, default=False
        Whether there are margins to start from in place of an intercept.
    """
    prior = as_prior(focal.prior, classes)
    training, validation = (samples, None) if split is None else split_off(samples, classes, split)
    loss, by_class = weigh_classes(focal, training, classes)
    validation = validation and validation.weighted(by_class)
    resampled = undone = None
    if focal.sampler is not None:
        given, alpha = training.weighted(by_class).totals(), loss.class_weights or 1.0
        training = resample(training, classes, focal.sampler, as_features)
        loss, by_class = weigh_classes(focal, training, classes)  # "balanced" balances what it is given
        made = training.weighted(by_class).totals()
        # The probabilities are to be those of the data as given, with the weights that these would have had.
        resampled, undone = made / given, given * alpha / (made * (loss.class_weights or 1.0))
    training = training.weighted(by_class)
    correction = undone if prior is None else prior / (training.totals() * (loss.class_weights or 1.0))
    intercept = None if starts_elsewhere else loss.intercept(training.totals())
    return Plan(training, validation, focal.hessian, Link(loss, classes, undone, resampled), correction, intercept)


def weigh_classes(
    focal: FocalParameters, samples: Samples, classes: NDArray[Any]
) -> tuple[Any, NDArray[np.float64] | None]:
    """Return the loss for these samples, and the weights of the classes or None."""
    # Weights of the samples, then of the classes, then of the loss: "balanced" balances what comes before it.
    totals = samples.totals()
    by_class = class_weights(focal.class_weight, classes, totals)
    return make_loss(focal.family, focal.loss, classes, totals if by_class is None else totals * by_class), by_class
