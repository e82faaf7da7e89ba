"""What the runner counts for Prometheus; see docs/metrics.md."""

from __future__ import annotations

import shutil
from pathlib import Path

from prometheus_client import Counter, Gauge

WORK_ENDED = Counter(
    "darkroom_runner_work_ended",
    "Ends of work: done, failed, stopped (nobody wants it), lost (another holds it), released (on the way down).",
    ["kind", "outcome"],
)
WORK_SECONDS = Counter("darkroom_runner_work_seconds", "Time from claims to ends.", ["kind"])
STAGE_SECONDS = Counter("darkroom_runner_stage_seconds", "Time that works spent in each stage.", ["stage"])
SHARDS_BUILT = Counter("darkroom_runner_shards", "Shards that were built and committed; not those found there.")
SHARD_BYTES = Counter("darkroom_runner_shard_bytes", "Bytes of those shards.")
WORKS = Gauge("darkroom_runner_works", "Works in hand.")
FREE_BYTES = Gauge("darkroom_runner_free_bytes", "Free bytes on the scratch disk.")


def watch_disk(folder: Path) -> None:
    """Show the free bytes of the disk that a folder lies on."""
    FREE_BYTES.set_function(lambda: shutil.disk_usage(folder).free)
