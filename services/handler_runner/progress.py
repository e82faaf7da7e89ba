"""How far a piece of work is, with its rate over the last seconds and the time left."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from darkroom.dataset.v1 import dataset_pb2
from handler_runner.metrics import SHARD_BYTES, SHARDS_BUILT, STAGE_SECONDS
from handler_runner.printable import printable
from service_kit.tracing import Span, begin_span

_RATE_WINDOW_S = 10.0
_NAMED_SKIPS = 20


class WorkProgress:
    """Counts that only grow within a stage; written by the work, read by the heartbeat, on one event loop."""

    def __init__(self, runner: str, attempt: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._runner, self._attempt = runner, attempt
        self._stage = dataset_pb2.STAGE_UNSPECIFIED
        self._entered_s = clock()
        self._span: Span | None = None
        self._waiting: dict[object, str] = {}
        self._running: dict[object, int] = {}
        self._samples: deque[tuple[float, int]] = deque()
        self.changed = asyncio.Event()
        # Set at the few changes that are worth a message of their own.
        self.news = asyncio.Event()
        self.shard_count = self.shards_done = self.shards_reused = self.bytes_done = 0
        self.example_count = self.examples_committed = 0
        self.file_count = self.files_done = 0
        self.skipped: list[str] = []

    def enter(self, stage: dataset_pb2.Stage) -> None:
        """Begin a stage."""
        self.end()
        self._stage = stage
        self._span = begin_span(f"stage {_name(stage)}")
        self._samples.clear()
        self.touch()

    def end(self) -> None:
        """Count the time in the present stage, which ends."""
        now_s = self._clock()
        if self._span is not None:
            STAGE_SECONDS.labels(_name(self._stage)).inc(max(now_s - self._entered_s, 0.0))
            self._span.end()
            self._span = None
        self._stage, self._entered_s = dataset_pb2.STAGE_UNSPECIFIED, now_s

    def touch(self) -> None:
        """Say that something changed."""
        self.changed.set()

    def files(self, files_done: int, file_count: int) -> None:
        """Say how far a walk is."""
        self.files_done, self.file_count = files_done, file_count
        self.touch()

    def plan(self, shard_count: int, example_count: int) -> None:
        """Say what there is to build."""
        self.shard_count, self.example_count = shard_count, example_count
        self.touch()

    def running(self, shard: object, examples: int) -> None:
        """Say how far a shard is that is being built."""
        self._running[shard] = examples
        self.touch()

    def dropped(self, shard: object) -> None:
        """Forget a shard that must be built again."""
        self._running.pop(shard, None)
        self.touch()

    def committed(self, shard: object, examples: int, size_bytes: int, *, reused: bool = False) -> None:
        """Count a shard that is safe."""
        self._running.pop(shard, None)
        if not self.shards_done:
            # People wait for the first one: it tells that the handler works.
            self.news.set()
        self.shards_done += 1
        self.shards_reused += reused
        self.examples_committed += examples
        self.bytes_done += size_bytes
        if not reused:
            SHARDS_BUILT.inc()
            SHARD_BYTES.inc(size_bytes)
        else:
            # What an earlier attempt did is no speed of this one.
            self._samples.clear()
        self.touch()

    @contextmanager
    def waiting(self) -> Iterator[Callable[[str], None]]:
        """Give a function that says for what the work waits; at the end it waits no more."""
        token = object()

        def wait_for(what: str) -> None:
            self._waiting[token] = what
            self.touch()

        try:
            yield wait_for
        finally:
            if self._waiting.pop(token, None) is not None:
                self.touch()

    def to_proto(self) -> dataset_pb2.Progress:
        """Return the progress as it stands; call it at each heartbeat, because the rate is sampled here."""
        examples_done = self.examples_committed + sum(self._running.values())
        by_files = self._stage == dataset_pb2.STAGE_SNAPSHOT
        done, total = (self.files_done, self.file_count) if by_files else (examples_done, self.example_count)
        rate = self._rate(done)
        progress = dataset_pb2.Progress(
            stage=self._stage,
            shard_count=self.shard_count,
            shards_done=self.shards_done,
            shards_reused=self.shards_reused,
            example_count=self.example_count,
            examples_done=examples_done,
            bytes_done=self.bytes_done,
            file_count=self.file_count,
            files_done=self.files_done,
            rate=rate,
            waiting_for=printable("; ".join(dict.fromkeys(self._waiting.values())))[:1000],
            skipped_count=len(self.skipped),
            skipped=[printable(skip)[:500] for skip in sorted(self.skipped)[:_NAMED_SKIPS]],
            runner=self._runner,
            attempt=self._attempt,
        )
        if rate > 0 and total > done and not self._waiting:
            progress.eta.FromMilliseconds(round((total - done) / rate * 1000))
        return progress

    def _rate(self, done: int) -> float:
        now = self._clock()
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, done))
        while len(self._samples) > 2 and self._samples[0][0] < now - _RATE_WINDOW_S:
            self._samples.popleft()
        elapsed_s = now - self._samples[0][0]
        return (done - self._samples[0][1]) / elapsed_s if elapsed_s > 0 else 0.0


def _name(stage: dataset_pb2.Stage) -> str:
    return str(dataset_pb2.Stage.Name(stage)).removeprefix("STAGE_")
