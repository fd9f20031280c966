"""What the losses of two and of several classes share.

Imports `compiled`, `formulas`, `parameters`, `_arrays` and `_compat`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skfocal._arrays import Array, as_codes, in_blocks
from skfocal._compat import array_namespace, effective_n_threads
from skfocal.losses.compiled import kernel_computes, kernel_losses, kernel_posterior
from skfocal.losses.formulas import FOCAL, Formulas
from skfocal.losses.parameters import (
    HessianPolicy,
    as_alpha,
    as_gamma,
    as_mix,
    check_hessian_policy,
    check_length,
    check_n_jobs,
)

_ENOUGH_FOR_THREADS = 1 << 15  # samples: as many as a thread of the kernel takes at a time


class Targets(NamedTuple):
    """The true class of each sample, and what it weighs."""

    codes: Array  # int32
    weight: Array | None  # alpha of the true class; what uses the targets may multiply its own weights into it


def weighted(values: Array, weight: Array | None) -> Array:
    """Return values of shape (n_samples, ...) times one weight per sample."""
    if weight is None:
        return values
    return values * (weight[:, None] if values.ndim > 1 else weight)


def _of_class(values: tuple[float, ...], codes: Array, dtype: Any) -> Array:
    """Return for each sample the value of its class."""
    xp = array_namespace(codes)
    return xp.take(xp.asarray(values, dtype=dtype, device=codes.device), codes)


@dataclass(frozen=True)
class FocalLoss(ABC):
    """What the losses of classes share: parameters per class, and the path from margins to one margin ``u`` per sample.

    A loss of another shape is a subclass of `BinaryFocalLoss` and one of `MulticlassFocalLoss` with other `formulas`,
    and a line in `registry`.
    """

    formulas: ClassVar[Formulas] = FOCAL

    gamma: float | Sequence[float] = 1.0
    alpha: float | Sequence[float] | None = None
    focal_mix: float = 0.0

    _two_classes: ClassVar[bool]

    def __post_init__(self) -> None:
        # Tuples keep the value hashable and comparable; a frozen dataclass is set through object.
        object.__setattr__(self, "gamma", as_gamma(self.gamma))
        object.__setattr__(self, "alpha", as_alpha(self.alpha, two_classes=self._two_classes))
        object.__setattr__(self, "focal_mix", as_mix(self.focal_mix))

    @property
    def class_weights(self) -> tuple[float, ...] | None:
        """Alpha as None or one weight per class, in the order of the class codes."""
        if isinstance(self.alpha, float):
            return (1 - self.alpha, self.alpha)
        return self.alpha  # type: ignore[return-value]  # a tuple or None once checked

    @abstractmethod
    def _as_raw(self, raw_prediction: ArrayLike) -> Array: ...

    @staticmethod
    @abstractmethod
    def n_margins(n_classes: int) -> int:
        """Return the number of margins of a sample."""

    @abstractmethod
    def _n_classes(self, raw: Array) -> int: ...

    @abstractmethod
    def _lead(self, codes: Array, raw: Array) -> tuple[Array, Any]:
        """Return u, the margin by which the true class leads, and what the chain rule needs of how it came about."""

    @abstractmethod
    def _gradient(self, chain: Any, slope: Array) -> Array:
        """Carry the first derivative by u over to the margins (chain rule)."""

    @abstractmethod
    def _diagonal(self, chain: Any, slope: Array, curvature: Array) -> Array:
        """Carry the second derivative by u over to the margins."""

    def _check_lengths(self, n_classes: int) -> None:
        check_length(self.gamma, n_classes, "gamma")
        check_length(self.alpha, n_classes, "alpha")

    def _targets(self, y_true: ArrayLike, raw: Array, dtype: Any) -> Targets:
        """Check class codes; return what the formulas need of them, for margins like these, but of this dtype."""
        n_classes = self._n_classes(raw)
        self._check_lengths(n_classes)
        return self._targets_of(as_codes(y_true, raw, n_classes), dtype)

    def _targets_of(self, codes: Array, dtype: Any) -> Targets:
        return Targets(codes, None if self.class_weights is None else _of_class(self.class_weights, codes, dtype))

    def _gamma(self, codes: Array, raw: Array) -> float | Array:
        return _of_class(self.gamma, codes, raw.dtype) if isinstance(self.gamma, tuple) else self.gamma

    def _loss_gradient(self, codes: Array, raw: Array) -> Any:
        """Return what `loss_gradient` returns, unchecked: a network asks for every batch."""
        targets = self._targets_of(codes, raw.dtype)
        if kernel_computes(self, raw):
            return kernel_losses(self, raw, *targets, with_gradient=True)
        return in_blocks(self._losses_gradient, (raw, *targets))

    def _losses(self, raw: Array, codes: Array, weight: Array | None) -> tuple[Array]:
        u, _ = self._lead(codes, raw)
        return (weighted(self.formulas.loss(u, self._gamma(codes, raw), self.focal_mix), weight),)

    def _losses_gradient(self, raw: Array, codes: Array, weight: Array | None) -> tuple[Array, Array]:
        u, chain = self._lead(codes, raw)
        losses, slope = self.formulas.loss_slope(u, self._gamma(codes, raw), self.focal_mix)
        return weighted(losses, weight), weighted(self._gradient(chain, slope), weight)

    def _derivatives(self, raw: Array, codes: Array, *, stable: bool) -> tuple[Array, Array]:
        """Return gradient and Hessian; not weighted, as engines put a floor under the Hessian before that."""
        u, chain = self._lead(codes, raw)
        gamma = self._gamma(codes, raw)
        slope, curvature = self.formulas.slope_curvature(u, gamma, self.focal_mix, stable=stable)
        return self._gradient(chain, slope), self._diagonal(chain, slope, curvature)

    def loss(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the focal loss of each sample, alpha_y * -(1 - p_y)**gamma_y * log p_y, mixed as `focal_mix` says.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class codes 0 ... n_classes - 1, of any dtype.
        raw_prediction : array-like of shape (n_samples,) or (n_samples, n_classes)
            Raw margins.

        Returns
        -------
        loss : ndarray of shape (n_samples,)
            In nats, >= 0, in the floating dtype of `raw_prediction`.

        Raises
        ------
        ValueError
            If a shape, a class code or the length of gamma or alpha does not fit.
        """
        raw = self._as_raw(raw_prediction)
        targets = self._targets(y_true, raw, raw.dtype)
        if kernel_computes(self, raw):
            return kernel_losses(self, raw, *targets, with_gradient=False)[0]
        return in_blocks(self._losses, (raw, *targets))[0]

    def loss_gradient(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> tuple[Array, Array]:
        """Return the loss of each sample and its derivative by the margins, for less than the price of both.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class codes 0 ... n_classes - 1, of any dtype.
        raw_prediction : array-like of shape (n_samples,) or (n_samples, n_classes)
            Raw margins.

        Returns
        -------
        loss : ndarray of shape (n_samples,)
            In nats, >= 0, in the floating dtype of `raw_prediction`.
        gradient : ndarray of the shape and floating dtype of `raw_prediction`

        Raises
        ------
        ValueError
            If a shape, a class code or the length of gamma or alpha does not fit.
        """
        raw = self._as_raw(raw_prediction)
        losses, gradient = self._loss_gradient(self._targets(y_true, raw, raw.dtype).codes, raw)
        return losses, gradient

    def gradient(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the derivative of each sample's loss by its margins; see `loss_gradient`."""
        return self.loss_gradient(y_true, raw_prediction)[1]

    def hessian(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the exact second derivative (for K classes its diagonal); see `gradient_hessian`."""
        return self.gradient_hessian(y_true, raw_prediction)[1]

    def gradient_hessian(
        self, y_true: ArrayLike, raw_prediction: ArrayLike, *, hessian: HessianPolicy = "exact"
    ) -> tuple[Array, Array]:
        """Return the gradient and the Hessian (for K classes its diagonal) of each sample's loss.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class codes 0 ... n_classes - 1, of any dtype.
        raw_prediction : array-like of shape (n_samples,) or (n_samples, n_classes)
            Raw margins. Finite results for margins of up to 1e20 on either side.
        hessian : {"exact", "stable"}, default="exact"
            "exact" is the second derivative; it is negative where the model is confidently wrong. "stable" raises the
            curvature along the margin of the true class to that of a quadratic that bounds the logistic loss
            (Jaakkola & Jordan 2000), times A: positive wherever it does not underflow, and made for Newton steps.

        Returns
        -------
        gradient, hessian : ndarray, each of the shape and floating dtype of `raw_prediction`

        Raises
        ------
        ValueError
            If a shape, a class code, the policy, or the length of gamma or alpha does not fit.
        """
        check_hessian_policy(hessian, "hessian")

        def formula(raw: Array, codes: Array, weight: Array | None) -> list[Array]:
            derivatives = self._derivatives(raw, codes, stable=hessian == "stable")
            return [weighted(values, weight) for values in derivatives]

        raw = self._as_raw(raw_prediction)
        gradient, diagonal = in_blocks(formula, (raw, *self._targets(y_true, raw, raw.dtype)))
        return gradient, diagonal

    @abstractmethod
    def predict_proba(self, raw_prediction: ArrayLike, *, n_jobs: int | None = 1) -> NDArray[np.float64]:
        """Map margins to posterior probabilities through the focal link."""

    @abstractmethod
    def _posterior(self, raw: Array) -> tuple[Array]:
        """Return what `predict_proba` does, by NumPy's formulas."""

    def _through_link(self, raw: Array, n_jobs: int | None) -> Any:
        check_n_jobs(n_jobs)
        # To count the threads takes longer than to map a row; and a graph of ONNX does not know how many there will be.
        n_threads = 1 if n_jobs == 1 or raw.shape[0] <= _ENOUGH_FOR_THREADS else effective_n_threads(n_jobs)
        if kernel_computes(self, raw):
            return kernel_posterior(self, raw, n_threads)
        return in_blocks(self._posterior, (raw,), n_threads=n_threads)[0]

    @abstractmethod
    def intercept(self, prior: ArrayLike) -> float | NDArray[np.float64]:
        """Return the best constant margins for a prior: the inverse of the focal link."""

    def _log_prior(self, prior: ArrayLike) -> NDArray[np.float64]:
        """Return the log of the prior of the data as alpha reweights it, up to a constant."""
        values = np.asarray(prior, dtype=np.float64)
        if values.ndim != 1 or values.size < 2:
            raise ValueError(f"prior must have the shape (n_classes,), n_classes >= 2, got {values.shape}.")
        self._check_lengths(values.size)
        if not (np.isfinite(values) & (values > 0)).all():
            raise ValueError(f"prior must be finite and > 0 for every class, got {prior!r}.")
        weights = self.class_weights
        return np.log(values) + (0.0 if weights is None else np.log(weights))
