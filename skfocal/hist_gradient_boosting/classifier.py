"""The classifier: scikit-learn's own with the focal loss.

Imports `onnx_trees`, `training`, `_state` and `boosting`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from skfocal._state import unchanged_on_error
from skfocal.boosting.continuing import check_same_categories
from skfocal.boosting.estimator import FocalBoostedMixin
from skfocal.boosting.metrics import check_scoring
from skfocal.boosting.parameters import check_fraction, check_no_sampler, focal_parameters
from skfocal.boosting.plan import make_plan
from skfocal.boosting.samples import as_features, check_given_together, evaluation_samples, training_samples
from skfocal.boosting.splitting import Split
from skfocal.boosting.tables import as_scikit_learn_reads
from skfocal.hist_gradient_boosting.onnx_trees import known_categories, onnx_trees
from skfocal.hist_gradient_boosting.training import as_trained, train

_ENGINE_NAMES = frozenset(HistGradientBoostingClassifier().get_params()) - {"loss", "class_weight"}


class FocalHistGradientBoostingClassifier(FocalBoostedMixin, HistGradientBoostingClassifier):
    """scikit-learn's histogram boosting trained on the focal loss, with probabilities through the focal link.

    Takes the place of `sklearn.ensemble.HistGradientBoostingClassifier`, and needs no other package: its parameters,
    methods and attributes work as there. What differs: a few defaults, trees are grown on exact focal gradients and
    safe Hessians, training starts at the focal intercept, `predict_proba` and early stopping go through the focal link.

    Parameters
    ----------
    focal_gamma : float, array-like of shape (n_classes,) or dict, default=1.0
        Focusing parameter in [0, 1e4]: how fast the weight of a sample falls as it is classified well. 0 is the log
        loss. One per class in the order of ``classes_``, or a dict from labels. If it differs between classes,
        `predict` and `predict_proba` still agree, but the sign (or the largest) of the margins may be another class.
    focal_alpha : float, array-like of shape (n_classes,), dict, "balanced" or None, default=None
        Class weights of the loss. A float in (0, 1) is the weight of the second of two classes, in the order of
        ``classes_``, the first has the rest to 1; with labels that are words a dict is clearer. "balanced" weighs every
        class the same in all. Like `class_weight`, whose effect on the model is the same, it reweights the data:
        `predict_proba` is the posterior of the reweighted data.
    focal_mix : float, default=0.0
        Share of the log loss in [0, 1]: the loss is (1 - focal_mix) times the focal loss + focal_mix times the log
        loss. Keeps samples that are classified well from losing all weight.
    focal_hessian : {"stable", "exact"}, default="stable"
        Hessian policy, see `skfocal.FocalObjective`.
    class_weight : dict, "balanced" or None, default=None
        Weights multiplied into `sample_weight`. Labels that a dict leaves out have weight 1. "balanced" takes the sizes
        of the classes from `sample_weight`.
    sampler : object with ``fit_resample`` or None, default=None
        A sampler of imbalanced-learn, which resamples the training data only: neither what is split off for early
        stopping nor what `fit` is given for it. `predict_proba` undoes what it does to the prior: but for weights of
        classes, its mean over the training data, as given, is the share of each class there. A sampler without
        ``sample_indices_``, as SMOTE, whose samples are new, needs training data without weights.
    prior : float, array-like of shape (n_classes,), dict or None, default=None
        Prior at which `predict_proba` (and with it `predict`) is to hold: one weight > 0 per class, on any scale, in
        the order of ``classes_``; a dict from labels; for two classes the share of the second. None for that of the
        training data before `sampler`, weighted by samples, classes and `focal_alpha`. See `skfocal.correct_prior`.
    max_leaf_nodes, l2_regularization : default=15 and 1.0
        As in `sklearn.ensemble.HistGradientBoostingClassifier`, where they are 31 and 0.
    learning_rate, max_iter, max_depth, min_samples_leaf, max_features, max_bins, categorical_features, monotonic_cst, \
interaction_cst, warm_start, early_stopping, scoring, validation_fraction, n_iter_no_change, tol, verbose, random_state
        As in `sklearn.ensemble.HistGradientBoostingClassifier`. ``scoring="loss"`` is the focal loss; after a `sampler`
        that of data in which the classes have the sampler's shares. Scorers are asked about probabilities through the
        link, at the prior of the data. With a `sampler`, `validation_fraction` is a share in (0, 1).

    Attributes
    ----------
    focal_loss_ : BinaryFocalLoss or MulticlassFocalLoss
        The loss; ``focal_loss_.predict_proba`` is the link from margins to probabilities.
    focal_intercept_ : float or ndarray of shape (n_classes,)
        Where training started: the focal intercept of the training data, without what was split off.
    prior_correction_ : ndarray of shape (n_classes,) or None
        What the posterior of the training data is multiplied by, before its rows are divided by their sums; see
        `prior`. None for nothing.
    classes_, feature_names_in_, n_features_in_, do_early_stopping_, is_categorical_, n_iter_, train_score_, \
