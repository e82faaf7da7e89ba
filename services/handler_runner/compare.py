"""Says which files of a raw dataset differ between two snapshots, from the listings that walks left behind."""

from __future__ import annotations

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from handler_runner.printable import printable_path
from handler_runner.raw_listing import Changes
from handler_runner.work_session import WorkSession
from handler_runner.workshop import Workshop

_NAMED = 10


async def compare(session: WorkSession, workshop: Workshop, task: handler_pb2.CompareTask) -> handler_pb2.CompareResult:
    """Return the difference, the asked snapshot's side first; nothing when a listing is not kept any more."""
    return await session.in_thread(_compare, workshop, task.digest, task.other_digest)


def _compare(workshop: Workshop, digest: str, other_digest: str) -> handler_pb2.CompareResult:
    asked, other = workshop.snapshots.listing(digest), workshop.snapshots.listing(other_digest)
    if asked is None or other is None:
        return handler_pb2.CompareResult()
    return handler_pb2.CompareResult(difference=_difference(asked.changes_since(other)))


def _difference(changes: Changes) -> dataset_pb2.RawDifference:
    return dataset_pb2.RawDifference(
        added_count=len(changes.added),
        removed_count=len(changes.removed),
        changed_count=len(changes.changed),
        added=map(printable_path, changes.added[:_NAMED]),
        removed=map(printable_path, changes.removed[:_NAMED]),
        changed=map(printable_path, changes.changed[:_NAMED]),
    )
