"""Has repositories described: what a commit declares is gathered once, by whichever runner is first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from dataset_registry import watched
from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.gathering import FactFailed, join_environment
from dataset_registry.inquiries import work_failed
from dataset_registry.records import Environment, Runner
from dataset_registry.repositories import Repositories, environment_id
from dataset_registry.states import WorkState
from dataset_registry.views import RUNNER_AWAY_S, no_work
from dataset_registry.watching import Board
from service_kit.errors import DarkroomError, FailedPrecondition

log = structlog.get_logger()

# Whoever names no deadline waits at most so long.
MAX_WAIT_S = 600.0
# A runner that could do it is waited for so long: it may just be starting.
RUNNER_WAIT_S = 5.0
# So often it is seen whether a runner has come that serves a repository not described yet.
LOOK_S = 2.0
# A description that failed so lately is not tried again by itself.
FAILED_LATELY_S = 60.0


class Describing:
    """Joins the work that describes a commit, and waits for it."""

    def __init__(self, catalog: Catalog, repositories: Repositories, board: Board) -> None:
        self._catalog = catalog
        self._repositories = repositories
        self._board = board

    async def environment(self, repository: str, version: str, wait_s: float | None) -> tuple[str, Environment]:
        """Return a version's commit and what it declares, waiting for that to be gathered.

        Raises `NotFound` for a version, `FailedPrecondition` when it cannot be gathered (the work's class), or not
        within ``wait_s`` (NOT_DESCRIBED).
        """
        commit = await self._repositories.resolve(repository, version)
        identity = environment_id(repository, commit)
        known = await self._catalog.read_soon(lambda tx: tx.get(Environment, identity))
        if known is not None:
            return commit, known
        asked = await self._catalog.read_soon(lambda tx: tx.now())
        try:
            work = await self._catalog.write_soon(lambda tx: join_environment(tx, repository, commit, version, asked))
        except FactFailed as error:
            raise work_failed(error.failure) from None
        waiting_for = await self._until_done(work.id, MAX_WAIT_S if wait_s is None else min(wait_s, MAX_WAIT_S))
        known = await self._catalog.read_soon(lambda tx: tx.get(Environment, identity))
        if known is None:
            because = f"it waits for {waiting_for}" if waiting_for else "it is still being made"
            raise FailedPrecondition(
                f"the environment of {repository} at {commit[:12]} is not described yet: {because}; ask again",
                reason="NOT_DESCRIBED",
            )
        return commit, known

    async def run(self) -> None:
        """Have the newest version of each git repository described once a runner serves it; for ever."""
        done: set[str] = set()
        while True:
            try:
                waiting = await self._catalog.read_soon(_served_git) - done
                newest = await self._repositories.newest() if waiting else {}
                for name in sorted(waiting & newest.keys()):
                    offers = newest[name]
                    await self._catalog.write_soon(lambda tx, of=name, at=offers: _describe(tx, of, at))  # type: ignore[misc]
                    done.add(name)
            except DarkroomError as error:
                log.warning("describing_waits", message=error.message)
            await asyncio.sleep(LOOK_S)

    async def _until_done(self, identity: str, wait_s: float) -> str:
        """Return once the work has ended or the time is up, with what it waits for. Raises what ended it."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        waiting_for = ""
        try:
            async with asyncio.timeout(wait_s) as limit:
                async for view in self._board.watch(watched.works, identity, no_work(identity)):
                    work, waiting_for = view.value.work, view.value.waiting_for
                    if work.state in (WorkState.FAILED, WorkState.CANCELLED):
                        raise work_failed(work.failure)
                    limit.reschedule(begun + (min(wait_s, RUNNER_WAIT_S) if waiting_for else wait_s))
        except TimeoutError:
            return waiting_for
        return ""


def described(
    tx: Transaction, newest: Mapping[str, Sequence[tuple[str, str]]]
) -> dict[str, tuple[str, str, Environment]]:
    """Return each repository's newest version that is described: (version, commit, environment)."""
    found = {}
    for repository, offers in sorted(newest.items()):
        for version, commit in offers:
            environment = tx.get(Environment, environment_id(repository, commit))
            if environment is not None:
                found[repository] = (version, commit, environment)
                break
    return found


def _served_git(tx: Transaction) -> set[str]:
    """Return the git repositories whose code a runner that is there would run."""
    runners = tx.find(Runner, Where("seen_time", ">", tx.now() - RUNNER_AWAY_S))
    served = (each for runner in runners for each in runner.repositories)
    return {each["name"] for each in served if not each["commit"] and not each.get("refusal")}


def _describe(tx: Transaction, repository: str, offers: Sequence[tuple[str, str]]) -> None:
    if not offers:
        return
    version, commit = offers[0]
    if tx.get(Environment, environment_id(repository, commit)) is None:
        try:
            join_environment(tx, repository, commit, version, tx.now() - FAILED_LATELY_S)
        except FactFailed as error:
            log.warning("repository_not_described", repository=repository, version=version, problem=str(error))
