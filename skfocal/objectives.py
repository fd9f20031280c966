"""The focal loss as LightGBM and XGBoost call it: objectives and evaluation metrics.

A loss and a Hessian policy make an objective, a loss makes a metric; both engines take either, in their training
functions and in their scikit-learn classes. Module-level, stateless and picklable: LightGBM deep-copies what it is
given.

Imports `_arrays`, `_compat` and `losses`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from inspect import signature
from types import ModuleType
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from skfocal._arrays import Array, as_margins, in_blocks
from skfocal._compat import array_namespace, effective_n_threads
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss
from skfocal.losses.base import Targets, weighted
from skfocal.losses.compiled import kernel_computes, kernel_derivatives
from skfocal.losses.parameters import HessianPolicy, check_hessian_policy, check_n_jobs

__all__ = ["FocalMetric", "FocalObjective"]

FOCAL_LOSS = "focal_loss"  # the name of the metric

Engine = Literal["lightgbm", "xgboost"]

# Takes margins, and memory or None; returns gradient and Hessian.
Derivatives = Callable[[Array, Any], tuple[Array, Array]]

# XGBoost's own floor of the log loss's Hessian; a float32, and far below every Hessian that moves a tree.
_HESSIAN_FLOOR = 1e-16


def _unpack(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Array, Any]:
    """Return labels, margins and weights, whichever of the two calling conventions was used.

    The scikit-learn classes call f(labels, margins, weights), the training functions f(margins, dataset).
    """
    if hasattr(y_pred, "get_label"):
        y_true, y_pred, sample_weight = y_pred.get_label(), y_true, y_pred.get_weight()
    if getattr(sample_weight, "shape", None) == (0,):  # XGBoost's way to say None
        sample_weight = None
    return y_true, as_margins(y_pred), sample_weight


def _engine(raw_prediction: Array) -> Engine:
    """Tell the engine by the type of its margins: LightGBM's are float64, XGBoost's float32."""
    return "xgboost" if raw_prediction.dtype == array_namespace(raw_prediction).float32 else "lightgbm"


def hessian_factor(engine: Engine, n_margins: int) -> float:
    """Return what an engine multiplies the Hessian of its own log loss by: 1, or more for a softmax's diagonal."""
    if n_margins == 1:
        return 1.0
    return 2.0 if engine == "xgboost" else n_margins / (n_margins - 1)


