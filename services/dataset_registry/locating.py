"""Requests whose version could not be resolved when they came: it is looked up again until it can be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import structlog

from dataset_registry.catalog import Catalog, Transaction
from dataset_registry.failures import FailureClass, failure
from dataset_registry.gathering import recipe_from, recipe_row
from dataset_registry.joining import hold
from dataset_registry.recipes import Recipes
from dataset_registry.records import Request
from dataset_registry.repositories import RepositoryAway
from dataset_registry.states import RequestState
from service_kit.errors import DarkroomError, InvalidArgument, NotFound

log = structlog.get_logger()

# (repository, version)
Version = tuple[str, str]


def unlocated(request: Request) -> Version | None:
    """Return the version that a request waits for; None: it has its commit, or waits no more."""
    if request.state != RequestState.RESOLVING or request.recipe["commit"]:
        return None
    return request.recipe["repository"], request.recipe["version"]


class Locating:
    """Asks beside the round that finds the requests: a repository that says nothing must hold up no other."""

    def __init__(self, catalog: Catalog, recipes: Recipes) -> None:
        self._catalog = catalog
        self._recipes = recipes
        self._under_way: dict[Version, asyncio.Task[None]] = {}

    def look_up(self, waiting: Mapping[Version, list[str]], then: Callable[[list[str]], Awaitable[None]]) -> None:
        """Begin to resolve each version that nobody resolves now; ``then`` gets the requests that go on."""
        for version, identities in waiting.items():
            if version not in self._under_way:
                task = asyncio.create_task(self._look_up(*version, identities, then))
                self._under_way[version] = task
                task.add_done_callback(lambda done, of=version: self._landed(of, done))  # type: ignore[misc]

    def _landed(self, version: Version, task: asyncio.Task[None]) -> None:
        self._under_way.pop(version, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # The next round begins again.
            log.warning("version_not_resolved", repository=version[0], version=version[1], problem=str(error))

    async def _look_up(
        self, repository: str, version: str, identities: list[str], then: Callable[[list[str]], Awaitable[None]]
    ) -> None:
        try:
            await self._recipes.commit(repository, version)
        except RepositoryAway as error:
            text = error.waiting_for
            await self._catalog.write_soon(lambda tx: hold(tx, identities, text))
            return
        except DarkroomError:
            # Each request ends with its own error below.
            pass
        for identity in identities:
            await self._locate(identity)
        await then(identities)

    async def _locate(self, identity: str) -> None:
        request = await self._catalog.read_soon(lambda tx: tx.get(Request, identity))
        if request is None or unlocated(request) is None:
            return
        recipe, bad = request.recipe, None
        try:
            recipe = recipe_row(await self._recipes.resolve(recipe_from(request.recipe)))
        except (NotFound, InvalidArgument) as error:
            found = error.violations if isinstance(error, InvalidArgument) else ()
            violations = [
                {"field": field, "description": description}
                for field, description in found or (("handler_version", error.message),)
            ]
            bad = failure(FailureClass.BAD_CONFIG, error.message, violations=violations)

        def step(tx: Transaction) -> None:
            now = tx.get(Request, identity)
            if now is not None and unlocated(now) is not None:
                tx.put(now.failed(tx.now(), bad) if bad else replace(now, recipe=recipe, waiting_for=""))

        await self._catalog.write_soon(step)
