"""The part of a classifier on a cluster that is the same for both engines: what comes before training, and after.

Imports `blocks`, `_state` and `boosting`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple, Self

import dask.array as da
import dask.dataframe as dd
import numpy as np
from dask import delayed
from distributed import Client, get_client
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skfocal._state import adopt_fitted_state
from skfocal.boosting.link import Link
from skfocal.boosting.parameters import FocalParameters
from skfocal.boosting.plan import Plan, correct_for_prior
from skfocal.boosting.samples import Samples, weigh_classes
from skfocal.dask.blocks import Data, Encoded, checked_data, encoded, partitions

# How the engines, Dask and we say that a worker is not there any more; the first may be words of a user's errors too.
_SIGNS_OF_LOSS = ("ocket", "was lost")
_SURE_SIGNS_OF_LOSS = ("Invalid worker address", "lost dependencies", "KilledWorker", "CommClosedError")
_WHO_SAYS_SO = ("lightgbm", "xgboost", "distributed", "asyncio")


def tells_of_a_loss(error: BaseException | None) -> bool:
    """Tell whether an error says that a worker is not there any more."""
    text = f"{type(error).__name__}: {error}"
    knows = type(error).__module__.partition(".")[0] in _WHO_SAYS_SO or isinstance(error, RuntimeError | OSError)
    return any(sign in text for sign in _SURE_SIGNS_OF_LOSS) or (knows and any(sign in text for sign in _SIGNS_OF_LOSS))


@contextmanager
def saying_if_a_worker_was_lost() -> Iterator[None]:
    """Raise a RuntimeError that says so, in place of what an engine says of its connections."""
    try:
        yield
    except Exception as error:
        if tells_of_a_loss(error):
            raise RuntimeError(
                "A worker was lost while all of them trained, or they did not reach one another: no model was made. "
                "If it has run out of memory, use more workers, or smaller ones; then fit again."
            ) from error
        raise


class Prepared(NamedTuple):
    """What is decided before any worker trains, and the data that it was decided for."""

    data: Data
    samples: Encoded
    plan: Plan  # without samples: each worker has its own
    by_class: NDArray[np.float64] | None  # weights of the classes


class FocalDaskMixin:
    """Training on a cluster, and predictions that are lazy; goes before the classifier for one machine."""

    _local_class: ClassVar[type]

    client: Client | None
    _allows_inf: bool  # whether features may be infinite

    def _running_client(self) -> Client:
        """Return the client of the cluster; raise if there is none, or if it is closed."""
        try:
            client = self.client or get_client()
        except ValueError as error:
            raise RuntimeError("client must be given, or a distributed.Client be open; there is none.") from error
        if client.status != "running":
            raise RuntimeError(f"client must be connected to a cluster, got one that is {client.status}.")
        return client

    def _check_possible(self) -> None:
        """Raise if a parameter asks for what there is on one machine only."""
        given: Any = self
        if given.sampler is not None:
            raise ValueError(
                f"sampler must be None on a cluster, whose rows are not in one place, got {given.sampler!r}: use "
                "class_weight or focal_alpha, or resample before, partition by partition, and set prior."
            )
        if given.validation_fraction != 0.1:
            raise ValueError(
                f"validation_fraction must be left out on a cluster, got {given.validation_fraction!r}: split "
                "collections by dask.dataframe's random_split, and pass eval_set."
            )
        if given.progress_bar:
            raise ValueError("progress_bar must be False on a cluster, got True: see the dashboard of Dask.")

    def _prepare(self, client: Client, focal: FocalParameters, X: Any, y: Any, weight: Any) -> Prepared:
        """Check collections, encode labels for all workers alike, and decide what they train on."""
        data = checked_data(client, X, y, weight, names=("X", "y", "sample_weight"), allow_inf=self._allows_inf)
        self._as_features(without_rows(data.meta), reset=True)  # type: ignore[attr-defined]
        loss, by_class = weigh_classes(focal, data.summary.totals, data.classes)
        prior = data.summary.prior(by_class)
        link = Link(loss, data.classes)
        correction = correct_for_prior(focal, link, prior)
        no_samples = Samples(None, np.zeros(0, dtype=np.int32))
        plan = Plan(no_samples, None, focal.hessian, link, correction, None, loss.intercept(prior), is_sparse=False)
        return Prepared(data, encoded(client, data, by_class), plan, by_class)

    def to_local(self) -> Any:
        """Return the classifier for one machine, fitted with the same booster: it predicts the same.

        Returns
        -------
        classifier : FocalLGBMClassifier or FocalXGBClassifier
        """
        check_is_fitted(self)
        params = self.get_params(deep=False)  # type: ignore[attr-defined]
        params.pop("client")
        local = self._local_class(**params)
        adopt_fitted_state(local, self)
        return local

    def predict_proba(self, X: Any) -> Any:
        """Return posterior probabilities, through the focal link; computed when they are asked for.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Features.

        Returns
        -------
        posterior : dask.array.Array of shape (n_samples, n_classes), float64
            In the order of ``classes_``, a chunk for each partition of `X`.
        """
        return self._lazily("predict_proba", X)

    def predict(self, X: Any) -> Any:
        """Return the most probable label of each sample; computed when they are asked for.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Features.

        Returns
        -------
        labels : dask.array.Array of shape (n_samples,)
        """
        return self._lazily("predict", X)

    def decision_function(self, X: Any) -> Any:
        """Return raw margins, those of the booster; computed when they are asked for.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Features.

        Returns
        -------
        margins : dask.array.Array of shape (n_samples,) for two classes, (n_samples, n_classes) for more
        """
        return self._lazily("decision_function", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of samples whose label is predicted, computed on the cluster.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Features.
        y : dask.array.Array or dask.dataframe.Series of shape (n_samples,)
            Labels.
        sample_weight : dask.array.Array or dask.dataframe.Series of shape (n_samples,) or None, default=None
            Weights.

        Returns
        -------
        accuracy : float
        """
        columns = [X, y] if sample_weight is None else [X, y, sample_weight]
        model = delayed(self._for_workers())
        parts = zip(*map(partitions, columns), strict=True)
        sums = [delayed(_rightly_predicted)(model, *part) for part in parts]
        right, total = np.sum(self._running_client().compute(sums, sync=True), axis=0)
        return float(right / total)

    def _lazily(self, method: str, X: Any) -> da.Array:
        """Return what a method of the local classifier returns for each partition."""
        check_is_fitted(self)
        if not isinstance(X, da.Array | dd.DataFrame):
            raise TypeError(
                f"X must be an array or a DataFrame of Dask, got a {type(X).__name__}: "
                "pass it to a method of to_local()."
            )
        if isinstance(X, da.Array) and X.numblocks[1] != 1:
            raise ValueError(
                f"X must have all features of a row in one chunk, got {X.numblocks[1]}: use X.rechunk({{1: -1}})."
            )
        local = self._for_workers()
        meta = X._meta if isinstance(X, dd.DataFrame) else X._meta.reshape(0, X.shape[1])
        empty = getattr(local, method)(without_rows(meta))[:0]
        model = delayed(local)
        sizes = X.chunks[0] if isinstance(X, da.Array) else (np.nan,) * X.npartitions
        return da.concatenate([
            da.from_delayed(delayed(_predicted)(model, method, part, empty), (size, *empty.shape[1:]), empty.dtype)
            for part, size in zip(partitions(X), sizes, strict=True)
        ])  # fmt: skip

    def _for_workers(self) -> Any:
        """Return the local classifier on one thread: a worker has others for other partitions."""
        return self.to_local().set_params(n_jobs=1)

    def __sklearn_clone__(self) -> Self:
        params = self.get_params(deep=False)  # type: ignore[attr-defined]
        copies = {name: clone(value, safe=False) for name, value in params.items() if name != "client"}
        return type(self)(**copies, client=self.client)  # type: ignore[call-arg]  # a client has no copies

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        return state | {"client": None}  # a client is of one process


def without_rows(meta: Any) -> Any:
    """Return features like these as an engine is to be asked about: it wants a row."""
    if hasattr(meta, "iloc"):
        return meta.reindex([0])
    return np.zeros((1, meta.shape[1]), dtype=meta.dtype)


def _predicted(model: Any, method: str, X: Any, empty: Any) -> Any:
    return getattr(model, method)(X) if X.shape[0] else empty


def _rightly_predicted(model: Any, X: Any, y: Any, weight: Any = None) -> tuple[float, float]:
    if not X.shape[0]:
        return 0.0, 0.0
    right = model.predict(X) == np.asarray(y)
    weight = np.ones(len(right)) if weight is None else np.asarray(weight)
    return float(right @ weight), float(weight.sum())
