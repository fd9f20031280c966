"""What the tests on a cluster share: small clusters, data in chunks, small models."""

import warnings

import pytest
from sklearn.datasets import make_classification

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

from skfocal.dask import FocalDaskLGBMClassifier, FocalDaskXGBClassifier

# What Dask and its parts say of one another.
WARNINGS_OF_DASK = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Sending large graph:UserWarning"),
]

# Of thresholds drawn at random each worker draws those of some features.
QUICK = {
    FocalDaskLGBMClassifier: {"verbose": -1, "min_child_samples": 5, "extra_trees": False},
    FocalDaskXGBClassifier: {},
}
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


def workers_of(client):
    """Return the addresses of the workers there are now; `scheduler_info` may be of before a restart."""
    return list(client.nthreads())


def on_both_workers(client, *arrays):
    """Put the first half of the chunks of each array on one worker, the rest on the other."""
    first, second = workers_of(client)
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
