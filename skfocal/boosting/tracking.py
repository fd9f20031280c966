"""What tools that keep track of experiments, as mlflow, are shown of a fit. Imports `parameters`."""

from copy import deepcopy
from typing import Any

from skfocal.boosting.parameters import OURS

# The first is what we set in the engine; the second the engine's `train` has an argument, or another name, for.
_NOT_SHOWN = {"objective", "early_stopping_rounds"}


def shown_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator that are ours."""
    return {name: getattr(estimator, name) for name in sorted(OURS - _NOT_SHOWN)}


class TrackedParameters(dict[str, Any]):
    """What an engine's `train` is given: its parameters, and ours, which are not in the copy that it makes first.

    Tools listen to `train`, and record its parameters; the engine would warn of names it does not know.
    """

    def __init__(self, engines: dict[str, Any], ours: dict[str, Any]) -> None:
        super().__init__({**engines, **ours})
        self._ours = frozenset(ours)

    def copy(self) -> dict[str, Any]:
        """Return the engine's own, as a plain dict."""
        return {name: value for name, value in self.items() if name not in self._ours}

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return deepcopy(self.copy(), memo)
