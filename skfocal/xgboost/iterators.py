"""XGBoost's iterators over batches: of what users give, and around it, to check it.

Imports `categories`, `compat`, `tables`, `_checks`, `boosting` and `batches`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import _num_samples
from xgboost import DataIter, DMatrix

from skfocal._checks import as_finite
from skfocal.batches import ParquetBatches
from skfocal.boosting.interrupts import KeptInterrupts
from skfocal.boosting.streams import LabelCodes, Layout, check_names, weight_of_batch
from skfocal.xgboost.categories import with_known_categories
from skfocal.xgboost.compat import known_categories
from skfocal.xgboost.tables import with_whole_names

# What a batch may have beside features and labels, and if one has it, all.
_ALSO_ALLOWED = ("weight", "base_margin", "feature_names", "feature_types", "feature_weights")


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
            of_weight = {} if batch.weight is None else {"weight": batch.weight}
            input_data(data=batch.X, label=batch.y, feature_names=self._batches.feature_names, **of_weight)
        return batch is not None


class _InterruptedError(RuntimeError):
    """What XGBoost is told of an interruption, which it would take for the end of the data."""


class CheckedIter(DataIter):
    """An iterator as it is, but for labels, which become codes; and raises if its batches do not fit together."""

    def __init__(
        self,
        source: DataIter,
        name: str,
        labels: LabelCodes,
        classifier: Any,
        *,
        training: DMatrix | None,
        feature_types: Any,
        cache_prefix: str | None,
    ) -> None:
        super().__init__(cache_prefix, on_host=source.on_host, min_cache_page_bytes=source.min_cache_page_bytes)
        self._source, self._name, self._labels, self._classifier = source, name, labels, classifier
        self._training = training  # where this is an evaluation set: what it is to be like
        self._known = {} if training is None else known_categories(training)
        self._feature_types = feature_types
        self._layout: Layout | None = None  # of the first batch, as what follows
        self._others: dict[str, Any] = {}
        self._n_rows = 0
        self._n_rows_of_pass: int | None = None
        self._interrupts = KeptInterrupts()
        self._ended_by: BaseException | None = None
        self.is_sparse = False

    @property
    def names(self) -> Any:
        """The names of features that come beside them."""
        return self._others.get("feature_names")

    @contextmanager
    def raising_what_ends_it(self) -> Iterator[None]:
        """Raise an interruption by the user, which must not go through XGBoost's library."""
        try:
            with self._interrupts:
                yield
        except BaseException:
            if self._ended_by is not None:
                raise self._ended_by from None
            raise

    def reset(self) -> None:
        """Begin anew."""
        self._n_rows = 0
        self._safely(self._source.reset)

    def next(self, input_data: Any) -> bool:
        """Hand the next batch that has rows on."""
        return bool(self._safely(self._next, input_data))

    def _safely(self, function: Any, *arguments: Any) -> Any:
        try:
            try:
                self._interrupts.hear()
                return function(*arguments)
            finally:
                self._interrupts.keep()
        except Exception:
            raise
        except BaseException as error:
            self._ended_by = error
            raise _InterruptedError from error

    def _next(self, input_data: Any) -> bool:
        while True:
            n_rows: list[int] = []  # in each call
            is_there = self._source.next(partial(self._hand_on, input_data, n_rows))
            if len(n_rows) != bool(is_there):
                raise ValueError(
                    f"{self._name} must call input_data once whenever its next() is true, got {len(n_rows)} calls and "
                    f"{is_there!r}."
                )
            if not is_there:
                self._end_pass()
                return False
            self._n_rows += n_rows[0]
            if n_rows[0]:
                return True

    def _hand_on(self, input_data: Any, n_rows: list[int], *, data: Any, **given: Any) -> None:
        """Be `input_data` to an iterator."""
        n_rows.append(_num_samples(data))
        if n_rows[-1]:
            input_data(**self._checked(data, **given))

    def _end_pass(self) -> None:
        if not self._n_rows:
            raise ValueError(f"{self._name} must yield at least one row, got none.")
        if self._n_rows_of_pass not in (None, self._n_rows):
            raise ValueError(
                f"{self._name} must yield the same rows whenever it is reset, got {self._n_rows_of_pass} and then "
                f"{self._n_rows}."
            )
        self._n_rows_of_pass = self._n_rows

    def _checked(self, data: Any, *, label: Any = None, **others: Any) -> dict[str, Any]:
        """Return a batch with codes for labels; its features are looked at in every pass, as they may be others."""
        others = {name: value for name, value in others.items() if value is not None}
        unknown = set(others) - set(_ALSO_ALLOWED)
        if unknown:
            raise ValueError(f"A batch of {self._name} may have {list(_ALSO_ALLOWED)}, got {sorted(unknown)}.")
        if label is None:
            raise ValueError(
                f"{self._name} must have labels, got a batch without: input_data(data=..., label=...), or "
                "ParquetBatches(..., target=...)."
            )
        X = self._features(data, others)
        codes = self._labels.of(label)
        if len(codes) != X.shape[0]:
            raise ValueError(
                f"{self._name} must have a label for each of the {X.shape[0]} rows of a batch, got {len(codes)}."
            )
        if "weight" in others:
            others["weight"] = weight_of_batch(others["weight"], len(codes), f"The weight of {self._name}")
        if "base_margin" in others:
            others["base_margin"] = _start(others["base_margin"], len(codes), f"The base_margin of {self._name}")
        return {"data": with_whole_names(with_known_categories(X, self._known)), "label": codes, **others}

    def _features(self, data: Any, others: dict[str, Any]) -> Any:
        """Return checked features; what comes beside them, and is to be the same in all batches, is completed."""
        layout, is_first = Layout.of(data), self._layout is None
        if self._feature_types is not None:
            others.setdefault("feature_types", self._feature_types)
        if self._layout is None:
            if self._training is not None and "feature_names" in others:
                check_names(self._classifier, others["feature_names"], self._name)
            self._layout, self._others, self.is_sparse = layout, others.copy(), sparse.issparse(data)
        layout.check_same(self._layout, self._name)
        self._check_same(others)
        # Names beside an array have been compared, or are those that are recorded.
        reset = is_first and self._training is None
        X = self._classifier._as_features(data, reset=reset, compare_names=reset or "feature_names" not in others)
        if self._training is not None and not layout.names and "feature_names" not in others:
            others["feature_names"] = self._training.feature_names  # scikit-learn has warned that these are missing
        return X

    def _check_same(self, others: dict[str, Any]) -> None:
        """Raise if a batch has not what the first has: XGBoost would take that of another batch."""
        for name in _ALSO_ALLOWED:
            if (name in others) != (name in self._others):
                raise ValueError(f"{self._name} must have {name} in all batches or in none, got both.")
            if name.startswith("feature_") and name in others:
                own, first = others[name], self._others[name]
                if not np.array_equal(own, first):
                    raise ValueError(f"{self._name} must have the same {name} in all batches, got {first} and {own}.")


def _start(margins: Any, n_rows: int, name: str) -> NDArray[np.float64]:
    """Return checked margins of a batch to start from; how many each row is to have is not known yet."""
    array = as_finite(margins, name, "hold finite numbers")
    if array.ndim not in (1, 2) or len(array) != n_rows:
        raise ValueError(f"{name} must have a row for each of the {n_rows} rows of a batch, got {array.shape}.")
    return array
