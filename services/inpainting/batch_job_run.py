"""One batch job at work: photo after photo, each result written whole, so that nothing is done twice or by half."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import structlog

from inpainting.batch_job import JobSpec, JobState, JobView, is_photo, stem
from inpainting.batch_job_files import BatchJobFiles
from inpainting.inpainter import Finished, Inpainter
from inpainting.work_queue import Priority
from service_kit.errors import ResourceExhausted, Unavailable
from service_kit.object_store import ObjectStore

V = TypeVar("V")
log = structlog.get_logger()

# So many photos back is "lately".
RATE_WINDOW = 50
MAX_PAUSE_S = 30.0


class JobRun:
    """A job's life in this process, and whoever watches it."""

    def __init__(
        self,
        spec: JobSpec,
        view: JobView,
        inpainter: Inpainter,
        store: ObjectStore,
        files: BatchJobFiles,
        concurrency: int,
    ) -> None:
        self.view = replace(view, failed=())
        self._spec = spec
        self._inpainter = inpainter
        self._store = store
        self._files = files
        self._concurrency = concurrency
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._finished_s: deque[float] = deque(maxlen=RATE_WINDOW)

    def begin(self) -> None:
        """Start working."""
        self._task = asyncio.create_task(self._work())

    async def watch(self) -> AsyncIterator[JobView]:
        """Yield the job as it stands, then each newer view; the final one last."""
        while True:
            changed, view = self._changed, self.view
            yield view
            if view.final:
                return
            if view is self.view:
                await changed.wait()

    async def cancel(self) -> JobView:
        """Stop for good."""
        await self.pause()
        if not self.view.final:
            await self._end(JobState.CANCELLED)
        return self.view

    async def pause(self) -> None:
        """Stop working, for now."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        try:
            photos, masks, done = await self._patiently(self._look)
            self._show(photo_count=len(photos), done_count=len(done))
            left = iter([photo for photo in photos if photo not in done])
            running: set[asyncio.Task[None]] = set()
            try:
                while True:
                    while len(running) < self._concurrency and (photo := next(left, None)) is not None:
                        running.add(asyncio.create_task(self._fill(photo, masks)))
                    if not running:
                        break
                    ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for each in ended:
                        each.result()
            finally:
                for each in running:
                    each.cancel()
                await asyncio.gather(*running, return_exceptions=True)
            await self._end(JobState.DONE)
        except Exception as error:
            log.error("batch_job_stopped", job=self._spec.id, exc_info=error)
            self._show(waiting_for=f"the service to be started again: {error}")

    def _look(self) -> tuple[list[str], dict[str, str], set[str]]:
        """Return the photos, the masks by the photos' stems, and the photos that have their result."""
        spec = self._spec
        photos = [each.name for each in self._store.list(spec.photo_prefix) if is_photo(each.name)]
        masks = {}
        if spec.mask_prefix:
            found = (each.name for each in self._store.list(spec.mask_prefix) if is_photo(each.name))
            masks = {stem(name, spec.mask_prefix): name for name in found}
        results = {each.name for each in self._store.list(spec.output_prefix)}
        return photos, masks, {photo for photo in photos if spec.output_name(photo) in results}

    async def _fill(self, photo: str, masks: dict[str, str]) -> None:
        task = self._spec.task(photo, masks)
        if task is None:
            self._failed(photo, f"no mask {self._spec.mask_prefix}{stem(photo, self._spec.photo_prefix)}.* is there")
            return
        pause_s = 1.0
        while True:
            finished = await self._inpainter.finish(photo, task, Priority.JOB)
            if not isinstance(finished.error, Unavailable):
                break
            self._show(waiting_for=finished.error.message)
            await asyncio.sleep(pause_s)
            pause_s = min(MAX_PAUSE_S, pause_s * 2)
        if finished.error is not None:
            self._failed(photo, finished.error.message)
            return
        await self._patiently(lambda: self._store.put(self._spec.output_name(photo), _data(finished)))
        self._finished_s.append(time.monotonic())
        self._show(done_count=self.view.done_count + 1, waiting_for="")

    async def _patiently(self, step: Callable[[], V]) -> V:
        """Return what a step with the store returns, tried again while the store is away or full."""
        pause_s = 1.0
        while True:
            try:
                return await asyncio.to_thread(step)
            except (Unavailable, ResourceExhausted) as error:
                self._show(waiting_for=error.message)
            await asyncio.sleep(pause_s)
            pause_s = min(MAX_PAUSE_S, pause_s * 2)

    def _failed(self, photo: str, reason: str) -> None:
        log.warning("batch_photo_failed", job=self._spec.id, photo=photo, reason=reason)
        self._finished_s.append(time.monotonic())
        self._show(failed=(*self.view.failed, f"{photo}: {reason}"), waiting_for="")

    def _show(self, **changes: object) -> None:
        view = replace(self.view, **changes)  # type: ignore[arg-type]
        per_minute, eta_s = 0.0, None
        if len(self._finished_s) > 1:
            span_s = max(1e-3, time.monotonic() - self._finished_s[0])
            per_minute = 60 * (len(self._finished_s) - 1) / span_s
            eta_s = 60 * max(0, view.photo_count - view.done_count - len(view.failed)) / per_minute
        self._publish(replace(view, photos_per_minute=per_minute, eta_s=eta_s))

    async def _end(self, state: JobState) -> None:
        view = self.view.in_state(state)
        await asyncio.to_thread(self._files.write, self._spec, view)
        self._publish(view)
        log.info("batch_job_ended", job=self._spec.id, state=state, done=view.done_count, failed=len(view.failed))

    def _publish(self, view: JobView) -> None:
        self.view = view
        # Wake all who wait on the old event; those who come later wait on the new one.
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()


def _data(finished: Finished) -> bytes:
    assert finished.outcome is not None
    return finished.outcome.candidates[0].data
