"""Fitted boosted classifiers as ONNX models: the trees by onnxmltools, the focal link by tracing our own formulas.

Needs the packages of the extra ``onnx`` when it is called. Imports `_onnx_steps`, for pipelines.
"""

import json
import re
import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

__all__ = ["to_onnx"]


def to_onnx(classifier: Any) -> Any:
    """Convert a fitted classifier, or a pipeline that ends in one, to an ONNX model, link included.

    The model needs neither skfocal nor an engine, only an ONNX runtime. Its input is ``X``, float32 of shape
    (n_samples, n_features), with NaN where a value is missing. Its outputs are ``label``, of shape (n_samples,), and
    ``probabilities``, float32 of shape (n_samples, n_classes) in the order of ``classes_``: `predict` and
    `predict_proba` of the same float32 features, to 1e-5.

    Parameters
    ----------
    classifier : FocalLGBMClassifier, FocalXGBClassifier or Pipeline
        A fitted classifier; or a pipeline of scikit-learn or imbalanced-learn that ends in one. skl2onnx converts the
        steps before it, samplers excepted, which have no part in predictions. With such steps ``X`` is float64, as is
        what they compute: a feature that is rounded otherwise than in scikit-learn can fall on the other side of a
        tree's threshold. Single rows still may, and differ by more than 1e-5, where skl2onnx knows a step in float32
        only (PowerTransformer), or sums in another order (PCA): compare the probabilities on data of yours.

    Returns
    -------
    model : onnx.ModelProto
        ``model.SerializeToString()`` is what ``onnxruntime.InferenceSession`` takes, and what a file holds.

    Raises
    ------
    ImportError
        If a package of the extra ``onnx`` is not installed.
    TypeError
        If it is anything else, or the labels are neither numbers, booleans nor strings.
    ValueError
        If ONNX has no equal of its booster: with categories, a ``missing`` other than NaN, ``zero_as_missing``,
        XGBoost's "dart", "gblinear" and multi-output trees; or if skl2onnx cannot convert a step of the pipeline, or
        not to what scikit-learn computes (OrdinalEncoder, TargetEncoder, Binarizer, KernelPCA).

    Warns
    -----
    UserWarning
        If a step is converted in float32.

    Examples
    --------
    >>> import numpy as np
    >>> from skfocal import FocalXGBClassifier
    >>> from skfocal.datasets import load_creditcard
    >>> from skfocal.onnx import to_onnx
    >>> X, y = load_creditcard(return_X_y=True)
    >>> clf = FocalXGBClassifier(n_estimators=20).fit(X, y)
    >>> model = to_onnx(clf).SerializeToString()
    >>> import onnxruntime
    >>> label, probabilities = onnxruntime.InferenceSession(model).run(None, {"X": X})
    >>> bool(np.allclose(probabilities, clf.predict_proba(X), atol=1e-5))
    True
    """
    before: list[Any] = []
    if isinstance(classifier, Pipeline):
        before = [step for _, step in classifier.steps[:-1] if hasattr(step, "transform")]
        classifier = classifier[-1]
    is_lightgbm = _is(classifier, "lightgbm")
    if not is_lightgbm and not _is(classifier, "xgboost"):
        raise TypeError(
            "classifier must be a FocalLGBMClassifier or a FocalXGBClassifier, or a pipeline that ends in one, "
            f"got a {type(classifier).__name__}."
        )
    check_is_fitted(classifier)
    labels = _labels(classifier.classes_)
    try:
        import ndonnx as ndx
        import onnxmltools  # noqa: F401  # which the trees need
        import spox  # noqa: F401
    except ImportError as error:
        raise ImportError('to_onnx needs more packages: pip install "skfocal[onnx]"') from error
    n_features = getattr(before[0] if before else classifier, "n_features_in_", None)
    X = ndx.argument(shape=("n_samples", n_features), dtype=ndx.float64 if before else ndx.float32)
    # LightGBM compares features as they are given with its thresholds, XGBoost in float32; and what a sparse matrix
    # leaves out is 0 to LightGBM, and missing to XGBoost.
    trees = _lightgbm_trees(classifier, bool(before)) if is_lightgbm else _xgboost_trees(classifier)
    dtype = X.dtype if is_lightgbm else ndx.float32
    zeros_are_missing = classifier._trained_on_sparse and not is_lightgbm
    raw_prediction = ndx.asarray(_margins(X, before, trees, dtype, zeros_are_missing))
    posterior = classifier._posterior(raw_prediction[:, 0] if len(labels) == 2 else raw_prediction)
    label = ndx.take(ndx.asarray(labels), ndx.argmax(posterior, axis=1))
    return ndx.build({"X": X}, {"label": label, "probabilities": ndx.astype(posterior, ndx.float32)})


