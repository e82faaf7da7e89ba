"""Shows work going on: a live bar on a terminal, a plain line every few seconds anywhere else."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from darkroom_client.download import DownloadProgress
from darkroom_client.output import say
from darkroom_client.progress_text import detail_text, download_line, fraction, notes, progress_line, stage_text
from darkroom_client.snapshot import Progress, Stage

LINE_EVERY_S = 5.0


class ProgressView:
    """Takes snapshots as they come and shows the newest; on standard error, so that answers stay clean."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._live = LiveBar(title) if sys.stderr.isatty() else None
        self._last_line = ""
        self._last_stage = ""
        self._last_s = 0.0
        self._download_begin_s = 0.0
        self._download_begin_bytes = 0

    def show(self, progress: Progress) -> None:
        """Show how far a build, or other work, is."""
        if progress.stage is Stage.FINISHED:  # what comes next says so
            return
        if self._live is not None:
            self._live.update(stage_text(progress), fraction(progress), detail_text(progress), notes(progress))
        else:
            self._line(progress.stage + progress.waiting_for, progress_line(progress))

    def show_download(self, progress: DownloadProgress) -> None:
        """Show how far a download is."""
        now_s = time.monotonic()
        if not self._download_begin_s and progress.size_bytes:
            # What an earlier download left does not count in the rate.
            self._download_begin_s, self._download_begin_bytes = now_s, progress.bytes_done
        elapsed_s = now_s - self._download_begin_s if self._download_begin_s else 0.0
        rate_bytes = (progress.bytes_done - self._download_begin_bytes) / elapsed_s if elapsed_s > 0.5 else 0.0
        if self._live is not None:
            done = progress.bytes_done / progress.size_bytes if progress.size_bytes else None
            _, _, detail = download_line(progress, rate_bytes).partition(": ")
            self._live.update("downloading", done, detail, [])
        else:
            self._line("download" + progress.waiting_for, download_line(progress, rate_bytes))

    def _line(self, stage: str, line: str) -> None:
        if line == self._last_line or (stage == self._last_stage and time.monotonic() - self._last_s < LINE_EVERY_S):
            return
        self._last_line, self._last_stage, self._last_s = line, stage, time.monotonic()
        say(f"{self._title}: {line}")

    def __enter__(self) -> ProgressView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()


class CountView:
    """Shows how many of a number are done, as `ProgressView` shows work."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._live = LiveBar(title) if sys.stderr.isatty() else None
        self._last_s = 0.0

    def show(self, done: int, total: int, words: str) -> None:
        """Show the newest count."""
        if self._live is not None:
            self._live.update(f"{done:,} of {total:,} {words}", done / total if total else None, "", [])
        elif done == total or time.monotonic() - self._last_s > LINE_EVERY_S:
            self._last_s = time.monotonic()
            say(f"{self._title}: {done:,} of {total:,} {words}")

    def __enter__(self) -> CountView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()


class LiveBar:
    """One bar and the notes under it, drawn by rich."""

    def __init__(self, title: str) -> None:
        # Rich takes a tenth of a second to import, which a command without a terminal can do without.
        from rich.console import Console
        from rich.live import Live

        self._title = title
        self._live = Live(console=Console(stderr=True), refresh_per_second=8, transient=True)

    def start(self) -> None:
        self._live.start()

    def stop(self) -> None:
        self._live.stop()

    def update(self, stage: str, done: float | None, detail: str, notes: list[str]) -> None:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar: Any = ProgressBar(total=1.0, completed=done or 0.0, width=30, pulse=done is None)
        row = Table.grid(padding=(0, 1))
        percent = "" if done is None else f"{done:4.0%}"
        row.add_row(Text(self._title, style="bold"), stage, bar, percent)
        below = [Text(text, style="dim") for text in (detail, *notes) if text]
        self._live.update(Group(row, *below))
