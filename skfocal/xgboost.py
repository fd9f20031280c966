"""FocalXGBClassifier: XGBoost's scikit-learn classifier, trained on the focal loss."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted

try:
    from xgboost import Booster, DMatrix, XGBClassifier, XGBModel
    from xgboost.callback import EarlyStopping, EvaluationMonitor, TrainingCallback
    from xgboost.core import XGBoostError
except ImportError as error:
    raise ImportError('FocalXGBClassifier needs XGBoost: pip install "skfocal[xgboost]"') from error

from skfocal._boosted import FocalBoostedMixin, TrainingData, check_same_features, check_same_margins
from skfocal._classifier import (
    check_margins,
    check_sample_weight,
    check_stopping_rounds,
    class_weights,
    unchanged_on_error,
)
from skfocal._compat import (
    adopt_fitted_state,
    first_rounds,
    on_device,
    xgboost_engine,
    xgboost_parameter_names,
)
from skfocal._metrics import (
    EvalMetric,
    as_list,
    check_names,
    check_weights,
    engine_probabilities,
    find_metric,
    is_user_metric,
    takes_weights,
)
from skfocal._model_file import KEY, describe, restore
from skfocal._progress import Advance, progress_bar
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
    objective : None
        Cannot be set; it is the focal loss.
    enable_categorical : bool, default=True
        Use categorical columns of a table as such; ``tree_method="exact"`` cannot.
    eval_metric : str, callable, list of these or None, default=None
        "focal_loss" (the default), "log_loss", "error", "roc_auc", "average_precision", or XGBoost's names of the last
        four; all are computed through the focal link, at the prior of the data. "focal_loss" is the mean loss; after a
        `sampler` that of data in which the classes have the sampler's shares. A callable has the signature of
        scikit-learn's scorers, ``(estimator, X, y)`` by these names, and is maximised; it may look at `X`, as earlier
        steps of a pipeline leave it, and ask for predictions of just that `X`. Or it has the signature of
        its metrics, is given class codes and probabilities, and is minimised. Early stopping watches the last one, on
        the last evaluation set.
    progress_bar : bool, default=False
        Show a bar by tqdm, with the metrics of the last round.
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
    prior_correction_ : ndarray of shape (n_classes,) or None
        What the posterior of the training data is multiplied by, before its rows are divided by their sums; see
        `prior`. None for nothing.
    best_iteration_ : int
        Number of rounds that predictions use, if training stopped early: ``best_iteration`` + 1.
    best_score_, evals_result_ : dict
        Scores of the best round, and of every round: ``evals_result_[name of the evaluation set][metric]``. The data
        split off for early stopping are called "validation_0".
    feature_importances_, best_iteration, best_score, n_classes_
        As in `xgboost.XGBClassifier`.

    Notes
    -----
    Gradients are computed on ``n_jobs`` threads, as the rest is; with ``device="cuda"`` on the GPU, where labels and
    weights stay, if CuPy is installed (extra ``cuda``), otherwise on the host, which a warning says once.

    Samples of weight 0 are left out, so they do not count towards the bins.

    Early stopping drops the rounds after the best one. With ``booster="dart"`` and "gblinear", which change what
    earlier rounds have made, the booster of the best round is kept as it was.

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
        focal_mix: float = 0.0,
        focal_hessian: str = "stable",
        class_weight: dict[Any, float] | str | None = None,
        sampler: Any = None,
        prior: float | Sequence[float] | Mapping[Any, float] | None = None,
        early_stopping_rounds: int | None = None,
        validation_fraction: float = 0.1,
        eval_metric: Any = None,
        progress_bar: bool = False,
        objective: None = None,
        enable_categorical: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            objective=objective,
            early_stopping_rounds=early_stopping_rounds,
            eval_metric=eval_metric,
            enable_categorical=enable_categorical,
            **kwargs,
        )
        self.focal_gamma = focal_gamma
        self.focal_alpha = focal_alpha
        self.focal_mix = focal_mix
        self.focal_hessian = focal_hessian
        self.class_weight = class_weight
        self.sampler = sampler
        self.prior = prior
        self.validation_fraction = validation_fraction
        self.progress_bar = progress_bar

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
        verbose: bool | int | None = None,
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
            Evaluation sets, with labels as in `y`. Early stopping then watches the last one, and splits nothing off.
        verbose : bool, int or None, default=None
            Print the metrics each round (True), or every so many. None for True where there is an `eval_set`, as in
            XGBoost, and for False with data split off.
        xgb_model, sample_weight_eval_set, base_margin_eval_set, feature_weights
            As in `xgboost.XGBClassifier.fit`. With `xgb_model` training starts from its margins; for these the features
            are kept in memory, and not only their bins.

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
            rounds = self.early_stopping_rounds
            if rounds is not None:
                check_stopping_rounds(rounds)
            if verbose is not None and not (isinstance(verbose, int) and verbose >= 0):
                raise ValueError(f"verbose must be None, True, False or an integer >= 0, got {verbose!r}.")
            self._check_start_with_sampler(base_margin=base_margin, xgb_model=xgb_model)
            data = self._training_data(X, y, sample_weight, base_margin, "base_margin")
            old_trees = self._check_xgb_model(xgb_model)
            metrics = self._metrics()
            recognised = data.is_whole
            pairs = self._eval_sets(eval_set, X, y, data, lambda i: recognised)
            eval_weights = _check_each(sample_weight_eval_set, pairs, "sample_weight_eval_set", check_sample_weight)
            eval_margins = _check_each(base_margin_eval_set, pairs, "base_margin_eval_set", self._check_start)
            split = rounds is not None and not pairs
            check_weights(metrics, [sample_weight] if split else eval_weights)
            verbose = bool(pairs) if verbose is None else verbose
            eval_weights = self._with_class_weights(pairs, eval_weights, data)
            data, validation = self._prepare(data, split=split)
            if validation is not None:
                pairs = [(validation.X, validation.y)]
                eval_weights, eval_margins = [validation.sample_weight], [validation.start]
            starts_elsewhere = base_margin is not None or xgb_model is not None
            self.focal_intercept_ = None if starts_elsewhere else self._intercept(data)
            evaluation = _Evaluation(metrics, [X for X, _ in pairs], keep_best=self.booster in ("dart", "gblinear"))
            params = self._engine_params() | {
                "base_score": self._base_score() if old_trees is None else _base_score_of(old_trees),
                "enable_categorical": self.enable_categorical and self.tree_method != "exact",
                "eval_metric": None,
                "disable_default_eval_metric": True,
                "early_stopping_rounds": None,
            }
            objective = self._focal_objective(("n_jobs", "nthread"))
            with (
                progress_bar(self.progress_bar, type(self).__name__) as advance,
                on_device(self.device) as namespace,
                TrainingObjective(objective, namespace) as params["objective"],
            ):
                params["callbacks"] = self._callbacks(evaluation, advance, verbose)
                engine = xgboost_engine(params, evaluation, bins_data=old_trees is None).fit(
                    data.X,
                    data.y,
                    sample_weight=data.sample_weight,
                    base_margin=data.start,
                    eval_set=pairs or None,
                    verbose=False,
                    xgb_model=old_trees,
                    sample_weight_eval_set=eval_weights,
                    base_margin_eval_set=eval_margins,
                    feature_weights=feature_weights,
                )
            self._adopt(engine, evaluation.best_score(engine))
            self._Booster = evaluation.best_booster(engine)
        return self

    def save_model(self, fname: Any) -> None:
        """Save the booster to a file of XGBoost's, with labels, loss and prior beside it.

        `load_model` restores the classifier, so that it predicts the same, bit by bit; XGBoost itself loads the file
        too, and predicts sigmoid(margin) (softmax for several classes) of the same margins. Parameters of training are
        not in it, but for those of the focal loss: to keep them too, pickle the classifier.

        Parameters
        ----------
        fname : str or path
            The file; its ending, ``.json`` or ``.ubj``, says how it is written.
        """
        check_is_fitted(self)
        if not Path(fname).absolute().parent.is_dir():
            raise FileNotFoundError(f"fname must be in a folder that there is, got {fspath(fname)!r}.")
        booster = self.get_booster()
        booster.set_attr(**{KEY: describe(self, missing=self.missing, best_score=self.best_score_)})
        try:
            super().save_model(fname)
        finally:
            booster.set_attr(**{KEY: None})

    def load_model(self, fname: Any) -> Self:  # type: ignore[override]  # XGBoost's returns nothing
        """Load what `save_model` has written.

        Parameters
        ----------
        fname : str, path or bytearray
            The file, or what is in it.

        Returns
        -------
        self : FocalXGBClassifier
            Fitted, with the file's ``focal_gamma``, ``focal_alpha``, ``focal_mix``, ``focal_hessian``, ``booster`` and
            ``missing``; other parameters stay as they are.

        Raises
        ------
        ValueError
            If it is no model of XGBoost, or one without labels and loss, which only `save_model` of this class writes.
        """
        if isinstance(fname, str | PathLike) and not Path(fname).exists():
            raise FileNotFoundError(f"fname must be a file, and there is no {fspath(fname)!r}.")
        fname = bytearray(fname) if isinstance(fname, bytes) else fname
        shown = "these bytes" if isinstance(fname, bytearray) else repr(fspath(fname))
        engine = XGBClassifier(n_jobs=self.n_jobs)
        try:
            engine.load_model(fname)
        except (XGBoostError, TypeError, UnicodeDecodeError) as error:  # the last: of its own message about the file
            raise ValueError(f"fname must be a file that FocalXGBClassifier.save_model wrote, got {shown}.") from error
        text = engine.get_booster().attr(KEY)
        if text is None:
            raise ValueError(
                f"fname must be a file that FocalXGBClassifier.save_model wrote, got {shown}, which holds a booster "
                "without labels and loss: load it with xgboost.Booster."
            )
        engine.get_booster().set_attr(**{KEY: None})
        with unchanged_on_error(self):
            record = restore(self, text)
            self.missing, self.booster = record["missing"], engine.booster
            self._adopt(engine, record["best_score"])
        return self

    @property
    def best_iteration_(self) -> int:
        """Number of rounds that predictions use, if training stopped early; 0 if not, as in LightGBM."""
        check_is_fitted(self)
        return self.best_iteration + 1 if hasattr(self, "best_iteration") else 0

    def _seed(self) -> Any:
        return self.get_params().get("seed", self.random_state)

    def _adopt(self, engine: XGBClassifier, best_score: dict[str, dict[str, float]]) -> None:
        """Become what the engine's classifier is; nothing of an earlier fit remains."""
        self.__dict__.pop("evals_result_", None)
        adopt_fitted_state(self, engine)
        self.best_score_ = best_score

    def _allows_inf(self) -> bool:
        return self.missing is not None and bool(np.isinf(self.missing))

    def _check_start(self, margins: Any, n_samples: int, name: str) -> NDArray[np.float64] | None:
        # XGBoost reads flat margins of several classes row by row.
        return check_margins(margins, n_samples, len(self.classes_), name, order="C")

    def _check_xgb_model(self, xgb_model: Any) -> Booster | None:
        """Return the model to continue, which must have as many classes and features."""
        if xgb_model is None:
            return None
        booster = _trees_alone(xgb_model)
        n_classes = int(json.loads(booster.save_config())["learner"]["learner_model_param"]["num_class"])
        n_margins = 1 if len(self.classes_) == 2 else len(self.classes_)
        check_same_margins("xgb_model", max(n_classes, 1), n_margins)
        check_same_features("xgb_model", booster.num_features(), self.n_features_in_)
        return booster

    def _with_class_weights(
        self, pairs: list[tuple[Any, NDArray[np.integer]]], weights: list[Any] | None, data: TrainingData
    ) -> list[NDArray[np.float64] | None] | None:
        """Return the weights of evaluation sets times those of the classes of the training data."""
        by_class = class_weights(self.class_weight, self.classes_, data.totals())
        if by_class is None or not pairs:
            return weights
        own = weights or [None] * len(pairs)
        return [
            TrainingData(None, codes, weight).weighted(by_class).sample_weight
            for (_, codes), weight in zip(pairs, own, strict=True)
        ]

    def _base_score(self) -> float | list[float]:
        """Return the focal intercept as XGBoost takes it: a probability for two classes, margins for more."""
        if len(self.classes_) == 2:
            return float(expit(self.focal_intercept_ or 0.0))
        return [0.0] * len(self.classes_) if self.focal_intercept_ is None else list(map(float, self.focal_intercept_))

    def _callbacks(self, evaluation: "_Evaluation", advance: Advance | None, verbose: bool | int) -> list[Any]:
        """Return the user's callbacks and what shows progress, after our evaluation and before early stopping.

        XGBoost asks no callback that comes after one that stops: by itself it would not print the last round.
        """
        callbacks = list(self.callbacks or ())
        if advance:
            callbacks.append(_Progress(advance, self.get_num_boosting_rounds()))
        if verbose:
            callbacks.append(EvaluationMonitor(period=int(verbose)))
        if self.early_stopping_rounds is not None:
            callbacks.append(EarlyStopping(rounds=self.early_stopping_rounds))
        keeper = [evaluation.keeper] if evaluation.keeper is not None else []
        return [evaluation, *(evaluation.prepare(callback) for callback in callbacks), *keeper]

    def _metrics(self) -> list[EvalMetric]:
        wanted = as_list(self.eval_metric) or [FOCAL_LOSS]
        return check_names([_user_metric(m, self) if is_user_metric(m) else find_metric(m, self) for m in wanted])

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
        return self._posterior(raw)

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
            > 0 where `predict` gives the second class, unless `focal_gamma` differs between the classes, or `predict`
            is for another prior than that of the training (`prior_correction_` is not None).
        """
        X = self._check_fitted_X(X)
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


def _trees_alone(xgb_model: Any) -> Booster:
    """Return a model to continue: up to its best round, and without its metrics and what is known of its training.

    XGBoost would keep the best round of a model that has stopped early, so that no later one would count in
    predictions; and evaluate the old model's metrics beside ours, through its own link.
    """
    if isinstance(xgb_model, XGBModel):
        booster = xgb_model.get_booster()
    else:
        booster = xgb_model if isinstance(xgb_model, Booster) else Booster(model_file=xgb_model)
    best = booster.attr("best_iteration")
    try:
        booster = booster.copy() if best is None else first_rounds(booster, int(best) + 1)
    except XGBoostError:  # linear boosters have no rounds
        booster = booster.copy()
    booster.set_attr(**dict.fromkeys(booster.attributes()))
    return Booster(model_file=booster.save_raw("ubj"))  # the model without the settings that it was trained with


def _base_score_of(booster: Booster) -> float | None:
    """Return the intercept of a model to continue as our base_score, or None if it is one as it stands.

    It is what the old objective takes it for: a margin with "binary:logitraw", a custom objective and others.
    """
    learner = json.loads(booster.save_config())["learner"]
    is_binary = learner["learner_model_param"]["num_class"] == "0"
    if not is_binary or learner["objective"]["name"] in ("binary:logistic", "reg:logistic"):
        return None
    row = np.zeros((1, booster.num_features()))
    margin, of_trees = (
        booster.predict(DMatrix(row, base_margin=start), output_margin=True, validate_features=False)
        for start in (None, [0.0])
    )
    return float(expit(margin - of_trees)[0])


def _user_metric(metric: Callable[..., float], classifier: Any) -> EvalMetric:
    """Return a user's metric, of scikit-learn's signature, so that it is given probabilities and not margins."""
    has_weights = takes_weights(metric)

    def score(y: Any, raw_prediction: Any, sample_weight: Any, X: Any) -> float:
        weight = {"sample_weight": sample_weight} if has_weights and sample_weight is not None else {}
        return metric(y, engine_probabilities(classifier, raw_prediction), **weight)

    name = getattr(metric, "__name__", type(metric).__name__)
    return EvalMetric(name, score, greater_is_better=False, takes_weights=has_weights)


class _Evaluation(TrainingCallback):
    """The metrics as `xgboost.train` calls one, and a callback that puts their exact values on record.

    XGBoost passes the values of a callable metric on as text with six decimals: too few for the focal loss of a rare
    class, a few 1e-4, and early stopping would see no progress.
    """

    def __init__(self, metrics: list[EvalMetric], eval_X: list[Any], *, keep_best: bool) -> None:
        self._metrics = metrics
        self._eval_X = eval_X
        self._scores: list[list[tuple[str, float]]] = []  # of this round, one entry for each evaluation set
        self._n_rounds_before = 0  # of a model that is continued; XGBoost counts on from there
        self.keeper = _BestBooster() if keep_best else None

    def before_training(self, model: Any) -> Any:
        """Look up where the count of rounds starts."""
        self._n_rounds_before = model.num_boosted_rounds()
        return model

    def __call__(self, raw_prediction: Any, data: Any) -> list[tuple[str, float]]:
        weight = data.get_weight() if data.get_weight().size else None
        X = self._eval_X[len(self._scores)]
        scores = [(metric.name, metric.score(data.get_label(), raw_prediction, weight, X)) for metric in self._metrics]
        self._scores.append(scores)
        return scores

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Replace the rounded values of this round."""
        for history, scores in zip(evals_log.values(), self._scores, strict=True):
            for name, value in scores:
                history[name][-1] = value
        self._scores.clear()
        return False

    def prepare(self, callback: Any) -> Any:
        """Return a callback as it is, but early stopping as a copy: it remembers, and a second fit would stop at once.

        The copy is told whether its metric is to grow, which XGBoost guesses by the name, and to keep all rounds, of
        which `best_booster` chooses.
        """
        if not isinstance(callback, EarlyStopping):
            return callback
        stop = deepcopy(callback)
        stop.save_best = False
        if stop.maximize is None:
            watched = stop.metric_name or self._metrics[-1].name
            stop.maximize = any(metric.greater_is_better for metric in self._metrics if metric.name == watched)
        return stop

    def best_booster(self, engine: XGBClassifier) -> Booster:
        """Return the booster as it was in the best round of early stopping, so that what is saved is the model."""
        if self.keeper is not None and self.keeper.booster is not None:
            return self.keeper.booster
        booster = engine.get_booster()
        if not hasattr(engine, "best_iteration"):
            return booster
        best = first_rounds(booster, engine.best_iteration + 1)
        best.set_attr(**booster.attributes())
        return best

    def best_score(self, engine: XGBClassifier) -> dict[str, dict[str, float]]:
        """Return the scores of the best round of early stopping, without which it is the last."""
        best = engine.best_iteration - self._n_rounds_before if hasattr(engine, "best_iteration") else -1
        return {
            name: {metric: scores[best] for metric, scores in history.items()}
            for name, history in getattr(engine, "evals_result_", {}).items()
        }


class _BestBooster(TrainingCallback):
    """Keep a copy of the booster in its best round: "gblinear" and "dart" change what earlier rounds have made."""

    def __init__(self) -> None:
        self.booster: Booster | None = None
        self._n_rounds_before = 0  # of a model that is continued

    def before_training(self, model: Any) -> Any:
        """Look up where early stopping starts to count rounds."""
        self._n_rounds_before = model.num_boosted_rounds()
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Copy the booster if early stopping, which comes before, has called this round the best one."""
        if model.attr("best_iteration") == str(self._n_rounds_before + epoch):
            self.booster = model.copy()
        return False


class _Progress(TrainingCallback):
    def __init__(self, advance: Advance, n_rounds: int) -> None:
        self._advance = advance
        self._n_rounds = n_rounds

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Show the scores of this round."""
        scores = {
            f"{name} {metric}": values[-1] for name, history in evals_log.items() for metric, values in history.items()
        }
        self._advance(self._n_rounds, scores)
        return False
