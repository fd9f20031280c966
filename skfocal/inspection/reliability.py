"""Predicted probabilities against what came true, for rare classes.

Imports `_checks`, `drawing`, `losses` and `thresholds`.
"""

from collections.abc import Mapping
from itertools import cycle
from numbers import Integral
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import beta

from skfocal._checks import check_number
from skfocal.inspection.drawing import as_axes, as_counted, colours, neutral, positive_probability, styled
from skfocal.losses import BinaryFocalLoss
from skfocal.thresholds.bounds import check_share

_RARE = np.array([1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1])
_TICKS = [*_RARE, 0.5, *(1 - _RARE[::-1])]


class ReliabilityCurve(NamedTuple):
    """Of each bin the mean probability, the share of positive samples, and an interval for it."""

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def reliability_curve(
    is_positive: NDArray[np.bool_],
    proba: NDArray[np.float64],
    weight: NDArray[np.float64],
    n_bins: int,
    confidence: float,
) -> ReliabilityCurve:
    """Return the curve over bins of equal width in log(p / (1 - p)).

    That shows the rare and the sure alike. What came true has no say in where a bin ends, which would move the shares.
    The interval is Clopper's and Pearson's; with weights that of Korn and Graubard (1998), Survey Methodology 24: for
    as many samples as would have its variance. Where all samples of a bin are of one class there is none: they count
    for as many as Kish's effective number, (sum of w)**2 / sum of w**2, says. Of data in which the weights differ
    between the classes that is fewer than there are behind them.
    """
    log_odds = logit(np.clip(proba, 1e-12, 1 - 1e-12))
    edges = np.linspace(log_odds.min(), log_odds.max(), n_bins + 1)[1:-1]
    used, bins = np.unique(np.searchsorted(edges, log_odds, side="right"), return_inverse=True)
    total, positive, predicted = (
        np.bincount(bins, weights=values, minlength=len(used))
        for values in (weight, weight * is_positive, weight * proba)
    )
    observed = positive / total
    squares = np.bincount(bins, weights=weight**2 * (is_positive - observed[bins]) ** 2)
    kish = total**2 / np.bincount(bins, weights=weight**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.where(squares > 0, observed * (1 - observed) * total**2 / squares, kish)
    tail = (1 - confidence) / 2
    k = observed * n
    lower = np.where(observed > 0, beta.ppf(tail, k, n - k + 1), 0.0)
    upper = np.where(observed < 1, beta.ppf(1 - tail, k + 1, n - k), 1.0)
    return ReliabilityCurve(predicted / total, observed, lower, upper)


class ReliabilityDisplay:
    """Predicted probabilities against what came true, on logarithmic axes, with intervals.

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    curves : dict of str to ReliabilityCurve
        By the name of what made the probabilities; a panel each.
    confidence : float, default=0.95
        Of the intervals.

    Attributes
    ----------
    axes_ : ndarray of shape (n_curves,)
        Axes of the panels, once plotted.
    figure_ : matplotlib Figure
        Figure that holds them.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : For classes that are not rare.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skfocal.inspection import ReliabilityDisplay
    >>> display = ReliabilityDisplay.from_predictions([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.8], n_bins=2, name="a")
    >>> display.curves["a"].observed.round(2)
    array([0.25, 1.  ])
    >>> plt.close()
    """

    def __init__(self, *, curves: Mapping[str, ReliabilityCurve], confidence: float = 0.95) -> None:
        self.curves = curves
        self.confidence = confidence

    def plot(self, *, ax: Any = None, **kwargs: Any) -> Self:
        """Draw a panel for each curve, on the same scale.

        Parameters
        ----------
        ax : matplotlib Axes, array-like of them or None, default=None
            Axes to draw on, one a curve; None for a new figure.
        **kwargs : dict
            What `matplotlib.axes.Axes.errorbar` takes.

        Returns
        -------
        display : ReliabilityDisplay
        """
        axes = as_axes(ax, len(self.curves), f"{type(self).__name__}.plot")
        from matplotlib.ticker import NullLocator

        low, high = _limits(self.curves.values())
        ticks = [tick for tick in _TICKS if low < tick < high]
        for panel, colour, (name, curve) in zip(axes, cycle(colours(axes[0])), self.curves.items(), strict=False):
            panel.plot([low, high], [low, high], **neutral())
            # What is outside the picture is drawn at its edge, so that no bin is left out.
            predicted, observed, lower, upper = (np.clip(values, low, high) for values in curve)
            error = np.stack([observed - lower, upper - observed])
            style = styled(kwargs, fmt="o", color=colour, markersize=4, capsize=2, clip_on=False)
            panel.errorbar(predicted, observed, error, **style)
            panel.set(xscale="logit", yscale="logit", xlim=(low, high), ylim=(low, high), title=name)
            panel.set(xlabel="Predicted probability", ylabel=f"Share of positives, {self.confidence:.0%} interval")
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_minor_locator(NullLocator())
                axis.set_ticks(ticks, [f"{100 * tick:.10g}%" for tick in ticks], fontsize="small")
            panel.tick_params(axis="x", rotation=45)  # else the small ones touch
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        sigmoid: bool = False,
        name: str | None = None,
        n_bins: int = 8,
        confidence: float = 0.95,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the probabilities of a fitted classifier, for data that it was not trained on.

        Parameters
        ----------
        estimator : fitted classifier of two classes
            What has `predict_proba`.
        X, y : array-like
            Features and labels.
        sigmoid : bool, default=False
            Whether to show, beside the probabilities, what the sigmoid would make of the margins: of classifiers of
            skfocal, which have a link of their own in its place.
        name : str or None, default=None
            Title of the panel; None for the name of the class.
        n_bins : int, default=8
            Number of bins, of equal width in log(p / (1 - p)).
        confidence : float, default=0.95
            Of the intervals, in (0, 1).
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0.
        pos_label : label or None, default=None
            The label of the positive class; None for the second of ``classes_``.
        ax : matplotlib Axes, array-like of them or None, default=None
            Axes to draw on, one a panel; None for a new figure.
        **kwargs : dict
            What `matplotlib.axes.Axes.errorbar` takes.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        ValueError, TypeError
            If an argument is outside its valid range.
        """
        _check_parameters(n_bins, confidence)
        proba, pos_label = positive_probability(estimator, X, pos_label)
        name = type(estimator).__name__ if name is None else name
        options = {"n_bins": n_bins, "confidence": confidence, "sample_weight": sample_weight, "pos_label": pos_label}
        curves = {}
        if sigmoid:
            if not isinstance(getattr(estimator, "focal_loss_", None), BinaryFocalLoss):
                raise TypeError(f"estimator must be a classifier of skfocal with sigmoid=True, got {estimator!r}.")
            sign = 1 if pos_label == estimator.classes_[1] else -1
            margin = np.asarray(estimator.decision_function(X), dtype=np.float64)
            curves[f"{name}, sigmoid of the margin"] = _curve(y, expit(sign * margin), **options)
        curves[f"{name}, focal link" if sigmoid else name] = _curve(y, proba, **options)
        return cls(curves=curves, confidence=confidence).plot(ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        *,
        name: str = "classifier",
        n_bins: int = 8,
        confidence: float = 0.95,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw probabilities of the positive class.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Labels, of two classes.
        y_proba : array-like of shape (n_samples,)
            Probabilities of the positive class.
        name : str, default="classifier"
            Title of the panel.
        n_bins, confidence, sample_weight, ax, **kwargs
            As in `from_estimator`.
        pos_label : label or None, default=None
            The label of the positive class; None for 1, where the labels are 0 and 1, or -1 and 1.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        ValueError, TypeError
            If an argument is outside its valid range.
        """
        _check_parameters(n_bins, confidence)
        options = {"n_bins": n_bins, "confidence": confidence, "sample_weight": sample_weight, "pos_label": pos_label}
        return cls(curves={name: _curve(y_true, y_proba, **options)}, confidence=confidence).plot(ax=ax, **kwargs)


def _check_parameters(n_bins: Any, confidence: Any) -> None:
    check_number("n_bins", n_bins, lambda number: number >= 1 and isinstance(n_bins, Integral), "an integer >= 1")
    check_share("confidence", confidence)


def _limits(curves: Any) -> tuple[float, float]:
    """Return the least and the largest probability to be drawn, both of them somewhat beyond what is there."""
    values = np.concatenate([np.concatenate(curve[:2]) for curve in curves])
    inside = logit(np.clip(values[(values > 0) & (values < 1)], 1e-9, 1 - 1e-9))
    low, high = (inside.min(), inside.max()) if len(inside) else (-2.0, 2.0)
    return float(expit(low - 1.5)), float(expit(high + 1.5))


def _curve(
    y_true: Any, y_proba: Any, *, n_bins: int, confidence: float, sample_weight: Any, pos_label: Any
) -> ReliabilityCurve:
    is_positive, proba, weight = as_counted(y_true, y_proba, sample_weight, pos_label)
    return reliability_curve(is_positive, proba, weight, n_bins, confidence)
