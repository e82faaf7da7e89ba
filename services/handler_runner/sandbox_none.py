"""No sandbox: says why there is none, and starts nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.sandbox import Confinement, SandboxLevel
from handler_runner.sandbox_limits import LimitReached, SandboxLimits


class NoSandbox:
    """See `Sandbox`; its level is ``none``."""

    def __init__(self, reason: str) -> None:
        self.level = SandboxLevel("none", reason)
        self.limits = SandboxLimits()

    def popen(
        self, argv: Sequence[str], confinement: Confinement, variables: Mapping[str, str], **how: Any
    ) -> subprocess.Popen[bytes]:
        """Refuse. Raises `WorkFailed` (SANDBOX)."""
        raise refused(self.level)

    def reached(self, process: subprocess.Popen[bytes]) -> LimitReached | None:
        """Return None: nothing was ever started."""
        return None


def refused(level: SandboxLevel) -> WorkFailed:
    """Return the failure of code that nobody trusts, on a runner whose sandbox does not confine it wholly."""
    return WorkFailed(
        FailureClass.SANDBOX,
        f"this runner does not run code that is not trusted, because its sandbox is {level}. A runner with a working "
        "sandbox would do (docs/sandbox.md), or marking the repository as trusted.",
    )
