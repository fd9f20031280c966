"""The examples run as a user runs them, in an empty directory."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from .conftest import real_data
from .programs import PYTHON, run

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "plot_fraud_detection.py"


@pytest.fixture
def printed(tmp_path, pytestconfig):
    """Return a function that runs the example and returns what it prints; warnings are errors, as in the tests."""
    pytest.importorskip("imblearn")
    pytest.importorskip("matplotlib")
    warnings = [f"-W{action}" for action in pytestconfig.getoption("pythonwarnings") or ["error"]]

    def printed(*arguments):
        command = [PYTHON, *warnings, str(EXAMPLE), *arguments]  # whose lines are read as they come
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        with subprocess.Popen(command, cwd=tmp_path, text=True, env=environment, **streams) as process:  # noqa: S603  # ours
            lines = []
            for line in process.stdout:
                if line.startswith("LightGBM, own"):  # each row as it is done, long before the picture
                    assert not list(tmp_path.glob("*.png"))
                lines.append(line)
        assert process.returncode == 0, "".join(lines)
        return "".join(lines)

    return printed


def table(output):
    """Return {row name: [AP, log loss, Brier, recall, seconds]}."""
    names = ("LightGBM", "XGBoost", "HistGB", "MLP", "SMOTE")
    rows = [line.rsplit(maxsplit=5) for line in output.splitlines() if line.startswith(names)]
    return {name: [float(value) for value in values] for name, *values in rows}


def test_dask(tmp_path):
    """A process of its own: the workers of its cluster import what started them."""
    pytest.importorskip("distributed")
    pytest.importorskip("matplotlib")
    rows = {}
    for line in run(PYTHON, EXAMPLE.with_name("plot_dask.py"), cwd=tmp_path).stdout.splitlines():
        if ", one machine" in line or ", cluster" in line:
            name, *values = line.rsplit(maxsplit=3)
            rows[name.strip()] = [float(value) for value in values]
    assert len(rows) == 4
    for engine in ("LightGBM", "XGBoost"):
        (precision, loss, _), (precision_there, loss_there, _) = (
            rows[f"{engine}, {where}"] for where in ("one machine", "cluster")
        )
        assert precision_there == pytest.approx(precision, abs=0.03)  # of one model: bins alone move it by 0.01
        assert loss_there == pytest.approx(loss, abs=0.0005)
    assert (tmp_path / "dask.png").exists()


def test_fraud_detection(printed, tmp_path):
    import matplotlib.pyplot as plt

    output = printed()
    rows = table(output)
    assert len(rows) == 10
    (searched,) = (name for name in rows if "searched" in name)
    assert float(searched.removeprefix("LightGBM, focal, gamma searched: ")) in (0.0, 0.5, 1.0, 2.0, 3.0)
    readme = (EXAMPLE.parents[1] / "README.md").read_text(encoding="utf-8")
    (head,) = (line for line in output.splitlines() if line.split()[:1] == ["AP"])
    assert head in readme
    assert all(f"\n{name:36} 0." in readme for name in rows if name != searched)
    for engine in ("LightGBM", "XGBoost", "HistGB", "MLP"):
        own, focal = rows[f"{engine}, own log loss"], rows[f"{engine}, focal loss"]
        assert focal[0] > own[0]  # average precision
        assert focal[1] < own[1]  # log loss
        assert focal[2] < own[2]  # Brier
        if engine != "MLP":  # whose own loss is not lost
            assert focal[3] > own[3]  # recall at 90 % precision
    picture = plt.imread(tmp_path / "fraud_detection.png")
    assert picture.shape[1] > picture.shape[0] > 500
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 50


def test_fraud_detection_takes_the_published_csv(printed, tmp_path):
    X, y = real_data("creditcard")
    frame = X.assign(Class=y)
    keep = (frame["Class"] == 1) | (np.arange(len(frame)) % 25 == 0)
    frame[keep].to_csv(tmp_path / "creditcard.csv", index=False)
    output = printed("--data", "creditcard.csv", "--output", "picture.png")
    assert f"{int(0.8 * keep.sum())} transactions to train" in output
    assert (tmp_path / "picture.png").exists()
