"""Parameters, labels, margins and priors that no loss takes: errors name what is wrong, the range and the value."""

import re

import numpy as np
import pytest

from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss

from .conftest import LOSSES


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"gamma": -1}, ValueError, r"gamma must be in \[0, 10000\], got -1"),
        ({"gamma": float("nan")}, ValueError, r"gamma must be in \[0, 10000\], got nan"),
        ({"gamma": float("inf")}, ValueError, r"gamma must be in \[0, 10000\], got inf"),
        ({"gamma": (1.0, -2.0)}, ValueError, r"gamma must be in \[0, 10000\], got \(1.0, -2.0\)"),
        ({"gamma": []}, ValueError, r"gamma must be a number >= 0 or one per class, got \[\]"),
        ({"gamma": "two"}, TypeError, r"gamma must be a number >= 0 or one per class, got 'two'"),
        ({"gamma": None}, TypeError, r"gamma must be a number >= 0 or one per class, got None"),
        ({"gamma": [[1.0]]}, ValueError, r"gamma must be a number >= 0 or one per class, got \[\[1.0\]\]"),
        ({"alpha": (1.0, 0.0)}, ValueError, r"alpha must hold finite weights > 0, one per class, got \(1.0, 0.0\)"),
        ({"alpha": (1.0, float("inf"))}, ValueError, r"alpha must hold finite weights > 0, .* got \(1.0, inf\)"),
        ({"alpha": "half"}, TypeError, r"alpha must be None.* got 'half'"),
        ({"focal_mix": -0.1}, ValueError, r"focal_mix must be in \[0, 1\], the share of the log loss, got -0.1"),
        ({"focal_mix": 1.1}, ValueError, r"focal_mix must be in \[0, 1\], the share of the log loss, got 1.1"),
        ({"focal_mix": float("nan")}, ValueError, r"focal_mix must be in \[0, 1\], .* got nan"),
        ({"focal_mix": None}, TypeError, r"focal_mix must be a number in \[0, 1\], got None"),
    ],
)
def test_bad_parameters(loss, params, error, message):
    with pytest.raises(error, match=message):
        loss(**params)


@pytest.mark.parametrize("alpha", [0, 1, -0.5, 1.5, float("nan")])
def test_bad_scalar_alpha(alpha):
    with pytest.raises(ValueError, match=r"alpha must be in \(0, 1\).*got"):
        BinaryFocalLoss(2.0, alpha)
    with pytest.raises(ValueError, match="alpha must be None or one weight per class"):
        MulticlassFocalLoss(2.0, alpha)


@pytest.mark.parametrize("name", ["gamma", "alpha"])
def test_wrong_number_of_values(name):
    with pytest.raises(ValueError, match=f"{name} must have one value for each of the 2 classes, got 3"):
        BinaryFocalLoss(**{name: (1.0, 1.0, 1.0)})
    loss = MulticlassFocalLoss(**{name: (1.0, 1.0)})
    for call in (
        lambda: loss.gradient([0], np.zeros((1, 3))),
        lambda: loss.intercept([1, 1, 1]),
        lambda: loss.predict_proba(np.zeros((1, 3))),
    ):
        with pytest.raises(ValueError, match=f"{name} must have one value for each of the 3 classes, got 2"):
            call()


@pytest.mark.parametrize(
    ("loss", "y", "raw", "message"),
    [
        (BinaryFocalLoss(), [0], np.zeros((1, 2)), r"raw_prediction must have the shape \(n_samples,\).*got \(1, 2\)"),
        (MulticlassFocalLoss(), [0], np.zeros(3), r"raw_prediction must have the shape \(n_samples, n_cl.*got \(3,\)"),
        (MulticlassFocalLoss(), [0], np.zeros((1, 1)), r"n_classes >= 2, got \(1, 1\)"),
        (BinaryFocalLoss(), [0, 1], np.zeros(3), r"y_true must have the shape \(3,\).*got \(2,\)"),
        (BinaryFocalLoss(), [0, 2], np.zeros(2), r"y_true must hold class codes 0 ... 1, got 2"),
        (BinaryFocalLoss(), [0, 0.5], np.zeros(2), r"y_true must hold class codes 0 ... 1, got 0.5"),
        (BinaryFocalLoss(), [0, np.nan], np.zeros(2), r"y_true must hold class codes 0 ... 1, got nan"),
        (BinaryFocalLoss(), ["a"], np.zeros(1), r"y_true must hold class codes 0 ... 1, got dtype <U1"),
        (MulticlassFocalLoss(), [-1], np.zeros((1, 3)), r"y_true must hold class codes 0 ... 2, got -1"),
    ],
)
def test_bad_arrays(loss, y, raw, message):
    for method in (loss.loss, loss.gradient, loss.hessian):
        with pytest.raises(ValueError, match=message):
            method(y, raw)


def test_unknown_policy():
    for policy in ("newton", ["exact"], np.array(["exact", "stable"])):
        with pytest.raises(ValueError, match=r"hessian must be one of \['stable', 'exact'\], got"):
            BinaryFocalLoss().gradient_hessian([0], [0.0], hessian=policy)


@pytest.mark.parametrize("prior", [[1, 0], [1, -1], [1, np.nan], [1, np.inf]])
@pytest.mark.parametrize("loss", LOSSES)
def test_bad_prior(loss, prior):
    with pytest.raises(ValueError, match="prior must be finite and > 0 for every class, got"):
        loss().intercept(prior)
    for shape in ((), (1,), (2, 2)):
        message = rf"prior must have the shape \(n_classes,\), n_classes >= 2, got {re.escape(str(shape))}"
        with pytest.raises(ValueError, match=message):
            loss().intercept(np.full(shape, 0.3))


def test_three_priors_for_two_classes():
    with pytest.raises(ValueError, match=r"prior must have the shape \(2,\), got \(3,\)"):
        BinaryFocalLoss().intercept([1, 2, 3])


def test_margins_that_are_no_real_numbers():
    for raw in ([1j], ["a"]):
        with pytest.raises(TypeError, match="raw_prediction must hold real numbers, got dtype"):
            BinaryFocalLoss().loss([0], raw)
