"""Where a handler's code runs: an interpreter in which one repository at one commit can be imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ServedRepository:
    """A repository that can be prepared now; ``commit`` is empty where any commit can be fetched.

    ``refusal`` says why its code will not be run here; empty: it will.
    """

    name: str
    commit: str
    version: str
    refusal: str = ""


@dataclass(frozen=True)
class Environment:
    """A prepared environment: equal values may share a child process.

    ``python`` is the interpreter; ``fields`` tell the child where the handlers are; ``lock_digest`` stands for all
    packages whose versions can change what the handlers make, ``lock`` is their list where one was resolved.
    ``confined`` code runs in the sandbox, where it sees of this machine ``folders`` and what its command names.
    """

    repository: str
    commit: str
    python: str
    fields: tuple[tuple[str, str], ...]
    lock_digest: str
    lock: str = ""
    confined: bool = False
    folders: tuple[Path, ...] = ()


class Environments(Protocol):
    """Makes environments; any thread may call."""

    def served(self) -> tuple[ServedRepository, ...]:
        """Return what can be prepared, in a stable order; cheap enough to ask at each claim."""

    def prepare(self, repository: str, commit: str, lock: str = "") -> Environment:
        """Return the environment, made now or before, with the packages of ``lock`` if one is given.

        Raises `WorkFailed` (ENVIRONMENT or SANDBOX) saying what would do.
        """
