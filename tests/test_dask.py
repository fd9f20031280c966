"""The classifiers on a cluster: two workers, each a process of its own, as on two machines."""

import os
import pickle
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import average_precision_score, log_loss, zero_one_loss

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

import lightgbm
import xgboost.dask

from skfocal import BinaryFocalLoss, FocalLGBMClassifier, FocalMetric, FocalObjective, FocalXGBClassifier
from skfocal.dask import FocalDaskLGBMClassifier, FocalDaskXGBClassifier
from skfocal.datasets import load_creditcard

from .conftest import real_data

# What Dask and its parts say of one another.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Sending large graph:UserWarning"),
]

QUICK = {FocalDaskLGBMClassifier: {"verbose": -1, "min_child_samples": 5}, FocalDaskXGBClassifier: {}}
FIRST_SET = {FocalDaskLGBMClassifier: "valid_0", FocalDaskXGBClassifier: "validation_0"}
WEIGHTS_OF_SETS = {FocalDaskLGBMClassifier: "eval_sample_weight", FocalDaskXGBClassifier: "sample_weight_eval_set"}
both = pytest.mark.parametrize("kind", [FocalDaskLGBMClassifier, FocalDaskXGBClassifier])


def make(kind, local=False, **params):
    return (kind._local_class if local else kind)(**{"n_estimators": 20} | QUICK[kind] | params)


def data(n_classes=2, n_samples=4000, seed=0):
    weights = [0.9] + [0.1 / (n_classes - 1)] * (n_classes - 1)
    return make_classification(
        n_samples, 10, n_informative=6, n_classes=n_classes, weights=weights, random_state=seed, class_sep=0.7
    )


def chunked(*arrays, size=500):
    return [da.from_array(each, chunks=(size, -1) if each.ndim == 2 else size) for each in arrays]


def on_both_workers(client, *arrays):
    """Put the first half of the chunks of each array on one worker, the rest on the other."""
    first, second = client.scheduler_info()["workers"]
    return [
        da.concatenate(
            [
                client.persist(each.blocks[: each.npartitions // 2], workers=[first]),
                client.persist(each.blocks[each.npartitions // 2 :], workers=[second]),
            ]
        )
        for each in arrays
    ]


def cluster_of(n_workers):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return distributed.LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=":0")


@pytest.fixture(scope="module")
def cluster():
    with cluster_of(2) as two_workers:
        yield two_workers


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as client:
        yield client


@pytest.fixture
def lone_worker():
    with cluster_of(1) as one_worker, distributed.Client(one_worker) as client:
        yield client


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_one_worker_makes_the_local_model(lone_worker, kind, n_classes):
    X, y = data(n_classes)
    weight = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    params = {
        "focal_alpha": "balanced",
        "class_weight": {0: 2.0},
        "focal_gamma": 1.5,
        "prior": np.arange(n_classes) + 1,
    }
    dX, dy, dweight = chunked(X, y, weight)
    fitted = make(kind, **params).fit(dX, dy, sample_weight=dweight)
    local = make(kind, local=True, **params).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(fitted.focal_intercept_, local.focal_intercept_, rtol=1e-12)
    np.testing.assert_allclose(fitted.prior_correction_, local.prior_correction_, rtol=1e-12)
    np.testing.assert_allclose(fitted.focal_loss_.class_weights, local.focal_loss_.class_weights, rtol=1e-12)
    np.testing.assert_allclose(fitted.decision_function(dX), local.decision_function(X), atol=1e-4)
    np.testing.assert_allclose(fitted.predict_proba(dX), local.predict_proba(X), atol=1e-4)


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_two_workers_rank_as_well_as_one_machine(client, kind, n_classes):
    X, y = data(n_classes, 8000)
    names = np.array(["fair", "fraud", "strange"])[y]
    dX, dy = chunked(X, names, size=700)
    fitted, local = make(kind).fit(dX, dy), make(kind, local=True).fit(X, names)
    posterior, expected = fitted.predict_proba(dX), local.predict_proba(X)
    assert isinstance(posterior, da.Array)
    assert posterior.chunks == (dX.chunks[0], (n_classes,))
    assert fitted.classes_.tolist() == sorted(set(names))
    for k in range(n_classes):
        scores = [average_precision_score(y == k, np.asarray(each)[:, k]) for each in (posterior, expected)]
        assert abs(scores[0] - scores[1]) < 0.02
    np.testing.assert_array_equal(fitted.predict(dX), fitted.classes_[posterior.compute().argmax(axis=1)])
    assert fitted.score(dX, dy) == pytest.approx((fitted.predict(dX).compute() == names).mean())


@both
def test_the_local_classifier_is_the_same_model(client, kind, tmp_path):
    X, y = data()
    dX, dy = chunked(X, y)
    fitted = make(kind, focal_gamma=1.0).fit(dX, dy)
    posterior, local = fitted.predict_proba(dX).compute(), fitted.to_local()
    assert type(local) is kind._local_class
    assert local.get_params() == {name: value for name, value in fitted.get_params().items() if name != "client"}
    np.testing.assert_array_equal(local.predict_proba(X), posterior)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(local)).predict_proba(X), posterior)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).to_local().predict_proba(X), posterior)
    path = tmp_path / "model.json"
    local.save_model(path)
    np.testing.assert_array_equal(kind._local_class().load_model(path).predict_proba(X), posterior)
    onnx = pytest.importorskip("skfocal.onnx")
    session = pytest.importorskip("onnxruntime").InferenceSession(onnx.to_onnx(local).SerializeToString())
    np.testing.assert_allclose(
        session.run(None, {session.get_inputs()[0].name: X.astype(np.float32)})[-1], posterior, atol=1e-4
    )
    shap = pytest.importorskip("shap")
    contributions = shap.TreeExplainer(local)(X[:20])
    margins = contributions.values.sum(axis=1) + contributions.base_values
    np.testing.assert_allclose(margins, local.decision_function(X[:20]), atol=1e-4)


