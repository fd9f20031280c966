"""How many alerts a day find how much fraud, and what that saves. Imports `_checks` and `drawing`."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skfocal._checks import as_finite, as_scored, check_number, check_positives
from skfocal.inspection.drawing import as_axes, colours, neutral, positive_probability, styled


class AlertsDisplay:
    """Alerts a day against the share of positive samples found and, where mistakes have costs, against money saved.

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    threshold : ndarray of shape (n_thresholds,)
        Scores from the highest down; an alert is what has this or more.
    alerts : ndarray of shape (n_thresholds,)
        Alerts a day.
    found : ndarray of shape (n_thresholds,)
        Share of the positive samples that are among them.
    saved : ndarray of shape (n_thresholds,) or None, default=None
        What these alerts cost less than none at all, a day; None without costs.
    chosen : float or None, default=None
        Threshold to mark.

    Attributes
    ----------
    axes_ : ndarray of shape (1,) or (2,)
        Axes of the panels, once plotted.
    figure_ : matplotlib Figure
        Figure that holds them.

    See Also
    --------
    skfocal.thresholds.AlertBudgetClassifier : Keeps a limit on alerts a day.
    skfocal.thresholds.CostThresholdClassifier : Decides by costs.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skfocal.inspection import AlertsDisplay
    >>> score = [0.9, 0.8, 0.7, 0.1]
    >>> display = AlertsDisplay.from_predictions([1, 0, 1, 0], score, false_positive=5.0, false_negative=100.0)
    >>> display.alerts, display.found, display.saved
    (array([1., 2., 3., 4.]), array([0.5, 0.5, 1. , 1. ]), array([100.,  95., 195., 190.]))
    >>> plt.close()
    """

    def __init__(
        self,
        *,
        threshold: NDArray[np.float64],
        alerts: NDArray[np.float64],
        found: NDArray[np.float64],
        saved: NDArray[np.float64] | None = None,
        chosen: float | None = None,
    ) -> None:
        self.threshold = threshold
        self.alerts = alerts
        self.found = found
        self.saved = saved
        self.chosen = chosen

    def plot(self, *, ax: Any = None, **kwargs: Any) -> Self:
        """Draw what is found and, in a second panel, what is saved; mark the chosen threshold.

        Parameters
        ----------
        ax : matplotlib Axes, array-like of them or None, default=None
            Axes to draw on, one a panel; None for a new figure.
        **kwargs : dict
            What `matplotlib.axes.Axes.plot` takes, for the curves.

        Returns
        -------
        display : AlertsDisplay
        """
        # What is drawn, what it is called, how a mark says it, and up to which part of the width it stands right of it,
        # so as to be below the curve: what is found rises to the right, what is saved falls there.
        panels = [(self.found, "Share of positives found", "{:.0%} found", 0.6)]
        if self.saved is not None:
            panels.append((self.saved, "Saved a day, beside no alerts", "{:,.0f} saved", 0.35))
        axes = as_axes(ax, len(panels), f"{type(self).__name__}.plot")
        for panel, colour, (values, label, says, room) in zip(axes, colours(axes[0]), panels, strict=False):
            panel.plot(self.alerts, values, **styled(kwargs, color=colour, drawstyle="steps-post"))
            panel.set(xscale="log", xlabel="Alerts a day", ylabel=label)
            panel.margins(y=0.1)
            self._mark(panel, values, says, room)
        if self.saved is not None:
            axes[1].axhline(0.0, **neutral())
            axes[1].yaxis.set_major_formatter("{x:,.0f}")
            if (most := self.saved.max()) > 0:  # what more and more alerts cost has no end
                axes[1].set_ylim(max(self.saved.min(), -0.5 * most) - 0.05 * most, 1.1 * most)
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    def _mark(self, panel: Any, values: NDArray[np.float64], says: str, room: float) -> None:
        """Mark the chosen threshold, by what it comes to."""
        n_alerts = 0 if self.chosen is None else int(np.searchsorted(-self.threshold, -self.chosen, side="right"))
        if not n_alerts:
            return
        x, y = self.alerts[n_alerts - 1], values[n_alerts - 1]
        panel.axvline(x, **neutral())
        panel.plot([x], [y], "o", color=panel.get_lines()[0].get_color())
        text = f"threshold {self.chosen:.3g}:\n{x:,.3g} alerts a day,\n{says.format(y)}"
        right = np.log(x / self.alerts[0]) > room * np.log(self.alerts[-1] / self.alerts[0])
        label = panel.annotate(
            text,
            (x, 0.03),
            xycoords=("data", "axes fraction"),
            xytext=(-8 if right else 8, 0),
            textcoords="offset points",
            ha="right" if right else "left",
            va="bottom",
            fontsize="small",
        )
        label.set_bbox({"facecolor": panel.get_facecolor(), "alpha": 0.8, "linewidth": 0, "pad": 1})

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        threshold: float | None = None,
        pos_label: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the alerts of a fitted classifier, on data that it was not trained on.

        Parameters
        ----------
        estimator : fitted classifier of two classes
            What has `predict_proba`; or a pipeline.
        X, y : array-like
            Features and labels.
        threshold : float or None, default=None
            Probability to mark; None for the classifier's own, where it has a ``threshold_`` for this label.
        pos_label : label or None, default=None
            The label of the positive class; None for the classifier's own ``pos_label_`` or, where it has none, for the
            second of ``classes_``.
        **kwargs : dict
            What `from_predictions` takes.

        Returns
        -------
        display : AlertsDisplay

        Raises
        ------
        ValueError, TypeError
            If an argument is outside its valid range.
        """
        proba, pos_label = positive_probability(estimator, X, pos_label)
        if threshold is None and getattr(estimator, "pos_label_", pos_label) == pos_label:
            threshold = getattr(estimator, "threshold_", None)
        return cls.from_predictions(y, proba, threshold=threshold, pos_label=pos_label, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        n_days: float = 1.0,
        false_positive: ArrayLike | None = None,
        false_negative: ArrayLike | None = None,
        threshold: float | None = None,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the alerts that scores would give at each threshold.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Labels, of two classes.
        y_score : array-like of shape (n_samples,)
            Scores, the higher the more likely positive.
        n_days : float, default=1.0
            Number of days, or of other units of time, > 0, that the samples are of.
        false_positive, false_negative : float, array-like of shape (n_samples,) or None, default=None
            What an alert of a negative sample and a positive one without an alert cost, as in
            `skfocal.thresholds.cost_threshold`; both or neither.
        threshold : float or None, default=None
            Score to mark.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0: of a sample of the data these say how many there are of each.
        pos_label : label or None, default=None
            The label of the positive class; None for 1, where the labels are 0 and 1, or -1 and 1.
        ax : matplotlib Axes, array-like of them or None, default=None
            Axes to draw on, one a panel; None for a new figure.
        **kwargs : dict
            What `matplotlib.axes.Axes.plot` takes, for the curves.

        Returns
        -------
        display : AlertsDisplay

        Raises
        ------
        ValueError, TypeError
            If an argument is outside its valid range.
        """
        is_positive, score, weight = as_scored(y_true, y_score, sample_weight, pos_label)
        check_number("n_days", n_days, lambda number: 0 < number < np.inf, "a finite number > 0")
        if threshold is not None:
            check_number("threshold", threshold, lambda number: not np.isnan(number), "None or a number")
        if (false_positive is None) != (false_negative is None):
            raise ValueError(
                "false_positive and false_negative must be given together, "
                f"got {false_positive!r} and {false_negative!r}."
            )
        check_positives(is_positive, weight)
        saves = None
        if false_positive is not None:
            alarm = _as_cost(false_positive, "false_positive", len(score))
            saves = np.where(is_positive, _as_cost(false_negative, "false_negative", len(score)), -alarm)
        counts = weight > 0
        levels, level = np.unique(-score[counts], return_inverse=True)  # samples of one score are alerts together

        def total(values: NDArray[Any]) -> NDArray[np.float64]:
            return np.cumsum(np.bincount(level, weights=(weight * values)[counts]))

        found = total(is_positive)
        return cls(
            threshold=-levels,
            alerts=total(np.ones(len(score))) / n_days,
            found=found / found[-1],
            saved=None if saves is None else total(saves) / n_days,
            chosen=threshold,
        ).plot(ax=ax, **kwargs)


def _as_cost(values: Any, name: str, n_samples: int) -> NDArray[np.float64]:
    """Return a cost for each sample."""
    costs = as_finite(values, name, "hold finite costs >= 0")
    if (costs < 0).any():
        raise ValueError(f"{name} must hold finite costs >= 0, got {costs[costs < 0].min()}.")
    if costs.shape not in ((), (n_samples,)):
        raise ValueError(f"{name} must be a number or have the shape ({n_samples},), got {costs.shape}.")
    return np.broadcast_to(costs, n_samples)
