"""Early stopping, samplers and the mix with the log loss on real data, for both engines.

    python benchmarks/everyday.py FOLDER             # all binary data sets of the folder
    python benchmarks/everyday.py FOLDER creditcard  # one of them

FOLDER holds parquet files with an integer column ``target``; numeric columns only, as SMOTE takes no others. creditcard
is split in time (first 80 % to train), the others at random (75 %, stratified, 20,000 rows to train at most). "100
rounds" are the engines' own settings and gamma = 2; "early, METRIC" stops after 20 rounds without progress of that
metric on a fifth of the training data, of 500 at most, seed 0. AP is the average precision, LL the log loss; "as
trained" that of the posterior at the prior that the sampler has made, before the correction.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import RandomUnderSampler
from own_settings import focal_engines
from sklearn.base import clone
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import train_test_split

ENGINES = focal_engines(focal_gamma=2.0)
EARLY = {"n_estimators": 500, "early_stopping_rounds": 20, "validation_fraction": 0.2, "random_state": 0}
SAMPLERS = {"none": None, "SMOTE": SMOTE(random_state=0), "RandomUnderSampler": RandomUnderSampler(random_state=0)}
MIXES = [0.0, 0.05, 0.2, 0.5, 1.0]


def load(path):
    """Return training and test features and targets."""
    frame = pd.read_parquet(path)
    target = frame.pop("target").to_numpy()
    X = frame.select_dtypes("number").to_numpy(np.float32)
    if path.stem == "creditcard":
        n_train = int(0.8 * len(target))
        return X[:n_train], X[n_train:], target[:n_train], target[n_train:]
    parts = train_test_split(X, target, test_size=0.25, stratify=target, random_state=0)
    return parts[0][:20000], parts[1], parts[2][:20000], parts[3]


def evaluate(model, X, X_test, y, y_test):
    """Fit and return the figures of one row."""
    model.fit(X, y)
    corrected = model.predict_proba(X_test)
    as_trained = model.focal_loss_.predict_proba(model.decision_function(X_test))
    return {
        "rounds": model.best_iteration_ if model.early_stopping_rounds else 100,
        "AP": average_precision_score(y_test, corrected[:, 1]),
        "LL": log_loss(y_test, corrected),
        "LL as trained": log_loss(y_test, as_trained),
    }


def ways():
    """Return the parameters of each way to train."""
    metrics = ("focal_loss", "log_loss", "average_precision")
    return {"100 rounds": {}} | {f"early, {metric}": EARLY | {"eval_metric": metric} for metric in metrics}


def main(arguments=None):
    """Print both tables of each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="data sets; all binary ones if none is given")
    options = parser.parse_args(arguments)
    for path in sorted(options.folder.glob("*.parquet")):
        if path.stem.startswith("mc_") or (options.names and path.stem not in options.names):
            continue
        data = load(path)
        rows = {
            (engine, name, way): evaluate(clone(model).set_params(sampler=sampler, **params), *data)
            for engine, model in ENGINES.items()
            for name, sampler in SAMPLERS.items()
            for way, params in ways().items()
        }
        print(f"\n{path.stem}: samplers and early stopping, gamma = 2")
        print(pd.DataFrame.from_dict(rows, orient="index").to_string(float_format="{:.4f}".format))
        rows = {
            (engine, f"focal_mix = {mix:g}", way): evaluate(clone(model).set_params(focal_mix=mix, **params), *data)
            for engine, model in ENGINES.items()
            for mix in MIXES
            for way, params in list(ways().items())[:2]
        }
        print(f"\n{path.stem}: mixed with the log loss, gamma = 2")
        table = pd.DataFrame.from_dict(rows, orient="index").drop(columns="LL as trained")
        print(table.to_string(float_format="{:.4f}".format), flush=True)


if __name__ == "__main__":
    main()
