"""Pulls work from the registry and does it: one build at a time, and small works beside it, so that none waits long."""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from handler_runner.build import build
from handler_runner.compare import compare
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.import_archive import import_archive
from handler_runner.lease import Lease, LeaseLost
from handler_runner.metrics import WORK_ENDED, WORK_SECONDS, WORKS
from handler_runner.registry_link import RegistryLink
from handler_runner.small_works import describe, preview, scan
from handler_runner.together import together
from handler_runner.verify import verify
from handler_runner.work_session import WorkSession
from handler_runner.workshop import Workshop
from service_kit.crash_points import reach
from service_kit.errors import Aborted, DarkroomError, Unavailable
from service_kit.tracing import span

log = structlog.get_logger()

BUILDS = (handler_pb2.WORK_KIND_BUILD,)
SMALL_WORKS = (
    handler_pb2.WORK_KIND_ENVIRONMENT,
    handler_pb2.WORK_KIND_SNAPSHOT,
    handler_pb2.WORK_KIND_PREVIEW,
    handler_pb2.WORK_KIND_VERIFY,
    handler_pb2.WORK_KIND_COMPARE,
)
IMPORTS = (handler_pb2.WORK_KIND_IMPORT,)
_POLL_S = 25.0
# A claim also tells what the runner serves: a new folder of photos should be known in seconds.
_NEWS_S = 2.0
# Previews and walks must not wait for one another either, nor an import for a build of hours.
_LANES = ((BUILDS, _POLL_S), (SMALL_WORKS, _POLL_S), (SMALL_WORKS, _NEWS_S), (IMPORTS, _POLL_S))
_LONGEST_PAUSE_S = 2.0
_RELEASE_S = 3.0


