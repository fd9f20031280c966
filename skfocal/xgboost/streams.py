"""The story of `fit` for what XGBoost streams, or has made already.

Imports `continuing`, `evaluation`, `matrices`, `parameters`, `training` and `boosting`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from xgboost import DMatrix

from skfocal.boosting.metrics import as_list, check_weights
from skfocal.boosting.parameters import focal_parameters
from skfocal.boosting.plan import make_plan
from skfocal.boosting.progress import progress_bar
from skfocal.boosting.samples import weigh_classes
from skfocal.boosting.streams import as_classes, as_entries, check_before_reading, check_left_out
from skfocal.xgboost.continuing import as_old_booster
from skfocal.xgboost.evaluation import MatrixEvaluation, as_metrics
from skfocal.xgboost.matrices import BINNED, MatrixReader, check_matrix, is_stream
from skfocal.xgboost.parameters import Settings, checked_settings
from skfocal.xgboost.training import train_on_matrix


def fit_stream(
    classifier: Any,
    X: Any,
    *,
    classes: Any,
    eval_set: Any,
    xgb_model: Any,
    external_memory: bool,
    verbose: bool | int | None,
    **of_arrays: Any,
) -> None:
    """Fit a classifier on an iterator, parquet files or a matrix; what else may be given is for arrays."""
    check_left_out(X, **of_arrays)
    settings, focal = checked_settings(classifier, verbose), focal_parameters(classifier)
    announced, entries = as_classes(classes), as_entries(eval_set, is_stream)
    asked = as_list(classifier.eval_metric)
    check_before_reading(classifier, focal, X, entries, settings.early_stopping_rounds, asked)
    _check_possible(settings, X, xgb_model, external_memory=external_memory)
    for name, matrix in {"X": X, **{f"eval_set[{i}]": entry for i, entry in enumerate(entries)}}.items():
        if isinstance(matrix, DMatrix):
            check_matrix(matrix, settings, classifier.missing, name)
    with _caches(external_memory) as folder:
        reader = MatrixReader(classifier, settings, folder)
        training = reader.training(X, announced)
        samples, classes = training.samples, training.classes
        loss, by_class = weigh_classes(focal, samples.totals(len(classes)), classes)
        old = as_old_booster(xgb_model, loss.n_margins(len(classes)), training.matrix)
        metrics = as_metrics(classifier, loss)
        sets = [reader.evaluation(entry, i, training) for i, entry in enumerate(entries)]
        check_weights(metrics, weighted=any(each.weight is not None for each in sets))
        starts_elsewhere = old is not None or bool(training.matrix.get_base_margin().size)
        plan = make_plan(focal, samples, classes, None, classifier._as_features, starts_elsewhere=starts_elsewhere)
        plan = replace(plan, is_sparse=training.is_sparse)
        sets = [each.weighted(by_class) for each in sets]
        evaluation = MatrixEvaluation(metrics, plan.link, sets, keep_best=settings.booster in ("dart", "gblinear"))
        with progress_bar(classifier.progress_bar, type(classifier).__name__) as advance:
            verbose = bool(sets) if verbose is None else verbose
            engine = train_on_matrix(classifier, plan, settings, evaluation, old, advance=advance, verbose=verbose)
    has_splits = settings.booster == "gblinear" or bool(engine.get_booster().get_score())
    classifier._adopt_without_samples(engine, plan, has_splits=has_splits)


def _check_possible(settings: Settings, X: Any, xgb_model: Any, *, external_memory: bool) -> None:
    """Raise if a parameter asks for what XGBoost cannot do with X."""
    kind, is_ready = type(X).__name__, isinstance(X, DMatrix)
    if not isinstance(external_memory, bool):
        raise TypeError(f"external_memory must be True or False, got {external_memory!r}.")
    if external_memory and is_ready:
        raise ValueError(f"external_memory must be False with a {kind}, which is made already, got True.")
    if is_ready and not isinstance(X, BINNED):
        return
    tree_method = settings.params.get("tree_method")
    if tree_method not in (None, "auto", "hist"):
        raise ValueError(f"tree_method must be 'hist' or 'auto' with a {kind}, got {tree_method!r}.")
    if settings.booster == "gblinear":
        raise ValueError(f"booster must be 'gbtree' or 'dart' with a {kind}, got 'gblinear'.")
    if xgb_model is not None:
        raise ValueError(
            f"xgb_model must be None with a {kind}, of whose features only the bins are kept, which are not those of "
            "another model: pass a DMatrix."
        )


@contextmanager
def _caches(external_memory: bool) -> Iterator[Path | None]:
    """Yield a folder for what XGBoost keeps on disk while it trains, or None."""
    if not external_memory:
        yield None
        return
    with TemporaryDirectory(prefix="skfocal-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
