"""Fills every photo of a folder into another one, several at once, and goes on where it was after it ended."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from darkroom_client.async_inpainting import AsyncInpainting
from darkroom_client.errors import DarkroomError, FailedPrecondition, InvalidArgument, NotFound, Unavailable
from darkroom_client.inpainting import Marks
from darkroom_client.whole_file import PARTIAL, write_whole

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"})
RECORD = ".darkroom-inpaint.json"


@dataclass(frozen=True)
class FolderWork:
    """What is to be done with a folder."""

    photos: Path
    output: Path
    mask: Path | None
    """One image for all, or a folder with a mask for each photo: its name with any image ending."""
    marks: Marks
    model: str
    strategy: str
    seed: int

    def digest(self) -> str:
        """Return what all results depend on, beside their photos; a folder of masks by its place."""
        mask = ""
        if self.mask is not None:
            content = str(self.mask.resolve()).encode() if self.mask.is_dir() else self.mask.read_bytes()
            mask = hashlib.sha256(content).hexdigest()
        facts = {"mask": mask, "marks": asdict(self.marks), "options": [self.model, self.strategy, self.seed]}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class FolderProgress:
    """How far a folder is."""

    photo_count: int
    present_count: int = 0
    """Results that were there before."""
    done_count: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    """(photo, reason)."""


async def fill_folder(
    client: AsyncInpainting, work: FolderWork, parallel: int, on_progress: Callable[[FolderProgress], None]
) -> FolderProgress:
    """Fill what is not there yet. A photo that fails fails alone; a service that stays away ends it.

    Raises `NotFound`, `InvalidArgument`, `FailedPrecondition` when the folder holds results made in another way.
    """
    photos = photos_in(work.photos)
    prepare_output(work)
    left = [photo for photo in photos if not work.output.joinpath(photo).exists()]
    masks = masks_in(work.mask) if work.mask is not None and work.mask.is_dir() else None
    shared = None if work.mask is None or masks is not None else await asyncio.to_thread(work.mask.read_bytes)
    progress = FolderProgress(len(photos), len(photos) - len(left))
    on_progress(progress)
    turns = iter(left)

    async def take_turns() -> None:
        nonlocal progress
        for photo in turns:
            try:
                await fill(photo)
                progress = replace(progress, done_count=progress.done_count + 1)
            except Unavailable:
                raise
            except DarkroomError as error:
                progress = replace(progress, failures=(*progress.failures, (photo, error.message)))
            on_progress(progress)

    async def fill(photo: str) -> None:
        mask: bytes | Path | None = shared
        if masks is not None:
            mask = masks.get(str(Path(photo).with_suffix("")))
            if mask is None:
                raise NotFound(f"no mask of that name in {work.mask}")
        found = await client.inpaint_candidates(
            work.photos / photo, mask, marks=work.marks, model=work.model, strategy=work.strategy, seed=work.seed
        )
        target = work.output / photo
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(write_whole, target, found[0].content)

    async with asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(take_turns())
    return progress


def photos_in(folder: Path) -> list[str]:
    """Return the photos below a folder, relative, sorted; hidden ones are left out. Raises `NotFound`."""
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}")
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    shown = sorted(str(path) for path in found if not any(part.startswith(".") for part in path.parts))
    if not shown:
        raise NotFound(f"no JPEG, PNG, TIFF or WebP lies in {folder}")
    return shown


def masks_in(folder: Path) -> dict[str, Path]:
    """Return the masks of a folder by their photos' names without ending."""
    return {str(Path(name).with_suffix("")): folder / name for name in photos_in(folder)}


def prepare_output(work: FolderWork) -> None:
    """Make the folder, and write down how its results are made. Raises `FailedPrecondition`, `InvalidArgument`."""
    if work.output.resolve().is_relative_to(work.photos.resolve()):
        raise InvalidArgument(f"-o {work.output} lies in {work.photos}: results would be taken for photos")
    record = work.output / RECORD
    facts: dict[str, Any] = {"digest": work.digest()}
    if record.is_file():
        if json.loads(record.read_text()) != facts:
            raise FailedPrecondition(
                f"{work.output} holds results that were made with another mask or other options; choose another folder"
            )
    elif work.output.is_dir() and photos_there(work.output):
        raise FailedPrecondition(f"{work.output} holds photos already that this command did not make")
    work.output.mkdir(parents=True, exist_ok=True)
    for left in work.output.rglob(f"{PARTIAL}*"):
        left.unlink(missing_ok=True)
    write_whole(record, json.dumps(facts).encode())


def photos_there(folder: Path) -> bool:
    """Say whether a folder holds photos."""
    return any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))
