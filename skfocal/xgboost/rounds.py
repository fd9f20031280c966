"""Rounds of training that call XGBoost's library themselves. Imports `compat` and `objectives`.

For an objective XGBoost's Python compares the names of features, copies margins, labels and weights, writes settings
and makes classes for arrays, anew in every round. That takes 0.4 ms, all else in a round of 200 rows 0.1 ms.
"""

import ctypes
import json
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray
from xgboost import Booster
from xgboost.callback import TrainingCallback

from skfocal.objectives import TrainingObjective
from skfocal.xgboost.compat import asks, call_library, know_features

_RAW_MARGINS = json.dumps(
    {"type": 1, "training": True, "iteration_begin": 0, "iteration_end": 0, "strict_shape": False}
).encode()


class DirectRounds(TrainingCallback):
    """Lets a booster train on an objective, on the host, as `Booster.update` does, and with the same result."""

    def __init__(self, objective: TrainingObjective) -> None:
        self._objective = objective
        self._rounds: _Rounds | None = None
        self._booster: Any = None

    def tells_apart(self, booster: Any) -> bool:
        """Tell whether it is this booster that was trained, and whether its margins have differed in a round."""
        return self._rounds is not None and self._booster() is booster and self._rounds.margins_differed

    def before_training(self, model: Any) -> Any:
        """Give the booster another `update`, by its class."""
        self._booster, self._rounds = ref(model), _Rounds(self._objective)
        _ROUNDS[model] = self._rounds
        model.__class__ = _DirectBooster
        return model

    def after_training(self, model: Any) -> Any:
        """Make the booster what it was, if it is the one: a user's callback may have put another in its place."""
        if _ROUNDS.pop(model, None):
            model.__class__ = Booster
        return model


class _DirectBooster(Booster):
    def update(self, dtrain: Any, iteration: int, fobj: Any = None) -> None:
        rounds = _ROUNDS.get(self)
        if rounds and rounds.function is None and asks(fobj, rounds.objective):
            know_features(self, dtrain)
            rounds.data, rounds.function = dtrain, fobj
        if rounds and fobj is not None and fobj is rounds.function and dtrain is rounds.data:
            rounds.train(self, iteration)
        else:  # a callback's own
            super().update(dtrain, iteration, fobj)

    def eval_set(self, evals: Any, iteration: int = 0, feval: Any = None, output_margin: bool = True) -> str:
        """Return the scores of a round, as XGBoost does, and at once where there is nothing to score."""
        return super().eval_set(evals, iteration, feval, output_margin) if evals else f"[{iteration}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return Booster, (), self.__getstate__()


class _Rounds:
    """What XGBoost's library is given in every round, and what it gives back: the calls of `Booster.boost`."""

    def __init__(self, objective: TrainingObjective) -> None:
        self.objective = objective
        self.margins_differed = False
        self.data: Any = None  # of the rounds, and the function that XGBoost makes of the objective
        self.function: Any = None
        self._shape = ctypes.POINTER(ctypes.c_uint64)()
        self._n_dimensions = ctypes.c_uint64()
        self._margins = ctypes.POINTER(ctypes.c_float)()
        self._results = [ctypes.byref(part) for part in (self._shape, self._n_dimensions, self._margins)]
        # What lies where, most of the time in the same memory as the round before.
        self._place: Any = None  # of the margins
        self._raw_prediction: Any = None
        self._gradient: Any = None
        self._arrays: list[bytes] = []  # what is said of gradient and Hessian

    def train(self, booster: Any, iteration: int) -> None:
        call_library("XGBoosterPredictFromDMatrix", booster.handle, self.data.handle, _RAW_MARGINS, *self._results)
        place = ctypes.addressof(self._margins.contents), self._shape[: self._n_dimensions.value]
        if place != self._place:
            self._place, self._raw_prediction = place, _floats_at(*place)
        raw = self._raw_prediction
        self.margins_differed = self.margins_differed or bool((raw != raw[0]).any())
        gradient, hessian = self.objective(None, raw)
        if gradient is not self._gradient:
            self._gradient, self._arrays = gradient, [_described(array) for array in (gradient, hessian)]
        call_library("XGBoosterTrainOneIter", booster.handle, self.data.handle, ctypes.c_int(iteration), *self._arrays)


# Not attributes of the boosters: these are copied and pickled with them, by users' callbacks too.
_ROUNDS: WeakKeyDictionary[Any, _Rounds] = WeakKeyDictionary()


def _floats_at(address: int, shape: list[int]) -> NDArray[np.float32]:
    """Return floats where they are. NumPy's own way, by a type of ctypes, leaves a type for every shape behind."""
    interface = {"data": (address, False), "shape": tuple(shape), "typestr": np.dtype(np.float32).str, "version": 3}
    return np.asarray(SimpleNamespace(__array_interface__=interface))


def _described(array: NDArray[Any]) -> bytes:
    """Return where an array is and how it lies there, as XGBoost's library reads it: with a column for each margin."""
    interface = array.reshape(len(array), -1).__array_interface__
    wanted = {name: interface[name] for name in ("data", "shape", "strides", "typestr", "version")}
    return json.dumps(wanted).encode()