def _is(classifier: Any, engine: str) -> bool:
    """Tell whether it is our classifier for an engine, whose module is imported if it is."""
    module = sys.modules.get(f"skfocal.{engine}")
    return module is not None and isinstance(classifier, getattr(module, module.__all__[0]))


def _labels(classes: Any) -> Any:
    """Return labels as an array of a type that ONNX has."""
    if classes.dtype.kind in "bf":
        return classes
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if not all(isinstance(label, str) for label in classes):
        raise TypeError(f"Labels must be numbers, booleans or strings for ONNX, got {classes.tolist()}.")
    return classes.astype(str)


def _margins(X: Any, steps: list[Any], trees: Any, dtype: Any, zeros_are_missing: bool) -> Any:
    """Return the margins by trees, on features of a float type, of X after the steps of a pipeline."""
    import ndonnx as ndx
    import spox

    if not steps:
        return spox.inline(trees)(X.unwrap_spox())["margins"]
    from skfocal._onnx_steps import convert_steps

    try:
        model, is_float64 = convert_steps(steps)
        features = X if is_float64 else ndx.astype(X, ndx.float32)
        (transformed,) = spox.inline(model)(features.unwrap_spox()).values()
        features = ndx.asarray(transformed)
        if zeros_are_missing:
            features = ndx.where(features == 0, ndx.asarray(np.nan), features)
        margins = spox.inline(trees)(ndx.astype(features, dtype).unwrap_spox())["margins"]
    except Exception as error:  # whatever skl2onnx, onnx and spox raise about a step that they do not know
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(f"classifier must have steps that skl2onnx can convert, got {steps}: {reason}") from error
    if not is_float64:
        warnings.warn(
            "Steps of the pipeline go to ONNX in float32: what they round otherwise than scikit-learn may be on the "
            "other side of a tree's threshold. Compare the probabilities on data of yours.",
            stacklevel=3,
        )
    return margins


def _lightgbm_trees(classifier: Any, in_float64: bool) -> Any:
    """Return a model of the margins, from LightGBM's booster, for features in float64 or float32."""
    import onnxmltools
    from lightgbm import Booster

    dumped = classifier.booster_.dump_model()
    for node in _nodes(dumped["tree_info"]):
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise ValueError("classifier must have no categorical features and no zero_as_missing to go to ONNX.")
    text = classifier.booster_.model_to_string()
    # The parameters tell of a custom objective, which onnxmltools does not know; the sizes of the trees' texts will
    # not be right, and LightGBM can do without.
    text = re.sub(r"^\[objective: .*\]$|^tree_sizes=.*$", "", text, flags=re.MULTILINE)
    # onnxmltools rounds thresholds to float32, past values of x too. So it is given their numbers, with their signs,
    # which it looks at.
    thresholds = [0.0]

    def numbered(match: re.Match[str]) -> str:
        first, values = len(thresholds), list(map(float, match[0].split()))
        thresholds.extend(values)
        return " ".join(f"{-number if value < 0 else number}" for number, value in enumerate(values, start=first))

    text = re.sub(r"(?<=^threshold=).*$", numbered, text, flags=re.MULTILINE)
    converted = onnxmltools.convert_lightgbm(Booster(model_str=text), initial_types=_input(classifier), zipmap=False)
    n_targets = _n_targets(classifier)
    values = np.array(thresholds) if in_float64 else _floored(np.array(thresholds))
    return _margins_model(converted, classifier, lambda tree: tree % n_targets, [0.0] * n_targets, values)


