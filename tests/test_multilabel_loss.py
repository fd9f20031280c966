"""The loss of several labels: as many losses of two classes, on a margin each."""

import pickle

import numpy as np
import pytest

from skfocal.losses import BinaryFocalLoss, MultilabelFocalLoss

LABELS = MultilabelFocalLoss((BinaryFocalLoss(2.0), BinaryFocalLoss((0.0, 1.0), 0.9), BinaryFocalLoss(5.0, None, 0.1)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_several_labels_are_as_many_binary_losses(dtype):
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 2, size=(200, 3)), rng.normal(scale=10, size=(200, 3)).astype(dtype)
    loss, gradient = LABELS.loss_gradient(y, raw)
    assert loss.dtype == gradient.dtype == dtype
    alone = [label.loss_gradient(y[:, k], raw[:, k]) for k, label in enumerate(LABELS.labels)]
    np.testing.assert_allclose(loss, sum(each[0] for each in alone), rtol=1e-5 if dtype == np.float32 else 1e-12)
    np.testing.assert_allclose(gradient, np.column_stack([each[1] for each in alone]), rtol=1e-6)
    np.testing.assert_array_equal(LABELS.loss(y, raw), loss)
    np.testing.assert_array_equal(LABELS.gradient(y.astype(bool), raw), gradient)
    prior = np.array([[0.9, 0.1], [30, 20], [1, 1]])
    posterior = LABELS.predict_proba(LABELS.intercept(prior)[None, :])
    np.testing.assert_allclose(posterior[0], [0.1, 0.9 * 20 / (0.9 * 20 + 0.1 * 30), 0.5], rtol=1e-12)
    alone, first = MultilabelFocalLoss(LABELS.labels[:1]), raw[:, :1]
    expected = LABELS.labels[0].loss(y[:, 0], raw[:, 0])
    np.testing.assert_allclose(alone.loss(y[:, :1], first), expected, rtol=1e-5 if dtype == np.float32 else 1e-12)


def test_a_loss_of_labels_is_a_value():
    LABELS.gradient([[0, 1, 0]], np.zeros((1, 3)))  # it may keep what it has computed, and is the same
    assert pickle.loads(pickle.dumps(LABELS)) == LABELS == MultilabelFocalLoss(list(LABELS.labels))
    assert hash(LABELS) == hash(MultilabelFocalLoss(LABELS.labels))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MultilabelFocalLoss(()), TypeError, r"labels must hold one BinaryFocalLoss for each label, got \(\)"),
        (lambda: MultilabelFocalLoss((2.0,)), TypeError, r"labels must hold one BinaryFocalLoss .* got \(2.0,\)"),
        (lambda: LABELS.loss([[0, 1, 2]], np.zeros((1, 3))), ValueError, "y_true must hold 0 and 1, got 2"),
        (lambda: LABELS.loss([[0, 1, "a"]], np.zeros((1, 3))), ValueError, "y_true must hold 0 and 1, got dtype <U21"),
        (
            lambda: LABELS.loss([[0, 1]], np.zeros((1, 3))),
            ValueError,
            r"y_true must have the shape \(1, 3\).*got \(1,",
        ),
        (
            lambda: LABELS.loss([0], np.zeros(1)),
            ValueError,
            r"raw_prediction must have the shape \(n_samples, 3",
        ),
        (lambda: LABELS.intercept([1, 1, 1]), ValueError, r"prior must have the shape \(3, 2\), got \(3,\)"),
        (lambda: LABELS.predict_proba(np.zeros((1, 3)), n_jobs=0.5), ValueError, "n_jobs must be"),
    ],
)
def test_bad_labels(call, error, message):
    with pytest.raises(error, match=message):
        call()
