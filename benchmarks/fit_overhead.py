"""What the focal loss costs: time and memory of a fit against the engine's own log loss.

    python benchmarks/fit_overhead.py --quick       # 50,000 x 30, a minute
    python benchmarks/fit_overhead.py               # 200 to 1,000,000 rows x 30, 100,000 x 100; an hour
    python benchmarks/fit_overhead.py --rows 5000000 --repeat 1
    python benchmarks/fit_overhead.py --engines XGBoost --classes 2
    python benchmarks/gpu.py                        # XGBoost on a GPU, 1,000,000 x 30 and 10,000,000 x 30

Synthetic data, 1 % positives (five classes: 1 % of the rarest), the same data and number of trees for all. One process
fits them in turn: native, focal, native, focal ...; ratios are medians over these rounds.

native      the engine's own log loss
focal       gamma = 2, at the engine's own settings; other gradients grow other trees, which may take longer to grow
same trees  gamma = 0 and the exact Hessian: native's own trees, so that nothing differs but who computes the gradient
floor       the gradients of a focal fit, recorded and returned ready: the same trees, and what the callback costs
peers       imlightgbm, gbdtCBL and CatBoost's Focal against their engine's own log loss, where they are installed

Peak memory is that of a process of its own, counted from when the data is there.
"""

import argparse
import importlib.util
import multiprocessing
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from own_settings import OWN_SETTINGS
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from xgboost import XGBClassifier

from skfocal import (
    FocalHistGradientBoostingClassifier,
    FocalLGBMClassifier,
    FocalMLPClassifier,
    FocalObjective,
    FocalXGBClassifier,
)
from skfocal._show_versions import kernel_in_use
from skfocal.xgboost.device import on_device

SHARES = {2: [0.99, 0.01], 5: [0.6, 0.25, 0.1, 0.04, 0.01]}
NATIVE = {
    "LightGBM": LGBMClassifier,
    "XGBoost": XGBClassifier,
    "HistGB": HistGradientBoostingClassifier,
    "MLP": MLPClassifier,
}
FOCAL = {
    "LightGBM": FocalLGBMClassifier,
    "XGBoost": FocalXGBClassifier,
    "HistGB": FocalHistGradientBoostingClassifier,
    "MLP": FocalMLPClassifier,
}


def imlightgbm(n_classes, **params):
    """Return imlightgbm's classifier."""
    from imlightgbm import ImbalancedLGBMClassifier

    kind = (
        {"objective": "binary_focal"} if n_classes == 2 else {"objective": "multiclass_focal", "num_class": n_classes}
    )
    return ImbalancedLGBMClassifier(gamma=2.0, **kind, **params)


def gbdtcbl(n_classes, **params):
    """Return XGBoost with gbdtCBL's objective."""
    from gbdtCBL.binary import FLLoss

    return XGBClassifier(objective=FLLoss(2.0), **params)


def catboost(n_classes, *, focal, n_estimators, n_jobs):
    """Return CatBoost with its own log loss or focal loss."""
    from catboost import CatBoostClassifier

    loss = "Focal:focal_alpha=0.5;focal_gamma=2.0" if focal else "Logloss"
    return CatBoostClassifier(
        n_estimators=n_estimators, thread_count=n_jobs, loss_function=loss, verbose=0, allow_writing_files=False
    )


# name: (package, engine whose log loss it is compared with, numbers of classes, model)
PEERS = {
    "imlightgbm": ("imlightgbm", "LightGBM", (2, 5), imlightgbm),
    "gbdtCBL": ("gbdtCBL", "XGBoost", (2,), gbdtcbl),
    "CatBoost Focal": ("catboost", "CatBoost", (2,), partial(catboost, focal=True)),
}


class Recorder:
    """An objective that hands on what another returns, and keeps it; margins go where that is to be computed."""

    def __init__(self, objective, asarray):
        self.objective = objective
        self.asarray = asarray
        self.rounds = []

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the other's gradient and Hessian."""
        self.rounds.append(self.objective(y_true, self.asarray(y_pred), sample_weight))
        return self.rounds[-1]

    def __deepcopy__(self, memo):
        return self  # LightGBM copies its parameters


class Replay:
    """An objective that returns what was recorded, round by round."""

    def __init__(self, rounds):
        self.rounds = iter(rounds)

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the next round's gradient and Hessian."""
        return next(self.rounds)

    def __deepcopy__(self, memo):
        return self


def make_data(n_samples, n_features, n_classes):
    """Return float32 features, ten of which tell something, and class codes."""
    rng = np.random.default_rng(0)
    y = rng.choice(n_classes, size=n_samples, p=SHARES[n_classes])
    X = rng.standard_normal((n_samples, n_features), dtype=np.float32)
    X[:, :10] += rng.standard_normal((n_classes, 10), dtype=np.float32)[y]
    return X, y


