"""Where foreign code runs: it sees the folders that it is given, and nothing else of the machine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from handler_runner.sandbox_limits import LimitReached, SandboxLimits


@dataclass(frozen=True)
class Confinement:
    """What a confined process may touch: ``readable`` folders at the paths that they have, one ``writable`` folder."""

    readable: tuple[Path, ...]
    writable: Path


@dataclass(frozen=True)
class SandboxLevel:
    """How well a sandbox confines, as its own probes found: ``full``, ``partial`` or ``none``, and why not full."""

    name: str
    reason: str = ""

    @property
    def full(self) -> bool:
        """Whether code that nobody trusts may run."""
        return self.name == "full"

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" if self.reason else self.name


class Sandbox(Protocol):
    """Starts confined processes; any thread may call."""

    @property
    def level(self) -> SandboxLevel:
        """What was proven when the runner started."""

    @property
    def limits(self) -> SandboxLimits:
        """What each confined process with all that it starts may use up."""

    def popen(
        self, argv: Sequence[str], confinement: Confinement, variables: Mapping[str, str], **how: Any
    ) -> subprocess.Popen[bytes]:
        """Start ``argv`` confined, in the writable folder, with exactly those variables; ``how`` goes to ``Popen``.

        No network, no other process, nothing of the host but the system's programs. It dies with the runner, and all
        that it starts dies with it; ``-signal`` as return code comes as ``128 + signal``. What reaches a limit is
        killed. Raises `WorkFailed` (SANDBOX) where there is no sandbox, OSError when it cannot be started now.
        """

    def reached(self, process: subprocess.Popen[bytes]) -> LimitReached | None:
        """Return the limit for which a process of this sandbox was killed, if it was."""
