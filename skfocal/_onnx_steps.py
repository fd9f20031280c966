"""The steps of a pipeline before a classifier on arrays of ONNX, as scikit-learn computes them.

What goes from step to step is a matrix of numbers; or, as soon as a column has words, a list of columns. What looks up
categories, fills holes or compares is written here; all other steps are converted by skl2onnx.

Needs the packages of the extra ``onnx`` when it is called.

Imports `_compat`.
"""

import warnings
from collections.abc import Iterable, Sequence
from copy import deepcopy
from functools import singledispatch
from inspect import getattr_static
from itertools import pairwise
from types import NoneType
from typing import Any

import ndonnx as ndx
import numpy as np
import onnx
import spox
from ndonnx.extensions import static_map
from numpy.typing import NDArray
from scipy import sparse
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import KernelPCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    TargetEncoder,
)

from skfocal._compat import column_positions, one_hot_widths

MISSING = ("nan", "None", "<NA>")  # a missing word, as ONNX runtimes read it from an array of objects
_UFUNCS = (np.abs, np.exp, np.expm1, np.log, np.log10, np.log1p, np.log2, np.sign, np.sqrt, np.square)


def is_text(categories: Iterable[Any]) -> bool:
    """Return whether there are words among categories."""
    return any(isinstance(category, str) for category in categories)


def is_missing(value: Any) -> bool:
    """Return whether a category or mark stands for what is missing: None, NaN or pandas' NA."""
    return not isinstance(value, str) and str(value) in MISSING


def looked_up(column: Any, keys: Sequence[Any], rows: NDArray[Any]) -> Any:
    """Return the row of each key in a column; keys may be missing ones too.

    Of what is no key it is one row more; if there is none, running the model is an error.
    """
    text = column.dtype == ndx.utf8
    places = dict(zip(_as_onnx(keys, text), range(len(keys)), strict=True))
    if len(places) < len(keys):
        raise ValueError(f"Categories that ONNX cannot tell from each other: {list(keys)}. Rename what is missing.")
    return ndx.take(ndx.asarray(rows), static_map(column[:, 0], places, default=len(keys)), axis=0)


def _as_onnx(categories: Sequence[Any], text: bool) -> list[Any]:
    """Return categories as values of ONNX."""
    if text and all(isinstance(category, str) or is_missing(category) for category in categories):
        return [str(category) for category in categories]
    if text or not all(is_missing(c) or isinstance(c, int | float | np.bool_ | np.number) for c in categories):
        raise ValueError(f"Categories must be all words or all numbers for ONNX, got {list(categories)[:9]}.")
    if any(abs(category) > 2**53 for category in categories if not is_missing(category)):
        raise ValueError("Numbers above 2**53 cannot be categories for ONNX: make them words, by astype(str).")
    return [np.nan if is_missing(category) else float(category) for category in categories]


def column_of(X: Any, i: int) -> Any:
    """Return a column of features as an array of shape (n_samples, 1)."""
    return X[i] if isinstance(X, list) else X[:, i : i + 1]


def as_matrix(X: Any) -> Any:
    """Return numeric features as a matrix of float64."""
    if not isinstance(X, list):
        return ndx.astype(X, ndx.float64)
    if _has_text(X):
        raise ValueError("words must be encoded before")
    return ndx.concat([ndx.astype(column, ndx.float64) for column in X], axis=1)


def _selected(X: Any, positions: Sequence[int]) -> Any:
    if isinstance(X, list):
        return [X[i] for i in positions]
    return ndx.take(X, ndx.asarray(np.asarray(positions, dtype=np.int64)), axis=1)


def _has_text(X: Any) -> bool:
    return isinstance(X, list) and any(column.dtype == ndx.utf8 for column in X)


@singledispatch
def text_inputs(step: Any, after: Sequence[bool]) -> list[bool]:
    """Return which columns that go into a step have words, as far as the step, or what comes `after`, can tell."""
    return [False] * getattr(step, "n_features_in_", len(after))


@text_inputs.register(str)
@text_inputs.register(NoneType)
def _(step: Any, after: Sequence[bool]) -> list[bool]:
    return list(after)


@text_inputs.register
def _(step: FunctionTransformer, after: Sequence[bool]) -> list[bool]:
    return list(after) if step.func is None else [False] * step.n_features_in_


@text_inputs.register
def _(step: Pipeline, after: Sequence[bool]) -> list[bool]:
    return texts_before([each for _, each in step.steps], after)


@text_inputs.register
def _(step: ColumnTransformer, after: Sequence[bool]) -> list[bool]:
    texts = [False] * step.n_features_in_
    for _, part, positions, output in _parts(step):
        inner = list(after)[output] if after else [False] * len(positions)
        for position, text in zip(positions, text_inputs(part, inner), strict=True):
            texts[position] |= text
    return texts


@text_inputs.register
def _(step: FeatureUnion, after: Sequence[bool]) -> list[bool]:
    each = [text_inputs(part, [False] * step.n_features_in_) for _, part in step.transformer_list if part != "drop"]
    return [any(texts) for texts in zip(*each, strict=True)]