class HandlerRunner:
    """One runner: claims, works, reports; ``sandbox`` is the level that it says. ``close`` gives back what it holds."""

    def __init__(self, name: str, version: str, link: RegistryLink, workshop: Workshop, scratch: Path) -> None:
        self._name, self._version, self._link, self._workshop = name, version, link, workshop
        self._scratch = scratch
        self._instance = uuid.uuid4().hex
        self._sessions: dict[str, WorkSession] = {}
        self.sandbox = ""
        self.start_time_s = time.time()

    @property
    def work(self) -> list[str]:
        """The names of the works in hand."""
        return sorted(self._sessions)

    async def run(self) -> None:
        """Claim and work until cancelled; then kill what runs and give the work back."""
        await together(*(self._lane(kinds, poll_s) for kinds, poll_s in _LANES))

    async def describe(self) -> handler_pb2.RunnerDescription:
        """Return who it is and what it serves, as it is now."""
        return await asyncio.to_thread(self._describe)

    def _describe(self) -> handler_pb2.RunnerDescription:
        return handler_pb2.RunnerDescription(
            name=self._name,
            instance=self._instance,
            version=self._version,
            cores=self._workshop.executor.capacity,
            free_bytes=shutil.disk_usage(self._scratch).free,
            sandbox=self.sandbox,
            repositories=[
                handler_pb2.ServedRepository(
                    name=served.name, commit=served.commit, version=served.version, refusal=served.refusal
                )
                for served in self._workshop.environments.served()
            ],
            raw_datasets=[
                handler_pb2.ServedRawDataset(name=raw.name, file_count=raw.file_count)
                for raw in self._workshop.raw_root.datasets().values()
            ],
        )

    async def _lane(self, kinds: Sequence[handler_pb2.WorkKind], poll_s: float) -> None:
        pause_s = 0.2
        while True:
            try:
                work = await self._link.claim(await self.describe(), kinds, poll_s)
                pause_s = 0.2
            except Unavailable:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            except DarkroomError as error:
                log.error("claim_refused", problem=error.message)
                await asyncio.sleep(_LONGEST_PAUSE_S)
                continue
            try:
                if work is not None:
                    await self._handle(work)
            except Exception as error:
                # The lease of that work runs out; the next work may fare better.
                log.error("unexpected_error", exc_info=error)
                await asyncio.sleep(_LONGEST_PAUSE_S)

    async def _handle(self, work: handler_pb2.Work) -> None:
        """Do one piece of work; whatever happens to it, the lane goes on."""
        session = WorkSession(self._link, work, self._name, self._scratch)
        lease = Lease(self._link, work, session.progress, session.log)
        kind = handler_pb2.WorkKind.Name(work.kind).removeprefix("WORK_KIND_")
        self._sessions[work.name] = session
        request_id = work.log_id or work.name.rpartition("/")[2]
        facts: dict[str, Any] = {"work": work.name, "fence": work.fence, "request_id": request_id}
        with (
            structlog.contextvars.bound_contextvars(kind=kind, **facts),
            span(f"work {kind}", parent=work.trace_parent, attempt=work.attempt, **facts) as opened,
        ):
            log.info("work_begins", attempt=work.attempt)
            began = time.monotonic()
            WORKS.inc()
            reach("work_claimed")
            outcome = "failed"
            try:
                result = await self._attempt(session, lease)
                reach("result_known")
                await self._finish(session, lease, result)
                reach("result_sent")
                outcome = "failed" if "failure" in result else "done"
                log.info("work_ends", outcome=next(iter(result)), elapsed_s=round(time.monotonic() - began, 3))
            except LeaseLost as lost:
                outcome = "stopped" if lost.stopped else "lost"
                log.warning(f"work_{outcome}", reason=str(lost))
            except asyncio.CancelledError:
                outcome = "released"
                await self._release(work)
                raise
            finally:
                opened.note(outcome=outcome)
                WORKS.dec()
                WORK_ENDED.labels(kind, outcome).inc()
                WORK_SECONDS.labels(kind).inc(time.monotonic() - began)
                session.progress.end()
                self._sessions.pop(work.name, None)
                await asyncio.to_thread(session.close)

    async def _attempt(self, session: WorkSession, lease: Lease) -> dict[str, Any]:
        """Return the result's field and value. Raises `LeaseLost` once all that ran for the work is dead."""
        keeping = asyncio.ensure_future(lease.keep())
        doing = asyncio.ensure_future(self._do(session))
        try:
            await asyncio.wait({keeping, doing}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
            return doing.result()
        finally:
            session.cancelled.set()
            for task in (doing, keeping):
                task.cancel()
            await asyncio.gather(doing, keeping, return_exceptions=True)

    async def _do(self, session: WorkSession) -> dict[str, Any]:
        work = session.work
        field = work.WhichOneof("task") or ""
        works: dict[str, Callable[..., Awaitable[Any]]] = {
            "environment": describe,
            "snapshot": scan,
            "build": build,
            "verify": verify,
            "preview": preview,
            "compare": compare,
            "import_archive": import_archive,
        }
        try:
            if field not in works:
                raise WorkFailed(FailureClass.INTERNAL, f"this runner does not know work of kind {work.kind}")
            await session.patiently(session.open)
            return {field: await works[field](session, self._workshop, getattr(work, field))}
        except WorkFailed as failed:
            session.log.note(f"failed: {failed.failure_class}: {failed.message}")
            return {"failure": failed.to_proto()}
        except Aborted as error:
            raise LeaseLost(error.message, stopped=False) from error
        except Exception as error:
            error_id = uuid.uuid4().hex[:12]
            log.error("unexpected_error", error_id=error_id, exc_info=error)
            message = f"a defect of the runner, id {error_id}; its log has the story ({type(error).__name__}: {error})"
            return {"failure": WorkFailed(FailureClass.INTERNAL, message).to_proto()}

    async def _finish(self, session: WorkSession, lease: Lease, result: dict[str, Any]) -> None:
        """Send the end of the log, then the result, however long the registry is away."""
        session.progress.enter(dataset_pb2.STAGE_FINISHED)
        request = handler_pb2.FinishWorkRequest(work=session.work.name, fence=session.work.fence, **result)
        if session.log.unsent or session.work.kind in (*BUILDS, *IMPORTS):
            await lease.flush()
        try:
            try:
                await self._link.finish(request)
            except (Aborted, Unavailable):
                raise
            except DarkroomError as error:
                # A result that the registry will not have must not be tried until the lease runs out.
                refused = WorkFailed(FailureClass.INTERNAL, f"the registry refused the result: {error.message}")
                request.failure.CopyFrom(refused.to_proto())
                await self._link.finish(request)
        except Aborted as error:
            raise LeaseLost(error.message, stopped=False) from error

    async def _release(self, work: handler_pb2.Work) -> None:
        request = handler_pb2.FinishWorkRequest(work=work.name, fence=work.fence)
        request.release.reason = f"the runner {self._name} is shutting down"
        try:
            async with asyncio.timeout(_RELEASE_S):
                await self._link.finish(request)
        except (TimeoutError, DarkroomError) as error:
            log.warning("work_not_released", reason=str(error) or "the registry does not answer")