@both
def test_tables_with_categories(client, kind):
    X, y = data()
    table = pd.DataFrame(X[:, :4], columns=list("abcd"))
    table["city"] = pd.Categorical(np.array(["Rome", "Oslo", "Bern"])[(y + (X[:, 4] > 1)) % 3])
    labels = pd.Series(np.where(y, "fraud", "fair"))
    dX, dy = dd.from_pandas(table, npartitions=6), dd.from_pandas(labels, npartitions=6)
    fitted = make(kind).fit(dX, dy, sample_weight=dd.from_pandas(pd.Series(np.ones(len(y))), npartitions=6))
    assert fitted.feature_names_in_.tolist() == [*"abcd", "city"]
    np.testing.assert_array_equal(fitted.predict_proba(dX).compute(), fitted.to_local().predict_proba(table))
    local = make(kind, local=True).fit(table, labels)
    scores = [average_precision_score(y, each.predict_proba(table)[:, 1]) for each in (fitted.to_local(), local)]
    assert abs(scores[0] - scores[1]) < 0.02
    unknown = dX.assign(city=dX.city.cat.as_unknown())
    with pytest.raises(ValueError, match=r"X must have the same categories in all partitions, those of 'city'"):
        make(kind).fit(unknown, dy)


@both
def test_all_positives_in_one_partition(client, kind):
    X, y = data()
    order = np.argsort(y, kind="stable")
    dX, dy = on_both_workers(client, *chunked(X[order], y[order], size=len(y) // 8))
    fitted = make(kind).fit(dX, dy)
    assert fitted.classes_.tolist() == [0, 1]
    assert average_precision_score(y[order], fitted.predict_proba(dX)[:, 1]) > 0.8


@both
def test_a_worker_that_lacks_a_class_has_the_codes_of_all(client, kind):
    X, y = data(3)
    order = np.argsort(y == 1, kind="stable")  # the first worker has no sample of the class in the middle
    dX, dy = on_both_workers(client, *chunked(X[order], y[order], size=len(y) // 8))
    assert set(y[order][: len(y) // 2]) == {0, 2}
    accuracy = make(kind, n_estimators=50).fit(dX, dy).score(dX, dy)
    assert accuracy > make(kind, local=True, n_estimators=50).fit(X, y).score(X, y) - 0.02


@both
def test_a_worker_with_a_single_row(client, kind):
    X, y = data(n_samples=1000)
    first, second = client.scheduler_info()["workers"]
    dX, dy = (
        da.concatenate([client.persist(part[:999], workers=[first]), client.persist(part[999:], workers=[second])])
        for part in chunked(X, y)
    )
    assert average_precision_score(y, make(kind).fit(dX, dy).predict_proba(dX)[:, 1]) > 0.8


@both
def test_empty_partitions_and_a_worker_without_data(client, kind):
    X, y = data(n_samples=1000)
    table, labels = dd.from_pandas(pd.DataFrame(X), npartitions=5), dd.from_pandas(pd.Series(y), npartitions=5)
    some = table[table[0] > table[0].quantile(0.97).compute()]  # most partitions keep a row or two, or none
    few = dd.concat([table.partitions[:2], table.partitions[2:][table.partitions[2:][0] > 1e9]])
    few_labels = dd.concat([labels.partitions[:2], labels.partitions[2:][table.partitions[2:][0] > 1e9]])
    fitted = make(kind).fit(few, few_labels)
    assert fitted.predict_proba(few).compute().shape == (400, 2)
    assert fitted.predict_proba(some).compute().shape[1] == 2
    lone = [part.persist(workers=[next(iter(client.scheduler_info()["workers"]))]) for part in chunked(X, y)]
    assert make(kind).fit(*lone).predict(lone[0]).compute().shape == (1000,)


@both
def test_more_partitions_than_rows(client, kind):
    X, y = pd.DataFrame({"a": np.arange(6.0), "b": 0.0}), pd.Series([0, 1, 0, 1, 0, 1])
    table = dd.from_pandas(X.assign(y=y), npartitions=6)
    table = dd.concat([table, table[table["a"] > 1e9]])
    table, labels = table.drop(columns="y"), table["y"]
    assert table.npartitions > 8
    no_split = pytest.warns(ConvergenceWarning, match="has found no split")
    with no_split if kind is FocalDaskLGBMClassifier else nullcontext():
        fitted = make(kind).fit(table, labels)
    expected = fitted.to_local().predict_proba(X)
    np.testing.assert_array_equal(fitted.predict_proba(table).compute(), expected)
    assert expected.mean(axis=0) == pytest.approx(0.5)


@both
@pytest.mark.parametrize("metrics", [["focal_loss"], ["error", "log_loss"]])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_metrics_are_those_of_all_rows(client, kind, n_classes, metrics):
    X, y = data(n_classes)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    # Where a worker has many evaluation rows, another few: a mean of means would be another number.
    dX, dy, dweight = chunked(X, y, weight, size=900)
    # LightGBM stops as soon as one of the metrics gets no better, XGBoost watches the last one.
    params = {"eval_metric": metrics, "early_stopping_rounds": 3, "n_estimators": 200}
    params |= {"first_metric_only": True, "eval_metric": metrics[::-1]} if kind is FocalDaskLGBMClassifier else {}
    fitted = make(kind, **params).fit(
        dX[:2700], dy[:2700], eval_set=[(dX[2700:], dy[2700:])], **{WEIGHTS_OF_SETS[kind]: [dweight[2700:]]}
    )
    assert fitted.best_iteration_ < 200
    local, rest = fitted.to_local(), slice(2700, None)
    posterior = local.predict_proba(X[rest])
    expected = {
        "focal_loss": np.average(
            fitted.focal_loss_.loss(y[rest], local.decision_function(X[rest])), weights=weight[rest]
        ),
        "log_loss": log_loss(y[rest], posterior, sample_weight=weight[rest]),
        "error": zero_one_loss(y[rest], posterior.argmax(axis=1), sample_weight=weight[rest]),
    }
    scores = fitted.best_score_[FIRST_SET[kind]]
    assert scores == pytest.approx({name: expected[name] for name in metrics}, rel=1e-5)
    history = fitted.evals_result_[FIRST_SET[kind]][metrics[-1]]
    assert len(history) == fitted.best_iteration_ + 3
    assert scores[metrics[-1]] == min(history)


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_worker_with_nothing_but_evaluation_data(client, kind, n_classes):
    X, y = data(n_classes)
    first, second = client.scheduler_info()["workers"]
    training = [client.persist(part[:2000], workers=[first]) for part in chunked(X, y)]
    validation = [client.persist(part[2000:], workers=[second]) for part in chunked(X, y)]
    fitted = make(kind, eval_metric="log_loss").fit(*training, eval_set=[tuple(validation)])
    expected = log_loss(y[2000:], fitted.to_local().predict_proba(X[2000:]))
    assert fitted.evals_result_[FIRST_SET[kind]]["log_loss"][-1] == pytest.approx(expected, rel=1e-5)


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_worker_without_evaluation_data(client, kind, n_classes):
    X, y = data(n_classes)
    training = on_both_workers(client, *(part[:2000] for part in chunked(X, y)))
    _, second = client.scheduler_info()["workers"]
    validation = [client.persist(part[2000:], workers=[second]) for part in chunked(X, y)]
    others = [client.persist(part[3000:], workers=[second]) for part in chunked(X, y)]
    fitted = make(kind, eval_metric="log_loss").fit(*training, eval_set=[tuple(others), tuple(validation)])
    second_set = FIRST_SET[kind].replace("0", "1")
    for name, start in ((FIRST_SET[kind], 3000), (second_set, 2000)):
        expected = log_loss(y[start:], fitted.to_local().predict_proba(X[start:]))
        assert fitted.evals_result_[name]["log_loss"][-1] == pytest.approx(expected, rel=1e-5)


@both
def test_one_worker_stops_where_one_machine_does(lone_worker, kind):
    X, y = data()
    dX, dy = chunked(X, y)
    params = {"early_stopping_rounds": 3, "n_estimators": 200}
    fitted = make(kind, **params).fit(dX[:3000], dy[:3000], eval_set=[(dX[3000:], dy[3000:])])
    quietly = {"verbose": False} if kind is FocalDaskXGBClassifier else {}
    local = make(kind, local=True, **params).fit(X[:3000], y[:3000], eval_set=[(X[3000:], y[3000:])], **quietly)
    assert fitted.best_iteration_ == local.best_iteration_ < 200
    assert fitted.best_score_[FIRST_SET[kind]] == pytest.approx(local.best_score_[FIRST_SET[kind]], rel=1e-6)
    np.testing.assert_allclose(fitted.decision_function(dX), local.decision_function(X), atol=1e-4)
    again = pickle.loads(pickle.dumps(fitted.to_local()))
    np.testing.assert_allclose(again.decision_function(X), local.decision_function(X), atol=1e-4)


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
    address = list(client.scheduler_info()["workers"])[which]
    model = make(FocalDaskLGBMClassifier, n_estimators=100_000)
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError, match="of the user's"):
        model.fit(*parts, eval_set=[tuple(parts)], callbacks=[fails_on(address)])
    assert time.monotonic() - started < 120  # bounded, not fast


def test_dart_ends_with_its_best_round(client):
    X, y = data()
    dX, dy = chunked(X, y)
    params = {
        "booster": "dart",
        "rate_drop": 0.5,
        "early_stopping_rounds": 2,
        "n_estimators": 60,
        "eval_metric": "log_loss",
    }
    fitted = make(FocalDaskXGBClassifier, **params).fit(dX[:2000], dy[:2000], eval_set=[(dX[2000:], dy[2000:])])
    posterior = fitted.to_local().predict_proba(X[2000:])
    assert fitted.best_score_["validation_0"]["log_loss"] == pytest.approx(log_loss(y[2000:], posterior), rel=1e-5)


@both
def test_weights_of_whole_numbers_are_rows(lone_worker, kind):
    X, y = data(n_samples=1500)
    weight = np.random.default_rng(0).integers(0, 4, len(y))
    few_bins = {"max_bin": 15, "min_child_samples": 1} if kind is FocalDaskLGBMClassifier else {"max_bin": 15}
    X = np.round(2 * np.clip(X, -3, 3)) / 2  # as many values as bins
    weighted = make(kind, **few_bins, min_child_weight=0.1).fit(*chunked(X, y), sample_weight=chunked(weight)[0])
    repeated = make(kind, **few_bins, min_child_weight=0.1).fit(*chunked(np.repeat(X, weight, 0), np.repeat(y, weight)))
    assert weighted.focal_intercept_ == pytest.approx(repeated.focal_intercept_, rel=1e-12)
    if kind is FocalDaskXGBClassifier:  # LightGBM counts rows
        np.testing.assert_allclose(
            weighted.to_local().decision_function(X), repeated.to_local().decision_function(X), atol=1e-4
        )


@both
def test_the_card_sample(client, kind):
    cards = load_creditcard()
    X, y, weight = (np.asarray(each) for each in (cards.data, cards.target, cards.sample_weight))
    n_training = len(y) * 4 // 5  # in time
    params = {"n_estimators": 300, "learning_rate": 0.03, "max_bin": 63, "random_state": 0}
    params |= {"num_leaves": 8} if kind is FocalDaskLGBMClassifier else {"max_depth": 3}

    def precision(model):
        fraud = model.predict_proba(X[n_training:])[:, 1]
        return average_precision_score(y[n_training:], fraud, sample_weight=weight[n_training:])

    local = make(kind, local=True, **params).fit(X[:n_training], y[:n_training], sample_weight=weight[:n_training])
    # Each worker makes the bins of some features of the rows it has: that alone moves a model's precision by 0.0075
    # (the standard deviation), and the mean of 16 by 0.002.
    on_cluster = []
    for seed in range(16):
        order = np.random.default_rng(seed).permutation(n_training)
        parts = chunked(X[order], y[order], weight[order], size=-(-n_training // 8))
        dX, dy, dweight = on_both_workers(client, *parts)
        on_cluster.append(precision(make(kind, **params).fit(dX, dy, sample_weight=dweight).to_local()))
    assert np.mean(on_cluster) == pytest.approx(precision(local), abs=0.01)


@both
def test_the_full_card_data(client, kind):
    X, y = real_data("creditcard")
    X, y = np.asarray(X, dtype=np.float32), np.asarray(y)
    n_training = len(y) * 3 // 4  # in time
    dX, dy = on_both_workers(client, *chunked(X[:n_training], y[:n_training], size=-(-n_training // 8)))
    assert dX.npartitions == 8
    # With other rows on each worker, or the same rows in another order, one model's precision varies by 0.005.
    params = {"random_state": 0, "focal_gamma": 1.0, "n_estimators": 100, "learning_rate": 0.05}
    params |= {"min_child_samples": 20} if kind is FocalDaskLGBMClassifier else {"learning_rate": 0.1}
    fitted, local = (
        make(kind, **params).fit(dX, dy),
        make(kind, local=True, **params).fit(X[:n_training], y[:n_training]),
    )
    rest = slice(n_training, None)
    scores = [
        average_precision_score(y[rest], each.predict_proba(X[rest])[:, 1]) for each in (fitted.to_local(), local)
    ]
    assert abs(scores[0] - scores[1]) < 0.01


def test_objective_and_metric_in_xgboosts_own_training(client):
    X, y = data()
    dX, dy = on_both_workers(client, *chunked(X, y))  # XGBoost averages metrics over workers, each the same
    training = xgboost.dask.DaskQuantileDMatrix(client, dX, dy)
    loss = BinaryFocalLoss(2.0)
    result = xgboost.dask.train(
        client, {"disable_default_eval_metric": True, "base_score": 0.5}, training, num_boost_round=20,
        obj=FocalObjective(loss), custom_metric=FocalMetric(loss), evals=[(training, "training")],
    )  # fmt: skip
    margins = result["booster"].predict(xgboost.DMatrix(X), output_margin=True)
    assert average_precision_score(y, margins) > 0.9
    history = result["history"]["training"]["focal_loss"]
    assert history[-1] == pytest.approx(loss.loss(y, margins).mean(), rel=1e-3)


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
def test_unknown_chunk_sizes_are_no_obstacle(client, kind):
    X, y = data()
    table = dd.from_pandas(pd.DataFrame(X).assign(y=y), npartitions=4)
    table = table[table[0] > -1]
    dX, dy = table.drop(columns="y").to_dask_array(), table["y"].to_dask_array()
    assert np.isnan(dX.chunks[0]).all()
    assert len(make(kind).fit(dX, dy).predict(dX).compute()) == len(table)


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
    busy = client.submit(time.sleep, 4, workers=[next(iter(client.scheduler_info()["workers"]))], pure=False)
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
        address = next(iter(client.scheduler_info()["workers"]))
        with pytest.raises(RuntimeError, match=r"A worker (has ended its training before the others|was lost)"):
            make(FocalDaskLGBMClassifier, n_estimators=100_000).fit(*parts, callbacks=[stops])


def test_an_error_of_the_users_is_not_that_of_a_lost_worker(client):
    def fails(env):
        raise ValueError("no column 'pocket_money'")

    parts = on_both_workers(client, *chunked(*data()))
    with pytest.raises(ValueError, match="pocket_money"):
        make(FocalDaskLGBMClassifier).fit(*parts, callbacks=[fails])


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


@both
def test_a_failed_fit_leaves_a_fitted_model_as_it_was(client, kind):
    X, y = data(n_samples=1000)
    dX, dy = chunked(X, y)
    fitted = make(kind).fit(dX, dy)
    before = fitted.predict_proba(dX).compute()
    with pytest.raises(ValueError, match="two classes"):
        fitted.fit(dX, dy * 0)
    np.testing.assert_array_equal(fitted.predict_proba(dX).compute(), before)


@both
def test_clones_keep_the_client(client, kind):
    copy = clone(make(kind, client=client, focal_gamma=1.0))
    assert copy.client is client
    assert copy.focal_gamma == 1.0
    assert "client" in copy.get_params()


assert {FocalDaskLGBMClassifier._local_class, FocalDaskXGBClassifier._local_class} == {
    FocalLGBMClassifier, FocalXGBClassifier,
}  # fmt: skip
