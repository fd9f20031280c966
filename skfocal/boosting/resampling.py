"""What a sampler of imbalanced-learn makes of the training data. Imports `samples` and `_checks`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skfocal._checks import as_known_codes
from skfocal.boosting.samples import AsFeatures, Samples


def resample(samples: Samples, classes: NDArray[Any], sampler: Any, as_features: AsFeatures) -> Samples:
    """Return what the sampler makes of the training data."""
    used = clone(sampler)
    X, labels = used.fit_resample(samples.X, classes[samples.codes])
    codes = as_known_codes(labels, classes, "the resampled data")
    _check_all_sampled(codes, classes, sampler)
    X = as_features(X, reset=False)
    if samples.weight is None:
        return Samples(X, codes, is_whole=False)
    if not hasattr(used, "sample_indices_"):
        raise ValueError(
            f"sample_weight must be None with sampler={sampler!r}, which does not tell which samples its own "
            "are from: these have no weights. Samplers that have sample_indices_, and so choose, take them."
        )
    return samples.rows(used.sample_indices_)._replace(X=X, codes=codes)


def _check_all_sampled(codes: NDArray[np.integer], classes: NDArray[Any], sampler: Any) -> None:
    """Raise if a sampler has left out a class."""
    left_out = classes[np.bincount(codes, minlength=len(classes)) == 0].tolist()
    if left_out:
        raise ValueError(f"sampler must leave samples of every class, got none of {left_out} from {sampler!r}.")
