"""Parquet files in batches, and predictions in batches."""

import sys
from itertools import count, islice

import numpy as np
import pandas as pd
import pytest
import xgboost

from skfocal import FocalHistGradientBoostingClassifier, FocalLGBMClassifier, FocalXGBClassifier
from skfocal.batches import ParquetBatches, predict_in_batches

from .streams import CODES, FEATURES, NAMES, Batches, data, features_of, make, split, with_parquet, write

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@with_parquet
def test_a_folder_of_parquet_files(kind, tmp_path):
    X, y = data()
    batches = write(tmp_path, X, NAMES[y])
    model = make(kind).fit(batches)
    assert model.feature_names_in_.tolist() == [f"x{j}" for j in range(8)]
    posterior = np.concatenate(list(predict_in_batches(model, tmp_path)))
    np.testing.assert_array_equal(posterior, model.predict_proba(features_of(model, X)))
    labels = np.concatenate(list(predict_in_batches(model, batches, "predict")))
    np.testing.assert_array_equal(labels, model.predict(features_of(model, X)))


def test_predictions_are_made_when_they_are_asked_for():
    X, y = data()
    model = make(FocalXGBClassifier).fit(X, y)
    without_end = predict_in_batches(model, (X[i : i + 10] for i in count()))
    for i, posterior in enumerate(islice(without_end, 3)):
        np.testing.assert_array_equal(posterior, model.predict_proba(X[i : i + 10]))
    of_iterator = np.concatenate(list(predict_in_batches(model, Batches(split(data=X, label=y)))))
    np.testing.assert_array_equal(of_iterator, model.predict_proba(X))
    with pytest.raises(ValueError, match="batches must be ParquetBatches"):
        predict_in_batches(model, "folder")


def test_the_number_of_columns_of_a_prediction(tmp_path):
    X, y = data()
    batches = write(tmp_path, X, y)
    model = make(FocalXGBClassifier).fit(batches)
    with pytest.raises(ValueError, match=r"batches must have the columns \['x0', .* got \['x1', 'x0'\]"):
        predict_in_batches(model, ParquetBatches(tmp_path, columns=["x1", "x0"]))
    unnamed = FocalHistGradientBoostingClassifier(max_iter=5).fit(X[:, [1, 0]], y)
    chosen = ParquetBatches(tmp_path, columns=["x1", "x0"])
    np.testing.assert_array_equal(
        np.concatenate(list(predict_in_batches(unnamed, chosen))), unnamed.predict_proba(X[:, [1, 0]])
    )


