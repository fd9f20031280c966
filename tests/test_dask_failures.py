"""What goes wrong on a cluster, and what is refused there: clear errors within a bounded time."""

import gc
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

import skfocal.dask.lightgbm as focal_dask_lightgbm
from skfocal.dask import FocalDaskLGBMClassifier, FocalDaskXGBClassifier

from .clusters import (
    WARNINGS_OF_DASK,
    WEIGHTS_OF_SETS,
    both,
    chunked,
    cluster_of,
    data,
    make,
    on_both_workers,
    workers_of,
)

pytestmark = WARNINGS_OF_DASK


def fails_on(address):
    """Return a callback of LightGBM that fails on one worker only, in the third round."""

    def callback(env):
        if env.iteration == 2 and distributed.get_worker().address == address:
            raise ZeroDivisionError("of the user's")

    return callback


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.filterwarnings("ignore:Workers .* were restarted")
def test_a_callback_that_fails_on_one_worker_ends_the_fit(client, which):
    X, y = data()
    parts = on_both_workers(client, *chunked(X, y))
    address = workers_of(client)[which]
    model = make(FocalDaskLGBMClassifier, n_estimators=100_000)
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError, match="of the user's"):
        model.fit(*parts, eval_set=[tuple(parts)], callbacks=[fails_on(address)])
    assert time.monotonic() - started < 120  # bounded, not fast

    def collects(env):
        gc.collect()  # what is left of the fit that failed, in the middle of the next one

    client.wait_for_workers(2)
    # Other data: what is bound to a worker that has been restarted stays bound to it.
    parts = on_both_workers(client, *chunked(*data(seed=1)))
    fitted = make(FocalDaskLGBMClassifier).fit(*parts, eval_set=[tuple(parts)], callbacks=[collects])
    assert fitted.booster_.num_trees() == 20


@both
@pytest.mark.parametrize(("n_workers", "evaluates"), [(1, False), (2, False), (2, True)])
@pytest.mark.filterwarnings("ignore:Workers .* were restarted")
def test_a_worker_that_is_killed_ends_the_fit(kind, n_workers, evaluates):
    X, y = data(n_samples=20_000)
    with cluster_of(n_workers) as cluster, distributed.Client(cluster) as client:
        dX, dy = client.persist(chunked(X, y, size=2000))
        distributed.wait([dX, dy])
        pids = list(client.run(os.getpid).values())
        killed = threading.Event()

        def kill_while_training():
            # A worker trains once its calls have gone into the engine.
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                if any("_train" in str(stack) for stack in client.call_stack().values()):
                    time.sleep(1)
                    os.kill(pids[0], signal.SIGKILL)
                    killed.set()
                    return
                time.sleep(0.05)

        thread = threading.Thread(target=kill_while_training)
        thread.start()
        started = time.monotonic()
        with pytest.raises(RuntimeError, match="A worker was lost while all of them trained"):
            make(kind, n_estimators=100_000).fit(dX, dy, eval_set=[(dX, dy)] if evaluates else None)
        thread.join()
        assert killed.is_set()
        assert time.monotonic() - started < 120  # bounded, not fast


def test_a_client_that_is_closed_or_missing(client):
    dX, dy = chunked(*data())
    gone = distributed.Client(client.cluster)
    gone.close()
    with pytest.raises(RuntimeError, match="client must be connected to a cluster, got one that is closed"):
        FocalDaskLGBMClassifier(client=gone).fit(dX, dy)


def test_no_client_at_all():
    dX, dy = chunked(*data())
    with pytest.raises(RuntimeError, match="client must be given"):
        FocalDaskXGBClassifier().fit(dX, dy)


