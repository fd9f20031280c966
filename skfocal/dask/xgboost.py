"""XGBoost on a cluster: its own distributed training, on the focal objective and metrics summed over workers.

Imports `blocks`, `estimator`, `evaluation`, `_state`, `boosting`, `objectives` and `xgboost`.
"""

from dataclasses import dataclass, replace
from operator import getitem
from typing import Any, Self
from weakref import WeakKeyDictionary

import dask.array as da
import dask.dataframe as dd
import numpy as np
import xgboost.dask
from dask import delayed
from distributed import Client, get_worker
from xgboost import XGBClassifier, collective
from xgboost.callback import TrainingCallback

from skfocal._state import unchanged_on_error
from skfocal.boosting.metrics import Evaluated, as_list
from skfocal.boosting.parameters import focal_parameters
from skfocal.boosting.plan import Plan
from skfocal.boosting.samples import Samples, as_pairs, entries_of_sets
from skfocal.boosting.tables import column_names
from skfocal.dask.blocks import Encoded
from skfocal.dask.estimator import FocalDaskMixin, Prepared, saying_if_a_worker_was_lost
from skfocal.dask.evaluation import check_early_stopping, check_metrics, evaluation_sets, scores_of_all
from skfocal.objectives import FocalObjective, TrainingObjective, hessian_factor
from skfocal.xgboost.categories import categories_of, check_are_ascii, with_known_categories
from skfocal.xgboost.classifier import FocalXGBClassifier
from skfocal.xgboost.device import on_device
from skfocal.xgboost.evaluation import Evaluation, as_metrics
from skfocal.xgboost.parameters import Settings, checked_settings
from skfocal.xgboost.training import as_trained, engine_to_train


class FocalDaskXGBClassifier(FocalDaskMixin, FocalXGBClassifier):  # type: ignore[misc]  # predicts Dask's arrays
    """`FocalXGBClassifier` on a cluster of Dask, by XGBoost's own distributed training.

    Each worker trains on the rows that it holds, and all grow the same trees. Labels are encoded, classes counted and
    weighed over all rows; the client never sees one. `predict_proba` and its kin return Dask's arrays, computed when
    they are asked for, and `to_local` the classifier for one machine.

    Parameters
    ----------
    client : distributed.Client or None, default=None
        Of the cluster; None for the one that is open.
    **params
        Those of `skfocal.FocalXGBClassifier`, but that the rows are in many places: `sampler`, `validation_fraction`
        and `progress_bar` must be left out. `early_stopping_rounds` needs an ``eval_set``; `eval_metric` is
        "focal_loss" (the default), "log_loss" or "error", or a list of these, as others do not add up over workers.
        ``n_jobs`` is the number of threads of each worker, None for as many as Dask has given it. ``device="cuda"``
        is for workers with a GPU each, as dask-cuda starts them.

    Attributes
    ----------
    classes_, n_features_in_, feature_names_in_, focal_loss_, focal_intercept_, prior_correction_, best_iteration_, \
best_score_, evals_result_
        As of `skfocal.FocalXGBClassifier`.

    See Also
    --------
    skfocal.FocalXGBClassifier : On one machine.

    Notes
    -----
    XGBoost's bins are those of a sketch of all rows: with rows on other workers a model is another.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import make_classification
    >>> from skfocal.dask import FocalDaskXGBClassifier
    >>> X, y = make_classification(n_samples=2000, weights=[0.97], random_state=0)
    >>> X, y = da.from_array(X, chunks=(500, -1)), da.from_array(y, chunks=500)
    >>> with Client(processes=False, n_workers=1, dashboard_address=":0") as client:
    ...     clf = FocalDaskXGBClassifier(n_estimators=20).fit(X, y)
    ...     clf.predict_proba(X).compute().shape
    (2000, 2)
    """

    _local_class = FocalXGBClassifier

    def __init__(self, *, client: Client | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.client = client

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        eval_set: Any = None,
        verbose: bool | int | None = None,
        sample_weight_eval_set: Any = None,
    ) -> Self:
        """Fit the classifier on the workers that hold the rows.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Features, all of a row in one chunk; missing values are NaN, columns of categories, which must be the same
            in all partitions, are used as such.
        y : dask.array.Array or dask.dataframe.Series of shape (n_samples,)
            Labels of any type, at least two different ones, in the partitions of `X`.
        sample_weight : dask.array.Array or dask.dataframe.Series of shape (n_samples,) or None, default=None
            Weights >= 0, likewise; samples of weight 0 are left out.
        eval_set : list of (X, y) or None, default=None
            Evaluation sets, collections of Dask with labels as in `y`. Early stopping watches the last one.
        verbose : bool, int or None, default=None
            Print the metrics each round (True), or every so many, where the first worker prints. None for False.
        sample_weight_eval_set : list of Dask collections or None, default=None
            Weights of the evaluation sets, with an entry for each.

        Returns
        -------
        self : FocalDaskXGBClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, before any training.
        RuntimeError
            If there is no open client, or a worker is lost while it trains.
        """
        with unchanged_on_error(self):
            settings, focal = checked_settings(self, verbose), focal_parameters(self)
            self._check_possible()
            _check_settings(settings)
            if isinstance(X, dd.DataFrame):
                of_table = categories_of(X._meta), column_names(X._meta)
                check_are_ascii(*of_table, "X", "on a cluster", "rename them, or encode them")
            pairs = as_pairs(eval_set)
            check_early_stopping(settings.early_stopping_rounds, pairs)
            weights = entries_of_sets(sample_weight_eval_set, len(pairs), "sample_weight_eval_set")
            check_metrics(as_list(self.eval_metric))
            client = self._running_client()
            prepared = self._prepare(client, focal, X, y, sample_weight)
            sets = evaluation_sets(client, self, prepared, pairs, weights, "sample_weight_eval_set")
            with saying_if_a_worker_was_lost():
                engine = _train(client, self, prepared, settings, sets, verbose or False)
            self._adopt_without_samples(engine, prepared.plan, has_splits=bool(engine.get_booster().get_score()))
        return self


