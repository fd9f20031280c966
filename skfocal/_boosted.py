"""What the boosted classifiers share: parameter names, training and evaluation data, the way to the posterior.

Knows no engine. Imports `_classifier`, `losses`, `objectives`, `priors` and `_compat`.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import _safe_indexing, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from skfocal._classifier import (
    check_fraction,
    check_known_labels,
    check_no_other_table,
    check_sample_weight,
    check_sampled,
    check_sampler,
    check_size,
    check_totals,
    class_parameters,
    class_weights,
    encode_labels,
    stratified_split,
)
from skfocal._compat import LearnedAttribute
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss, check_gamma, check_hessian_policy, check_mix
from skfocal.objectives import FocalObjective
from skfocal.priors import check_prior, reweighted

# Names that people try first, and ours. XGBoost's gamma and alpha are parameters of its own.
_HINTS = {
    "alpha": "focal_alpha",
    "gamma": "focal_gamma",
    "hessian": "focal_hessian",
    "is_unbalance": "class_weight='balanced'",
}


class TrainingData(NamedTuple):
    """Checked training or validation data: no sample in it weighs 0."""

    X: Any
    y: NDArray[np.integer]
    sample_weight: NDArray[np.float64] | None = None
    start: NDArray[np.float64] | None = None  # margins to start from
    is_whole: bool = True  # whether these are all rows of the user's data, in their order

    def rows(self, chosen: Any) -> "TrainingData":
        """Return the data of some rows, which may be chosen repeatedly."""

        def choose(part: Any) -> Any:
            return None if part is None else _safe_indexing(part, chosen)

        return TrainingData(choose(self.X), choose(self.y), choose(self.sample_weight), choose(self.start), False)

    def totals(self) -> NDArray[np.float64]:
        """Return the summed weights of each class."""
        return np.bincount(self.y, weights=self.sample_weight).astype(np.float64)

    def weighted(self, by_class: NDArray[np.float64] | None) -> "TrainingData":
        """Return the data with the weights of the classes multiplied into those of the samples."""
        if by_class is None:
            return self
        weight = by_class[self.y] if self.sample_weight is None else self.sample_weight * by_class[self.y]
        check_size(weight, "sample_weight times class_weight")
        return self._replace(sample_weight=weight)


class Resampling(NamedTuple):
    """What a sampler has done to the shares of the classes."""

    ratio: NDArray[np.float64]  # by which the weight of each class has grown
    undone: NDArray[np.float64]  # what the posterior is multiplied by to hold for the data as given


class FocalBoostedMixin:
    """Focal loss, labels, weights and probabilities of a boosted classifier; goes before the engine's class."""

    focal_gamma: Any
    focal_alpha: Any
    focal_mix: Any
    focal_hessian: Any
    class_weight: Any
    sampler: Any
    prior: Any
    validation_fraction: Any
    progress_bar: Any
    random_state: Any
    objective: Any
    focal_intercept_: Any
    prior_correction_: NDArray[np.float64] | None
    _trained_on_sparse: bool

    n_features_in_ = LearnedAttribute()
    feature_names_in_ = LearnedAttribute()
    classes_ = LearnedAttribute()

    # What the engine's constructor does not know, and what we set in the engine ourselves.
    _focal_parameters = (
        "focal_gamma", "focal_alpha", "focal_mix", "focal_hessian", "class_weight", "sampler", "prior",
        "early_stopping_rounds", "validation_fraction", "eval_metric", "progress_bar", "objective",
    )  # fmt: skip

    def _engine_names(self) -> frozenset[str]:
        """Return every name of a parameter that the engine's own estimator understands."""
        raise NotImplementedError

    def _engine_params(self) -> dict[str, Any]:
        """Return the parameters that are the engine's: neither ours nor those that a subclass has added."""
        names = self._engine_names().difference(self._focal_parameters)
        return {k: v for k, v in self.get_params().items() if k in names}  # type: ignore[attr-defined]  # the engine's

    def _check_parameter_names(self, params: Mapping[str, Any]) -> None:
        """Raise if a parameter is neither ours nor the engine's: both engines take any name, and drop it."""
        known = {*self._focal_parameters, *self._engine_names(), *signature(type(self).__init__).parameters}
        for name in set(params) - known:
            close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
            hint = _HINTS.get(name) or (close[0] if close else None)
            hint = f": did you mean {hint}?" if hint else "."
            raise ValueError(f"{name}={params[name]!r} is not a parameter of {type(self).__name__}{hint}")

    def _check_objective(self) -> None:
        if self.objective is not None:
            raise ValueError(
                f"objective must be None, the focal loss that {type(self).__name__} trains on, got {self.objective!r}."
            )

    def _refuse(self, name: str, value: Any, accepted: tuple[Any, ...], instead: str) -> None:
        """Raise if a parameter that the engine ignores under a custom objective is set to anything that matters."""
        # None is how both engines spell a parameter that is not set.
        if value is not None and not any(np.ndim(value) == 0 and value == neutral for neutral in accepted):
            valid = f"be {' or '.join(map(repr, accepted))}" if accepted else "be left out"
            raise ValueError(f"{name} must {valid} with the focal loss, got {value!r}: {instead}.")

    def _allows_inf(self) -> bool:
        """Tell whether features may be infinite."""
        raise NotImplementedError

    def _seed(self) -> Any:
        """Return the random state, under whichever of the engine's names it is given."""
        raise NotImplementedError

    def _check_start(self, margins: Any, n_samples: int, name: str) -> NDArray[np.float64] | None:
        """Return margins to start from, in the shape of the engine's margins."""
        raise NotImplementedError

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator, and of its sampler as ``sampler__<name>``.

        Parameters
        ----------
        **params
            Parameter names, the engine's own among them, with their new values.

        Returns
        -------
        self : object
        """
        of_sampler = {name: params.pop(name) for name in list(params) if name.startswith("sampler__")}
        self._set_params(params)
        if of_sampler:
            check_sampler(self.sampler)
            self.sampler.set_params(**{name.removeprefix("sampler__"): value for name, value in of_sampler.items()})
        return self

    def _set_params(self, params: dict[str, Any]) -> None:
        super().set_params(**params)  # type: ignore[misc]  # the engine's class comes after this one

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        """Check features and record (or compare) their number and names. Tables go to the engine as they are."""
        is_table = hasattr(X, "columns") or hasattr(X, "column_names")
        if is_table or hasattr(X, "__cuda_array_interface__"):
            return validate_data(self, X, reset=reset, skip_check_array=True)
        return validate_data(
            self,
            X,
            reset=reset,
            accept_sparse=["csr", "csc"],
            ensure_all_finite=False if self._allows_inf() else "allow-nan",
        )

    def _check_parameters(self) -> None:
        """Check the parameters that need no data."""
        self._check_parameter_names(self.get_params(deep=False))  # type: ignore[attr-defined]  # the engine's
        self._check_objective()
        check_hessian_policy(self.focal_hessian, "focal_hessian")
        if not isinstance(self.focal_gamma, Mapping):
            check_gamma(self.focal_gamma, "focal_gamma")
        check_mix(self.focal_mix)
        if self.sampler is not None:
            check_sampler(self.sampler)
        if not isinstance(self.progress_bar, bool | np.bool_):
            raise TypeError(f"progress_bar must be True or False, got {self.progress_bar!r}.")
        check_fraction(self.validation_fraction)

    def _training_data(self, X: Any, y: Any, sample_weight: Any, start: Any, start_name: str) -> TrainingData:
        """Check everything that training needs, before any work; set ``classes_``."""
        self._check_parameters()
        codes, self.classes_ = encode_labels(y, type(self).__name__)
        weight = check_sample_weight(sample_weight, len(codes))
        data = TrainingData(None, codes, weight)
        check_totals(data.totals(), self.classes_)
        self._set_loss(data)
        X = self._check_X(X, reset=True)
        self._trained_on_sparse = sparse.issparse(X)
        check_consistent_length(X, codes)
        data = data._replace(X=X, start=self._check_start(start, len(codes), start_name))
        # A sample that weighs 0 must not count where the engines count samples: in bins and minimum leaf sizes.
        return data if weight is None or weight.all() else data.rows(weight > 0)

    def _set_loss(self, data: TrainingData) -> NDArray[np.float64] | None:
        """Set ``focal_loss_`` and return the weights of the classes."""
        # Weights of the samples, then of the classes, then of the loss: "balanced" balances what comes before it.
        totals = data.totals()
        by_class = class_weights(self.class_weight, self.classes_, totals)
        totals = totals if by_class is None else totals * by_class
        gamma, alpha = class_parameters(self.focal_gamma, self.focal_alpha, self.classes_, totals)
        loss = BinaryFocalLoss if len(self.classes_) == 2 else MulticlassFocalLoss
        self.focal_loss_ = loss(gamma, alpha, self.focal_mix)
        return by_class

    def _prepare(self, data: TrainingData, *, split: bool) -> tuple[TrainingData, TrainingData | None]:
        """Split validation data off, resample the rest and weigh both; set ``focal_loss_`` and what is known of priors.

        `split` tells whether early stopping needs a part of the data.
        """
        prior = check_prior(self.prior, self.classes_)
        data, validation = self._validation_split(data) if split else (data, None)
        by_class = self._set_loss(data)
        validation = validation and validation.weighted(by_class)
        self._resampling = None
        if self.sampler is not None:
            given, alpha = data.weighted(by_class).totals(), self.focal_loss_.class_weights or 1.0
            data = self._resampled(data)
            by_class = self._set_loss(data)  # "balanced" balances what it is given
            made, new_alpha = data.weighted(by_class).totals(), self.focal_loss_.class_weights or 1.0
            # The probabilities are to be those of the data as given, with the weights that these would have had.
            self._resampling = Resampling(made / given, given * alpha / (made * new_alpha))
        data = data.weighted(by_class)
        self.prior_correction_ = None if self._resampling is None else self._resampling.undone
        if prior is not None:
            self.prior_correction_ = prior / (data.totals() * (self.focal_loss_.class_weights or 1.0))
        return data, validation

    def _validation_split(self, data: TrainingData) -> tuple[TrainingData, TrainingData]:
        """Return training and validation data, with the same share of every class in both."""
        training, validation = stratified_split(data.y, self.classes_, self.validation_fraction, self._seed())
        return data.rows(training), data.rows(validation)

    def _resampled(self, data: TrainingData) -> TrainingData:
        """Return what the sampler makes of the training data."""
        check_no_other_table(data.X, self.sampler)
        sampler = clone(self.sampler)
        X, labels = sampler.fit_resample(data.X, self.classes_[data.y])
        X = self._check_X(X, reset=False)
        codes = check_known_labels(labels, self.classes_, "the resampled data")
        check_sampled(codes, self.classes_, self.sampler)
        if data.sample_weight is None:
            return TrainingData(X, codes, is_whole=False)
        if not hasattr(sampler, "sample_indices_"):
            raise ValueError(
                f"sample_weight must be None with sampler={self.sampler!r}, which does not tell which samples its own "
                "are from: these have no weights. Samplers that have sample_indices_, and so choose, take them."
            )
        return data.rows(sampler.sample_indices_)._replace(X=X, y=codes)

    def _check_start_with_sampler(self, **starts: Any) -> None:
        """Raise if there are margins to start from beside a sampler: they are at the prior of the data, not at its."""
        given = [name for name, start in starts.items() if start is not None]
        if given and self.sampler is not None:
            raise ValueError(f"sampler must be None with {given[0]}, got {self.sampler!r}.")

    def _posterior(self, raw_prediction: Any) -> Any:
        """Map margins to posterior probabilities at the prior asked for."""
        posterior = self.focal_loss_.predict_proba(raw_prediction)
        return posterior if self.prior_correction_ is None else reweighted(posterior, self.prior_correction_)

    def _posterior_of_data(self, raw_prediction: Any) -> Any:
        """Map margins to posterior probabilities at the prior of the data, which metrics are evaluated on."""
        posterior = self.focal_loss_.predict_proba(raw_prediction)
        return posterior if self._resampling is None else reweighted(posterior, self._resampling.undone)

    def _eval_sets(
        self, eval_set: Any, X: Any, y: Any, data: TrainingData, recognise: Callable[[int], bool]
    ) -> list[tuple[Any, NDArray[np.integer]]]:
        """Check evaluation sets and encode their labels.

        The engines evaluate on the training data without a copy if they are given the very same objects; `recognise`
        tells whether that is what evaluation set i asks for.
        """
        if eval_set is None:
            return []
        if not isinstance(eval_set, list | tuple):
            raise ValueError(f"eval_set must be a list of pairs (X, y), got a {type(eval_set).__name__}.")
        one_pair = isinstance(eval_set, tuple) and not all(isinstance(entry, tuple) for entry in eval_set)
        pairs = [eval_set] if one_pair else list(eval_set)
        for i, pair in enumerate(pairs):
            if not isinstance(pair, tuple | list) or len(pair) != 2 or pair[1] is None:
                raise ValueError(f"eval_set must be a list of pairs (X, y), got a {type(pair).__name__} as entry {i}.")
        return [
            (data.X, data.y)
            if eval_X is X and eval_y is y and self.sampler is None and recognise(i)
            else self._eval_pair(eval_X, eval_y, f"eval_set[{i}]")
            for i, (eval_X, eval_y) in enumerate(pairs)
        ]

    def _eval_pair(self, X: Any, y: Any, name: str) -> tuple[Any, NDArray[np.integer]]:
        """Return checked features and the codes of their labels, which must be among the training labels."""
        codes = check_known_labels(y, self.classes_, name)
        X = self._check_X(X, reset=False)
        check_consistent_length(X, codes)
        return X, codes

    def _focal_objective(self, names_of_n_jobs: Iterable[str]) -> FocalObjective:
        """Return the objective, which uses as many threads as the engine is told to use."""
        params = self._engine_params()
        n_jobs = next((params[name] for name in names_of_n_jobs if params.get(name) is not None), None)
        return FocalObjective(self.focal_loss_, self.focal_hessian, n_jobs)

    def _intercept(self, data: TrainingData) -> float | NDArray[np.float64]:
        return self.focal_loss_.intercept(data.totals())

    def _check_fitted_X(self, X: Any) -> Any:
        check_is_fitted(self)
        return self._check_X(X, reset=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # the engine's class comes after this one
        tags.no_validation = False
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = True
        tags.classifier_tags.multi_label = False
        return tags


def check_same_margins(name: str, given: int, wanted: int) -> None:
    """Raise if a model to continue has another number of margins than the classes of y need."""
    if given != wanted:
        raise ValueError(f"{name} must have {wanted} margins, as the classes of y need, got a model with {given}.")


def check_same_features(name: str, given: int, wanted: int) -> None:
    """Raise if a model to continue has another number of features than X."""
    if given != wanted:
        raise ValueError(f"{name} must have the {wanted} features of X, got a model with {given}.")
