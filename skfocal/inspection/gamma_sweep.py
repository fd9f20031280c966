"""What gamma does to a metric. Imports `drawing`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import GridSearchCV

from skfocal.inspection.drawing import as_axes, colours, neutral, styled

_NAME = "focal_gamma"


class GammaSweepDisplay:
    """A metric against gamma: each split of a cross-validation, their mean, and the best.

    Use `from_estimator` or `from_cv_results` to make one.

    Parameters
    ----------
    gammas : ndarray of shape (n_gammas,)
        Values of `focal_gamma`, sorted.
    scores : ndarray of shape (n_gammas, n_splits)
        Scores, higher is better.
    score_name : str, default="score"
        What they are called.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes, once plotted.
    figure_ : matplotlib Figure
        Figure that holds it.

    See Also
    --------
    FocalLossDisplay : What gamma does to a sample.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import make_classification
    >>> from skfocal import FocalHistGradientBoostingClassifier
    >>> from skfocal.inspection import GammaSweepDisplay
    >>> X, y = make_classification(500, weights=[0.9], random_state=0)
    >>> classifier = FocalHistGradientBoostingClassifier(max_iter=5)
    >>> display = GammaSweepDisplay.from_estimator(classifier, X, y, gammas=[0, 1, 2], scoring="average_precision")
    >>> display.scores.shape
    (3, 5)
    >>> plt.close()
    """

    def __init__(self, *, gammas: NDArray[np.float64], scores: NDArray[np.float64], score_name: str = "score") -> None:
        self.gammas = gammas
        self.scores = scores
        self.score_name = score_name

    def plot(self, *, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the mean and what it is the mean of.

        A split is shown by how far it is from its own mean over gamma, added to the mean of all: splits differ in how
        hard they are, which says nothing about gamma. The band is the standard error of the mean, from these: corrected
        for the mean that was taken away, by G / (G - 1) of the variance for G values of gamma [1]_.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.
        **kwargs : dict
            What `matplotlib.axes.Axes.plot` takes, for the line of the mean.

        Returns
        -------
        display : GammaSweepDisplay

        References
        ----------
        .. [1] Morey (2008), Confidence intervals from normalized data: a correction to Cousineau (2005). Tutorials in
           Quantitative Methods for Psychology 4.
        """
        ax = as_axes(ax, 1, f"{type(self).__name__}.plot")[0]
        line, mark, *_ = colours(ax)
        mean = self.scores.mean(axis=1)
        aligned = self.scores - self.scores.mean(axis=0) + self.scores.mean()
        n_splits = self.scores.shape[1]
        ax.plot(self.gammas, aligned, **{**neutral(), "linestyle": "", "marker": ".", "markeredgewidth": 0.0})
        n_gammas = len(mean)
        if n_splits > 1 and n_gammas > 1:
            error = aligned.std(axis=1, ddof=1) * np.sqrt(n_gammas / (n_gammas - 1) / n_splits)
            ax.fill_between(self.gammas, mean - error, mean + error, color=line, alpha=0.2, linewidth=0)
        ax.plot(self.gammas, mean, **styled(kwargs, color=line, marker="o"))
        best = int(np.argmax(mean))
        ax.plot(self.gammas[best], mean[best], "o", markersize=11, markerfacecolor="none", color=mark)
        ax.annotate(
            f"best: γ = {self.gammas[best]:g}, {mean[best]:.4g}",
            (self.gammas[best], 1.0),  # above all points, in the margin
            xycoords=("data", "axes fraction"),
            xytext=(0, -5),
            textcoords="offset points",
            va="top",
            ha="left" if best < len(mean) / 2 else "right",
            color=mark,
        )
        ax.margins(y=0.15)
        ax.set(xlabel="γ (0 is the log loss)", ylabel=f"{self.score_name}, {n_splits} splits")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        score: str = "score",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw what a search has found. Where it varied more than gamma, each gamma is shown at its best.

        Parameters
        ----------
        cv_results : dict
            ``cv_results_`` of a fitted search of scikit-learn over `focal_gamma`, of a classifier or inside a pipeline.
        score : str, default="score"
            Name of the metric, where the search has several.
        name : str or None, default=None
            What the vertical axis is called; None for `score`.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.
        **kwargs : dict
            What `matplotlib.axes.Axes.plot` takes, for the line of the mean.

        Returns
        -------
        display : GammaSweepDisplay

        Raises
        ------
        ValueError
            If the results are not of one `focal_gamma`, or not of this score.
        """
        names = [f"param_{name}" for name in _names_of_gamma(key.removeprefix("param_") for key in cv_results)]
        if len(names) != 1:
            raise ValueError(f"cv_results must be of one focal_gamma, got {names or list(cv_results)[:20]}.")
        splits = [name for name in cv_results if name.startswith("split") and name.endswith(f"_test_{score}")]
        if not splits:
            known = sorted({name.partition("_test_")[2] for name in cv_results if name.startswith("mean_test_")})
            raise ValueError(f"score must be one of {known}, got {score!r}.")
        values = list(cv_results[names[0]])
        rows = [row for row, value in enumerate(values) if value is not np.ma.masked]  # some grids may have no gamma
        try:
            gamma = np.array([float(values[row]) for row in rows])
        except (TypeError, ValueError) as error:
            raise ValueError(f"cv_results must have a number for {_NAME}, got {values}.") from error
        scores = np.column_stack([np.asarray(cv_results[name], dtype=np.float64)[rows] for name in splits])
        if not np.isfinite(scores).all():
            raise ValueError(f"cv_results must hold finite scores, got {scores[~np.isfinite(scores)][0]} in {score!r}.")
        gammas = np.unique(gamma)
        best = [max(np.flatnonzero(gamma == value), key=lambda row: scores[row].mean()) for value in gammas]
        return cls(gammas=gammas, scores=scores[best], score_name=name or score).plot(ax=ax, **kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        gammas: Sequence[float] = (0.0, 0.5, 1.0, 2.0, 3.0),
        scoring: Any = None,
        cv: Any = None,
        n_jobs: int | None = None,
        params: Mapping[str, Any] | None = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Cross-validate a classifier with each gamma, and draw that.

        Parameters
        ----------
        estimator : classifier of skfocal, or a pipeline that has one
            Cloned, not changed.
        X, y : array-like
            Features and labels.
        gammas : list of float, default=(0, 0.5, 1, 2, 3)
            Values of `focal_gamma`; 0 is the log loss.
        scoring : str, callable or None, default=None
            As in `sklearn.model_selection.GridSearchCV`; None for the accuracy, which says little of rare classes.
        cv : int, splitter, iterable or None, default=None
            As there; rows in time order want `sklearn.model_selection.TimeSeriesSplit`.
        n_jobs : int or None, default=None
            As there.
        params : dict or None, default=None
            What `fit` of the search is given, as ``{"sample_weight": ...}`` with metadata routing.
        name : str or None, default=None
            What the vertical axis is called; None for `scoring`, if that is a name.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.
        **kwargs : dict
            What `matplotlib.axes.Axes.plot` takes, for the line of the mean.

        Returns
        -------
        display : GammaSweepDisplay

        Raises
        ------
        ValueError
            If the estimator has none or several `focal_gamma`, or `scoring` is of several metrics.
        """
        names = _names_of_gamma(estimator.get_params())
        if len(names) != 1:
            raise ValueError(f"estimator must have one focal_gamma, got {names} of {estimator!r}.")
        if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
            raise ValueError(f"scoring must be one metric: None, a name or a callable, got {scoring!r}.")
        search = GridSearchCV(
            estimator, {names[0]: list(gammas)}, scoring=scoring, cv=cv, n_jobs=n_jobs, refit=False, error_score="raise"
        ).fit(X, y, **(params or {}))
        name = scoring if name is None and isinstance(scoring, str) else name
        return cls.from_cv_results(search.cv_results_, name=name, ax=ax, **kwargs)


def _names_of_gamma(names: Iterable[str]) -> list[str]:
    """Return the names under which a classifier, or a step of a pipeline, has its gamma."""
    return [name for name in names if name == _NAME or name.endswith(f"__{_NAME}")]
