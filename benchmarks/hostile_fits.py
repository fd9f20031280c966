"""One fit of a case of `hostile.py`, and what must hold of it: runs in a process of its own."""

import pickle
import re
import traceback
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hostile_cases import draw
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import skfocal

SAYS_CONSTANT = " have the same "
OURS = str(Path(skfocal.__file__).parent)

# What a message may name beside parameters, so that one knows what to change: by our words, or by those of libraries.
DATA = ("X", "y", "sample_weight", "feature_names", "[Ff]eature names?", "Features", "columns?", "Fields", "label type",
        "labels represented as bytes", "numbers of samples", "Found array", "Expected 2D array", "Input data contains",
        "input data may contain large values", "Complex data", "arrays of bytes/strings",
        "could not convert string to float")  # fmt: skip


class Outcome(NamedTuple):
    """How a fit has ended: "fine", "constant", "refused" or "failed"; and why."""

    status: str
    why: str = ""


def attempt(seed, which):
    """Fit and predict the case of a seed, with "ours" or with the plain "engine"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case = draw(seed)
    kind, params = (case.ours, case.params) if which == "ours" else (case.engine, case.engine_params)
    given = (*case.data, case.weight, params)
    before = as_bytes(given)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcome = judged(kind(**params), case.data, case.weight, caught)
        except Exception as error:  # whatever it is, it is to be judged
            outcome = of_error(error, case, params)
    if as_bytes(given) != before:
        return Outcome("failed", "has changed what it was given")
    ours = [each for each in caught if each.category is RuntimeWarning and each.filename.startswith(OURS)]
    if ours and outcome.status in ("fine", "constant"):
        return Outcome("failed", f"{Path(ours[0].filename).name}:{ours[0].lineno}: {ours[0].message}")
    return outcome


def judged(model, data, weight, caught):
    """Fit a model, predict, and return what is wrong with that, if anything is."""
    model.fit(data.X, data.y, **({} if weight is None else {"sample_weight": weight}))
    is_warned = any(issubclass(each.category, ConvergenceWarning) and SAYS_CONSTANT in str(each.message)
                    for each in caught)  # fmt: skip
    unseen = data.X if data.unseen is None else data.unseen
    wrong = [*wrong_predictions(model, data.X), *([] if unseen is data.X else wrong_predictions(model, unseen))]
    if wrong:
        return Outcome("failed", wrong[0])
    is_constant = len(np.unique(model.predict_proba(data.X), axis=0)) == 1
    if is_constant and not is_warned and knows_two_classes(model, data.y, weight):
        return Outcome("failed", "is constant, without a warning")
    if is_warned and not is_constant and not stops_or_samples(model):
        return Outcome("failed", "warns that it is constant, and is not")
    return Outcome("constant" if is_constant else "fine")


def knows_two_classes(model, y, weight):
    """Tell whether a model is ours, and samples of two classes weigh something: of one, a constant is no failure."""
    counting = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
    return type(model).__module__.startswith("skfocal") and len({str(y[int(row)]) for row in counting}) > 1


def stops_or_samples(model):
    """Tell whether a model has trained on other samples than it was given."""
    params = model.get_params()
    return any(params.get(name) for name in ("early_stopping_rounds", "early_stopping", "sampler"))


def wrong_predictions(model, X):
    """Yield what is wrong with the probabilities and labels of some samples."""
    n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
    posterior, labels = model.predict_proba(X), model.predict(X)
    if posterior.shape != (n_samples, len(model.classes_)):
        yield f"probabilities of the shape {posterior.shape}"
    elif not np.isfinite(posterior).all():
        yield f"{(~np.isfinite(posterior)).sum()} probabilities that are no numbers"
    elif ((posterior < 0) | (posterior > 1)).any():
        yield f"probabilities from {posterior.min()} to {posterior.max()}"
    elif (np.abs(posterior.sum(axis=1) - 1) > 1e4 * np.finfo(posterior.dtype).eps).any():
        yield f"rows that sum to {posterior.sum(axis=1).min()} ... {posterior.sum(axis=1).max()}"
    if len(labels) != n_samples or not set(labels.tolist()) <= set(model.classes_.tolist()):
        yield f"labels that are none: {labels[:5]}"


def as_bytes(value):
    """Return all that is in a value, to see whether it has changed: of a view all that it is a view of."""
    if isinstance(value, tuple):
        return [as_bytes(part) for part in value]
    if isinstance(value, np.ndarray) and value.dtype != object:
        whole = value
        while isinstance(whole.base, np.ndarray):
            whole = whole.base
        return value.dtype, value.shape, value.strides, value.flags.writeable, whole.tobytes()
    if hasattr(value, "iloc"):  # a pickle also has what pandas remembers of its columns
        columns = [value] if value.ndim == 1 else [value.iloc[:, i] for i in range(value.shape[1])]
        return list(value.index), [(str(each.name), str(each.dtype), repr(each.tolist())) for each in columns]
    if sparse.issparse(value) and value.format == "dok":
        return sorted(value.items())
    if sparse.issparse(value):  # not what it remembers of itself, whether its indices are sorted for one
        return {name: as_bytes(part) for name, part in vars(value).items() if isinstance(part, np.ndarray)}
    return pickle.dumps(value)


def of_error(error, case, params):
    """Return the outcome of an error: refused if it is a clear one."""
    said = f"{type(error).__name__}: {error}"
    if "sampler" in params and sampler_says(case) == said:
        return Outcome("refused", f"the sampler's {said}")
    is_of_kind = isinstance(error, ValueError | TypeError) or type(error).__name__ == "LightGBMError"
    if is_of_kind and is_clear(str(error), case.ours().get_params() | params):
        return Outcome("refused", said)
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Outcome("failed", f"{said} ({Path(where.filename).name}:{where.lineno})")


def is_clear(message, params):
    """Tell whether a message names a parameter, or the value of one, or a part of the data."""
    # Words of English are names too, as "missing" and "objective".
    names = [rf"\b{name}\b" if "_" in name else rf"\b{name}(=| must)|['`]{name}['`]" for name in params]
    values = [rf"['`]{re.escape(value)}['`]" for value in params.values() if isinstance(value, str)]
    return any(re.search(each, message) for each in (*names, *values, *(rf"\b{part}\b" for part in DATA)))


def sampler_says(case):
    """Return what the sampler of a case says of the data by itself."""
    try:
        clone(case.params["sampler"]).fit_resample(case.data.X, case.data.y)
    except Exception as error:  # whatever a sampler raises
        return f"{type(error).__name__}: {error}"
    return ""
