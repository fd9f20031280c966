"""The benchmarks run, on a little data: what they print is for people to read."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from sklearn.utils.fixes import parse_version

from skfocal.datasets import load_creditcard

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(script, *options):
    """Return what a benchmark prints."""
    command = [sys.executable, "-W", "ignore", BENCHMARKS / script, *options]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a small data set of real transactions."""
    pytest.importorskip("pandas")
    frame = load_creditcard(as_frame=True).frame
    keep = (frame["target"] == 1) | (frame.index % 50 == 0)
    frame[keep].to_parquet(tmp_path / "small.parquet")
    return tmp_path


def test_everyday(folder):
    pytest.importorskip("imblearn")
    output = run("everyday.py", folder)
    assert all(word in output for word in ("small: samplers", "SMOTE", "early, log_loss", "focal_mix = 0.2"))


@pytest.mark.parametrize(
    ("command", "columns"),
    [
        ("fit_overhead.py --rows 3000 --rounds 3 --repeat 1 --jobs 1", ["to native", "to floor", "peak MiB"]),
        ("kernel.py --samples 2000 --repeat 1", ["objective", "numpy", "plain", "memory"]),  # compares them, too
        ("larger_than_memory.py --rows 3000 --rounds 2", ["native", "external", "in memory", "anonymous", "AP"]),
        ("predict_overhead.py --rows 1 --engines HistGB --classes 2", ["native ms", "to native"]),
    ],
)
def test_it_prints_its_table(command, columns):
    output = run(*command.split())
    assert all(column in output for column in columns)


@pytest.mark.parametrize("engine", ["LightGBM", "XGBoost"])
def test_cluster(engine):
    pytest.importorskip("distributed")
    if engine == "LightGBM" and parse_version(version("lightgbm")) < parse_version("4.7"):
        pytest.skip("LightGBM 4.6's own classifier for Dask fails with Dask 2024.12 or newer (LightGBM #6739)")
    output = run("cluster.py", "--engines", engine, *["--rows", "3000", "--rounds", "2", "--repeat", "1"])
    assert all(word in output for word in (engine, "to native", "to local"))


def test_after_samplers(folder):
    pytest.importorskip("imblearn")
    output = run("after_samplers.py", folder, "--seeds", "1", "--quick")
    assert "small, XGBoost, SMOTE" in output
    assert all(word in output for word in ("no sampler", "counts", "matched", "held out", "cross-fitted"))


def test_peers(tmp_path):
    """Some tests of scikit-learn pass with its class and with ours, as the program finds that looks for others."""
    output = run("peers.py", "--only", "mlp", "--tests", "test_gradient")
    assert "mlp: " in output
    assert "UNDECLARED" not in output
