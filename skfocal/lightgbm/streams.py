"""The story of `fit` for what LightGBM holds already, a Dataset, and for parquet files.

Imports `datasets`, `evaluation`, `parameters`, `training` and `boosting`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from lightgbm import Dataset

from skfocal.boosting.metrics import check_weights
from skfocal.boosting.parameters import focal_parameters
from skfocal.boosting.plan import make_plan
from skfocal.boosting.progress import progress_bar
from skfocal.boosting.samples import weigh_classes
from skfocal.boosting.streams import as_classes, as_entries, check_before_reading, check_left_out
from skfocal.lightgbm.datasets import DatasetReader, is_stream
from skfocal.lightgbm.evaluation import as_metrics, check_entries, wanted_metrics
from skfocal.lightgbm.parameters import Settings, checked_settings
from skfocal.lightgbm.training import parameters_to_train, train_on_dataset


def fit_stream(
    classifier: Any,
    X: Any,
    *,
    classes: Any,
    eval_set: Any,
    eval_names: Any,
    eval_metric: Any,
    callbacks: Any,
    **of_arrays: Any,
) -> None:
    """Fit a classifier on a Dataset or on parquet files; what else may be given is for arrays."""
    check_left_out(X, **of_arrays)
    settings, focal = _with_one_seed(checked_settings(classifier)), focal_parameters(classifier)
    announced, entries = as_classes(classes), as_entries(eval_set, is_stream)
    asked = wanted_metrics(eval_metric, classifier, settings.metric)
    check_before_reading(classifier, focal, X, entries, settings.early_stopping_rounds, asked)
    check_entries(eval_names, len(entries), "eval_names")
    if settings.boosting == "dart" and any(entry is X for entry in entries):
        raise ValueError(
            "eval_set must not hold X itself with boosting_type='dart': to evaluate it, LightGBM drops trees for good; "
            "pass another Dataset of the same rows."
        )
    of_data = X.get_params() if isinstance(X, Dataset) else {}
    reader = DatasetReader(classifier, parameters_to_train(classifier, settings, of_data))
    training = reader.training(X, announced)
    samples, classes = training.samples, training.classes
    loss, by_class = weigh_classes(focal, samples.totals(len(classes)), classes)
    metrics = as_metrics(eval_metric, classifier, settings.metric, loss)
    sets = [reader.evaluation(entry, i, training) for i, entry in enumerate(entries)]
    check_weights(metrics, weighted=any(each.weight is not None for each in sets))
    plan = make_plan(focal, samples, classes, None, classifier._as_features)
    plan = replace(plan, is_sparse=training.is_sparse)
    sets = [each.weighted(by_class) for each in sets]
    with progress_bar(classifier.progress_bar, type(classifier).__name__) as advance:
        as_given = {"names": eval_names, "callbacks": callbacks}
        engine = train_on_dataset(classifier, plan, settings, reader.params, sets, metrics, advance, **as_given)
    classifier._adopt_without_samples(engine, plan, has_splits=bool(engine.booster_.feature_importance().any()))


def _with_one_seed(settings: Settings) -> Settings:
    """Return settings with a number for a seed: bins and trees are to be of the same."""
    seed, largest = settings.seed, np.iinfo(np.int32).max
    if isinstance(seed, np.random.RandomState | np.random.Generator):
        seed = int(seed.randint(largest) if isinstance(seed, np.random.RandomState) else seed.integers(largest))
    return settings._replace(seed=seed, params=settings.params | {"random_state": seed})
