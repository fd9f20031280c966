"""Fitted boosted classifiers as ONNX models: the trees by onnxmltools, the focal link by tracing our own formulas.

Needs the packages of the extra ``onnx`` when it is called.

Imports `_onnx_steps` and `boosting`.
"""

import warnings
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skfocal.boosting.estimator import FocalBoostedMixin
from skfocal.boosting.onnx_model import OnnxTrees

__all__ = ["to_onnx"]


def to_onnx(classifier: Any) -> Any:
    """Convert a fitted classifier, or a pipeline that ends in one, to an ONNX model, link included.

    The model needs neither skfocal nor an engine, only an ONNX runtime. Its input is ``X``, float32 of shape
    (n_samples, n_features), with NaN where a value is missing. Its outputs are ``label``, of shape (n_samples,), and
    ``probabilities``, float32 of shape (n_samples, n_classes) in the order of ``classes_``: `predict` and
    `predict_proba` of the same float32 features, to 1e-5.

    Parameters
    ----------
    classifier : FocalLGBMClassifier, FocalXGBClassifier, FocalHistGradientBoostingClassifier or Pipeline
        A fitted classifier; or a pipeline of scikit-learn or imbalanced-learn that ends in one. skl2onnx converts the
        steps before it, samplers excepted, which have no part in predictions. With such steps ``X`` is float64, as is
        what they compute: a feature that is rounded otherwise than in scikit-learn can fall on the other side of a
        tree's threshold. Single rows still may, and differ by more than 1e-5, where skl2onnx knows a step in float32
        only (PowerTransformer), or sums in another order (PCA): compare the probabilities on data of yours. Those of
        FocalHistGradientBoostingClassifier do most, as its thresholds are values of the training data in float64: after
        PCA one row in 900 of the card data.

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
    if not isinstance(classifier, FocalBoostedMixin):
        raise TypeError(
            "classifier must be a boosted classifier of skfocal, or a pipeline that ends in one, "
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
    margins = ndx.asarray(_margins(X, before, classifier._onnx_trees(in_float64=bool(before))))
    posterior = classifier._link.posterior(margins[:, 0] if len(labels) == 2 else margins)
    label = ndx.take(ndx.asarray(labels), ndx.argmax(posterior, axis=1))
    return ndx.build({"X": X}, {"label": label, "probabilities": ndx.astype(posterior, ndx.float32)})


def _labels(classes: Any) -> Any:
    """Return labels as an array of a type that ONNX has."""
    if classes.dtype.kind in "bf":
        return classes
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if not all(isinstance(label, str) for label in classes):
        raise TypeError(f"Labels must be numbers, booleans or strings for ONNX, got {classes.tolist()}.")
    return classes.astype(str)


def _margins(X: Any, steps: list[Any], trees: OnnxTrees) -> Any:
    """Return the margins by trees of X after the steps of a pipeline."""
    import ndonnx as ndx
    import spox

    if not steps:
        return spox.inline(trees.model)(X.unwrap_spox())["margins"]
    from skfocal._onnx_steps import convert_steps

    try:
        model, is_float64 = convert_steps(steps)
        features = X if is_float64 else ndx.astype(X, ndx.float32)
        (transformed,) = spox.inline(model)(features.unwrap_spox()).values()
        features = ndx.asarray(transformed)
        if trees.zeros_are_missing:
            features = ndx.where(features == 0, ndx.asarray(np.nan), features)
        features = ndx.astype(features, ndx.float64 if trees.is_float64 else ndx.float32)
        margins = spox.inline(trees.model)(features.unwrap_spox())["margins"]
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
