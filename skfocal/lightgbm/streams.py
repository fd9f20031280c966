"""Training on what LightGBM holds already, a Dataset, and on parquet files, of which it makes one.

Imports `compat`, `evaluation`, `parameters`, `training`, `_checks`, `boosting` and `batches`.
"""

from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from lightgbm import Dataset, Sequence
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length

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
    check_names,
    check_possible,
    codes_in_parts,
    learn_features,
    weight_of_batch,
)
from skfocal.lightgbm.compat import construct
from skfocal.lightgbm.evaluation import as_metrics
from skfocal.lightgbm.parameters import Settings, as_feature_names, checked_settings
from skfocal.lightgbm.training import parameters_of_data, train_on_dataset

_ROWS_AT_ONCE = 65_536  # that LightGBM puts into bins: it copies them


def is_stream(X: Any) -> bool:
    """Tell whether X is what holds labels and weights too."""
    return isinstance(X, Dataset | ParquetBatches)


def fit_stream(
    classifier: Any,
    X: Any,
    *,
    classes: Any,
    eval_set: Any,
    eval_names: Any,
    eval_metric: Any,
    callbacks: Any,
    **in_data: Any,
) -> None:
    """Fit a classifier on a Dataset or on parquet files: the story that `fit` tells of arrays.

    What else may be given with these belongs into the data.
    """
    check_left_out(X, **in_data)
    settings, focal = _with_one_seed(checked_settings(classifier)), focal_parameters(classifier)
    announced, entries = as_classes(classes), as_entries(eval_set, is_stream)
    check_possible(classifier, X, entries, settings.early_stopping_rounds)
    reader = _Reader(classifier, parameters_of_data(settings))
    training = reader.training(X, announced)
    samples, classes = training.samples, training.classes
    loss, by_class = weigh_classes(focal, samples.totals(len(classes)), classes)
    metrics = as_metrics(eval_metric, classifier, settings.metric, loss)
    sets = [reader.evaluation(entry, i, training) for i, entry in enumerate(entries)]
    check_weights(metrics, weighted=any(each.weight is not None for each in sets))
    plan = make_plan(focal, samples, classes, None, classifier._as_features)
    sets = [each.weighted(by_class) for each in sets]
    with progress_bar(classifier.progress_bar, type(classifier).__name__) as advance:
        as_given = {"names": eval_names, "callbacks": callbacks}
        engine = train_on_dataset(classifier, plan, settings, sets, metrics, advance, **as_given)
    classifier._adopt_without_samples(engine, plan, has_splits=bool(engine.booster_.feature_importance().any()))


def _with_one_seed(settings: Settings) -> Settings:
    """Return settings with a number for a seed: bins and trees are to be of the same."""
    seed, largest = settings.seed, np.iinfo(np.int32).max
    if isinstance(seed, np.random.RandomState | np.random.Generator):
        seed = int(seed.randint(largest) if isinstance(seed, np.random.RandomState) else seed.integers(largest))
    return settings._replace(seed=seed, params=settings.params | {"random_state": seed})


class Data(NamedTuple):
    """What is trained on."""

    samples: Samples  # whose features are a Dataset
    classes: NDArray[Any]


@dataclass(frozen=True)
class _Reader:
    """Makes Datasets for a classifier."""

    classifier: Any
    params: dict[str, Any]  # that bins are made by

    def training(self, X: Any, announced: NDArray[Any] | None) -> Data:
        """Return training data, with the classes that are announced or found."""
        labels = LabelCodes("y of X", announced)
        if isinstance(X, ParquetBatches):
            codes, weight = _labels_of(X, labels, "X")
            as_feature_names(X.feature_names, ())
            data = self._of_parquet(X, codes, weight, None)
        else:
            data, codes = self._constructed(X, "X", labels)
            weight = data.get_weight()
        names = data.get_feature_name()
        learn_features(self.classifier, data.num_feature(), None if names == _no_names(names) else names)
        if isinstance(X, ParquetBatches):  # LightGBM writes them in its own way
            learn_features(self.classifier, data.num_feature(), X.feature_names)
        classes = labels.classes()
        return Data(_samples(data, labels.sorted_codes(codes, classes), weight, "X"), classes)

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
            data, codes = self._constructed(entry.set_reference(reference), name, labels)
            weight = data.get_weight()
        else:
            X, y = entry
            X, codes = self.classifier._as_features(X, reset=False), labels.of(y)
            check_consistent_length(X, codes)
            data = construct(Dataset(X, label=codes, reference=reference), self.params)
        return _samples(data, labels.sorted_codes(codes, training.classes), weight, name)

    def _constructed(self, data: Dataset, name: str, labels: LabelCodes) -> tuple[Dataset, NDArray[np.int32]]:
        """Return a Dataset with bins, and the codes of its labels; raise if it has what is not for us."""
        _check_raw(data, getattr(self.classifier, "n_features_in_", None) if data.reference else None, name)
        data = construct(data, self.params)
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
        return construct(data, self.params)


def _check_raw(data: Dataset, n_features: int | None, name: str) -> None:
    """Raise if a Dataset whose bins are still to be made has no labels or not so many features, if that is known.

    LightGBM takes no labels for zeros, and rows of the wrong width, of arrays with a reference and of sequences, as
    they come.
    """
    raw: Any = data.data
    if raw is None or isinstance(raw, str | PathLike):  # there are bins already, or they are in a file
        return
    if data.label is None:
        raise ValueError(f"{name} must have labels, got a Dataset without: Dataset(..., label=...).")
    parts = [raw] if isinstance(raw, Sequence) else raw
    if isinstance(parts, list) and all(isinstance(part, Sequence) for part in parts):
        widths = {len(part[0]) for part in parts if len(part)}
    else:
        widths = {raw.shape[1]} if len(getattr(raw, "shape", ())) == 2 else set()
    if len(widths | ({n_features} - {None})) > 1:
        wanted = f"{n_features} features" if n_features else "as many features in each sequence"
        raise ValueError(f"{name} must have {wanted}, got {' and '.join(map(str, sorted(widths)))}.")


def _no_names(names: list[str]) -> list[str]:
    """Return what LightGBM calls features without names."""
    return [f"Column_{i}" for i in range(len(names))]


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
