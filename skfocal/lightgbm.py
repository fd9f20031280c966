"""FocalLGBMClassifier: LightGBM's scikit-learn classifier, trained on the focal loss."""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

try:
    from lightgbm import Booster, LGBMClassifier, LGBMModel
    from lightgbm.basic import LightGBMError
except ImportError as error:
    raise ImportError('FocalLGBMClassifier needs LightGBM: pip install "skfocal[lightgbm]"') from error

from skfocal._boosted import FocalBoostedMixin, TrainingData, check_same_features, check_same_margins
from skfocal._classifier import (
    check_margins,
    check_sample_weight,
    check_stopping_rounds,
    class_weights,
    unchanged_on_error,
)
from skfocal._compat import adopt_fitted_state, fitted_lightgbm, lightgbm_parameter_aliases, lightgbm_parameter_names
from skfocal._metrics import (
    EvalMetric,
    as_list,
    check_names,
    check_weights,
    engine_probabilities,
    find_metric,
    is_user_metric,
)
from skfocal._model_file import KEY, describe, restore
from skfocal._progress import Advance, progress_bar
from skfocal.objectives import FOCAL_LOSS, TrainingObjective

__all__ = ["FocalLGBMClassifier"]

# What LightGBM passes over in silence under a custom objective: accepted values, and what to do instead.
_IGNORED: dict[str, tuple[tuple[Any, ...], str]] = {
    "is_unbalance": ((False,), "use class_weight='balanced'"),
    "scale_pos_weight": ((1,), "use class_weight={negative: 1, positive: weight}"),
    "boost_from_average": ((True,), "training starts from the focal intercept; pass init_score to start elsewhere"),
    "pos_bagging_fraction": ((1,), "LightGBM cannot bag by class without its own objective; use a sampler"),
    "neg_bagging_fraction": ((1,), "LightGBM cannot bag by class without its own objective; use a sampler"),
    "sigmoid": ((1,), "the link is that of the focal loss"),
    "alpha": ((), "it belongs to other objectives, the focal loss has focal_alpha"),
    "num_class": ((), "it is read from y"),
    "auc_mu_weights": ((), "the metrics are ours, and have no such parameter"),
    "eval_at": ((), "the metrics are ours, and have no such parameter"),
    "multi_error_top_k": ((1,), "the metrics are ours, and have no such parameter"),
    "linear_tree": ((False,), "the leaves of linear trees cannot carry the focal intercept"),
}
_OTHER_OBJECTIVES = (
    "fair_c", "label_gain", "lambdarank_norm", "lambdarank_position_bias_regularization",
    "lambdarank_truncation_level", "objective_seed", "poisson_max_delta_step", "reg_sqrt", "tweedie_variance_power",
)  # fmt: skip
_IGNORED |= dict.fromkeys(_OTHER_OBJECTIVES, ((), "it belongs to other objectives"))


