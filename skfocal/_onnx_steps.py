"""The steps of a pipeline before a classifier, as an ONNX model by skl2onnx that computes as scikit-learn does.

Needs the packages of the extra ``onnx`` when it is called.

Imports `_compat`.
"""

from copy import copy
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.algebra.onnx_ops import OnnxCast, OnnxConcat, OnnxEqual, OnnxGather, OnnxIsNaN, OnnxWhere
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, guess_numpy_type, guess_proto_type
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import KernelPCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Binarizer, OrdinalEncoder, TargetEncoder

from skfocal._compat import column_positions

# What skl2onnx takes, and makes a model of that gives other values: of NaN, of large numbers, on the threshold.
_CONVERTED_WRONG = (Binarizer, KernelPCA, OrdinalEncoder, TargetEncoder)


def convert_steps(steps: list[Any]) -> tuple[Any, bool]:
    """Return a model of fitted steps, and whether it is in float64: in float32 where skl2onnx has no other."""
    shape = [None, steps[0].n_features_in_]
    steps = [_by_position(step) for step in steps]
    try:
        return _convert(steps, DoubleTensorType(shape)), True
    except Exception:  # skl2onnx and onnx raise all kinds where a step is known for float32 only, or not at all
        return _convert(steps, FloatTensorType(shape)), False


def _convert(steps: list[Any], features: Any) -> Any:
    model = convert_sklearn(
        make_pipeline(*steps),
        initial_types=[("X", features)],
        custom_conversion_functions={SimpleImputer: _convert_imputer},
        custom_shape_calculators={SimpleImputer: _imputed_shape} | dict.fromkeys(_CONVERTED_WRONG, _refuse),
    )
    onnx.checker.check_model(model, full_check=True)  # of types, too, where skl2onnx mixes them
    return model


def _by_position(step: Any) -> Any:
    """Return a step that takes columns by position, as the model's input has no names."""
    if isinstance(step, Pipeline):
        return make_pipeline(*(_by_position(each) for _, each in step.steps))
    if not isinstance(step, ColumnTransformer):
        return step
    step, positions = copy(step), column_positions(step)
    step.transformers_ = [(name, transformer, positions[name]) for name, transformer, _ in step.transformers_]
    return step


def _refuse(operator: Any) -> None:
    raise ValueError(f"skl2onnx's {type(operator.raw_operator).__name__} gives other values than scikit-learn's.")


def _imputed_shape(operator: Any) -> None:
    imputer, features = operator.raw_operator, operator.inputs[0]
    n_columns = len(_kept(imputer)) + (len(imputer.indicator_.features_) if imputer.add_indicator else 0)
    operator.outputs[0].type = type(features.type)([features.get_first_dimension(), n_columns])


def _convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a SimpleImputer: skl2onnx's own knows float32 only, and neither indicators nor empty columns."""
    imputer, X = operator.raw_operator, operator.inputs[0]
    dtype, opset = guess_numpy_type(X.type), {"op_version": container.target_opset}
    if np.isnan(imputer.missing_values):
        missing = OnnxIsNaN(X, **opset)
    else:
        missing = OnnxEqual(X, np.array([imputer.missing_values], dtype=dtype), **opset)
    filled = OnnxWhere(missing, _statistics(imputer).astype(dtype)[None], X, **opset)
    columns = [OnnxGather(filled, _kept(imputer), axis=1, **opset)]
    if imputer.add_indicator:
        flags = OnnxGather(missing, imputer.indicator_.features_.astype(np.int64), axis=1, **opset)
        columns.append(OnnxCast(flags, to=guess_proto_type(X.type), **opset))
    OnnxConcat(*columns, axis=1, output_names=operator.outputs, **opset).add_to(scope, container)


def _statistics(imputer: SimpleImputer) -> NDArray[np.float64]:
    return imputer.statistics_.astype(np.float64)  # objects, if they are constants


def _kept(imputer: SimpleImputer) -> NDArray[np.int64]:
    """Return the columns that an imputer keeps: not those that it has never seen a value of."""
    kept = np.ones(imputer.n_features_in_, bool) if imputer.keep_empty_features else ~np.isnan(_statistics(imputer))
    return np.flatnonzero(kept).astype(np.int64)
