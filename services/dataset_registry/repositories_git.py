"""Repositories in git: versions are looked up where the repository lies, at most once in a while for all who ask."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from dataset_registry.git_versions import COMMIT, find_version, newest_versions
from dataset_registry.repositories import RepositoryAway
from service_kit.errors import DarkroomError, Unavailable
from service_kit.git import Git, GitRepository

Refs = Mapping[str, str]

# A repository that could not be reached is left alone for so long.
AGAIN_S = 2.0
# A listing waits at most so long for a repository, and then shows what was known before.
LISTING_S = 3.0


@dataclass(frozen=True)
class _Answer:
    """What a repository answered, and when it was asked."""

    asked_s: float
    refs: Refs | None = None
    error: DarkroomError | None = None


class GitRepositories:
    """See `repositories.Repositories`. Lives in one event loop; git runs in threads beside it."""

    def __init__(self, repositories: Mapping[str, GitRepository], git: Git, ref_max_age_s: float) -> None:
        self._repositories = dict(repositories)
        self._git = git
        self._ref_max_age_s = ref_max_age_s
        self._answers: dict[str, _Answer] = {}
        self._last_refs: dict[str, Refs] = {}
        self._flights: dict[str, asyncio.Future[_Answer]] = {}

    @property
    def names(self) -> Sequence[str]:
        """The repositories that it knows."""
        return sorted(self._repositories)

    async def resolve(self, repository: str, version: str) -> str:
        """See `repositories.Repositories`; a whole commit is itself, and needs no git."""
        if COMMIT.fullmatch(version):
            return version
        return find_version(repository, version, await self._refs(repository))

    async def newest(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """See `repositories.Repositories`; of one that cannot be reached, what it had when it last could."""
        await asyncio.gather(*(self._try_refs(name) for name in self._repositories))
        return {name: newest_versions(self._last_refs[name]) for name in self.names if name in self._last_refs}

    async def problems(self) -> Mapping[str, str]:
        """Return each repository with why it cannot be read now; "": it can."""
        return dict(zip(self.names, await asyncio.gather(*map(self._problem, self.names)), strict=True))

    async def _problem(self, name: str) -> str:
        try:
            async with asyncio.timeout(LISTING_S):
                await self._refs(name)
        except DarkroomError as error:
            return error.message
        except TimeoutError:
            return f"the repository {name} has not answered for {LISTING_S:.0f} s"
        return ""

    async def _try_refs(self, name: str) -> None:
        with suppress(DarkroomError, TimeoutError):
            async with asyncio.timeout(LISTING_S):
                await self._refs(name)

    async def _refs(self, name: str) -> Refs:
        answer = self._answers.get(name)
        max_age_s = AGAIN_S if answer and answer.error else self._ref_max_age_s
        if answer is None or time.monotonic() - answer.asked_s >= max_age_s:
            # Shielded: a caller that goes must not take the answer from the others.
            answer = await asyncio.shield(self._flight(name))
        if isinstance(answer.error, Unavailable):
            raise RepositoryAway(answer.error.message)
        if answer.error is not None:
            raise type(answer.error)(answer.error.message)
        assert answer.refs is not None
        return answer.refs

    def _flight(self, name: str) -> asyncio.Future[_Answer]:
        """Return the call that is under way, or a new one."""
        if name in self._flights:
            return self._flights[name]
        loop = asyncio.get_running_loop()
        flight: asyncio.Future[_Answer] = loop.create_future()
        self._flights[name] = flight

        def land(answer: _Answer) -> None:
            self._flights.pop(name, None)
            self._answers[name] = answer
            if answer.refs is not None:
                self._last_refs[name] = answer.refs
            if not flight.done():
                flight.set_result(answer)

        def fly() -> None:
            answer = self._ask(name)
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(land, answer)

        # A thread of its own: the pool is for the catalogue, which must not wait for a server that says nothing.
        threading.Thread(target=fly, name=f"git-{name}", daemon=True).start()
        return flight

    def _ask(self, name: str) -> _Answer:
        asked_s = time.monotonic()
        try:
            return _Answer(asked_s, self._git.refs(self._repositories[name]))
        except DarkroomError as error:
            return _Answer(asked_s, error=error)
        except Exception as error:
            # Whoever waits must hear of it, or it would wait for ever.
            return _Answer(asked_s, error=Unavailable(f"asking the repository {name} failed: {error!r}"))
