"""scikit-learn's trees for ONNX. Imports `boosting`."""

from typing import Any

import numpy as np

from skfocal.boosting.onnx_model import NODE, Codes, OnnxTrees, n_margins, with_sets


def onnx_trees(classifier: Any) -> OnnxTrees:
    """Return the trees; features that are categories come first in scikit-learn's, the others after them."""
    predictors = [predictor for round_ in classifier._predictors for predictor in round_]
    theirs = np.concatenate([predictor.nodes for predictor in predictors])
    sizes = [len(predictor.nodes) for predictor in predictors]
    trees = np.repeat(np.arange(len(sizes)), sizes)
    is_category = classifier.is_categorical_
    if is_category is None:
        is_category = np.zeros(classifier.n_features_in_, bool)
    order = np.concatenate([np.flatnonzero(is_category), np.flatnonzero(~is_category)])
    leaf = theirs["is_leaf"].astype(bool)
    nodes = np.zeros(len(theirs), NODE)
    nodes["tree"], nodes["margin"] = trees, trees % n_margins(classifier)
    nodes["node"] = np.concatenate([np.arange(size) for size in sizes])
    nodes["is_leaf"], nodes["value"] = leaf, np.where(leaf, theirs["value"], 0.0)
    nodes["feature"] = np.where(leaf, 0, order[theirs["feature_idx"]])
    nodes["threshold"] = np.where(leaf, 0.0, theirs["num_threshold"])
    nodes["yes"], nodes["no"] = np.where(leaf, 0, theirs["left"]), np.where(leaf, 0, theirs["right"])
    nodes["missing_is_yes"] = ~leaf & theirs["missing_go_to_left"].astype(bool)
    sets = {
        int(place): _set(predictors[trees[place]].raw_left_cat_bitsets[theirs["bitset_idx"][place]])
        for place in np.flatnonzero(~leaf & theirs["is_categorical"].astype(bool))
    }
    return OnnxTrees(
        nodes=with_sets(nodes, sets),
        base_values=classifier._baseline_prediction.ravel().tolist(),
        n_features=classifier.n_features_in_,
        categories=_categories(classifier, order[: is_category.sum()]),
    )


def _set(bits: Any) -> list[int]:
    """Return the numbers in a set, kept as 8 words of 32 bits."""
    return np.flatnonzero(np.unpackbits(bits.astype("<u4").view(np.uint8), bitorder="little")).tolist()


def _categories(classifier: Any, features: Any) -> dict[int, Codes]:
    """Return the codes of categories; one that was only in what was split off for early stopping is as if missing."""
    if not len(features):
        return {}
    encoder = classifier._preprocessor.named_transformers_["encoder"]
    known = classifier._bin_mapper.bin_thresholds_
    codes = [np.arange(len(categories), dtype=np.float64) for categories in encoder.categories_]
    return {
        int(feature): Codes(categories, np.where(np.isin(numbers, known[place]), numbers, np.nan))
        for place, (feature, categories, numbers) in enumerate(zip(features, encoder.categories_, codes, strict=True))
    }