class FocalLGBMClassifier(FocalBoostedMixin, LGBMClassifier):
    """LightGBM classifier trained on the focal loss, with probabilities through the focal link.

    Takes the place of `lightgbm.LGBMClassifier`: its parameters, `fit` arguments and attributes work as there, and
    those that have no meaning here are refused by name. What differs: trees are grown on exact focal gradients and
    safe Hessians, training starts from the focal intercept, `predict_proba` goes through the focal link, and
    evaluation metrics are computed through it as well. The intercept is added to the first trees of the booster,
    which is saved with LightGBM's own objective: loaded without skfocal it predicts sigmoid(margin) (softmax for
    several classes) of the same margins.

    Parameters
    ----------
    focal_gamma : float, array-like of shape (n_classes,) or dict, default=2.0
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
        Hessian policy, see `skfocal.objectives.FocalObjective`.
    class_weight : dict, "balanced" or None, default=None
        Weights multiplied into `sample_weight`. Labels that a dict leaves out have weight 1. "balanced" takes the sizes
        of the classes from `sample_weight`.
    sampler : object with ``fit_resample`` or None, default=None
        A sampler of imbalanced-learn, which resamples the training data only: neither what is split off for early
        stopping nor an ``eval_set``. `predict_proba` undoes what it does to the prior, see `prior`. A sampler
        without ``sample_indices_``, as SMOTE, whose samples are new, needs training data without weights.
    prior : float, array-like of shape (n_classes,), dict or None, default=None
        Prior at which `predict_proba` (and with it `predict`) is to hold: one weight > 0 per class, on any scale, in
        the order of ``classes_``; a dict from labels; for two classes the share of the second. None for that of the
        training data before `sampler`, weighted by samples, classes and `focal_alpha`. See `skfocal.correct_prior`.
    early_stopping_rounds : int or None, default=None
        Stop when the metrics have not improved for so many rounds, and predict with the best one. Without an
        ``eval_set`` a part of the training data is split off.
    validation_fraction : float, default=0.1
        Share of the training data, in (0, 1), that is split off for early stopping, with the same share of every
        class; at random, by `random_state`, so for data in time give an ``eval_set``. Not used otherwise.
    eval_metric : str, callable, list of these or None, default=None
        "focal_loss" (the default), "log_loss", "error", "roc_auc", "average_precision", or LightGBM's names of the last
        four; all are computed through the focal link, at the prior of the data. "focal_loss" is the mean loss; after a
        `sampler` that of data in which the classes have the sampler's shares. A callable has the signature of
        scikit-learn's scorers, ``(estimator, X, y)`` by these names, and is maximised; it may look at `X`, as earlier
        steps of a pipeline leave it, and ask for predictions of just that `X`. Or it has LightGBM's signature, and is
        given probabilities. To several metrics (see also `fit`) early stopping pays heed as LightGBM does: the first
        that stops improving stops, unless ``first_metric_only``.
    progress_bar : bool, default=False
        Show a bar by tqdm, with the metrics of the last round.
    objective : None
        Cannot be set; it is the focal loss.
    boosting_type, num_leaves, max_depth, learning_rate, n_estimators, subsample_for_bin, min_split_gain, \
min_child_weight, min_child_samples, subsample, subsample_freq, colsample_bytree, reg_alpha, reg_lambda, random_state, \
n_jobs, importance_type
        As in `lightgbm.LGBMClassifier`. Gradients are computed on ``n_jobs`` threads too.
    **kwargs
        Any other parameter of LightGBM, under any of its names (``verbose``, ``max_bin``, ``device_type`` ...). An
        unknown name is an error, and so is one that LightGBM ignores under a custom objective.

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
        The focal intercept of the training data, which is in the booster; None where `init_score` or `init_model` gave
        the start.
    prior_correction_ : ndarray of shape (n_classes,) or None
        What the posterior of the training data is multiplied by, before its rows are divided by their sums; see
        `prior`. None for nothing.
    best_iteration_ : int
        Number of rounds that predictions use, if training stopped early.
    best_score_, evals_result_ : dict
        Scores of the best round, and of every round: ``evals_result_[name of the evaluation set][metric]``. The data
        split off for early stopping are called "valid_0".
    booster_, feature_importances_, n_classes_
        As in `lightgbm.LGBMClassifier`.

    Notes
    -----
    Samples of weight 0 are left out, so they do not count towards ``min_child_samples`` or the bins.

    Where no feature can be split, LightGBM prints a line that starts with ``[Fatal]`` before it is told to go on; the
    model is then the intercept. Features that are all 0 it refuses under a custom objective.

    Dicts are from the labels that `fit` is given: meta-estimators that encode labels first want codes as keys.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skfocal import FocalLGBMClassifier
    >>> X, y = make_classification(n_samples=2000, weights=[0.97], random_state=0)
    >>> clf = FocalLGBMClassifier(focal_gamma=2.0, n_estimators=20, verbose=-1).fit(X, y)
    >>> clf.predict_proba(X).shape
    (2000, 2)
    """

    def __init__(
        self,
        *,
        focal_gamma: float | Sequence[float] | Mapping[Any, float] = 2.0,
        focal_alpha: float | Sequence[float] | Mapping[Any, float] | str | None = None,
        focal_mix: float = 0.0,
        focal_hessian: str = "stable",
        sampler: Any = None,
        prior: float | Sequence[float] | Mapping[Any, float] | None = None,
        early_stopping_rounds: int | None = None,
        validation_fraction: float = 0.1,
        eval_metric: Any = None,
        progress_bar: bool = False,
        boosting_type: str = "gbdt",
        num_leaves: int = 31,
        max_depth: int = -1,
        learning_rate: float = 0.1,
        n_estimators: int = 100,
        subsample_for_bin: int = 200000,
        objective: None = None,
        class_weight: dict[Any, float] | str | None = None,
        min_split_gain: float = 0.0,
        min_child_weight: float = 1e-3,
        min_child_samples: int = 20,
        subsample: float = 1.0,
        subsample_freq: int = 0,
        colsample_bytree: float = 1.0,
        reg_alpha: float = 0.0,
        reg_lambda: float = 0.0,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        n_jobs: int | None = None,
        importance_type: str = "split",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            boosting_type=boosting_type,
            num_leaves=num_leaves,
            max_depth=max_depth,
            learning_rate=learning_rate,
            n_estimators=n_estimators,
            subsample_for_bin=subsample_for_bin,
            objective=objective,
            class_weight=class_weight,
            min_split_gain=min_split_gain,
            min_child_weight=min_child_weight,
            min_child_samples=min_child_samples,
            subsample=subsample,
            subsample_freq=subsample_freq,
            colsample_bytree=colsample_bytree,
            reg_alpha=reg_alpha,
            reg_lambda=reg_lambda,
            random_state=random_state,
            n_jobs=n_jobs,
            importance_type=importance_type,
            **kwargs,
        )
        self.focal_gamma = focal_gamma
        self.focal_alpha = focal_alpha
        self.focal_mix = focal_mix
        self.focal_hessian = focal_hessian
        self.sampler = sampler
        self.prior = prior
        self.early_stopping_rounds = early_stopping_rounds
        self.validation_fraction = validation_fraction
        self.eval_metric = eval_metric
        self.progress_bar = progress_bar

    def _allows_inf(self) -> bool:
        return True

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        X = super()._check_X(X, reset=reset)
        # LightGBM takes sparse matrices, and sparse arrays with a warning and after a conversion; and it misreads
        # columns whose rows are not in order, as chosen rows are not.
        if isinstance(X, sparse.sparray):
            return sparse.csr_matrix(X)
        return X.sorted_indices() if sparse.issparse(X) and not X.has_sorted_indices else X

    def _engine_names(self) -> frozenset[str]:
        return lightgbm_parameter_names()

    def _set_params(self, params: dict[str, Any]) -> None:
        constructor = inspect.signature(type(self).__init__).parameters
        for name, value in params.items():
            # LGBMClassifier keeps a second copy of everything it is set, which goes stale; and its extra parameters as
            # public attributes, which scikit-learn does not allow.
            if name in constructor:
                setattr(self, name, value)
            else:
                self._other_params[name] = value

    def _check_ignored(self) -> None:
        main_names = {alias: names[0] for names in lightgbm_parameter_aliases().values() for alias in names}
        for name, value in {"boosting_type": self.boosting_type, **self._other_params}.items():
            main_name = main_names.get(name, name)
            if main_name == "objective":
                self._refuse(name, value, (None,), "it is the focal loss")
            elif main_name == "boosting" and value in ("rf", "random_forest"):
                raise ValueError(
                    f"{name} must be 'gbdt', 'dart' or 'goss', got {value!r}: LightGBM grows random forests on its own "
                    "objectives only."
                )
            elif main_name in _IGNORED:
                self._refuse(name, value, *_IGNORED[main_name])

    def _stopping_rounds(self) -> int | None:
        """Return the rounds of early stopping, under whichever of LightGBM's names they are given, or None."""
        names = ["early_stopping_rounds", *lightgbm_parameter_aliases()["early_stopping_round"]]
        given = {"early_stopping_rounds": self.early_stopping_rounds, **self._other_params}
        given = {name: given[name] for name in names if given.get(name) is not None}
        if len(given) > 1:
            raise ValueError(f"early_stopping_rounds must be given under one name, got {given}.")
        for name, rounds in given.items():
            if name != "early_stopping_rounds" and rounds == 0:  # LightGBM's way to say None
                return None
            check_stopping_rounds(rounds, name)
            if self._boosting() == "dart":
                raise ValueError(f"{name} must be None with dart, which changes earlier trees, got {rounds!r}.")
            return int(rounds)
        return None

    def _boosting(self) -> str:
        return self._under_any_name("boosting", self.boosting_type)

    def _seed(self) -> Any:
        return self._under_any_name("seed", self.random_state)

    def _under_any_name(self, main_name: str, value: Any) -> Any:
        """Return a parameter that LightGBM knows under several names; `value` is what it is under our own."""
        aliases = lightgbm_parameter_aliases()[main_name]
        return next((self._other_params[name] for name in aliases if name in self._other_params), value)

    def fit(  # type: ignore[override]  # as LGBMClassifier's own: no query groups
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        init_score: Any = None,
        eval_set: Any = None,
        eval_names: list[str] | None = None,
        eval_sample_weight: Any = None,
        eval_class_weight: Any = None,
        eval_init_score: Any = None,
        eval_metric: Any = None,
        feature_name: Any = "auto",
        categorical_feature: Any = "auto",
        callbacks: list[Callable[..., Any]] | None = None,
        init_model: Any = None,
        *,
        eval_X: Any = None,
        eval_y: Any = None,
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features; missing values are NaN, categorical columns of a pandas DataFrame are used as such.
        y : array-like of shape (n_samples,)
            Labels of any type, at least two different ones.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0. In the loss, the intercept and the metrics a sample of weight 2 counts like the same sample
            twice; LightGBM's bins and ``min_child_samples`` count rows. Samples of weight 0 are left out.
        init_score : array-like of shape (n_samples,) or (n_samples, n_classes) or None, default=None
            Margins to start from, instead of the focal intercept. As in LightGBM they are not part of the model.
        eval_set : list of (X, y) or None, default=None
            Evaluation sets, with labels as in `y`. They start from the focal intercept like the training data. Early
            stopping then watches these, and splits nothing off; the training data among them it does not watch, and
            LightGBM warns where there is nothing else.
        eval_names, eval_sample_weight, eval_class_weight, eval_init_score
            Names, weights, class weights and starting margins of the evaluation sets, as in LightGBM, where starting
            margins come on top of what the model starts from.
        eval_metric : str, callable, list of these or None, default=None
            Metrics that come before those of the parameter of this name.
        feature_name, categorical_feature, callbacks, init_model, eval_X, eval_y
            As in `lightgbm.LGBMClassifier.fit`. With `init_model` training starts from its margins; X must have its
            features in its order, and of its categories those that are there.

        Returns
        -------
        self : FocalLGBMClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, before any training.
        """
        with unchanged_on_error(self):
            self._check_ignored()
            stopping_rounds = self._stopping_rounds()
            self._check_start_with_sampler(init_score=init_score, init_model=init_model)
            data = self._training_data(X, y, sample_weight, init_score, "init_score")
            init_model = self._check_init_model(init_model, feature_name)
            if init_model is not None:
                data = data._replace(X=_with_known_categories(data.X, init_model))
            metrics = self._metrics(eval_metric)
            if eval_X is not None or eval_y is not None:
                eval_set = _pair_up(eval_X, eval_y, eval_set)

            def has_nothing_of_its_own(i: int) -> bool:
                own = (eval_sample_weight, eval_class_weight, eval_init_score)
                # To evaluate the training data, dart's trees are dropped as for the next round, and in the end stay so.
                return self._boosting() != "dart" and all(_entry(entries, i) is None for entries in own)

            pairs = self._eval_sets(eval_set, X, y, data, has_nothing_of_its_own)
            by_set = {
                "eval_names": eval_names,
                "eval_sample_weight": eval_sample_weight,
                "eval_class_weight": eval_class_weight,
                "eval_init_score": eval_init_score,
            }
            for name, entries in by_set.items():
                _check_entries(entries, len(pairs), name)
            by_class = class_weights(self.class_weight, self.classes_, data.totals())
            eval_weights = self._eval_weights(pairs, eval_sample_weight, eval_class_weight, by_class)
            eval_starts = self._eval_starts(pairs, eval_init_score)
            split = stopping_rounds is not None and not pairs
            given = [
                _entry(entries, i) for i in range(len(pairs)) for entries in (eval_sample_weight, eval_class_weight)
            ]
            check_weights([m for m in metrics if isinstance(m, EvalMetric)], [sample_weight] if split else given)
            data, validation = self._prepare(data, split=split)
            if validation is not None:
                pairs = [(validation.X, validation.y)]
                eval_weights, eval_starts = [validation.sample_weight], [validation.start]
            starts_elsewhere = init_score is not None or init_model is not None
            self.focal_intercept_ = None if starts_elsewhere else self._intercept(data)
            with progress_bar(self.progress_bar, type(self).__name__) as advance:
                engine = self._train(
                    data,
                    stopping_rounds,
                    init_score=data.start,
                    eval_set=pairs or None,
                    eval_names=eval_names,
                    eval_sample_weight=eval_weights,
                    eval_init_score=eval_starts,
                    eval_metric=self._engine_metrics(metrics, _in_turn(pairs, data)),
                    feature_name=feature_name,
                    categorical_feature=categorical_feature,
                    callbacks=[*(callbacks or ()), *([_Progress(advance)] if advance else ())],
                    init_model=init_model,
                )
            adopt_fitted_state(self, engine)
            if self.focal_intercept_ is not None:
                _add_to_first_trees(self.booster_, np.atleast_1d(self.focal_intercept_))
            self._Booster = _with_own_objective(self.booster_, len(self.classes_))
        return self

    def _check_start(self, margins: Any, n_samples: int, name: str) -> NDArray[np.float64] | None:
        # LightGBM reads flat margins of several classes class by class.
        return check_margins(margins, n_samples, len(self.classes_), name, order="F")

    def _eval_starts(
        self, pairs: list[tuple[Any, NDArray[np.integer]]], eval_init_score: Any
    ) -> list[NDArray[np.float64] | None]:
        """Return the margins that evaluation sets start from, which come on top of the intercept, as in LightGBM."""
        return [
            self._check_start(_entry(eval_init_score, i), len(codes), f"eval_init_score[{i}]")
            for i, (_, codes) in enumerate(pairs)
        ]

    def _train(self, data: TrainingData, stopping_rounds: int | None, **fit_arguments: Any) -> LGBMClassifier:
        """Return LightGBM's own classifier, trained on the focal objective."""
        params = self._engine_params()
        aliases = lightgbm_parameter_aliases()
        for alias in aliases["metric"] + aliases["early_stopping_round"]:
            params.pop(alias, None)
        if stopping_rounds is not None:
            params["early_stopping_round"] = stopping_rounds
        objective = self._focal_objective(aliases["num_threads"])
        params["metric"] = "None"
        # As init_score the intercept would be copied three times for every sample.
        with TrainingObjective(objective, start=self.focal_intercept_) as params["objective"]:
            try:
                engine = _fit_quietly(LGBMClassifier(**params), data, fit_arguments)
            except LightGBMError as error:
                # With no feature left after its filter LightGBM gives up under a custom objective, and fits constant
                # trees under its own. Unfiltered features let it do the same here.
                if "num_features" not in str(error):
                    raise
                engine = _fit_quietly(LGBMClassifier(**params | {"feature_pre_filter": False}), data, fit_arguments)
        engine._objective = objective  # what ``objective_`` tells, without what the training kept
        return engine

    def _metrics(self, eval_metric: Any) -> list[Any]:
        """Return the metrics of `fit`, of the parameter ``eval_metric`` and of LightGBM's own, ``metric``."""
        aliases = lightgbm_parameter_aliases()["metric"]
        native = [m for name in aliases for m in _split_names(self._other_params.get(name))]
        wanted = as_list([*as_list(eval_metric), *as_list(self.eval_metric)])
        wanted = as_list([*wanted, *(m for m in native if str(m).lower() not in _NO_METRIC)])
        if not wanted and not native:
            wanted = [FOCAL_LOSS]
        # In the order given: LightGBM's early stopping may watch the first one only.
        metrics = [m if is_user_metric(m) else find_metric(m, self) for m in wanted]
        check_names([m for m in metrics if isinstance(m, EvalMetric)])
        return metrics

    def _engine_metrics(self, metrics: list[Any], eval_X: list[Any]) -> list[Callable[..., Any]]:
        """Return metrics as LightGBM calls them, for each of the evaluation sets in turn.

        While it trains LightGBM does not know of the focal intercept: the metrics add it, and so does the objective.
        """
        start = 0.0 if self.focal_intercept_ is None else self.focal_intercept_
        return [
            _engine_metric(m, start, eval_X) if isinstance(m, EvalMetric) else _user_metric(m, self, start)
            for m in metrics
        ]

    def _check_init_model(self, init_model: Any, feature_name: Any) -> Booster | None:
        """Return the booster to continue, of as many classes and the features of X.

        LightGBM passes over what it does not know, and takes features by their places.
        """
        if init_model is None:
            return None
        if isinstance(init_model, LGBMModel):
            booster = init_model.booster_
        elif isinstance(init_model, str | PathLike):
            booster = Booster(model_file=fspath(init_model))
        else:
            booster = init_model
        if not isinstance(booster, Booster):
            raise TypeError(f"init_model must be a model of LightGBM or the name of its file, got {init_model!r}.")
        n_margins = 1 if len(self.classes_) == 2 else len(self.classes_)
        check_same_margins("init_model", booster.num_model_per_iteration(), n_margins)
        check_same_features("init_model", booster.num_feature(), self.n_features_in_)
        given = getattr(self, "feature_names_in_", ()) if isinstance(feature_name, str) else feature_name or ()
        names = [name.replace(" ", "_") for name in given]  # as LightGBM does
        old_names = booster.feature_name()
        if names and old_names not in (names, [f"Column_{i}" for i in range(len(names))]):
            raise ValueError(f"init_model must have the features of X, {names}, in this order, got {old_names}.")
        return booster

    def _eval_weights(
        self,
        pairs: list[tuple[Any, NDArray[np.integer]]],
        sample_weight: Any,
        class_weight: Any,
        by_class: NDArray[np.float64] | None,
    ) -> list[NDArray[np.float64] | None]:
        """Return the weights of each evaluation set: those of its samples times those of the classes.

        `by_class` are those of the training data, which count where a set is given none of its own.
        """
        weights = []
        for i, (_, codes) in enumerate(pairs):
            weight = check_sample_weight(_entry(sample_weight, i), len(codes), f"eval_sample_weight[{i}]")
            totals = np.bincount(codes, weights=weight, minlength=len(self.classes_)).astype(np.float64)
            own = class_weights(_entry(class_weight, i), self.classes_, totals, f"eval_class_weight[{i}]")
            weights.append(TrainingData(None, codes, weight).weighted(by_class if own is None else own).sample_weight)
        return weights

    def save_model(self, fname: str | PathLike[str]) -> None:
        """Save the booster to a file of LightGBM's text format, with labels, loss and prior in a line of its header.

        `load_model` restores the classifier, so that it predicts the same, bit by bit; LightGBM itself loads the file
        too, and predicts sigmoid(margin) (softmax for several classes) of the same margins. After early stopping the
        file has the rounds up to the best. Parameters of training are not restored, but for those of the focal loss:
        to keep them too, pickle the classifier.

        Parameters
        ----------
        fname : str or path
            The file.
        """
        check_is_fitted(self)
        line = f"{KEY}={describe(self, best_iteration=self.best_iteration_, best_score=self.best_score_)}"
        lines = self.booster_.model_to_string().split("\n")
        Path(fname).write_text("\n".join([lines[0], line, *lines[1:]]), encoding="utf-8", newline="\n")

    def load_model(self, fname: str | PathLike[str]) -> Self:
        """Load what `save_model` has written.

        Parameters
        ----------
        fname : str or path
            The file.

        Returns
        -------
        self : FocalLGBMClassifier
            Fitted, with the file's ``focal_gamma``, ``focal_alpha``, ``focal_mix`` and ``focal_hessian``; other
            parameters stay as they are.

        Raises
        ------
        ValueError
            If it is no model of LightGBM, or one without labels and loss, which only `save_model` of this class writes.
        """
        model = Path(fname).read_bytes().decode("utf-8", errors="replace")
        header = model.partition("\nTree=")[0].split("\n")
        described = [line.removeprefix(f"{KEY}=") for line in header if line.startswith(f"{KEY}=")]
        message = f"fname must be a file that FocalLGBMClassifier.save_model wrote, got {fspath(fname)!r}"
        if header[0] != "tree":
            raise ValueError(f"{message}.")
        if "\nend of trees\n" not in model:  # LightGBM would end the process
            raise ValueError(f"{message}, which is incomplete.")
        if not described:
            raise ValueError(f"{message}, a booster without labels and loss: load it with lightgbm.Booster.")
        booster = Booster(model_str=model)
        with unchanged_on_error(self):
            record = restore(self, described[0])
            booster.best_iteration, booster.best_score = record["best_iteration"], record["best_score"]
            objective = self._focal_objective(lightgbm_parameter_aliases()["num_threads"])
            adopt_fitted_state(self, fitted_lightgbm(booster, len(self.classes_), objective))
        return self

    def _process_params(self, stage: str) -> dict[str, Any]:
        # LightGBM hands all that get_params returns to its library, which warns of names it does not know.
        params: dict[str, Any] = super()._process_params(stage)
        names = self._engine_names().difference(self._focal_parameters) | {"objective"}
        return {k: v for k, v in params.items() if k in names}

    def predict_proba(
        self,
        X: Any,
        raw_score: bool = False,
        start_iteration: int = 0,
        num_iteration: int | None = None,
        pred_leaf: bool = False,
        pred_contrib: bool = False,
        validate_features: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return posterior probabilities, through the focal link.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features.
        raw_score, pred_leaf, pred_contrib : bool, default=False
            Return margins, leaf indices or feature contributions instead. Contributions add up to the margin.
        start_iteration, num_iteration, validate_features, **kwargs
            As in `lightgbm.LGBMClassifier.predict_proba`.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``.
        """
        X = self._check_fitted_X(X)
        wants_posterior = not (raw_score or pred_leaf or pred_contrib)
        result = LGBMModel.predict(
            self,
            X,
            raw_score=raw_score or wants_posterior,
            start_iteration=start_iteration,
            num_iteration=num_iteration,
            pred_leaf=pred_leaf,
            pred_contrib=pred_contrib,
            validate_features=validate_features,
            **kwargs,
        )
        return self._posterior(result) if wants_posterior else result

    def predict(
        self,
        X: Any,
        raw_score: bool = False,
        start_iteration: int = 0,
        num_iteration: int | None = None,
        pred_leaf: bool = False,
        pred_contrib: bool = False,
        validate_features: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return the most probable label of each sample.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features.
        raw_score, start_iteration, num_iteration, pred_leaf, pred_contrib, validate_features, **kwargs
            As in `predict_proba`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        result = self.predict_proba(
            X, raw_score, start_iteration, num_iteration, pred_leaf, pred_contrib, validate_features, **kwargs
        )
        return result if raw_score or pred_leaf or pred_contrib else self.classes_[result.argmax(axis=1)]

    def decision_function(self, X: Any, **kwargs: Any) -> Any:
        """Return raw margins, those of the saved booster.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features.
        **kwargs
            ``start_iteration``, ``num_iteration`` and the like, as in `predict_proba`.

        Returns
        -------
        margins : ndarray of shape (n_samples,) for two classes, (n_samples, n_classes) for more
            > 0 where `predict` gives the second class, unless `focal_gamma` differs between the classes, or `predict`
            is for another prior than that of the training (`prior_correction_` is not None).
        """
        return self.predict_proba(X, raw_score=True, **kwargs)


_NO_METRIC = ("", "none", "na", "null", "custom")


def _split_names(metric: Any) -> list[Any]:
    return [name.strip() for name in metric.split(",")] if isinstance(metric, str) else list(metric or ())


def _entry(collection: Any, i: int) -> Any:
    """Return what LightGBM would take for evaluation set i from a list or a dict of such things."""
    if isinstance(collection, dict):
        return collection.get(i)
    return None if collection is None or i >= len(collection) else collection[i]


def _check_entries(entries: Any, n_eval: int, name: str) -> None:
    """Raise if there are entries for more evaluation sets than there are, or no entries at all."""
    if entries is not None and not isinstance(entries, list | tuple | dict):
        raise TypeError(f"{name} must be a list with an entry per evaluation set, got a {type(entries).__name__}.")
    if entries is not None and len(entries) > n_eval:
        raise ValueError(f"{name} must have at most {n_eval} entries, one per evaluation set, got {len(entries)}.")


def _pair_up(eval_X: Any, eval_y: Any, eval_set: Any) -> list[tuple[Any, Any]]:
    """Return LightGBM's newer way to give evaluation sets as the older one."""
    if eval_set is not None:
        raise ValueError("eval_set must be None where eval_X and eval_y are given, got both.")
    if eval_X is None or eval_y is None:
        raise ValueError("eval_X and eval_y must be given together, got only one of them.")
    if isinstance(eval_X, tuple) != isinstance(eval_y, tuple):
        raise ValueError("eval_X and eval_y must be tuples of the same length or neither, got only one tuple.")
    if not isinstance(eval_X, tuple):
        return [(eval_X, eval_y)]
    if len(eval_X) != len(eval_y):
        raise ValueError(f"eval_X and eval_y must be tuples of the same length, got {len(eval_X)} and {len(eval_y)}.")
    return list(zip(eval_X, eval_y, strict=True))


def _in_turn(pairs: list[tuple[Any, Any]], data: TrainingData) -> list[Any]:
    """Return the features of evaluation sets in the order in which LightGBM evaluates them: training data first."""
    of_training = [data.X for X, y in pairs if X is data.X and y is data.y][:1]
    return of_training + [X for X, y in pairs if not (X is data.X and y is data.y)]


# LightGBM counts the arguments of a metric; with three it passes weights. It does not say which data they are of.
def _engine_metric(metric: EvalMetric, start: Any, eval_X: list[Any]) -> Callable[[Any, Any, Any], Any]:
    turns = cycle(eval_X)

    def evaluate(y: Any, raw_prediction: Any, sample_weight: Any) -> tuple[str, float, bool]:
        value = metric.score(y, raw_prediction + start, sample_weight, next(turns))
        return metric.name, value, metric.greater_is_better

    return evaluate


def _user_metric(metric: Callable[..., Any], classifier: Any, start: Any) -> Callable[[Any, Any, Any], Any]:
    """Return a user's metric, of LightGBM's signature, so that it is given probabilities and not margins."""
    n_arguments = len(inspect.signature(metric).parameters)

    def evaluate(y: Any, raw_prediction: Any, sample_weight: Any) -> Any:
        probabilities = engine_probabilities(classifier, raw_prediction + start)
        return metric(*(y, probabilities, sample_weight, None)[:n_arguments])  # the last: no query groups

    return evaluate


class _Progress:
    """LightGBM's kind of callback; after its early stopping (30) would be too late in the last round."""

    order = 25

    def __init__(self, advance: Advance) -> None:
        self._advance = advance

    def __call__(self, env: Any) -> None:
        scores = {f"{result[0]} {result[1]}": result[2] for result in env.evaluation_result_list or ()}
        self._advance(env.end_iteration - env.begin_iteration, scores)


def _fit_quietly(engine: LGBMClassifier, data: TrainingData, fit_arguments: dict[str, Any]) -> LGBMClassifier:
    with warnings.catch_warnings():
        # Only through eval_set, deprecated since 4.7, does LightGBM recognise the training data among evaluation sets.
        warnings.filterwarnings("ignore", message=".*eval_set.*")
        return engine.fit(data.X, data.y, sample_weight=data.sample_weight, **fit_arguments)


def _with_known_categories(X: Any, booster: Booster) -> Any:
    """Return a table with the categories of a model to continue, which knows them by their numbers only."""
    known = booster.pandas_categorical
    if not known or not hasattr(X, "iloc"):
        return X
    columns = [column for column, dtype in X.dtypes.items() if dtype.name == "category"]
    if len(columns) != len(known):
        raise ValueError(f"init_model must have the categorical features of X, {columns}, got {len(known)} of them.")
    X = X.copy(deep=False)
    for column, categories in zip(columns, known, strict=True):
        new = set(X[column].dropna()).difference(categories)
        if new:
            raise ValueError(f"init_model must know the categories of {column!r} in X, and has not seen {new}.")
        X[column] = X[column].cat.set_categories(categories)
    return X


def _add_to_first_trees(booster: Booster, intercepts: NDArray[np.float64]) -> None:
    """Add one intercept per class to the leaves of the first round's trees, as LightGBM does with its own average."""
    for tree, intercept in zip(booster.dump_model(num_iteration=1)["tree_info"], intercepts, strict=True):
        index = tree["tree_index"]
        for leaf in range(tree["num_leaves"]):
            booster.set_leaf_output(index, leaf, booster.get_leaf_output(index, leaf) + intercept)


def _with_own_objective(booster: Booster, n_classes: int) -> Booster:
    """Return the booster with LightGBM's own objective on record, so that any runtime applies sigmoid or softmax."""
    objective = "binary sigmoid:1" if n_classes == 2 else f"multiclass num_class:{n_classes}"
    lines = booster.model_to_string(num_iteration=-1).split("\n")
    trees = lines.index("Tree=0") if "Tree=0" in lines else len(lines)
    header = [line for line in lines[:trees] if not line.startswith("objective=")]
    header.insert(1, f"objective={objective}")  # after the line that names the format
    result = Booster(model_str="\n".join(header + lines[trees:]))
    result.best_iteration, result.best_score = booster.best_iteration, booster.best_score
    return result
