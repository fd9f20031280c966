"""The classifier: LightGBM's own with the focal loss.

Imports `compat`, `continuing`, `datasets`, `evaluation`, `onnx_trees`, `parameters`, `saving`, `streams`, `tables`,
`training`, `_state`, `boosting` and `objectives`.
"""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
from lightgbm import LGBMClassifier
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from skfocal._state import adopt_fitted_state, unchanged_on_error
from skfocal.boosting.estimator import FocalBoostedMixin
from skfocal.boosting.metrics import check_weights
from skfocal.boosting.model_file import restore
from skfocal.boosting.parameters import (
    check_no_sampler,
    constructor_names,
    focal_parameters,
    set_sampler_params,
    split_sampler_params,
)
from skfocal.boosting.plan import make_plan
from skfocal.boosting.progress import progress_bar
from skfocal.boosting.samples import as_features, training_samples
from skfocal.boosting.splitting import Split
from skfocal.boosting.streams import check_no_stream, or_fits_streams
from skfocal.lightgbm.compat import fitted_engine
from skfocal.lightgbm.continuing import as_old_booster, with_known_categories
from skfocal.lightgbm.datasets import is_stream
from skfocal.lightgbm.evaluation import as_metrics, evaluation_sets, given_sets
from skfocal.lightgbm.onnx_trees import onnx_trees
from skfocal.lightgbm.parameters import (
    as_feature_names,
    as_of_old_pickle,
    checked_settings,
    own_parameters,
    prediction_parameters,
)
from skfocal.lightgbm.saving import read_model, write_model
from skfocal.lightgbm.streams import fit_stream
from skfocal.lightgbm.tables import as_readable, check_categories
from skfocal.lightgbm.training import train
from skfocal.objectives import FocalObjective


