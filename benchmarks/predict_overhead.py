"""What predictions cost: time of predict_proba against the engine's own, of one row, of a thousand, of half a million.

    python benchmarks/predict_overhead.py              # two minutes
    python benchmarks/predict_overhead.py --engines XGBoost

Both models have the same 100 trees, as with gamma = 0 and the exact Hessian (networks have gamma = 2, and the same
layers); the ratio is that of two medians, of calls in turn.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from fit_overhead import FOCAL, NATIVE, make_data, make_model
from sklearn.exceptions import ConvergenceWarning

from skfocal._show_versions import kernel_in_use

CALLS = {1: 400, 1_000: 100, 500_000: 7}


def medians(models, X, n_calls):
    """Return the seconds of a prediction of each model, called in turn."""
    times = {name: [] for name in models}
    for _ in range(n_calls):
        for name, model in models.items():
            start = time.perf_counter()
            model.predict_proba(X)
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in times.items()}


def compare(engine, n_classes, sizes, jobs):
    """Return the rows of the table that belong to an engine."""
    X, y = make_data(20_000, 30, n_classes)
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(30)])
    rows = []
    for features, data in (("array", X), ("table", table)):
        kinds = {"native": "native", "focal": "focal" if engine == "MLP" else "same trees"}
        models = {
            name: make_model(kind, engine, n_classes, (100, jobs, "cpu")).fit(data, y) for name, kind in kinds.items()
        }
        for n_rows in sizes:
            some = (
                np.resize(X, (n_rows, 30)) if features == "array" else table.iloc[np.resize(np.arange(20_000), n_rows)]
            )
            seconds = medians(models, some, CALLS[n_rows])
            rows.append(
                {
                    "engine": engine, "classes": n_classes, "features": features, "rows": n_rows,
                    "native ms": 1e3 * seconds["native"], "focal ms": 1e3 * seconds["focal"],
                    "to native": seconds["focal"] / seconds["native"],
                }
            )  # fmt: skip
    return rows


def main():
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", nargs="+", choices=[*NATIVE], default=[*FOCAL])
    parser.add_argument("--classes", nargs="+", type=int, choices=[2, 5], default=[2, 5])
    parser.add_argument("--rows", nargs="+", type=int, choices=CALLS, default=[*CALLS], help="rows of a call")
    parser.add_argument("--jobs", type=int, default=2, help="threads")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("Kernel:", kernel_in_use())
    rows = []
    for engine in options.engines:
        for n_classes in options.classes:
            rows += compare(engine, n_classes, options.rows, options.jobs)
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
