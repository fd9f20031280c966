"""Hostile tables of pandas, Arrow and polars; see `hostile_data`."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hostile_data import Data, features, kind, labels
from hostile_sparse import few_entries

WORDS = np.array(["a", "ß", "", "日本", "b c", 'd"e'])


def table(rng):
    """Return an ordinary table and labels."""
    X = features(rng)
    return pd.DataFrame(X, columns=list("abcd")), labels(rng, X)


@kind
def nullable_dtypes(rng):
    """Give pandas' own integers, floats and booleans, some missing; the labels in one of them too."""
    frame, y = table(rng)
    gone = rng.random(len(y)) < rng.choice([0.0, 0.2, 1.0])
    frame["b"] = pd.array(np.round(9 * frame["b"]), dtype="Int64")
    frame["c"] = (frame["c"] > 0).astype("boolean")
    frame["d"] = frame["d"].astype("Float64")
    frame.loc[gone, ["b", "c", "d"]] = pd.NA
    return Data(frame, pd.Series(y, dtype=rng.choice(["Int64", "int8", "Float32", "string"])))


@kind
def arrow_dtypes(rng):
    """Give pandas' columns that Arrow keeps, some missing; the labels too."""
    frame, y = table(rng)
    gone = rng.random(len(y)) < rng.choice([0.0, 0.2])
    frame["b"] = pd.array(np.round(9 * frame["b"]), dtype="int64[pyarrow]")
    frame["c"] = (frame["c"] > 0).astype("bool[pyarrow]")
    frame["d"] = frame["d"].astype("float[pyarrow]")
    frame.loc[gone, ["b", "c", "d"]] = pd.NA
    return Data(frame, pd.Series(y).astype(rng.choice(["int64[pyarrow]", "string[pyarrow]"])))


def columns_with_nulls(rng):
    """Return columns of several types by name, and labels."""
    X = features(rng)
    gone = rng.random(len(X)) < rng.choice([0.0, 0.2, 1.0])
    columns = {
        "a": X[:, 0],
        "b": [None if none else round(value) for none, value in zip(gone, 9 * X[:, 1], strict=True)],
        "c": [None if none else bool(value > 0) for none, value in zip(gone, X[:, 2], strict=True)],
        "d": X[:, 3].astype(np.float32),
    }
    return columns, labels(rng, X)


@kind
def arrow_table(rng):
    """Give a table of Arrow, in chunks, with nulls."""
    columns, y = columns_with_nulls(rng)
    whole = pa.table(columns)
    return Data(pa.concat_tables([whole[:50], whole[50:50], whole[50:]]), pa.array(y) if rng.random() < 0.5 else y)


@kind
def polars_table(rng):
    """Give a table of polars with nulls."""
    columns, y = columns_with_nulls(rng)
    return Data(pl.DataFrame(columns, strict=False), pl.Series(y) if rng.random() < 0.5 else y)


@kind
def unseen_categories(rng):
    """Categories to predict that were not in training, in tables of any library."""
    X = features(rng)
    known, others = rng.choice(WORDS[:4], size=120), rng.choice(WORDS, size=120)
    y = labels(rng, X) if rng.random() < 0.5 else (known == "ß").astype(int)
    pairs = [pd.DataFrame({"a": X[:, 0], "word": pd.Categorical(words)}) for words in (known, others)]
    library = rng.integers(3)
    if library == 1:
        pairs = [pa.Table.from_pandas(frame) for frame in pairs]
    elif library == 2:
        pairs = [
            pl.DataFrame({"a": X[:, 0], "word": words}).cast({"word": pl.Categorical}) for words in (known, others)
        ]
    return Data(pairs[0], y, pairs[1])


@kind
def odd_categories(rng):
    """Categories that are numbers, unused, single, many, or all missing."""
    frame, y = table(rng)
    kinds = [
        pd.Categorical(rng.integers(0, 5, len(y))),
        pd.Categorical(["x"] * len(y), categories=["w", "x", "y"]),
        pd.Categorical([f"w{i}" for i in range(len(y))]),
        pd.Categorical([None] * len(y), categories=["w", "x"]),
        pd.Categorical([None] * len(y)),
        pd.Categorical(rng.choice([0.5, -1e300], len(y))),
        pd.Categorical(rng.choice([True, False], len(y))),
        pd.Categorical(pd.to_datetime(rng.choice(["2020-01-01", "2021-01-01"], len(y)))),
        pd.Categorical(rng.choice(["low", "high"], len(y)), categories=["low", "high"], ordered=True),
    ]
    frame["word"] = kinds[rng.integers(len(kinds))]
    return Data(frame, y)


@kind
def words_and_days(rng):
    """Columns that no engine reads: words, days, spans, objects."""
    frame, y = table(rng)
    kinds = [
        rng.choice(WORDS, len(y)).astype(object),
        pd.array(rng.choice(WORDS, len(y)), dtype="string"),
        pd.to_datetime(np.arange(len(y)), unit="D"),
        pd.to_timedelta(np.arange(len(y)), unit="D"),
        pd.Series([[1]] * len(y)),
        frame["a"].astype(object),
        frame["a"].astype(complex),
    ]
    frame["odd"] = kinds[rng.integers(len(kinds))]
    if rng.random() < 0.2 and frame["odd"].dtype.kind in "mM":
        return Data(pl.from_pandas(frame), y)
    return Data(frame, y)


@kind
def sparse_columns(rng):
    """Give pandas' sparse columns."""
    X, y = few_entries(rng)
    frame = pd.DataFrame.sparse.from_spmatrix(pd.DataFrame(X).astype(pd.SparseDtype(float, 0.0)).sparse.to_coo())
    return Data(frame.rename(columns=str), y)


@kind
def reordered_columns(rng):
    """Change the order of the columns to predict."""
    frame, y = table(rng)
    return Data(frame, y, frame[["d", "b", "a", "c"]])


@kind
def missing_columns(rng):
    """Leave out a column when it comes to predict, add one, or give it another name."""
    frame, y = table(rng)
    unseen = [frame[["a", "b", "c"]], frame.assign(e=1.0), frame.rename(columns={"a": "A"}), frame.to_numpy()]
    return Data(frame, y, unseen[rng.integers(len(unseen))])


@kind
def doubled_columns(rng):
    """Two columns have one name, in training or to predict."""
    frame, y = table(rng)
    doubled = frame.set_axis(list("abbd"), axis=1)
    return Data(doubled, y) if rng.random() < 0.5 else Data(frame, y, doubled)


@kind
def odd_names(rng):
    """Names of columns with signs that formats use, or that are no words."""
    frame, y = table(rng)
    kinds = [
        ['a"', "b,c", "d:e", "{f}"],
        ["a[0]", "b<1", "c]", "d e"],
        ["ä", "日本", "", "a\n"],
        [0, 1, 2, 3],
        ["a", 1, 2.5, None],
        pd.MultiIndex.from_product([["x", "y"], [0, 1]]),
    ]
    return Data(frame.set_axis(kinds[rng.integers(len(kinds))], axis=1), y)
