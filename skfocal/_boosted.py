"""What the boosted classifiers share: parameter names, training data, evaluation sets, the intercept.

Knows no engine. Imports `_classifier`, `losses`, `objectives` and `_compat`.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from skfocal._classifier import (
    check_known_labels,
    check_sample_weight,
    check_size,
    check_totals,
    class_parameters,
    class_weights,
    encode_labels,
)
from skfocal._compat import LearnedAttribute
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss, check_gamma, check_hessian_policy
from skfocal.objectives import FocalObjective

# Names that people try first, and ours. XGBoost's gamma and alpha are parameters of its own.
_HINTS = {
    "alpha": "focal_alpha",
    "gamma": "focal_gamma",
    "hessian": "focal_hessian",
    "is_unbalance": "class_weight='balanced'",
}


class TrainingData(NamedTuple):
    """Checked training data: no sample in it weighs 0, and every class has one that weighs more."""

    X: Any
    y: NDArray[np.integer]
    sample_weight: NDArray[np.float64] | None
    kept: NDArray[np.bool_] | None  # the rows of the user's data that are left; None: all of them

    @property
    def n_given(self) -> int:
        """Number of rows of the user's data."""
        return len(self.y if self.kept is None else self.kept)

    def keep(self, values: Any) -> Any:
        """Return what belongs to the rows that are left, of something that has one entry per row of the user's data."""
        return values if values is None or self.kept is None else _safe_indexing(values, self.kept)


class FocalBoostedMixin:
    """Focal loss, labels, weights and probabilities of a boosted classifier; goes before the engine's class."""

    focal_gamma: Any
    focal_alpha: Any
    focal_hessian: Any
    class_weight: Any
    objective: Any
    focal_intercept_: Any

    n_features_in_ = LearnedAttribute()
    feature_names_in_ = LearnedAttribute()
    classes_ = LearnedAttribute()

    # What the engine's constructor does not know, and what we set in the engine ourselves.
    _focal_parameters = ("focal_gamma", "focal_alpha", "focal_hessian", "class_weight", "objective")

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

    def _check_X(self, X: Any, *, reset: bool, allow_inf: bool) -> Any:
        """Check features and record (or compare) their number and names. Tables go to the engine as they are."""
        is_table = hasattr(X, "columns") or hasattr(X, "column_names")
        if is_table or hasattr(X, "__cuda_array_interface__"):
            return validate_data(self, X, reset=reset, skip_check_array=True)
        return validate_data(
            self,
            X,
            reset=reset,
            accept_sparse=["csr", "csc"],
            ensure_all_finite=False if allow_inf else "allow-nan",
        )

    def _training_data(self, X: Any, y: Any, sample_weight: Any, *, allow_inf: bool) -> TrainingData:
        """Check everything that `fit` is given, before any work; set ``classes_`` and ``focal_loss_``."""
        self._check_parameter_names(self.get_params())  # type: ignore[attr-defined]  # the engine's class comes after
        self._check_objective()
        check_hessian_policy(self.focal_hessian, "focal_hessian")
        if not isinstance(self.focal_gamma, Mapping):
            check_gamma(self.focal_gamma, "focal_gamma")
        codes, self.classes_ = encode_labels(y, type(self).__name__)
        weight = check_sample_weight(sample_weight, len(codes))
        # Weights of the samples, then of the classes, then of the loss: "balanced" balances what comes before it.
        totals = np.bincount(codes, weights=weight).astype(np.float64)
        check_totals(totals, self.classes_)
        class_weight = class_weights(self.class_weight, self.classes_, totals)
        totals = totals if class_weight is None else totals * class_weight
        gamma, alpha = class_parameters(self.focal_gamma, self.focal_alpha, self.classes_, totals)
        loss = BinaryFocalLoss if len(self.classes_) == 2 else MulticlassFocalLoss
        self.focal_loss_ = loss(gamma, alpha)
        if class_weight is not None:
            weight = class_weight[codes] if weight is None else weight * class_weight[codes]
            check_size(weight, "sample_weight times class_weight")
        X = self._check_X(X, reset=True, allow_inf=allow_inf)
        check_consistent_length(X, codes)
        data = TrainingData(X, codes, weight, None)
        if weight is None or weight.all():
            return data
        # A sample that weighs 0 must not count where the engines count samples: in bins and minimum leaf sizes.
        data = data._replace(kept=weight > 0)
        return data._replace(X=data.keep(X), y=data.keep(codes), sample_weight=data.keep(weight))

    def _eval_sets(
        self, eval_set: Any, X: Any, y: Any, data: TrainingData, recognise: Callable[[int], bool], *, allow_inf: bool
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
            if eval_X is X and eval_y is y and recognise(i)
            else self._eval_pair(eval_X, eval_y, f"eval_set[{i}]", allow_inf=allow_inf)
            for i, (eval_X, eval_y) in enumerate(pairs)
        ]

    def _eval_pair(self, X: Any, y: Any, name: str, *, allow_inf: bool) -> tuple[Any, NDArray[np.integer]]:
        """Return checked features and the codes of their labels, which must be among the training labels."""
        codes = check_known_labels(y, self.classes_, name)
        X = self._check_X(X, reset=False, allow_inf=allow_inf)
        check_consistent_length(X, codes)
        return X, codes

    def _focal_objective(self, names_of_n_jobs: Iterable[str]) -> FocalObjective:
        """Return the objective, which uses as many threads as the engine is told to use."""
        params = self._engine_params()
        n_jobs = next((params[name] for name in names_of_n_jobs if params.get(name) is not None), None)
        return FocalObjective(self.focal_loss_, self.focal_hessian, n_jobs)

    def _intercept(self, data: TrainingData) -> float | NDArray[np.float64]:
        return self.focal_loss_.intercept(np.bincount(data.y, weights=data.sample_weight))

    def _check_fitted_X(self, X: Any, *, allow_inf: bool) -> Any:
        check_is_fitted(self)
        return self._check_X(X, reset=False, allow_inf=allow_inf)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # the engine's class comes after this one
        tags.no_validation = False
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = True
        tags.classifier_tags.multi_label = False
        return tags
