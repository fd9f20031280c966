"""Training on what XGBoost streams: an iterator over batches, parquet files, or a matrix that is made already.

Imports `continuing`, `evaluation`, `iterators`, `parameters`, `training`, `_checks`, `boosting` and `batches`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from xgboost import DataIter, DMatrix, ExtMemQuantileDMatrix, QuantileDMatrix

from skfocal._checks import as_sample_weight
from skfocal.batches import ParquetBatches
from skfocal.boosting.metrics import check_weights
from skfocal.boosting.parameters import focal_parameters
from skfocal.boosting.plan import make_plan
from skfocal.boosting.progress import progress_bar
from skfocal.boosting.samples import Samples, weigh_classes
from skfocal.boosting.streams import (
    LabelCodes,
    as_classes,
    as_entries,
    check_left_out,
    check_possible,
    codes_in_parts,
    learn_features,
)
from skfocal.xgboost.continuing import as_old_booster
from skfocal.xgboost.evaluation import MatrixEvaluation, as_metrics
from skfocal.xgboost.iterators import CheckedIter, OfParquet, OneBatch
from skfocal.xgboost.parameters import Settings, checked_settings
from skfocal.xgboost.training import train_on_matrix

_STREAMS = (DataIter, DMatrix, ParquetBatches)
_BINNED = (QuantileDMatrix, ExtMemQuantileDMatrix)


def is_stream(X: Any) -> bool:
    """Tell whether X is what holds labels and weights too."""
    return isinstance(X, _STREAMS)


def fit_stream(
    classifier: Any,
    X: Any,
    *,
    classes: Any,
    eval_set: Any,
    xgb_model: Any,
    external_memory: bool,
    verbose: bool | int | None,
    **in_data: Any,
) -> None:
    """Fit a classifier on an iterator, parquet files or a matrix: the story that `fit` tells of arrays.

    What else may be given with these belongs into the data.
    """
    check_left_out(X, **in_data)
    settings, focal = checked_settings(classifier, verbose), focal_parameters(classifier)
    announced, entries = as_classes(classes), as_entries(eval_set, is_stream)
    check_possible(classifier, X, entries, settings.early_stopping_rounds)
    _check_possible(settings, X, xgb_model, external_memory=external_memory)
    with _caches(external_memory) as folder:
        reader = _Reader(classifier, settings, folder)
        training = reader.training(X, announced)
        samples, classes = training.samples, training.classes
        loss, by_class = weigh_classes(focal, samples.totals(len(classes)), classes)
        old = as_old_booster(xgb_model, loss.n_margins(len(classes)), classifier.n_features_in_)
        metrics = as_metrics(classifier, loss)
        sets = [reader.evaluation(entry, i, training) for i, entry in enumerate(entries)]
        check_weights(metrics, weighted=any(each.weight is not None for each in sets))
        starts_elsewhere = old is not None or _has_start(training.matrix, loss.n_margins(len(classes)))
        plan = make_plan(focal, samples, classes, None, classifier._as_features, starts_elsewhere=starts_elsewhere)
        sets = [each.weighted(by_class) for each in sets]
        evaluation = MatrixEvaluation(metrics, plan.link, sets, keep_best=settings.booster in ("dart", "gblinear"))
        with progress_bar(classifier.progress_bar, type(classifier).__name__) as advance:
            verbose = bool(sets) if verbose is None else verbose
            engine = train_on_matrix(classifier, plan, settings, evaluation, old, advance=advance, verbose=verbose)
    has_splits = settings.booster == "gblinear" or bool(engine.get_booster().get_score())
    classifier._adopt_without_samples(engine, plan, has_splits=has_splits)


def _check_possible(settings: Settings, X: Any, xgb_model: Any, *, external_memory: bool) -> None:
    """Raise if a parameter asks for what XGBoost cannot do with X."""
    kind = type(X).__name__
    if not isinstance(external_memory, bool):
        raise TypeError(f"external_memory must be True or False, got {external_memory!r}.")
    if external_memory and isinstance(X, DMatrix):
        raise ValueError(f"external_memory must be False with a {kind}, which is made already, got True.")
    if not isinstance(X, DMatrix):
        if settings.params.get("tree_method") not in (None, "auto", "hist"):
            raise ValueError(
                f"tree_method must be 'hist' or 'auto' with a {kind}, got {settings.params['tree_method']!r}."
            )
        if settings.booster == "gblinear":
            raise ValueError(f"booster must be 'gbtree' or 'dart' with a {kind}, got 'gblinear'.")
    if xgb_model is not None and (not isinstance(X, DMatrix) or isinstance(X, _BINNED)):
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


class Data(NamedTuple):
    """What is trained on, or evaluated."""

    matrix: DMatrix
    samples: Samples  # whose features are the matrix
    classes: NDArray[Any]


@dataclass(frozen=True)
class _Reader:
    """Makes matrices for a classifier, on disk if there is a folder."""

    classifier: Any
    settings: Settings
    folder: Path | None

    def training(self, X: Any, announced: NDArray[Any] | None) -> Data:
        """Return training data, with the classes that are announced or found."""
        labels = LabelCodes("y of X", announced)
        if isinstance(X, DMatrix):
            self._check_matrix(X, "X")
            learn_features(self.classifier, X.num_col(), X.feature_names)
            codes = codes_in_parts(labels, X.get_label())
            matrix = X
        else:
            source = self._checked(X, "X", labels, is_training=True)
            matrix = self._matrix(source, None)
            codes = matrix.get_label()
            if source.names is not None:
                learn_features(self.classifier, matrix.num_col(), source.names)
        classes = labels.classes()
        return Data(matrix, _samples(matrix, labels.sorted_codes(codes, classes), "X"), classes)

    def evaluation(self, entry: Any, i: int, training: Data) -> Samples:
        """Return an evaluation set, whose labels must be among the classes."""
        name, labels = f"eval_set[{i}]", LabelCodes(f"y of eval_set[{i}]", training.classes)
        if entry is training.matrix:
            return training.samples
        if isinstance(entry, DMatrix):
            self._check_matrix(entry, name)
            if entry.num_col() != self.classifier.n_features_in_:
                raise ValueError(f"{name} must have {self.classifier.n_features_in_} features, got {entry.num_col()}.")
            matrix, codes = entry, codes_in_parts(labels, entry.get_label())
        else:
            source = self._checked(entry, name, labels, is_training=False)
            matrix = self._matrix(source, training.matrix)
            codes = matrix.get_label()
        return _samples(matrix, labels.sorted_codes(codes, training.classes), name)

    def _check_matrix(self, matrix: DMatrix, name: str) -> None:
        """Raise if a matrix has no rows, or not a label for each."""
        n_labels = matrix.get_label().size
        if not matrix.num_row() or n_labels != matrix.num_row():
            raise ValueError(f"{name} must have a label for each row, got {matrix.num_row()} and {n_labels} labels.")

    def _checked(self, entry: Any, name: str, labels: LabelCodes, *, is_training: bool) -> CheckedIter:
        """Return an iterator of any kind, or a pair (X, y), as one that is checked."""
        if not is_stream(entry):
            entry = OneBatch(*entry)
        source = OfParquet(entry) if isinstance(entry, ParquetBatches) else entry
        cache = source.cache_prefix
        if cache is None and self.folder is not None:
            cache = str(self.folder / name.strip("]").replace("[", "-"))
        return CheckedIter(source, name, labels, self.classifier, is_training=is_training, cache_prefix=cache)

    def _matrix(self, source: CheckedIter, ref: DMatrix | None) -> DMatrix:
        """Return all batches as a matrix: of bins, those of `ref`, if that has any."""
        params = self.settings.params
        common = {
            "missing": self.classifier.missing,
            "nthread": self.settings.n_jobs,
            "enable_categorical": params["enable_categorical"],
        }
        if ref is not None and not isinstance(ref, _BINNED):
            return DMatrix(source, **common)
        kind = QuantileDMatrix if source.cache_prefix is None else ExtMemQuantileDMatrix
        return kind(source, max_bin=params.get("max_bin"), ref=ref, **common)


def _samples(matrix: DMatrix, codes: NDArray[np.int32], name: str) -> Samples:
    weight = matrix.get_weight()
    checked = as_sample_weight(weight, len(codes), f"The weight of {name}") if weight.size else None
    return Samples(matrix, codes, checked)


def _has_start(matrix: DMatrix, n_margins: int) -> bool:
    """Tell whether a matrix holds margins to start from; raise if these are not one for each row and class."""
    size = matrix.get_base_margin().size
    if size and size != matrix.num_row() * n_margins:
        raise ValueError(
            f"The base_margin of X must have {n_margins} margins for each of the {matrix.num_row()} rows, got {size}."
        )
    return bool(size)
