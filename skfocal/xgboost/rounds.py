"""Rounds of training that call XGBoost's library themselves. Imports `compat` and `objectives`.

For an objective XGBoost's Python compares the names of features, copies labels and weights, writes settings and makes
classes for arrays, anew in every round. That takes 0.4 ms, all else in a round of 200 rows 0.1 ms.
"""

import ctypes
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xgboost import Booster
from xgboost.callback import TrainingCallback

from skfocal.objectives import TrainingObjective
from skfocal.xgboost.compat import call_library

_RAW_MARGINS = json.dumps(
    {"type": 1, "training": True, "iteration_begin": 0, "iteration_end": 0, "strict_shape": False}
).encode()


class DirectRounds(TrainingCallback):
    """Lets a booster train on an objective, on the host, as `Booster.update` does, and with the same result."""

    def __init__(self, objective: TrainingObjective) -> None:
        self._objective = objective

    def before_training(self, model: Any) -> Any:
        """Give the booster another `update`, by its class: what is set on a booster itself is pickled with it."""
        model._direct = _Direct(self._objective)
        model.__class__ = _DirectBooster
        return model

    def after_training(self, model: Any) -> Any:
        """Make the booster what it was."""
        del model._direct
        model.__class__ = Booster
        return model


class _DirectBooster(Booster):
    _direct: "_Direct"

    def update(self, dtrain: Any, iteration: int, fobj: Any = None) -> None:
        if self._direct.objective.is_prepared:
            self._direct.update(self, dtrain, iteration)
        else:  # the first round: features are compared, labels and weights of the data prepared
            super().update(dtrain, iteration, fobj)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what another process is to make a booster of: it is to know nothing of this one's training."""
        return Booster, (), {name: part for name, part in self.__getstate__().items() if name != "_direct"}


class _Direct:
    """What XGBoost's library is given in every round, and what it gives back: the calls of `Booster.boost`."""

    def __init__(self, objective: TrainingObjective) -> None:
        self.objective = objective
        self._shape = ctypes.POINTER(ctypes.c_uint64)()
        self._n_dimensions = ctypes.c_uint64()
        self._margins = ctypes.POINTER(ctypes.c_float)()
        self._results = [ctypes.byref(part) for part in (self._shape, self._n_dimensions, self._margins)]
        self._gradient: Any = None
        self._arrays: list[bytes] = []  # what is said of gradient and Hessian, which lie in the same memory every time

    def update(self, booster: Any, data: Any, iteration: int) -> None:
        call_library("XGBoosterPredictFromDMatrix", booster.handle, data.handle, _RAW_MARGINS, *self._results)
        shape = self._shape[: self._n_dimensions.value]
        gradient, hessian = self.objective(None, np.ctypeslib.as_array(self._margins, shape))
        if gradient is not self._gradient:
            self._gradient, self._arrays = gradient, [_described(array) for array in (gradient, hessian)]
        call_library("XGBoosterTrainOneIter", booster.handle, data.handle, ctypes.c_int(iteration), *self._arrays)


def _described(array: NDArray[Any]) -> bytes:
    """Return where an array is and how it lies there, as XGBoost's library reads it: with a column for each margin."""
    interface = array.reshape(len(array), -1).__array_interface__
    wanted = {name: interface[name] for name in ("data", "shape", "strides", "typestr", "version")}
    return json.dumps(wanted).encode()
