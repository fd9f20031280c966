"""What a cluster costs: seconds of a fit on Dask against the engine's own log loss there, and against one process.

    python benchmarks/cluster.py                          # 1, 2, 4 and 8 million rows x 30; an hour
    python benchmarks/cluster.py --rows 1000000 --workers 2

A cluster of so many processes on this machine, with a thread each, against one process with as many threads; the rows
are made on the workers, 1 % positives, and are there before the clock runs. gamma = 0 and the exact Hessian grow the
trees of the log loss, so that nothing differs but who computes the gradient. Fits in turn, native, focal, native ...;
ratios are medians of pairs.

native   LightGBM's DaskLGBMClassifier, XGBoost's DaskXGBClassifier, on their own log loss
focal    ours on the same cluster
local    ours in one process
"""

import argparse
import time
import warnings

import dask.array as da
import lightgbm
import numpy as np
import pandas as pd
import xgboost.dask
from distributed import Client, LocalCluster, wait
from own_settings import OWN_SETTINGS

from skfocal import FocalLGBMClassifier, FocalXGBClassifier
from skfocal._show_versions import kernel_in_use
from skfocal.dask import FocalDaskLGBMClassifier, FocalDaskXGBClassifier

SAME_TREES = {"focal_gamma": 0.0, "focal_hessian": "exact"}
ENGINES = {
    "LightGBM": (lightgbm.DaskLGBMClassifier, FocalDaskLGBMClassifier, FocalLGBMClassifier, {"verbose": -1}),
    "XGBoost": (xgboost.dask.DaskXGBClassifier, FocalDaskXGBClassifier, FocalXGBClassifier, {}),
}


def make_data(n_rows, n_features, n_chunks):
    """Return features and labels as lazy arrays of Dask."""
    random = da.random.default_rng(0)
    X = random.normal(size=(n_rows, n_features), chunks=(-(-n_rows // n_chunks), -1)).astype(np.float32)
    score = X[:, 0] + X[:, 1] * X[:, 2] + 2 * random.normal(size=n_rows, chunks=X.chunks[0])
    return X, (score > 5.7).astype(np.int32)


def seconds(model, X, y):
    """Return how long a fit takes."""
    start = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - start


def compare(client, engine, n_rows, options):
    """Return a row of the table."""
    native, focal, local, quiet = ENGINES[engine]
    same_trees = SAME_TREES | OWN_SETTINGS[engine]
    params = {"n_estimators": options.rounds, **quiet}
    X, y = client.persist(make_data(n_rows, 30, 4 * options.workers))
    wait([X, y])
    pairs = [
        (seconds(native(**params), X, y), seconds(focal(**params, **same_trees), X, y)) for _ in range(options.repeat)
    ]
    arrays = X.compute(), y.compute()
    del X, y
    alone = np.median([
        seconds(local(**params, **same_trees, n_jobs=options.workers), *arrays) for _ in range(options.repeat)
    ])  # fmt: skip
    native_s, focal_s = np.median(pairs, axis=0)
    ratios = [focal_s / native_s for native_s, focal_s in pairs]
    return {
        "engine": engine, "rows": n_rows, "native s": native_s, "focal s": focal_s, "local s": alone,
        "to native": np.median(ratios), "from": min(ratios), "to": max(ratios), "to local": focal_s / alone,
    }  # fmt: skip


def main():
    """Print the table, a line after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--rows", nargs="+", type=int, default=[1_000_000, 2_000_000, 4_000_000, 8_000_000])
    parser.add_argument("--rounds", type=int, default=20, help="trees")
    parser.add_argument("--repeat", type=int, default=3, help="rounds of native, focal ...")
    parser.add_argument("--workers", type=int, default=2, help="processes of the cluster, with a thread each")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"Kernel: {kernel_in_use()}")
    cluster = LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=":0", memory_limit=None)
    with cluster, Client(cluster) as client:
        rows = [compare(client, engine, n, options) for n in options.rows for engine in options.engines]
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
