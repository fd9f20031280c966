"""LightGBM's evaluation sets, and metrics as it calls them.

Imports `_checks`, `boosting` and `losses`.
"""

import inspect
from collections.abc import Callable
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skfocal._checks import class_weights
from skfocal.boosting.metrics import (
    EvalMetric,
    Evaluated,
    as_list,
    as_metric,
    check_different,
    check_metric_names,
    default_metric,
    engine_probabilities,
    is_user_metric,
)
from skfocal.boosting.plan import Plan
from skfocal.boosting.progress import Advance
from skfocal.boosting.samples import Samples, as_pairs, evaluation_samples
from skfocal.losses.registry import Loss

_NO_METRIC = ("", "none", "na", "null", "custom")


class GivenSets(NamedTuple):
    """Evaluation sets as `fit` is given them: what is no pair is a list or a dict, with an entry for some of them."""

    pairs: list[tuple[Any, Any]]
    sample_weight: Any
    class_weight: Any
    init_score: Any

    def of(self, i: int) -> tuple[Any, Any, Any]:
        """Return the sample weights, class weights and starting margins of set i, None for what it has not."""
        return _entry(self.sample_weight, i), _entry(self.class_weight, i), _entry(self.init_score, i)

    @property
    def weighted(self) -> bool:
        """Whether any set has weights of its own."""
        return any(entry is not None for i in range(len(self.pairs)) for entry in self.of(i)[:2])


def given_sets(
    eval_set: Any, eval_X: Any, eval_y: Any, eval_names: Any, sample_weight: Any, class_weight: Any, init_score: Any
) -> GivenSets:
    """Return what `fit` is given as evaluation sets, in LightGBM's older or newer way."""
    if eval_X is not None or eval_y is not None:
        eval_set = _pair_up(eval_X, eval_y, eval_set)
    pairs = as_pairs(eval_set)
    entries = {
        "names": eval_names,
        "sample_weight": sample_weight,
        "class_weight": class_weight,
        "init_score": init_score,
    }
    for name, values in entries.items():
        check_entries(values, len(pairs), f"eval_{name}")
    return GivenSets(pairs, sample_weight, class_weight, init_score)


def evaluation_sets(
    classifier: Any,
    given: GivenSets,
    known: tuple[Any, Any, Samples] | None,
    classes: NDArray[Any],
    by_class: NDArray[np.float64] | None,
) -> list[Samples]:
    """Return checked evaluation sets.

    `known` is the training data, if LightGBM is to recognise it, see `boosting.samples.evaluation_samples`. `by_class`
    are the weights of its classes, which count where a set is given none of its own.
    """
    sets = []
    for i, (X, y) in enumerate(given.pairs):
        weight, class_weight, start = given.of(i)
        samples = evaluation_samples(
            classifier,
            X,
            y,
            f"eval_set[{i}]",
            classes,
            weight=(f"eval_sample_weight[{i}]", weight),
            start=(f"eval_init_score[{i}]", start),  # on top of the intercept, as in LightGBM
            known=None if any(entry is not None for entry in given.of(i)) else known,
        )
        own = class_weights(class_weight, classes, samples.totals(len(classes)), f"eval_class_weight[{i}]")
        sets.append(samples.weighted(by_class if own is None else own))
    return sets


def wanted_metrics(of_fit: Any, classifier: Any, of_lightgbm: list[Any]) -> list[Any]:
    """Return what is asked for as metrics: of `fit`, of the parameter ``eval_metric`` and of LightGBM's, ``metric``."""
    ours = [m for m in as_list([*as_list(of_fit), *as_list(classifier.eval_metric)]) if m is not None]
    return as_list([*ours, *(m for m in of_lightgbm if str(m).lower() not in _NO_METRIC)])


def as_metrics(of_fit: Any, classifier: Any, of_lightgbm: list[Any], loss: Loss) -> list[Any]:
    """Return the metrics of `fit`, of the parameter ``eval_metric`` and of LightGBM's own, ``metric``.

    A user's metric of LightGBM's signature stays as it is.
    """
    wanted = wanted_metrics(of_fit, classifier, of_lightgbm)
    if not wanted and not of_lightgbm:
        wanted = [default_metric(classifier.sampler)]
    # In the order given: LightGBM's early stopping may watch the first one only.
    metrics = [m if is_user_metric(m) else as_metric(m, loss) for m in wanted]
    check_metric_names(metrics)
    return metrics


