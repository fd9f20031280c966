"""The data that ship: as they are described, and as the scripts make them from the full data."""

import runpy
import sys
from importlib.resources import files

import numpy as np
import pytest

from skfocal.data import make_creditcard
from skfocal.data.make_bank_marketing import compact
from skfocal.data.make_creditcard import RESOLUTION, sample
from skfocal.datasets import load_bank_marketing, load_creditcard

from .conftest import real_data


def test_description_holds():
    creditcard = load_creditcard()
    assert creditcard.data.shape == (14_708, 30)
    assert creditcard.data.dtype == np.float32
    assert creditcard.target.sum() == 492
    assert (np.diff(creditcard.data[:, 0]) >= 0).all()
    assert creditcard.feature_names == ["Time", *(f"V{i}" for i in range(1, 29)), "Amount"]
    assert creditcard.target_names == ["legitimate", "fraud"]
    assert set(creditcard.sample_weight[creditcard.target == 0]) == {20}
    assert set(creditcard.sample_weight[creditcard.target == 1]) == {1}
    assert np.average(creditcard.target, weights=creditcard.sample_weight) == pytest.approx(492 / 284_807, rel=1e-4)
    for credit in ("Machine Learning Group", "DbCL", "Dal Pozzolo", "2015"):
        assert credit in creditcard.DESCR
    assert (files("skfocal") / "data" / "creditcard.npz").stat().st_size <= 1_200_000


def test_forms():
    pd = pytest.importorskip("pandas")
    creditcard = load_creditcard()
    X, y = load_creditcard(return_X_y=True)
    np.testing.assert_array_equal(X, creditcard.data)
    np.testing.assert_array_equal(y, creditcard.target)
    assert creditcard.frame is None
    framed = load_creditcard(as_frame=True)
    pd.testing.assert_frame_equal(framed.data, pd.DataFrame(X, columns=creditcard.feature_names))
    np.testing.assert_array_equal(framed.target, y)
    np.testing.assert_array_equal(framed.sample_weight, creditcard.sample_weight)
    assert list(framed.frame.columns) == [*creditcard.feature_names, "target"]
    frame, series = load_creditcard(return_X_y=True, as_frame=True)
    assert isinstance(frame, pd.DataFrame)
    assert isinstance(series, pd.Series)


@pytest.mark.parametrize(
    ("load", "what"),
    [(lambda: load_creditcard(as_frame=True), "as_frame=True"), (load_bank_marketing, "load_bank_marketing")],
)
def test_tables_need_pandas(monkeypatch, load, what):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=rf'{what} needs pandas: pip install "skfocal\[all\]"'):
        load()


def test_bank_marketing_is_as_described():
    pytest.importorskip("pandas")
    bank = load_bank_marketing()
    assert bank.data.shape == (41_188, 19)
    assert bank.target.sum() == 4640
    kinds = bank.data.dtypes.map(lambda kind: "categories" if kind == "category" else kind.kind).value_counts()
    assert kinds.to_dict() == {"categories": 10, "i": 4, "f": 5}
    assert bank.feature_names == list(bank.data.columns)
    assert "duration" not in bank.data
    tenth = len(bank.target) // 10
    assert bank.target[:tenth].mean() == pytest.approx(0.03, abs=0.005)
    assert bank.target[-tenth:].mean() == pytest.approx(0.46, abs=0.005)
    for credit in ("Moro", "CC BY 4.0", "duration", "Changed", "2014"):
        assert credit in bank.DESCR
    X, y = load_bank_marketing(return_X_y=True)
    assert X.equals(bank.data)
    assert y.equals(bank.target)
    assert bank.frame.equals(X.assign(target=y))
    assert (files("skfocal") / "data" / "bank_marketing.npz").stat().st_size <= 400_000


def test_bank_marketing_is_made_from_the_full_data():
    X, y = real_data("bank_marketing")
    made = compact(X.assign(target=y))
    with (files("skfocal") / "data" / "bank_marketing.npz").open("rb") as file, np.load(file) as shipped:
        assert set(shipped) == set(made)
        for name, values in made.items():
            np.testing.assert_array_equal(shipped[name], values)
    # Independently of the script: every value is that of the full data.
    bank = load_bank_marketing()
    for name in bank.data:
        assert bank.data[name].astype(str).tolist() == X[name].astype(str).tolist()
    np.testing.assert_array_equal(bank.target, y)


def test_the_script_writes_what_is_loaded(tmp_path, monkeypatch):
    """All frauds and every 20th legitimate transaction, in the order of time; of a file as it was published."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    full = pd.DataFrame(rng.normal(size=(100, 28)), columns=[f"V{i}" for i in range(1, 29)])
    full = full.assign(Amount=rng.random(100), Time=np.arange(100.0), Class=np.arange(100) % 30 == 7).astype(float)
    full.to_csv(tmp_path / "full.csv", index=False)
    monkeypatch.setattr("sys.argv", ["make_creditcard.py", str(tmp_path / "full.csv"), str(tmp_path / "sample.npz")])
    runpy.run_path(make_creditcard.__file__, run_name="__main__")
    with np.load(tmp_path / "sample.npz") as made:
        assert made["time"].tolist() == [0, 7, 21, 37, 42, 62, 67, 83, 97]
        assert made["target"].tolist() == [0, 1, 0, 1, 0, 0, 1, 0, 1]
        rows = made["time"].astype(int)
        np.testing.assert_allclose(made["amount"], full["Amount"].to_numpy()[rows], rtol=1e-6)
        np.testing.assert_allclose(made["components"].T, full.iloc[rows, :28], atol=RESOLUTION / 2)


def test_the_sample_is_made_from_the_full_data():
    X, y = real_data("creditcard")
    made = sample(X.assign(target=y))
    with (files("skfocal") / "data" / "creditcard.npz").open("rb") as file, np.load(file) as shipped:
        for name, values in made.items():
            np.testing.assert_array_equal(shipped[name], values)
    # Independently of the script: every shipped row is a row of the full data, to the resolution.
    creditcard = load_creditcard()
    frauds = X[y == 1].to_numpy()
    np.testing.assert_allclose(creditcard.data[creditcard.target == 1], frauds, atol=RESOLUTION / 2, rtol=1e-6)
    legitimate = X[y == 0].to_numpy()[::20]
    np.testing.assert_allclose(creditcard.data[creditcard.target == 0], legitimate, atol=RESOLUTION / 2, rtol=1e-6)
