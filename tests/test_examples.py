"""The examples run as a user runs them, in an empty directory; what each says in its last sentence is what it finds."""

import os
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest
from sklearn import config_context

from .conftest import real_data
from .documentation import DOCS, ROOT, need_packages
from .programs import PYTHON, run

EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))
EXAMPLE = ROOT / "examples" / "plot_fraud_detection.py"


def check_picture(path):
    """A picture that can be looked at: wider than high, and not of a few colours."""
    import matplotlib.pyplot as plt

    picture = plt.imread(path)
    assert 800 <= picture.shape[1] <= 1200
    assert picture.shape[1] > picture.shape[0] > 400
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 50


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_ends_in_one_sentence(path):
    """A title of the same length as its line, and in the last cell what is seen."""
    source = path.read_text(encoding="utf-8")
    _, title, line, *_ = source.splitlines()
    assert line == "=" * len(title)
    cell = source.rpartition("# %%\n")[2]
    assert cell.startswith("# **What is seen:** ")
    assert all(row.startswith("# ") for row in cell.splitlines())
    assert re.findall(r"[.!?](?=\s)", cell) == ["."]


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
    check_picture(tmp_path / "dask.png")


def test_fraud_detection(printed, tmp_path):
    output = printed()
    rows = table(output)
    assert len(rows) == 10
    (searched,) = (name for name in rows if "searched" in name)
    assert float(searched.removeprefix("LightGBM, focal, gamma searched: ")) in (0.0, 0.5, 1.0, 2.0, 3.0)
    page = (DOCS / "start.md").read_text(encoding="utf-8")
    (head,) = (line for line in output.splitlines() if line.split()[:1] == ["AP"])
    assert head in page
    assert all(f"\n{name:36} 0." in page for name in rows if name != searched)
    for engine in ("LightGBM", "XGBoost", "HistGB", "MLP"):
        own, focal = rows[f"{engine}, own log loss"], rows[f"{engine}, focal loss"]
        assert focal[0] > own[0]  # average precision
        assert focal[1] < own[1]  # log loss
        assert focal[2] < own[2]  # Brier
        if engine != "MLP":  # whose own loss is not lost
            assert focal[3] > own[3]  # recall at 90 % precision
    searched, smote = rows[searched], rows["SMOTE, LightGBM, focal loss"]
    assert abs(searched[0] - rows["LightGBM, focal loss"][0]) < 0.03  # what 75 frauds leave to chance
    assert smote[1] > 2 * searched[1]
    check_picture(tmp_path / "fraud_detection.png")


def test_fraud_detection_takes_the_published_csv(printed, tmp_path):
    X, y = real_data("creditcard")
    frame = X.assign(Class=y)
    keep = (frame["Class"] == 1) | (np.arange(len(frame)) % 25 == 0)
    frame[keep].to_csv(tmp_path / "creditcard.csv", index=False)
    output = printed("--data", "creditcard.csv", "--output", "picture.png")
    assert f"{int(0.8 * keep.sum())} transactions to train" in output
    assert (tmp_path / "picture.png").exists()


# The others run in this process. What each claims in its last sentence, of the names that it leaves.


def alert_budget(names):
    budget, costs, half = (names["table"].loc[name] for name in ("budget", "costs", "one half"))
    assert budget["days over"] / names["n_days"] < 0.15  # promised are 0.05
    assert budget["alerts a day"] < 0.6 * names["budget"]
    assert abs(budget["caught"] - costs["caught"]) <= 6
    assert costs["false"] < 0.5 * budget["false"]
    assert abs(budget["saved a day"] - costs["saved a day"]) < 20
    assert half["saved a day"] < costs["saved a day"]


def bank_marketing(names):
    reached, precision = names["table"]["reached by a fifth"], names["table"]["AP"]
    for loss in ("own log loss", "focal loss"):
        assert reached[f"{loss}, split at random"] > 0.6
        assert 0.25 < reached[f"{loss}, split in time"] < 0.4
    focal = precision[[f"focal loss{seed}, split in time" for seed in ("", ", seed 1", ", seed 2")]]
    assert abs(focal.mean() - precision["own log loss, split in time"]) < np.ptp(focal)


def cost_of_errors(names):
    cost = names["main"]([])["cost"]
    for engine in ("LightGBM", "XGBoost"):
        half, by_costs, tuned = (cost[f"{engine}, {kind}"] for kind in ("one half", "by the costs", "tuned"))
        assert half > tuned >= by_costs