@both
def test_collections_that_do_not_fit_are_refused(client, kind):
    X, y = data(n_samples=1000)
    dX, dy = chunked(X, y)
    table = dd.from_pandas(pd.DataFrame(X), npartitions=2)
    cases = [
        ((X, dy), TypeError, "X must be an array or a DataFrame of Dask, got a ndarray"),
        ((dX, y), TypeError, "y must be an array with one dimension or a Series of Dask, got a ndarray"),
        ((dX.rechunk((500, 3)), dy), ValueError, "X must have all features of a row in one chunk, got 4 chunks"),
        ((dX, dy.rechunk(((300, 700),))), ValueError, "y must have the rows of X in each chunk"),
        ((dX, dy.rechunk(250)), ValueError, "y must have the 2 partitions of X, got 4"),
        ((dX[:, 0], dy), ValueError, "X must have two dimensions"),
        ((table[table[0] > 0].to_dask_array(), dy), ValueError, "y must have the rows of X in each partition"),
        ((dX, dy * 0), ValueError, "y must hold at least two classes, got 1 class"),
        ((dX, dy + 0.5), ValueError, "y must hold class labels, got numbers that are not whole"),
        ((dX, da.where(dy == 1, np.nan, dy)), ValueError, "y must hold class labels, neither missing nor infinite"),
        ((dX[:0], dy[:0]), ValueError, "X must have at least one row"),
    ]
    for arguments, error, message in cases:
        with pytest.raises(error, match=message):
            make(kind).fit(*arguments)
    for weight, message in [
        (da.full_like(dy, -1.0, dtype=float), "sample_weight must be >= 0, got -1"),
        (da.zeros_like(dy, dtype=float), "sample_weight must have at least one non-zero weight"),
        (chunked(np.ones(1000), size=250)[0], "sample_weight must have the 2 partitions of X, got 4"),
    ]:
        with pytest.raises(ValueError, match=message):
            make(kind).fit(dX, dy, sample_weight=weight)