def make_model(kind, engine, n_classes, settings):
    """Return an unfitted model: native, focal, same trees, or a peer."""
    rounds, n_jobs, device = settings
    if engine == "MLP":
        # With patience without end every epoch is run.
        params = {"max_iter": max(rounds // 20, 1), "n_iter_no_change": np.inf, "tol": 0.0, "random_state": 0}
        return FOCAL[engine](focal_gamma=2.0, **params) if kind == "focal" else NATIVE[engine](**params)
    params = {"n_estimators": rounds, "n_jobs": n_jobs}
    if kind in PEERS or engine == "CatBoost":
        model = PEERS[kind][3] if kind in PEERS else partial(catboost, focal=False)
        return model(n_classes, **params, **({"verbose": -1} if kind == "imlightgbm" else {}))
    if engine == "HistGB":  # which uses as many threads as OpenMP does
        params = {"max_iter": rounds, "early_stopping": False}
    else:
        params |= {"verbose": -1, "device_type": device} if engine == "LightGBM" else {"device": device}
    if kind == "native":
        return NATIVE[engine](**params)
    of_loss = {"focal_gamma": 2.0} if kind == "focal" else {"focal_gamma": 0.0, "focal_hessian": "exact"}
    return FOCAL[engine](**params, **OWN_SETTINGS[engine], **of_loss)


def make_floor(engine, X, y, settings):
    """Return a function that makes the model of the floor; the focal fit that it repeats runs now."""
    focal = make_model("focal", engine, len(np.unique(y)), settings).fit(X, y)
    start = focal.focal_intercept_
    with on_device(settings[2] if engine == "XGBoost" else "cpu") as namespace:
        recorder = Recorder(FocalObjective(focal.focal_loss_, n_jobs=settings[1]), namespace.asarray)
    record = make_model("native", engine, None, settings).set_params(objective=recorder)
    margins = np.broadcast_to(start, (len(y), *np.shape(start))).copy()
    record.fit(X, y, **{"init_score" if engine == "LightGBM" else "base_margin": margins})

    def floor():
        return make_model("native", engine, None, settings).set_params(objective=Replay(recorder.rounds))

    return floor


def seconds(model, X, y):
    """Return the seconds that a fit takes."""
    start = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - start


def peak_memory(kind, engine, shape, settings):
    """Return the peak resident memory of this process while it fits, in MiB; Linux only."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y = make_data(*shape)
    make_model(kind, engine, shape[2], settings).fit(X[:1000], y[:1000] % shape[2])  # imports, thread pools
    if not Path("/proc/self/clear_refs").exists():
        return np.nan
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak to what there is now
    make_model(kind, engine, shape[2], settings).fit(X, y)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def compare(engine, shape, repeat, settings):
    """Return the rows of the table that belong to an engine: one for each kind of model."""
    X, y = make_data(*shape)
    kinds = ["native", "focal"] + ([] if engine in ("MLP", "CatBoost") else ["same trees"])
    kinds += ["floor"] if engine in ("LightGBM", "XGBoost") else []
    peers = {name: peer for name, peer in PEERS.items() if peer[1] == engine and shape[2] in peer[2]}
    kinds += [name for name, peer in peers.items() if importlib.util.find_spec(peer[0])]
    if engine == "CatBoost":
        kinds.remove("focal")
    floor = make_floor(engine, X, y, settings) if "floor" in kinds else None

    def model(kind):
        return floor() if kind == "floor" else make_model(kind, engine, shape[2], settings)

    rounds = [{kind: seconds(model(kind), X, y) for kind in kinds} for _ in range(repeat)]
    times = pd.DataFrame(rounds)
    X = y = floor = None  # gigabytes
    # One process each, new: the peak never goes down again.
    measured = [kind for kind in kinds if kind in ("native", "focal")]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        memory = pool.map(partial(peak_memory, engine=engine, shape=shape, settings=settings), measured, chunksize=1)
    memory = dict(zip(measured, memory, strict=True))
    ratios = times.div(times["native"], axis=0)
    return [
        {
            "engine": engine,
            "rows": shape[0],
            "features": shape[1],
            "classes": shape[2],
            "fit": kind,
            "seconds": times[kind].median(),
            "to native": ratios[kind].median(),
            "from": ratios[kind].min(),
            "to": ratios[kind].max(),
            "to floor": (times[kind] / times["floor"]).median() if kind == "focal" and "floor" in times else np.nan,
            "peak MiB": memory.get(kind, np.nan),
            "memory": memory[kind] / memory["native"] if kind in memory else np.nan,
        }
        for kind in kinds
    ]


def table(engines, sizes, classes, repeat, settings):
    """Return the table, printing a dot for each comparison."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = []
    for size in sizes:
        for engine in engines:
            for n_classes in classes if engine != "CatBoost" else [2]:
                more = max(1, min(10, 200_000 // size[0]))  # what takes no time varies
                rows += compare(engine, (*size, n_classes), repeat * more, settings)
                print(".", end="", flush=True)
    print()
    return pd.DataFrame(rows).to_string(index=False, float_format="{:.3f}".format, na_rep="")


def main():
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="50,000 x 30, 20 trees, one epoch, 3 rounds")
    parser.add_argument("--engines", nargs="+", choices=[*NATIVE, "CatBoost"], default=[*NATIVE])
    parser.add_argument("--classes", nargs="+", type=int, choices=SHARES, default=list(SHARES))
    parser.add_argument("--rows", nargs="+", type=int, help="numbers of rows, of 30 features each")
    parser.add_argument("--repeat", type=int, default=5, help="rounds of native, focal ...")
    parser.add_argument("--rounds", type=int, default=100, help="trees; epochs are a twentieth of it")
    parser.add_argument("--jobs", type=int, default=2, help="threads")
    options = parser.parse_args()
    sizes = [(200, 30), (2_000, 30), (20_000, 30), (1_000_000, 30), (100_000, 100)]
    if options.quick:
        sizes, options.rounds, options.repeat = [(50_000, 30)], 20, 3
    if options.rows:
        sizes = [(rows, 30) for rows in options.rows]
    print("Kernel:", kernel_in_use())
    print(table(options.engines, sizes, options.classes, options.repeat, (options.rounds, options.jobs, "cpu")))


if __name__ == "__main__":
    main()
