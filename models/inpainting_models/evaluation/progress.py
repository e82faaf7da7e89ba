"""Shows how far a run is: a bar on a terminal, elsewhere a line a minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from inpainting_models.evaluation.run import Row

LINE_EVERY_S = 60.0
# A single result can take a minute.
PACE_OVER_S = 600.0


def shown(rows: Iterable[Row], total: int, ready: int = 0) -> Iterator[Row]:
    """Yield the rows and tell on standard error how many of `total` there are; `ready` ones were there before."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, disable=not sys.stderr.isatty(), speed_estimate_period=PACE_OVER_S)
    with bar:
        task = bar.add_task("results", total=total, completed=ready)
        begin = said = time.monotonic()
        for number, row in enumerate(rows, 1):
            if row.error:
                console.print(f"{row.method} on {row.case}: {row.error}", markup=False)
            bar.advance(task)
            now = time.monotonic()
            if bar.disable and now - said > LINE_EVERY_S:
                said = now
                left = timedelta(seconds=round((now - begin) / number * (total - ready - number)))
                console.print(f"{ready + number} of {total} results; {left} left")
            yield row
