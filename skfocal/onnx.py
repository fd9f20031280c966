"""Fitted boosted classifiers as ONNX models: the trees node by node, the focal link by tracing our own formulas.

Needs the packages of the extra ``onnx`` when it is called.

Imports `_onnx_steps` and `boosting`.
"""

import warnings
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skfocal.boosting.estimator import FocalBoostedMixin
from skfocal.boosting.onnx_model import OnnxTrees, margins_model

__all__ = ["to_onnx"]

_OF_THRESHOLD = "Pass its estimator_, and apply the threshold to the probabilities: it is not in the model."
_WAYS_OUT = {
    "CalibratedClassifierCV": "Pass the estimator of one of its calibrated_classifiers_; ONNX has no calibration.",
    "FixedThresholdClassifier": _OF_THRESHOLD,
    "TunedThresholdClassifierCV": _OF_THRESHOLD,
} | dict.fromkeys(
    ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"),
    "It has no best_estimator_: fit it, with refit=True.",
)


def to_onnx(classifier: Any) -> Any:
    """Convert a fitted classifier, or a pipeline that ends in one, to an ONNX model, link included.

    The model needs neither skfocal nor an engine, only an ONNX runtime. Its outputs are ``label``, of shape
    (n_samples,), and ``probabilities``, float32 of shape (n_samples, n_classes) in the order of ``classes_``: `predict`
    and `predict_proba` of the same features, to 1e-5.

    Features that are all numbers are one input, ``X``, of shape (n_samples, n_features), with NaN where a value is
    missing: float32 for a classifier alone, float64 for a pipeline or with categories. If some are words, each column
    that the model uses is an input, of shape (n_samples, 1): a string, or float64. It has the name of the column in
    the table that was fitted, or those of scikit-learn, ``x0``, ``x1`` and so on. See Notes.

    Parameters
    ----------
    classifier : FocalLGBMClassifier, FocalXGBClassifier, FocalHistGradientBoostingClassifier, Pipeline or search
        A fitted classifier; or a pipeline of scikit-learn or imbalanced-learn that ends in one; or a search
        (GridSearchCV and others), whose ``best_estimator_`` is taken. Samplers have no part in predictions. See Notes
        for the other steps.

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
        If ONNX cannot have what its booster does: LightGBM's ``zero_as_missing``, XGBoost's "gblinear" and multi-output
        trees; nor a step of the pipeline; nor its categories, see Notes.

    Warns
    -----
    UserWarning
        If a step is converted in float32.

    Notes
    -----
    Categories that trees know by themselves (columns of dtype "category", or what an engine is told to take for one)
    are passed as they are in the table, words or numbers; where the engine was given codes, as codes. What is missing
    is None or NaN in an array of objects, which runtimes read as the words "None", "nan" and "<NA>": that is how the
    model knows it, unless training had such words for categories. A category that was not in training is what it is
    for the classifier, missing, or for the encoder: unknown, or an error, for which the runtime says that an index is
    out of bounds. Three cases have no equal, and are refused. LightGBM does not tell which columns are *ordered*
    categories; ONNX can neither tell a missing value from the word "nan", where both are categories, nor numbers above
    2**53 from one another. Encode in a pipeline, or rename, instead.

    Of the steps of a pipeline, these are computed in float64 as scikit-learn does, on words as well: OneHotEncoder,
    OrdinalEncoder and TargetEncoder with all their parameters, SimpleImputer (on words without ``add_indicator``). And
    of numbers: Binarizer, KBinsDiscretizer, FunctionTransformer without a function or with one of NumPy's abs, exp,
    expm1, log, log10, log1p, log2, sign, sqrt, square. ColumnTransformer and FeatureUnion and
    pipelines may nest them. All other steps are converted by skl2onnx, KernelPCA excepted, of which it makes other
    values. A feature that is rounded otherwise than in scikit-learn can fall on the other side of a tree's threshold,
    and change the probabilities of a row by more than 1e-5. That happens to single rows where skl2onnx knows a step in
    float32 only (PowerTransformer), sums in another order (PCA), or has another logarithm: compare the probabilities on
    data of yours. Those of FocalHistGradientBoostingClassifier differ most, as its thresholds are values of the
    training data in float64: after PCA one row in 900 of the card data.

    Columns that are dropped are no inputs if others are words; in ``X`` they have their place, and may hold NaN.

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

    Of a table with words, pass each column:

    >>> import pandas as pd
    >>> table = pd.DataFrame({"amount": X[:, -1], "kind": pd.Categorical(np.where(X[:, 2] > 0, "web", "shop"))})
    >>> clf = FocalXGBClassifier(n_estimators=20).fit(table, y)
    >>> session = onnxruntime.InferenceSession(to_onnx(clf).SerializeToString())
    >>> [(each.name, each.type) for each in session.get_inputs()]
    [('amount', 'tensor(double)'), ('kind', 'tensor(string)')]
    >>> columns = {name: table[[name]].to_numpy(object if name == "kind" else float) for name in table}
    >>> label, probabilities = session.run(None, columns)
    >>> bool(np.allclose(probabilities, clf.predict_proba(table), atol=1e-5))
    True
    """
    model = _best(classifier)
    steps: list[Any] = []
    if isinstance(model, Pipeline):
        steps = [step for _, step in model.steps[:-1] if hasattr(step, "transform")]  # not samplers
        model = _best(model[-1])
    if not isinstance(model, FocalBoostedMixin):
        name = type(model).__name__
        raise TypeError(
            "classifier must be a boosted classifier of skfocal, or a pipeline that ends in one, "
            f"got a {name}. {_WAYS_OUT.get(name, 'Pass what is fitted inside, if it holds one.')}"
        )
    check_is_fitted(model)
    labels = _labels(model.classes_)
    try:
        import ndonnx as ndx
        import onnx  # noqa: F401
        import skl2onnx  # noqa: F401
        import spox  # noqa: F401
    except ImportError as error:
        raise ImportError('to_onnx needs more packages: pip install "skfocal[onnx]"') from error
    from skfocal._onnx_steps import overrides

    if overrides(model, ("skfocal",), ["predict_proba", "decision_function"]):
        raise TypeError(
            f"classifier must predict as its parent in skfocal does, got a {type(model).__name__}, whose predict_proba "
            "or decision_function is its own."
        )
    trees = model._onnx_trees()
    inputs, features = _inputs((steps or [model])[0], steps, trees)
    margins = _margins(features, steps, trees)
    posterior = model._link.posterior(margins[:, 0] if len(labels) == 2 else margins)
    label = ndx.take(ndx.asarray(labels), ndx.argmax(posterior, axis=1))
    return _built(inputs, {"label": label, "probabilities": ndx.astype(posterior, ndx.float32)})


