"""What gradient and Hessian cost: nanoseconds a sample, for each policy, dtype and number of classes.

    python benchmarks/kernel.py                     # 1,000,000 samples, a minute
    python benchmarks/kernel.py --jobs 1

objective   what an engine waits for in each round of a fit: margins in, gradient and Hessian out
plain       the same formulas in plain NumPy: float64, whole arrays, one thread
numpy       the same by NumPy, as without a compiler: float32, blocks, as many threads
memory      what no implementation can avoid: margins read, float32 gradient and Hessian written, on one thread
share       memory / objective: the share of the bandwidth of one thread

float32 margins are those of XGBoost, float64 margins those of LightGBM; the objective computes in float32 for both.
All are called in turn, three times each; the times are medians. The first lines say which kernel ran, and on what.
"""

import argparse
import os
import platform
import re
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from skfocal import BinaryFocalLoss, FocalObjective, MulticlassFocalLoss
from skfocal._show_versions import kernel_in_use
from skfocal.losses import HESSIAN_POLICIES, compiled
from skfocal.objectives import TrainingObjective

GAMMA = 2.0


def plain(y, raw, policy):
    """Return gradient and Hessian as one would write them down: A(p), its derivative, and the bound of "stable"."""
    z = raw.astype(np.float64)
    if z.ndim == 1:
        z = np.column_stack([np.zeros_like(z), z])
    rows, codes = np.arange(len(y)), y.astype(int)
    p = np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None])
    own = np.zeros_like(p)
    own[rows, codes] = 1
    p_own = p[rows, codes]
    q = 1 - p_own
    log_p = np.log(p_own)
    modulation = q**GAMMA - GAMMA * p_own * q ** (GAMMA - 1) * log_p
    slope = -GAMMA * q ** (GAMMA - 2) * (q * (log_p + 2) - (GAMMA - 1) * p_own * log_p)
    gradient = modulation[:, None] * (p - own)
    hessian = modulation[:, None] * p * (1 - p) - (slope * p_own)[:, None] * (p - own) ** 2
    if policy == "stable":
        u = log_p - np.log(q)
        bound = np.where(u < 0, np.tanh(np.abs(u) / 2) / (2 * np.abs(u)), p_own * q)
        share = own + p * (1 - own) / q[:, None]
        hessian += np.maximum(modulation * bound - hessian[rows, codes], 0)[:, None] * share**2
    if raw.ndim == 1:
        return gradient[:, 1], np.maximum(hessian[:, 1], 1e-16)
    factor = 2 if raw.dtype == np.float32 else raw.shape[1] / (raw.shape[1] - 1)  # XGBoost's and LightGBM's
    return gradient, np.maximum(factor * hessian, 1e-16)


def measure(n_samples, n_classes, dtype, policy, n_jobs, repeat):
    """Return one row of the table."""
    rng = np.random.default_rng(0)
    shape = n_samples if n_classes == 2 else (n_samples, n_classes)
    order = "C" if dtype == np.float32 else "F"
    raw = np.asarray(rng.normal(scale=3, size=shape), dtype=dtype, order=order)
    y = rng.integers(0, n_classes, size=n_samples).astype(np.float32)
    loss = BinaryFocalLoss(GAMMA) if n_classes == 2 else MulticlassFocalLoss(GAMMA)
    gradient, hessian = (np.empty_like(raw, dtype=np.float32) for _ in range(2))

    def memory():
        np.copyto(gradient, raw, casting="same_kind")
        hessian.fill(1)

    of_loss = FocalObjective(loss, policy, n_jobs)
    with TrainingObjective(of_loss) as objective, TrainingObjective(of_loss) as formulas:
        with patch.object(compiled, "kernel", None):
            formulas(y, raw)  # prepared where nothing was compiled
        for values, expected in zip(objective(y, raw), plain(y, raw, policy), strict=True):
            np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-6)
        calls = {
            "objective": lambda: objective(y, raw),
            "numpy": lambda: formulas(y, raw),
            "plain": lambda: plain(y, raw, policy),
            "memory": memory,
        }
        times = {name: [] for name in calls}
        for i in range(repeat + 1):
            for name, call in calls.items():
                for _ in range(3):  # the first finds the others' arrays in the cache
                    start = time.perf_counter()
                    call()
                    if i:
                        times[name].append(1e9 * (time.perf_counter() - start) / n_samples)
    settings = {"classes": n_classes, "margins": np.dtype(dtype).name, "Hessian": policy}
    settings |= {name: np.median(values) for name, values in times.items()}
    return settings | {"share": settings["memory"] / settings["objective"]}


def processor():
    """Return the name of the processor, and which vectors it has."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    facts = dict(reversed([re.split(r"\s*:\s*", line, maxsplit=1) for line in lines if ":" in line]))
    vectors = [name for name in ("avx2", "avx512f") if name in facts.get("flags", "").split()]
    return f"{facts.get('model name', platform.processor())}, {os.cpu_count()} processors, {' '.join(vectors)}"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--jobs", type=int, default=2, help="threads")
    options = parser.parse_args()
    rows = [
        measure(options.samples, n_classes, dtype, policy, options.jobs, options.repeat)
        for n_classes in (2, 5)
        for dtype in (np.float32, np.float64)
        for policy in HESSIAN_POLICIES
    ]
    print("Kernel:", kernel_in_use())
    print("Processor:", processor())
    print("Nanoseconds a sample:")
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
