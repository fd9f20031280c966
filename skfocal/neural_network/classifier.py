"""The classifier: scikit-learn's network with the focal loss.

Imports `margin_mlp`, `pretrained`, `target`, `validation`, `_checks`, `_compat`, `_state` and `losses`.
"""

import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score
from sklearn.utils import _safe_indexing, check_array, check_consistent_length, gen_batches
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skfocal._checks import as_labels
from skfocal._compat import users_stacklevel
from skfocal._state import unchanged_on_error
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss
from skfocal.losses.parameters import as_gamma, as_mix
from skfocal.neural_network.margin_mlp import MarginMLPClassifier
from skfocal.neural_network.pretrained import check_same_network, fitted_network, log_odds_scale, take_coefficients
from skfocal.neural_network.target import make_target
from skfocal.neural_network.validation import VALIDATION_METRICS, mean_average_precision, stratified_split


def _is_stochastic(estimator: Any) -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit needs solver='adam' or 'sgd', which learn from batches, got 'lbfgs'.")
    return True


class FocalMLPClassifier(MarginMLPClassifier):
    """Multi-layer perceptron trained on the focal loss, with probabilities through the focal link.

    Takes the place of `sklearn.neural_network.MLPClassifier`: its parameters, methods and attributes work as there,
    with one, two or several columns of `y`. What differs: it trains on the focal loss, the output bias starts at the
    focal intercept of the training data [1]_, early stopping watches the average precision, and `predict_proba` goes
    through the focal link. As with any network, scale the features first.

    Parameters
    ----------
    hidden_layer_sizes, activation
        As in `sklearn.neural_network.MLPClassifier`.
    focal_gamma : float, array-like of shape (n_classes,) or dict, default=1.0
        Focusing parameter in [0, 1e4]: how fast the weight of a sample falls as it is classified well. 0 is the log
        loss. One per class in the order of ``classes_``, or a dict from labels; for multilabel data one per label. If
        it differs between classes, `predict` and `predict_proba` still agree, but the sign (or the largest) of the
        margins may be another class.
    focal_alpha : float, array-like of shape (n_classes,), dict, "balanced" or None, default=None
        Class weights of the loss. A float in (0, 1) is the weight of the second of two classes, in the order of
        ``classes_``, the first has the rest to 1; with labels that are words a dict is clearer. "balanced" weighs every
        class the same in all. For multilabel data a float or "balanced" weighs the presence of each label against its
        absence; a list has a float, or a pair of weights, for each label. (``alpha`` is the network's L2 penalty.)
    focal_mix : float, default=0.0
        Share of the log loss in [0, 1]: the loss is (1 - focal_mix) times the focal loss + focal_mix times the log
        loss. Keeps samples that are classified well from losing all weight.
    class_weight : dict, list of dicts, "balanced" or None, default=None
        Weights multiplied into those of `focal_alpha`, whose effect is the same (but ``focal_alpha="balanced"``
        balances what these leave). Labels that a dict leaves out have weight 1. "balanced" takes the sizes of the
        classes from `sample_weight`. For multilabel data a dict from 0 and 1 to weights, or a list with one for each
        label. `predict_proba` is the posterior of the reweighted data.
    validation_metric : {"average_precision", "focal_loss", "accuracy"}, default="average_precision"
        What early stopping watches on its validation data, weighted by `sample_weight`. The average precision is that
        of the rarer of two classes; for more classes, or labels, the mean over those that occur, each against the
        rest. Only used if ``early_stopping=True``.
    pretrained : MLPClassifier, FrozenEstimator or None, default=None
        A fitted `sklearn.neural_network.MLPClassifier` (or `FocalMLPClassifier`) to start from, with the same layers,
        activation, features and classes; see `from_estimator`. In a `sklearn.frozen.FrozenEstimator` it survives
        `clone`, and so a grid search.
    solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, random_state, tol, \
verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon, \
n_iter_no_change, max_fun
        As in `sklearn.neural_network.MLPClassifier`. The split of `early_stopping` is stratified for several classes
        and labels too. `tol` is on the scale of the focal loss, which is smaller than the log loss. If the loss, the
        solver or what early stopping watches has changed since the last fit, a warm start compares with nothing from
        before.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted; for multilabel data the numbers of the columns.
    focal_loss_ : BinaryFocalLoss, MulticlassFocalLoss or MultilabelFocalLoss
        The loss, `class_weight` included; ``focal_loss_.predict_proba`` is the link from margins to probabilities.
    focal_intercept_ : float, ndarray of shape (n_outputs,) or None
        Where the output bias started: the focal intercept of the training data, weighted by samples and classes, in
        which a class that does not occur counts as half a sample. None after a start from `pretrained`.
    loss_, best_loss_, loss_curve_
        As in `sklearn.neural_network.MLPClassifier`, of the focal loss (and the L2 penalty).
    validation_scores_, best_validation_score_
        As there, of `validation_metric`; the focal loss with a minus sign, so that greater is better.
    out_activation_ : str
        "identity": the output is raw margins.
    coefs_, intercepts_, feature_names_in_, n_features_in_, n_iter_, n_layers_, n_outputs_, t_
        As there.

    Notes
    -----
    Samples of weight 0 are left out, unless their class has no others, which then counts as half a sample in the
    intercept (bagging leaves out rare classes so).

    A batch is averaged by its sample weights, as in scikit-learn: if the few samples of a class carry much of the
    weight, the batches without one count as much as those with one, and the class for less than its weight. So the
    weights of classes are not multiplied into those of samples, but are part of the loss, and count in full.

    The posterior's log-odds change about 1 + gamma times as fast as a focal margin, and Adam's steps have a size of
    their own, whatever the loss. While Adam trains, the output is therefore divided by 1 + gamma (the mean over the
    classes, less the share of `focal_mix`), so that a learning rate means the same for every gamma; the fitted
    coefficients have the division in them, and the L2 penalty is on those.

    Ctrl-C ends `fit` as it ends that of any estimator, by KeyboardInterrupt, and leaves the network as it was before.
    scikit-learn's warns, and keeps what there is by then.

    The same `random_state` gives the same model, bit by bit, in any process with as many threads of the linear algebra
    (`threadpoolctl` sets them): these may change the last digit of a product, from which "lbfgs" goes another way.

    References
    ----------
    .. [1] Lin et al. (2017), Focal loss for dense object detection. arXiv:1708.02002, section 3.3.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skfocal import FocalMLPClassifier
    >>> X, y = make_classification(n_samples=2000, weights=[0.97], random_state=0)
    >>> clf = make_pipeline(StandardScaler(), FocalMLPClassifier(early_stopping=True, random_state=0)).fit(X, y)
    >>> clf.predict_proba(X).shape
    (2000, 2)
    """

    _family: ClassVar[str] = "focal"  # of the loss, in the registry of losses
    _watched: tuple[Any, ...]  # solver, what early stopping watches and loss of the last fit

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        focal_gamma: float | Sequence[float] | Mapping[Any, float] = 1.0,
        focal_alpha: float | Sequence[float] | Mapping[Any, float] | str | None = None,
        focal_mix: float = 0.0,
        class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str | None = None,
        validation_metric: str = "average_precision",
        pretrained: Any = None,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes, activation=activation, solver=solver, alpha=alpha,
            batch_size=batch_size, learning_rate=learning_rate, learning_rate_init=learning_rate_init, power_t=power_t,
            max_iter=max_iter, shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose,
            warm_start=warm_start, momentum=momentum, nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping, validation_fraction=validation_fraction, beta_1=beta_1, beta_2=beta_2,
            epsilon=epsilon, n_iter_no_change=n_iter_no_change, max_fun=max_fun,
        )  # fmt: skip
        self.focal_gamma = focal_gamma
        self.focal_alpha = focal_alpha
        self.focal_mix = focal_mix
        self.class_weight = class_weight
        self.validation_metric = validation_metric
        self.pretrained = pretrained

    @classmethod
    def from_estimator(cls, estimator: Any, **params: Any) -> Self:
        """Return a classifier that goes on from a fitted one: refines a model of the log loss with the focal loss.

        Nothing is trained yet: call `fit`, or `partial_fit` (with ``early_stopping=False``). Each `fit` starts again
        from a copy of what is given now, unless ``warm_start=True``. Training starts from its log-odds, divided by
        1 + gamma.

        Parameters
        ----------
        estimator : MLPClassifier
            A fitted `sklearn.neural_network.MLPClassifier`, or a `FocalMLPClassifier`.
        **params
            Parameters of the new classifier; those not given are taken from `estimator`.

        Returns
        -------
        classifier : FocalMLPClassifier
            Not fitted, with a copy of `estimator`, in a `sklearn.frozen.FrozenEstimator`, as `pretrained`.

        Raises
        ------
        TypeError, ValueError
            If `estimator` is not an MLPClassifier, or not fitted, or if `pretrained` is among the parameters.

        Examples
        --------
        >>> from sklearn.datasets import make_classification
        >>> from sklearn.neural_network import MLPClassifier
        >>> from skfocal import FocalMLPClassifier
        >>> X, y = make_classification(n_samples=2000, weights=[0.97], random_state=0)
        >>> old = MLPClassifier(early_stopping=True, random_state=0).fit(X, y)
        >>> new = FocalMLPClassifier.from_estimator(old, focal_gamma=2.0).fit(X, y)
        >>> new.early_stopping, old.coefs_[0].shape == new.coefs_[0].shape
        (True, True)
        """
        if "pretrained" in params:
            raise TypeError(f"pretrained must be left out, it is the estimator given, got {params['pretrained']!r}.")
        fitted = fitted_network(estimator, "estimator")
        own = cls().get_params(deep=False)
        # A copy: a random state would go on in both.
        same = {name: deepcopy(value) for name, value in fitted.get_params(deep=False).items() if name in own}
        return cls(**{**same, **params, "pretrained": FrozenEstimator(deepcopy(fitted))})

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, float32 or float64; anything else is converted to float64.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels of any type, at least two different ones; or 0 and 1, a column for each label.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0; a sample of weight 2 counts like the same sample twice (but for the batches, see Notes), one
            of weight 0 is left out.

        Returns
        -------
        self : FocalMLPClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, before any training.
        """
        is_new = not (self.warm_start and hasattr(self, "coefs_"))
        with unchanged_on_error(self):
            X, y, weight = self._training_data(X, y, sample_weight, classes=None, is_new=is_new)
            super().fit(X, y, weight)
            # Samples of one class that weigh anything are to have one posterior.
            if weight is None or issparse(y) or (y[weight > 0] != y[weight.argmax()]).any():
                self._warn_if_constant(X)
        return self

    @available_if(_is_stochastic)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Go on for one epoch over the given data.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels among `classes`.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0; samples of weight 0 are left out.
        classes : array-like of shape (n_classes,) or None, default=None
            All classes that there will be; needed at the first call, unless `pretrained` has them. The output bias
            starts at the focal intercept of the first call's data.

        Returns
        -------
        self : FocalMLPClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, before any training. "balanced" weights are
            refused: they need all the data.
        """
        if classes is None and self.pretrained is not None and not hasattr(self, "classes_"):
            classes = fitted_network(self.pretrained).classes_
        if classes is None and not hasattr(self, "classes_"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        known = np.unique(as_labels(classes, "classes")) if classes is not None else self.classes_
        if self.early_stopping:
            raise ValueError("early_stopping must be False for partial_fit, which sees a part of the data, got True.")
        for name in ("focal_alpha", "class_weight"):
            if isinstance(getattr(self, name), str):
                raise ValueError(
                    f"{name} must hold numbers for partial_fit, which sees a part of the data, "
                    f"got {getattr(self, name)!r}."
                )
        is_new = not hasattr(self, "coefs_")
        with unchanged_on_error(self):
            data = self._training_data(X, y, sample_weight, classes=known, is_new=is_new)
            return super().partial_fit(*data, classes)

    def _training_data(
        self, X: Any, y: Any, sample_weight: Any, *, classes: NDArray[Any] | None, is_new: bool
    ) -> tuple[Any, Any, NDArray[np.float64] | None]:
        """Check what is given, before any work; set ``focal_loss_`` and, of a new network, ``focal_intercept_``.

        `classes` are None in `fit`, which takes them from `y`.
        """
        self._check_parameters()
        target = make_target(self, y, sample_weight, classes)
        if not is_new:
            check_same_network(self, target.loss)
        elif self.pretrained is not None:
            validate_data(fitted_network(self.pretrained), X, reset=False, skip_check_array=True)
            self.focal_intercept_ = None
        else:
            self.focal_intercept_ = target.loss.intercept(target.prior)
        self.focal_loss_ = target.loss
        watched = self.solver, self.early_stopping, self.early_stopping and self.validation_metric, target.loss
        if not is_new and watched != self._watched and self.solver != "lbfgs":
            self._forget_progress()
        self._watched = watched
        weight, kept = target.sample_weight, target.kept
        if weight is None or kept is None:
            return X, target.y, weight
        check_consistent_length(X, target.y)
        X = X.tocsr() if issparse(X) else X
        return _safe_indexing(X, kept), _safe_indexing(target.y, kept), weight[kept]

    def _warn_if_constant(self, X: Any) -> None:
        """Warn if all samples have the same probabilities: units that are dead, or saturated, say nothing any more."""
        # As the network takes them; `fit` has seen that they are finite.
        rows = check_array(X, accept_sparse="csr", dtype=(np.float64, np.float32), ensure_all_finite=False)
        posteriors = (
            self.focal_loss_.predict_proba(self._without_axis(self._forward_pass_fast(rows[batch], check_input=False)))
            for batch in gen_batches(rows.shape[0], 1000)
        )
        first = next(posteriors)
        rounding = {"rtol": 100 * np.finfo(rows.dtype).eps, "atol": 0.0}  # which matrix products do by their sizes
        if all(np.allclose(batch, first[0], **rounding) for batch in chain([first], posteriors)):
            warnings.warn(
                f"{type(self).__name__} has learnt nothing that tells samples apart, all have the same probabilities: "
                f"scale the features, change learning_rate_init ({self.learning_rate_init}), activation "
                f"({self.activation!r}) or random_state, or lower focal_gamma ({self.focal_gamma}) and alpha "
                f"({self.alpha}); if the features are the same for all samples, there is nothing to find.",
                ConvergenceWarning,
                stacklevel=users_stacklevel(),
            )

    def _check_parameters(self) -> None:
        self._validate_params()  # scikit-learn's own, of its parameters; it comes too late, after ours, otherwise
        if not isinstance(self.focal_gamma, Mapping):
            as_gamma(self.focal_gamma, "focal_gamma")
        as_mix(self.focal_mix)
        if not isinstance(self.validation_metric, str) or self.validation_metric not in VALIDATION_METRICS:
            raise ValueError(
                f"validation_metric must be one of {list(VALIDATION_METRICS)}, got {self.validation_metric!r}."
            )
        if self.pretrained is not None:
            fitted_network(self.pretrained)

    def _set_coefficients(self) -> None:
        if self.pretrained is None:
            self.intercepts_[-1][:] = np.divide(self.focal_intercept_, self._margin_scale)  # type: ignore[arg-type]
        else:
            self._multiply_output(take_coefficients(self, self.pretrained) / self._margin_scale)

    def _training_scale(self) -> float | NDArray[np.float64]:
        # Adam's steps have a size of their own, whatever the loss. In margins it would be 1 + gamma times as large.
        return log_odds_scale(self.focal_loss_) if self.solver == "adam" else 1.0

    def _codes(self, y: NDArray[np.bool_]) -> NDArray[Any]:
        """Return the columns of `y` as the loss takes them."""
        if isinstance(self.focal_loss_, MulticlassFocalLoss):
            return y.argmax(axis=1)
        return y[:, 0].astype(np.intp) if isinstance(self.focal_loss_, BinaryFocalLoss) else y

    def _without_axis(self, margins: NDArray[Any]) -> NDArray[Any]:
        """Return margins as the loss takes them: without the second axis if there are two classes."""
        return margins[:, 0] if isinstance(self.focal_loss_, BinaryFocalLoss) else margins

    def _loss_gradient(self, y: NDArray[np.bool_], margins: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        # Nothing is checked once a batch: scikit-learn has made y from labels.
        losses, gradient = self.focal_loss_._loss_gradient(self._codes(y), self._without_axis(margins))
        return losses, gradient.reshape(margins.shape)

    def _posterior(self, margins: NDArray[Any]) -> NDArray[np.float64]:
        posterior = self.focal_loss_.predict_proba(self._without_axis(margins))
        return posterior[:, -margins.shape[1] :]  # of two classes the second

    def _split(
        self, X: Any, y: NDArray[np.bool_], sample_weight: Any, random_state: Any
    ) -> tuple[list[Any], list[Any]]:
        return stratified_split(self, X, y, self._codes(y), sample_weight, random_state)

    def _validation_score(self, y: NDArray[np.bool_], margins: NDArray[Any], sample_weight: Any) -> float:
        if self.validation_metric == "focal_loss":
            return -float(np.average(self._loss_gradient(y, margins)[0], weights=sample_weight))
        posterior = self._posterior(margins)
        if self.validation_metric == "accuracy":
            return accuracy_score(self._decode(y), self._decode(posterior), sample_weight=sample_weight)
        return mean_average_precision(y, posterior, sample_weight)

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return raw margins.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features.

        Returns
        -------
        raw_prediction : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            One margin for two classes, else one for each class or label, in the order of ``classes_``; in the floating
            dtype of `X` and the network.
        """
        check_is_fitted(self, "focal_loss_")
        return self._without_axis(self._margins(X))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return posterior probabilities, through the focal link.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``; for multilabel data the probability of each label by itself.
        """
        raw_prediction = self.decision_function(X)
        return self.focal_loss_.predict_proba(raw_prediction)
