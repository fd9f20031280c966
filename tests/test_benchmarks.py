"""The benchmarks run, on a little data: what they print is for people to read."""

from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from sklearn.utils.fixes import parse_version

from skfocal.datasets import load_creditcard

from .programs import PYTHON, run

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def printed_by(script, *options):
    """Return what a benchmark prints."""
    return run(PYTHON, "-W", "ignore", BENCHMARKS / script, *options).stdout


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
    output = printed_by("everyday.py", folder)
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
    output = printed_by(*command.split())
    assert all(column in output for column in columns)


@pytest.mark.parametrize("engine", ["LightGBM", "XGBoost"])
def test_cluster(engine):
    pytest.importorskip("distributed")
    if engine == "LightGBM" and parse_version(version("lightgbm")) < parse_version("4.7"):
        pytest.skip("LightGBM 4.6's own classifier for Dask fails with Dask 2024.12 or newer (LightGBM #6739)")
    output = printed_by("cluster.py", "--engines", engine, *["--rows", "3000", "--rounds", "2", "--repeat", "1"])
    assert all(word in output for word in (engine, "to native", "to local"))


def test_after_samplers(folder):
    pytest.importorskip("imblearn")
    output = printed_by("after_samplers.py", folder, "--seeds", "1", "--quick")
    assert "small, XGBoost, SMOTE" in output
    assert all(word in output for word in ("no sampler", "counts", "matched", "held out", "cross-fitted"))


def test_peers(tmp_path):
    """Some tests of scikit-learn pass with its class and with ours, as the program finds that looks for others."""
    output = printed_by("peers.py", "--only", "mlp", "--tests", "test_gradient")
    assert "mlp: " in output
    assert "UNDECLARED" not in output


def test_defaults_are_compared_by_folds_and_sets():
    """A contender that is 1 % better in every fold of every set, and one that is as good in the mean."""
    pd = pytest.importorskip("pandas")
    defaults = import_module("defaults")
    rng = np.random.default_rng(0)
    rows = []
    for name in "abc":
        for fold in range(10):
            own = {"AP": rng.uniform(0.5, 0.6), "log loss": rng.uniform(0.1, 0.2)}
            common = {"set": name, "fold": fold, "test/training": 0.25, "seconds": 1.0}
            rows.append(common | own | {"contender": "LightGBM"})
            rows.append(common | {"AP": 1.01 * own["AP"], "log loss": 0.99 * own["log loss"], "contender": "better"})
            noise = 0.05 * (-1) ** fold
            rows.append(common | {"AP": own["AP"] + noise, "log loss": own["log loss"] + noise, "contender": "noisy"})
    table = defaults.compared(pd.DataFrame(rows))
    assert table.loc["better", "AP won, lost"] == table.loc["better", "log loss won, lost"] == "3, 0"
    assert table.loc["noisy", "AP won, lost"] == table.loc["LightGBM", "log loss won, lost"] == "0, 0"
    assert table.loc["better", ["rank AP", "rank log loss"]].tolist() == [1.0, 1.0]
    assert table.loc["better", "AP / own"] == pytest.approx(1.01, abs=1e-6)
    assert table.loc["better", "log loss / own"] == pytest.approx(0.99, abs=1e-6)


def test_statistics_of_defaults():
    defaults = import_module("defaults")
    differences = np.random.default_rng(0).normal(0.3, 1, 10)
    low, high = defaults.corrected_interval(differences, 0.0)
    assert (low, high) == pytest.approx(tuple(ttest_1samp(differences, 0).confidence_interval()))
    wide = defaults.corrected_interval(differences, 0.25)
    assert wide[1] - wide[0] == pytest.approx((high - low) * np.sqrt((1 / 10 + 0.25) / (1 / 10)))
    assert defaults.critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)  # Demsar's own example


def test_gains_are_those_of_the_published_example():
    published = import_module("published")
    y, refused, amount = np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]), np.array([10.0, 20.0, 30.0, 40.0])
    assert published.gains(y, refused, amount).tolist() == [60.0, -20.0, -5.0, 0.8]


def test_published_costs(folder):
    (folder / "small.parquet").rename(folder / "creditcard.parquet")
    output = printed_by("published.py", folder, "costs")
    assert all(word in output for word in ("accept all", "XGBoost, focal, by amounts", "to tuned", "published"))


def test_the_handbooks_days():
    """A transaction a day of each of 30 cards; 0 is compromised in the first week, 1 in the delay, 2 too late."""
    pd = pytest.importorskip("pandas")
    published = import_module("published")
    frame = pd.DataFrame([(day, card) for day in range(100, 121) for card in range(30)])
    frame.columns = ["TX_TIME_DAYS", "CUSTOMER_ID"]
    frauds = {(103, 0), (107, 1), (115, 2), (118, 3), (118, 4), (119, 3)}
    frame["TX_FRAUD"] = [int(row in frauds) for row in frame.itertuples(index=False, name=None)]
    training, test = published.handbook_days(frame)
    assert sorted(training["TX_TIME_DAYS"].unique()) == list(range(100, 107))
    assert sorted(test["TX_TIME_DAYS"].unique()) == list(range(114, 121))
    of_card = test.groupby("CUSTOMER_ID")["TX_TIME_DAYS"].agg(["min", "max"])
    assert 0 not in of_card.index  # known from the training
    assert of_card.loc[1].tolist() == [114, 114]  # known a week and a day after
    assert of_card.loc[2].tolist() == [114, 120]
    score = test["TX_FRAUD"].to_numpy() + test["CUSTOMER_ID"].to_numpy() / 100
    # Of two alerts a day one is right on day 115, two on 118, none on 119: card 3 is blocked by then.
    assert published.card_precision(test, score, k=2) == pytest.approx((0.5 + 1.0) / 7)


def test_contenders_have_names_of_their_own():
    pytest.importorskip("lightgbm")
    pytest.importorskip("xgboost")
    contenders = import_module("peers_of_defaults").contenders()
    assert {"LightGBM", "XGBoost", "HistGB", "skfocal LightGBM"} <= set(contenders)
    X, y = load_creditcard(as_frame=True).data, load_creditcard().target
    proba = contenders["skfocal HistGB, gamma=0"]().fit(X[:3000], y[:3000]).predict_proba(X[:10])
    assert proba.shape == (10, 2)
