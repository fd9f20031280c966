"""Ctrl-C where an engine does not survive it: kept until it can be raised. Imports nothing of ours.

What is raised in a function that XGBoost's library has called goes no further: the library goes on with a result that
nobody gave, may take it for one more batch, and end the process. LightGBM's booster, when it reads a model, frees its
old one, and if it does not come to write that down, once more. Python raises KeyboardInterrupt at the first step of
whatever is called next, so no ``try`` in there is early enough.
"""

from signal import SIGINT, getsignal, signal
from threading import current_thread, main_thread
from typing import Any, Self


class KeptInterrupts:
    """Keeps what Ctrl-C raises, in a ``with`` statement, until its end, or until it is asked for in between."""

    def __init__(self) -> None:
        self._handler: Any = None
        self._kept: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        # Python tells the main thread only; and what is no function of Python's raises nothing.
        if current_thread() is main_thread() and callable(handler := getsignal(SIGINT)):
            self._handler = handler
            self.keep()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self.hear()
        finally:
            self._handler = None

    def keep(self) -> None:
        """Keep what comes from here on."""
        if self._handler is not None:
            signal(SIGINT, lambda *arguments: self._kept.append(arguments))

    def hear(self) -> None:
        """Raise what was kept, and what comes from here on."""
        if self._handler is not None:
            signal(SIGINT, self._handler)
            if self._kept:
                self._handler(*self._kept.pop())
