"""What the tests of data in batches share: batches, the ways to hand rows over, small models."""

from itertools import pairwise

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.datasets import make_classification

from skfocal import FocalLGBMClassifier, FocalXGBClassifier
from skfocal.batches import ParquetBatches

QUICK = {"n_estimators": 15, "random_state": 0}
NAMES = np.array(["fair", "fraud", "strange"])


class Batches(xgboost.DataIter):
    """An iterator over batches, each a dict of what `input_data` takes."""

    def __init__(self, batches, **params):
        super().__init__(**params)
        self.batches = batches
        self.left = iter(())

    def reset(self):
        self.left = iter(self.batches)

    def next(self, input_data):
        batch = next(self.left, None)
        if batch is not None:
            input_data(**batch)
        return batch is not None


class Rows(lightgbm.Sequence):
    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        return self.X[rows]


def data(n_classes=2, n_samples=3000):
    """Return features with few values, of which any engine makes the same bins, and codes."""
    weights = [0.85] + [0.15 / (n_classes - 1)] * (n_classes - 1)
    X, y = make_classification(
        n_samples, 8, n_informative=6, n_classes=n_classes, weights=weights, random_state=0, class_sep=0.7
    )
    X = X.round(1)
    X[::7, 2] = np.nan
    return X, y


def split(n_parts=4, **arrays):
    """Return batches of unequal sizes, of which the first lacks nothing but rows in between."""
    bounds = np.linspace(0, 1, n_parts + 1) ** 1.5
    n_rows = len(next(iter(arrays.values())))
    bounds = (bounds * n_rows).astype(int)
    return [{name: array[start:stop] for name, array in arrays.items()} for start, stop in pairwise(bounds)]


def write(folder, X, y, weight=None, n_files=3):
    """Write parquet files with small row groups, the last of them without rows."""
    columns = {f"x{j}": X[:, j] for j in range(X.shape[1])} | {"label": y}
    table = pd.DataFrame(columns if weight is None else columns | {"weight": weight})
    for i, rows in enumerate(np.array_split(np.arange(len(table)), n_files)):
        table.iloc[rows].to_parquet(folder / f"{i}.parquet", row_group_size=300, index=False)
    table.iloc[:0].to_parquet(folder / "none.parquet", index=False)
    return ParquetBatches(folder, target="label", weight=None if weight is None else "weight")


def of_iterator(X, y, weight, folder):
    return Batches(split(data=X, label=y, **({} if weight is None else {"weight": weight})))


def of_external_memory(X, y, weight, folder):
    batches = split(data=X, label=y, **({} if weight is None else {"weight": weight}))
    return Batches(batches, cache_prefix=str(folder / "cache"))


def of_matrix(X, y, weight, folder):
    return xgboost.DMatrix(X, label=np.unique(y, return_inverse=True)[1], weight=weight)


def of_binned_matrix(X, y, weight, folder):
    return xgboost.QuantileDMatrix(X, label=np.unique(y, return_inverse=True)[1], weight=weight)


def of_parquet(X, y, weight, folder):
    return write(folder, X, y, weight)


def of_dataset(X, y, weight, folder):
    return lightgbm.Dataset(X, label=np.unique(y, return_inverse=True)[1], weight=weight)


def of_sequences(X, y, weight, folder):
    parts = [Rows(part) for part in np.array_split(X, 3)]
    return lightgbm.Dataset(parts, label=np.unique(y, return_inverse=True)[1], weight=weight)


def of_binary_file(X, y, weight, folder):
    path = folder / "data.bin"
    of_dataset(X, y, weight, folder).save_binary(path)
    return lightgbm.Dataset(path)


STREAMS = [
    (FocalXGBClassifier, of_iterator),
    (FocalXGBClassifier, of_external_memory),
    (FocalXGBClassifier, of_matrix),
    (FocalXGBClassifier, of_binned_matrix),
    (FocalXGBClassifier, of_parquet),
    (FocalLGBMClassifier, of_dataset),
    (FocalLGBMClassifier, of_sequences),
    (FocalLGBMClassifier, of_binary_file),
    (FocalLGBMClassifier, of_parquet),
]
streams = pytest.mark.parametrize(
    ("kind", "stream"), STREAMS, ids=[f"{kind.__name__}-{stream.__name__}" for kind, stream in STREAMS]
)
with_parquet = pytest.mark.parametrize("kind", [FocalXGBClassifier, FocalLGBMClassifier])


def make(kind, **params):
    quiet = {"verbose": -1, "force_col_wise": True} if kind is FocalLGBMClassifier else {}
    return kind(**QUICK | quiet | params)


def quietly(kind):
    """Return what keeps a fit with evaluation sets from printing."""
    return {"verbose": False} if kind is FocalXGBClassifier else {}


def features_of(model, X):
    """Return features with the names that a model knows."""
    names = getattr(model, "feature_names_in_", None)
    return X if names is None else pd.DataFrame(X, columns=names)


FEATURES, CODES = data()
GOOD = split(data=FEATURES, label=CODES)