def engine_metrics(metrics: list[Any], plan: Plan, sets: list[Samples]) -> Callable[..., list[Any]]:
    """Return all metrics as one that LightGBM calls, for each of the evaluation sets in turn.

    It does not say which data they are of. Weights are those that were given: LightGBM's own are float32, in which
    small ones are all 0.
    """
    turns, score = cycle(_in_turn(sets, plan.training)), _scores(metrics, plan)

    # LightGBM counts the arguments of a metric.
    def evaluate(y: Any, raw_prediction: Any) -> list[Any]:
        samples = next(turns)
        return score(samples.X, y, raw_prediction, samples.weight)

    return evaluate


def dataset_metrics(metrics: list[Any], plan: Plan, sets: list[Samples]) -> Callable[..., list[Any]]:
    """Return the same for Datasets that users have made: their labels are not our codes, and they lack our weights."""
    by_data, score = {id(samples.X): samples for samples in sets}, _scores(metrics, plan)

    def of_dataset(raw_prediction: Any, data: Any) -> list[Any]:
        samples = by_data[id(data)]
        return score(samples.X, samples.codes, raw_prediction, samples.weight)

    return of_dataset


def _scores(metrics: list[Any], plan: Plan) -> Callable[..., list[Any]]:
    """Return what computes all metrics of features, labels, margins and weights.

    While it trains LightGBM does not know of the focal intercept: the metrics add it, and so does the objective.
    """
    intercept = 0.0 if plan.intercept is None else plan.intercept

    def score(X: Any, y: Any, raw_prediction: Any, weight: Any) -> list[Any]:
        data = Evaluated(plan.link, X, y, raw_prediction + intercept, weight)
        results: list[Any] = []
        for metric in metrics:
            if isinstance(metric, EvalMetric):
                results.append((metric.name, metric.score(data), metric.greater_is_better))
            else:
                result = _of_user(metric, y, engine_probabilities(data), weight)
                results += result if isinstance(result, list) else [result]
        check_different(name for name, *_ in results)  # a user's metric says its name only now
        return results

    return score


def _of_user(metric: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a user's metric of LightGBM's signature, for labels, probabilities, weights and groups, says."""
    n_arguments = len(inspect.signature(metric).parameters)
    return metric(*(*arguments, None)[:n_arguments])  # the last: no query groups


class Progress:
    """LightGBM's kind of callback; after its early stopping (30) would be too late in the last round."""

    order = 25

    def __init__(self, advance: Advance) -> None:
        self._advance = advance

    def __call__(self, env: Any) -> None:
        """Show the scores of this round."""
        scores = {f"{result[0]} {result[1]}": result[2] for result in env.evaluation_result_list or ()}
        self._advance(env.end_iteration - env.begin_iteration, scores)


def _entry(collection: Any, i: int) -> Any:
    """Return what LightGBM would take for evaluation set i from a list or a dict of such things."""
    if isinstance(collection, dict):
        return collection.get(i)
    return None if collection is None or i >= len(collection) else collection[i]


def check_entries(entries: Any, n_eval: int, name: str) -> None:
    """Raise if there are entries for more evaluation sets than there are, or no entries at all."""
    if entries is not None and not isinstance(entries, list | tuple | dict):
        raise TypeError(f"{name} must be a list with an entry per evaluation set, got a {type(entries).__name__}.")
    if entries is not None and len(entries) > n_eval:
        raise ValueError(f"{name} must have at most {n_eval} entries, one per evaluation set, got {len(entries)}.")
    if name == "eval_names" and isinstance(entries, list | tuple):
        names = [entry for entry in entries if entry is not None]
        if len(set(names)) < len(names):  # LightGBM would merge their scores
            raise ValueError(f"eval_names must be different, got {list(entries)}.")


def _pair_up(eval_X: Any, eval_y: Any, eval_set: Any) -> list[tuple[Any, Any]]:
    """Return LightGBM's newer way to give evaluation sets as the older one."""
    if eval_set is not None:
        raise ValueError("eval_set must be None where eval_X and eval_y are given, got both.")
    if eval_X is None or eval_y is None:
        raise ValueError("eval_X and eval_y must be given together, got only one of them.")
    if isinstance(eval_X, tuple) != isinstance(eval_y, tuple):
        raise ValueError("eval_X and eval_y must be tuples of the same length or neither, got only one tuple.")
    if not isinstance(eval_X, tuple):
        return [(eval_X, eval_y)]
    if len(eval_X) != len(eval_y):
        raise ValueError(f"eval_X and eval_y must be tuples of the same length, got {len(eval_X)} and {len(eval_y)}.")
    return list(zip(eval_X, eval_y, strict=True))


def _in_turn(sets: list[Samples], training: Samples) -> list[Samples]:
    """Return evaluation sets in the order in which LightGBM evaluates them: training data, with its weights, first."""
    is_training = [samples.X is training.X and samples.codes is training.codes for samples in sets]
    others = [samples for samples, same in zip(sets, is_training, strict=True) if not same]
    return [training, *others] if any(is_training) else others
