"""Gives a commit a new lock: the newest packages that fit its requirements, from now on for all who ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from dataset_registry import names
from dataset_registry.catalog import Catalog, Transaction
from dataset_registry.gathering import join_work
from dataset_registry.inquiries import Inquiries
from dataset_registry.records import Environment, Lock, Runner, Work
from dataset_registry.repositories import Repositories, environment_id
from dataset_registry.states import WorkKind
from dataset_registry.views import WorkView
from service_kit.errors import FailedPrecondition


@dataclass(frozen=True)
class Relocked:
    """The lock of a commit before and after."""

    commit: str
    previous_digest: str
    digest: str
    text: str


class Relocking:
    """The one way in which a commit's lock changes."""

    def __init__(self, catalog: Catalog, repositories: Repositories, inquiries: Inquiries) -> None:
        self._catalog = catalog
        self._repositories = repositories
        self._inquiries = inquiries

    async def relock(self, repository: str, version: str) -> AsyncIterator[WorkView | Relocked]:
        """Yield stages, then the lock. When it fails the old one stays.

        Raises `NotFound`, and `FailedPrecondition` when there is nothing to lock, or no way to.
        """
        names.check_repository(repository)
        names.check_version(version)
        commit = await self._repositories.resolve(repository, version)
        identity = environment_id(repository, commit)

        def step(tx: Transaction) -> tuple[str, Work]:
            if _installed(tx, repository):
                raise FailedPrecondition(
                    f"the repository {repository} has no lock: its handlers run with what is installed on their "
                    "runner, and installing other packages there gives them a new commit",
                    reason="NO_LOCK",
                )
            before = tx.get(Environment, identity)
            # The task names no lock: so the runner resolves one, as it did the first time.
            task = {"repository": repository, "commit": commit, "version": version}
            work = join_work(tx, WorkKind.ENVIRONMENT, identity, repository=repository, commit=commit, task=task)
            return (before.description.get("lock_digest", "") if before else ""), work

        previous, work = await self._catalog.write_soon(step)
        async for stage in self._inquiries.until_done(work):
            yield stage
        digest, text = await self._catalog.read_soon(lambda tx: _lock(tx, identity))
        yield Relocked(commit, previous, digest, text)


def _installed(tx: Transaction, repository: str) -> bool:
    """Whether the repository is a folder of the runners' own: stock or local."""
    served = (each for runner in tx.find(Runner) for each in runner.repositories)
    return any(each["name"] == repository and each["commit"] for each in served)


def _lock(tx: Transaction, identity: str) -> tuple[str, str]:
    environment = tx.get(Environment, identity)
    digest = environment.description.get("lock_digest", "") if environment else ""
    lock = tx.get(Lock, digest) if digest else None
    return digest, lock.text if lock else ""