@both
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sampler": "SMOTE"}, "sampler must be"),
        ({"validation_fraction": 0.2}, "validation_fraction must be left out on a cluster, got 0.2"),
        ({"progress_bar": True}, "progress_bar must be False on a cluster"),
        ({"early_stopping_rounds": 5}, "early_stopping_rounds"),
        ({"eval_metric": "roc_auc"}, "eval_metric must be"),
        ({"focal_gamma": -1.0}, "focal_gamma must be"),
        ({"n_tree": 5}, "n_tree=5 is not a parameter of FocalDask"),
    ],
)
def test_parameters_that_are_not_for_a_cluster(client, kind, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make(kind, **params).fit(*chunked(*data()))


def test_a_sampler_is_refused_with_what_to_do_instead(client):
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    with pytest.raises(ValueError, match=r"sampler must be None on a cluster, .* use class_weight or focal_alpha"):
        FocalDaskXGBClassifier(sampler=over_sampling.RandomOverSampler()).fit(*chunked(*data()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tree_learner", "feature"), ("tree", "serial"), ("machines", "host:1"), ("machine_list_file", "hosts.txt"),
        ("num_machines", 2), ("local_listen_port", -5), ("port", True), ("time_out", 0),
    ],
)  # fmt: skip
def test_what_lightgbm_is_not_to_be_told_on_a_cluster(client, name, value):
    with pytest.raises(ValueError, match=f"{name} must be .*, got {value!r}"):
        make(FocalDaskLGBMClassifier, **{name: value}).fit(*chunked(*data()))


def fail_on_one_worker(env):
    if env.iteration == 3 and distributed.get_worker().name == 0:
        raise KeyError("the callback's own")


@both
def test_fits_at_the_same_time_wait_for_one_another(client, kind):
    X, y = data()
    dX, dy = on_both_workers(client, *chunked(X, y))
    with ThreadPoolExecutor(3) as executor:
        fits = [executor.submit(make(kind, client=client).fit, dX, dy) for _ in range(3)]
        assert [fit.result(timeout=120).n_features_in_ for fit in fits] == [10] * 3


@both
def test_a_worker_that_is_busy_is_waited_for(client, kind):
    X, y = data()
    dX, dy = on_both_workers(client, *chunked(X, y))
    busy = client.submit(time.sleep, 4, workers=[workers_of(client)[0]], pure=False)
    assert make(kind).fit(dX, dy).n_features_in_ == 10
    del busy


@pytest.mark.filterwarnings("ignore:Workers .* were restarted")
def test_an_error_of_one_worker_is_the_error(client):
    for _ in range(3):  # the other may or may not see that the connection was closed
        with pytest.raises(KeyError, match="the callback's own"):
            make(FocalDaskLGBMClassifier, n_estimators=10_000).fit(*chunked(*data()), callbacks=[fail_on_one_worker])
        assert make(FocalDaskLGBMClassifier).fit(*chunked(*data())).n_features_in_ == 10


@pytest.mark.parametrize(("name", "value"), [("booster", "gblinear"), ("tree_method", "exact")])
def test_what_xgboost_does_on_one_machine_only(client, name, value):
    with pytest.raises(ValueError, match=f"{name} must be .* on a cluster, got '{value}'"):
        make(FocalDaskXGBClassifier, **{name: value}).fit(*chunked(*data()))


def test_infinite_features(client):
    X, y = data(n_samples=1000)
    X[700, 3] = np.inf
    dX, dy = chunked(X, y)
    for features in (dX, dX.to_dask_dataframe(columns=list("abcdefghij"))):
        labels = dy if features is dX else dy.to_dask_dataframe(columns="y")
        with pytest.raises(ValueError, match=r"X contains infinity"):
            make(FocalDaskXGBClassifier).fit(features, labels)
        assert make(FocalDaskLGBMClassifier).fit(features, labels).predict(features).compute().shape == (1000,)
    fitted = make(FocalDaskXGBClassifier, missing=np.inf).fit(dX, dy)
    assert fitted.predict(dX).compute().shape == (1000,)


@both
def test_evaluation_sets_that_do_not_fit(client, kind):
    X, y = data(n_samples=1000)
    dX, dy = chunked(X, y)
    with pytest.raises(ValueError, match=r"The labels of y of eval_set\[0\] must be among those of y"):
        make(kind).fit(dX, dy, eval_set=[(dX, dy + 1)])
    with pytest.raises(ValueError, match=r"X of eval_set\[0\] must have 10 features, got 4"):
        make(kind).fit(dX, dy, eval_set=[(dX[:, :4], dy)])
    with pytest.raises(TypeError, match=r"X of eval_set\[0\] must be an array or a DataFrame of Dask"):
        make(kind).fit(dX, dy, eval_set=[(X, y)])
    table, labels = dd.from_pandas(pd.DataFrame(X, columns=list("abcdefghij")), npartitions=2), dy.rechunk(500)
    with pytest.raises(ValueError, match="feature names should match"):
        make(kind).fit(table, labels, eval_set=[(table[list("jihgfedcba")], labels)])
    with pytest.raises(ValueError, match="must have at least one non-zero weight"):
        make(kind).fit(dX, dy, eval_set=[(dX, dy)], **{WEIGHTS_OF_SETS[kind]: [da.zeros_like(dy, dtype=float)]})


@pytest.mark.parametrize(
    ("message", "params", "arguments"),
    [
        ("eval_names must be different", {}, {"eval_names": ["a", "a"]}),
        (r"local_listen_port must be an integer in \[1, 65534\]", {"local_listen_port": 65535}, {}),
        ("time_out must be an integer in", {"time_out": 10**9}, {}),
        ("callbacks must be a list", {}, {"callbacks": print}),
        ("eval_metric must be among", {}, {"eval_metric": "auc"}),
    ],
)
def test_arguments_that_are_not_for_lightgbms_workers(client, message, params, arguments):
    dX, dy = chunked(*data(n_samples=1000))
    with pytest.raises((ValueError, TypeError), match=message):
        make(FocalDaskLGBMClassifier, **params).fit(dX, dy, eval_set=[(dX, dy), (dX, dy)], **arguments)


@pytest.mark.filterwarnings("ignore:Workers .* were restarted")
def test_a_callback_that_stops_one_worker_is_an_error(monkeypatch):
    X, y = data()
    monkeypatch.setattr("skfocal.dask.lightgbm._SECONDS_TO_FOLLOW", 3)

    def stops(env):
        if env.iteration == 3 and distributed.get_worker().address == address:
            raise lightgbm.callback.EarlyStopException(env.iteration, [])

    with cluster_of(2) as cluster, distributed.Client(cluster) as client:
        parts = on_both_workers(client, *chunked(X, y))
        address = workers_of(client)[0]
        with pytest.raises(RuntimeError, match=r"A worker (has ended its training before the others|was lost)"):
            make(FocalDaskLGBMClassifier, n_estimators=100_000).fit(*parts, callbacks=[stops])


@pytest.mark.parametrize(
    ("seconds_to_follow", "error", "left"), [(0.5, RuntimeError, "finished"), (60, KeyboardInterrupt, "pending")]
)
def test_how_long_workers_are_waited_for(client, monkeypatch, seconds_to_follow, error, left):
    """Not for one that goes on long after another has ended, but for what it says then; for nothing after Ctrl-C."""
    found = []
    monkeypatch.setattr(focal_dask_lightgbm, "_SECONDS_TO_FOLLOW", seconds_to_follow)
    monkeypatch.setattr(
        focal_dask_lightgbm,
        "_restart_those_that_wait",
        lambda _, futures: found.extend(each.status for each in futures),
    )
    futures = {
        client.submit(time.sleep, seconds, workers=[worker], pure=False): worker
        for seconds, worker in zip((0, 4), workers_of(client), strict=True)
    }
    if error is KeyboardInterrupt:
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(error, match="has ended its training before the others" if error is RuntimeError else None):
        focal_dask_lightgbm._results(client, futures)
    assert found == ["finished", left]


def test_workers_that_cannot_be_restarted_are_told_of():
    """Those without a nanny, as on some clusters."""
    local = {"processes": False, "n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**local) as cluster, distributed.Client(cluster) as client:
        (worker,) = workers_of(client)
        futures = {client.submit(time.sleep, 1, pure=False): worker}
        with pytest.warns(UserWarning, match=rf"Workers \['{worker}'\] could not be restarted .*, do it by hand"):
            focal_dask_lightgbm._restart_those_that_wait(client, futures)


def test_workers_that_another_training_has_for_too_long(client, monkeypatch):
    """For longer than time_out, which counts minutes, and here seconds."""
    parts = on_both_workers(client, *chunked(*data()))
    monkeypatch.setattr(focal_dask_lightgbm, "_seconds_to_wait", lambda settings: settings.params["time_out"])
    with (
        distributed.MultiLock(workers_of(client), client),
        pytest.raises(RuntimeError, match="are busy with another training for longer than time_out"),
    ):
        make(FocalDaskLGBMClassifier, time_out=1).fit(*parts)
    monkeypatch.undo()
    assert make(FocalDaskLGBMClassifier, time_out=1).fit(*parts).n_features_in_ == 10


def test_an_error_of_the_users_is_not_that_of_a_lost_worker(client):
    def fails(env):
        raise ValueError("no column 'pocket_money'")

    parts = on_both_workers(client, *chunked(*data()))
    with pytest.raises(ValueError, match="pocket_money"):
        make(FocalDaskLGBMClassifier).fit(*parts, callbacks=[fails])


def test_what_lightgbm_may_be_told_on_a_cluster(lone_worker):
    X, y = data(n_samples=1000)
    told = {"tree_learner": "voting", "local_listen_port": 12_400, "time_out": 5}
    fitted = make(FocalDaskLGBMClassifier, **told).fit(*chunked(X, y))
    np.testing.assert_array_equal(fitted.predict(chunked(X)[0]), fitted.to_local().predict(X))


def test_a_port_that_is_given_is_that_of_one_worker_a_host(client):
    with pytest.raises(
        ValueError, match=r"local_listen_port must be left out with several workers on one host, got .*12400"
    ):
        make(FocalDaskLGBMClassifier, port=12_400).fit(*on_both_workers(client, *chunked(*data())))
    settings = SimpleNamespace(params={"port": 12_400})
    ports = focal_dask_lightgbm._ports(client, ["tcp://one:8786", "tcp://two:8786"], settings)
    assert ports == {"tcp://one:8786": (12_400, 12_401), "tcp://two:8786": (12_400, 12_401)}


def test_ports_are_free_and_stay_so(monkeypatch):
    given_out = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if given_out.exists():  # what is given out is taken before LightGBM listens, as a busy machine has shown
        assert focal_dask_lightgbm._PORTS.stop <= int(given_out.read_text().split()[0])
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(focal_dask_lightgbm, "_PORTS", range(port, port + 1))
        with pytest.raises(RuntimeError, match=f"needs 1 free ports from {port} to {port}, got 0"):
            focal_dask_lightgbm._free_ports(1)
    assert focal_dask_lightgbm._free_ports(1) == [port]
    monkeypatch.undo()
    ports = focal_dask_lightgbm._free_ports(600)
    assert len(set(ports)) == 600
    assert set(ports) <= set(focal_dask_lightgbm._PORTS)


@both
def test_predictions_want_collections(client, kind):
    X, y = data(n_samples=1000)
    dX, dy = chunked(X, y)
    with pytest.raises(NotFittedError):
        make(kind).predict(dX)
    fitted = make(kind).fit(dX, dy)
    with pytest.raises(TypeError, match=r"X must be an array or a DataFrame of Dask, .* to_local"):
        fitted.predict_proba(X)
    with pytest.raises(ValueError, match="X has 3 features"):
        fitted.predict_proba(dX[:, :3].rechunk({1: -1}))
    with pytest.raises(ValueError, match=r"X must have all features of a row in one chunk, got 2: use X.rechunk"):
        fitted.predict(dX.rechunk({1: 5}))


@both
def test_a_failed_fit_leaves_a_fitted_model_as_it_was(client, kind):
    X, y = data(n_samples=1000)
    dX, dy = chunked(X, y)
    fitted = make(kind).fit(dX, dy)
    before = fitted.predict_proba(dX).compute()
    with pytest.raises(ValueError, match="two classes"):
        fitted.fit(dX, dy * 0)
    np.testing.assert_array_equal(fitted.predict_proba(dX).compute(), before)
