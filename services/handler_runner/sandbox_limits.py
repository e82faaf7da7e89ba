"""What confined code may use up, and what is said when it reaches one of these limits."""

from __future__ import annotations

import os
from dataclasses import dataclass

_PREFIX = "DARKROOM_RUNNER_SANDBOX_"
_GIB = 1024**3
# The runner, the store and the page cache live in what is left.
_SHARE_OF_MEMORY = 0.75
_SMALLEST_SHARE_BYTES = 1 * _GIB


@dataclass(frozen=True)
class LimitReached:
    """One limit that confined code has reached: which, its value, and the variable that sets it."""

    limit: str
    value: str
    setting: str
    memory: bool = False

    def __str__(self) -> str:
        return f"it reached its limit of {self.value} for {self.limit} ({self.setting})"


@dataclass(frozen=True)
class SandboxLimits:
    """The limits of one confined process with all that it starts; ``command_s`` and ``log_bytes`` hold per command."""

    memory_bytes: int = 4 * _GIB
    process_memory_bytes: int = 4 * _GIB
    processes: int = 512
    file_bytes: int = 16 * _GIB
    folder_bytes: int = 256 * _GIB
    folder_files: int = 100_000
    free_bytes: int = 1 * _GIB
    open_files: int = 4096
    log_bytes: int = 64 * 1024 * 1024
    command_s: float = 86_400.0

    def memory(self) -> LimitReached:
        """Say that all processes together have too much memory."""
        return _reached("the memory of all its processes", size_text(self.memory_bytes), "MEMORY_BYTES", memory=True)

    def process_memory(self) -> LimitReached:
        """Say that one process has asked for too much memory."""
        value = size_text(self.process_memory_bytes)
        return _reached("the memory of one process", value, "PROCESS_MEMORY_BYTES", memory=True)

    def process_count(self) -> LimitReached:
        """Say that there are too many processes and threads."""
        return _reached("processes and threads", str(self.processes), "PROCESSES")

    def file(self) -> LimitReached:
        """Say that one file is too large."""
        return _reached("the size of one file", size_text(self.file_bytes), "FILE_BYTES")

    def folder(self) -> LimitReached:
        """Say that its folder holds too many bytes."""
        return _reached("the size of its folder", size_text(self.folder_bytes), "FOLDER_BYTES")

    def file_count(self) -> LimitReached:
        """Say that its folder holds too many files."""
        return _reached("files in its folder", str(self.folder_files), "FOLDER_FILES")

    def free(self) -> LimitReached:
        """Say that it has nearly filled the disk."""
        value = size_text(self.free_bytes)
        return _reached("the space that it must leave free on the disk", value, "FREE_BYTES")

    def files_open(self) -> LimitReached:
        """Say that it has too many files open."""
        return _reached("open files", str(self.open_files), "OPEN_FILES")

    def log(self) -> LimitReached:
        """Say that it has printed too much."""
        return _reached("what one command prints", size_text(self.log_bytes), "LOG_BYTES")

    def time(self) -> LimitReached:
        """Say that one command has taken too long."""
        return _reached("the time of one command", f"{self.command_s:g} s", "COMMAND_S")


def share_of_memory(workers: int) -> int:
    """Return the bytes of memory that each of the workers may have when nothing else is said."""
    machine_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(_SMALLEST_SHARE_BYTES, int(machine_bytes * _SHARE_OF_MEMORY) // workers)


def size_text(size_bytes: int) -> str:
    """Return ``512 KiB`` or ``1.5 GiB``."""
    size, unit = float(size_bytes), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.4g} {unit}"


def _reached(limit: str, value: str, setting: str, *, memory: bool = False) -> LimitReached:
    return LimitReached(limit, value, _PREFIX + setting, memory)