def _nodes(trees: list[Any]) -> list[Any]:
    """Return the splits of LightGBM's dumped trees."""
    todo, splits = [tree["tree_structure"] for tree in trees], []
    while todo:
        node = todo.pop()
        if "split_feature" in node:
            splits.append(node)
            todo += [node["left_child"], node["right_child"]]
    return splits


def _floored(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return each threshold as the largest float32 that is no larger: x <= threshold is the same for x of float32."""
    below = thresholds.astype(np.float32)
    return np.where(below > thresholds, np.nextafter(below, np.float32(-np.inf)), below)


def _xgboost_trees(classifier: Any) -> Any:
    """Return a model of the margins, from XGBoost's booster."""
    import onnxmltools

    booster = classifier.get_booster().copy()
    booster.feature_names = None  # onnxmltools wants them to be f0, f1 ...
    learner = json.loads(booster.save_raw("json"))["learner"]
    kind = learner["gradient_booster"]["name"]
    if kind != "gbtree":
        raise ValueError(f"classifier must have booster='gbtree' to go to ONNX, got {kind!r}.")
    if classifier.missing is not None and not np.isnan(classifier.missing):
        raise ValueError(f"classifier must have missing=nan to go to ONNX, got {classifier.missing!r}.")
    forest = learner["gradient_booster"]["model"]
    if any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in forest["trees"]):
        raise ValueError("classifier must have multi_strategy='one_output_per_tree' to go to ONNX.")
    if any(tree["categories"] for tree in forest["trees"]):
        raise ValueError("classifier must have no categorical features to go to ONNX.")
    converted = onnxmltools.convert_xgboost(booster, initial_types=_input(classifier))
    scores = np.atleast_1d(json.loads(learner["learner_model_param"]["base_score"]))
    base = np.log(scores / (1 - scores)) if _n_targets(classifier) == 1 else scores
    return _margins_model(converted, classifier, forest["tree_info"].__getitem__, base.tolist())


def _n_targets(classifier: Any) -> int:
    return 1 if len(classifier.classes_) == 2 else len(classifier.classes_)


def _input(classifier: Any) -> list[Any]:
    from onnxmltools.convert.common.data_types import FloatTensorType

    return [("X", FloatTensorType([None, classifier.n_features_in_]))]


def _margins_model(
    converted: Any, classifier: Any, class_of_tree: Any, base_values: list[float], thresholds: Any = None
) -> Any:
    """Return a model of the margins, with the trees of a converted classifier but without its sigmoid or softmax.

    If there are `thresholds`, the trees have their numbers; the features of the model are of their type.
    """
    from onnx import TensorProto, helper, numpy_helper

    (trees,) = (node for node in converted.graph.node if node.op_type == "TreeEnsembleClassifier")
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in trees.attribute}
    values = np.array(attributes["nodes_values"], dtype=np.float32)
    if thresholds is not None:
        values = thresholds[np.abs(values).astype(np.int64)]
    numbers = {"base_values": base_values, "nodes_values": values, "target_weights": attributes["class_weights"]}
    is_float64 = values.dtype == np.float64
    if is_float64:
        numbers = {f"{name}_as_tensor": numpy_helper.from_array(np.array(n, float)) for name, n in numbers.items()}
    numeric = ("nodes_values", "nodes_hitrates")
    structure = {k: value for k, value in attributes.items() if k.startswith("nodes_") and k not in numeric}
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["X"],
        ["margins"],
        domain="ai.onnx.ml",
        n_targets=_n_targets(classifier),
        target_ids=[class_of_tree(tree) for tree in attributes["class_treeids"]],
        target_nodeids=attributes["class_nodeids"],
        target_treeids=attributes["class_treeids"],
        **structure,
        **numbers,
    )
    features = TensorProto.DOUBLE if is_float64 else TensorProto.FLOAT
    X = helper.make_tensor_value_info("X", features, [None, classifier.n_features_in_])
    margins = helper.make_tensor_value_info("margins", TensorProto.FLOAT, [None, _n_targets(classifier)])
    graph = helper.make_graph([node], "trees", [X], [margins])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)])
