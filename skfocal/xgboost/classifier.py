"""The classifier: XGBoost's own with the focal loss.

Imports `categories`, `compat`, `continuing`, `evaluation`, `matrices`, `onnx_trees`, `parameters`, `saving`, `streams`,
`tables`, `training`, `_state` and `boosting`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted
from xgboost import XGBClassifier, XGBModel

from skfocal._state import adopt_fitted_state, unchanged_on_error
from skfocal.boosting.estimator import FocalBoostedMixin
from skfocal.boosting.metrics import check_weights
from skfocal.boosting.model_file import restore
from skfocal.boosting.parameters import check_no_sampler, focal_parameters
from skfocal.boosting.plan import Plan, make_plan
from skfocal.boosting.progress import progress_bar
from skfocal.boosting.samples import as_features, training_samples
from skfocal.boosting.splitting import Split
from skfocal.boosting.streams import check_no_stream, or_fits_streams
from skfocal.xgboost.categories import as_model_knows
from skfocal.xgboost.compat import positional_with_warning
from skfocal.xgboost.continuing import as_old_booster
from skfocal.xgboost.evaluation import Evaluation, as_metrics, evaluation_sets
from skfocal.xgboost.matrices import is_stream
from skfocal.xgboost.onnx_trees import onnx_trees
from skfocal.xgboost.parameters import TREE_DEFAULTS, checked_settings, given_n_jobs, own_parameters
from skfocal.xgboost.saving import read_model, write_model
from skfocal.xgboost.streams import fit_stream
from skfocal.xgboost.tables import check_categories, with_whole_names
from skfocal.xgboost.training import train


class FocalXGBClassifier(FocalBoostedMixin, XGBClassifier):
    """XGBoost classifier trained on the focal loss, with probabilities through the focal link.

    Takes the place of `xgboost.XGBClassifier`: its parameters, `fit` arguments and attributes work as there, those that
    have no meaning here are refused by name, and labels may be of any type. What differs: a few defaults, trees are
    grown on exact focal gradients and safe Hessians, training starts from the focal intercept (the booster's
    ``base_score``), `predict_proba` goes through the focal link, and evaluation metrics are computed through it as
    well. The booster is saved with XGBoost's own objective: loaded without skfocal it predicts sigmoid(margin) (softmax
    for several classes) of the same margins.

    Parameters
    ----------
    focal_gamma : float, array-like of shape (n_classes,) or dict, default=1.0
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
    objective : None
        Cannot be set; it is the focal loss.
    enable_categorical : bool, default=True
        Use categorical columns of a table as such; ``tree_method="exact"`` cannot.
    eval_metric : str, callable, list of these or None, default=None
        "focal_loss" (the default), "log_loss" (with a `sampler`), "error", "roc_auc", "average_precision", or XGBoost's
        names of the last four; for two classes ``"precision_at_k@100"``, ``"recall_at_precision@0.9"`` and
        ``"recall_at_fpr@0.01"``, at any limit, see `skfocal.metrics`. All are computed through the focal link, after a
        sampler at the prior of the evaluation data, as `predict_proba` is at that of the training data. But for
        "focal_loss", the mean loss: after a sampler it is that of data in which the classes have the sampler's shares.
        A callable has the signature of scikit-learn's scorers, ``(estimator, X, y)`` by these names, and is maximised;
        it may look at `X`, as earlier steps of a pipeline leave it, and ask for predictions of just that `X`. Or it has
        the signature of its metrics, is given class codes and probabilities, and is minimised. Early stopping watches
        the last one, on the last evaluation set.
    progress_bar : bool, default=False
        Show a bar by tqdm, with the metrics of the last round.
    learning_rate, reg_lambda, min_child_weight : float or None, default=None
        As in `xgboost.XGBClassifier`. None for 0.1, 10 and 0.1, where XGBoost has 0.3, 1 and 1; with
        ``booster="gblinear"``, which grows no trees, for XGBoost's own.
    **kwargs
        Any other parameter of `xgboost.XGBClassifier` or of XGBoost (``tree_method``, ``device``, ``max_bin`` ...). An
        unknown name is an error, and so is one that XGBoost ignores under a custom objective.

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

    Samples of weight 0 are left out, so they do not count towards the bins; unless their class has no others, which
    then counts as half a sample in the intercept. Bagging leaves out rare classes so.

    Early stopping drops the rounds after the best one. With ``booster="dart"`` and "gblinear", which change what
    earlier rounds have made, the booster of the best round is kept as it was.

    ``missing`` may be infinite, but with "gblinear", which makes NaN of all it has where features are beyond float32.

    The same `random_state` gives the same model, bit by bit, on any number of threads and in any process; but for
    "gblinear" with its default ``updater="shotgun"``, whose threads do not wait for one another, as in XGBoost's own
    classifier: ``updater="coord_descent"`` does.

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

    _thresholds = (
        ("min_child_weight", TREE_DEFAULTS["min_child_weight"]), ("gamma", 0), ("min_split_loss", 0), ("reg_alpha", 0),
        ("alpha", 0),
    )  # fmt: skip
    _onnx_trees = onnx_trees
    _start_name = "base_margin"
    _start_order = "C"  # flat margins of several classes are read row by row

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

    @property
    def _allows_inf(self) -> bool:
        """Whether features may be infinite: that is then what is missing."""
        return self.missing is not None and bool(np.isinf(self.missing))

    def _as_features(self, X: Any, *, reset: bool, compare_names: bool = True) -> Any:
        X = as_features(self, X, reset=reset, allow_inf=self._allows_inf, compare_names=compare_names)
        check_categories(X)
        # XGBoost reads sparse entries as if they lay side by side, and dies of views that go backwards.
        is_view = issparse(X) and not all(part.flags.c_contiguous for part in (X.data, X.indices, X.indptr))
        return X.copy() if is_view else X

    def _as_model_reads(self, X: Any, *, compare_names: bool = True) -> Any:
        """Return checked features as the booster reads them right."""
        X = self._as_features(X, reset=False, compare_names=compare_names)
        return with_whole_names(as_model_knows(X, self.get_booster()))

    def get_xgb_params(self) -> dict[str, Any]:
        """Return the parameters that are XGBoost's own, with our defaults.

        Returns
        -------
        params : dict
        """
        return own_parameters(super().get_xgb_params())

    @positional_with_warning
    @or_fits_streams(is_stream, fit_stream)
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        base_margin: Any = None,
        eval_set: Any = None,
        verbose: bool | int | None = None,
        xgb_model: Any = None,
        sample_weight_eval_set: Any = None,
        base_margin_eval_set: Any = None,
        feature_weights: Any = None,
        classes: Any = None,
        external_memory: bool = False,
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features), ParquetBatches, DataIter or DMatrix
            Features; missing values are NaN, categorical columns of a table are used as such. Or, of data that need
            not fit into memory, what has labels and weights too: `skfocal.batches.ParquetBatches`, an
            `xgboost.DataIter`, or an `xgboost.DMatrix` or `QuantileDMatrix` that is made already. See Notes.
        y : array-like of shape (n_samples,) or None, default=None
            Labels of any type, at least two different ones. None where X has them.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights >= 0; a sample of weight 2 counts like the same sample twice, one of weight 0 is left out (see
            Notes).
        base_margin : array-like of shape (n_samples,) or (n_samples, n_classes) or None, default=None
            Margins to start from, instead of the focal intercept. As in XGBoost they are not part of the model.
        eval_set : list of (X, y) or None, default=None
            Evaluation sets, with labels as in `y`. Early stopping then watches the last one, and splits nothing off.
            Where X has the labels, entries may be of the kinds that X may be.
        verbose : bool, int or None, default=None
            Print the metrics each round (True), or every so many. None for True where there is an `eval_set`, as in
            XGBoost, and for False with data split off.
        xgb_model, sample_weight_eval_set, base_margin_eval_set, feature_weights
            As in `xgboost.XGBClassifier.fit`. With `xgb_model` training starts from its margins; for these the features
            are kept in memory, and not only their bins.
        classes : array-like of shape (n_classes,) or None, default=None
            Where X has the labels: those that may occur, others are an error; None for those that do.
        external_memory : bool, default=False
            Of batches: whether XGBoost is to keep the bins of the features on disk, in a temporary folder, from which
            it reads them anew in every round. A DataIter with a ``cache_prefix`` is kept there, in any case.

        Returns
        -------
        self : FocalXGBClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, before any training.

        Notes
        -----
        Of batches XGBoost keeps the bins of the features in memory, most of the time a byte for each; it reads them
        four times, with external memory three.
        Labels of any type become codes on the way, classes are counted after it. Samples of weight 0 stay, and count
        in the bins; weights of classes do not. Nothing is split off for early stopping, nothing resampled.
        """
        with unchanged_on_error(self):
            settings, focal = checked_settings(self, verbose), focal_parameters(self)
            kinds = "ParquetBatches, an xgboost.DataIter or an xgboost.DMatrix"
            check_no_stream(X, kinds, classes=classes, external_memory=external_memory or None)
            check_no_sampler(self.sampler, base_margin=base_margin, xgb_model=xgb_model)
            samples, classes, loss, by_class = training_samples(self, focal, X, y, sample_weight, base_margin)
            old = as_old_booster(xgb_model, loss.n_margins(len(classes)), samples.X)
            metrics = as_metrics(self, loss)
            known = (X, y, samples) if self.sampler is None and samples.is_whole else None
            sets = evaluation_sets(self, eval_set, sample_weight_eval_set, base_margin_eval_set, known, classes)
            verbose = bool(sets) if verbose is None else verbose
            splits = settings.early_stopping_rounds is not None and not sets
            weights = [sample_weight] if splits else [each.weight for each in sets]
            check_weights(metrics, weighted=any(weight is not None for weight in weights))
            split = Split(self.validation_fraction, settings.seed) if splits else None
            starts_elsewhere = base_margin is not None or old is not None
            plan = make_plan(focal, samples, classes, split, self._as_features, starts_elsewhere=starts_elsewhere)
            sets = [each.weighted(by_class) for each in sets] if plan.validation is None else [plan.validation]
            del samples, known  # not beside their copies in the plan while the engine trains
            evaluation = Evaluation(metrics, plan.link, sets, keep_best=settings.booster in ("dart", "gblinear"))
            with progress_bar(self.progress_bar, type(self).__name__) as advance:
                train(self, plan, settings, sets, evaluation, old, feature_weights, advance=advance, verbose=verbose)
        return self

    def save_model(self, fname: Any) -> None:
        """Save the booster to a file of XGBoost's, with labels, loss and prior beside it.

        `load_model` restores the classifier, so that it predicts the same, bit by bit; XGBoost itself loads the file
        too, and predicts sigmoid(margin) (softmax for several classes) of the same margins. Parameters of training are
        not in it, but for those of the focal loss: to keep them too, pickle the classifier.

        The file is whole at any time: where the process is killed meanwhile it is what it was, and a folder
        ``.saving...`` may stay beside it, which can be deleted.

        Parameters
        ----------
        fname : str or path
            The file; its ending, ``.json`` or ``.ubj``, says how it is written.
        """
        check_is_fitted(self)
        write_model(self, fname)

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
        engine, description = read_model(fname, self._family, self.n_jobs)
        with unchanged_on_error(self):
            restore(self, description)
            self.missing, self.booster = description.record["missing"], engine.booster
            self.best_score_ = description.best_score
            self._forget_scores()
            adopt_fitted_state(self, engine)
        return self

    @property
    def best_iteration_(self) -> int:
        """Number of rounds that predictions use, if training stopped early; 0 if not, as in LightGBM."""
        check_is_fitted(self)
        return self.best_iteration + 1 if hasattr(self, "best_iteration") else 0

    def _adopt(self, engine: XGBClassifier, plan: Plan, *, tells_apart: bool = False) -> None:
        self._forget_scores()
        super()._adopt(engine, plan, tells_apart=tells_apart)

    def _forget_scores(self) -> None:
        """Let nothing of an earlier fit remain: an engine without evaluation sets has no scores that replace it."""
        self.__dict__.pop("evals_result_", None)

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
            As in `xgboost.XGBClassifier.predict_proba`. After a `sampler` a part of the rounds has the correction of
            all of them, see ``prior_correction_``.

        Returns
        -------
        posterior : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``.
        """
        raw = self.decision_function(
            X, validate_features=validate_features, base_margin=base_margin, iteration_range=iteration_range
        )
        return self._link.posterior(raw, given_n_jobs({"n_jobs": self.n_jobs} | getattr(self, "kwargs", {})))

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
        posterior = self.predict_proba(X, **kwargs)
        return self._link.labels(posterior)

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
        if not hasattr(self, "focal_loss_"):  # it asks for tags first, which takes a fiftieth of a row's prediction
            check_is_fitted(self, "focal_loss_")
        X = self._as_model_reads(X, compare_names=kwargs.get("validate_features", True))
        # XGBoost's own comparison takes a name with a control character for another.
        return XGBModel.predict(self, X, output_margin=True, **kwargs | {"validate_features": False})

    def apply(self, X: Any, iteration_range: Any = None) -> NDArray[np.int32]:
        """Return the leaf that each tree puts each sample in, as `xgboost.XGBClassifier.apply`.

        Parameters
        ----------
        X : array-like, sparse matrix or table of shape (n_samples, n_features)
            Features.
        iteration_range : (int, int) or None, default=None
            First round, and the one after the last; None for all up to the best.

        Returns
        -------
        leaves : ndarray of shape (n_samples, n_trees), int32
        """
        check_is_fitted(self, "focal_loss_")
        leaves: NDArray[np.int32] = super().apply(self._as_model_reads(X), iteration_range)
        return leaves

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = False
        return tags
