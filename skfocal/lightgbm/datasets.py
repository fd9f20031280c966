"""What LightGBM trains on, of what users stream: a Dataset, or parquet files, of which one is made.

Imports `compat`, `parameters`, `_checks`, `boosting` and `batches`.
"""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from lightgbm import Dataset, Sequence
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_consistent_length

from skfocal._checks import as_labels, as_sample_weight
from skfocal.batches import ParquetBatches
from skfocal.boosting.samples import Samples
from skfocal.boosting.streams import LabelCodes, check_names, codes_in_parts, learn_features, weight_of_batch
from skfocal.boosting.tables import column_names, is_table
from skfocal.lightgbm.compat import construct
from skfocal.lightgbm.parameters import as_feature_names, is_linear

_ROWS_AT_ONCE = 65_536  # that LightGBM puts into bins: it copies them
_BINARY = b"______LightGBM_Binary_File_Token______"


def is_stream(X: Any) -> bool:
    """Tell whether X is what holds labels and weights too."""
    return isinstance(X, Dataset | ParquetBatches)


class Data(NamedTuple):
    """What is trained on."""

    samples: Samples  # whose features are a Dataset
    classes: NDArray[Any]
    is_sparse: bool  # whether the features were sparse, as far as they are there


@dataclass(frozen=True)
class DatasetReader:
    """Makes Datasets for a classifier."""

    classifier: Any
    params: dict[str, Any]  # that bins are made by

    def training(self, X: Any, announced: NDArray[Any] | None) -> Data:
        """Return training data, with the classes that are announced or found."""
        labels = LabelCodes("y of X", announced)
        if isinstance(X, ParquetBatches):
            names: list[str] | None = as_feature_names(X.feature_names, ())
            is_sparse = False
            codes, weight = _labels_of(X, labels, "X")
            data = self._of_parquet(X, codes, weight, None)
        else:
            names, is_sparse = _names_of(X.data), sparse.issparse(X.data)
            check_dataset(X, None, "X")
            data, codes = self._constructed(X, "X", labels)
            weight = data.get_weight()
            names = _told_names(data) if names is None else names
        learn_features(self.classifier, data.num_feature(), names or None)
        classes = labels.classes()
        return Data(_samples(data, labels.sorted_codes(codes, classes), weight, "X"), classes, is_sparse)

    def evaluation(self, entry: Any, i: int, training: Data) -> Samples:
        """Return an evaluation set, whose labels must be among the classes."""
        name, reference = f"eval_set[{i}]", training.samples.X
        if entry is reference:
            return training.samples
        labels, weight = LabelCodes(f"y of {name}", training.classes), None
        if isinstance(entry, ParquetBatches):
            codes, weight = _labels_of(entry, labels, name)
            check_names(self.classifier, entry.feature_names, name)
            data = self._of_parquet(entry, codes, weight, reference)
        elif isinstance(entry, Dataset):
            check_dataset(entry, self.classifier, name)
            data, codes = self._constructed(entry.set_reference(reference), name, labels)
            weight = data.get_weight()
        else:
            X, y = entry
            X, codes = self.classifier._as_features(X, reset=False), labels.of(y)
            check_consistent_length(X, codes)
            data = self._with_bins(Dataset(X, label=codes, reference=reference))
        return _samples(data, labels.sorted_codes(codes, training.classes), weight, name)

    def _constructed(self, data: Dataset, name: str, labels: LabelCodes) -> tuple[Dataset, NDArray[np.int32]]:
        """Return a Dataset with bins, and the codes of its labels; raise if it has what is not for us."""
        data = self._with_bins(data)
        for field, instead in (
            ("init_score", "margins to start from, as those of another objective"),
            ("group", "query groups, which are for rankings"),
        ):
            if data.get_field(field) is not None:
                raise ValueError(f"{name} must have no {field}, {instead}: set it to None.")
        return data, codes_in_parts(labels, np.asarray(data.get_label()))

    def _of_parquet(
        self, batches: ParquetBatches, codes: NDArray[Any], weight: Any, reference: Dataset | None
    ) -> Dataset:
        names = batches.feature_names
        data = Dataset(row_groups_of(batches), label=codes, weight=weight, feature_name=names, reference=reference)
        return self._with_bins(data)

    def _with_bins(self, data: Dataset) -> Dataset:
        """Return a Dataset with bins; LightGBM warns where an evaluation set was told anything but its reference."""
        return construct(data, self.params if data.reference is None else data.reference.get_params())


