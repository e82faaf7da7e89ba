"""Says in one line how far work is."""

from __future__ import annotations

from datetime import timedelta

from darkroom_client.download import DownloadProgress
from darkroom_client.output import size_text
from darkroom_client.snapshot import Progress, RequestSnapshot, Stage

WORDS = {
    Stage.WAITING: "waiting",
    Stage.ENVIRONMENT: "preparing the handler",
    Stage.SNAPSHOT: "reading raw files",
    Stage.QUEUED: "queued",
    Stage.PLANNING: "planning",
    Stage.BUILDING: "building",
    Stage.ASSEMBLING: "assembling",
    Stage.CHECKING: "checking",
    Stage.FINISHED: "finished",
}


def stage_text(progress: Progress) -> str:
    """Return the stage in words."""
    return WORDS[progress.stage]


def fraction(progress: Progress) -> float | None:
    """Return how much is done, 0 to 1; None while that is not known."""
    pairs = (
        [(progress.files_done, progress.file_count)]
        if progress.stage is Stage.SNAPSHOT
        else [(progress.examples_done, progress.example_count), (progress.shards_done, progress.shard_count)]
    )
    return next((min(1.0, done / count) for done, count in pairs if count), None)


def detail_text(progress: Progress) -> str:
    """Return the counts, the rate and the time left, as far as they are known."""
    parts: list[str] = []
    if progress.stage is Stage.FINISHED:
        return ""
    if progress.stage is Stage.SNAPSHOT and progress.file_count:
        parts.append(f"files {progress.files_done:,}/{progress.file_count:,}")
    if progress.shard_count and progress.stage is not Stage.SNAPSHOT:
        parts.append(f"shards {progress.shards_done:,}/{progress.shard_count:,}")
        if progress.shards_reused:
            parts[-1] += f" ({progress.shards_reused:,} kept)"
    if progress.example_count and progress.stage is not Stage.SNAPSHOT:
        parts.append(f"examples {progress.examples_done:,}/{progress.example_count:,}")
    if progress.rate and progress.stage in (Stage.SNAPSHOT, Stage.BUILDING):
        parts.append(f"{progress.rate:,.0f}/s" if progress.rate >= 10 else f"{progress.rate:.1f}/s")
    if progress.eta is not None:
        parts.append(f"{duration_text(progress.eta)} left")
    if progress.queue_position:
        parts.append(f"{progress.queue_position} before it")
    if progress.skipped_count:
        parts.append(f"{progress.skipped_count} unreadable left out")
    return ", ".join(parts)


def notes(snapshot: Progress) -> list[str]:
    """Return what else a watcher should know: who started it, what it waits for."""
    found = []
    if isinstance(snapshot, RequestSnapshot) and snapshot.started_by:
        found.append(f"started by {snapshot.started_by}" + (", joined" if snapshot.joined else ""))
    if snapshot.runner:
        found.append(f"on {snapshot.runner}" + (f", attempt {snapshot.attempt}" if snapshot.attempt > 1 else ""))
    if snapshot.waiting_for:
        found.append(f"waiting for {snapshot.waiting_for}")
    return found


def progress_line(snapshot: Progress) -> str:
    """Return stage, counts and notes in one line."""
    details = detail_text(snapshot)
    line = f"{stage_text(snapshot)}: {details}" if details else stage_text(snapshot)
    return "; ".join([line, *notes(snapshot)])


def download_line(progress: DownloadProgress, rate_bytes: float = 0.0) -> str:
    """Return how far a download is."""
    parts = []
    if progress.size_bytes:
        parts.append(f"{size_text(progress.bytes_done)} of {size_text(progress.size_bytes)}")
    if rate_bytes:
        parts.append(f"{size_text(rate_bytes)}/s")
    line = "downloading" + (f": {', '.join(parts)}" if parts else "")
    return f"{line}; waiting for {progress.waiting_for}" if progress.waiting_for else line


def duration_text(span: timedelta) -> str:
    """Return a time span as people say it: 5 s, 3 min, 2 h 10 min."""
    seconds = round(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min" if seconds >= 600 else f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
