"""The focal loss of several labels, of which a sample may have any.

Imports `binary`, `_arrays` and `_compat`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skfocal._arrays import Array, as_margins
from skfocal._compat import array_namespace
from skfocal.losses.binary import BinaryFocalLoss


@dataclass(frozen=True)
class MultilabelFocalLoss:
    """Focal loss for several labels that a sample has or has not, on one margin each: the sum of two-class losses.

    Domain: y in {0, 1}, one column per label; margins any real numbers. Labels are independent given the margins, so
    gradient, link and intercept are those of `BinaryFocalLoss`, label by label.

    Parameters
    ----------
    labels : sequence of BinaryFocalLoss
        The loss of each label; its alpha weighs absence and presence.

    Raises
    ------
    TypeError
        If `labels` holds anything else.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal.losses import BinaryFocalLoss, MultilabelFocalLoss
    >>> loss = MultilabelFocalLoss([BinaryFocalLoss(2.0), BinaryFocalLoss(0.0, alpha=0.9)])
    >>> loss.loss(np.array([[1, 0], [0, 1]]), np.array([[0.0, -1.0], [-3.0, 0.0]])).round(4)
    array([0.2046, 0.6239])
    >>> loss.predict_proba(np.array([[0.0, -1.0]])).round(4)
    array([[0.5   , 0.2689]])
    """

    labels: tuple[BinaryFocalLoss, ...]

    def __post_init__(self) -> None:
        labels = tuple(self.labels)
        if not labels or not all(isinstance(label, BinaryFocalLoss) for label in labels):
            raise TypeError(f"labels must hold one BinaryFocalLoss for each label, got {self.labels!r}.")
        if any(label.formulas != labels[0].formulas for label in labels):
            raise TypeError(f"labels must hold losses of the same formulas, got {self.labels!r}.")
        object.__setattr__(self, "labels", labels)

    def _as_raw(self, raw_prediction: ArrayLike) -> Array:
        raw = as_margins(raw_prediction)
        if raw.ndim != 2 or raw.shape[1] != len(self.labels):
            raise ValueError(f"raw_prediction must have the shape (n_samples, {len(self.labels)}), got {raw.shape}.")
        return raw

    def loss(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the focal loss of each sample; see `loss_gradient`."""
        return self.loss_gradient(y_true, raw_prediction)[0]

    def gradient(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> Array:
        """Return the derivative of each sample's loss by its margins; see `loss_gradient`."""
        return self.loss_gradient(y_true, raw_prediction)[1]

    def loss_gradient(self, y_true: ArrayLike, raw_prediction: ArrayLike) -> tuple[Array, Array]:
        """Return the loss of each sample, summed over labels, and its derivative by the margins.

        Parameters
        ----------
        y_true : array-like of shape (n_samples, n_labels)
            1 or True where a sample has the label, 0 or False where not.
        raw_prediction : array-like of shape (n_samples, n_labels)
            Raw margins.

        Returns
        -------
        loss : ndarray of shape (n_samples,)
            In nats, >= 0, in the floating dtype of `raw_prediction`.
        gradient : ndarray of the shape and floating dtype of `raw_prediction`

        Raises
        ------
        ValueError
            If a shape or an entry of `y_true` does not fit.
        """
        raw = self._as_raw(raw_prediction)
        xp, their = array_namespace(raw), array_namespace(y_true)
        y = their.asarray(y_true)
        if y.shape != raw.shape:
            raise ValueError(f"y_true must have the shape {raw.shape} of raw_prediction, got {y.shape}.")
        if not their.isdtype(y.dtype, ("bool", "integral", "real floating")):
            raise ValueError(f"y_true must hold 0 and 1, got dtype {y.dtype}.")
        y = xp.asarray(y, device=raw.device)
        present = xp.asarray(y, dtype=xp.bool)
        wrong = xp.asarray(present, dtype=y.dtype) != y
        if xp.any(wrong):
            raise ValueError(f"y_true must hold 0 and 1, got {float(y[wrong][0]):g}.")
        return self._loss_gradient(present, raw)

    def _loss_gradient(self, present: Array, raw: Array) -> tuple[Array, Array]:
        xp = array_namespace(raw)
        codes = xp.asarray(present, dtype=xp.int32)
        each = [label._loss_gradient(codes[:, k], raw[:, k]) for k, label in enumerate(self.labels)]
        return sum(losses for losses, _ in each), xp.stack([gradient for _, gradient in each], axis=1)

    def predict_proba(self, raw_prediction: ArrayLike, *, n_jobs: int | None = 1) -> NDArray[np.float64]:
        """Map margins to the posterior probability of each label through the focal link.

        Parameters
        ----------
        raw_prediction : array-like of shape (n_samples, n_labels)
            Raw margins.
        n_jobs : int or None, default=1
            Number of threads, as of `skfocal.FocalObjective`; the result is the same for any.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_labels), float64
        """
        raw = self._as_raw(raw_prediction)
        columns = [label.predict_proba(raw[:, k], n_jobs=n_jobs)[:, 1] for k, label in enumerate(self.labels)]
        return array_namespace(raw).stack(columns, axis=1)

    def intercept(self, prior: ArrayLike) -> NDArray[np.float64]:
        """Return the constant margins that minimise the loss for a prior: the inverse of the focal link.

        Parameters
        ----------
        prior : array-like of shape (n_labels, 2)
            Weight of the samples without and with each label, > 0, on any scale.

        Returns
        -------
        margins : ndarray of shape (n_labels,), float64
        """
        values = np.asarray(prior, dtype=np.float64)
        if values.shape != (len(self.labels), 2):
            raise ValueError(f"prior must have the shape ({len(self.labels)}, 2), got {values.shape}.")
        return np.array([label.intercept(pair) for label, pair in zip(self.labels, values, strict=True)])
