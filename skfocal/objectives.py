"""The focal loss as LightGBM and XGBoost call it: objectives and evaluation metrics.

A loss and a Hessian policy make an objective, a loss makes a metric; both engines take either, in their training
functions and in their scikit-learn classes. Module-level, stateless and picklable: LightGBM deep-copies what it is
given. Imports `losses`, and no engine: which one is calling shows in the margins it hands over.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skfocal.losses import BinaryFocalLoss, HessianPolicy, MulticlassFocalLoss, check_hessian_policy

__all__ = ["FocalMetric", "FocalObjective"]

FOCAL_LOSS = "focal_loss"  # the name of the metric

# XGBoost's own floor of the log loss's Hessian; a float32, and far below every Hessian that moves a tree.
_HESSIAN_FLOOR = 1e-16


def _unpack(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, NDArray[np.floating], Any]:
    """Return labels, margins and weights, whichever of the two calling conventions was used.

    The scikit-learn classes call f(labels, margins, weights), the training functions f(margins, dataset).
    """
    if hasattr(y_pred, "get_label"):
        y_true, y_pred, sample_weight = y_pred.get_label(), y_true, y_pred.get_weight()
    if sample_weight is not None and len(sample_weight) == 0:  # XGBoost's way to say None
        sample_weight = None
    return y_true, np.asarray(y_pred), sample_weight


def _engine(raw_prediction: NDArray[np.floating]) -> Literal["lightgbm", "xgboost"]:
    """Tell the engine by the type of its margins: LightGBM's are float64, XGBoost's float32."""
    return "xgboost" if raw_prediction.dtype == np.float32 else "lightgbm"


def _check_loss(loss: object) -> None:
    if not isinstance(loss, BinaryFocalLoss | MulticlassFocalLoss):
        raise TypeError(f"loss must be a BinaryFocalLoss or a MulticlassFocalLoss, got {loss!r}.")


@dataclass(frozen=True)
class FocalObjective:
    """A focal loss as an objective for LightGBM and XGBoost.

    One callable for ``lightgbm.train(params={"objective": ...})``, ``LGBMClassifier(objective=...)``,
    ``xgboost.train(obj=...)`` and ``XGBClassifier(objective=...)``. Sample weights are counted in all four. For more
    than two classes the Hessian carries the factor of the calling engine's own softmax objective (LightGBM
    K / (K - 1), XGBoost 2), so that gamma = 0 with ``hessian="exact"`` is the engine's own log loss.

    The engine starts from its default intercept and its predictions stay raw margins: pass them to
    ``loss.predict_proba``. `skfocal.FocalLGBMClassifier` and `skfocal.FocalXGBClassifier` do all of that.

    Parameters
    ----------
    loss : BinaryFocalLoss or MulticlassFocalLoss
        The loss.
    hessian : {"stable", "exact"}, default="stable"
        "stable" bounds the curvature from below by that of the logistic loss, times A (see
        `skfocal.losses.BinaryFocalLoss.gradient_hessian`), so Newton steps stay sane where the focal loss is concave.
        "exact" is the second derivative, raised to 1e-16 where it is below.

    Raises
    ------
    TypeError
        If `loss` is not a focal loss.
    ValueError
        If `hessian` is not one of the policies.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.losses import BinaryFocalLoss
    >>> from skfocal.objectives import FocalObjective
    >>> objective = FocalObjective(BinaryFocalLoss(gamma=2.0))
    >>> gradient, hessian = objective(np.array([1.0, 0.0]), np.array([-2.0, -2.0]), np.array([1.0, 0.5]))
    >>> gradient.round(4)
    array([-1.0767,  0.0024])
    """

    loss: BinaryFocalLoss | MulticlassFocalLoss
    hessian: HessianPolicy = "stable"

    def __post_init__(self) -> None:
        _check_loss(self.loss)
        check_hessian_policy(self.hessian, "hessian")

    # LightGBM counts the arguments (three: it passes weights), XGBoost looks for the name sample_weight.
    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Return gradient and Hessian in the shape and dtype of the margins.

        Parameters
        ----------
        y_true : ndarray of shape (n_samples,), or the margins
            Class codes 0 ... n_classes - 1; the margins when called by a training function.
        y_pred : ndarray of shape (n_samples,) or (n_samples, n_classes), or a Dataset or DMatrix
            Raw margins; when called by a training function the data set, which holds labels and weights.
        sample_weight : ndarray of shape (n_samples,) or None, default=None
            Weights >= 0.

        Returns
        -------
        gradient, hessian : ndarray of the shape and dtype of the margins
        """
        y, raw, weight = _unpack(y_true, y_pred, sample_weight)
        gradient, hessian = self.loss.gradient_hessian(y, raw, hessian=self.hessian)
        if raw.ndim == 2:
            hessian *= _multiclass_factor(raw)
        np.maximum(hessian, _HESSIAN_FLOOR, out=hessian)
        if weight is not None:
            weight = np.asarray(weight, dtype=raw.dtype)
            if weight.shape != raw.shape[:1]:
                raise ValueError(f"sample_weight must have the shape {raw.shape[:1]}, got {weight.shape}.")
            weight = weight.reshape(-1, *[1] * (raw.ndim - 1))
            gradient, hessian = gradient * weight, hessian * weight
        return gradient, hessian


