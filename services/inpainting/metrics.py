"""What the inpainting service shows Prometheus, read from its queue and its models when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from inpainting.work_queue import WorkQueue

_LIMITS = (1, 2, 4, 8, 16, 32)


class Models(Protocol):
    """Who knows the batches."""

    def batch_sizes(self) -> Mapping[int, int]:
        """Return how many runs of networks had so many images."""


class QueueCollector(Collector):
    """Turns the counts that `GetMetrics` answers with into metrics."""

    def __init__(self, queue: WorkQueue, models: Models) -> None:
        self._queue = queue
        self._models = models

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        counts = self._queue.counts
        yield GaugeMetricFamily("darkroom_inpainting_waiting", "Photos that wait.", value=self._queue.waiting)
        yield GaugeMetricFamily("darkroom_inpainting_running", "Photos in work.", value=self._queue.running)
        ended = CounterMetricFamily(
            "darkroom_inpainting_ended",
            "Photos by what became of them: done, failed, rejected (queue full), cancelled, expired (deadline).",
            labels=["outcome"],
        )
        for outcome in ("done", "failed", "rejected", "cancelled", "expired"):
            ended.add_metric([outcome], getattr(counts, outcome))
        yield ended
        yield CounterMetricFamily("darkroom_inpainting_wait_seconds", "Time that they waited.", value=counts.waited_s)
        yield CounterMetricFamily("darkroom_inpainting_work_seconds", "Time in work.", value=counts.worked_s)
        yield _batches(self._models.batch_sizes())


def _batches(sizes: Mapping[int, int]) -> HistogramMetricFamily:
    buckets = [(str(limit), sum(runs for images, runs in sizes.items() if images <= limit)) for limit in _LIMITS]
    buckets.append(("+Inf", sum(sizes.values())))
    images = sum(images * runs for images, runs in sizes.items())
    found = HistogramMetricFamily("darkroom_inpainting_batch_images", "Images in each run of a network.")
    found.add_metric([], buckets, images)
    return found
