"""Make creditcard.npz, the sample that ships with skfocal, from the full credit-card fraud data.

    python skfocal/data/make_creditcard.py FULL.parquet [OUTPUT.npz]

FULL is the data set as published (Time, V1 ... V28, Amount and the class, as ``Class`` or ``target``), in time order.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

EVERY = 20  # of the legitimate transactions; also the sample weight that restores the true share of frauds
RESOLUTION = 2.0**-13  # of V1 ... V28, whose standard deviations are 0.3 to 2: what 1.2 MB have room for


def sample(frame: pd.DataFrame) -> dict[str, Any]:
    """Return all frauds and every 20th legitimate transaction, in time order."""
    frame = frame.rename(columns={"Class": "target"})
    target = frame.pop("target").to_numpy()
    legitimate = np.flatnonzero(target == 0)[::EVERY]
    rows = np.sort(np.concatenate([legitimate, np.flatnonzero(target == 1)]))
    components = frame.filter(regex=r"^V\d+$").to_numpy(np.float64)[rows]
    return {
        "time": frame["Time"].to_numpy(np.float32)[rows],
        # By columns, which compress better than rows.
        "components": (np.round(components / RESOLUTION) * RESOLUTION).astype(np.float32).T.copy(),
        "amount": frame["Amount"].to_numpy(np.float32)[rows],
        "target": target[rows].astype(np.int8),
    }


def main() -> None:
    """Read the full file, write the sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("full", type=Path, help="the full data, parquet or csv")
    parser.add_argument("output", type=Path, nargs="?", default=Path(__file__).with_name("creditcard.npz"))
    arguments = parser.parse_args()
    read = pd.read_parquet if arguments.full.suffix == ".parquet" else pd.read_csv
    np.savez_compressed(arguments.output, **sample(read(arguments.full)))


if __name__ == "__main__":
    main()