@text_inputs.register
def _(step: SimpleImputer, after: Sequence[bool]) -> list[bool]:
    return [isinstance(value, str) for value in step.statistics_]


@text_inputs.register
def _(step: OneHotEncoder | OrdinalEncoder | TargetEncoder, after: Sequence[bool]) -> list[bool]:
    return [is_text(categories) for categories in step.categories_]


def texts_before(steps: Sequence[Any], after: Sequence[bool]) -> list[bool]:
    """Return which columns that go into the first of some steps have words."""
    for step in reversed(steps):
        after = text_inputs(step, after)
    return list(after)


def transformed(step: Any, X: Any, in_float32: list[Any]) -> Any:
    """Return features after a fitted step; add it to a list if skl2onnx computes it in float32 only."""
    if isinstance(step, str | None):  # "passthrough"
        return X
    is_known = _transformed.dispatch(type(step)) is not _transformed.dispatch(object)  # or a subclass of a known one
    if is_known and overrides(step, ("sklearn", "imblearn"), ["transform"]):
        raise _refusal(step, "its class has a transform of its own")
    return _transformed(step, X, in_float32)


def overrides(estimator: Any, packages: tuple[str, ...], methods: Sequence[str]) -> bool:
    """Tell whether the class of an estimator has methods of its own in place of those of its parent in a package."""
    own, parents = type(estimator), type(estimator).__mro__
    parent = next(each for each in parents if each.__module__.partition(".")[0] in packages)
    return any(getattr_static(own, name, None) is not getattr_static(parent, name, None) for name in methods)


@singledispatch
def _transformed(step: Any, X: Any, in_float32: list[Any]) -> Any:
    if isinstance(step, KernelPCA):
        raise _refusal(step, "skl2onnx gives other values than scikit-learn")
    try:
        X = as_matrix(X)
        shape = [None, step.n_features_in_]
        try:
            return _converted(step, X, DoubleTensorType(shape))
        except Exception:  # skl2onnx, onnx and spox raise all kinds where a step is known for float32 only, or not
            result = _converted(step, ndx.astype(X, ndx.float32), FloatTensorType(shape))
    except Exception as error:
        raise _refusal(step, next(iter(str(error).splitlines()), type(error).__name__)) from error
    in_float32.append(step)
    return result


def _converted(step: Any, X: Any, kind: Any) -> Any:
    model = convert_sklearn(step, initial_types=[("X", kind)])
    onnx.checker.check_model(model, full_check=True)  # of types, too, where skl2onnx mixes them
    (result,) = spox.inline(model)(X.unwrap_spox()).values()
    return ndx.asarray(result)


def _refusal(step: Any, reason: str) -> ValueError:
    return ValueError(
        f"classifier must have steps that can go to ONNX, got {step}: {reason}. Transform the data before the model, "
        "and give to_onnx a pipeline of what comes after this step, or the classifier alone."
    )


@_transformed.register
def _(step: Pipeline, X: Any, in_float32: list[Any]) -> Any:
    for _, each in step.steps:
        X = transformed(each, X, in_float32)
    return X


def _parts(step: ColumnTransformer) -> list[tuple[str, Any, list[int], slice]]:
    """Return each part of a ColumnTransformer with its name, the columns that it takes and those that it makes."""
    positions, outputs = column_positions(step), step.output_indices_
    parts = [(name, part, positions[name], outputs[name]) for name, part, _ in step.transformers_]
    return [each for each in parts if each[1] != "drop" and len(each[2])]


@_transformed.register
def _(step: ColumnTransformer, X: Any, in_float32: list[Any]) -> Any:
    parts = [
        (_weighted(transformed(part, _selected(X, positions), in_float32), name, step), outputs)
        for name, part, positions, outputs in _parts(step)
    ]
    if not any(_has_text(part) for part, _ in parts):
        return ndx.concat([as_matrix(part) for part, _ in parts], axis=1)
    return [column_of(part, i) for part, outputs in parts for i in range(outputs.stop - outputs.start)]


@_transformed.register
def _(step: FeatureUnion, X: Any, in_float32: list[Any]) -> Any:
    parts = [
        _weighted(transformed(part, X, in_float32), name, step)
        for name, part in step.transformer_list
        if part != "drop"
    ]
    return ndx.concat([as_matrix(part) for part in parts], axis=1)


def _weighted(part: Any, name: str, step: Any) -> Any:
    weights = step.transformer_weights or {}
    return as_matrix(part) * float(weights[name]) if name in weights else part


@_transformed.register
def _(step: FunctionTransformer, X: Any, in_float32: list[Any]) -> Any:
    if step.func is None:
        return X
    if step.func not in _UFUNCS or step.kw_args:
        names = ", ".join(f"np.{each.__name__}" for each in _UFUNCS)
        raise _refusal(step, f"of functions ONNX takes {names}")
    return getattr(ndx, {"absolute": "abs"}.get(step.func.__name__, step.func.__name__))(as_matrix(X))


