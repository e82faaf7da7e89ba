"""What the registry counts for Prometheus; see docs/metrics.md. The queue is counted when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator

import structlog
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dataset_registry.catalog import Catalog
from dataset_registry.records import Request, Work
from dataset_registry.states import RequestState, WorkKind, WorkState
from service_kit.errors import DarkroomError

log = structlog.get_logger()

# From a preview to a build of a night.
SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200)

REQUESTS_RESOLVED = Counter(
    "darkroom_requests_resolved",
    "Requests whose key became known, by what that led to: new (a build), joined (another's build), hit, failed.",
    ["outcome"],
)
WORK_ENDED = Counter(
    "darkroom_work_ended",
    "Ends of work: done, failed (for good), again (back in the queue after a failure), released, cancelled.",
    ["kind", "outcome"],
)
WORK_WAITED = Histogram("darkroom_work_wait_seconds", "From the queue to the first claim.", ["kind"], buckets=SECONDS)
WORK_TOOK = Histogram(
    "darkroom_work_seconds", "From the last claim to the end of done work.", ["kind"], buckets=SECONDS
)
SHARDS_COMMITTED = Counter("darkroom_shards_committed", "Shards that runners committed.")
SHARD_BYTES = Counter("darkroom_shard_bytes", "Bytes of those shards.")
BYTES_SERVED = Counter("darkroom_bytes_served", "Bytes of archives that went through the registry.")
DOWNLOADS = Counter("darkroom_downloads_reported", "Downloads that clients reported as finished.")
DOWNLOADED_BYTES = Counter("darkroom_downloaded_bytes", "Bytes that these clients received, from wherever.")
WATCHERS = Gauge("darkroom_watchers", "Watchers of requests, datasets and work.")


def count_resolved(before: Request, after: Request) -> None:
    """Count a request that has just been led to a dataset, or to none."""
    if before.state != RequestState.RESOLVING or after.state == RequestState.RESOLVING:
        return
    match after.state:
        case RequestState.READY:
            outcome = "hit"
        case RequestState.BUILDING:
            outcome = "joined" if after.joined else "new"
        case _:
            outcome = "failed"
    REQUESTS_RESOLVED.labels(outcome).inc()


def count_claimed(work: Work) -> None:
    """Count how long work had waited."""
    if work.attempt == 1:
        WORK_WAITED.labels(work.kind).observe(max(work.start_time - work.create_time, 0.0))


def count_ended(work: Work | None) -> None:
    """Count work after its claim ended; None: it had ended before."""
    if work is None:
        return
    outcomes = {WorkState.DONE: "done", WorkState.FAILED: "failed", WorkState.CANCELLED: "cancelled"}
    WORK_ENDED.labels(work.kind, outcomes.get(WorkState(work.state), "again")).inc()
    if work.state == WorkState.DONE:
        WORK_TOOK.labels(work.kind).observe(max(work.finish_time - work.start_time, 0.0))


class QueueCollector(Collector):
    """Asks the catalogue for the queue; while it is away there are no such lines."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def describe(self) -> Iterator[Metric]:
        """Yield the metrics without values: nothing need be asked for that."""
        yield from self._families()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        try:
            found = {(each.kind, each.state): each for each in self._catalog.read(lambda tx: tx.queue())}
            now = self._catalog.read(lambda tx: tx.now())
        except DarkroomError as error:
            log.warning("queue_not_counted", message=error.message)
            return
        length, age, running = self._families()
        for kind in WorkKind:
            queued, claimed = found.get((kind, WorkState.QUEUED)), found.get((kind, WorkState.RUNNING))
            length.add_metric([kind], queued.works if queued else 0)
            age.add_metric([kind], max(now - queued.oldest, 0.0) if queued else 0.0)
            running.add_metric([kind], claimed.works if claimed else 0)
        yield from (length, age, running)

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
        return (
            GaugeMetricFamily("darkroom_work_queued", "Works in the queue.", labels=["kind"]),
            GaugeMetricFamily(
                "darkroom_work_queued_age_seconds", "How long the oldest of them exists.", labels=["kind"]
            ),
            GaugeMetricFamily("darkroom_work_running", "Works that runners hold.", labels=["kind"]),
        )
