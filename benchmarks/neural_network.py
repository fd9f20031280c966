"""FocalMLPClassifier against scikit-learn's MLPClassifier: time of a fit, quality on card fraud.

    python benchmarks/neural_network.py              # time only, synthetic data, four minutes
    python benchmarks/neural_network.py FOLDER       # and quality; FOLDER holds creditcard.parquet, twelve minutes

Time: the two are fitted in turn, in one process, for the same number of epochs from the same random state; the ratio is
the median over pairs. Quality: the first 80 % in time to train, the rest to test; StandardScaler, gamma = 2 unless
another is named, ``early_stopping=True``, five seeds; the log loss through the link, and beside it that of the margins'
sigmoid.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score, log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from skfocal import FocalMLPClassifier

CASES = {
    "two classes": {"n_classes": 2},
    "two classes, float32": {"n_classes": 2, "dtype": np.float32},
    "two classes, weighted": {"n_classes": 2, "weighted": True},
    "five classes": {"n_classes": 5},
    "two classes, early stopping": {"n_classes": 2, "early_stopping": True},
    "two classes, sgd": {"n_classes": 2, "solver": "sgd"},
    "two classes, lbfgs": {"n_classes": 2, "solver": "lbfgs", "max_iter": 1000, "max_fun": 15},
}


def seconds(model, *data):
    """Return the seconds that a fit takes."""
    start = time.perf_counter()
    model.fit(*data)
    return time.perf_counter() - start


def overhead(n_samples, n_pairs, *, n_classes, dtype=np.float64, weighted=False, max_iter=10, **params):
    """Return one row: seconds of scikit-learn's fit, and the median ratio of ours to it."""
    positives = [0.99] if n_classes == 2 else [0.6, 0.2, 0.1, 0.07]
    X, y = make_classification(n_samples, 30, n_informative=10, n_classes=n_classes, weights=positives, random_state=0)
    weight = np.random.default_rng(0).uniform(0.5, 2, n_samples) if weighted else None
    data = X.astype(dtype), y, weight
    # With patience without end every epoch is run. L-BFGS evaluates the loss max_fun times, however many iterations
    # that makes.
    params |= {"max_iter": max_iter, "n_iter_no_change": np.inf, "tol": 0.0, "random_state": 0}
    pairs = []
    for i in range(n_pairs + 1):
        own, focal = MLPClassifier(**params), FocalMLPClassifier(focal_gamma=2.0, **params)
        order = (own, focal) if i % 2 else (focal, own)
        times = dict(zip(order, (seconds(model, *data) for model in order), strict=True))
        pairs.append((times[own], times[focal]))
    own_time, focal_time = np.array(pairs[1:]).T  # the first pair warms up
    ratio = focal_time / own_time
    return {"seconds": np.median(own_time), "ratio": np.median(ratio), "from": ratio.min(), "to": ratio.max()}


def quality(path):
    """Return average precision and log loss of both for five seeds."""
    frame = pd.read_parquet(path)
    target = frame.pop("target").to_numpy()
    n_train = int(0.8 * len(target))
    scaler = StandardScaler().fit(frame[:n_train])
    X, X_test = scaler.transform(frame[:n_train]), scaler.transform(frame[n_train:])
    y, y_test = target[:n_train], target[n_train:]
    models = {
        "MLPClassifier": lambda seed: MLPClassifier(early_stopping=True, random_state=seed),
    }
    for gamma in (0.0, 0.5, 1.0, 2.0):
        models[f"FocalMLPClassifier, gamma = {gamma:g}"] = lambda seed, gamma=gamma: FocalMLPClassifier(
            focal_gamma=gamma, early_stopping=True, random_state=seed
        )
    for metric in ("focal_loss", "accuracy"):
        models[f"FocalMLPClassifier, gamma = 2, watching {metric}"] = lambda seed, metric=metric: FocalMLPClassifier(
            focal_gamma=2.0, validation_metric=metric, early_stopping=True, random_state=seed
        )
    rows = []
    for name, make in models.items():
        for seed in range(5):
            model = make(seed).fit(X, y)
            proba = model.predict_proba(X_test)
            by_sigmoid = expit(model.decision_function(X_test)) if name != "MLPClassifier" else proba[:, 1]
            rows.append(
                {
                    "model": name,
                    "AP": average_precision_score(y_test, proba[:, 1]),
                    "log loss": log_loss(y_test, proba),
                    "by sigmoid": log_loss(y_test, by_sigmoid),
                    "epochs": model.n_iter_,
                }
            )
    # To continue with the focal loss what was trained on the log loss.
    for seed in range(5):
        old = models["MLPClassifier"](seed).fit(X, y)
        new = FocalMLPClassifier.from_estimator(old, focal_gamma=2.0).fit(X, y)
        proba = new.predict_proba(X_test)
        rows.append(
            {
                "model": "from_estimator(MLPClassifier)",
                "AP": average_precision_score(y_test, proba[:, 1]),
                "log loss": log_loss(y_test, proba),
                "by sigmoid": log_loss(y_test, expit(new.decision_function(X_test))),
                "epochs": new.n_iter_,
            }
        )
    return pd.DataFrame(rows)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="where creditcard.parquet is; without it, time only")
    parser.add_argument("--samples", type=int, default=50_000, help="synthetic samples to time")
    parser.add_argument("--pairs", type=int, default=15, help="pairs of fits to time")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = {name: overhead(options.samples, options.pairs, **case) for name, case in CASES.items()}
    print(f"Seconds of MLPClassifier, {options.samples} x 30, and the ratio of FocalMLPClassifier to it:")
    print(pd.DataFrame.from_dict(rows, orient="index").to_string(float_format="{:.3f}".format))
    if options.folder:
        table = quality(options.folder / "creditcard.parquet")
        print("\nCard fraud, mean over five seeds, and the standard error of the AP:")
        mean = table.groupby("model", sort=False).mean()
        mean.insert(1, "+-", table.groupby("model", sort=False)["AP"].sem())
        print(mean.to_string(float_format="{:.4f}".format))
        print(table.to_string(index=False, float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
