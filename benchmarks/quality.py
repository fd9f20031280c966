"""Quality on real data: both engines on their own log loss and on the focal loss, every gamma, both Hessian policies.

    python benchmarks/quality.py FOLDER            # all data sets of the folder, about five minutes on two cores
    python benchmarks/quality.py FOLDER creditcard # one of them

FOLDER holds parquet files with an integer column ``target``. creditcard is split in time (first 80 % to train), the
others at random (75 %, stratified). 100 trees, the engines' own settings. AP is the average precision of the positive
class, or its mean over classes; the log loss is that of `predict_proba`, beside it that of the margins by sigmoid or
softmax. The last table compares the Hessian policies over all data sets and gammas.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from own_settings import focal_engines
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

from skfocal.losses import HESSIAN_POLICIES

GAMMAS = [0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0]
OWN = {
    "LightGBM": LGBMClassifier(verbose=-1),
    "XGBoost": XGBClassifier(enable_categorical=True),
}
FOCAL = focal_engines()


def load(path):
    """Return training and test features and targets."""
    frame = pd.read_parquet(path)
    target = frame.pop("target").to_numpy()
    if path.stem == "creditcard":
        n_train = int(0.8 * len(target))
        return frame[:n_train], frame[n_train:], target[:n_train], target[n_train:]
    return train_test_split(frame, target, test_size=0.25, stratify=target, random_state=0)


def by_sigmoid(model, X):
    """Return the probabilities that the margins of a focal model would give without the link."""
    raw = model.decision_function(X).astype(np.float64)
    return softmax(raw, axis=1) if raw.ndim == 2 else np.column_stack([expit(-raw), expit(raw)])


def evaluate(model, X, X_test, y, y_test):
    """Fit and return average precision, log loss, and whether the model is finite and not constant."""
    proba = model.fit(X, y).predict_proba(X_test)
    classes = [1] if proba.shape[1] == 2 else range(proba.shape[1])
    ap = np.mean([average_precision_score(y_test == k, proba[:, k]) for k in classes])
    return {
        "AP": ap,
        "log loss": log_loss(y_test, proba),
        "by sigmoid": log_loss(y_test, by_sigmoid(model, X_test)) if hasattr(model, "focal_loss_") else np.nan,
        "sound": np.isfinite(proba).all() and len(np.unique(proba)) > 10,
    }


def compare(path):
    """Return one row for each engine, policy and gamma."""
    data = load(path)
    rows = []
    for engine, own in OWN.items():
        # What a careful user would try first where the engine's own loss goes astray.
        regularised = evaluate(clone(own).set_params(reg_lambda=10), *data)
        base = evaluate(own, *data)
        models = [("own log loss", None, base), ("own, reg_lambda=10", None, regularised)]
        both = clone(FOCAL[engine]).set_params(focal_gamma=2.0, reg_lambda=10)
        models.append(("stable, reg_lambda=10", 2.0, evaluate(both, *data)))
        for policy in HESSIAN_POLICIES:
            for gamma in GAMMAS:
                focal = clone(FOCAL[engine]).set_params(focal_gamma=gamma, focal_hessian=policy)
                models.append((policy, gamma, evaluate(focal, *data)))
        for policy, gamma, row in models:
            ratios = {"AP / own": row["AP"] / base["AP"], "log loss / own": row["log loss"] / base["log loss"]}
            rows.append({"data": path.stem, "engine": engine, "policy": policy, "gamma": gamma, **row, **ratios})
    return pd.DataFrame(rows)


def main():
    """Print a table for each data set, then the policies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="data sets; all of the folder if none is named")
    options = parser.parse_args()
    paths = [options.folder / f"{name}.parquet" for name in options.names] or sorted(options.folder.glob("*.parquet"))
    tables = []
    for path in paths:
        tables.append(compare(path))
        print(tables[-1].drop(columns="data").to_string(index=False, float_format="{:.4f}".format, na_rep=""))
        print(f"({path.stem})\n", flush=True)
    summary = (
        pd.concat(tables)
        .groupby(["engine", "policy"])
        .agg(
            worst_ap=("AP / own", "min"),
            median_ap=("AP / own", "median"),
            worst_log_loss=("log loss / own", "max"),
            median_log_loss=("log loss / own", "median"),
            all_sound=("sound", "all"),
        )
    )
    print("Ratios to the engine's own log loss, over all data sets and gammas:")
    print(summary.to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
