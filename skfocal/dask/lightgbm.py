"""LightGBM on a cluster: its own distributed training, a worker each on the rows that it holds.

Not by `lightgbm.dask`: there each worker has its own codes for labels, a worker that dies leaves the others, and who
waits for them, waiting, and its fitted class is that of LightGBM's own loss.

Imports `blocks`, `estimator`, `evaluation`, `summing`, `_compat`, `_state`, `boosting` and `lightgbm`.
"""

import secrets
import socket
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from numbers import Integral
from typing import Any, NamedTuple, Self
from urllib.parse import urlparse

import numpy as np
from distributed import Client, Future, MultiLock, get_worker, wait
from lightgbm import Booster

from skfocal._compat import users_stacklevel
from skfocal._state import unchanged_on_error
from skfocal.boosting.metrics import EvalMetric
from skfocal.boosting.parameters import focal_parameters
from skfocal.boosting.plan import Plan
from skfocal.boosting.samples import Samples, as_pairs, entries_of_sets
from skfocal.dask.blocks import Encoded, joined
from skfocal.dask.estimator import FocalDaskMixin, saying_if_a_worker_was_lost, tells_of_a_loss
from skfocal.dask.evaluation import check_early_stopping, check_metrics, evaluation_sets, scores_of_all
from skfocal.dask.summing import Meeting, Sums, meet
from skfocal.lightgbm.classifier import FocalLGBMClassifier
from skfocal.lightgbm.compat import fitted_engine, free_network, keep_network, parameter_aliases
from skfocal.lightgbm.evaluation import as_metrics, check_entries, wanted_metrics
from skfocal.lightgbm.parameters import Settings, as_feature_names, checked_settings
from skfocal.lightgbm.training import train

_FEWEST_ROWS = 2  # of a worker, which LightGBM wants
_TREE_LEARNERS = (
    "data",
    "data_parallel",
    "voting",
    "voting_parallel",
)  # those for workers with a part of the rows each
# Which Linux, macOS and Windows give to no outgoing connection, unless told to: it would take one before LightGBM does.
_PORTS = range(20_000, 30_000)
_MOST_MINUTES = 100_000  # to wait for one another
_SECONDS_TO_FOLLOW = 60  # for workers to end their last round after the first has
_SECONDS_BETWEEN_LOOKS = 2  # at which workers are there
_SECONDS_TO_SAY_WHY = 10  # for the worker that has failed, as those that miss it may be sooner to say so


