"""A new loss is one file and a line in the registry: all estimators then train, watch, predict and convert with it."""

import pickle

import numpy as np
import pytest
from sklearn.metrics import log_loss

from skfocal import FocalMLPClassifier
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss, MultilabelFocalLoss
from skfocal.losses.formulas import FOCAL
from skfocal.losses.registry import FAMILIES
from skfocal.onnx import to_onnx

from .conftest import BOOSTED, ESTIMATORS, engine_of, focal_losses, make, watch
from .poly_focal_loss import FAMILY, BinaryPolyLoss, MulticlassPolyLoss

POLY = {each: type(f"Poly{each.__name__}", (each,), {"_family": "poly", "__module__": __name__}) for each in ESTIMATORS}
globals().update({each.__name__: each for each in POLY.values()})  # where pickle looks for them
LOSSES = [
    BinaryPolyLoss(2.0),
    BinaryPolyLoss((0.5, 3.0), 0.25, 0.3),
    MulticlassPolyLoss((1.0, 2.0, 3.0), (1.0, 2.0, 3.0)),
]


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(FAMILIES, "poly", FAMILY)


def some_data(loss):
    rng = np.random.default_rng(0)
    n_classes = 2 if isinstance(loss, BinaryPolyLoss) else 3
    raw = rng.normal(scale=3, size=200 if n_classes == 2 else (200, 3))
    return rng.integers(0, n_classes, 200), raw


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_its_derivatives(loss):
    y, raw = some_data(loss)
    step = 1e-5
    gradient, hessian = loss.gradient_hessian(y, raw)
    for column in range(raw[0].size):
        shift = step * (np.arange(raw[0].size) == column) if raw.ndim == 2 else step
        numeric = (loss.loss(y, raw + shift) - loss.loss(y, raw - shift)) / (2 * step)
        np.testing.assert_allclose(gradient.reshape(200, -1)[:, column], numeric, atol=1e-8)
        ups, downs = (loss.gradient(y, raw + sign * shift).reshape(200, -1)[:, column] for sign in (1, -1))
        np.testing.assert_allclose(hessian.reshape(200, -1)[:, column], (ups - downs) / (2 * step), atol=1e-8)
    assert (loss.gradient_hessian(y, raw, hessian="stable")[1] > 0).all()


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_its_link_is_the_posterior(loss):
    """The intercept minimises the loss of a prior, and the link takes it back."""
    prior = np.array([0.9, 0.1]) if isinstance(loss, BinaryPolyLoss) else np.array([0.9, 0.09, 0.01])
    start = loss.intercept(prior)
    codes = np.arange(len(prior))
    weighted = prior @ loss.gradient(codes, np.array([start] * len(prior))).reshape(len(prior), -1)
    np.testing.assert_allclose(weighted, 0, atol=1e-10)
    expected = prior * (loss.class_weights or 1.0)
    np.testing.assert_allclose(loss.predict_proba(np.array([start]))[0], expected / expected.sum())


@pytest.mark.parametrize("rare", [1e-3, 1e-40, 1e-300])
@pytest.mark.parametrize("kind", [BinaryFocalLoss, MulticlassFocalLoss])
def test_a_link_that_rises_slowly(kind, rare):
    """Margins are as large as it takes; of several classes up to 10,000, which is all that engines need."""
    slow = FOCAL._replace(log_link=lambda u, gamma, mix: FOCAL.log_link(u / 100, gamma, mix), compiled=False)
    loss = type("Slow", (kind,), {"formulas": slow})(1.0)
    prior = np.array([1.0, rare] if kind is BinaryFocalLoss else [1.0, 0.5, rare])
    posterior = loss.predict_proba(np.array([loss.intercept(prior)]))[0]
    expected = prior / prior.sum()
    if kind is MulticlassFocalLoss and rare < 1e-43:
        assert expected[-1] < posterior[-1] < 1e-43  # exp(-10,000 / 100)
        posterior, expected = posterior[:-1], expected[:-1]
    np.testing.assert_allclose(posterior, expected, rtol=1e-9)


def test_several_labels():
    """Each by its own formulas, which must be the same."""
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 2, (200, 2)), rng.normal(scale=3, size=(200, 2))
    labels = [BinaryPolyLoss(2.0), BinaryPolyLoss(0.5, 0.25)]
    losses, gradient = MultilabelFocalLoss(labels).loss_gradient(y, raw)
    each = [label.loss_gradient(y[:, k], raw[:, k]) for k, label in enumerate(labels)]
    np.testing.assert_allclose(losses, each[0][0] + each[1][0])
    np.testing.assert_allclose(gradient, np.column_stack([part[1] for part in each]))
    with pytest.raises(TypeError, match="labels must hold losses of the same formulas"):
        MultilabelFocalLoss([BinaryPolyLoss(2.0), BinaryFocalLoss(2.0)])
    network = make(POLY[FocalMLPClassifier]).fit(raw, y)
    assert {type(label) for label in network.focal_loss_.labels} == {BinaryPolyLoss}


def test_every_estimator_trains_on_it(estimator, data):
    X, y = data
    model = make(POLY[estimator], focal_gamma=1.5, focal_alpha="balanced").fit(X, y)
    assert type(model.focal_loss_) in (BinaryPolyLoss, MulticlassPolyLoss)
    np.testing.assert_allclose(model.focal_intercept_, 0, atol=1e-9)
    assert not np.allclose(
        model.predict_proba(X), make(estimator, focal_gamma=1.5, focal_alpha="balanced").fit(X, y).predict_proba(X)
    )
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))
    plain = make(POLY[estimator]).fit(X[::2], y[::2])
    prior = np.tile(np.bincount(y) / len(y), (len(y) // 2, 1))
    assert log_loss(y[1::2], plain.predict_proba(X[1::2])) < log_loss(y[1::2], prior)


@pytest.mark.parametrize("boosted", BOOSTED)
def test_early_stopping_watches_it(boosted, binary):
    X, y = binary
    model = watch(make(POLY[boosted], **engine_of(boosted).early(3)), X[500:], y[500:], X[:500], y[:500])
    losses = focal_losses(model)
    best = np.min(losses) if hasattr(model, "best_iteration_") else losses[-1]
    assert best == pytest.approx(np.mean(model.focal_loss_.loss(y[:500], model.decision_function(X[:500]))), rel=1e-5)


@pytest.mark.parametrize("boosted", BOOSTED)
def test_it_is_saved_and_converted(boosted, binary, tmp_path):
    X, y = binary
    model = make(POLY[boosted]).fit(X, y)
    for name in engine_of(boosted).files:
        model.save_model(tmp_path / name)
        loaded = POLY[boosted]().load_model(tmp_path / name)
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
        with pytest.raises(ValueError, match="must be of a model of the loss 'focal', got one of 'poly'"):
            boosted().load_model(tmp_path / name)
    for package in ("onnx", "skl2onnx", "ndonnx", "spox"):
        pytest.importorskip(package)
    session = pytest.importorskip("onnxruntime").InferenceSession(to_onnx(model).SerializeToString())
    np.testing.assert_allclose(session.run(["probabilities"], {"X": X})[0], model.predict_proba(X), atol=1e-5)
