"""Does a process that trains for long stay as it is: its memory, threads, open files and temporary files.

    python benchmarks/long_use.py                      # 1,000 models of each classifier; five minutes
    python benchmarks/long_use.py --models 200 --only LightGBM
    python benchmarks/long_use.py --trace              # Python's memory too, in four times as long

Each model is fitted, predicts, is saved and loaded, and forgotten; the ways to do so (early stopping, evaluation sets,
samplers, more classes, old models to go on from, batches, fits that fail ...) take turns. A tenth as many models come
before the first look, so that all that is made once is there. Printed is what there is at the first look and at the
last, after a collection of garbage, and the change in percent; the program exits with 1 if one is over 5.

resident   memory of the process, of which the allocator keeps what was needed once
own        the part of it that is not a file's: those are others' too, and count as they come and go
allocated  what the C library has given out, to the engines too, and not taken back
blocks     small blocks of memory that Python's objects have
objects    those that the garbage collector knows
traced     memory of all of Python's objects, by tracemalloc
"""

import argparse
import ctypes
import gc
import pickle
import re
import sys
import tempfile
import threading
import tracemalloc
import warnings
from contextlib import suppress
from functools import cache
from itertools import cycle, islice
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import clone
from sklearn.datasets import make_classification

import skfocal
from skfocal.batches import ParquetBatches

LIMIT = 5.0  # percent

QUICK = {
    "HistGB": {"max_iter": 10, "early_stopping": False, "max_bins": 16},
    "LightGBM": {"n_estimators": 10, "verbose": -1},
    "XGBoost": {"n_estimators": 10},
    "MLP": {"hidden_layer_sizes": (8,), "max_iter": 10},
}
CLASSIFIERS = {
    "HistGB": "FocalHistGradientBoostingClassifier",
    "LightGBM": "FocalLGBMClassifier",
    "XGBoost": "FocalXGBClassifier",
    "MLP": "FocalMLPClassifier",
}
FILES = {"LightGBM": ["model.txt"], "XGBoost": ["model.json", "model.ubj"]}


class FailureError(Exception):
    """What a scorer of ours raises."""


def failing(estimator, X, y):
    """Raise, as a scorer."""
    raise FailureError


def half(estimator, X, y):
    """Return a score that does not get better, so that training stops early."""
    return 0.5


class EveryOther:
    """A sampler as imbalanced-learn has them."""

    def get_params(self, deep=True):
        """Return none."""
        return {}

    def fit_resample(self, X, y):
        """Keep every other sample of the first class."""
        self.sample_indices_ = np.flatnonzero((y != 0) | (np.arange(len(y)) % 2 == 0))
        return X[self.sample_indices_], y[self.sample_indices_]


