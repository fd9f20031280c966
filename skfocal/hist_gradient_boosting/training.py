"""scikit-learn's boosting at work: the focal loss as its private `BaseLoss`, the same from 1.7 to 1.9.

Imports `_checks`, `_compat`, `_state`, `boosting` and `objectives`.
"""

from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn._loss.link import IdentityLink
from sklearn._loss.loss import BaseLoss
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import check_scoring

from skfocal._checks import prior_totals
from skfocal._compat import BinsEmptyColumns
from skfocal._state import adopt_fitted_state
from skfocal.boosting.link import Link
from skfocal.boosting.metrics import score_in_training
from skfocal.boosting.parameters import FocalParameters
from skfocal.boosting.plan import Plan, correct_for_prior
from skfocal.boosting.samples import Samples
from skfocal.objectives import TrainingObjective


class EngineLoss(BaseLoss):
    """A focal loss as scikit-learn calls it: with margins of shape (n_samples, n_margins), and arrays to write to."""

    def __init__(self, link: Link, training: Any = None, totals: Any = None) -> None:
        super().__init__(closs=None, link=IdentityLink(), n_classes=len(link.classes))
        self.is_multiclass = len(link.classes) > 2
        self.focal_link = link
        self.training = training  # a TrainingObjective, or None once all is done
        self.totals = totals  # the weight of each class that was trained on

    def _margins(self, raw_prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        return raw_prediction if self.is_multiclass else raw_prediction.reshape(-1)

    def _totals(self, y_true: Any, weight: Any) -> NDArray[np.float64]:
        return prior_totals(np.bincount(y_true.astype(np.intp), weight, self.n_classes), weight)

    def loss(self, y_true: Any, raw_prediction: Any, **_: Any) -> Any:
        """Return the loss of each sample; scikit-learn weighs and averages."""
        return self.focal_link.loss.loss(y_true, self._margins(raw_prediction))

    def gradient_hessian(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any, gradient_out: Any, hessian_out: Any, n_threads: int
    ) -> None:
        """Write gradient and Hessian of all training samples."""
        if self.totals is None:  # of a warm start, where scikit-learn wants no intercept
            self.totals = self._totals(y_true, sample_weight)
        self.training(y_true, self._margins(raw_prediction), sample_weight, out=(gradient_out, hessian_out))

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> NDArray[np.float64]:
        """Return the focal intercept."""
        self.totals = self._totals(y_true, sample_weight)
        return np.asarray(self.focal_link.loss.intercept(self.totals))

    def predict_proba(self, raw_prediction: Any) -> Any:
        """Return the posterior; scikit-learn splits by class where a loss has one."""
        return self.focal_link.posterior(self._margins(raw_prediction))


class _Engine(BinsEmptyColumns, HistGradientBoostingClassifier):
    """scikit-learn's own, whose scorer is asked through the link: labels, too, which margin 0 need not part."""

    _scorer = property(
        lambda self: partial(score_in_training, check_scoring(self, self.scoring), self.loss.focal_link),
        lambda self, scorer: None,  # scikit-learn sets it, without the link
    )


def train(plan: Plan, params: dict[str, Any], validation: Samples | None, before: Any) -> _Engine:
    """Return scikit-learn's own classifier, trained on the focal loss; going on from `before`, if that is not None."""
    if validation is not None and params["scoring"] == "loss" and plan.link.resampled is not None:
        validation = validation.weighted(plan.link.resampled.growth)
    with TrainingObjective(plan.objective(None), factor=1.0, dtype=np.float64) as objective:
        engine = _Engine(**params)
        if before is not None:
            adopt_fitted_state(engine, before)
            engine._predictors = list(before._predictors)  # which grows in place, as the generator goes on
            engine._feature_subsample_rng = deepcopy(before._feature_subsample_rng)
        engine.loss = EngineLoss(plan.link, objective)
        held_out = {} if validation is None else {
            "X_val": validation.X, "y_val": plan.link.classes[validation.codes], "sample_weight_val": validation.weight
        }  # fmt: skip
        fit = super(HistGradientBoostingClassifier, engine).fit  # around its own, mlflow would record the engine
        fit(plan.training.X, plan.link.classes[plan.training.codes], sample_weight=plan.training.weight, **held_out)
    engine.loss = engine._loss = EngineLoss(plan.link, totals=engine.loss.totals)  # a scorer may keep the engine
    engine.__dict__.pop("_raw_predict", None)  # a method of this engine, which scorers by name leave behind
    return engine


def as_trained(plan: Plan, focal: FocalParameters, engine: _Engine) -> Plan:
    """Return the plan with the intercept and the prior of what scikit-learn has left to train on."""
    intercept = engine._baseline_prediction[0] if plan.n_margins > 1 else float(engine._baseline_prediction[0, 0])
    totals = plan.training.prior() if engine._loss.totals is None else engine._loss.totals  # None after no round
    return replace(plan, intercept=intercept, prior_correction=correct_for_prior(focal, plan.link, totals))
