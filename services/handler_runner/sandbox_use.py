"""Measures what a confined process with all that it started uses of memory, processes and disk, from outside."""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import psutil

# The parts of a process's memory that are its own; program files are the page cache's.
_OWN_MEMORY = ("RssAnon:", "RssShmem:", "VmSwap:")
_KIB = 1024
_BLOCK_BYTES = 512


class Hidden(Exception):
    """A folder below the one that is measured cannot be looked into."""


@dataclass(frozen=True)
class FolderUse:
    """What lies in a folder: bytes on the disk, and how many entries."""

    size_bytes: int
    files: int


def family(pid: int) -> list[int]:
    """Return a process and all its living descendants."""
    found, pending = [], deque([pid])
    while pending:
        each = pending.popleft()
        found.append(each)
        pending.extend(_children(each))
    return found


def _children(pid: int) -> list[int]:
    tasks = f"/proc/{pid}/task"
    try:
        children: list[int] = []
        for thread in os.listdir(tasks):
            with contextlib.suppress(ProcessLookupError), open(f"{tasks}/{thread}/children") as listed:
                children += map(int, listed.read().split())
        return children
    except FileNotFoundError:
        if os.path.exists(f"/proc/{pid}"):
            # A kernel that does not tell a process's children: look at all processes instead.
            with contextlib.suppress(psutil.Error):
                return [child.pid for child in psutil.Process(pid).children()]
    except ProcessLookupError:
        pass
    return []


def threads_and_memory(pid: int) -> tuple[int, int]:
    """Return the threads of a process and its own memory in bytes, shared pages counted in full; 0, 0 when it ended."""
    threads = memory_bytes = 0
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(_OWN_MEMORY):
                memory_bytes += int(line.split()[1]) * _KIB
            elif line.startswith("Threads:"):
                threads = int(line.split()[1])
    return threads, memory_bytes


def fair_memory(pid: int) -> int:
    """Return a process's own memory in bytes with shared pages divided among those that share them. Slow."""
    parts = {"Pss_Anon:": 0, "Pss_Shmem:": 0, "SwapPss:": 0}
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            for line in rollup:
                name, _, rest = line.partition(" ")
                if name in parts:
                    parts[name] = int(rest.split()[0]) * _KIB
    except OSError:
        return threads_and_memory(pid)[1]
    return sum(parts.values())


def folder_use(folder: Path, most_files: int) -> FolderUse:
    """Return what a folder holds; the count stops above ``most_files``. Raises `Hidden`."""
    size_bytes, files, pending = 0, 0, [str(folder)]
    while pending and files <= most_files:
        try:
            with os.scandir(pending.pop()) as scan:
                for entry in scan:
                    files += 1
                    if files > most_files:
                        break
                    facts = entry.stat(follow_symlinks=False)
                    size_bytes += facts.st_blocks * _BLOCK_BYTES
                    if stat.S_ISDIR(facts.st_mode):
                        pending.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise Hidden(str(error)) from None
    return FolderUse(size_bytes, files)


def unlinked_bytes(pids: list[int]) -> int:
    """Return the bytes of open files that have no name any more."""
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    facts = os.stat(f"/proc/{pid}/fd/{number}")
                    if facts.st_nlink == 0 and stat.S_ISREG(facts.st_mode):
                        sizes[facts.st_dev, facts.st_ino] = facts.st_blocks * _BLOCK_BYTES
    return sum(sizes.values())
