"""scikit-learn's boosting at work: the focal loss as its private `BaseLoss`, the same from 1.7 to 1.9.

Imports `_state`, `boosting` and `objectives`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn._loss.link import IdentityLink
from sklearn._loss.loss import BaseLoss
from sklearn.ensemble import HistGradientBoostingClassifier

from skfocal._state import adopt_fitted_state
from skfocal.boosting.link import Link
from skfocal.boosting.plan import Plan
from skfocal.boosting.samples import Samples
from skfocal.objectives import TrainingObjective


class EngineLoss(BaseLoss):
    """A focal loss as scikit-learn calls it: with margins of shape (n_samples, n_margins), and arrays to write to."""

    def __init__(self, link: Link, training: TrainingObjective | None = None) -> None:
        super().__init__(closs=None, link=IdentityLink(), n_classes=len(link.classes))
        self.is_multiclass = len(link.classes) > 2
        self.focal_link = link
        self.training = training

    def _margins(self, raw_prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        return raw_prediction if self.is_multiclass else raw_prediction.reshape(-1)

    def loss(self, y_true: Any, raw_prediction: Any, **_: Any) -> NDArray[np.float64]:
        """Return the loss of each sample; scikit-learn weighs and averages."""
        losses: NDArray[np.float64] = self.focal_link.loss.loss(y_true, self._margins(raw_prediction))
        return losses

    def gradient_hessian(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any, gradient_out: Any, hessian_out: Any, n_threads: int
    ) -> None:
        """Write gradient and Hessian of all training samples."""
        if self.training is not None:
            self.training(y_true, self._margins(raw_prediction), sample_weight, out=(gradient_out, hessian_out))

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> NDArray[np.float64]:
        """Return the focal intercept."""
        totals = np.bincount(y_true.astype(np.intp), weights=sample_weight, minlength=self.n_classes)
        return np.asarray(self.focal_link.loss.intercept(totals))

    def predict_proba(self, raw_prediction: Any) -> NDArray[np.float64]:
        """Return the posterior that scorers are asked about."""
        posterior: NDArray[np.float64] = self.focal_link.posterior(self._margins(raw_prediction))
        return posterior


class _Engine(HistGradientBoostingClassifier):
    """scikit-learn's own, whose labels are those of its probabilities: at margin 0 these need not be one half."""

    def predict(self, X: Any) -> NDArray[Any]:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def train(
    plan: Plan, params: dict[str, Any], validation: Samples | None, before: Any
) -> HistGradientBoostingClassifier:
    """Return scikit-learn's own classifier, trained on the focal loss; going on from `before`, if that is not None."""
    classes, training = plan.link.classes, plan.training
    if validation is not None and params["scoring"] == "loss":
        validation = validation.weighted(plan.link.resampled)
    with TrainingObjective(plan.objective(None), factor=1.0, dtype=np.float64) as objective:
        engine = _Engine(**params)
        if before is not None:
            adopt_fitted_state(engine, before)
            engine._predictors = list(before._predictors)  # which grows in place
        engine.loss = EngineLoss(plan.link, objective)
        held_out = {} if validation is None else {
            "X_val": validation.X, "y_val": classes[validation.codes], "sample_weight_val": validation.weight
        }  # fmt: skip
        engine.fit(training.X, classes[training.codes], sample_weight=training.weight, **held_out)
    engine.loss = engine._loss = EngineLoss(plan.link)  # without what the training kept; scorers keep the engine
    engine.__dict__.pop("_raw_predict", None)  # a method of this engine, which scorers by name leave behind
    return engine
