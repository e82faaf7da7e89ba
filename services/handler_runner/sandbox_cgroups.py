"""Gives each confined process a cgroup of its own, below the groups that an operator has handed to the runner.

The kernel then holds the limits on memory and processes itself; without a group, rlimits and the runner's watch do.
Version 2 has one folder for everything (its ``cgroup.subtree_control`` must be the runner's to write, and no process
may lie in it); version 1 has one for each controller.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from handler_runner.sandbox_limits import SandboxLimits

# So that the watch sees a limit passed, and says so, before the kernel only refuses.
_SPARE_PROCESSES = 64
_KILL_COUNTERS = ("memory.events", "memory.oom_control")

_numbers = itertools.count()


class Cgroup:
    """The groups of one confined process, made with its limits. Raises OSError when they cannot be made."""

    def __init__(self, parents: Sequence[Path], limits: SandboxLimits) -> None:
        self._folders: list[Path] = []
        try:
            for parent in parents:
                _hand_down(parent)
                folder = parent / f"darkroom-{os.getpid()}-{next(_numbers)}"
                folder.mkdir()
                self._folders.append(folder)
                _limit(folder, limits)
        except OSError:
            self.remove()
            raise

    @property
    def doors(self) -> list[Path]:
        """The files into which a process writes its number to enter."""
        return [folder / "cgroup.procs" for folder in self._folders]

    def memory_kills(self) -> int:
        """Return how many of its processes the kernel has killed for memory."""
        total = 0
        for folder in self._folders:
            for counter in _KILL_COUNTERS:
                with contextlib.suppress(OSError):
                    for line in (folder / counter).read_text().splitlines():
                        name, _, value = line.partition(" ")
                        total += int(value) if name == "oom_kill" else 0
        return total

    def remove(self) -> bool:
        """Remove the groups once nothing is in them; return whether they are gone."""
        for folder in list(self._folders):
            with contextlib.suppress(OSError):
                folder.rmdir()
                self._folders.remove(folder)
        return not self._folders


def _hand_down(parent: Path) -> None:
    # Version 2 only: children have the controllers that their parent hands down.
    control = parent / "cgroup.subtree_control"
    if control.exists() and not {"memory", "pids"} <= set(control.read_text().split()):
        control.write_text("+memory +pids")


def _limit(folder: Path, limits: SandboxLimits) -> None:
    values = {
        "memory.max": limits.memory_bytes,
        "memory.swap.max": 0,
        "memory.oom.group": 1,
        "memory.limit_in_bytes": limits.memory_bytes,
        "pids.max": limits.processes + _SPARE_PROCESSES,
    }
    for name, value in values.items():
        if (folder / name).exists():
            (folder / name).write_text(str(value))
