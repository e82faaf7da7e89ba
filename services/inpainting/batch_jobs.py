"""Fills whole prefixes of the object store, and goes on where it was after whatever ended it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import structlog

from inpainting.batch_job import JobSpec, JobState, JobView, is_photo
from inpainting.batch_job_files import BatchJobFiles
from inpainting.batch_job_run import JobRun
from inpainting.inpainter import Inpainter
from inpainting.photo_sources import PhotoSources
from inpainting.retouching import Retouching
from inpainting.task import Source, Task
from service_kit.errors import FailedPrecondition, InvalidArgument, NotFound
from service_kit.object_store import ObjectStore, check_prefix

log = structlog.get_logger()

PREFIX = "batchJobs/"
# The object beside the results that says whose they are.
OWNER = "darkroom-job"
_ID = re.compile(r"[0-9a-f]{64}")


class BatchJobs:
    """All jobs of one service, in its event loop."""

    def __init__(
        self,
        inpainter: Inpainter,
        retouching: Retouching,
        sources: PhotoSources,
        store: ObjectStore,
        files: BatchJobFiles,
        concurrency: int,
    ) -> None:
        self._inpainter = inpainter
        self._retouching = retouching
        self._sources = sources
        self._store = store
        self._files = files
        self._concurrency = concurrency
        self._runs: dict[str, JobRun] = {}
        self._starting = asyncio.Lock()

    async def resume(self) -> None:
        """Go on with the jobs that were running when the service ended."""
        for spec, view in await asyncio.to_thread(lambda: list(self._files.unfinished())):
            log.info("batch_job_resumed", job=spec.id)
            self._run(spec, view)

    async def start(self, spec: JobSpec) -> JobView:
        """Start a job, or go on with it: results that are there are done.

        Raises `InvalidArgument` naming the field, `NotFound` when nothing lies below the prefix, `FailedPrecondition`
        when other results lie where these would.
        """
        check_spec(spec)
        spec = await asyncio.to_thread(self._complete, spec)
        async with self._starting:
            running = self._runs.get(spec.id)
            if running is not None and not running.view.final:
                return running.view
            view = await asyncio.to_thread(self._begin, spec)
            return self._run(spec, view).view

    async def watch(self, name: str) -> AsyncIterator[JobView]:
        """Yield the job each time it changes, its final state last. Raises `NotFound`."""
        job_id = id_in(name)
        run = self._runs.get(job_id)
        if run is None:
            yield (await self._read(job_id))[1]
            return
        async for view in run.watch():
            yield view

    async def cancel(self, name: str) -> JobView:
        """Stop a job; what it has done stays. Raises `NotFound`."""
        job_id = id_in(name)
        run = self._runs.get(job_id)
        if run is not None:
            return await run.cancel()
        spec, view = await self._read(job_id)
        if not view.final:
            view = view.in_state(JobState.CANCELLED)
            await asyncio.to_thread(self._files.write, spec, view)
        return view

    async def close(self) -> None:
        """Stop working; the jobs go on when the service starts again."""
        for run in self._runs.values():
            await run.pause()

    def _run(self, spec: JobSpec, view: JobView) -> JobRun:
        run = self._runs[spec.id] = JobRun(spec, view, self._inpainter, self._store, self._files, self._concurrency)
        run.begin()
        return run

    async def _read(self, job_id: str) -> tuple[JobSpec, JobView]:
        found = await asyncio.to_thread(self._files.read, job_id)
        if found is None:
            raise NotFound(f"no batch job {PREFIX}{job_id}")
        return found

    def _complete(self, spec: JobSpec) -> JobSpec:
        """Write out what could change while the job waits: the default model, a mask that is kept for an hour."""
        if spec.mask_image.kept:
            spec = replace(spec, mask_image=Source(self._sources.read(spec.mask_image, "mask.image")))
        # Refuses wrong options now and not once for each photo; the photo is one that passes.
        marked = Source(object="any") if spec.mask_prefix else spec.mask_image
        self._retouching.check(Task(Source(object="any"), marked, spec.shapes, spec.options))
        return replace(spec, options=self._retouching.settled(spec.options))

    def _begin(self, spec: JobSpec) -> JobView:
        if not any(is_photo(each.name) for each in self._store.list(spec.photo_prefix)):
            raise NotFound(f"no photo lies below {spec.photo_prefix!r}")
        owner = spec.output_prefix + OWNER
        found = self._store.stat(owner)
        if found is None:
            if next(iter(self._store.list(spec.output_prefix)), None) is not None:
                raise FailedPrecondition(
                    f"other objects lie below {spec.output_prefix!r}; choose an empty output_prefix"
                )
            self._store.put(owner, spec.id.encode())
        elif b"".join(self._store.read(owner, 0, found.size_bytes)) != spec.id.encode():
            raise FailedPrecondition(
                f"below {spec.output_prefix!r} lie results that were made in another way; choose another output_prefix"
            )
        view = JobView(spec.id)
        self._files.write(spec, view)
        return view


def check_spec(spec: JobSpec) -> None:
    """Refuse prefixes that cannot be. Raises `InvalidArgument` naming the field."""
    prefixes = {"photo_prefix": spec.photo_prefix, "output_prefix": spec.output_prefix}
    if spec.mask_prefix:
        prefixes["mask_prefix"] = spec.mask_prefix
    violations = []
    for field, prefix in prefixes.items():
        if not prefix.endswith("/"):
            violations.append((field, f"must be a folder's name and end in /, not {prefix[:100]!r}"))
            continue
        with suppress(InvalidArgument):
            check_prefix(prefix)
            continue
        violations.append((field, f"no object is called {prefix[:100]!r}..."))
    inside = [field for field in prefixes if field != "photo_prefix" and prefixes[field].startswith(spec.photo_prefix)]
    if spec.photo_prefix:
        violations += [(field, "must not lie below photo_prefix: it would be taken for photos") for field in inside]
    if spec.options.candidate_count != 1:
        violations.append(("options.candidate_count", "a job makes one result of each photo"))
    if violations:
        raise InvalidArgument.of(violations)


def id_in(name: str) -> str:
    """Return the id in ``batchJobs/{id}``. Raises `InvalidArgument`."""
    job_id = name.removeprefix(PREFIX)
    if not name.startswith(PREFIX) or not _ID.fullmatch(job_id):
        raise InvalidArgument.of([("name", f"{name[:100]!r} is no batch job; those are called {PREFIX}ID")])
    return job_id
