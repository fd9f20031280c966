"""The part of a boosted classifier that overrides its engine's class.

Imports `link`, `model_file`, `onnx_model`, `parameters`, `plan`, `usefulness`, `_state` and `losses`.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from skfocal._state import LearnedAttribute, adopt_fitted_state
from skfocal.boosting.link import Link
from skfocal.boosting.model_file import FOCAL_PARAMETERS
from skfocal.boosting.onnx_model import OnnxTrees
from skfocal.boosting.parameters import set_sampler_params, split_sampler_params
from skfocal.boosting.plan import Plan, correction_of
from skfocal.boosting.usefulness import warn_if_constant, warn_of_no_split
from skfocal.losses.registry import Loss


class FocalBoostedMixin:
    """Focal loss, labels and probabilities of a boosted classifier; goes before the engine's class."""

    _family: ClassVar[str] = "focal"  # of the loss, in the registry of losses
    _accept_sparse: ClassVar[Any] = ("csr", "csc")  # as scikit-learn's argument of this name
    _start_name: ClassVar[str] = ""  # of the argument of `fit` that takes margins to start from
    _start_order: ClassVar[Literal["C", "F"]] = "C"  # in which the engine reads margins of several classes

    _thresholds: ClassVar[tuple[tuple[str, float], ...]]  # parameters that keep the engine from splits, with defaults
    _onnx_trees: ClassVar[Callable[..., OnnxTrees]]  # a method of the engine's room: its trees for ONNX

    sampler: Any
    focal_loss_: Loss
    focal_intercept_: Any
    prior_correction_: NDArray[np.float64] | None
    _trained_on_sparse: bool
    _focal_parameters: dict[str, Any]  # as they were when the model was fitted

    n_features_in_ = LearnedAttribute()
    feature_names_in_ = LearnedAttribute()
    classes_ = LearnedAttribute()

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
        others, of_sampler = split_sampler_params(params)
        super().set_params(**others)  # type: ignore[misc]  # of the engine's class
        set_sampler_params(self, of_sampler)
        return self

    @property
    def _link(self) -> Link:
        """The way from margins to the probabilities that are predicted."""
        return Link(self.focal_loss_, self.classes_, self.prior_correction_)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return posterior probabilities, through the focal link.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``.
        """
        raw_prediction = self.decision_function(X)  # type: ignore[attr-defined]  # the engine's
        return self._link.posterior(raw_prediction, n_jobs=None)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each sample.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        posterior = self.predict_proba(X)
        return self._link.labels(posterior)

    def _adopt(self, engine: Any, plan: Plan, *, tells_apart: bool = False) -> None:
        """Become what the engine's own classifier has become, and what the plan says.

        If it is known that the margins tell samples apart, none are predicted to find out.
        """
        adopt_fitted_state(self, engine)
        self.classes_ = plan.link.classes
        self.focal_loss_ = plan.loss
        self.focal_intercept_ = plan.intercept
        self._trained_on_sparse = plan.is_sparse
        self._focal_parameters = {name: getattr(self, name) for name in FOCAL_PARAMETERS}
        self.prior_correction_ = correction_of(plan, self.decision_function)  # type: ignore[attr-defined]
        if not tells_apart:
            warn_if_constant(self, plan.training, engine)

    def _adopt_without_samples(self, engine: Any, plan: Plan, *, has_splits: bool) -> None:
        """Do so where the samples are not at hand to predict: in batches, or on other machines."""
        self._adopt(engine, plan, tells_apart=True)
        if not has_splits:
            warn_of_no_split(self, engine)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # the engine's class comes after this one
        tags.no_validation = False
        tags.input_tags.sparse = bool(self._accept_sparse)
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = True
        tags.classifier_tags.multi_label = False
        return tags
