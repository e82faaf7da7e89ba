"""Finds a build's raw datasets, and sees that they are still what the key was made from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from darkroom.handler.v1 import handler_pb2
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.work_session import WorkSession
from handler_runner.workshop import Workshop


async def find_raw(session: WorkSession, workshop: Workshop, raw: Iterable[handler_pb2.RawInput]) -> dict[str, Path]:
    """Return role to folder. Raises `WorkFailed` (RAW_MISSING)."""
    return {each.role: await session.in_thread(workshop.raw_root.path, each.raw_dataset) for each in raw}


async def check_raw(session: WorkSession, workshop: Workshop, raw: Iterable[handler_pb2.RawInput]) -> None:
    """Walk each raw dataset. Raises `WorkFailed`: RAW_CHANGED naming up to 20 files, or RAW_MISSING."""
    for each in raw:
        root = await session.in_thread(workshop.raw_root.path, each.raw_dataset)
        listing = await session.in_thread(workshop.snapshots.take, root, session.files_progress, session.cancelled)
        if listing.digest == each.digest:
            continue
        older = await session.in_thread(workshop.snapshots.listing, each.digest)
        what = "" if older is None else f": {listing.changes_since(older).describe()}"
        raise WorkFailed(
            FailureClass.RAW_CHANGED,
            f"the raw dataset {each.raw_dataset!r} changed after it was walked for this dataset{what}. "
            "Ask again: the new state makes a new dataset.",
        )
