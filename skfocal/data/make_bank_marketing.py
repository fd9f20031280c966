"""Make bank_marketing.npz, which ships with skfocal, from the data as UCI publishes it ("bank-additional-full").

    python skfocal/data/make_bank_marketing.py FULL.parquet [OUTPUT.npz]

FULL has a column for each of the 20 features, words in those that are categories, and the class, as ``y`` ("yes" or
"no") or ``target`` (1 or 0), in time order.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def compact(frame: pd.DataFrame) -> dict[str, Any]:
    """Return columns as small as they get: codes and names of categories, the least integers, floats as they are."""
    frame = frame.rename(columns={"y": "target"})
    target = frame.pop("target").replace({"no": 0, "yes": 1}).to_numpy(np.int8)
    frame = frame.drop(columns="duration")  # of the call whose outcome is to be predicted: known when that is
    columns: dict[str, Any] = {"target": target, "columns": np.array(frame.columns, dtype=str)}
    for name, column in frame.items():
        if pd.api.types.is_numeric_dtype(column):
            whole = pd.api.types.is_integer_dtype(column)
            columns[str(name)] = pd.to_numeric(column, downcast="integer").to_numpy() if whole else column.to_numpy()
        else:
            names = np.unique(column.astype(str))
            columns[str(name)] = np.searchsorted(names, column.astype(str)).astype(np.int8)
            columns[f"names of {name}"] = names.astype(str)
    return columns


def main() -> None:
    """Read the full file, write ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("full", type=Path, help="the full data, parquet or csv with semicolons")
    parser.add_argument("output", type=Path, nargs="?", default=Path(__file__).with_name("bank_marketing.npz"))
    arguments = parser.parse_args()
    is_parquet = arguments.full.suffix == ".parquet"
    frame = pd.read_parquet(arguments.full) if is_parquet else pd.read_csv(arguments.full, sep=";")
    np.savez_compressed(arguments.output, **compact(frame))


if __name__ == "__main__":
    main()
