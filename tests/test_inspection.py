"""The displays show what they say: values against formulas, loops and scipy's; labels that can be read."""

import sys
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfocal import FocalHistGradientBoostingClassifier
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss
from skfocal.thresholds import AlertBudgetClassifier, fpr_threshold

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import itertools

from matplotlib import pyplot as plt  # after the backend
from matplotlib.colors import to_rgb

from skfocal.inspection import (
    AlertsDisplay,
    FocalLossDisplay,
    GammaSweepDisplay,
    ReliabilityDisplay,
)
from skfocal.inspection.drawing import ON_DARK, ON_LIGHT

QUANTITIES = ["loss", "gradient", "weight", "hessian", "stable_hessian", "posterior"]


def displays():
    y, proba = [0, 1, 0, 1], [0.1, 0.2, 0.3, 0.9]
    return {
        FocalLossDisplay: partial(FocalLossDisplay.from_losses, [BinaryFocalLoss()], quantities=["loss"]),
        GammaSweepDisplay: GammaSweepDisplay(gammas=np.arange(2.0), scores=np.eye(2)).plot,
        ReliabilityDisplay: partial(ReliabilityDisplay.from_predictions, y, proba),
        AlertsDisplay: partial(AlertsDisplay.from_predictions, y, proba),
    }


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    X, y = make_classification(600, weights=[0.9], flip_y=0.05, random_state=0)
    model = FocalHistGradientBoostingClassifier(focal_gamma=2.0, max_iter=20, random_state=0).fit(X[:300], y[:300])
    return model, X[300:], y[300:]


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    y = (rng.random(400) < 0.1).astype(int)
    return y, np.clip(rng.normal(0.3 + 0.3 * y, 0.15), 0.01, 0.99).round(2)  # many are the same


# The loss


def test_losses_are_the_papers():
    """Lin et al. (2017), equation 4, and the mix with the log loss."""
    losses = {"focal": BinaryFocalLoss(2.0), "mixed": BinaryFocalLoss(2.0, focal_mix=0.25)}
    display = FocalLossDisplay.from_losses(losses, quantities=["loss"])
    p = expit(display.margin)
    assert_allclose(display.values["loss"]["focal"], -((1 - p) ** 2) * np.log(p), rtol=1e-9)
    assert_allclose(display.values["loss"]["mixed"], -(0.75 * (1 - p) ** 2 + 0.25) * np.log(p), rtol=1e-9)


def test_derivatives_are_those_of_what_is_shown():
    display = FocalLossDisplay.from_losses([BinaryFocalLoss(2.0)], quantities=QUANTITIES, against="margin")
    u = display.margin
    loss, gradient, weight, hessian, stable, _ = (display.values[name]["γ = 2"] for name in QUANTITIES)
    inner = slice(1, -1)
    assert_allclose(gradient[inner], np.gradient(loss, u)[inner], atol=1e-3)
    assert_allclose(hessian[inner], np.gradient(gradient, u)[inner], atol=1e-3)
    assert_allclose(weight, gradient / -(1 - expit(u)), rtol=1e-9)
    assert (stable >= hessian).all()
    assert (hessian < 0).any()
    assert (stable > 0).all()


def test_without_gamma_it_is_the_log_loss():
    display = FocalLossDisplay.from_losses([BinaryFocalLoss(0.0)], quantities=QUANTITIES)
    p = expit(display.margin)
    for quantity, expected in {"weight": np.ones(len(p)), "posterior": p, "hessian": p * (1 - p)}.items():
        assert_allclose(display.values[quantity]["γ = 0"], expected, rtol=1e-9)


@pytest.mark.parametrize("against", ["probability", "margin"])
def test_the_axis_is_the_one_asked_for(against):
    display = FocalLossDisplay.from_losses([BinaryFocalLoss(1.0)], quantities=["loss"], against=against)
    expected = expit(display.margin) if against == "probability" else display.margin
    assert_array_equal(display.axes_[0].get_lines()[0].get_xdata(), expected)


def test_a_classifiers_loss_beside_the_log_loss(fitted):
    display = FocalLossDisplay.from_estimator(fitted[0])
    assert list(display.values["loss"]) == ["log loss", "γ = 2"]


