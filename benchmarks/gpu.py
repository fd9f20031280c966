"""What the focal loss costs on a GPU: `fit_overhead.py`'s table for XGBoost with ``device="cuda"``.

    python benchmarks/gpu.py                     # 1,000,000 x 30 and 10,000,000 x 30
    python benchmarks/gpu.py --rows 1000000 --classes 2

Needs a GPU and CuPy (``pip install "skfocal[cuda]"``). The peak memory is that of the host.
"""

import argparse

from fit_overhead import SHARES, table


def main():
    """Print the name of the card and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=int, default=[1_000_000, 10_000_000])
    parser.add_argument("--classes", nargs="+", type=int, choices=SHARES, default=list(SHARES))
    parser.add_argument("--repeat", type=int, default=5, help="rounds of native, focal ...")
    parser.add_argument("--rounds", type=int, default=100, help="trees")
    parser.add_argument("--jobs", type=int, default=None, help="threads")
    options = parser.parse_args()
    import cupy  # not before --help

    print(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode())
    sizes = [(rows, 30) for rows in options.rows]
    print(table(["XGBoost"], sizes, options.classes, options.repeat, (options.rounds, options.jobs, "cuda")))


if __name__ == "__main__":
    main()
