"""Runs handler commands somewhere: the port, and the four ways in which a command can end badly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from handler_runner.environment import Environment
from handler_runner.sandbox_limits import LimitReached

Command = Mapping[str, Any]


def _ignore_progress(examples: int) -> None:
    """Hears nothing."""


def _ignore_log(text: str) -> None:
    """Keeps nothing."""


@dataclass(frozen=True)
class Listener:
    """Who hears of a running command: examples done so far, and whatever is printed, line by line."""

    progress: Callable[[int], None] = _ignore_progress
    log: Callable[[str], None] = _ignore_log


class Executor(Protocol):
    """Runs commands (plain data, see `dataset_handlers.child`) in workers that share nothing with the runner.

    A command may run anywhere, any number of times, and yields the same bytes. One command's end ends no other.
    """

    @property
    def capacity(self) -> int:
        """How many commands are worth running at a time."""

    async def run(self, environment: Environment, command: Command, listener: Listener) -> dict[str, Any]:
        """Run a command in a worker of that environment and return its result.

        Code of a confined environment runs in the sandbox, where it sees the environment and the command's raw folders.
        Cancelling the call kills the worker with all that it started. Raises `CommandFailed`, `WorkerDied`,
        `WorkerStuck`, `LimitExceeded`; `WorkFailed` (SANDBOX) where there is no sandbox for it; OSError when no worker
        can be started.
        """

    def warm(self, environment: Environment, count: int, raw: Iterable[Path] = ()) -> None:
        """Start up to ``count`` workers in advance, in the background; not needed, they end by themselves.

        ``raw`` are the folders that the commands will name; a confined worker can serve no others.
        """

    async def close(self) -> None:
        """Kill every worker."""


class CommandFailed(Exception):
    """The handler's side answered with an error; the worker goes on."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("message", "")))
        self.error_class = str(error.get("class", "HANDLER_ERROR"))
        self.message = str(error.get("message", ""))
        self.traceback = str(error.get("traceback") or "")
        self.path = str(error.get("path") or "")
        self.violations = tuple(
            (str(violation.get("field", "")), str(violation.get("description", "")))
            for violation in error.get("violations") or ()
        )


class WorkerDied(Exception):
    """The worker ended in the middle; ``memory`` says that the system killed it for memory."""

    def __init__(self, how: str, log_tail: str, *, killed: bool, memory: bool) -> None:
        super().__init__(how)
        self.how = how
        self.log_tail = log_tail
        self.killed = killed
        self.memory = memory


class LimitExceeded(Exception):
    """Confined code has reached a limit, and was stopped or gave up; it would again."""

    def __init__(self, reached: LimitReached, log_tail: str) -> None:
        super().__init__(str(reached))
        self.reached = reached
        self.log_tail = log_tail


class WorkerStuck(Exception):
    """The worker lived but gave no sign of progress for too long, and was killed."""

    def __init__(self, silent_s: float, log_tail: str) -> None:
        super().__init__(f"no progress for {silent_s:.0f} s")
        self.silent_s = silent_s
        self.log_tail = log_tail