def _best(model: Any) -> Any:
    """Return the model that a search has found, anything else as it is."""
    return getattr(model, "best_estimator_", model)


def _labels(classes: Any) -> Any:
    """Return labels as an array of a type that ONNX has."""
    if classes.dtype.kind in "bf":
        return classes
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if not all(isinstance(label, str) for label in classes):
        raise TypeError(
            f"Labels must be numbers, booleans or strings for ONNX, got {classes.tolist()}: fit with y.astype(str)."
        )
    return classes.astype(str)


def _inputs(first: Any, steps: list[Any], trees: OnnxTrees) -> tuple[dict[str, Any], Any]:
    """Return the inputs of the model by name, and the features in them: a matrix, or columns if some have words."""
    import ndonnx as ndx

    from skfocal._onnx_steps import is_text, texts_before

    texts = [False] * trees.n_features
    for feature, codes in trees.categories.items():
        texts[feature] = codes is not None and is_text(codes.categories)
    texts = texts_before(steps, texts)
    if not any(texts):
        dtype = ndx.float64 if steps or trees.categories else ndx.float32
        X = ndx.argument(shape=("n_samples", len(texts)), dtype=dtype)
        return {"X": X}, X
    names = getattr(first, "feature_names_in_", [f"x{i}" for i in range(len(texts))])
    if {"label", "probabilities"} & set(names):
        raise ValueError("classifier must have no features 'label' and 'probabilities' to go to ONNX: rename them.")
    inputs = {
        str(name): ndx.argument(shape=("n_samples", 1), dtype=ndx.utf8 if text else ndx.float64)
        for name, text in zip(names, texts, strict=True)
    }
    return inputs, list(inputs.values())


def _margins(features: Any, steps: list[Any], trees: OnnxTrees) -> Any:
    """Return the margins by trees of features after the steps of a pipeline."""
    import ndonnx as ndx
    import spox

    from skfocal._onnx_steps import as_matrix, transformed

    in_float32: list[Any] = []
    for step in steps:
        features = transformed(step, features, in_float32)
    if in_float32:
        warnings.warn(
            f"Steps of the pipeline go to ONNX in float32, {in_float32}: what they round otherwise than scikit-learn "
            "may be on the other side of a tree's threshold. Compare the probabilities on data of yours.",
            stacklevel=3,
        )
    if trees.categories:
        features = [_coded(features, i, trees) for i in range(trees.n_features)]
    in_float64 = not trees.in_float32 and bool(steps or trees.categories)
    features = ndx.astype(as_matrix(features), ndx.float64 if in_float64 else ndx.float32)
    if steps and trees.zeros_are_missing:
        features = ndx.where(features == 0, ndx.asarray(np.nan, dtype=features.dtype), features)
    if not np.isnan(trees.missing):
        features = ndx.where(features == trees.missing, ndx.asarray(np.nan, dtype=features.dtype), features)
    model = margins_model(trees, in_float64=in_float64)
    return ndx.asarray(spox.inline(model)(features.unwrap_spox())["margins"])


def _coded(features: Any, i: int, trees: OnnxTrees) -> Any:
    """Return a column of features as trees compare it: categories as codes."""
    import ndonnx as ndx

    from skfocal._onnx_steps import MISSING, column_of, is_missing, looked_up

    column = column_of(features, i)
    if i not in trees.categories:
        return column
    known = trees.categories[i]
    if known is None:
        return ndx.trunc(column)  # as engines do with what is given as a code
    there = [i for i, category in enumerate(known.categories) if not is_missing(category)]
    categories = [known.categories[i] for i in there]
    marks = [mark for mark in MISSING if mark not in categories] if column.dtype == ndx.utf8 else [np.nan]
    codes = [*known.codes[there], *[np.nan] * (len(marks) + 1)]  # the last one is of a category that is not known
    return looked_up(column, [*categories, *marks], np.array(codes)[:, None])


def _built(inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
    """Return the model, without columns that it makes no use of: of which type they are is not known."""
    import ndonnx as ndx

    model = ndx.build(inputs, outputs)
    if len(inputs) > 1:
        used = {name for node in model.graph.node for name in node.input}
        for each in [each for each in model.graph.input if each.name not in used]:
            model.graph.input.remove(each)
    return model