class FocalLGBMClassifier(FocalBoostedMixin, LGBMClassifier):
    """LightGBM classifier trained on the focal loss, with probabilities through the focal link.

    Takes the place of `lightgbm.LGBMClassifier`: its parameters, `fit` arguments and attributes work as there, and
    those that have no meaning here are refused by name. What differs: a few defaults, trees are grown on exact focal
    gradients and safe Hessians, training starts from the focal intercept, `predict_proba` goes through the focal link,
    and evaluation metrics are computed through it as well. The intercept is added to the first trees of the booster,
    which is saved with LightGBM's own objective: loaded without skfocal it predicts sigmoid(margin) (softmax for
    several classes) of the same margins.

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
    early_stopping_rounds : int or None, default=None
        Stop when the metrics have not improved for so many rounds, and predict with the best one. Without an
        ``eval_set`` a part of the training data is split off.
    validation_fraction : float, default=0.1
        Share of the training data, in (0, 1), that is split off for early stopping, with the same share of every
        class; at random, by `random_state`, so for data in time give an ``eval_set``. Not used otherwise.
    eval_metric : str, callable, list of these or None, default=None
        "focal_loss" (the default), "log_loss" (with a `sampler`), "error", "roc_auc", "average_precision", or
        LightGBM's names of the last four; for two classes ``"precision_at_k@100"``, ``"recall_at_precision@0.9"`` and
        ``"recall_at_fpr@0.01"``, at any limit, see `skfocal.metrics`. All are computed through the focal link, after a
        sampler at the prior of the evaluation data, as `predict_proba` is at that of the training data. But for
        "focal_loss", the mean loss: after a sampler it is that of data in which the classes have the sampler's shares.
        A callable has the signature of scikit-learn's scorers, ``(estimator, X, y)`` by these names, and is maximised;
        it may look at `X`, as earlier steps of a pipeline leave it, and ask for predictions of just that `X`. Or it has
        LightGBM's signature, and is given probabilities. To several metrics (see also `fit`) early stopping pays heed
        as LightGBM does: the first that stops improving stops, unless ``first_metric_only``.
    progress_bar : bool, default=False
        Show a bar by tqdm, with the metrics of the last round.
    objective : None
        Cannot be set; it is the focal loss.
    reg_lambda : float or "auto", default="auto"
        What draws the values of leaves to 0: it is added to the Hessians of a leaf. "auto" for 0 where trees are grown
        on fewer than 5,000 samples, else 2. LightGBM's own default is 0.
    extra_trees : bool, float or "auto", default="auto"
        Look at one threshold of each feature, drawn at random, and not at all of them. A number in [0, 1] is the share
        of the trees that do, spread evenly among the others: of 0.85 these are the 7th, 14th, 20th ... tree. "auto" for
        0.85, with ``boosting_type="dart"`` for False, LightGBM's own default.
    boosting_type, num_leaves, max_depth, learning_rate, n_estimators, subsample_for_bin, min_split_gain, \
min_child_weight, min_child_samples, subsample, subsample_freq, colsample_bytree, reg_alpha, random_state, n_jobs, \
importance_type
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
    feature_names_in_ : ndarray of shape (``n_features_in_``,)
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
    Samples of weight 0 are left out, so they do not count towards ``min_child_samples`` or the bins; unless their class
    has no others, which then counts as half a sample in the intercept. Bagging leaves out rare classes so.

    A sample of weight 2 is the same sample twice in all that we compute. The trees may part even so, as those of
    LightGBM's own log loss do, and by as much: it makes bins of rows, and instead of counting the rows on a side of a
    split it rounds, bin by bin, their share of the leaf's Hessian times the leaf's rows. At ``min_child_samples=1`` a
    side that comes to no row is refused, though it may come to one where the leaf holds each sample as two rows.
    ``min_child_samples=0, min_data_in_bin=1``, with no more values of a feature than ``max_bin``, comes closest: trees
    then part only where the rounded rows of one side are more than the leaf has, the likelier the more bins there are.
    With ``min_child_weight=0`` beside it LightGBM goes back to ``min_child_samples=1``. What ``extra_trees`` draws
    goes by rows as well, and so does the penalty that is "auto".

    The penalty that is "auto" may be one thing in the folds of a search and another in what it refits: near 5,000
    samples, give it a value. With a share of `extra_trees` the booster's own parameters are those of the last round.

    The same `random_state` gives the same model, bit by bit, on any number of threads and in any process, where weights
    do not differ by many orders of magnitude: LightGBM sums up thread by thread, and chooses by the clock how. With
    ``deterministic=True, force_col_wise=True`` it does so for any weights. As in LightGBM's own classifier, goss and
    ``use_quantized_grad`` give another model for another number of threads, even so.

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

    _thresholds = (("min_child_weight", 1e-3), ("min_child_samples", 20), ("min_split_gain", 0), ("reg_alpha", 0))
    _onnx_trees = onnx_trees
    _start_name = "init_score"
    _allows_inf = True
    _start_order = "F"

    def __init__(
        self,
        *,
        focal_gamma: float | Sequence[float] | Mapping[Any, float] = 1.0,
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
        reg_lambda: float | str = "auto",
        extra_trees: bool | float | str = "auto",
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        n_jobs: int | None = None,
        importance_type: str = "split",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            boosting_type=boosting_type, num_leaves=num_leaves, max_depth=max_depth, learning_rate=learning_rate,
            n_estimators=n_estimators, subsample_for_bin=subsample_for_bin, objective=objective,
            class_weight=class_weight, min_split_gain=min_split_gain, min_child_weight=min_child_weight,
            min_child_samples=min_child_samples, subsample=subsample, subsample_freq=subsample_freq,
            colsample_bytree=colsample_bytree, reg_alpha=reg_alpha, random_state=random_state, n_jobs=n_jobs,
            importance_type=importance_type, reg_lambda=reg_lambda, **kwargs,  # type: ignore[arg-type]  # or "auto"
        )  # fmt: skip
        self.focal_gamma, self.focal_alpha, self.focal_mix = focal_gamma, focal_alpha, focal_mix
        self.focal_hessian, self.extra_trees = focal_hessian, extra_trees
        self.sampler, self.prior = sampler, prior
        self.early_stopping_rounds = early_stopping_rounds
        self.validation_fraction = validation_fraction
        self.eval_metric = eval_metric
        self.progress_bar = progress_bar

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator, and of its sampler as ``sampler__<name>``.

        Parameters
        ----------
        **params
            Parameter names, LightGBM's own among them, with their new values.

        Returns
        -------
        self : FocalLGBMClassifier
        """
        constructor = constructor_names(type(self))
        others, of_sampler = split_sampler_params(params)
        for name, value in others.items():
            # LGBMClassifier keeps a second copy of everything it is set, which goes stale; and its extra parameters as
            # public attributes, which scikit-learn does not allow.
            if name in constructor:
                setattr(self, name, value)
            else:
                self._other_params[name] = value
        set_sampler_params(self, of_sampler)
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state if "extra_trees" in state else as_of_old_pickle(state))

    def __getattr__(self, name: str) -> Any:
        # LightGBM's class has parameters that its constructor does not name as attributes too. scikit-learn allows none
        # that are set, so they are looked up.
        others = self.__dict__.get("_other_params", {})
        return others[name] if name in others else self.__getattribute__(name)  # which raises what it has raised

    def _as_features(self, X: Any, *, reset: bool, compare_names: bool = True) -> Any:
        X = as_readable(as_features(self, X, reset=reset, allow_inf=self._allows_inf, compare_names=compare_names))
        if reset:
            check_categories(X)
        # LightGBM takes sparse matrices, and sparse arrays with a warning and after a conversion; and it misreads
        # columns whose rows are not in order, as chosen rows are not.
        if isinstance(X, sparse.sparray):
            return sparse.csr_matrix(X)
        return X.sorted_indices() if sparse.issparse(X) and not X.has_sorted_indices else X

    @or_fits_streams(is_stream, fit_stream)
    def fit(  # type: ignore[override]  # as LGBMClassifier's own: no query groups
        self,
        X: Any,
        y: Any = None,
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
        classes: Any = None,
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features), ParquetBatches or Dataset
            Features; missing values are NaN, categorical columns of a pandas DataFrame are used as such. Or, of data
            that need not fit into memory, what has labels and weights too: `skfocal.batches.ParquetBatches` or a
            `lightgbm.Dataset`, of arrays, of ``lightgbm.Sequence`` or of a binary file. See Notes.
        y : array-like of shape (n_samples,) or None, default=None
            Labels of any type, at least two different ones. None where X has them.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0. In the loss, the intercept and the metrics a sample of weight 2 counts like the same sample
            twice; LightGBM's bins and ``min_child_samples`` go by rows. Samples of weight 0 are left out, see Notes.
        init_score : array-like of shape (n_samples,) or (n_samples, n_classes) or None, default=None
            Margins to start from, instead of the focal intercept. As in LightGBM they are not part of the model.
        eval_set : list of (X, y) or None, default=None
            Evaluation sets, with labels as in `y`. They start from the focal intercept like the training data. Early
            stopping then watches these, and splits nothing off; the training data among them it does not watch, and
            LightGBM warns where there is nothing else. Where X has the labels, entries may be of the kinds that X may
            be.
        eval_names, eval_sample_weight, eval_class_weight, eval_init_score
            Names, weights, class weights and starting margins of the evaluation sets, as in LightGBM, where starting
            margins come on top of what the model starts from.
        eval_metric : str, callable, list of these or None, default=None
            Metrics that come before those of the parameter of this name.
        feature_name, categorical_feature, callbacks, init_model, eval_X, eval_y
            As in `lightgbm.LGBMClassifier.fit`. With `init_model` training starts from its margins; X must have its
            features in its order, and of its categories those that are there.
        classes : array-like of shape (n_classes,) or None, default=None
            Where X has the labels: those that may occur, others are an error; None for those that do.

        Returns
        -------
        self : FocalLGBMClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, before any training.

        Notes
        -----
        Of a Dataset or of batches LightGBM keeps the bins of the features in memory, most of the time a byte for each;
        it reads batches three times, once for labels only. A Dataset whose bins are not made yet gets them, by what it
        was told and then by the parameters of the classifier, as `lightgbm.train` makes them, and keeps them; labels
        and weights in it stay what they are. Samples of weight 0 stay, and count in the bins and in
        ``min_child_samples``. Nothing is split off for early stopping, nothing resampled.
        """
        with unchanged_on_error(self):
            settings, focal = checked_settings(self), focal_parameters(self)
            check_no_stream(X, "ParquetBatches or a lightgbm.Dataset", classes=classes)
            check_no_sampler(self.sampler, init_score=init_score, init_model=init_model)
            samples, classes, loss, by_class = training_samples(self, focal, X, y, sample_weight, init_score)
            names = as_feature_names(feature_name, getattr(self, "feature_names_in_", ()))
            old = as_old_booster(init_model, loss.n_margins(len(classes)), self.n_features_in_, names)
            samples = with_known_categories(samples, old)
            metrics = as_metrics(eval_metric, self, settings.metric, loss)
            entries = eval_names, eval_sample_weight, eval_class_weight, eval_init_score
            given = given_sets(eval_set, eval_X, eval_y, *entries)
            # To evaluate the training data, dart's trees are dropped as for the next round, and in the end stay so.
            known = (X, y, samples) if self.sampler is None and settings.boosting != "dart" else None
            sets = evaluation_sets(self, given, known, classes, by_class)
            splits = settings.early_stopping_rounds is not None and not sets
            split = Split(self.validation_fraction, settings.seed) if splits else None
            has_weights = sample_weight is not None and (splits or any(each.codes is samples.codes for each in sets))
            check_weights(metrics, weighted=has_weights or given.weighted)
            starts_elsewhere = init_score is not None or old is not None
            plan = make_plan(focal, samples, classes, split, self._as_features, starts_elsewhere=starts_elsewhere)
            sets = sets if plan.validation is None else [plan.validation]
            del samples, known  # not beside their copies in the plan while the engine trains
            as_given = {"eval_names": eval_names, "feature_name": feature_name}
            as_given |= {"categorical_feature": categorical_feature, "callbacks": callbacks}
            with progress_bar(self.progress_bar, type(self).__name__) as advance:
                engine = train(self, plan, settings, sets, metrics, advance, init_model=old, **as_given)
            self._adopt(engine, plan)
        return self

    def save_model(self, fname: str | PathLike[str]) -> None:
        """Save the booster to a file of LightGBM's text format, with labels, loss and prior in a line of its header.

        `load_model` restores the classifier, so that it predicts the same, bit by bit; LightGBM itself loads the file
        too, and predicts sigmoid(margin) (softmax for several classes) of the same margins. After early stopping the
        file has the rounds up to the best. Parameters of training are not restored, but for those of the focal loss:
        to keep them too, pickle the classifier.

        The file is whole at any time: where the process is killed meanwhile it is what it was, and a folder
        ``.saving...`` may stay beside it, which can be deleted.

        Parameters
        ----------
        fname : str or path
            The file.
        """
        check_is_fitted(self)
        write_model(self, fname)

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
        booster, description = read_model(fname, self._family)
        with unchanged_on_error(self):
            restore(self, description)
            n_jobs = own_parameters(self.get_params(deep=False))["n_jobs"]
            objective = FocalObjective(self.focal_loss_, description.parameters["focal_hessian"], n_jobs)
            adopt_fitted_state(self, fitted_engine(booster, len(self.classes_), objective))
        return self

    def predict_proba(
        self,
        X: Any,
        raw_score: bool = False,
        start_iteration: int = 0,
        num_iteration: int | None = None,
        pred_leaf: bool = False,
        pred_contrib: bool = False,
        validate_features: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Return posterior probabilities, through the focal link.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features.
        raw_score, pred_leaf, pred_contrib : bool, default=False
            Return margins, leaf indices or feature contributions instead. Contributions add up to the margin.
        start_iteration, num_iteration, **kwargs
            As in `lightgbm.LGBMClassifier.predict_proba`. After a `sampler` a part of the rounds has the correction of
            all of them, see ``prior_correction_``.
        validate_features : bool, default=True
            Compare the names of the features with those of the training, as scikit-learn does; False, LightGBM's own
            default, for their number only.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``.
        """
        check_is_fitted(self, "focal_loss_")
        X = self._as_features(X, reset=False, compare_names=validate_features)
        wants_posterior = not (raw_score or pred_leaf or pred_contrib)
        params = prediction_parameters(self, kwargs)
        result = self.booster_.predict(
            X,
            raw_score=raw_score or wants_posterior,
            start_iteration=start_iteration,
            num_iteration=num_iteration,
            pred_leaf=pred_leaf,
            pred_contrib=pred_contrib,
            **params,
        )
        return self._link.posterior(result, params["num_threads"]) if wants_posterior else result

    def predict(
        self,
        X: Any,
        raw_score: bool = False,
        start_iteration: int = 0,
        num_iteration: int | None = None,
        pred_leaf: bool = False,
        pred_contrib: bool = False,
        validate_features: bool = True,
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
        return result if raw_score or pred_leaf or pred_contrib else self._link.labels(result)

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
