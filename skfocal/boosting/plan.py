"""Plan: all that is decided before an engine trains; made once, of samples and parameters.

Imports `samples`, `link`, `parameters`, `losses`, `objectives`, `priors` and `_labels`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from skfocal._labels import as_known_codes, check_split, class_weights
from skfocal.boosting.link import Link
from skfocal.boosting.parameters import FocalParameters
from skfocal.boosting.samples import AsFeatures, Samples
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


class Split(NamedTuple):
    """What early stopping splits off."""

    fraction: float
    random_state: Any


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
    training, validation = (samples, None) if split is None else _split(samples, classes, split)
    loss, by_class = weigh_classes(focal, training, classes)
    validation = validation and validation.weighted(by_class)
    resampled = undone = None
    if focal.sampler is not None:
        given, alpha = training.weighted(by_class).totals(), loss.class_weights or 1.0
        training = _resample(training, classes, focal.sampler, as_features)
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


def _split(samples: Samples, classes: NDArray[Any], split: Split) -> tuple[Samples, Samples]:
    """Return the samples to train and those to validate, in their order, with the same share of every class in both."""
    fraction, random_state = split
    sizes = np.bincount(samples.codes, minlength=len(classes))
    check_split(sizes, classes, fraction, "early_stopping_rounds without an eval_set")
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


def _resample(samples: Samples, classes: NDArray[Any], sampler: Any, as_features: AsFeatures) -> Samples:
    """Return what the sampler makes of the training data."""
    _check_no_other_table(samples.X, sampler)
    used = clone(sampler)
    X, labels = used.fit_resample(samples.X, classes[samples.codes])
    X = as_features(X, reset=False)
    codes = as_known_codes(labels, classes, "the resampled data")
    _check_all_sampled(codes, classes, sampler)
    if samples.weight is None:
        return Samples(X, codes, is_whole=False)
    if not hasattr(used, "sample_indices_"):
        raise ValueError(
            f"sample_weight must be None with sampler={sampler!r}, which does not tell which samples its own "
            "are from: these have no weights. Samplers that have sample_indices_, and so choose, take them."
        )
    return samples.rows(used.sample_indices_)._replace(X=X, codes=codes)


def _check_no_other_table(X: Any, sampler: Any) -> None:
    """Raise if features are in a table of another library than pandas, whose columns imbalanced-learn drops."""
    is_table = hasattr(X, "columns") or hasattr(X, "column_names")
    if is_table and not hasattr(X, "iloc"):
        raise TypeError(
            f"X must be an array, a sparse matrix or a pandas DataFrame with sampler={sampler!r}, "
            f"got a {type(X).__module__.partition('.')[0]} {type(X).__name__}."
        )


def _check_all_sampled(codes: NDArray[np.integer], classes: NDArray[Any], sampler: Any) -> None:
    """Raise if a sampler has left out a class."""
    left_out = classes[np.bincount(codes, minlength=len(classes)) == 0].tolist()
    if left_out:
        raise ValueError(f"sampler must leave samples of every class, got none of {left_out} from {sampler!r}.")
