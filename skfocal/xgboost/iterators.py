"""XGBoost's iterators over batches: of what users give, and around it, to check it.

Imports `tables`, `boosting` and `batches`.
"""

from typing import Any

from sklearn.utils.validation import _num_samples
from xgboost import DataIter

from skfocal.batches import ParquetBatches
from skfocal.boosting.streams import LabelCodes, Layout, check_names, weight_of_batch
from skfocal.xgboost.tables import with_whole_names

# What a batch may have beside features, labels and weights.
_ALSO_ALLOWED = {"base_margin", "feature_names", "feature_types", "feature_weights"}


class OneBatch(DataIter):
    """Arrays or a table as an iterator."""

    def __init__(self, X: Any, y: Any) -> None:
        super().__init__()
        self._batch = {"data": X, "label": y}
        self._is_over = False

    def reset(self) -> None:
        """Begin anew."""
        self._is_over = False

    def next(self, input_data: Any) -> bool:
        """Hand all rows on."""
        if self._is_over:
            return False
        input_data(**self._batch)
        self._is_over = True
        return True


class OfParquet(DataIter):
    """Parquet files as an iterator."""

    def __init__(self, batches: ParquetBatches) -> None:
        super().__init__()
        self._batches = batches
        self._left = iter(batches)

    def reset(self) -> None:
        """Begin anew."""
        self._left = iter(self._batches)

    def next(self, input_data: Any) -> bool:
        """Hand the next batch on."""
        batch = next(self._left, None)
        if batch is not None:
            names = self._batches.feature_names
            input_data(data=batch.X, label=batch.y, weight=batch.weight, feature_names=names)
        return batch is not None


class CheckedIter(DataIter):
    """An iterator as it is, but for labels, which become codes; and raises if its batches do not fit together."""

    def __init__(
        self,
        source: DataIter,
        name: str,
        labels: LabelCodes,
        classifier: Any,
        *,
        is_training: bool,
        cache_prefix: str | None,
    ) -> None:
        super().__init__(cache_prefix, on_host=source.on_host, min_cache_page_bytes=source.min_cache_page_bytes)
        self._source, self._name, self._labels, self._classifier = source, name, labels, classifier
        self._is_evaluated = not is_training
        self._is_first = is_training  # whether the number and names of features are still to be recorded
        self._layout: Layout | None = None
        self._weighted: bool | None = None
        self._n_rows = 0
        self._n_rows_of_pass: int | None = None
        self.names: list[str] | None = None  # of features, which an array has beside it

    def reset(self) -> None:
        """Begin anew."""
        self._source.reset()
        self._n_rows = 0

    def next(self, input_data: Any) -> bool:
        """Hand the next batch that has rows on; its features are looked at in every pass, as they may be others."""
        handed_on: list[int] = []

        def check(*, data: Any, **given: Any) -> None:
            handed_on.append(_num_samples(data))
            if handed_on[-1]:
                input_data(**self._checked(data, **given))

        while self._source.next(check):
            if not handed_on:
                raise ValueError(f"{self._name} must call input_data whenever its next() is true, and has not.")
            self._n_rows += handed_on[-1]
            if handed_on[-1]:
                return True
        self._end_pass()
        return False

    def _end_pass(self) -> None:
        if not self._n_rows:
            raise ValueError(f"{self._name} must yield at least one row, got none.")
        if self._n_rows_of_pass not in (None, self._n_rows):
            raise ValueError(
                f"{self._name} must yield the same rows whenever it is reset, got {self._n_rows_of_pass} and then "
                f"{self._n_rows}."
            )
        self._n_rows_of_pass = self._n_rows

    def _checked(self, data: Any, *, label: Any = None, weight: Any = None, **others: Any) -> dict[str, Any]:
        """Return a batch with codes for labels."""
        unknown = set(others) - _ALSO_ALLOWED
        if unknown:
            raise ValueError(f"A batch of {self._name} may hold {sorted(_ALSO_ALLOWED)} also, got {sorted(unknown)}.")
        if label is None:
            raise ValueError(f"A batch of {self._name} must have labels, got none: input_data(data=..., label=...).")
        layout = Layout.of(data)
        if self._layout is not None:
            layout.check_same(self._layout, self._name)
        self._layout, self.names = layout, others.get("feature_names")
        if self.names is not None and self._is_evaluated:
            check_names(self._classifier, self.names, self._name)
        compared = {} if self._is_first else {"compare_names": self.names is None}
        X = self._classifier._as_features(data, reset=self._is_first, **compared)
        self._is_first = False
        codes, n_rows = self._labels.of(label), X.shape[0]
        if len(codes) != n_rows:
            raise ValueError(
                f"{self._name} must have a label for each of the {n_rows} rows of a batch, got {len(codes)}."
            )
        if self._weighted not in (None, weight is not None):
            raise ValueError(f"{self._name} must have weights in all batches or in none, got both.")
        self._weighted = weight is not None
        weight = None if weight is None else weight_of_batch(weight, n_rows, f"The weight of {self._name}")
        return {"data": with_whole_names(X), "label": codes, "weight": weight, **others}
