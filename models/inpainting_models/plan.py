"""Says which passes a strategy is going to make, before it makes them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from inpainting_models.resolution import Size


@dataclass(frozen=True)
class PlannedPass:
    """One call of the painter."""

    stage: str
    """"step 1", "step 2": passes of one stage work at one size."""
    size: Size
    """`(height, width)` that the painter will see."""


@dataclass(frozen=True)
class Plan:
    """The passes of one strategy on one photo, in their order."""

    strategy: str
    passes: tuple[PlannedPass, ...]
    note: str = ""
    """What is different for this photo, and why; empty where nothing is."""

    def __str__(self) -> str:
        count = len(self.passes)
        if not count:
            return f"{self.strategy}: nothing to paint"
        sizes = [f"{len(list(same))} at {size[0]}x{size[1]}" for size, same in groupby(p.size for p in self.passes)]
        text = f"{self.strategy}: {count} {'pass' if count == 1 else 'passes'}, {', '.join(sizes)}"
        return f"{text} ({self.note})" if self.note else text