def check_dataset(data: Dataset, classifier: Any, name: str) -> None:
    """Raise if a Dataset is not what it may be, as far as its rows are still there.

    Once LightGBM has made bins, labels that are missing are zeros, and so are those that are not numbers; and it makes
    bins by a reference of whatever columns there are. `classifier` is one that has learned what these are to be, None
    of training data.
    """
    if is_linear(data.get_params()):
        raise ValueError(f"{name} must not be for linear_tree: the leaves of linear trees cannot carry the intercept.")
    raw: Any = data.data
    if raw is None:
        return
    if isinstance(raw, str | PathLike):
        if classifier is not None and not _is_binary(raw):
            raise ValueError(
                f"{name} must not be a text file, got {raw!r}: LightGBM does not compare its columns with those of X, "
                "load it before."
            )
        return
    if data.label is None:
        raise ValueError(f"{name} must have labels, got a Dataset without: Dataset(..., label=...).")
    labels = as_labels(data.label, f"y of {name}")
    if data.weight is not None:
        as_sample_weight(data.weight, len(labels), f"The weight of {name}")
    widths = _widths(raw)
    if classifier is None and len(widths) > 1:
        raise ValueError(f"{name} must have as many features in each part, got parts with {widths}.")
    if classifier is not None and widths != [classifier.n_features_in_]:
        raise ValueError(
            f"{name} must have {classifier.n_features_in_} features, got {' and '.join(map(str, widths))}."
        )
    if classifier is not None and hasattr(classifier, "feature_names_in_") and _names_of(raw):
        check_names(classifier, _names_of(raw), name)


def _is_binary(path: Any) -> bool:
    with Path(path).open("rb") as file:
        return file.read(len(_BINARY)) == _BINARY


def _widths(raw: Any) -> list[int]:
    """Return the numbers of features of the parts that the raw data of a Dataset consist of, each once."""
    parts = raw if isinstance(raw, list) else [raw]
    return sorted({len(part[0]) if isinstance(part, Sequence) else part.shape[1] for part in parts if _n_rows(part)})


def _n_rows(part: Any) -> int:
    """Return the number of rows of a part."""
    return int(part.shape[0]) if hasattr(part, "shape") else len(part)


def _names_of(raw: Any) -> list[str] | None:
    """Return the names of the features of raw data as scikit-learn has them: all are words, or there are none."""
    if not is_table(raw):
        return None
    names = column_names(raw)
    return names if all(isinstance(name, str) for name in names) else []


def _told_names(data: Dataset) -> list[str]:
    """Return the names of the features that LightGBM was told, none if it has made them up."""
    names: list[str] = data.get_feature_name()
    return [] if names == [f"Column_{i}" for i in range(len(names))] else names


def _samples(data: Dataset, codes: NDArray[np.int32], weight: Any, name: str) -> Samples:
    return Samples(data, codes, as_sample_weight(weight, len(codes), f"The weight of {name}"))


def _labels_of(batches: ParquetBatches, labels: LabelCodes, name: str) -> tuple[NDArray[np.int32], Any]:
    """Return the codes of labels and the weights in parquet files, or None for these."""
    if batches.target is None:
        raise ValueError(f"{name} must have labels: ParquetBatches(..., target=...).")
    codes, weights = [], []
    for i, n_rows in enumerate(batches.n_rows):
        batch = batches.batch(i, with_features=False)
        codes.append(labels.of(batch.y))
        if batch.weight is not None:
            weights.append(weight_of_batch(batch.weight, n_rows, f"The weight of {name}"))
    return np.concatenate(codes), np.concatenate(weights) if weights else None


def row_groups_of(batches: ParquetBatches) -> list[Sequence]:
    """Return parquet files as LightGBM reads data that are not in memory."""
    groups = _RowGroups(batches)
    return [_RowGroup(groups, i) for i in range(len(batches.n_rows))]


class _RowGroups:
    """The features of parquet files, of which those that were read last are kept: LightGBM asks row after row."""

    def __init__(self, batches: ParquetBatches) -> None:
        self.batches = batches
        self._number: int | None = None
        self._X: Any = None

    def features(self, i: int) -> NDArray[Any]:
        """Return the features of a row group."""
        if i != self._number:
            self._X = None  # not beside the next ones
            self._number, self._X = i, self.batches.batch(i).X
        return self._X


class _RowGroup(Sequence):
    """A row group as LightGBM reads it: single rows, to choose bins, and then all of them."""

    batch_size = _ROWS_AT_ONCE

    def __init__(self, groups: _RowGroups, i: int) -> None:
        self._groups = groups
        self._i = i

    def __len__(self) -> int:
        return self._groups.batches.n_rows[self._i]

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        X = self._groups.features(self._i)[rows]
        return X.astype(np.float64) if X.ndim == 1 else X  # of single rows LightGBM takes nothing else
