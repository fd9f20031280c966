"""What XGBoost trains on, of what users stream: an iterator over batches, parquet files, or a matrix made already.

Imports `categories`, `compat`, `iterators`, `parameters`, `_checks`, `boosting` and `batches`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from xgboost import DataIter, DMatrix, ExtMemQuantileDMatrix, QuantileDMatrix

from skfocal._checks import as_sample_weight, as_start_margins
from skfocal.batches import ParquetBatches
from skfocal.boosting.samples import Samples
from skfocal.boosting.streams import LabelCodes, codes_in_parts, learn_features
from skfocal.xgboost.categories import check_are_ascii
from skfocal.xgboost.compat import known_categories
from skfocal.xgboost.iterators import CheckedIter, OfParquet, OneBatch
from skfocal.xgboost.parameters import Settings

_MAX_BIN = 256  # XGBoost's default
BINNED = (QuantileDMatrix, ExtMemQuantileDMatrix)


def is_stream(X: Any) -> bool:
    """Tell whether X is what holds labels and weights too."""
    return isinstance(X, DataIter | DMatrix | ParquetBatches)


class Data(NamedTuple):
    """What is trained on."""

    matrix: DMatrix
    samples: Samples  # whose features are the matrix
    classes: NDArray[Any]
    is_sparse: bool  # whether batches are sparse; of a matrix it is not known


@dataclass(frozen=True)
class MatrixReader:
    """Makes matrices for a classifier, on disk if there is a folder."""

    classifier: Any
    settings: Settings
    folder: Path | None

    def training(self, X: Any, announced: NDArray[Any] | None) -> Data:
        """Return training data, with the classes that are announced or found."""
        labels = LabelCodes("y of X", announced)
        if isinstance(X, DMatrix):
            # Columns that have numbers for names have none to scikit-learn.
            names = None if X.feature_names == [str(i) for i in range(X.num_col())] else X.feature_names
            learn_features(self.classifier, X.num_col(), names)
            matrix, codes, is_sparse = X, codes_in_parts(labels, X.get_label()), False
        else:
            source = self._checked(X, "X", labels, training=None)
            matrix, is_sparse = self._matrix(source, None), source.is_sparse
            codes = matrix.get_label()
            if source.names is not None:
                learn_features(self.classifier, matrix.num_col(), source.names)
            if self.settings.params.get("feature_weights") is not None:
                matrix.set_info(feature_weights=self.settings.params["feature_weights"])
        classes = labels.classes()
        samples = _samples(matrix, labels.sorted_codes(codes, classes), len(classes), "X")
        return Data(matrix, samples, classes, is_sparse)

    def evaluation(self, entry: Any, i: int, training: Data) -> Samples:
        """Return an evaluation set, whose labels must be among the classes."""
        name, labels = f"eval_set[{i}]", LabelCodes(f"y of eval_set[{i}]", training.classes)
        if entry is training.matrix:
            return training.samples
        if isinstance(entry, DMatrix):
            matrix, codes = entry, codes_in_parts(labels, entry.get_label())
        else:
            matrix = self._matrix(self._checked(entry, name, labels, training=training.matrix), training.matrix)
            codes = matrix.get_label()
        _check_same_features(matrix, training.matrix, name)
        return _samples(matrix, labels.sorted_codes(codes, training.classes), len(training.classes), name)

    def _checked(self, entry: Any, name: str, labels: LabelCodes, *, training: DMatrix | None) -> CheckedIter:
        """Return an iterator of any kind, or a pair (X, y), as one that is checked."""
        if not is_stream(entry):
            entry = OneBatch(*entry)
        source = OfParquet(entry) if isinstance(entry, ParquetBatches) else entry
        cache = source.cache_prefix
        if cache is None and self.folder is not None:
            cache = str(self.folder / name.strip("]").replace("[", "-"))
        types = self.settings.params.get("feature_types")
        return CheckedIter(
            source, name, labels, self.classifier, training=training, feature_types=types, cache_prefix=cache
        )

    def _matrix(self, source: CheckedIter, ref: DMatrix | None) -> DMatrix:
        """Return all batches as a matrix: of bins, those of `ref`, if that has any."""
        params = self.settings.params
        common = {
            "missing": self.classifier.missing,
            "nthread": self.settings.n_jobs,
            "enable_categorical": params["enable_categorical"],
        }
        with source.raising_what_ends_it():
            if ref is not None and not isinstance(ref, BINNED):
                return DMatrix(source, **common)
            kind = QuantileDMatrix if source.cache_prefix is None else ExtMemQuantileDMatrix
            return kind(source, max_bin=params.get("max_bin"), ref=ref, **common)


def _samples(matrix: DMatrix, codes: NDArray[np.int32], n_classes: int, name: str) -> Samples:
    """Return a matrix as samples; raise if its weights, or its margins to start from, are not what they may be."""
    weight, start = matrix.get_weight(), matrix.get_base_margin()
    checked = as_sample_weight(weight, len(codes), f"The weight of {name}") if weight.size else None
    if start.size:
        as_start_margins(start, len(codes), n_classes, f"The base_margin of {name}", "C")
    return Samples(matrix, codes, checked)


def check_matrix(matrix: DMatrix, settings: Settings, missing: Any, name: str) -> None:
    """Raise if a matrix that is made already lacks labels, or was made otherwise than the classifier is to train."""
    n_labels = matrix.get_label().size
    if not matrix.num_row() or n_labels != matrix.num_row():
        raise ValueError(f"{name} must have a label for each row, got {matrix.num_row()} rows and {n_labels} labels.")
    if matrix.get_group().size:
        raise ValueError(f"{name} must have no query groups, which are for rankings.")
    for parameter in ("feature_weights", "feature_types"):
        if settings.params.get(parameter) is not None:
            raise ValueError(
                f"{parameter} must be left out with a {type(matrix).__name__}, which holds it itself, got "
                f"{settings.params[parameter]!r}."
            )
    columns = matrix.feature_names or range(matrix.num_col())
    check_are_ascii(known_categories(matrix), columns, name, f"in a {type(matrix).__name__}", "pass the table")
    missing = np.nan if missing is None else missing
    if not (missing == matrix.missing or (np.isnan(missing) and np.isnan(matrix.missing))):
        raise ValueError(f"missing must be {matrix.missing}, as {name} was made, got {missing!r}.")
    if isinstance(matrix, BINNED):
        own, wanted = matrix.max_bin or _MAX_BIN, settings.params.get("max_bin") or _MAX_BIN
        if own != wanted:
            raise ValueError(f"max_bin must be {own}, as {name} was made, got {wanted!r}.")


def _check_same_features(matrix: DMatrix, training: DMatrix, name: str) -> None:
    """Raise if an evaluation set has not the features of the training data."""
    if matrix.num_col() != training.num_col():
        raise ValueError(f"{name} must have {training.num_col()} features, got {matrix.num_col()}.")
    if matrix.feature_names != training.feature_names:
        own, wanted = matrix.feature_names or "none", training.feature_names or "none"
        raise ValueError(f"{name} must have the feature_names of X, {wanted}, got {own}.")
    if _categorical(matrix) != _categorical(training):
        raise ValueError(
            f"{name} must have the categorical features of X, numbers {_categorical(training)}, got "
            f"{_categorical(matrix)}."
        )


def _categorical(matrix: DMatrix) -> list[int]:
    return [i for i, kind in enumerate(matrix.feature_types or ()) if kind == "c"]
