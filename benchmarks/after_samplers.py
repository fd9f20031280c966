"""Probabilities after samplers of imbalanced-learn: ways to undo what these do to the prior.

    python benchmarks/after_samplers.py FOLDER [NAME ...]    # of the parquet files in it, all if none is given

FOLDER holds parquet files with an integer column ``target``. creditcard is split in time (55,000 rows to train), others
at random (20,000 at most), by each seed anew. The engines' own settings, gamma = 2. "early" stops after 20 of 500
rounds without progress on a tenth, by the log loss, for which the classifiers weigh the classes anew in every round.
All ways multiply the posterior as trained by weights. "counts": the ratio of class counts before and after. "matched":
those of maximum likelihood on the training rows before the sampler, with which the mean posterior is the share of each
class. "held out": on the tenth (after 100 rounds with a model of the rest). "cross-fitted": on three folds. "best": on
the test data. LL is the log loss, "mean" the mean probability of the rarest class divided by its share, AP its average
precision; means of 3 seeds.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from own_settings import focal_engines
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.base import clone
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split

from skfocal import correct_prior

ENGINES = focal_engines(focal_gamma=2.0)
SAMPLERS = [SMOTE(), BorderlineSMOTE(), RandomOverSampler(), RandomUnderSampler()]
EARLY = {"n_estimators": 500, "early_stopping_rounds": 20}


def load(path, seed):
    """Return training and test features and targets."""
    frame = pd.read_parquet(path)
    target = frame.pop("target").to_numpy(int)
    for name in frame.columns.difference(frame.select_dtypes("number").columns):
        frame[name] = frame[name].astype("category").cat.codes
    X = frame.fillna(frame.median()).to_numpy(np.float32)
    in_time = path.stem == "creditcard"
    how = {"shuffle": False} if in_time else {"stratify": target, "random_state": seed}
    X, X_test, y, y_test = train_test_split(X, target, test_size=0.2 if in_time else 0.25, **how)
    size = min(len(y) - 10, 55000 if in_time else 20000)
    chosen, _ = train_test_split(np.arange(len(y)), train_size=size, stratify=y, random_state=seed)
    return X[chosen], X_test, y[chosen], y_test


def match(posterior, seen, y):
    """Return the posterior times the weights with which the mean posterior of those seen is the share of each class."""
    log_seen, share = np.log(np.clip(seen, 1e-300, None)), np.bincount(y) / len(y)

    def negative_likelihood(b):
        logits = log_seen + np.append(0, b)
        mean = np.exp(log_softmax(logits, axis=1)).mean(axis=0)
        return logsumexp(logits, axis=1).mean() - share[1:] @ b, (mean - share)[1:]

    b = minimize(negative_likelihood, np.zeros(len(share) - 1), jac=True, tol=1e-8).x
    return softmax(np.log(np.clip(posterior, 1e-300, None)) + np.append(0, b), axis=1)


def corrected(model, X, X_test, y, y_test, seed):
    """Fit, and yield each way and the posterior of the test data."""

    def as_trained(fitted, X):
        return fitted.focal_loss_.predict_proba(fitted.decision_function(X).astype(np.float64))

    early = model.fit(X, y).early_stopping_rounds is not None
    rows, tenth = train_test_split(np.arange(len(y)), test_size=0.1, stratify=y, random_state=seed)  # as the model does
    rest = model if early else clone(model).fit(X[rows], y[rows])
    seen = np.sort(rows) if early else np.arange(len(y))
    after = clone(model.sampler).fit_resample(X[seen], y[seen])[1]
    posterior, folds = as_trained(model, X_test), np.empty((len(y), len(model.classes_)))
    fixed = clone(model).set_params(early_stopping_rounds=None, n_estimators=model.best_iteration_ if early else 100)
    for others, fold in StratifiedKFold(3, shuffle=True, random_state=seed).split(X, y):
        folds[fold] = as_trained(clone(fixed).fit(X[others], y[others]), X[fold])
    yield "as trained", posterior
    yield "counts", correct_prior(posterior, training_prior=np.bincount(after), prior=np.bincount(y[seen]))
    yield "matched", match(posterior, as_trained(model, X[seen]), y[seen])
    yield "held out", match(as_trained(rest, X_test), as_trained(rest, X[tenth]), y[tenth])
    yield "cross-fitted", match(posterior, folds, y)
    yield "best", match(posterior, posterior, y_test)


def evaluate(path, engine, sampler, seed):
    """Yield the rows of one data set, engine, sampler and seed."""
    X, X_test, y, y_test = load(path, seed)
    for way, params in {"100 rounds": {}, "early": EARLY | {"eval_metric": "log_loss"}}.items():
        model = clone(ENGINES[engine]).set_params(n_jobs=1, random_state=seed, **params)
        none = [("no sampler", clone(model).fit(X, y).predict_proba(X_test))]
        model.set_params(sampler=clone(sampler).set_params(random_state=seed))
        for by, posterior in [*none, *corrected(model, X, X_test, y, y_test, seed)]:
            is_rare, rare_posterior = y_test == np.bincount(y_test).argmin(), posterior[:, np.bincount(y_test).argmin()]
            ratio, ap = rare_posterior.mean() / is_rare.mean(), average_precision_score(is_rare, rare_posterior)
            yield {"way": way, "by": by, "LL": log_loss(y_test, posterior), "mean": ratio, "AP": ap}


def main(arguments=None):
    """Print a table of each data set, engine and sampler."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="SMOTE only")
    options = parser.parse_args(arguments)
    for path, engine, sampler in product(
        sorted(options.folder.glob("*.parquet")), ENGINES, SAMPLERS[: 1 if options.quick else None]
    ):
        if path.stem in (options.names or [path.stem]):
            rows = pd.DataFrame(row for seed in range(options.seeds) for row in evaluate(path, engine, sampler, seed))
            print(f"\n{path.stem}, {engine}, {type(sampler).__name__}, gamma = 2")
            print(rows.groupby(["way", "by"], sort=False).mean().to_string(float_format="{:.4f}".format), flush=True)


if __name__ == "__main__":
    main()
