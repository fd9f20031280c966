"""A network to start from: what it must be like, and its coefficients. Imports `margin_mlp`, `target` and `losses`."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier

from skfocal.losses import MultilabelFocalLoss
from skfocal.neural_network.margin_mlp import MarginMLPClassifier
from skfocal.neural_network.target import Loss, n_labels


def fitted_network(estimator: Any, name: str = "pretrained") -> MLPClassifier:
    """Return a fitted MLPClassifier, taken out of its FrozenEstimator; raise if there is none."""
    if isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    if not isinstance(estimator, MLPClassifier):
        raise TypeError(
            f"{name} must be a fitted MLPClassifier (of a pipeline its last step), or a FrozenEstimator of one, "
            f"got {estimator!r}."
        )
    if not hasattr(estimator, "coefs_"):
        raise ValueError(
            f"{name} must be a fitted MLPClassifier, got one that is not fitted. (clone drops what an estimator has "
            "learned, unless it is in a FrozenEstimator.)"
        )
    if not all(np.isfinite(part).all() for part in [*estimator.coefs_, *estimator.intercepts_]):
        raise ValueError(f"{name} must have finite coefs_ and intercepts_, got {estimator!r} with others.")
    return estimator


def check_same_network(network: Any, loss: Loss) -> None:
    """Raise if what is to be trained further had other layers, or another kind of target."""
    sizes = network.hidden_layer_sizes
    sizes = [sizes] if isinstance(sizes, Real) else list(sizes)
    trained = [coefs.shape[1] for coefs in network.coefs_[:-1]]
    if sizes != trained:
        raise ValueError(f"hidden_layer_sizes must be {trained}, as trained so far, got {sizes}.")
    if n_labels(loss) != n_labels(network.focal_loss_):
        raise ValueError(
            f"y must have as many labels as before, {n_labels(network.focal_loss_)} (0: it has classes), "
            f"got {n_labels(loss)}."
        )


def log_odds_scale(loss: Loss) -> float | NDArray[np.float64]:
    """Return 1 / (1 + gamma), by which log-odds become margins of the same posterior, where those are not small.

    With several gammas it is their mean that counts: one output cannot have several scales. A mix with the log loss
    takes its share of gamma away, which is right at both of its ends and a fair guess between them.
    """
    if isinstance(loss, MultilabelFocalLoss):
        return np.array([log_odds_scale(label) for label in loss.labels])
    return 1 / (1 + (1 - loss.focal_mix) * float(np.mean(loss.gamma)))


def take_coefficients(network: Any, pretrained: Any) -> float | NDArray[np.float64]:
    """Give a network the coefficients of a fitted one; return what its output is multiplied by to be focal margins."""
    fitted = fitted_network(pretrained)
    is_focal = isinstance(fitted, MarginMLPClassifier)
    has_labels = fitted.n_outputs_ > 1 and (
        n_labels(fitted.focal_loss_) > 0 if is_focal else fitted.out_activation_ == "logistic"
    )
    if has_labels != (n_labels(network.focal_loss_) > 0):
        kinds = ["classes", "labels"]
        raise ValueError(f"y must hold {kinds[has_labels]}, as pretrained has, got {kinds[not has_labels]}.")
    if fitted.activation != network.activation:
        raise ValueError(f"activation must be {fitted.activation!r}, that of pretrained, got {network.activation!r}.")
    if not np.array_equal(fitted.classes_, network.classes_):
        raise ValueError(
            f"The classes of y must be those of pretrained, {fitted.classes_.tolist()}, "
            f"got {network.classes_.tolist()}."
        )
    shapes = [[coefs.shape for coefs in each.coefs_] for each in (fitted, network)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"hidden_layer_sizes and y must give the layers of pretrained, of the shapes {shapes[0]}, got {shapes[1]}."
        )
    for own, given in zip(network.coefs_ + network.intercepts_, fitted.coefs_ + fitted.intercepts_, strict=True):
        own[...] = given
    log_odds = 1 / log_odds_scale(fitted.focal_loss_) if is_focal else 1.0
    return log_odds * log_odds_scale(network.focal_loss_)
