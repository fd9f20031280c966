"""A warning where a fit has ended useless: with the same margin, or the same probabilities, for every sample.

Imports `samples` and `_compat`.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from skfocal._compat import users_stacklevel
from skfocal.boosting.samples import Samples

_N_SAMPLES = 100  # of each class to look at first: a model that is of use tells some of them apart


def warn_if_constant(classifier: Any, samples: Samples, engine: Any) -> None:
    """Warn if a fitted classifier has the same probabilities for all samples of several classes; say what to change.

    `engine` is what it was made of, and has the parameters that were in force.
    """
    occurring = np.flatnonzero(samples.totals() > 0)
    if len(occurring) < 2:
        return
    some = np.concatenate([_spread(np.flatnonzero(samples.codes == code)) for code in occurring])
    posterior = classifier.predict_proba
    if not (_is_constant(posterior, samples.rows(some)) and _is_constant(posterior, samples)):
        return
    if _is_constant(classifier.decision_function, samples):
        warn_of_no_split(classifier, engine)
    else:
        warnings.warn(
            f"{type(classifier).__name__} has margins so far out that all samples have the same probabilities: lower "
            f"learning_rate or focal_gamma ({classifier.focal_gamma}).",
            ConvergenceWarning,
            stacklevel=users_stacklevel(),
        )


def warn_of_no_split(classifier: Any, engine: Any) -> None:
    """Warn that a fitted classifier has the same margins for all samples; the arguments are those above."""
    params = engine.get_params()
    in_force = {name: default if params.get(name) is None else params[name] for name, default in classifier._thresholds}
    values = [f"focal_gamma ({classifier.focal_gamma})"]
    values += [f"{name} ({value})" for name, value in in_force.items() if value]
    warnings.warn(
        f"{type(classifier).__name__} has found no split that tells samples apart, all have the same margin: "
        f"lower {' or '.join(values)}, or raise weights that are small (sample_weight, "
        "class_weight, focal_alpha); if the features are the same for all samples, there is nothing to find.",
        ConvergenceWarning,
        stacklevel=users_stacklevel(),
    )


def _spread(rows: Any) -> Any:
    """Return some rows from the first to the last."""
    return rows[:: max(1, len(rows) // _N_SAMPLES)]


def _is_constant(predict: Callable[[Any], NDArray[Any]], samples: Samples) -> bool:
    predicted = predict(samples.X)
    return bool((predicted == predicted[0]).all())