@pytest.mark.parametrize(
    ("losses", "error", "message"),
    [
        ([], ValueError, r"losses must be 1 to 4 different ones a display, got \[\]"),
        (
            [BinaryFocalLoss(2), BinaryFocalLoss(2.0)],
            ValueError,
            r"losses must be 1 to 4 different ones a display, got \[BinaryFocalLoss\(gamma=2",
        ),
        (
            [BinaryFocalLoss(g) for g in range(5)],
            ValueError,
            r"losses must be 1 to 4 different ones a display, got \[BinaryFocalLoss\(gamma=0",
        ),
        ([MulticlassFocalLoss()], TypeError, "losses must be instances of BinaryFocalLoss, got Multiclass"),
        ({"name": 2.0}, TypeError, "losses must be instances of BinaryFocalLoss, got 2.0"),
        (BinaryFocalLoss(2.0), TypeError, r"losses must be a list or a dict of losses, got BinaryFocalLoss\(gamma=2"),
    ],
)
def test_bad_losses(losses, error, message):
    with pytest.raises(error, match=message):
        FocalLossDisplay.from_losses(losses)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"quantities": []}, "quantities must be a list of some of"),
        ({"quantities": "loss"}, "quantities must be a list of some of"),
        ({"quantities": ["slope"]}, r"quantities must be .* got \['slope'\]"),
        ({"against": "odds"}, "against must be one of .* got 'odds'"),
    ],
)
def test_bad_parameters_of_a_loss(params, message):
    with pytest.raises(ValueError, match=message):
        FocalLossDisplay.from_losses([BinaryFocalLoss()], **params)


def test_only_our_classifiers_have_a_loss(fitted):
    with pytest.raises(TypeError, match="estimator must be a classifier of skfocal for two classes"):
        FocalLossDisplay.from_estimator(StandardScaler().fit(fitted[1]))


# What can be read


