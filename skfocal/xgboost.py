"""FocalXGBClassifier: XGBoost's scikit-learn classifier, trained on the focal loss."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

try:
    from xgboost import XGBClassifier, XGBModel
    from xgboost.callback import EarlyStopping, TrainingCallback
except ImportError as error:
    raise ImportError('FocalXGBClassifier needs XGBoost: pip install "skfocal[xgboost]"') from error

from skfocal._boosted import FocalBoostedMixin
from skfocal._classifier import check_margins, check_sample_weight, unchanged_on_error
from skfocal._compat import adopt_fitted_state, on_device, xgboost_engine, xgboost_parameter_names
from skfocal._metrics import EvalMetric, Loss, as_list, check_names, engine_probabilities, find_metric, is_user_metric
from skfocal.objectives import FOCAL_LOSS, TrainingObjective

__all__ = ["FocalXGBClassifier"]

# What XGBoost passes over in silence under a custom objective: accepted values, and what to do instead.
_IGNORED: dict[str, tuple[tuple[Any, ...], str]] = {
    "scale_pos_weight": ((None, 1), "use class_weight={negative: 1, positive: weight}"),
    "base_score": ((None,), "training starts from the focal intercept; pass base_margin to start elsewhere"),
    "num_class": ((), "it is read from y"),
    "disable_default_eval_metric": ((True, 1), "all metrics go through the focal link"),
}


class FocalXGBClassifier(FocalBoostedMixin, XGBClassifier):
    """XGBoost classifier trained on the focal loss, with probabilities through the focal link.

    Takes the place of `xgboost.XGBClassifier`: its parameters, `fit` arguments and attributes work as there, those
    that have no meaning here are refused by name, and labels may be of any type. What differs: trees are grown on
    exact focal gradients and safe Hessians, training starts from the focal intercept (the booster's ``base_score``),
    `predict_proba` goes through the focal link, and evaluation metrics are computed through it as well. The booster
    is saved with XGBoost's own objective: loaded without skfocal it predicts sigmoid(margin) (softmax for several
    classes) of the same margins.

    Parameters
    ----------
    focal_gamma : float, array-like of shape (n_classes,) or dict, default=2.0
        Focusing parameter in [0, 1e4]: how fast the weight of a sample falls as it is classified well. 0 is the log
        loss. One per class in the order of ``classes_``, or a dict from labels. If it differs between classes,
        `predict` and `predict_proba` still agree, but the sign (or the largest) of the margins may be another class.
        (``gamma`` is XGBoost's own, the least loss reduction of a split.)
    focal_alpha : float, array-like of shape (n_classes,), dict, "balanced" or None, default=None
        Class weights of the loss. A float in (0, 1) is the weight of the second of two classes, in the order of
        ``classes_``, the first has the rest to 1; with labels that are words a dict is clearer. "balanced" weighs every
        class the same in all. Like `class_weight`, whose effect on the model is the same, it reweights the data:
        `predict_proba` is the posterior of the reweighted data.
    focal_hessian : {"stable", "exact"}, default="stable"
        Hessian policy, see `skfocal.objectives.FocalObjective`.
    class_weight : dict, "balanced" or None, default=None
        Weights multiplied into `sample_weight`. Labels that a dict leaves out have weight 1. "balanced" takes the sizes
        of the classes from `sample_weight`.
    objective : None
        Cannot be set; it is the focal loss.
    enable_categorical : bool, default=True
        Use categorical columns of a table as such; ``tree_method="exact"`` cannot.
    eval_metric : str, callable, list of these or None, default=None
        "focal_loss" (the default), "log_loss", "error", "roc_auc", "average_precision", or XGBoost's names of the last
        four; all are computed through the focal link. A callable has scikit-learn's metric signature, is given class
        codes and probabilities, and is minimised. Early stopping watches the last one.
    **kwargs
        Any other parameter of `xgboost.XGBClassifier` or of XGBoost (``tree_method``, ``device``, ``max_bin`` ...). An
        unknown name is an error, and so is one that XGBoost ignores under a custom objective.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any.
    focal_loss_ : BinaryFocalLoss or MulticlassFocalLoss
        The loss; ``focal_loss_.predict_proba`` is the link from margins to probabilities.
    focal_intercept_ : float, ndarray of shape (n_classes,) or None
        The focal intercept of the training data, which is in the booster; None where `base_margin` or `xgb_model` gave
        the start.
    feature_importances_, evals_result_, best_iteration, best_score, n_classes_
        As in `xgboost.XGBClassifier`.

    Notes
    -----
    Gradients are computed on ``n_jobs`` threads, as the rest is; with ``device="cuda"`` on the GPU, where labels and
    weights stay, if CuPy is installed (extra ``cuda``), otherwise on the host, which a warning says once.

    Samples of weight 0 are left out, so they do not count towards the bins.

    Early stopping drops the rounds after the best one (linear boosters keep them). With ``booster="dart"``, which
    rescales earlier trees as it goes on, what is left is not quite the model that scored best, as in XGBoost.

    Dicts are from the labels that `fit` is given: meta-estimators that encode labels first want codes as keys.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skfocal import FocalXGBClassifier
    >>> X, y = make_classification(n_samples=2000, weights=[0.97], random_state=0)
    >>> clf = FocalXGBClassifier(focal_gamma=2.0, n_estimators=20).fit(X, y)
    >>> clf.predict_proba(X).shape
    (2000, 2)
    """

    def __init__(
        self,
        *,
        focal_gamma: float | Sequence[float] | Mapping[Any, float] = 2.0,
        focal_alpha: float | Sequence[float] | Mapping[Any, float] | str | None = None,
        focal_hessian: str = "stable",
        class_weight: dict[Any, float] | str | None = None,
        objective: None = None,
        enable_categorical: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(objective=objective, enable_categorical=enable_categorical, **kwargs)
        self.focal_gamma = focal_gamma
        self.focal_alpha = focal_alpha
        self.focal_hessian = focal_hessian
        self.class_weight = class_weight

    def _engine_names(self) -> frozenset[str]:
        return xgboost_parameter_names()

    def get_xgb_params(self) -> dict[str, Any]:
        """Return the parameters that are XGBoost's own.

        Returns
        -------
        params : dict
        """
        return {k: v for k, v in super().get_xgb_params().items() if k in self._engine_params()}

    def _check_ignored(self) -> None:
        params = self.get_params()
        for name, (accepted, instead) in _IGNORED.items():
            if name in params:
                self._refuse(name, params[name], accepted, instead)

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        base_margin: Any = None,
        eval_set: Any = None,
        verbose: bool | int | None = True,
        xgb_model: Any = None,
        sample_weight_eval_set: Any = None,
        base_margin_eval_set: Any = None,
        feature_weights: Any = None,
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features; missing values are NaN, categorical columns of a table are used as such.
        y : array-like of shape (n_samples,)
            Labels of any type, at least two different ones.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0; a sample of weight 2 counts like the same sample twice, one of weight 0 is left out.
        base_margin : array-like of shape (n_samples,) or (n_samples, n_classes) or None, default=None
            Margins to start from, instead of the focal intercept. As in XGBoost they are not part of the model.
        eval_set : list of (X, y) or None, default=None
            Evaluation sets, with labels as in `y`.
        verbose, xgb_model, sample_weight_eval_set, base_margin_eval_set, feature_weights
            As in `xgboost.XGBClassifier.fit`. With `xgb_model` training starts from its margins.

        Returns
        -------
        self : FocalXGBClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, before any training.
        """
        with unchanged_on_error(self):
            self._check_ignored()
            data = self._training_data(X, y, sample_weight, allow_inf=self._missing_is_inf())
            metrics = self._metrics()
            recognised = data.kept is None
            pairs = self._eval_sets(eval_set, X, y, data, lambda i: recognised, allow_inf=self._missing_is_inf())
            eval_weights = _check_each(sample_weight_eval_set, pairs, "sample_weight_eval_set", check_sample_weight)
            eval_margins = _check_each(base_margin_eval_set, pairs, "base_margin_eval_set", self._check_start)
            base_margin = data.keep(self._check_start(base_margin, data.n_given, "base_margin"))
            starts_elsewhere = base_margin is not None or xgb_model is not None
            self.focal_intercept_ = None if starts_elsewhere else self._intercept(data)
            evaluation = _Evaluation(metrics)
            params = self._engine_params() | {
                "base_score": None if xgb_model is not None else self._base_score(),
                "enable_categorical": self.enable_categorical and self.tree_method != "exact",
                "eval_metric": None,
                "disable_default_eval_metric": True,
                "early_stopping_rounds": None,
                "callbacks": self._callbacks(evaluation, metrics),
            }
            objective = self._focal_objective(("n_jobs", "nthread"))
            with on_device(self.device) as namespace, TrainingObjective(objective, namespace) as params["objective"]:
                engine = xgboost_engine(params, evaluation).fit(
                    data.X,
                    data.y,
                    sample_weight=data.sample_weight,
                    base_margin=base_margin,
                    eval_set=pairs or None,
                    verbose=verbose,
                    xgb_model=xgb_model,
                    sample_weight_eval_set=eval_weights,
                    base_margin_eval_set=eval_margins,
                    feature_weights=feature_weights,
                )
            adopt_fitted_state(self, engine)
        return self

    def load_model(self, fname: Any) -> None:
        """Not available: a file of XGBoost holds neither the labels nor the loss, so probabilities would be wrong.

        Pickle the classifier; or load the booster alone with `xgboost.Booster`, which gives the same margins.

        Parameters
        ----------
        fname : str, path or bytearray
            Not read.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError(
            "load_model cannot restore the labels and the focal loss from a file of XGBoost: pickle the "
            "FocalXGBClassifier, or load the booster alone with xgboost.Booster(model_file=...)."
        )

    def _missing_is_inf(self) -> bool:
        return self.missing is not None and bool(np.isinf(self.missing))

    def _check_start(self, margins: Any, n_samples: int, name: str) -> NDArray[np.float64] | None:
        # XGBoost reads flat margins of several classes row by row.
        return check_margins(margins, n_samples, len(self.classes_), name, order="C")

    def _base_score(self) -> float | list[float]:
        """Return the focal intercept as XGBoost takes it: a probability for two classes, margins for more."""
        if len(self.classes_) == 2:
            return float(expit(self.focal_intercept_ or 0.0))
        return [0.0] * len(self.classes_) if self.focal_intercept_ is None else list(map(float, self.focal_intercept_))

    def _callbacks(self, evaluation: "_Evaluation", metrics: list[EvalMetric]) -> list[Any]:
        """Return the user's callbacks after our evaluation and before early stopping."""
        callbacks = list(self.callbacks or ())
        if self.early_stopping_rounds is not None:
            callbacks.append(EarlyStopping(rounds=self.early_stopping_rounds))
        # The rounds after the best one are dropped, so that the saved booster is the model; linear ones cannot.
        save_best = self.booster != "gblinear"
        return [evaluation, *(_prepare_callback(callback, metrics, save_best) for callback in callbacks)]

    def _metrics(self) -> list[EvalMetric]:
        wanted = as_list(self.eval_metric) or [FOCAL_LOSS]
        return check_names(
            [
                _user_metric(m, self.focal_loss_) if is_user_metric(m) else find_metric(m, self.focal_loss_)
                for m in wanted
            ]
        )

    def predict_proba(
        self,
        X: Any,
        validate_features: bool = True,
        base_margin: Any = None,
        iteration_range: Any = None,
    ) -> NDArray[np.float64]:
        """Return posterior probabilities, through the focal link.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features.
        validate_features, base_margin, iteration_range
            As in `xgboost.XGBClassifier.predict_proba`.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``.
        """
        raw = self.decision_function(
            X, validate_features=validate_features, base_margin=base_margin, iteration_range=iteration_range
        )
        return self.focal_loss_.predict_proba(raw)

    def predict(self, X: Any, *, output_margin: bool = False, **kwargs: Any) -> NDArray[Any]:
        """Return the most probable label of each sample.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features.
        output_margin : bool, default=False
            Return raw margins instead.
        **kwargs
            As in `predict_proba`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        if output_margin:
            return self.decision_function(X, **kwargs)
        best = self.predict_proba(X, **kwargs).argmax(axis=1)
        return self.classes_[best]

    def decision_function(self, X: Any, **kwargs: Any) -> NDArray[np.float32]:
        """Return raw margins, those of the saved booster.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features.
        **kwargs
            As in `predict_proba`.

        Returns
        -------
        margins : ndarray of shape (n_samples,) for two classes, (n_samples, n_classes) for more, float32
            > 0 where `predict` gives the second class, unless `focal_gamma` differs between the classes.
        """
        X = self._check_fitted_X(X, allow_inf=self._missing_is_inf())
        return XGBModel.predict(self, X, output_margin=True, **kwargs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = False
        return tags


def _check_each(
    entries: Any, pairs: list[tuple[Any, NDArray[np.integer]]], name: str, check: Callable[[Any, int, str], Any]
) -> list[Any] | None:
    """Return the entry of each evaluation set, checked; XGBoost wants one for each, or none at all."""
    if entries is None:
        return None
    if not isinstance(entries, list | tuple):
        raise TypeError(f"{name} must be a list with an entry per evaluation set, got a {type(entries).__name__}.")
    if len(entries) != len(pairs):
        raise ValueError(
            f"{name} must have one entry for each of the {len(pairs)} evaluation sets, got {len(entries)}."
        )
    return [
        check(entry, len(codes), f"{name}[{i}]")
        for i, (entry, (_, codes)) in enumerate(zip(entries, pairs, strict=True))
    ]


def _prepare_callback(callback: Any, metrics: list[EvalMetric], save_best: bool) -> Any:
    """Return a callback as it is, but early stopping as a copy: it remembers what it saw, and a second fit would stop.

    The copy is told whether its metric is to grow, which XGBoost guesses by the name, and to keep the best model only.
    """
    if not isinstance(callback, EarlyStopping):
        return callback
    stop = deepcopy(callback)
    stop.save_best = save_best
    if stop.maximize is None:
        watched = stop.metric_name or metrics[-1].name
        stop.maximize = any(metric.greater_is_better for metric in metrics if metric.name == watched)
    return stop


def _user_metric(metric: Callable[..., float], loss: Loss) -> EvalMetric:
    """Return a user's metric, of scikit-learn's signature, so that it is given probabilities and not margins."""

    def score(y: Any, raw_prediction: Any, sample_weight: Any) -> float:
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return metric(y, engine_probabilities(loss, raw_prediction), **weight)

    return EvalMetric(getattr(metric, "__name__", type(metric).__name__), score, greater_is_better=False)


class _Evaluation(TrainingCallback):
    """The metrics as `xgboost.train` calls one, and a callback that puts their exact values on record.

    XGBoost passes the values of a callable metric on as text with six decimals: too few for the focal loss of a rare
    class, a few 1e-4, and early stopping would see no progress.
    """

    def __init__(self, metrics: list[EvalMetric]) -> None:
        self._metrics = metrics
        self._scores: list[list[tuple[str, float]]] = []  # of this round, one entry for each evaluation set

    def __call__(self, raw_prediction: Any, data: Any) -> list[tuple[str, float]]:
        weight = data.get_weight() if data.get_weight().size else None
        scores = [(metric.name, metric.score(data.get_label(), raw_prediction, weight)) for metric in self._metrics]
        self._scores.append(scores)
        return scores

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Replace the rounded values of this round."""
        for history, scores in zip(evals_log.values(), self._scores, strict=True):
            for name, value in scores:
                history[name][-1] = value
        self._scores.clear()
        return False