def test_what_is_read_of_parquet(tmp_path):
    table = pa.table({
        "amount": pa.array([1.5, None, 3.0], pa.float32()),
        "count": pa.array([2**40 + 1, None, 3]),
        "is_new": pa.array([True, None, False]),
        "label": ["no", "yes", "no"],
        "weight": pa.array([1, 2, 3]),
        "when": pa.array([0, 1, 2], pa.timestamp("s")),
    })  # fmt: skip
    for month in (1, 2):
        (tmp_path / f"month={month}").mkdir()
        pq.write_table(table, tmp_path / f"month={month}" / "0.parquet", row_group_size=2)
    names = ["month", "is_new", "count", "amount"]
    batches = ParquetBatches(tmp_path, target="label", weight="weight", columns=names)
    assert batches.n_rows == [2, 1, 2, 1]
    assert batches.dtype == np.float64
    first, *_, last = batches
    np.testing.assert_array_equal(first.X, [[1, 1, 2**40 + 1, 1.5], [1, np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(last.X, [[2, 0, 3, 3]])
    assert first.y.tolist() == ["no", "yes"]
    assert first.weight.tolist() == [1.0, 2.0]
    assert ParquetBatches(tmp_path, columns=["amount", "is_new"]).dtype == np.float32
    with pytest.raises(ValueError, match="columns must hold numbers or booleans, got string in 'label'"):
        ParquetBatches(tmp_path, target="weight")
    with pytest.raises(ValueError, match="columns must hold numbers or booleans, got timestamp"):
        ParquetBatches(tmp_path, columns=["when"])
    with pytest.raises(ValueError, match=r"target must be a column of .* got 'lable'"):
        ParquetBatches(tmp_path, target="lable")
    pq.write_table(table.slice(0, 0), tmp_path / "none.parquet")
    with pytest.raises(ValueError, match="path must lead to rows, got"):
        ParquetBatches(tmp_path / "none.parquet", columns=["amount"])
    with pytest.raises(ValueError, match=r"must have labels: ParquetBatches\(..., target=...\)"):
        FocalLGBMClassifier().fit(ParquetBatches(tmp_path, columns=["amount"]))
    with pytest.raises(ValueError, match="must have labels, got a batch without"):
        FocalXGBClassifier().fit(ParquetBatches(tmp_path, columns=["amount"]))


def test_parquet_files_must_agree(tmp_path):
    X, y = data()
    batches = write(tmp_path, X, y)
    table = pd.DataFrame(X[:100], columns=batches.feature_names).assign(label=y[:100])
    # Other numbers are as good.
    table.assign(x3=table["x3"].round().astype("Int64")).to_parquet(tmp_path / "9.parquet")
    *_, last = ParquetBatches(tmp_path, target="label")
    np.testing.assert_array_equal(last.X[:, 3], X[:100, 3].round())
    table.assign(x3=None).to_parquet(tmp_path / "9.parquet")
    *_, last = ParquetBatches(tmp_path, target="label")
    assert np.isnan(last.X[:, 3]).all()
    table.drop(columns="x3").to_parquet(tmp_path / "9.parquet")
    with pytest.raises(ValueError, match=r"columns must be a column of .*9.parquet, which has .* got 'x3'"):
        ParquetBatches(tmp_path, target="label")
    with pytest.raises(ValueError, match=r"columns must be a column of .*9.parquet"):
        predict_in_batches(make(FocalXGBClassifier).fit(batches), tmp_path)
    table.assign(more=1).to_parquet(tmp_path / "9.parquet")
    with pytest.raises(ValueError, match=r"columns must be given where files differ, got also \['more'\] in .*9.parq"):
        ParquetBatches(tmp_path, target="label")
    assert len(ParquetBatches(tmp_path, target="label", columns=["x0"]).feature_names) == 1


@pytest.mark.parametrize(
    ("message", "params"),
    [
        (r"must be different columns, got \['label'\]", {"target": "label", "columns": ["x0", "label"]}),
        (r"must be different columns, got \['x0'\]", {"weight": "x0", "columns": ["x0", "x1"]}),
        (r"must be different columns, got \['x0'\]", {"target": "x0", "weight": "x0", "columns": ["x1"]}),
        ("columns must be a list of at least one name, got 'x0'", {"columns": "x0"}),
        ("columns must be a list of at least one name, got ..", {"columns": []}),
    ],
)
def test_bad_columns_of_parquet(message, params, tmp_path):
    write(tmp_path, FEATURES, CODES)
    with pytest.raises(ValueError, match=message):
        ParquetBatches(tmp_path, **params)


def test_parquet_needs_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.dataset", None)
    with pytest.raises(ImportError, match="ParquetBatches needs pyarrow: pip install pyarrow"):
        ParquetBatches(tmp_path)


def test_weights_in_parquet_must_be_numbers(tmp_path):
    with pytest.raises(ValueError, match=r"weight must hold numbers or booleans, got .*string in 'weight'"):
        write(tmp_path, FEATURES, CODES, NAMES[CODES])


def test_what_the_constructor_says_of_features():
    X, y = data()
    weights = np.array([0, 0, 0, 0, 0, 0, 0, 1.0])
    params = {"feature_weights": weights, "colsample_bynode": 0.2}
    model = make(FocalXGBClassifier, **params).fit(Batches(split(data=X, label=y)))
    assert list(model.get_booster().get_score()) == ["f7"]
    Z = np.c_[np.floor(np.abs(np.nan_to_num(X[:, 0]))), X[:, 1:]]
    types = ["c"] + ["q"] * 7
    local = make(FocalXGBClassifier, feature_types=types).fit(Z, y)
    model = make(FocalXGBClassifier, feature_types=types).fit(Batches(split(data=Z, label=y)), eval_set=[(Z, y)])
    np.testing.assert_allclose(model.decision_function(Z), local.decision_function(Z), atol=1e-4)
    matrix = xgboost.QuantileDMatrix(X, label=y, max_bin=64)
    for name, value, message in [
        ("feature_weights", weights, "feature_weights must be left out with a QuantileDMatrix"),
        ("feature_types", types, "feature_types must be left out with a QuantileDMatrix"),
        ("missing", 0.0, "missing must be nan, as X was made, got 0.0"),
        ("max_bin", 32, "max_bin must be 64, as X was made, got 32"),
        ("tree_method", "approx", "tree_method must be 'hist' or 'auto' with a QuantileDMatrix"),
    ]:
        with pytest.raises(ValueError, match=message):
            make(FocalXGBClassifier, **{"max_bin": 64} | {name: value}).fit(matrix)
    make(FocalXGBClassifier, missing=None, max_bin=64).fit(matrix)  # None is XGBoost's way to say NaN
    with pytest.raises(ValueError, match="must have no query groups"):
        make(FocalXGBClassifier).fit(xgboost.DMatrix(X, label=y, qid=np.repeat([0, 1], 1500)))