def _check_settings(settings: Settings) -> None:
    """Raise if XGBoost has no distributed training of what is asked for."""
    if settings.booster == "gblinear":
        raise ValueError("booster must be 'gbtree' or 'dart' on a cluster, got 'gblinear'.")
    if settings.params.get("tree_method") == "exact":
        raise ValueError("tree_method must be 'hist', 'approx' or 'auto' on a cluster, got 'exact'.")


def _train(
    client: Client,
    classifier: Any,
    prepared: Prepared,
    settings: Settings,
    sets: list[Encoded],
    verbose: bool | int,
) -> XGBClassifier:
    """Return XGBoost's own classifier with the booster that all workers have trained together."""
    engine, evaluation = (
        engine_to_train(prepared.plan, settings),
        _evaluation(classifier, prepared.plan, settings, sets),
    )
    of_data = {"missing": classifier.missing, "enable_categorical": settings.params["enable_categorical"]}
    training = _matrix(client, prepared, prepared.samples, settings, None, **of_data)
    validation = [_matrix(client, prepared, each, settings, training, **of_data) for each in sets]
    result = xgboost.dask.train(
        client,
        engine.get_xgb_params(),
        training,
        num_boost_round=engine.get_num_boosting_rounds(),
        evals=[(data, f"validation_{i}") for i, data in enumerate(validation)],
        obj=_WorkersObjective(prepared.plan.objective(settings.n_jobs), prepared.plan.n_margins, settings.device),
        custom_metric=evaluation if sets else None,
        callbacks=_callbacks(evaluation, settings, engine, verbose),
        verbose_eval=False,
    )
    return as_trained(engine, result["booster"], result["history"] if sets else {}, evaluation, prepared.plan)


def _evaluation(classifier: Any, plan: Plan, settings: Settings, sets: list[Encoded]) -> Evaluation:
    metrics = as_metrics(classifier, plan.loss)
    no_features = [plan.training] * len(sets)
    return _SummedEvaluation(metrics, plan.link, no_features, keep_best=settings.booster == "dart")


def _callbacks(evaluation: Evaluation, settings: Settings, engine: XGBClassifier, verbose: bool | int) -> list[Any]:
    callbacks = evaluation.callbacks(settings, engine.get_num_boosting_rounds(), None, verbose)
    return callbacks if evaluation.keeper is None else [*callbacks, _ReturnsBest(evaluation.keeper)]


