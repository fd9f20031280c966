"""Plan: all that is decided before an engine trains; made once, of samples and parameters.

Imports `link`, `parameters`, `resampling`, `samples`, `splitting`, `_checks`, `_compat`, `losses`, `objectives` and
`priors`.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skfocal._checks import check_size
from skfocal._compat import users_stacklevel
from skfocal.boosting.link import Link, Resampled, matched_correction
from skfocal.boosting.parameters import FocalParameters
from skfocal.boosting.resampling import resample
from skfocal.boosting.samples import AsFeatures, Samples, weigh_classes
from skfocal.boosting.splitting import Split, split_off
from skfocal.losses.parameters import HessianPolicy
from skfocal.losses.registry import Loss
from skfocal.objectives import Engine, FocalObjective, TrainingObjective, hessian_factor
from skfocal.priors import as_prior, correction_to


class Given(NamedTuple):
    """The data before a sampler, at whose prior the probabilities of the model are to hold."""

    samples: Samples
    factor: NDArray[np.float64]  # see `matched_correction`: the weights of classes, or the way to another prior


@dataclass(frozen=True, eq=False)
class Plan:
    """What an engine is to train on, and what its margins will mean."""

    training: Samples  # after the split, the sampler and the weights of classes
    validation: Samples | None  # what was split off, with the weights of classes
    hessian: HessianPolicy
    link: Link  # by the counts of classes at the prior of the data as given
    prior_correction: NDArray[np.float64] | None  # of the link to predict with, by those counts
    given: Given | None  # what was there before a sampler, None without one
    intercept: float | NDArray[np.float64] | None  # None where training starts elsewhere
    is_sparse: bool  # whether the features as given are a sparse matrix

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

    def training_objective(self, engine: Engine, n_jobs: int | None, **how: Any) -> TrainingObjective:
        """Return the same for one fit, with its labels and weights; `how` is for `TrainingObjective`."""
        factor, (_, codes, weight, *_) = hessian_factor(engine, self.n_margins), self.training
        return TrainingObjective(self.objective(n_jobs), factor=factor, y_true=codes, sample_weight=weight, **how)


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
        Whether there are margins to start from in place of an intercept, or the engine asks the loss for it.
    """
    as_prior(focal.prior, classes)  # before any work
    training, validation = (samples, None) if split is None else split_off(samples, classes, split)
    loss, by_class = weigh_classes(focal, training.totals(len(classes)), classes)
    validation = validation and validation.weighted(by_class)
    given = resampled = undone = None
    if focal.sampler is not None:
        totals, alpha = training.weighted(by_class).prior(), loss.class_weights or 1.0
        in_weights = np.ones(len(classes)) if by_class is None else by_class
        elsewhere = correction_to(focal.prior, classes, samples.prior())
        given = Given(samples, in_weights * alpha if elsewhere is None else elsewhere)
        training = resample(training, classes, focal.sampler, as_features)
        loss, by_class = weigh_classes(focal, training.totals(), classes)  # "balanced" balances what it is given
        made = training.weighted(by_class).prior()
        # The probabilities are to be those of the data as given, with the weights that these would have had.
        resampled = Resampled(made / totals, in_weights, in_weights * alpha)
        undone = totals * alpha / (made * (loss.class_weights or 1.0))
    training = training.weighted(by_class)
    _check_gradients(training, loss)
    link = Link(loss, classes, undone, resampled)
    prior = training.prior(len(classes))
    correction = correct_for_prior(focal, link, prior)
    intercept = None if starts_elsewhere else loss.intercept(prior)
    is_sparse = sparse.issparse(samples.X)
    return Plan(training, validation, focal.hessian, link, correction, given, intercept, is_sparse)


def _check_gradients(training: Samples, loss: Any) -> None:
    """Raise if what the loss multiplies into gradients is too large for the engines."""
    if loss.class_weights is not None:
        alpha = np.asarray(loss.class_weights)[training.codes]
        weight = alpha if training.weight is None else training.weight * alpha
        check_size(weight, "sample_weight times class_weight times focal_alpha")


def correction_of(plan: Plan, decision_function: Callable[[Any], NDArray[Any]]) -> NDArray[np.float64] | None:
    """Return what the posterior of a trained model is multiplied by to predict.

    After a sampler it is what the data as given say: with it the mean posterior is the share of each class there. The
    counts say it only of a model that the sampler's data has taught nothing else.
    """
    if plan.given is None:
        return plan.prior_correction
    samples, factor = plan.given
    posterior = plan.loss.predict_proba(decision_function(samples.X))
    correction = matched_correction(posterior, samples.codes, samples.weight, factor)
    if correction is None:
        warnings.warn(
            "No weights of the classes move the probabilities to the prior of the data as given: after the sampler "
            "they are corrected by the counts of the classes.",
            stacklevel=users_stacklevel(),
        )
        return plan.prior_correction
    return correction


def correct_for_prior(focal: FocalParameters, link: Link, totals: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return what the posterior is multiplied by to predict; `totals` are the weights of classes trained on."""
    correction = correction_to(focal.prior, link.classes, totals * (link.loss.class_weights or 1.0))
    return link.correction if correction is None else correction
