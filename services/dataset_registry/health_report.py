"""Looks at what the registry stands on: its database, its store, its disks, git, and the caller's token."""

from __future__ import annotations

import asyncio
import importlib.metadata
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.repositories_git import GitRepositories
from service_kit.errors import DarkroomError, Unauthenticated
from service_kit.object_store import ObjectStore
from service_kit.token_file import Token, TokenFile

# A look must end while its caller still waits.
LOOK_TIMEOUT_S = 10.0
LITTLE_ROOM_BYTES, NO_ROOM_BYTES = 20_000_000_000, 1_000_000_000
CLOCK_WARN_S, CLOCK_FAIL_S = 5.0, 60.0
# Nobody's key: the collector takes what a look that died left behind.
PROBE = "health/{}"
_PROBE_CONTENT = b"darkroom"


class Level(StrEnum):
    """How bad something is."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    subject: str
    level: Level
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Health:
    """What was seen."""

    now: float
    version: str
    checks: Sequence[Check]
    token: Token | None


class HealthReport:
    """Looks again at every call."""

    def __init__(
        self,
        catalog: SqlCatalog,
        store: ObjectStore,
        git: GitRepositories,
        folders: Mapping[str, Path],
        tokens: TokenFile | None,
    ) -> None:
        """``folders``: where it writes, by what lies there."""
        self._catalog = catalog
        self._store = store
        self._git = git
        self._folders = dict(folders)
        self._tokens = tokens

    async def look(self, token_text: str) -> Health:
        """Return what is seen now."""
        found = await asyncio.gather(
            _in_time("database", self._database), _in_time("store", self._store_answers), self._repositories()
        )
        checks = [check for each in found for check in each]
        checks += [room(f"room for the {name}", folder) for name, folder in self._folders.items()]
        version = importlib.metadata.version("darkroom")
        return Health(time.time(), version, checks, await asyncio.to_thread(self._token, token_text))

    def _database(self) -> list[Check]:
        revision = self._catalog.check_migrated()
        ahead_s = time.time() - self._catalog.read(lambda tx: tx.now())
        checks = [Check("database", Level.OK, f"{self._catalog.place} answers, its tables at revision {revision}")]
        if abs(ahead_s) > CLOCK_WARN_S:
            level = Level.FAIL if abs(ahead_s) > CLOCK_FAIL_S else Level.WARN
            text = f"the registry's clock is {ahead_s:+.0f} s off the database's"
            checks.append(Check("database's clock", level, text, "let both machines keep time by NTP"))
        return checks

    def _store_answers(self) -> list[Check]:
        name = PROBE.format(uuid.uuid4().hex)
        self._store.put(name, _PROBE_CONTENT)
        try:
            read = b"".join(self._store.read(name, 0, len(_PROBE_CONTENT)))
        finally:
            self._store.delete(name)
        if read != _PROBE_CONTENT:
            return [Check("store", Level.FAIL, "what was written was not read back", "look after the store's disks")]
        return [Check("store", Level.OK, "the registry writes, reads and deletes there")]

    async def _repositories(self) -> list[Check]:
        remedy = "see the registry's network, and the repository's key or credentials: docs/deployment.md"
        return [
            Check(
                f"repository {name}", Level.FAIL if problem else Level.OK, problem or "answers", remedy * bool(problem)
            )
            for name, problem in (await self._git.problems()).items()
        ]

    def _token(self, text: str) -> Token | None:
        if self._tokens is None or not text:
            return None
        try:
            return self._tokens.verify(text)
        except Unauthenticated:  # revoked since the call came through the door
            return None


async def _in_time(subject: str, look: Callable[[], list[Check]]) -> list[Check]:
    try:
        async with asyncio.timeout(LOOK_TIMEOUT_S):
            return await asyncio.to_thread(look)
    except DarkroomError as error:
        return [Check(subject, Level.FAIL, error.message, f"see that the {subject} runs, and the registry's settings")]
    except TimeoutError:
        text = f"has not answered the registry for {LOOK_TIMEOUT_S:.0f} s"
        return [Check(subject, Level.FAIL, text, f"see that the {subject} runs, and the line to it")]


def room(subject: str, folder: Path) -> Check:
    """Return how much room is on a folder's disk."""
    try:
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        return Check(subject, Level.FAIL, f"{folder}: {error.strerror}", "see that the disk is mounted")
    text = f"{free_bytes / 1e9:,.1f} GB free at {folder}"
    if free_bytes < LITTLE_ROOM_BYTES:
        level = Level.FAIL if free_bytes < NO_ROOM_BYTES else Level.WARN
        return Check(subject, level, text, "delete datasets (`darkroom delete`), or give the disk more room")
    return Check(subject, Level.OK, text)