def _multiclass_factor(raw_prediction: NDArray[np.floating]) -> float:
    """Return what the engine multiplies the diagonal of its own softmax Hessian by."""
    n_classes = raw_prediction.shape[1]
    return 2.0 if _engine(raw_prediction) == "xgboost" else n_classes / (n_classes - 1)


@dataclass(frozen=True)
class FocalMetric:
    """The weighted mean focal loss as an evaluation metric for LightGBM and XGBoost; lower is better.

    One callable for ``lightgbm.train(feval=...)``, ``LGBMClassifier.fit(eval_metric=...)``,
    ``xgboost.train(custom_metric=...)`` and ``XGBClassifier(eval_metric=...)``, beside a `FocalObjective`: with another
    objective XGBoost hands over probabilities, and the result is wrong.

    Parameters
    ----------
    loss : BinaryFocalLoss or MulticlassFocalLoss
        The loss.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.losses import BinaryFocalLoss
    >>> from skfocal.objectives import FocalMetric
    >>> FocalMetric(BinaryFocalLoss(gamma=0.0))(np.array([1.0, 0.0]), np.array([0.0, 0.0]), np.array([1.0, 3.0]))
    ('focal_loss', 0.6931471805599453, False)
    """

    loss: BinaryFocalLoss | MulticlassFocalLoss
    __name__ = FOCAL_LOSS  # XGBoost reports a metric under its function's name

    def __post_init__(self) -> None:
        _check_loss(self.loss)

    def mean(self, y_true: ArrayLike, raw_prediction: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the weighted mean loss, in nats.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class codes 0 ... n_classes - 1.
        raw_prediction : array-like of shape (n_samples,) or (n_samples, n_classes)
            Raw margins.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0, not all 0.

        Returns
        -------
        loss : float
        """
        weights = None if sample_weight is None else np.asarray(sample_weight)
        return float(np.average(self.loss.loss(y_true, raw_prediction), weights=weights))

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the metric in the form that the caller asks for; the arguments are those of `FocalObjective`.

        Returns
        -------
        result : tuple or float
            LightGBM: (name, value, False). ``xgboost.train``: (name, value). ``XGBClassifier``: value.
        """
        from_training_function = hasattr(y_pred, "get_label")
        y, raw, weight = _unpack(y_true, y_pred, sample_weight)
        value = self.mean(y, raw, weight)
        if _engine(raw) == "lightgbm":
            return self.__name__, value, False
        return (self.__name__, value) if from_training_function else value
