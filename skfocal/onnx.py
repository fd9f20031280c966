"""Fitted boosted classifiers as ONNX models: the trees by onnxmltools, the focal link by tracing our own formulas.

Needs the packages of the extra ``onnx`` when it is called. Imports nothing of ours.
"""

import json
import re
import sys
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline
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
        steps before it, samplers excepted, which have no part in predictions. What these steps round otherwise than
        scikit-learn can fall on the other side of a tree's threshold, of XGBoost's most likely, which are values of
        the training data: compare on data of yours, or leave out steps that trees do not need, scalers say.

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
        XGBoost's "dart", "gblinear" and multi-output trees.

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
    pipeline, before = classifier, []
    if isinstance(pipeline, Pipeline):
        classifier = pipeline[-1]
        before = [step for _, step in pipeline.steps[:-1] if hasattr(step, "transform")]
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
        import spox
    except ImportError as error:
        raise ImportError('to_onnx needs more packages: pip install "skfocal[onnx]"') from error
    trees = _lightgbm_trees(classifier) if is_lightgbm else _xgboost_trees(classifier)
    X = ndx.argument(shape=("n_samples", pipeline.n_features_in_), dtype=ndx.float32)
    features = X.unwrap_spox()
    if before:
        (features,) = spox.inline(_transformers(before, pipeline.n_features_in_))(features).values()
    (margins,) = spox.inline(trees)(features).values()
    raw_prediction = ndx.asarray(margins)
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


def _transformers(steps: list[Any], n_features: int) -> Any:
    """Return a model of the steps of a pipeline, from float32 to float32."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    return convert_sklearn(make_pipeline(*steps), initial_types=[("X", FloatTensorType([None, n_features]))])


def _lightgbm_trees(classifier: Any) -> Any:
    """Return a model of the margins, from LightGBM's booster."""
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
    # x <= threshold is in float32 what it is in float64 if the threshold is rounded down; onnxmltools rounds it either
    # way, past values of x too.
    rounded = Booster(model_str=re.sub(r"(?<=^threshold=).*$", _floored, text, flags=re.MULTILINE))
    converted = onnxmltools.convert_lightgbm(rounded, initial_types=_input(classifier), zipmap=False)
    n_targets = _n_targets(classifier)
    return _margins_model(converted, classifier, lambda tree: tree % n_targets, [0.0] * n_targets)


def _nodes(trees: list[Any]) -> list[Any]:
    """Return the splits of LightGBM's dumped trees."""
    todo, splits = [tree["tree_structure"] for tree in trees], []
    while todo:
        node = todo.pop()
        if "split_feature" in node:
            splits.append(node)
            todo += [node["left_child"], node["right_child"]]
    return splits


def _floored(match: re.Match[str]) -> str:
    """Return thresholds, each as the largest float32 that is no larger."""
    thresholds = np.array(match[0].split(), dtype=np.float64)
    below = thresholds.astype(np.float32)
    below = np.where(below > thresholds, np.nextafter(below, np.float32(-np.inf)), below)
    return " ".join(repr(float(value)) for value in below)


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
    if classifier.multi_strategy == "multi_output_tree":
        raise ValueError("classifier must have multi_strategy='one_output_per_tree' to go to ONNX.")
    forest = learner["gradient_booster"]["model"]
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


def _margins_model(converted: Any, classifier: Any, class_of_tree: Any, base_values: list[float]) -> Any:
    """Return a model of the margins, with the trees of a converted classifier but without its sigmoid or softmax."""
    from onnx import TensorProto, helper

    (trees,) = (node for node in converted.graph.node if node.op_type == "TreeEnsembleClassifier")
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in trees.attribute}
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["X"],
        ["margins"],
        domain="ai.onnx.ml",
        n_targets=_n_targets(classifier),
        base_values=base_values,
        target_ids=[class_of_tree(tree) for tree in attributes["class_treeids"]],
        target_nodeids=attributes["class_nodeids"],
        target_treeids=attributes["class_treeids"],
        target_weights=attributes["class_weights"],
        **{name: value for name, value in attributes.items() if name.startswith("nodes_")},
    )
    shapes = {"X": classifier.n_features_in_, "margins": _n_targets(classifier)}
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n]) for name, n in shapes.items()]
    graph = helper.make_graph([node], "trees", values[:1], values[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)])
