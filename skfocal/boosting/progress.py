"""A progress bar over rounds of boosting, by tqdm, imported where one is asked for. Imports nothing of ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# Takes the number of rounds that there will be at most, and the scores of the round that is over.
Advance = Callable[[int, dict[str, float]], None]


@contextmanager
def progress_bar(wanted: bool, name: str) -> Iterator[Advance | None]:
    """Show a bar, with the scores of the last round beside it; yield what to call after each round, or None."""
    if not wanted:
        yield None
        return
    with _tqdm()(desc=name, unit="round") as bar:

        def advance(n_rounds: int, scores: dict[str, float]) -> None:
            bar.total = n_rounds
            bar.set_postfix({name: f"{score:.5g}" for name, score in scores.items()}, refresh=False)
            bar.update()

        yield advance


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError('progress_bar=True needs tqdm: pip install "skfocal[all]"') from error
    return tqdm