def _factor(raw_prediction: Array) -> float:
    return hessian_factor(_engine(raw_prediction), raw_prediction.shape[1] if raw_prediction.ndim == 2 else 1)


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

    Arrays of any array-API namespace are computed where they are. XGBoost hands over margins on the host even if it
    trains on a GPU; `skfocal.FocalXGBClassifier` takes them there.

    The engine starts from its default intercept and its predictions stay raw margins: pass them to
    ``loss.predict_proba``. `skfocal.FocalLGBMClassifier` and `skfocal.FocalXGBClassifier` do all of that.

    Parameters
    ----------
    loss : BinaryFocalLoss or MulticlassFocalLoss
        The loss.
    hessian : {"stable", "exact"}, default="stable"
        "stable" bounds the curvature from below by that of the logistic loss, times A (see
        `skfocal.losses.BinaryFocalLoss.gradient_hessian`), so Newton steps stay sane where the focal loss is concave.
        "exact" is the second derivative. Either is raised to 1e-16 where it is below.
    n_jobs : int or None, default=None
        Number of threads. None or 0 for as many as scikit-learn's own loops use: all physical processors, or what
        ``OMP_NUM_THREADS`` says; -1 for the same, -2 for one less. The result is the same, bit by bit, for any number.

    Raises
    ------
    TypeError
        If `loss` is not a focal loss.
    ValueError
        If `hessian` is not one of the policies, or `n_jobs` no number of threads.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.losses import BinaryFocalLoss
    >>> from skfocal.objectives import FocalObjective
    >>> objective = FocalObjective(BinaryFocalLoss(gamma=2.0))
    >>> gradient, hessian = objective(np.array([1.0, 0.0]), np.array([-2.0, -2.0]), np.array([1.0, 0.5]))
    >>> gradient.round(4)
    array([-1.0767,  0.0024], dtype=float32)
    """

    loss: BinaryFocalLoss | MulticlassFocalLoss
    hessian: HessianPolicy = "stable"
    n_jobs: int | None = None

    def __post_init__(self) -> None:
        _check_loss(self.loss)
        check_hessian_policy(self.hessian, "hessian")
        check_n_jobs(self.n_jobs)

    # LightGBM counts the arguments (three: it passes weights), XGBoost looks for the name sample_weight.
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Array, Array]:
        """Return gradient and Hessian in the shape of the margins, as float32: both engines keep no more.

        Parameters
        ----------
        y_true : array of shape (n_samples,), or the margins
            Class codes 0 ... n_classes - 1; the margins when called by a training function.
        y_pred : array of shape (n_samples,) or (n_samples, n_classes), or a Dataset or DMatrix
            Raw margins; when called by a training function the data set, which holds labels and weights.
        sample_weight : array of shape (n_samples,) or None, default=None
            Weights >= 0.

        Returns
        -------
        gradient, hessian : array of the shape and namespace of the margins, float32
        """
        y, raw, weight = _unpack(y_true, y_pred, sample_weight)
        dtype = array_namespace(raw).float32
        targets = self._targets(y, raw, weight, dtype)
        n_threads = effective_n_threads(self.n_jobs)
        derivatives = self._derivatives(raw, targets, factor=_factor(raw), dtype=dtype, n_threads=n_threads)
        return derivatives(raw, None if array_namespace(raw) is not np else (_memory(raw), _memory(raw)))

    def _targets(self, y_true: Any, raw: Array, sample_weight: Any, dtype: Any) -> Targets:
        """Check labels and weights; return what is the same in every round of a training."""
        xp = array_namespace(raw)
        targets = self.loss._targets(y_true, self.loss._as_raw(raw), dtype)
        if sample_weight is None:
            return targets
        weight = xp.asarray(sample_weight, dtype=dtype, device=raw.device)
        if weight.shape != raw.shape[:1]:
            raise ValueError(f"sample_weight must have the shape {raw.shape[:1]}, got {weight.shape}.")
        return targets._replace(weight=weighted(weight, targets.weight))

    def _derivatives(
        self,
        raw: Array,
        targets: Targets,
        *,
        factor: float,
        dtype: Any,
        n_threads: int,
        pool: ThreadPoolExecutor | None = None,
        intercept: Any = None,
    ) -> Derivatives:
        """Return a function of margins like `raw`, in type, layout and namespace, with all else prepared.

        It returns gradient and Hessian, times `factor`, at margins + `intercept`; in its second argument, which is
        None for other namespaces than NumPy. They are computed in `dtype`, and rounded if that is float32.
        """
        stable = self.hessian == "stable"
        if kernel_computes(self.loss, raw):
            return kernel_derivatives(
                self.loss, raw, *targets, intercept=intercept, factor=factor, floor=_HESSIAN_FLOOR, stable=stable,
                in_double=dtype == np.float64, n_threads=n_threads,
            )  # fmt: skip

        def formula(raw: Array, codes: Array, weight: Array | None) -> tuple[Array, Array]:
            xp = array_namespace(raw)
            margins = xp.asarray(raw if intercept is None else raw + intercept, dtype=dtype)
            gradient, hessian = self.loss._derivatives(margins, codes, stable=stable)
            hessian = hessian if factor == 1 else factor * hessian
            # With a number instead of an array NumPy's maximum takes three times as long.
            hessian = xp.maximum(hessian, xp.full_like(hessian, _HESSIAN_FLOOR))
            if dtype == xp.float32:
                gradient, hessian = _rounded(gradient), _rounded(hessian)
            return weighted(gradient, weight), weighted(hessian, weight)

        def derivatives(raw: Array, out: tuple[Array, Array] | None) -> tuple[Array, Array]:
            gradient, hessian = in_blocks(formula, (raw, *targets), out=out, n_threads=n_threads, pool=pool)
            return gradient, hessian

        return derivatives


def _rounded(values: Array) -> Array:
    """Return float32 values rounded to 21 of their 24 bits (Veltkamp's splitting), an error of 4.8e-7 at most.

    Times a weight of 1 ... 8 they are then exact, and the engines' sums in float64 as well: a sample of weight 3, and
    the same sample three times without a weight, give the same model to the last bit.
    """
    shifted = 9.0 * values  # 2**3 + 1
    shifted -= shifted - values
    return shifted


def _memory(raw: Array) -> Array | None:
    """Return memory for gradient or Hessian; class by class, as LightGBM wants it, where the margins are."""
    return np.empty_like(raw, dtype=np.float32) if array_namespace(raw) is np else None


class _Prepared(NamedTuple):
    """What is the same in all rounds of a fit."""

    derivatives: Derivatives
    gradient: Array | None  # memory
    hessian: Array | None
    pool: ThreadPoolExecutor  # which starts threads when it is given work: by the kernel it is not


_SIGNATURE = signature(lambda y_true, y_pred, sample_weight=None: None)


class TrainingObjective:
    """An objective for one fit: its first round prepares all that is the same in the rounds that follow.

    It is used in a ``with`` statement, which lets go of all that. Every round must be of the same data set, and what
    is returned is overwritten in the next one.

    Parameters
    ----------
    objective : FocalObjective
        What to compute.
    namespace : module, default=numpy
        Where to compute: ``cupy`` for a GPU, on which labels and weights then stay.
    factor : float or None, default=None
        What the Hessian is multiplied by, see `hessian_factor`; None to tell the engine by the margins.
    dtype : dtype or None, default=None
        What to compute in, before the result becomes float32: float32, the default, which is faster, and rounded so
        that a weight is as many rows; or float64, as scikit-learn's own losses do.
    intercept : float, ndarray of shape (n_classes,) or None, default=None
        What to add to the margins.
    in_place : bool, default=False
        Whether to write the gradient over the margins, float32 arrays of NumPy, so that it needs no memory.
    y_true, sample_weight : array of shape (n_samples,) or None, default=None
        Class codes and weights, if they are known before: those that an engine hands over are then not looked at.
    """

    def __init__(
        self,
        objective: FocalObjective,
        namespace: ModuleType = np,
        *,
        factor: float | None = None,
        dtype: Any = None,
        intercept: Any = None,
        in_place: bool = False,
        y_true: Any = None,
        sample_weight: Any = None,
    ) -> None:
        # Engines ask for it, LightGBM's classifier counts it, and to find it out takes long: `out` is not for them.
        self.__signature__ = _SIGNATURE
        self._objective = objective
        self._factor = factor
        self._namespace = namespace
        self._dtype = dtype
        self._intercept = intercept
        self._in_place = in_place
        self._known = None if y_true is None else (y_true, sample_weight)
        self._prepared: _Prepared | None = None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, out: Any = None) -> tuple[Array, Array]:
        """Return gradient and Hessian; the arguments are those of `FocalObjective`, the labels always the same.

        Gradient and Hessian are written to `out`, if that is not None, in every round.
        """
        raw = self._namespace.asarray(y_pred)
        if self._prepared is None:
            y_true, sample_weight = self._known or (y_true, sample_weight)
            self._prepared = self._prepare(y_true, raw, sample_weight, takes_memory=out is None)
        derivatives, gradient, hessian, _ = self._prepared
        if out is None and hessian is not None:
            out = raw if gradient is None else gradient, hessian
        return derivatives(raw, out)

    def _prepare(self, y_true: Any, raw: Array, sample_weight: Any, *, takes_memory: bool) -> _Prepared:
        if self._in_place and raw.dtype != np.float32:
            raise TypeError(f"y_pred must be float32 for a gradient in its place, got {raw.dtype}.")
        dtype = array_namespace(raw).float32 if self._dtype is None else self._dtype
        n_threads = effective_n_threads(self._objective.n_jobs)
        pool = ThreadPoolExecutor(n_threads)
        derivatives = self._objective._derivatives(
            raw,
            self._objective._targets(y_true, raw, sample_weight, dtype),
            factor=_factor(raw) if self._factor is None else self._factor,
            dtype=dtype,
            n_threads=n_threads,
            pool=pool,
            intercept=self._intercept,
        )
        gradient = _memory(raw) if takes_memory and not self._in_place else None
        return _Prepared(derivatives, gradient, _memory(raw) if takes_memory else None, pool)

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # LightGBM copies its parameters, and would copy what is prepared

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._prepared is not None:
            self._prepared.pool.shutdown()
        self._prepared = self._known = None


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