def luminance(colour):
    """Relative luminance by the Web Content Accessibility Guidelines 2.2."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize(("colours", "background"), [(ON_LIGHT, "white"), (ON_DARK, "#121212"), (ON_DARK, "black")])
def test_colours_can_be_told_from_the_background(colours, background):
    for colour in colours:
        low, high = sorted([luminance(colour), luminance(background)])
        assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize(("style", "colours"), [("default", ON_LIGHT), ("dark_background", ON_DARK)])
def test_colours_follow_the_style(style, colours):
    with plt.style.context(style):
        display = FocalLossDisplay.from_losses([BinaryFocalLoss(g) for g in range(4)])
        lines = [line for line in display.axes_[0].get_lines() if line.get_label() != "_help"]
    assert tuple(line.get_color() for line in lines) == colours


@pytest.mark.parametrize("against", ["probability", "margin"])
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_labels_stand_in_the_picture_and_not_on_one_another(quantity, against):
    losses = [BinaryFocalLoss(g) for g in (0.0, 0.5, 2.0, 5.0)]
    display = FocalLossDisplay.from_losses(losses, quantities=[quantity], against=against)
    (ax,) = display.axes_
    display.figure_.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert [text.get_text() for text in ax.texts] == ["γ = 0", "γ = 0.5", "γ = 2", "γ = 5"]
    for i, box in enumerate(boxes):
        assert ax.bbox.x0 <= box.x0
        assert box.x1 <= ax.bbox.x1
        assert ax.bbox.y0 <= box.y0
        assert box.y1 <= ax.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[:i])


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("against", ["probability", "margin"])
def test_no_line_runs_through_a_label(quantity, against):
    losses = [BinaryFocalLoss(g) for g in (0.0, 2.0, 5.0)]
    display = FocalLossDisplay.from_losses(losses, quantities=[quantity], against=against)
    (ax,) = display.axes_
    display.figure_.draw_without_rendering()
    for line in ax.get_lines():
        points = ax.transData.transform(line.get_path().interpolated(10).vertices)
        for text in ax.texts:
            box = text.get_window_extent()
            assert not ((points > box.min) & (points < box.max)).all(axis=1).any(), (text.get_text(), line.get_label())


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_a_label_is_closest_to_its_own_line(gamma):
    display = FocalLossDisplay.from_losses([BinaryFocalLoss(g) for g in (0.0, 2.0)], quantities=["weight"])
    (ax,) = display.axes_
    display.figure_.draw_without_rendering()
    (text,) = (text for text in ax.texts if text.get_text() == f"γ = {gamma:g}")
    middle = np.mean(text.get_window_extent().get_points(), axis=0)
    distance = {
        line.get_label(): np.hypot(*(ax.transData.transform(line.get_xydata()) - middle).T).min()
        for line in ax.get_lines()
    }
    assert min(distance, key=distance.get) == f"γ = {gamma:g}"


# Gamma


def test_a_sweep_is_a_cross_validation(fitted):
    model, X, y = fitted
    cv = StratifiedKFold(3)
    display = GammaSweepDisplay.from_estimator(model, X, y, gammas=[2.0, 0.0], scoring="average_precision", cv=cv)
    assert_array_equal(display.gammas, [0.0, 2.0])
    for gamma, scores in zip(display.gammas, display.scores, strict=True):
        again = FocalHistGradientBoostingClassifier(focal_gamma=gamma, max_iter=20, random_state=0)
        assert_allclose(scores, cross_val_score(again, X, y, scoring="average_precision", cv=cv), rtol=1e-12)
    assert display.ax_.get_ylabel() == "average_precision, 3 splits"


def test_the_best_gamma_is_named_above_all_points():
    scores = np.array([[0.0, 1.0], [2.0, 1.0], [0.0, 0.5], [1.0, 1.0]])
    display = GammaSweepDisplay(gammas=np.arange(4.0), scores=scores)
    ax = display.plot().ax_
    display.figure_.draw_without_rendering()
    (text,) = ax.texts
    assert text.get_text().startswith("best: γ = 1,")
    highest = ax.transData.transform([(0.0, max(line.get_ydata().max() for line in ax.get_lines()))])[0, 1]
    assert highest < text.get_window_extent().y0 < text.get_window_extent().y1 < ax.bbox.y1


def test_each_gamma_is_at_its_best_where_more_was_searched(fitted):
    _, X, y = fitted
    pipeline = make_pipeline(StandardScaler(), FocalHistGradientBoostingClassifier(max_iter=5, random_state=0))
    step = "focalhistgradientboostingclassifier__"
    grid = {step + "focal_gamma": [0.0, 2.0], step + "max_depth": [1, 4], step + "learning_rate": [0.01, 0.2]}
    scoring = {"ap": "average_precision", "loss": "neg_log_loss"}
    results = GridSearchCV(pipeline, grid, scoring=scoring, cv=2, refit=False).fit(X, y).cv_results_
    display = GammaSweepDisplay.from_cv_results(results, score="loss")
    gamma = np.array(results[f"param_{step}focal_gamma"], dtype=float)
    best = [results["mean_test_loss"][gamma == value].max() for value in (0.0, 2.0)]
    assert_allclose(display.scores.mean(axis=1), best, rtol=1e-12)


def test_the_best_is_marked():
    scores = np.array([[0.5, 0.7], [0.6, 0.9], [0.4, 0.8]])
    display = GammaSweepDisplay(gammas=np.array([0.0, 1.0, 2.0]), scores=scores).plot()
    assert [text.get_text() for text in display.ax_.texts] == ["best: γ = 1, 0.75"]


def test_how_hard_a_split_is_says_nothing_of_gamma():
    """Splits that differ by a constant have no spread."""
    scores = np.array([0.5, 0.6])[:, None] + np.array([0.0, 0.2, -0.1])
    display = GammaSweepDisplay(gammas=np.array([0.0, 1.0]), scores=scores).plot()
    band = display.ax_.collections[0].get_paths()[0].vertices[:, 1]
    assert_allclose(np.unique(band.round(12)), scores.mean(axis=1), rtol=1e-9)


@pytest.mark.parametrize(
    ("results", "params", "message"),
    [
        ({"param_max_depth": [1]}, {}, "cv_results must be of one focal_gamma, got"),
        (
            {"param_focal_gamma": [1.0], "split0_test_score": [1.0], "mean_test_score": [1.0]},
            {"score": "ap"},
            "'score'",
        ),
        (
            {"param_focal_gamma": [1.0], "split0_test_score": [np.nan]},
            {},
            "must hold finite scores, got nan in 'score'",
        ),
        ({"param_focal_gamma": [[1.0, 2.0]], "split0_test_score": [1.0]}, {}, "must have a number for focal_gamma"),
    ],
)
def test_bad_results(results, params, message):
    with pytest.raises(ValueError, match=message):
        GammaSweepDisplay.from_cv_results(results, **params)


def test_grids_without_a_gamma_are_left_out(fitted):
    _, X, y = fitted
    model = FocalHistGradientBoostingClassifier(max_iter=3, random_state=0)
    grids = [{"focal_gamma": [0.0, 1.0]}, {"max_depth": [2]}]
    results = GridSearchCV(model, grids, cv=2, refit=False).fit(X, y).cv_results_
    display = GammaSweepDisplay.from_cv_results(results)
    assert_allclose(display.scores.mean(axis=1), results["mean_test_score"][:2], rtol=1e-12)


def test_the_band_is_the_standard_error_of_the_mean():
    """As it is where splits are alike but for noise, over many displays of few gammas."""
    rng = np.random.default_rng(0)
    variances = []
    for _ in range(300):
        display = GammaSweepDisplay(gammas=np.array([0.0, 1.0]), scores=rng.normal(size=(2, 6))).plot()
        band = display.ax_.collections[0].get_paths()[0].vertices
        of_first = band[band[:, 0] == 0.0, 1]
        variances.append((np.ptp(of_first) / 2) ** 2)
        plt.close()
    assert np.mean(variances) == pytest.approx(1 / 6, rel=0.15)


@pytest.mark.parametrize("scoring", [["accuracy", "f1"], {"a": "accuracy"}])
def test_a_sweep_is_by_one_metric(fitted, scoring):
    with pytest.raises(ValueError, match="scoring must be one metric: None, a name or a callable, got"):
        GammaSweepDisplay.from_estimator(*fitted, scoring=scoring)


def test_a_sweep_needs_a_gamma(fitted):
    with pytest.raises(ValueError, match=r"estimator must have one focal_gamma, got \[\]"):
        GammaSweepDisplay.from_estimator(StandardScaler(), *fitted[1:])


# Reliability


def test_bins_and_their_intervals(scored):
    y, proba = scored
    curve = ReliabilityDisplay.from_predictions(y, proba, n_bins=6, confidence=0.9).curves["classifier"]
    log_odds = np.log(proba / (1 - proba))
    edges = np.linspace(log_odds.min(), log_odds.max(), 7)
    edges[-1] = np.inf
    rows = [(log_odds >= low) & (log_odds < high) for low, high in itertools.pairwise(edges)]
    rows = [inside for inside in rows if inside.any()]
    assert len(curve.observed) == len(rows) > 3
    for row, inside in enumerate(rows):
        interval = binomtest(y[inside].sum(), inside.sum()).proportion_ci(0.9)
        expected = proba[inside].mean(), y[inside].mean(), interval.low, interval.high
        assert_allclose([part[row] for part in curve], expected, rtol=1e-9, atol=1e-12)


def test_weights_count_and_their_unit_does_not(scored):
    y, proba = scored
    weight = np.random.default_rng(1).integers(1, 4, len(y))
    twice = ReliabilityDisplay.from_predictions(y, proba, sample_weight=weight).curves["classifier"]
    other = ReliabilityDisplay.from_predictions(y, proba, sample_weight=weight * 1e-6).curves["classifier"]
    rows = ReliabilityDisplay.from_predictions(np.repeat(y, weight), np.repeat(proba, weight)).curves["classifier"]
    assert_allclose(twice.predicted, rows.predicted, rtol=1e-9)
    assert_allclose(twice.observed, rows.observed, rtol=1e-9)
    # A sample of weight 2 says no more than one: the interval is wider than that of twice as many.
    wider = (twice.upper - twice.lower) - (rows.upper - rows.lower)
    assert (wider > -1e-12).all()
    assert (wider > 1e-3).any()
    assert_allclose(np.stack(other), np.stack(twice), rtol=1e-9)


def test_sigmoid_and_link_side_by_side(fitted):
    model, X, y = fitted
    display = ReliabilityDisplay.from_estimator(model, X, y, sigmoid=True, name="ours")
    assert [ax.get_title() for ax in display.axes_] == ["ours, sigmoid of the margin", "ours, focal link"]
    expected = ReliabilityDisplay.from_predictions(y, expit(model.decision_function(X))).curves["classifier"]
    assert_allclose(np.stack(display.curves["ours, sigmoid of the margin"]), np.stack(expected), rtol=1e-9)
    other = ReliabilityDisplay.from_estimator(model, X, y, sigmoid=True, pos_label=0, name="ours").curves
    expected = ReliabilityDisplay.from_predictions(1 - y, model.predict_proba(X)[:, 0]).curves["classifier"]
    assert_allclose(np.stack(other["ours, focal link"]), np.stack(expected), rtol=1e-9)
    expected = ReliabilityDisplay.from_predictions(1 - y, expit(-model.decision_function(X))).curves["classifier"]
    assert_allclose(np.stack(other["ours, sigmoid of the margin"]), np.stack(expected), rtol=1e-9)


def test_small_probabilities_have_labels_that_do_not_touch():
    proba = expit(np.linspace(-12.0, 7.0, 200))
    display = ReliabilityDisplay.from_predictions(np.arange(200) > 120, proba)
    display.figure_.draw_without_rendering()
    labels = display.axes_[0].get_xticklabels()
    assert len(labels) >= 9
    places = display.axes_[0].transData.transform([(label.get_position()[0], 0.5) for label in labels])[:, 0]
    closest, angle = np.diff(places).min(), np.deg2rad(labels[0].get_rotation())
    height = labels[0].get_fontsize() * display.figure_.dpi / 72
    widest = 0.6 * height * max(len(label.get_text()) for label in labels)
    assert closest * np.sin(angle) > height or closest * np.cos(angle) > widest


def test_a_point_at_the_edge_is_drawn_whole():
    ax = ReliabilityDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], n_bins=2).axes_[0]
    (container,) = ax.containers
    points, caps, bars = container
    assert {points.get_ydata()[0], points.get_ydata()[1]} == set(ax.get_ylim())
    assert not any(drawn.get_clip_on() for drawn in (points, *caps, *bars))


@pytest.mark.parametrize(
    ("arguments", "params", "message"),
    [
        (([0, 1], [0.1, 1.2]), {}, r"y_proba must hold probabilities in \[0, 1\], got 1.2"),
        (([0, 0], [0.1, 0.2]), {}, "y_true must hold a positive sample of weight > 0"),
        (([0, 1], [0.1, np.nan]), {}, r"y_proba must hold probabilities in \[0, 1\], got nan"),
        (([0, 1], [0.1, 0.2]), {"n_bins": 0}, "n_bins must be an integer >= 1, got 0"),
        (([0, 1], [0.1, 0.2]), {"n_bins": np.inf}, "n_bins must be an integer >= 1, got inf"),
        (([0, 1], [0.1, 0.2]), {"confidence": 1.0}, r"confidence must be a number in \(0, 1\), got 1.0"),
        ((["a", "b"], [0.1, 0.2]), {}, "pos_label must be one of the labels"),
    ],
)
def test_bad_reliability(arguments, params, message):
    with pytest.raises(ValueError, match=message):
        ReliabilityDisplay.from_predictions(*arguments, **params)


def test_bins_of_one_class_count_as_kish_says():
    weight = np.array([20.0] * 100 + [1e6] + [1.0])
    proba = np.array([0.01] * 101 + [0.99])
    curve = ReliabilityDisplay.from_predictions([0] * 101 + [1], proba, sample_weight=weight).curves["classifier"]
    n = weight[:101].sum() ** 2 / np.sum(weight[:101] ** 2)  # next to 1: nearly all of it is one sample
    assert_allclose(curve.upper[0], 1 - 0.025 ** (1 / n), rtol=1e-9)


@pytest.mark.parametrize("y", [[0, 0, 0, 1], [1, 1, 1, 1]])
@pytest.mark.parametrize("proba", [[0.0, 0.0, 0.0, 0.0], [0.0, 0.2, 0.5, 1.0]])
def test_probabilities_without_spread(y, proba):
    display = ReliabilityDisplay.from_predictions(y, proba)
    display.figure_.draw_without_rendering()
    curve = np.stack(display.curves["classifier"])
    assert np.isfinite(curve).all()
    assert (curve[2] <= curve[1]).all()
    assert (curve[1] <= curve[3]).all()


# Alerts


@pytest.mark.parametrize("weighted", [False, True])
def test_alerts_are_counted(scored, weighted):
    y, score = scored
    rng = np.random.default_rng(2)
    weight = rng.integers(0, 3, len(y)).astype(float) if weighted else np.ones(len(y))
    amount, look = rng.gamma(2.0, 50.0, len(y)), 3.0
    display = AlertsDisplay.from_predictions(
        y, score, n_days=4, false_positive=look, false_negative=amount, sample_weight=weight if weighted else None
    )
    assert_array_equal(display.threshold, np.unique(score[weight > 0])[::-1])
    nothing = np.sum(weight * y * amount)
    for row, threshold in enumerate(display.threshold):
        alert = score >= threshold
        cost = np.sum(weight * np.where(y == 1, ~alert * amount, alert * look))
        assert_allclose(display.alerts[row], weight[alert].sum() / 4)
        assert_allclose(display.found[row], np.sum((weight * y)[alert]) / np.sum(weight * y))
        assert_allclose(display.saved[row], (nothing - cost) / 4, atol=1e-9)


def test_without_costs_there_is_one_panel(scored):
    display = AlertsDisplay.from_predictions(*scored)
    assert display.saved is None
    assert len(display.axes_) == 1


@pytest.mark.parametrize(("threshold", "says"), [(0.5, True), (0.501, True), (5.0, False)])
def test_the_threshold_is_marked(scored, threshold, says):
    y, score = scored
    display = AlertsDisplay.from_predictions(y, score, threshold=threshold, false_positive=1.0, false_negative=9.0)
    texts = [text.get_text() for ax in display.axes_ for text in ax.texts]
    alert = score >= threshold
    found = f"threshold {threshold:.3g}:\n{alert.sum()} alerts a day,\n{y[alert].sum() / y.sum():.0%} found"
    assert texts[0] == found if says else not texts, texts


@pytest.mark.parametrize("n_alerts", [30, 120, 300])
def test_what_the_mark_says_is_not_written_over_the_curve(n_alerts):
    rng = np.random.default_rng(0)
    y = (rng.random(3000) < 0.03).astype(int)
    score = expit(rng.normal(5.0 * y - 5.0, 1.2))
    costs = {"false_positive": 5.0, "false_negative": 100.0}
    display = AlertsDisplay.from_predictions(y, score, n_days=30, threshold=np.sort(score)[-n_alerts], **costs)
    display.figure_.draw_without_rendering()
    for ax in display.axes_:
        x, values = ax.get_lines()[0].get_xydata().T
        curve = ax.transData.transform(np.column_stack([np.repeat(x, 2)[1:], np.repeat(values, 2)[:-1]]))
        (text,) = ax.texts
        box = text.get_window_extent()
        assert not any(box.contains(*point) for point in curve)
        assert ax.bbox.x0 < box.x0 < box.x1 < ax.bbox.x1


def test_a_classifiers_own_threshold_is_marked(fitted):
    model, X, y = fitted
    deciding = type("Deciding", (), {"classes_": model.classes_, "predict_proba": model.predict_proba})()
    deciding.threshold_ = fpr_threshold(y, model.predict_proba(X)[:, 1], max_fpr=0.1)
    assert AlertsDisplay.from_estimator(deciding, X, y).chosen == deciding.threshold_
    assert AlertsDisplay.from_estimator(deciding, X, y, threshold=0.7).chosen == 0.7
    assert AlertsDisplay.from_estimator(model, X, y).chosen is None


@pytest.mark.parametrize("asked", [None, 0, 1])
def test_a_threshold_is_of_its_own_class(fitted, asked):
    model, X, y = fitted
    decides = AlertBudgetClassifier(FrozenEstimator(model), max_fpr=0.2, pos_label=0).fit(X, y)
    display = AlertsDisplay.from_estimator(decides, X, y, pos_label=asked)
    if asked == 1:
        assert display.chosen is None
        return
    n_alerts = np.sum(decides.predict(X) == 0)
    assert f"{n_alerts} alerts a day" in display.axes_[0].texts[0].get_text()


@pytest.mark.parametrize("make", displays().values(), ids=lambda make: "")
@pytest.mark.parametrize("style", [{"color": "red", "linewidth": 3.0}, {"c": "red", "lw": 3.0}])
def test_lines_are_drawn_as_is_said(make, style):
    display = make(**style)
    ax = getattr(display, "ax_", None) or display.axes_[0]
    assert ("red", 3.0) in [(line.get_color(), line.get_linewidth()) for line in ax.get_lines()]


def test_as_many_lines_as_are_given():
    values = {"loss": {str(n): np.full(3, float(n)) for n in range(5)}}
    display = FocalLossDisplay(margin=np.arange(3.0), values=values).plot()
    assert [text.get_text() for text in display.axes_[0].texts] == list("01234")


def test_subfigures_are_taken():
    axes = plt.figure().subfigures(1, 2)[0].subplots()
    assert FocalLossDisplay.from_losses([BinaryFocalLoss()], quantities=["loss"], ax=axes).axes_[0] is axes


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_days": 0}, "n_days must be a finite number > 0, got 0"),
        ({"false_positive": 1.0}, "false_positive and false_negative must be given together, got 1.0 and None"),
        (
            {"false_positive": [1.0], "false_negative": 2.0},
            r"false_positive must be a number or have the shape \(400,\)",
        ),
        ({"false_positive": np.nan, "false_negative": 2.0}, "false_positive must hold finite costs >= 0"),
        ({"sample_weight": np.zeros(400)}, "weight"),
        ({"false_positive": -5.0, "false_negative": 2.0}, "false_positive must hold finite costs >= 0, got -5.0"),
        ({"threshold": np.nan}, "threshold must be None or a number, got nan"),
        ({"threshold": "0.5"}, "threshold must be None or a number, got '0.5'"),
    ],
)
def test_bad_alerts(scored, params, message):
    with pytest.raises(ValueError, match=message):
        AlertsDisplay.from_predictions(*scored, **params)


# All of them


@pytest.mark.parametrize("make", displays().values(), ids=lambda make: "")
def test_axes_are_taken(make):
    figure, (left, _) = plt.subplots(1, 2)
    display = make(ax=left)
    assert getattr(display, "ax_", None) is left or display.axes_[0] is left
    assert display.figure_ is figure
    assert left.get_lines()


@pytest.mark.parametrize("make", displays().values(), ids=lambda make: "")
def test_axes_must_be_as_many_as_panels(make):
    with pytest.raises(ValueError, match="ax must be None or hold 1 axes, one a panel, got 2"):
        make(ax=plt.subplots(1, 2)[1])


@pytest.mark.parametrize(("display", "make"), displays().items(), ids=lambda each: getattr(each, "__name__", ""))
def test_without_matplotlib(monkeypatch, display, make):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=rf'{display.__name__}.plot needs matplotlib: pip install "skfocal\[plot\]"'):
        make()


@pytest.mark.parametrize("display", [ReliabilityDisplay, AlertsDisplay])
def test_classifiers_must_have_two_classes_and_this_label(fitted, display):
    model, X, y = fitted
    with pytest.raises(ValueError, match=r"pos_label must be None or one of \[0, 1\], got 7"):
        display.from_estimator(model, X, y, pos_label=7)
    three = FocalHistGradientBoostingClassifier(max_iter=2).fit(X, np.arange(len(X)) % 3)
    with pytest.raises(ValueError, match=r"estimator must be a classifier of two classes, got 3: \[0, 1, 2\]"):
        display.from_estimator(three, X, y)


def test_the_sigmoid_needs_a_margin_of_ours(fitted):
    model, X, y = fitted
    other = type("Other", (), {"classes_": model.classes_, "predict_proba": model.predict_proba})()
    with pytest.raises(TypeError, match="estimator must be a classifier of skfocal with sigmoid=True"):
        ReliabilityDisplay.from_estimator(other, X, y, sigmoid=True)
