"""scikit-learn's network with its loss taken out: our touches of its private methods, the same from 1.7 to 1.9.

Imports `_state`.
"""

from abc import abstractmethod
from copy import copy, deepcopy
from types import FunctionType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier
from sklearn.neural_network._base import DERIVATIVES
from sklearn.utils.extmath import safe_sparse_dot

from skfocal._state import adopt_fitted_state


def _raising_interruptions(method: Any) -> Any:
    """Return a method in which KeyboardInterrupt is no exception to catch.

    Where a user interrupts its training, scikit-learn warns, and has what there is by then pass for a fitted network.
    """
    names = {**method.__globals__, "KeyboardInterrupt": ()}
    return FunctionType(method.__code__, names, method.__name__, method.__defaults__, method.__closure__)


_fit_stochastic = _raising_interruptions(MLPClassifier._fit_stochastic)


class MarginMLPClassifier(MLPClassifier):
    """MLPClassifier without its loss, first coefficients, validation split and score, which a subclass gives.

    scikit-learn writes them into private methods, which are the same from 1.7 to 1.9. What is overridden here calls
    theirs for all the rest; only `_backprop`, which takes the output's gradient for granted, is written anew.

    The output activation is the identity. Margins are `_margin_scale` times the output: 1 in a fitted network, whose
    last coefficients have taken it in. Wherever `y` occurs it is boolean, of shape (n_samples, n_outputs): one column
    for two classes, else one for each class or label. Margins have the same shape.
    """

    _margin_scale: float | NDArray[np.float64] = 1.0
    coefs_: list[NDArray[Any]]
    intercepts_: list[NDArray[Any]]

    @abstractmethod
    def _training_scale(self) -> float | NDArray[np.float64]:
        """Return `_margin_scale` while the network trains, of shape () or (n_outputs,)."""

    @abstractmethod
    def _set_coefficients(self) -> None:
        """Change ``coefs_`` and ``intercepts_`` from scikit-learn's random start to another, before training."""

    @abstractmethod
    def _loss_gradient(self, y: NDArray[np.bool_], margins: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the loss of each sample, shape (n_samples,), and its gradient by the margins."""

    @abstractmethod
    def _split(
        self, X: Any, y: NDArray[np.bool_], sample_weight: Any, random_state: Any
    ) -> tuple[list[Any], list[Any]]:
        """Return [X, y, sample_weight] of the training part and of the validation part."""

    @abstractmethod
    def _validation_score(self, y: NDArray[np.bool_], margins: NDArray[Any], sample_weight: Any) -> float:
        """Return what early stopping maximises."""

    @abstractmethod
    def _posterior(self, margins: NDArray[Any]) -> NDArray[np.float64]:
        """Return probabilities of the shape of the margins."""

    def _margins(self, X: Any) -> NDArray[Any]:
        return self._forward_pass_fast(X)

    def _decode(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return labels from a boolean `y` or from probabilities of its shape."""
        return self._label_binarizer.inverse_transform(y)

    def _predict(self, X: Any, check_input: bool = True) -> NDArray[Any]:
        return self._decode(self._posterior(self._forward_pass_fast(X, check_input=check_input)))

    def _fit(self, X: Any, y: Any, sample_weight: Any = None, incremental: bool = False) -> Self:
        if hasattr(self, "coefs_") and (self.warm_start or incremental):
            # Changed in place from here on: copies keep what there was, should anything fail.
            for name in {"coefs_", "intercepts_", "_optimizer", "loss_curve_", "validation_scores_"} & set(vars(self)):
                setattr(self, name, deepcopy(getattr(self, name)))
            self._multiply_output(1 / self._training_scale())
        self._margin_scale = self._training_scale()
        super()._fit(X, y, sample_weight=sample_weight, incremental=incremental)
        self._multiply_output(self._margin_scale)
        del self._margin_scale
        return self

    def _forget_progress(self) -> None:
        """Let what comes next not be compared with losses, scores or steps of what was before.

        scikit-learn goes on with them, or fails, if the parameters have changed between two calls.
        """
        self.loss_curve_ = getattr(self, "loss_curve_", [])
        self.best_loss_: float | None = None if self.early_stopping else np.inf
        self.best_validation_score_: float | None = -np.inf if self.early_stopping else None
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self._no_improvement_count = 0
        if hasattr(self, "_optimizer"):
            del self._optimizer

    def _multiply_output(self, factor: float | NDArray[np.float64]) -> None:
        for parts in (self.coefs_, self.intercepts_):
            parts[-1] = (parts[-1] * factor).astype(parts[-1].dtype, copy=False)

    def _initialize(self, y: NDArray[np.bool_], layer_units: list[int], dtype: Any) -> None:
        super()._initialize(y, layer_units, dtype)
        self.out_activation_ = "identity"
        self._set_coefficients()

    def _backprop(
        self,
        X: Any,
        y: NDArray[np.bool_],
        sample_weight: NDArray[Any] | None,
        activations: list[Any],
        deltas: list[Any],
        coef_grads: list[Any],
        intercept_grads: list[Any],
    ) -> tuple[float, list[Any], list[Any]]:
        output = self._forward_pass(activations)[-1]
        scale = np.asarray(self._margin_scale, dtype=output.dtype)
        losses, delta = self._loss_gradient(y, output * scale)
        delta = delta * scale
        if sample_weight is not None:
            losses, delta = losses * sample_weight, delta * sample_weight[:, None]
        # Of a batch that weighs nothing there is no average.
        total = X.shape[0] if sample_weight is None else sample_weight.sum() or 1.0
        # The penalty is on the coefficients of the margins, those that the fitted network will have.
        penalized = [*self.coefs_[:-1], self.coefs_[-1] * scale]
        penalty = 0.5 * self.alpha * sum(np.vdot(coefs, coefs) for coefs in penalized)
        last = self.n_layers_ - 2
        for layer in range(last, -1, -1):
            if layer < last:
                delta = safe_sparse_dot(delta, self.coefs_[layer + 1].T)
                DERIVATIVES[self.activation](activations[layer + 1], delta)
            deltas[layer] = delta
            self._compute_loss_grad(layer, total, activations, deltas, coef_grads, intercept_grads)
        coef_grads[last] -= self.alpha / total * (self.coefs_[last] - scale * penalized[last])
        return (losses.sum() + penalty) / total, coef_grads, intercept_grads

    def _fit_stochastic(self, X: Any, y: NDArray[np.bool_], sample_weight: Any, *rest: Any) -> None:
        """Train on a part of the data if `early_stopping`, on all of it otherwise.

        scikit-learn's own split is not stratified for several classes. A copy that knows nothing of `early_stopping`
        trains, as no parameter may change here, and looks at the validation part after each epoch.
        """
        incremental = rest[-1]
        if incremental or not self.early_stopping:
            _fit_stochastic(self, X, y, sample_weight, *rest)
            return
        training, validation = self._split(X, y, sample_weight, self._random_state)
        n_scores = len(self.validation_scores_ or [])
        trainer = copy(self)
        trainer.early_stopping = False
        trainer._validation = validation
        # Until an epoch scores higher the best network is the one that training starts from.
        trainer._best_coefs, trainer._best_intercepts = deepcopy((self.coefs_, self.intercepts_))
        _fit_stochastic(trainer, *training, *rest)
        del trainer._validation
        scores = (trainer.validation_scores_ or [])[n_scores:]
        if scores and np.isnan(scores).all():
            raise ValueError(
                "Solver produced non-finite parameter weights in every epoch. The input data may contain large values "
                "and need to be preprocessed."
            )
        adopt_fitted_state(self, trainer)
        self.coefs_, self.intercepts_ = list(self._best_coefs), list(self._best_intercepts)

    def _update_no_improvement_count(self, early_stopping: bool, *validation: Any) -> None:
        if hasattr(self, "_validation"):
            early_stopping, validation = True, self._validation
        super()._update_no_improvement_count(early_stopping, *validation)

    def _score(self, X: Any, y: NDArray[np.bool_], sample_weight: Any = None) -> float:
        margins = self._forward_pass_fast(X, check_input=False) * self._margin_scale
        # As in scikit-learn: a network that has overflown is never the best.
        return self._validation_score(y, margins, sample_weight) if np.isfinite(margins).all() else np.nan