@_transformed.register
def _(step: Binarizer, X: Any, in_float32: list[Any]) -> Any:
    return ndx.astype(as_matrix(X) > float(step.threshold), ndx.float64)


@_transformed.register
def _(step: KBinsDiscretizer, X: Any, in_float32: list[Any]) -> Any:
    results = []
    for i, edges in enumerate(step.bin_edges_):
        inner = ndx.asarray(np.asarray(edges[1:-1], dtype=np.float64)[None])
        number = ndx.sum(ndx.astype(as_matrix(column_of(X, i)) >= inner, ndx.int64), axis=1, keepdims=True)
        one_hot = step.encode != "ordinal"
        results.append(number == ndx.asarray(np.arange(step.n_bins_[i])[None]) if one_hot else number)
    return ndx.concat([ndx.astype(result, ndx.float64) for result in results], axis=1)


@_transformed.register
def _(step: SimpleImputer, X: Any, in_float32: list[Any]) -> Any:
    """Fill holes; skl2onnx's own knows float32 only, and neither words, indicators nor empty columns."""
    if any(text_inputs(step, ())):
        if step.add_indicator:
            raise _refusal(step, "indicators beside words; give them a MissingIndicator of numbers, or none")
        return [_filled(column_of(X, i), step.missing_values, step.statistics_[i]) for i in _kept(step)]
    X = as_matrix(X)
    missing, statistics = _is_marked(X, step.missing_values), step.statistics_.astype(np.float64)  # constants: objects
    columns = [_selected(ndx.where(missing, ndx.asarray(statistics[None]), X), _kept(step))]
    if step.add_indicator:
        columns.append(ndx.astype(_selected(missing, step.indicator_.features_.tolist()), ndx.float64))
    return ndx.concat(columns, axis=1)


def _filled(column: Any, mark: Any, value: Any) -> Any:
    return ndx.where(_is_marked(column, mark), ndx.asarray(np.array(value)), column)


def _is_marked(X: Any, mark: Any) -> Any:
    if X.dtype == ndx.utf8:
        return str(mark) == X
    return ndx.isnan(X) if is_missing(mark) else float(mark) == X


def _kept(imputer: SimpleImputer) -> list[int]:
    """Return the columns that an imputer keeps: not those that it has never seen a value of."""
    empty = np.array([is_missing(value) for value in imputer.statistics_])
    return np.flatnonzero(imputer.keep_empty_features | ~empty).tolist()


@_transformed.register
def _(step: OneHotEncoder | OrdinalEncoder | TargetEncoder, X: Any, in_float32: list[Any]) -> Any:
    """Look categories up in what the encoder itself makes of each of them; skl2onnx's do so by numbers of float32."""
    results = []
    for i, (categories, rows) in enumerate(zip(step.categories_, _tables(step), strict=True)):
        found = looked_up(column_of(X, i), categories, rows.astype(np.float64))
        if isinstance(step, OneHotEncoder):
            numbers = np.arange(one_hot_widths(step)[i], dtype=np.float64)
            found = ndx.astype(found == ndx.asarray(numbers[None]), ndx.float64)
        results.append(found)
    return ndx.concat(results, axis=1)


def _tables(encoder: Any) -> list[NDArray[Any]]:
    """Return for each feature what an encoder makes of its categories, and of one that it does not know, if it may be.

    Of a OneHotEncoder not its columns, of which there may be thousands, but which of them is 1, -1 for none.
    """
    categories = encoder.categories_
    is_hot, may_be_unknown = isinstance(encoder, OneHotEncoder), getattr(encoder, "handle_unknown", "") != "error"
    n_rows = max(map(len, categories))
    table = np.empty((n_rows + may_be_unknown, len(categories)), dtype=object)
    for i, own in enumerate(categories):
        table[:, i] = own[0]
        table[: len(own), i] = own
    table[n_rows:] = "\0unknown"
    encoder = deepcopy(encoder).set_output(transform="default")  # a copy that is not deep shares that
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of names that there are none of, and of what is unknown
        if is_hot:
            encoder.set_params(sparse_output=True)
        encoded = encoder.transform(table)
    widths = one_hot_widths(encoder) if is_hot else [encoded.shape[1] // len(categories)] * len(categories)
    ends = np.cumsum([0, *widths])
    parts = [encoded[:, start:end] for start, end in pairwise(ends)]
    parts = [_hot(part) for part in parts] if is_hot else [np.asarray(part) for part in parts]
    return [np.concatenate([part[: len(own)], part[n_rows:]]) for own, part in zip(categories, parts, strict=True)]


def _hot(rows: sparse.csr_matrix) -> NDArray[np.int64]:
    """Return which column of each row is 1."""
    rows = sparse.coo_array(rows)
    hot = np.full((rows.shape[0], 1), -1, dtype=np.int64)
    hot[rows.coords[0], 0] = rows.coords[1]
    return hot