class FocalDaskLGBMClassifier(FocalDaskMixin, FocalLGBMClassifier):  # type: ignore[misc]  # predicts Dask's arrays
    """`FocalLGBMClassifier` on a cluster of Dask, by LightGBM's own distributed training.

    Each worker trains on the rows that it holds, and all grow the same trees. Labels are encoded, classes counted and
    weighed over all rows; the client never sees one. `predict_proba` and its kin return Dask's arrays, computed when
    they are asked for, and `to_local` the classifier for one machine.

    Parameters
    ----------
    client : distributed.Client or None, default=None
        Of the cluster; None for the one that is open.
    **params
        Those of `skfocal.FocalLGBMClassifier`, but that the rows are in many places: `sampler`, `validation_fraction`
        and `progress_bar` must be left out. `early_stopping_rounds` needs an ``eval_set``; `eval_metric` is
        "focal_loss" (the default), "log_loss" or "error", or a list of these, as others do not add up over workers.
        ``n_jobs`` is the number of threads of each worker, None for as many as Dask has given it. ``tree_learner`` is
        "data" by default, ``local_listen_port`` a port that is free on every worker, where any other is closed (with
        evaluation sets the next one as well), and ``time_out`` how many minutes workers wait for one another, 120 by
        default.

    Attributes
    ----------
    classes_, n_features_in_, feature_names_in_, focal_loss_, focal_intercept_, prior_correction_, booster_, \
best_iteration_, best_score_, evals_result_
        As of `skfocal.FocalLGBMClassifier`.

    See Also
    --------
    skfocal.FocalLGBMClassifier : On one machine.

    Notes
    -----
    A worker that holds no rows, or a single one, which goes to another, does not train. LightGBM makes its bins of the
    rows of all workers, but each worker finds those of some features: with other workers a model is another, as it is
    with other rows.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import make_classification
    >>> from skfocal.dask import FocalDaskLGBMClassifier
    >>> X, y = make_classification(n_samples=2000, weights=[0.97], random_state=0)
    >>> X, y = da.from_array(X, chunks=(500, -1)), da.from_array(y, chunks=500)
    >>> with Client(processes=False, n_workers=1, dashboard_address=":0") as client:
    ...     clf = FocalDaskLGBMClassifier(n_estimators=20, verbose=-1).fit(X, y)
    ...     clf.predict_proba(X).compute().shape
    (2000, 2)
    """

    _local_class = FocalLGBMClassifier

    def __init__(self, *, client: Client | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.client = client

    def fit(  # type: ignore[override]  # of what there is on one machine most is not there
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        eval_set: Any = None,
        eval_names: list[str] | None = None,
        eval_sample_weight: Any = None,
        eval_metric: Any = None,
        feature_name: Any = "auto",
        categorical_feature: Any = "auto",
        callbacks: list[Any] | None = None,
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
            Evaluation sets, collections of Dask with labels as in `y`. Early stopping watches them all, as in LightGBM.
        eval_names : list of str or None, default=None
            Names of the evaluation sets.
        eval_sample_weight : list of Dask collections or None, default=None
            Weights of the evaluation sets, with an entry for each.
        eval_metric : str, FocalMetric, list of these or None, default=None
            Metrics that come before those of the parameter of this name.
        feature_name, categorical_feature
            As in `lightgbm.LGBMClassifier.fit`.
        callbacks : list of callable or None, default=None
            LightGBM's callbacks. Every worker calls copies of its own: what these gather or print stays there, and they
            must not stop one worker alone. Scores of all workers are in ``evals_result_``.

        Returns
        -------
        self : FocalDaskLGBMClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument is outside its valid range, before any training.
        RuntimeError
            If there is no open client, or a worker is lost while it trains. Workers in which LightGBM goes on waiting
            for it are then restarted, which a warning says.
        """
        with unchanged_on_error(self):
            settings, focal = checked_settings(self), focal_parameters(self)
            self._check_possible()
            pairs = as_pairs(eval_set)
            _check_settings(settings, n_ports=2 if pairs else 1)
            if not isinstance(callbacks, list | tuple | None):
                raise TypeError(f"callbacks must be a list of callbacks, got {callbacks!r}.")
            check_early_stopping(settings.early_stopping_rounds, pairs)
            weights = entries_of_sets(eval_sample_weight, len(pairs), "eval_sample_weight")
            check_entries(eval_names, len(pairs), "eval_names")
            check_metrics(wanted_metrics(eval_metric, self, settings.metric))
            client = self._running_client()
            prepared = self._prepare(client, focal, X, y, sample_weight)
            metrics = as_metrics(eval_metric, self, settings.metric, prepared.plan.loss)
            sets = evaluation_sets(client, self, prepared, pairs, weights, "eval_sample_weight")
            as_feature_names(feature_name, getattr(self, "feature_names_in_", ()))
            plan, samples = prepared.plan, prepared.samples
            of_all_rows = settings.params | settings.auto_penalty(sum(samples.n_rows))
            settings = settings._replace(params=of_all_rows)
            del prepared
            as_given = {"feature_name": feature_name, "categorical_feature": categorical_feature}
            as_given |= {"callbacks": [keep_network, *(callbacks or ())], "eval_names": eval_names}
            task = _Task(self, plan, settings, metrics, as_given)
            with saying_if_a_worker_was_lost():
                trained = _train(client, task, samples, sets)
            engine = trained.engine(plan, settings)
            self._adopt_without_samples(engine, plan, has_splits=bool(engine.booster_.feature_importance().any()))
        return self


def _check_settings(settings: Settings, *, n_ports: int) -> None:
    """Raise if a parameter asks for what is not there on a cluster."""
    for name in ("machines", "num_machines", "machine_list_filename"):
        for alias, value in _given(settings, name).items():
            raise ValueError(f"{alias} must be left out, got {value!r}: it is read from the cluster.")
    for alias, value in _given(settings, "tree_learner").items():
        if value not in _TREE_LEARNERS:
            raise ValueError(f"{alias} must be among {list(_TREE_LEARNERS)}, as each worker has rows, got {value!r}.")
    for alias, value in _given(settings, "local_listen_port").items():
        if isinstance(value, bool) or not isinstance(value, Integral) or not 0 < int(value) <= (1 << 16) - n_ports:
            raise ValueError(f"{alias} must be an integer in [1, {(1 << 16) - n_ports}], got {value!r}.")
    for alias, value in _given(settings, "time_out").items():
        if isinstance(value, bool) or not isinstance(value, Integral) or not 1 <= int(value) <= _MOST_MINUTES:
            raise ValueError(f"{alias} must be an integer in [1, {_MOST_MINUTES}], minutes, got {value!r}.")


def _given(settings: Settings, name: str) -> dict[str, Any]:
    """Return a parameter of LightGBM's under the name by which it is given; nothing if it is not."""
    return {alias: settings.params[alias] for alias in parameter_aliases()[name] if alias in settings.params}


class _Task(NamedTuple):
    """What all workers do, each with its own rows."""

    classifier: Any
    plan: Plan  # without samples
    settings: Settings
    metrics: list[EvalMetric]
    as_given: dict[str, Any]  # to `fit`


class _Place(NamedTuple):
    """What a worker is to know of itself and the others."""

    is_first: bool
    network: dict[str, Any]  # LightGBM's own, nothing if it is alone
    meeting: Meeting | None  # where metrics are summed up, None if it is alone, or there are none


class _Trained(NamedTuple):
    """What all workers have made together."""

    model: str
    best_iteration: int
    best_score: dict[str, dict[str, float]]
    evals_result: dict[str, Any]

    def engine(self, plan: Plan, settings: Settings) -> Any:
        """Return it as LightGBM's own classifier has it."""
        booster = Booster(model_str=self.model)
        booster.best_iteration, booster.best_score = self.best_iteration, self.best_score
        return fitted_engine(booster, len(plan.link.classes), plan.objective(settings.n_jobs), self.evals_result)


def _train(client: Client, task: _Task, samples: Encoded, sets: list[Encoded]) -> _Trained:
    """Return what all workers have trained together."""
    by_worker = _with_enough_rows(samples)
    sets_by_worker = [_on_workers(each, list(by_worker)) for each in sets]
    with _locked(client, list(by_worker), task.settings):
        places = _places(client, list(by_worker), task.settings, evaluates=bool(sets))
        futures = {
            client.submit(
                _train_part, task, place, by_worker[worker], [each[worker] for each in sets_by_worker],
                workers=[worker], pure=False, retries=0,
            ): worker
            for worker, place in places.items()
        }  # fmt: skip
        return next(filter(None, _results(client, futures)))


@contextmanager
def _locked(client: Client, workers: list[str], settings: Settings) -> Iterator[None]:
    """Let one training at a time have these workers, or two would wait for each other; XGBoost takes the locks too."""
    lock = MultiLock(workers, client)
    if not lock.acquire(timeout=_seconds_to_wait(settings)):
        raise RuntimeError(
            f"Workers {workers} are busy with another training for longer than time_out: if its client is gone, "
            "restart the cluster."
        )
    try:
        yield
    finally:
        lock.release()


def _seconds_to_wait(settings: Settings) -> float:
    """Return how long workers wait for one another, which LightGBM counts in minutes."""
    return 60.0 * int(*_given(settings, "time_out").values() or [120])


def _places(client: Client, workers: list[str], settings: Settings, *, evaluates: bool) -> dict[str, _Place]:
    """Return what each worker is to know of itself and the others."""
    if len(workers) == 1:
        return {workers[0]: _Place(True, {}, None)}
    ports = _ports(client, workers, settings)
    machines = ",".join(f"{_host(worker)}:{of_network}" for worker, (of_network, _) in ports.items())
    meeting = None
    if evaluates:
        of_sums = ports[workers[0]][1]
        meeting = Meeting(_host(workers[0]), of_sums, secrets.token_bytes(), len(workers), _seconds_to_wait(settings))
    of_all = {"machines": machines, "num_machines": len(workers)}
    return {
        worker: _Place(worker == workers[0], {"local_listen_port": of_network} | of_all, meeting)
        for worker, (of_network, _) in ports.items()
    }


def _host(worker: str) -> str:
    return str(urlparse(worker).hostname)


def _on_workers(samples: Encoded, workers: list[str]) -> dict[str, list[Future]]:
    """Return the blocks that each worker evaluates: those it holds, the first also those of who does not train."""
    by_worker: dict[str, list[Future]] = {worker: [] for worker in workers}
    for block, worker in zip(samples.blocks, samples.workers, strict=True):
        by_worker.get(worker, by_worker[workers[0]]).append(block)
    return by_worker


def _with_enough_rows(samples: Encoded) -> dict[str, list[Future]]:
    """Return the blocks that each worker trains on: those it holds, or those of one that has too few rows too."""
    n_rows: dict[str, int] = defaultdict(int)
    for worker, size in zip(samples.workers, samples.n_rows, strict=True):
        n_rows[worker] += size
    largest = max(n_rows, key=n_rows.__getitem__)
    by_worker: dict[str, list[Future]] = defaultdict(list)
    for block, worker in zip(samples.blocks, samples.workers, strict=True):
        by_worker[worker if n_rows[worker] >= _FEWEST_ROWS else largest].append(block)
    return by_worker


def _ports(client: Client, workers: list[str], settings: Settings) -> dict[str, tuple[int, int]]:
    """Return ports of each worker, for LightGBM and for sums: what the user has set and the next, or free ones."""
    given = _given(settings, "local_listen_port")
    by_host: dict[str, list[str]] = defaultdict(list)
    for worker in workers:
        by_host[_host(worker)].append(worker)
    if not given:
        ports: dict[str, tuple[int, int]] = {}
        for there in by_host.values():
            free = client.run(_free_ports, 2 * len(there), workers=there[:1])[there[0]]
            ports |= dict(zip(there, zip(free[::2], free[1::2], strict=True), strict=True))
        return {worker: ports[worker] for worker in workers}
    if len(by_host) < len(workers):
        raise ValueError(f"local_listen_port must be left out with several workers on one host, got {given}.")
    port = int(*given.values())
    return dict.fromkeys(workers, (port, port + 1))


def _free_ports(number: int) -> list[int]:
    """Return ports of this machine that are free."""
    free: list[int] = []
    for port in secrets.SystemRandom().sample(_PORTS, len(_PORTS)):
        with suppress(OSError), socket.socket() as listening:
            listening.bind(("", port))
            free.append(port)
        if len(free) == number:
            return free
    raise RuntimeError(
        f"A worker needs {number} free ports from {_PORTS.start} to {_PORTS.stop - 1}, got {len(free)}: set "
        "local_listen_port."
    )


def _train_part(task: _Task, place: _Place, blocks: list[Any], sets: list[list[Any]]) -> _Trained | None:
    """Train on the rows of this worker; return the model from the first of all workers."""
    classifier, plan, settings, metrics, as_given = task
    n_jobs = settings.n_jobs or get_worker().state.nthreads
    params = ({"tree_learner": "data"} if place.network else {}) | settings.params | place.network | {"n_jobs": n_jobs}
    of_worker = settings._replace(params=params, n_jobs=n_jobs)
    plan = replace(plan, training=joined(blocks))
    of_sets = [joined(each) if each else _one_that_weighs_nothing(plan.training) for each in sets]
    try:
        with meet(place.meeting, is_first=place.is_first) as sums:
            summed = [_summed(metric, sums) for metric in metrics]
            engine = train(
                classifier, plan, of_worker, of_sets, summed, None, is_part=True, init_model=None, **as_given
            )
    finally:
        free_network()
    if not place.is_first:
        return None
    booster = engine.booster_
    model = booster.model_to_string(num_iteration=-1)
    return _Trained(model, booster.best_iteration, dict(booster.best_score), dict(engine._evals_result or {}))


def _one_that_weighs_nothing(samples: Samples) -> Samples:
    """Return a sample to evaluate on a worker that has none of its own: LightGBM wants one."""
    return samples.rows([0])._replace(weight=np.zeros(1))


def _summed(metric: EvalMetric, sums: Sums) -> EvalMetric:
    """Return a metric of the samples of all workers."""
    return metric._replace(score=lambda data: scores_of_all(data, [metric], sums.over_workers)[0])


def _results(client: Client, futures: dict[Future, str]) -> list[Any]:
    """Return what all workers have to say; raise as soon as one of them fails or is lost."""
    try:
        _wait_until_one_fails(client, futures)
        return client.gather(list(futures))
    except BaseException as error:
        if isinstance(error, Exception):  # whom a user interrupts has nothing to say
            with suppress(TimeoutError):
                wait(list(futures), timeout=_SECONDS_TO_SAY_WHY)
        _restart_those_that_wait(client, futures)
        failed = [future for future in futures if future.status == "error"]
        if failed:  # those that miss a worker may be sooner to say so than it
            min(failed, key=lambda future: tells_of_a_loss(future.exception())).result()
        raise
    finally:
        client.cancel(list(futures), force=True)


def _wait_until_one_fails(client: Client, futures: dict[Future, str]) -> None:
    """Wait until all workers are done; raise if one fails, is not there any more, or ends long before the others."""
    pending, end = set(futures), float("inf")
    while pending:
        with suppress(TimeoutError):
            done, pending = wait(list(pending), timeout=_SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED")
            for future in done:
                future.result()
            end = min(end, time.monotonic() + _SECONDS_TO_FOLLOW)
        lost = {futures[future] for future in pending} - set(client.ncores())
        if lost:  # Dask goes on waiting for it
            raise RuntimeError(f"{' and '.join(sorted(lost))} was lost")
        if pending and time.monotonic() > end:
            raise RuntimeError("A worker has ended its training before the others: callbacks must not stop one alone.")


def _restart_those_that_wait(client: Client, futures: dict[Future, str]) -> None:
    """Restart workers that go on training, or waiting: LightGBM asks a connection that was closed for ever."""
    there = client.ncores()
    waiting = sorted({worker for future, worker in futures.items() if future.status == "pending" and worker in there})
    if not waiting:
        return
    try:
        client.restart_workers(waiting)
        done = "were restarted, with what they held in memory"
    except (ValueError, TimeoutError) as error:  # without a nanny, or one that is slow
        done = f"could not be restarted ({error}), do it by hand"
    warnings.warn(
        f"Workers {waiting} {done}: in them LightGBM goes on without those that have failed or ended.",
        stacklevel=users_stacklevel(),
    )
