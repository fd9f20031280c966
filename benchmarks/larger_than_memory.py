"""What training on batches takes: memory and time of a fit on a folder of parquet files, against all of it in memory.

    python benchmarks/larger_than_memory.py                    # 20,000,000 x 30, 2.4 GB; half an hour
    python benchmarks/larger_than_memory.py --rows 1000000 --rounds 10

Synthetic data, 1 % positives, made once in a temporary folder. Each fit is a process of its own, looked at from
outside every 20 ms: resident memory, less what the process has before it reads any data. "anonymous" is what is not a
file's: of external memory XGBoost's files are mapped, and count as resident as long as nobody else needs the space.

native     the engine's own log loss on the same batches: what the engine needs
batches    ours on ParquetBatches
external   the same with external_memory=True, XGBoost only
in memory  ours on one array of all rows
"""

import argparse
import multiprocessing
import re
import tempfile
import time
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from own_settings import OWN_SETTINGS
from sklearn.metrics import average_precision_score

from skfocal import FocalLGBMClassifier, FocalXGBClassifier
from skfocal._show_versions import kernel_in_use
from skfocal.batches import ParquetBatches, predict_in_batches
from skfocal.lightgbm.datasets import row_groups_of
from skfocal.xgboost.iterators import OfParquet

N_FEATURES = 30
ROWS_OF_A_FILE = 250_000


def make_file(path, n_rows, seed):
    """Write a file with so many rows."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((n_rows, N_FEATURES), dtype=np.float32)
    score = X[:, 0] + X[:, 1] * X[:, 2] + 2 * random.standard_normal(n_rows)
    columns = {f"x{j}": X[:, j] for j in range(N_FEATURES)} | {"is_fraud": score > 5.7}
    pq.write_table(pa.table(columns), path)


def make_data(folder, n_rows):
    """Write files for the training, and one to test on."""
    (folder / "training").mkdir()
    sizes = [min(ROWS_OF_A_FILE, n_rows - start) for start in range(0, n_rows, ROWS_OF_A_FILE)]
    for i, size in enumerate(sizes):
        make_file(folder / "training" / f"{i:04}.parquet", size, i + 1)
    make_file(folder / "test.parquet", ROWS_OF_A_FILE, 0)


def batches_of(folder):
    """Return the training data."""
    return ParquetBatches(folder / "training", target="is_fraud")


def in_memory(folder):
    """Return all of the training data as two arrays."""
    table = pq.read_table(folder / "training")
    y = table["is_fraud"].to_numpy()
    X = np.empty((len(y), N_FEATURES), dtype=np.float32)
    for j in range(N_FEATURES):
        X[:, j] = table[f"x{j}"]
    return X, y


def native_xgboost(folder, rounds):
    """Train by XGBoost's own loss."""
    data = xgboost.QuantileDMatrix(OfParquet(batches_of(folder)))
    return xgboost.train({"objective": "binary:logistic"}, data, rounds)


def native_lightgbm(folder, rounds):
    """Train by LightGBM's own loss."""
    batches = batches_of(folder)
    y = np.concatenate([batches.batch(i, with_features=False).y for i in range(len(batches.n_rows))])
    data = lightgbm.Dataset(row_groups_of(batches), label=y)
    return lightgbm.train({"objective": "binary", "verbose": -1}, data, rounds)


def focal(engine, way):
    """Return a function that trains by the focal loss."""
    kind, quiet = {"XGBoost": (FocalXGBClassifier, {}), "LightGBM": (FocalLGBMClassifier, {"verbose": -1})}[engine]

    def fit(folder, rounds):
        classifier = kind(n_estimators=rounds, focal_gamma=1.0, **quiet, **OWN_SETTINGS[engine])
        if way == "in memory":
            return classifier.fit(*in_memory(folder))
        on_disk = {"external_memory": True} if way == "external" else {}
        return classifier.fit(batches_of(folder), **on_disk)

    return fit


FITS = {
    ("XGBoost", "native"): native_xgboost,
    **{("XGBoost", way): focal("XGBoost", way) for way in ("batches", "external", "in memory")},
    ("LightGBM", "native"): native_lightgbm,
    **{("LightGBM", way): focal("LightGBM", way) for way in ("batches", "in memory")},
}


def precision(model, folder):
    """Return the average precision of a model of the test file, None of an engine's own."""
    if not hasattr(model, "predict_proba"):
        return None
    batches = ParquetBatches(folder / "test.parquet", target="is_fraud")
    posterior = np.concatenate(list(predict_in_batches(model, batches)))
    return float(average_precision_score(batches.batch(0, with_features=False).y, posterior[:, 1]))


def work(connection, name, folder, rounds):
    """Train in a process of its own, and say when it begins and how it ends."""
    connection.send("ready")
    connection.recv()
    start = time.perf_counter()
    model = FITS[name](folder, rounds)
    connection.send((time.perf_counter() - start, precision(model, folder)))


def resident(pid):
    """Return the resident memory of a process, all of it and what is no file's, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return np.array([int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024 for name in ("VmRSS", "RssAnon")])


def measure(name, folder, rounds):
    """Return a row of the table."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, name, folder, rounds))
    process.start()
    theirs.close()  # so that a process that dies is not waited for
    ours.recv()  # that it is ready
    before = resident(process.pid)
    ours.send("go")
    peak = before
    while not ours.poll(0.02) and process.is_alive():
        peak = np.maximum(peak, resident(process.pid))
    seconds, score = ours.recv()
    process.join()
    memory, anonymous = peak - before
    return {"engine": name[0], "fit": name[1], "seconds": seconds, "MiB": memory, "anonymous": anonymous, "AP": score}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=50, help="trees")
    parser.add_argument("--engines", nargs="+", choices=["LightGBM", "XGBoost"], default=["XGBoost", "LightGBM"])
    parser.add_argument("--folder", type=Path, help="where the data is to be made; a temporary folder by default")
    options = parser.parse_args()
    print(f"Kernel: {kernel_in_use()}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        make_data(Path(folder), options.rows)
        names = [name for name in FITS if name[0] in options.engines]
        table = pd.DataFrame([measure(name, Path(folder), options.rounds) for name in names])
    print(table.to_string(index=False, float_format="{:.4g}".format, na_rep=""))


if __name__ == "__main__":
    main()
