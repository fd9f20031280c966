"""Evaluation sets on a cluster, and the metrics that add up over workers: means over samples.

Imports `blocks`, `estimator` and `boosting`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from distributed import Client

from skfocal.boosting.metrics import EvalMetric, Evaluated, is_mean
from skfocal.dask.blocks import Encoded, checked_data, encoded
from skfocal.dask.estimator import Prepared, without_rows

_SUMMED = "'focal_loss', 'log_loss' and 'error'"


def check_early_stopping(rounds: int | None, pairs: list[Any]) -> None:
    """Raise if there is nothing for early stopping to watch."""
    if rounds is not None and not pairs:
        raise ValueError(
            "early_stopping_rounds needs an eval_set on a cluster, where nothing is split off: split "
            "collections by dask.dataframe's random_split."
        )


def check_metrics(metrics: list[Any]) -> None:
    """Raise if a metric does not add up over workers."""
    for metric in metrics:
        name = metric.name if isinstance(metric, EvalMetric) else metric
        if not is_mean(name):
            raise ValueError(
                f"eval_metric must be among {_SUMMED} on a cluster, got {name!r}: of a function of all rows it is not "
                "known how to put it together from those of each worker."
            )


def evaluation_sets(
    client: Client, classifier: Any, prepared: Prepared, pairs: list[Any], weights: list[Any], weights_name: str
) -> list[Encoded]:
    """Return checked evaluation sets, on the workers that hold them, with the weights of the classes."""
    sets, n_features = [], prepared.data.meta.shape[1]
    for i, ((X, y), weight) in enumerate(zip(pairs, weights, strict=True)):
        names = f"X of eval_set[{i}]", f"y of eval_set[{i}]", f"{weights_name}[{i}]"
        classes = prepared.data.classes
        allow_inf = classifier._allows_inf
        data = checked_data(client, X, y, weight, names=names, allow_inf=allow_inf, classes=classes)
        if data.meta.shape[1] != n_features:
            raise ValueError(f"{names[0]} must have {n_features} features, got {data.meta.shape[1]}.")
        classifier._as_features(without_rows(data.meta), reset=False)  # compares their names
        if not data.summary.n_weighing.any():
            raise ValueError(f"{names[2]} must have at least one non-zero weight, got only zeros.")
        sets.append(encoded(client, data, prepared.by_class))
    return sets


def scores_of_all(
    data: Evaluated, metrics: list[EvalMetric], over_workers: Callable[[list[float]], Any]
) -> list[float]:
    """Return metrics of the samples of all workers, of those of this one, which may be none, and a way to add up."""
    total = float(len(data.y) if data.sample_weight is None else np.sum(data.sample_weight))
    own = [metric.score(data) * total if total else 0.0 for metric in metrics]
    *sums, total_of_all = over_workers([*own, total])
    return [float(value / total_of_all) for value in sums]
