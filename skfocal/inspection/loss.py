"""The focal loss, its derivatives and its link in one picture. Imports `drawing` and `losses`."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.utils.validation import check_is_fitted

from skfocal.inspection.drawing import ON_LIGHT, as_axes, colours, label_lines, neutral, styled
from skfocal.losses import BinaryFocalLoss

_MARGINS = np.linspace(-8.0, 8.0, 641)  # of the true class
_PROBABILITIES = np.linspace(0.001, 0.999, 999)


def _focal_weight(loss: BinaryFocalLoss, u: NDArray[np.float64]) -> NDArray[np.float64]:
    return -loss.gradient(np.ones(len(u)), u) / expit(-u)


# Of the loss of a sample of class 1 at margin u: values, and what the axis is called.
QUANTITIES: dict[str, tuple[Callable[..., NDArray[np.float64]], str]] = {
    "loss": (lambda loss, u: loss.loss(np.ones(len(u)), u), "Loss (nats)"),
    "gradient": (lambda loss, u: loss.gradient(np.ones(len(u)), u), "Gradient by the margin"),
    "weight": (_focal_weight, "Gradient, relative to that of the log loss"),
    "hessian": (lambda loss, u: loss.hessian(np.ones(len(u)), u), "Exact Hessian"),
    "stable_hessian": (
        lambda loss, u: loss.gradient_hessian(np.ones(len(u)), u, hessian="stable")[1],
        "Stable Hessian",
    ),
    "posterior": (lambda loss, u: loss.predict_proba(u)[:, 1], "Probability by the focal link"),
}
_AGAINST = {"probability": "sigmoid(margin) of the true class", "margin": "Margin of the true class"}


class FocalLossDisplay:
    """What focal losses are to a sample: loss, gradient, Hessian, weight and link, each in a panel.

    Use `from_losses` or `from_estimator` to make one.

    Parameters
    ----------
    margin : ndarray of shape (n_points,)
        Margins u by which the true class leads.
    values : dict of str to dict of str to ndarray of shape (n_points,)
        Of each quantity and, by the name of a loss, its values.
    against : {"probability", "margin"}
        What is on the horizontal axis: sigmoid(u), the probability as the log loss has it, or u.

    Attributes
    ----------
    axes_ : ndarray of shape (n_quantities,)
        Axes of the panels, once plotted.
    figure_ : matplotlib Figure
        Figure that holds them.

    See Also
    --------
    GammaSweepDisplay : What gamma does to a metric.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skfocal.inspection import FocalLossDisplay
    >>> from skfocal.losses import BinaryFocalLoss
    >>> losses = [BinaryFocalLoss(gamma) for gamma in (0.0, 1.0, 2.0, 5.0)]
    >>> display = FocalLossDisplay.from_losses(losses, quantities=["loss", "posterior"])
    >>> list(display.values["loss"])
    ['γ = 0', 'γ = 1', 'γ = 2', 'γ = 5']
    >>> plt.close()
    """

    def __init__(
        self,
        *,
        margin: NDArray[np.float64],
        values: Mapping[str, Mapping[str, NDArray[np.float64]]],
        against: str = "probability",
    ) -> None:
        self.margin = margin
        self.values = values
        self.against = against

    def plot(self, *, ax: Any = None, **kwargs: Any) -> Self:
        """Draw a panel for each quantity, with the names at the lines.

        Parameters
        ----------
        ax : matplotlib Axes, array-like of them or None, default=None
            Axes to draw on, one a quantity; None for a new figure.
        **kwargs : dict
            What `matplotlib.axes.Axes.plot` takes, for every line.

        Returns
        -------
        display : FocalLossDisplay
        """
        axes = as_axes(ax, len(self.values), f"{type(self).__name__}.plot")
        x = expit(self.margin) if self.against == "probability" else self.margin
        for panel, (quantity, curves) in zip(axes, self.values.items(), strict=True):
            for colour, (name, values) in zip(cycle(colours(panel)), curves.items(), strict=False):
                panel.plot(x, values, **styled(kwargs, color=colour, label=name))
            if quantity == "posterior":
                panel.plot(x, expit(self.margin), **neutral())
            elif quantity not in ("loss", "weight"):
                panel.axhline(0.0, **neutral())
            panel.set(xlabel=_AGAINST[self.against], ylabel=QUANTITIES[quantity][1])
            label_lines(panel)
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    @classmethod
    def from_losses(
        cls,
        losses: Sequence[BinaryFocalLoss] | Mapping[str, BinaryFocalLoss],
        *,
        quantities: Sequence[str] = ("loss", "weight", "posterior"),
        against: str = "probability",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw losses of two classes, as a sample of class 1 has them.

        Parameters
        ----------
        losses : list of BinaryFocalLoss or dict of str to BinaryFocalLoss
            One to four losses; a dict has their names, otherwise these tell in what they differ from the log loss.
        quantities : list of {"loss", "gradient", "weight", "hessian", "stable_hessian", "posterior"}
            What there is a panel of. "weight" is the gradient divided by that of the log loss, "posterior" what the
            focal link makes of the margin; by default ("loss", "weight", "posterior").
        against : {"probability", "margin"}, default="probability"
            What is on the horizontal axis: sigmoid(margin), as in the paper on the focal loss, or the margin.
        ax : matplotlib Axes, array-like of them or None, default=None
            Axes to draw on, one a quantity; None for a new figure.
        **kwargs : dict
            What `matplotlib.axes.Axes.plot` takes, for every line.

        Returns
        -------
        display : FocalLossDisplay

        Raises
        ------
        ValueError, TypeError
            If an argument is outside its valid range.
        """
        if not isinstance(losses, Mapping | Sequence):
            raise TypeError(f"losses must be a list or a dict of losses, got {losses!r}.")
        named = dict(losses) if isinstance(losses, Mapping) else {_name(loss): loss for loss in losses}
        if not 1 <= len(named) <= len(ON_LIGHT) or len(named) < len(losses):
            raise ValueError(f"losses must be 1 to {len(ON_LIGHT)} different ones a display, got {list(losses)}.")
        for loss in named.values():
            if not isinstance(loss, BinaryFocalLoss):
                raise TypeError(f"losses must be instances of BinaryFocalLoss, got {loss!r}.")
        if isinstance(quantities, str) or not quantities or not set(quantities) <= set(QUANTITIES):
            raise ValueError(f"quantities must be a list of some of {list(QUANTITIES)}, got {quantities!r}.")
        if against not in _AGAINST:
            raise ValueError(f"against must be one of {list(_AGAINST)}, got {against!r}.")
        margin = _MARGINS if against == "margin" else logit(_PROBABILITIES)
        values = {
            quantity: {name: QUANTITIES[quantity][0](loss, margin) for name, loss in named.items()}
            for quantity in quantities
        }
        return cls(margin=margin, values=values, against=against).plot(ax=ax, **kwargs)

    @classmethod
    def from_estimator(cls, estimator: Any, **kwargs: Any) -> Self:
        """Draw the loss that a classifier was trained on, for the second of its classes, beside the log loss.

        Parameters
        ----------
        estimator : fitted classifier of skfocal for two classes
            What has a ``focal_loss_``.
        **kwargs : dict
            What `from_losses` takes.

        Returns
        -------
        display : FocalLossDisplay

        Raises
        ------
        TypeError
            If the estimator has no loss of two classes.
        """
        check_is_fitted(estimator)
        loss = getattr(estimator, "focal_loss_", None)
        if not isinstance(loss, BinaryFocalLoss):
            raise TypeError(f"estimator must be a classifier of skfocal for two classes, got {estimator!r}.")
        return cls.from_losses({"log loss": BinaryFocalLoss(0.0), _name(loss): loss}, **kwargs)


def _name(loss: Any) -> str:
    """Return in what a loss differs from the log loss."""
    if not isinstance(loss, BinaryFocalLoss):
        raise TypeError(f"losses must be instances of BinaryFocalLoss, got {loss!r}.")
    parts = [f"γ = {_short(loss.gamma)}"]
    parts += [f"α = {_short(loss.alpha)}"] if loss.alpha is not None else []
    parts += [f"mix = {_short(loss.focal_mix)}"] if loss.focal_mix else []
    return ", ".join(parts)


def _short(value: Any) -> str:
    return "(" + ", ".join(map(_short, value)) + ")" if isinstance(value, tuple) else f"{value:g}"