def drifting_rate(names):
    moves, came = names["only_the_share"], names["as_they_came"]
    assert (abs(moves["estimate"] - moves["true share"]) < 0.06).all()
    assert moves["mean of the model"].max() < 0.5 * moves["true share"].max()
    assert (moves["log loss, corrected"] < moves["log loss"] + 0.01).all()
    assert abs(came["estimate"] - came["true share"]).mean() > 0.3
    assert 0 < came["warnings"].sum() < len(came)
    plain, by_estimate, by_calls_before = came[["log loss", "by estimate", "by calls before"]].mean()
    assert by_calls_before < plain - 0.1
    assert by_estimate > plain


def explaining(names):
    assert set(names["size"].index[:4]) == {"emp.var.rate", "month", "nr.employed", "euribor3m"}
    assert set(names["by_month"].index[-2:]) == {"mar", "oct"}
    assert names["by_month"].index[0] == "may"
    assert names["by_month"]["mean"].iloc[0] < 0
    np.testing.assert_allclose(names["parts"].sum(axis=1), names["margin"], atol=1e-9)


def gamma_sweep(names):
    table = names["table"]
    assert np.ptp(table["average_precision"]) < 0.025
    assert (table["neg_log_loss, gain"] <= 2 * table["neg_log_loss, error"]).all()


def loss_shapes(names):
    log_loss, focal, mixed = names["table"]["gradient, above 0.75"]
    assert np.average(names["true_class"] > 0.75, weights=names["weight"][names["new"]]) > 0.995
    assert 0.2 < log_loss < 0.45
    assert focal < 0.01
    assert 5 * focal < mixed < 0.6 * log_loss


def refining(names):
    loss, precision = names["table"]["log loss"], names["table"]["AP"]
    old, refined, alone, everything = loss
    assert everything < refined < old - 0.5 * (old - everything)
    assert abs(refined - alone) < 0.05
    assert precision["refined on the new calls"] < precision["new calls alone"] + 0.01


def regularisation(names):
    table = names["table"]
    bare, focal, sigmoid = table.iloc[:3].to_dict("records")
    assert focal["gap"] > 0.9 * bare["gap"]
    assert focal["slope"] < bare["slope"] + 0.05
    assert sigmoid["slope"] > 1.2
    assert sigmoid["test"] == table["test"].max()
    assert table.loc["L2 and focal", "test"] > table.loc["L2", "test"] - 0.002
    for remedy in ("L1", "L2", "early stopping"):
        assert table.loc[remedy, "gap"] < 0.5 * bare["gap"]
        assert abs(table.loc[remedy, "slope"] - 1) < 0.5 * abs(bare["slope"] - 1)
    assert abs(table.loc["rows and columns", "slope"] - bare["slope"]) < 0.15


def reliability_and_link(names):
    sigmoid, link = names["table"].to_dict("records")
    assert sigmoid["mean probability"] > 5 * names["share"]
    assert sigmoid["log loss"] > 4 * link["log loss"]
    assert link["mean probability"] == pytest.approx(names["share"], rel=0.3)
    bins = names["bins"]
    low = bins[bins["predicted"].between(2e-5, 1e-3)]
    assert len(low)
    assert (low["lower"] > low["predicted"]).any()
    assert (low["observed"] > low["predicted"]).all()
    high = bins[bins["predicted"] > 0.05]
    assert (high["upper"] - high["lower"] > 0.5).sum() > len(high) / 2


def samplers(names):
    table = names["table"]
    assert table["AP"].max() < table["AP to"].min()  # each could be the best
    none, under = (table["log loss"].filter(like=name) for name in ("no sampler", "RandomUnderSampler"))
    assert none.max() < table["log loss"].drop(none.index).min()
    assert under.min() > table["log loss"].drop(under.index).max()


def several_classes(names):
    plain, one_gamma, by_class, balanced = names["table"]["of the rare"]
    assert one_gamma < plain < by_class
    assert by_class == pytest.approx(balanced, abs=0.06)
    assert names["table"]["log loss"].iloc[2] < names["table"]["log loss"].iloc[0]


CLAIMS = {
    claim.__name__: claim
    for claim in (
        alert_budget, bank_marketing, cost_of_errors, drifting_rate, explaining, gamma_sweep, loss_shapes, refining,
        regularisation, reliability_and_link, samplers, several_classes,
    )
}  # fmt: skip


def test_all_examples_are_tested():
    assert {f"plot_{name}" for name in (*CLAIMS, "dask", "fraud_detection")} == {path.stem for path in EXAMPLES}


@pytest.mark.parametrize("name", CLAIMS)
def test_what_an_example_says_is_so(name, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    path = ROOT / "examples" / f"plot_{name}.py"
    need_packages(path.read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(path)])
    with config_context():
        CLAIMS[name](runpy.run_path(str(path)))
    plt.close("all")
    assert capsys.readouterr().out.count("\n") >= 3
    check_picture(tmp_path / f"{name}.png")