def _matrix(
    client: Client, prepared: Prepared, samples: Encoded, settings: Settings, ref: Any, **of_data: Any
) -> xgboost.dask.DaskDMatrix:
    """Return samples as XGBoost takes them: of the features only in which bins they are, where it can."""
    meta = prepared.data.meta
    parts = [delayed(getitem)(block, i) for i in range(3) for block in samples.blocks]
    n_blocks = len(samples.blocks)
    features, codes, weights = parts[:n_blocks], parts[n_blocks : 2 * n_blocks], parts[2 * n_blocks :]
    if ref is not None and (known := categories_of(meta)):
        features = [delayed(with_known_categories)(each, known) for each in features]
    X = (
        dd.from_delayed(features, meta=meta, verify_meta=False)
        if hasattr(meta, "iloc")
        else _chunks(features, samples.n_rows, meta)
    )
    of_data["label"] = _chunks(codes, samples.n_rows, np.zeros(0, dtype=np.int32))
    if samples.weighted:
        of_data["weight"] = _chunks(weights, samples.n_rows, np.zeros(0))
    if settings.params.get("tree_method") not in (None, "auto", "hist"):
        return xgboost.dask.DaskDMatrix(client, X, **of_data)
    max_bin = settings.params.get("max_bin")
    return xgboost.dask.DaskQuantileDMatrix(client, X, ref=ref, max_bin=max_bin, **of_data)


def _chunks(parts: list[Any], sizes: list[int], meta: Any) -> da.Array:
    """Return delayed arrays with so many rows as one of Dask."""
    return da.concatenate([
        da.from_delayed(part, (size, *meta.shape[1:]), meta=meta) for part, size in zip(parts, sizes, strict=True)
    ])  # fmt: skip


@dataclass(frozen=True)
class _WorkersObjective:
    """The objective as it travels to the workers; each prepares it for its own rows, in its first round."""

    objective: FocalObjective
    n_margins: int
    device: Any

    def __call__(self, raw_prediction: Any, data: Any) -> tuple[Any, Any]:
        """Return gradient and Hessian of a worker's rows, which may be none: it then has others to evaluate."""
        if not data.num_row():
            nothing = np.zeros((0, self.n_margins), dtype=np.float32)
            return nothing, nothing
        if data not in _PREPARED:
            weight = data.get_weight()
            objective = replace(self.objective, n_jobs=self.objective.n_jobs or get_worker().state.nthreads)
            with on_device(self.device) as namespace:
                _PREPARED[data] = TrainingObjective(
                    objective, namespace, factor=hessian_factor("xgboost", self.n_margins), y_true=data.get_label(),
                    sample_weight=weight if weight.size else None,
                )  # fmt: skip
        return _PREPARED[data](None, raw_prediction)


# By the data of a fit, and for no longer than these are there.
_PREPARED: WeakKeyDictionary[Any, TrainingObjective] = WeakKeyDictionary()


class _SummedEvaluation(Evaluation):
    """Metrics that are means over samples, over those of all workers: each sums up its own, and XGBoost all sums."""

    def _evaluated(self, samples: Samples, raw_prediction: Any, data: Any) -> Evaluated:
        weight = data.get_weight()  # of the worker's own rows, which only its matrix has
        return super()._evaluated(samples._replace(weight=weight if weight.size else None), raw_prediction, data)

    def _score(self, data: Evaluated) -> list[tuple[str, float]]:
        def over_workers(values: list[float]) -> Any:
            return collective.allreduce(np.array(values, dtype=np.float64), collective.Op.SUM)

        names = [metric.name for metric in self._metrics]
        return list(zip(names, scores_of_all(data, self._metrics, over_workers), strict=True))


class _ReturnsBest(TrainingCallback):
    """What changes earlier rounds ends with the booster as it was in its best round."""

    def __init__(self, keeper: Any) -> None:
        self._keeper = keeper

    def after_training(self, model: Any) -> Any:
        """Return the best booster that was kept, if there is one."""
        return self._keeper.booster or model