validation_score_
        As in `sklearn.ensemble.HistGradientBoostingClassifier`.

    Notes
    -----
    Samples of weight 0 are left out; a class that has no others counts as half a sample in the intercept. One of weight
    2 counts like the same sample twice in the loss and in the intercept; ``min_samples_leaf`` counts rows.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skfocal import FocalHistGradientBoostingClassifier
    >>> X, y = make_classification(n_samples=2000, weights=[0.97], random_state=0)
    >>> clf = FocalHistGradientBoostingClassifier(focal_gamma=2.0, max_iter=20).fit(X, y)
    >>> clf.predict_proba(X).shape
    (2000, 2)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        name: HistGradientBoostingClassifier._parameter_constraints[name] for name in sorted(_ENGINE_NAMES)
    }
    _accept_sparse = False
    _thresholds = (("min_samples_leaf", 20),)
    _onnx_trees = onnx_trees

    def __init__(
        self,
        *,
        focal_gamma: float | Sequence[float] | Mapping[Any, float] = 1.0,
        focal_alpha: float | Sequence[float] | Mapping[Any, float] | str | None = None,
        focal_mix: float = 0.0,
        focal_hessian: str = "stable",
        class_weight: dict[Any, float] | str | None = None,
        sampler: Any = None,
        prior: float | Sequence[float] | Mapping[Any, float] | None = None,
        learning_rate: float = 0.1, max_iter: int = 100, max_leaf_nodes: int | None = 15, max_depth: int | None = None,
        min_samples_leaf: int = 20, l2_regularization: float = 1.0, max_features: float = 1.0, max_bins: int = 255,
        categorical_features: Any = "from_dtype", monotonic_cst: Any = None, interaction_cst: Any = None,
        warm_start: bool = False, early_stopping: bool | str = "auto", scoring: Any = "loss",
        validation_fraction: float | int | None = 0.1, n_iter_no_change: int = 10, tol: float = 1e-7,
        verbose: int = 0, random_state: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            loss="focal_loss", learning_rate=learning_rate, max_iter=max_iter, max_leaf_nodes=max_leaf_nodes,
            max_depth=max_depth, min_samples_leaf=min_samples_leaf, l2_regularization=l2_regularization,
            max_features=max_features, max_bins=max_bins, categorical_features=categorical_features,
            monotonic_cst=monotonic_cst, interaction_cst=interaction_cst, warm_start=warm_start,
            early_stopping=early_stopping, scoring=scoring, validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change, tol=tol, verbose=verbose, random_state=random_state,
            class_weight=class_weight,
        )  # fmt: skip
        self.focal_gamma, self.focal_alpha, self.focal_mix = focal_gamma, focal_alpha, focal_mix
        self.focal_hessian, self.sampler, self.prior = focal_hessian, sampler, prior

    def _as_features(self, X: Any, *, reset: bool) -> Any:
        return as_features(self, X, reset=reset, allow_inf=True, dtype=None)

    def _preprocess_X(self, X: Any, *, reset: bool) -> Any:  # where all that is predicted for comes through
        return super()._preprocess_X(as_scikit_learn_reads(X, self.categorical_features), reset=reset)

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *,
        X_val: Any = None, y_val: Any = None, sample_weight_val: Any = None,
    ) -> Self:  # fmt: skip
        """Fit the classifier.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            Features; missing values are NaN, categorical columns of a table are used as such.
        y : array-like of shape (n_samples,)
            Labels of any type, at least two different ones.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0; samples of weight 0 are left out.
        X_val, y_val, sample_weight_val
            What early stopping watches instead of a part of the training data, with labels as in `y` and columns as in
            `X`; `class_weight` counts there too.

        Returns
        -------
        self : FocalHistGradientBoostingClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, before any training.
        """
        with unchanged_on_error(self):
            self._validate_params()
            focal = focal_parameters(self)
            check_no_sampler(self.sampler, warm_start=self.warm_start or None)
            before = self if self.warm_start and self._is_fitted() else None
            samples, classes, _, by_class = training_samples(self, focal, X, y, sample_weight, reset=before is None)
            if before is not None and not np.array_equal(before.classes_, classes):
                raise ValueError(f"y must have the classes of a warm start, {before.classes_}, got {classes}.")
            check_given_together(X_val, y_val, sample_weight_val)
            given, weight = (X_val, y_val, "y_val", classes), ("sample_weight_val", sample_weight_val)
            validation = None if X_val is None else evaluation_samples(self, *given, weight=weight)
            params, stops = {name: getattr(self, name) for name in _ENGINE_NAMES}, self.early_stopping
            if stops == "auto":  # as scikit-learn has it on paper, by the samples as given, not as resampled
                stops = params["early_stopping"] = len(samples.codes) > 10_000 or validation is not None
            is_weighted = bool(stops) and not (sample_weight is None and sample_weight_val is None)
            check_scoring(self.scoring, weighted=is_weighted)
            split = None
            if stops and self.sampler is not None and validation is None and self.validation_fraction is not None:
                check_fraction(self.validation_fraction)  # without a sampler scikit-learn splits
                split = Split(self.validation_fraction, self.random_state, "early_stopping with a sampler")
            plan = make_plan(focal, samples, classes, split, self._as_features, starts_elsewhere=True)
            validation = plan.validation or (validation and validation.weighted(by_class))
            del samples  # not beside its copy in the plan while scikit-learn trains
            engine = train(plan, params, validation, before)
            if before is not None:
                check_same_categories(known_categories(before), known_categories(engine))
            self._adopt(engine, as_trained(plan, focal, engine))
        return self

    def staged_predict_proba(self, X: Any) -> Iterator[NDArray[np.float64]]:
        """Yield what `predict_proba` would return after each round; after a `sampler` with the correction of all."""
        for raw_prediction in self.staged_decision_function(X):
            yield self._link.posterior(raw_prediction, None)

    def staged_predict(self, X: Any) -> Iterator[NDArray[Any]]:
        """Yield what `predict` would return after each round."""
        for posterior in self.staged_predict_proba(X):
            yield self._link.labels(posterior)
