"""One thing that `darkroom doctor` looked at: how it is, what was seen, what would do."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from darkroom_client.output import size_text

LITTLE_ROOM_BYTES, NO_ROOM_BYTES = 20_000_000_000, 1_000_000_000


class Level(StrEnum):
    """How bad something is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    subject: str
    level: Level
    text: str
    remedy: str = ""


def well(checks: Sequence[Check]) -> bool:
    """Whether nothing failed."""
    return all(each.level != Level.FAIL for each in checks)


def graded(subject: str, value: float, warn: float, fail: float, text: str, remedy: str) -> Check:
    """Return a check of a number that should be small: from ``warn`` on it warns, from ``fail`` on it fails."""
    if value < warn:
        return Check(subject, Level.OK, text)
    return Check(subject, Level.FAIL if value >= fail else Level.WARN, text, remedy)


def room(subject: str, free_bytes: int, where: str, remedy: str) -> Check:
    """Return a check of the room on a disk."""
    text = f"{size_text(free_bytes)} free {where}"
    return graded(subject, -free_bytes, -LITTLE_ROOM_BYTES, -NO_ROOM_BYTES, text, remedy)


def folder_room(subject: str, folder: Path, remedy: str) -> Check:
    """Return a check of the room on a folder's disk; the folder itself may come later."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    try:
        return room(subject, shutil.disk_usage(there).free, f"at {folder}", remedy)
    except OSError as error:
        return Check(subject, Level.FAIL, f"{folder}: {error.strerror}", "see that the disk is mounted")
