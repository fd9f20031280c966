"""What the displays draw with: colours, panels, and labels at the lines. matplotlib is imported on first use.

Imports `_checks` and `thresholds`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfocal._checks import as_probabilities, as_scored, check_positives
from skfocal.thresholds.classifiers import as_pos_label, probability_of

# Blue, vermilion, green and purple of Okabe and Ito (2008), which the colour-blind can tell apart, as dark or as light
# as small letters have to be on a light or a dark background: a contrast of 4.5.
ON_LIGHT = ("#0072B2", "#B84F00", "#00795A", "#A3487F")
ON_DARK = ("#56B4E9", "#E69F00", "#2FC08F", "#E08FC0")
_SIZE = (4.6, 3.6)  # of a panel, in inches


def as_axes(ax: Any, n_panels: int, caller: str) -> NDArray[Any]:
    """Return the axes of so many panels: those given, or those of a new figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If other than so many axes are given.
    """
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError(f'{caller} needs matplotlib: pip install "skfocal[plot]"') from error
    if ax is None:
        size = (_SIZE[0] * n_panels, _SIZE[1])
        return plt.subplots(1, n_panels, squeeze=False, figsize=size, layout="constrained")[1][0]
    axes = np.ravel(np.asarray(ax, dtype=object))
    if len(axes) != n_panels:
        raise ValueError(f"ax must be None or hold {n_panels} axes, one a panel, got {len(axes)}.")
    return axes


def colours(ax: Any) -> tuple[str, ...]:
    """Return the four colours that can be seen on the background of these axes."""
    from matplotlib.colors import to_rgba

    red, green, blue, opacity = to_rgba(ax.get_facecolor())
    if not opacity:
        red, green, blue, _ = to_rgba(ax.figure.get_facecolor())
    return ON_LIGHT if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else ON_DARK


def styled(given: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """Return how a line is drawn: as is said, under the long names or the short ones of matplotlib, else by default."""
    from matplotlib import cbook, lines

    return defaults | cbook.normalize_kwargs(given, lines.Line2D)


def neutral() -> dict[str, Any]:
    """Return how lines are drawn that only help to read: in the colour of text, whatever the style."""
    from matplotlib import rcParams

    return {"color": rcParams["text.color"], "alpha": 0.5, "linewidth": 0.8, "linestyle": ":", "label": "_help"}


def label_lines(ax: Any) -> None:
    """Write each line's label next to it, in its colour, where all other lines and labels are farthest."""
    from matplotlib import patheffects

    ax.figure.canvas.figure.draw_without_rendering()  # so that the axes have their place
    lines = [line for line in ax.get_lines() if not line.get_label().startswith("_")]
    points = {line: _pixels(ax, line) for line in ax.get_lines()}
    taken: list[NDArray[np.float64]] = []
    halo = [patheffects.withStroke(linewidth=2.5, foreground=ax.get_facecolor())]
    for line in lines:
        text = ax.text(0, 0, line.get_label(), color=line.get_color(), fontsize="small", ha="center", va="center")
        text.set_path_effects(halo)
        box = text.get_window_extent()
        others = [points[other] for other in points if other is not line]
        middle = _clearest(points[line], np.array([box.width, box.height]), others, taken, ax.bbox)
        text.set_position(ax.transData.inverted().transform(middle))
        text.set_transform(ax.transData)
        taken.append(_border(middle, box.width, box.height))


def _pixels(ax: Any, line: Any) -> NDArray[np.float64]:
    """Return points of a line that are close to one another, of those inside the axes, in pixels."""
    xy = ax.transData.transform(line.get_xydata())
    xy = xy[np.isfinite(xy).all(axis=1)]
    if len(xy) < 2:
        return xy
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    at = np.linspace(0.0, along[-1], int(min(along[-1], 4000) // 4) + 2)
    dense = np.column_stack([np.interp(at, along, column) for column in xy.T])
    inside = ((dense >= ax.bbox.min) & (dense <= ax.bbox.max)).all(axis=1)
    return dense[inside] if inside.any() else dense


def _clearest(
    own: NDArray[np.float64],
    size: NDArray[np.float64],
    others: list[NDArray[np.float64]],
    taken: list[NDArray[np.float64]],
    bbox: Any,
) -> NDArray[np.float64]:
    """Return the middle of the label, at any side of its line, where neither has anything else close."""
    above, beside = 0.7 * size[1], 0.5 * (size[0] + size[1])
    sides = [(0, above), (0, -above), (beside, above), (-beside, -above), (beside, -above), (-beside, above)]
    anchors = np.tile(own, (len(sides), 1))
    middles = np.concatenate([own + np.array(side) for side in sides])
    room = np.minimum(middles - size / 2 - bbox.min, bbox.max - middles - size / 2).min(axis=1)
    roomy = room >= size[1] / 4
    if roomy.any():
        anchors, middles = anchors[roomy], middles[roomy]
    clear = np.full(len(middles), 4.0 * size[1])  # beyond a few lines of text farther is no better
    own_gap = _gap(middles, own, size)
    # In heights of a label, which clearance is weighed against: 4 is the most, so that what is worse counts first.
    faults = 7.0 * (own_gap <= 2)  # where the line is steep
    for points in others:
        gap = _gap(middles, points, size)
        clear = np.minimum(clear, np.minimum(gap, _gap(anchors, points, 0.0 * size)))
        faults = np.maximum(faults, 2.0 * (gap <= own_gap))  # it would be taken for the other's
    faults += 14.0 * np.any([_gap(middles, points, size) <= 2 for points in taken], axis=0)
    return middles[np.argmax(clear - size[1] * faults)]


def _gap(middles: NDArray[np.float64], points: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far boxes of this size around the middles are from the closest of the points."""
    if not len(points):
        return np.full(len(middles), np.inf)
    gap = np.maximum(np.abs(middles[:, None] - points) - size / 2, 0.0)
    return np.hypot(gap[..., 0], gap[..., 1]).min(axis=1)


def _border(middle: NDArray[np.float64], width: float, height: float) -> NDArray[np.float64]:
    """Return points of a label's box, for others to keep away from."""
    x, y = np.linspace(-width / 2, width / 2, 9), np.linspace(-height / 2, height / 2, 3)
    return middle + np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def positive_probability(estimator: Any, X: Any, pos_label: Any) -> tuple[NDArray[np.floating], Any]:
    """Return the probabilities of the positive class of two, and its label."""
    classes = np.asarray(estimator.classes_)
    if len(classes) != 2:
        raise ValueError(f"estimator must be a classifier of two classes, got {len(classes)}: {classes.tolist()}.")
    own = getattr(estimator, "pos_label_", None)  # of those that decide by thresholds
    pos_label = as_pos_label(own if pos_label is None else pos_label, classes)
    return probability_of(estimator, X, pos_label), pos_label


def as_counted(
    y_true: Any, y_proba: Any, sample_weight: Any, pos_label: Any
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Return which samples are positive, their probabilities and weights, of what has a weight."""
    is_positive, proba, weight = as_scored(y_true, as_probabilities(y_proba), sample_weight, pos_label)
    check_positives(is_positive, weight)
    counts = weight > 0
    return is_positive[counts], proba[counts], weight[counts]
