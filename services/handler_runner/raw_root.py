"""Which raw datasets a runner serves: the folders under its raw root, or the root itself when it holds photos."""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from handler_runner.failure import FailureClass, WorkFailed

log = structlog.get_logger()

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
IMAGE_SUFFIXES = (
    *(".avif", ".bmp", ".dib", ".exr", ".gif", ".hdr", ".jp2", ".jpe", ".jpeg", ".jpg"),
    *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
)


@dataclass(frozen=True)
class RawDataset:
    """A raw dataset at a quick look: ``file_count`` counts names, nothing is read."""

    name: str
    path: Path
    file_count: int


class RawRoot:
    """The folder under which the raw datasets lie; looked at anew at each question, cheaply."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, int, tuple[str, ...]]] = {}
        self._listed: tuple[int, dict[str, Path]] | None = None
        self._warned: set[str] = set()

    def datasets(self) -> dict[str, RawDataset]:
        """Return what is served now, by name; a missing root serves nothing and says so once."""
        with self._lock:
            return {name: RawDataset(name, path, self._count(str(path))) for name, path in self._paths().items()}

    def path(self, name: str) -> Path:
        """Return where a raw dataset lies. Raises `WorkFailed` (RAW_MISSING) when it is not there."""
        with self._lock:
            paths = self._paths()
        if name not in paths:
            served = ", ".join(sorted(paths)[:20]) or "none"
            raise WorkFailed(
                FailureClass.RAW_MISSING,
                f"the raw dataset {name!r} is missing: {self.root / name} is no folder; "
                f"there are: {served}. Put the folder back, or define the dataset with another one.",
            )
        return paths[name]

    def _paths(self) -> dict[str, Path]:
        try:
            modified_ns = os.stat(self.root).st_mtime_ns
            # A root may itself hold a million photos, and it is asked for at every piece of work.
            if self._listed is None or self._listed[0] != modified_ns:
                self._listed = None
                with os.scandir(self.root) as scan:
                    paths = self._choose(sorted(scan, key=lambda entry: entry.name))
                if not _just_now(modified_ns):
                    self._listed = modified_ns, paths
                return paths
        except OSError as error:
            self._warn(f"{self.root} cannot be listed: {error.strerror}; it should be a folder of raw datasets")
            return {}
        return self._listed[1]

    def _choose(self, entries: list[os.DirEntry[str]]) -> dict[str, Path]:
        paths = {}
        if any(os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES and _is_file(entry) for entry in entries):
            root = self.root.resolve()
            if self._named_well(root.name, root):
                paths[root.name] = root
        for entry in entries:
            if (
                entry.name.startswith(".")
                or not _is_folder(entry)
                or not self._named_well(entry.name, Path(entry.path))
            ):
                continue
            if entry.name in paths:
                self._warn(f"{entry.path} is left out: the raw root itself has that name and holds photos")
                continue
            # Resolved, because a raw dataset is often a link to a disk that lies elsewhere.
            paths[entry.name] = Path(entry.path).resolve()
        return paths

    def _named_well(self, name: str, path: Path) -> bool:
        if NAME.fullmatch(name):
            return True
        self._warn(
            f"{path} is left out: a raw dataset's name has letters, digits and . _ - and begins with a letter or digit;"
            " rename the folder"
        )
        return False

    def _count(self, folder: str) -> int:
        total, pending = 0, [folder]
        while pending:
            path = pending.pop()
            try:
                modified_ns = os.stat(path).st_mtime_ns
                cached = self._counts.get(path)
                if cached is None or cached[0] != modified_ns:
                    cached = (modified_ns, *_look(path))
                    if not _just_now(modified_ns):
                        self._counts[path] = cached
            except OSError:
                continue
            total += cached[1]
            pending.extend(cached[2])
        return total

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            log.warning("raw_root", problem=message)


def _just_now(modified_ns: int) -> bool:
    # It may change again within the clock's grain without its time showing it: look again next time.
    return modified_ns > time.time_ns() - 2_000_000_000


def _look(folder: str) -> tuple[int, tuple[str, ...]]:
    """Return the files and the subfolders that a folder holds itself."""
    files, folders = 0, []
    with os.scandir(folder) as scan:
        for entry in scan:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif _is_file(entry):
                files += 1
    return files, tuple(folders)


def _is_file(entry: os.DirEntry[str]) -> bool:
    # A link to itself raises.
    with suppress(OSError):
        return entry.is_file()
    return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        return entry.is_dir()
    return False
