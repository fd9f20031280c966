"""Where pickles that the first release candidate wrote look for what a sampler did; nothing else uses it."""

from typing import Any, NamedTuple


class Resampling(NamedTuple):
    """What a sampler has done to the shares of the classes: see `skfocal.boosting.link.Link`."""

    ratio: Any
    undone: Any
