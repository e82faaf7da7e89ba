"""Where a child runs: in which environment, and for confined code which raw folders it sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handler_runner.environment import Environment
from handler_runner.executor import Command


@dataclass(frozen=True)
class Seat:
    """Equal ones may share a child. Code that is trusted sees every folder anyway, so ``raw`` is empty then."""

    environment: Environment
    raw: tuple[Path, ...] = ()

    @classmethod
    def of(cls, environment: Environment, raw: Iterable[Path]) -> Seat:
        """Return the seat for code of an environment that reads those folders."""
        return cls(environment, tuple(sorted(set(raw))) if environment.confined else ())

    @classmethod
    def for_command(cls, environment: Environment, command: Command) -> Seat:
        """Return the seat that a command needs."""
        raw: dict[str, Any] = command.get("raw") or {}
        return cls.of(environment, map(Path, raw.values()))
