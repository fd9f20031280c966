"""The benchmarks run, on a little data: what they print is for people to read."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize(
    ("command", "columns"),
    [
        ("fit_overhead.py --rows 3000 --rounds 3 --repeat 1 --jobs 1", ["to native", "to floor", "peak MiB"]),
        ("kernel.py --samples 2000 --repeat 1", ["objective", "plain", "memory"]),  # compares them, too
    ],
)
def test_it_prints_its_table(command, columns):
    script, *options = command.split()
    run = [sys.executable, "-W", "ignore", BENCHMARKS / script, *options]
    result = subprocess.run(run, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 0, result.stderr
    assert all(column in result.stdout for column in columns)
