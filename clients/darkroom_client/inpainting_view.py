"""Shows how far a photo is: a live bar on a terminal, a line when the stage changes anywhere else."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from darkroom_client.inpainting import InpaintProgress
from darkroom_client.output import say
from darkroom_client.progress_view import LINE_EVERY_S, LiveBar


class InpaintingView:
    """Takes progress as it comes and shows the newest; on standard error, so that answers stay clean."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._live = LiveBar(title) if sys.stderr.isatty() else None
        self._stage = ""
        self._plan = ""
        self._last_s = 0.0

    def show(self, progress: InpaintProgress) -> None:
        """Show how far a photo is."""
        if progress.plan and progress.plan != self._plan:
            self._plan = progress.plan
            if self._live is None:
                say(f"{self._title}: {progress.plan}")
        if self._live is not None:
            done = progress.steps_done / progress.step_count if progress.step_count else None
            self._live.update(str(progress), done, self._plan, [])
            return
        if progress.stage != self._stage or time.monotonic() - self._last_s > LINE_EVERY_S:
            self._stage, self._last_s = progress.stage, time.monotonic()
            say(f"{self._title}: {progress}")

    def __enter__(self) -> InpaintingView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
