"""Watches confined processes from outside and kills the one that reaches a limit, with all that it started.

rlimits hold for one process, and a cgroup is not everybody's to make: this thread looks at the whole family, at its
folder and at what is left of the disk, some times a second.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from handler_runner.process_guard import kill_group
from handler_runner.sandbox_cgroups import Cgroup
from handler_runner.sandbox_limits import LimitReached, SandboxLimits
from handler_runner.sandbox_use import Hidden, fair_memory, family, folder_use, threads_and_memory, unlinked_bytes

log = structlog.get_logger()

_LOOK_S = 0.1
_LOOK_AT_FOLDER_S = 0.25
# A folder of many files may take long to count: most of the time should go to other things.
_FOLDER_SHARE = 10
_REMOVE_TRIES = 50
_BLAMED_BYTES = 32 * 1024 * 1024


@dataclass(eq=False)
class _Watched:
    process: subprocess.Popen[bytes]
    folder: Path
    cgroup: Cgroup | None
    folder_bytes: int = 0
    next_folder_look_s: float = 0.0
    reached: LimitReached | None = None


class Watch:
    """One thread for all confined processes of a runner; it ends by itself when there is none."""

    def __init__(self, limits: SandboxLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._watched: dict[int, _Watched] = {}
        self._leaving: list[tuple[Cgroup, int]] = []
        self._thread: threading.Thread | None = None

    def add(self, process: subprocess.Popen[bytes], folder: Path, cgroup: Cgroup | None) -> None:
        """Watch a process, in a group of its own, until it has ended and somebody has asked `reached`."""
        with self._lock:
            self._watched[process.pid] = _Watched(process, folder, cgroup)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sandbox-watch", daemon=True)
                self._thread.start()

    def reached(self, process: subprocess.Popen[bytes]) -> LimitReached | None:
        """Return the limit for which the process was killed, here or by the kernel."""
        with self._lock:
            watched = self._watched.get(process.pid)
            if watched is None or watched.process is not process:
                return getattr(process, "limit_reached", None)
            if watched.reached is None and watched.cgroup and watched.cgroup.memory_kills():
                watched.reached = self._limits.memory()
            return watched.reached

    def _run(self) -> None:
        while True:
            with self._lock:
                watched = list(self._watched.values())
            for each in watched:
                if each.process.poll() is not None:
                    self._end(each)
                elif each.reached is None:
                    self._judge(each, self._look(each))
            self._keep_free([each for each in watched if each.reached is None and each.process.poll() is None])
            self._leaving = [(cgroup, tries - 1) for cgroup, tries in self._leaving if tries and not cgroup.remove()]
            with self._lock:
                if not self._watched and not self._leaving:
                    self._thread = None
                    return
            time.sleep(_LOOK_S)

    def _end(self, watched: _Watched) -> None:
        reached = self.reached(watched.process)
        with self._lock:
            # Whoever asks later still has the process itself.
            watched.process.limit_reached = reached  # type: ignore[attr-defined]
            del self._watched[watched.process.pid]
            if watched.cgroup:
                self._leaving.append((watched.cgroup, _REMOVE_TRIES))

    def _judge(self, watched: _Watched, reached: LimitReached | None) -> None:
        if reached is not None:
            watched.reached = reached
            log.warning("sandbox_limit", pid=watched.process.pid, limit=reached.limit, value=reached.value)
            # The first process of the sandbox dies with its parent, and all others with it.
            kill_group(watched.process.pid)

    def _look(self, watched: _Watched) -> LimitReached | None:
        limits = self._limits
        pids = family(watched.process.pid)
        uses = [threads_and_memory(pid) for pid in pids]
        if sum(threads for threads, _ in uses) > limits.processes:
            return limits.process_count()
        for pid, (_, memory_bytes) in zip(pids, uses, strict=True):
            if memory_bytes > limits.process_memory_bytes and fair_memory(pid) > limits.process_memory_bytes:
                return limits.process_memory()
        memory_bytes = sum(memory_bytes for _, memory_bytes in uses)
        if memory_bytes > limits.memory_bytes and sum(map(fair_memory, pids)) > limits.memory_bytes:
            return limits.memory()
        if (began_s := time.monotonic()) >= watched.next_folder_look_s:
            try:
                use = folder_use(watched.folder, limits.folder_files)
            except Hidden:
                return LimitReached("folders that cannot be looked into", "0", "fixed")
            watched.folder_bytes = use.size_bytes + unlinked_bytes(pids)
            took_s = time.monotonic() - began_s
            watched.next_folder_look_s = time.monotonic() + max(_LOOK_AT_FOLDER_S, _FOLDER_SHARE * took_s)
            if use.files > limits.folder_files:
                return limits.file_count()
        return limits.folder() if watched.folder_bytes > limits.folder_bytes else None

    def _keep_free(self, living: list[_Watched]) -> None:
        """Kill the one with most on a disk that is nearly full; the next look finds the next one."""
        full = [each for each in living if _free_bytes(each.folder) < self._limits.free_bytes]
        # One that has written nothing has not filled it, and will be told by the system if it tries.
        full = [each for each in full if each.folder_bytes > _BLAMED_BYTES]
        if full:
            self._judge(max(full, key=lambda each: each.folder_bytes), self._limits.free())


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 1 << 62
