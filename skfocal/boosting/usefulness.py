"""A warning where a fit has ended useless: with the same margin for every sample. Imports `samples` and `_compat`."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skfocal._compat import users_stacklevel
from skfocal.boosting.samples import Samples

_N_SAMPLES = 1000  # of each class to look at first: a model that is of use tells some of them apart


def warn_if_constant(classifier: Any, samples: Samples) -> None:
    """Warn if a fitted classifier has the same margins for all samples of several classes, and say what to change."""
    occurring = np.flatnonzero(samples.totals() > 0)
    if len(occurring) < 2:
        return
    some = np.concatenate([_spread(np.flatnonzero(samples.codes == code)) for code in occurring])
    if not _is_constant(classifier, samples.rows(some)) or not _is_constant(classifier, samples):
        return
    values = [_with_value(classifier, name) for name in ("focal_gamma", *classifier._thresholds)]
    warnings.warn(
        f"{type(classifier).__name__} has found no split that tells samples apart, all have the same margin: "
        f"lower {', '.join(values[:-1])} or {values[-1]}, or raise weights that are small (sample_weight, "
        "class_weight, focal_alpha); if the features are the same for all samples, there is nothing to find.",
        ConvergenceWarning,
        stacklevel=users_stacklevel(),
    )


def _with_value(classifier: Any, name: str) -> str:
    value = getattr(classifier, name)
    return name if value is None else f"{name} ({value})"


def _spread(rows: Any) -> Any:
    """Return some rows from the first to the last."""
    return rows[:: max(1, len(rows) // _N_SAMPLES)]


def _is_constant(classifier: Any, samples: Samples) -> bool:
    margins = classifier.decision_function(samples.X)
    return bool((margins == margins[0]).all())