class Use:
    """The ways to use a classifier, on a few samples.

    Parameters
    ----------
    name : str
        One of `CLASSIFIERS`.
    folder : Path
        Where to save.
    n_jobs : int, default=2
        Number of threads, of the engines that are told.
    """

    def __init__(self, name, folder, n_jobs=2):
        self.name, self.folder = name, folder
        self.params = QUICK[name] | ({"n_jobs": n_jobs} if name in FILES else {})
        self.kind = getattr(skfocal, CLASSIFIERS[name])
        X, codes = make_classification(400, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0)
        self.X, self.codes = X.astype(np.float32), codes
        self.y = np.where(codes == 2, "fraud", "none")
        if name in FILES:
            # It starts its threads by and by, and keeps them.
            pa.set_cpu_count(1)
            pa.set_io_thread_count(1)
            frame = pd.DataFrame(self.X, columns=list("abcdef")).assign(y=self.y)
            frame.to_parquet(folder / "data.parquet", row_group_size=100)

    def ways(self):
        """Return functions by name, each of which fits a classifier in its way and returns it."""
        always = {"plain": self.plain, "more classes": self.more_classes, "clone": self.cloned}
        if self.name == "MLP":
            return always | {"early": self.early, "labels": self.labels, "goes on": self.refined}
        if self.name == "HistGB":
            return always | {"early": self.early, "sampler": self.sampler, "goes on": self.warm, "fails": self.fails}
        boosted = {"early": self.early, "watched": self.watched, "sampler": self.sampler, "fails": self.fails}
        return always | boosted | {"table": self.table, "goes on": self.continued, "batches": self.batches}

    def new(self, **params):
        """Return a classifier that is not fitted."""
        return self.kind(**self.params | params)

    def plain(self, **params):
        """Fit with weights."""
        return self.new(**params).fit(self.X, self.y, sample_weight=np.arange(len(self.y)) % 3)

    def more_classes(self):
        """Fit to three classes."""
        return self.new(focal_gamma=[0.5, 1.0, 2.0], class_weight="balanced").fit(self.X, self.codes)

    def cloned(self):
        """Fit a clone, twice."""
        return clone(self.new(random_state=0)).fit(self.X, self.codes).fit(self.X, self.y)

    def early(self, metric="log_loss"):
        """Stop early, on a part of the data."""
        if self.name == "MLP":
            return self.new(early_stopping=True).fit(self.X, self.y)
        if self.name == "HistGB":
            scoring = "neg_log_loss" if metric == "log_loss" else metric
            return self.new(early_stopping=True, n_iter_no_change=2, scoring=scoring).fit(self.X, self.y)
        return self.new(early_stopping_rounds=2, eval_metric=["average_precision", metric]).fit(self.X, self.y)

    def watched(self):
        """Watch two evaluation sets, one of them the training data, by a name and by a function."""
        quiet = {"verbose": False} if self.name == "XGBoost" else {}
        sets = [(self.X, self.y), (self.X[::2], self.y[::2])]
        return self.new(eval_metric=["focal_loss", half]).fit(self.X, self.y, eval_set=sets, **quiet)

    def sampler(self):
        """Resample."""
        return self.plain(sampler=EveryOther())

    def fails(self):
        """Fail in the middle of training; then as `early`."""
        with suppress(FailureError):
            self.early(metric=failing)
        return self.early(metric=half)

    def labels(self):
        """Fit to a matrix of labels."""
        return self.new().fit(self.X, np.c_[self.codes == 1, self.codes == 2].astype(int))

    def refined(self):
        """Go on from a fitted network, in `fit` and in `partial_fit`."""
        model = self.kind.from_estimator(self.plain())
        return model.fit(self.X, self.y).partial_fit(self.X, self.y)

    def warm(self):
        """Go on from what it is."""
        model = self.plain(warm_start=True)
        return model.set_params(max_iter=15).fit(self.X, self.y)

    def continued(self):
        """Go on from an old model."""
        argument = "init_model" if self.name == "LightGBM" else "xgb_model"
        return self.new().fit(self.X, self.y, **{argument: self.plain()})

    def table(self):
        """Fit to a table with categories."""
        frame = pd.DataFrame(self.X, columns=list("abcdef"))
        return self.new().fit(frame.assign(f=pd.Categorical(np.where(self.X[:, 5] > 0, "u", "v"))), self.y)

    def batches(self):
        """Fit to batches of a file."""
        on_disk = {"external_memory": True} if self.name == "XGBoost" else {}
        return self.new().fit(ParquetBatches(self.folder / "data.parquet", target="y"), **on_disk)

    def turn(self, way):
        """Fit in a way, predict, save, load, predict again, and forget all of it."""
        model = way()
        X = self.X
        if hasattr(model, "feature_names_in_"):
            X = pd.DataFrame(X, columns=list("abcdef"))
            if way == self.table:
                X = X.assign(f=pd.Categorical(np.where(self.X[:, 5] > 0, "u", "v")))
        expected = model.predict_proba(X)
        joblib.dump(model, self.folder / "model.joblib")
        loaded = [pickle.loads(pickle.dumps(model)), joblib.load(self.folder / "model.joblib")]  # noqa: S301  # our own
        for file in FILES.get(self.name, ()):
            model.save_model(self.folder / file)
            loaded.append(self.kind().load_model(self.folder / file))
        for each in loaded:
            np.testing.assert_array_equal(each.predict_proba(X), expected)


class _MallInfo(ctypes.Structure):
    _fields_ = [("values", ctypes.c_size_t * 10)]


@cache
def _mallinfo():
    function = ctypes.CDLL(None).mallinfo2
    function.restype = _MallInfo
    return function


def allocated():
    """Return how many bytes glibc has given out: of mapped memory, and of its heaps."""
    values = _mallinfo()().values
    return values[4] + values[7]


def count(folder):
    """Return how many entries a folder has."""
    return sum(1 for _ in Path(folder).iterdir())


def look(folder):
    """Return what the process has, by name; Linux tells."""
    # Names of attributes, of which Python keeps some thousands that were looked up last.
    getattr(sys, "_clear_internal_caches", getattr(sys, "_clear_type_cache", None))()
    gc.collect()
    rollup = Path("/proc/self/smaps_rollup").read_text()
    kib = {name: int(number) for name, number in re.findall(r"(\w+): +(\d+) kB", rollup)}
    traced, _ = tracemalloc.get_traced_memory()
    return {
        "resident MiB": kib["Rss"] / 1024,
        "own MiB": kib["Anonymous"] / 1024,
        "allocated MiB": allocated() / 1024**2,
        "blocks": sys.getallocatedblocks(),
        "objects": len(gc.get_objects()),
        "threads": count("/proc/self/task"),
        "Python's threads": threading.active_count(),
        "descriptors": count("/proc/self/fd"),
        "files": sum(1 for _ in folder.rglob("*")),
    } | ({"traced MiB": traced / 1024**2} if traced else {})


def measure(name, n_models, folder):
    """Use a classifier; return the largest change in percent of anything that is looked at, and print all."""
    use = Use(name, folder)
    ways = cycle(use.ways().values())
    for way in islice(ways, max(n_models // 10, 2 * len(use.ways()))):
        use.turn(way)
    before = look(folder)
    for way in islice(ways, n_models):
        use.turn(way)
    table = pd.DataFrame({"first": before, "last": look(folder)})
    table["change, %"] = 100 * (table["last"] / table["first"] - 1)
    print(f"\n{name}, {n_models} models, {len(use.ways())} ways")
    print(table.to_string(float_format="{:.2f}".format), flush=True)
    return table["change, %"].max()


def main(arguments=None):
    """Print a table for each classifier; return whether all is flat."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--only", nargs="+", choices=CLASSIFIERS, default=list(CLASSIFIERS))
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    if options.trace:
        tracemalloc.start()
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # so that whatever is left in it is seen
        try:
            changes = [measure(name, options.models, Path(folder)) for name in options.only]
        finally:
            tempfile.tempdir = None
    return max(changes) <= LIMIT


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
