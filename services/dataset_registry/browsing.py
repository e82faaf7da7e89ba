"""What there is: definitions, requests, datasets, handlers, raw datasets, runners and logs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dataset_registry import names
from dataset_registry.build_log import read_log
from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.describing import Describing, described
from dataset_registry.listing import BY_NAME, NEWEST_FIRST, Page, find_page, token
from dataset_registry.records import Dataset, Definition, RawDataset, Request, Runner
from dataset_registry.registry import Registry
from dataset_registry.repositories import (
    DeclaredHandler,
    Repositories,
    declared_handler,
    declared_handlers,
)
from dataset_registry.states import DatasetState, RequestState
from dataset_registry.usage import FOR_EVER, Usage, UsageBy
from dataset_registry.usage_totals import all_usage
from dataset_registry.views import DatasetView, RequestView, dataset_views, load_dataset, request_views
from service_kit.errors import InvalidArgument

# (repository, version, commit, handler)
ListedHandler = tuple[str, str, str, DeclaredHandler]

# A followed log is looked at this often.
FOLLOW_S = 0.3


class Browsing:
    """Reads; what it shows may have to be gathered first."""

    def __init__(
        self, catalog: Catalog, registry: Registry, repositories: Repositories, describing: Describing
    ) -> None:
        self._catalog = catalog
        self._registry = registry
        self._repositories = repositories
        self._describing = describing

    async def definitions(self, asked: Page) -> tuple[list[Definition], str]:
        """Return a page of definitions, by name."""
        return await self._catalog.read_soon(lambda tx: find_page(tx, Definition, asked, order=BY_NAME))

    async def requests(self, asked: Page, dataset_name: str, active_only: bool) -> tuple[list[RequestView], str]:
        """Return a page of requests, newest first."""
        where = [Where("dataset_name", "=", dataset_name)] if dataset_name else []
        if active_only:
            where.append(Where("state", "in", (RequestState.RESOLVING, RequestState.BUILDING)))

        def step(tx: Transaction) -> tuple[list[RequestView], str]:
            found, behind = find_page(tx, Request, asked, *where, order=NEWEST_FIRST)
            return request_views(tx, found), behind

        return await self._catalog.read_soon(step)

    async def datasets(
        self, asked: Page, dataset_name: str, state: DatasetState | None
    ) -> tuple[list[DatasetView], str]:
        """Return a page of datasets, newest first."""
        where = [Where("dataset_name", "=", dataset_name)] if dataset_name else []
        where += [Where("state", "=", state)] if state else []

        def step(tx: Transaction) -> tuple[list[DatasetView], str]:
            found, behind = find_page(tx, Dataset, asked, *where, order=NEWEST_FIRST)
            return dataset_views(tx, found), behind

        return await self._catalog.read_soon(step)

    async def runners(self, asked: Page) -> tuple[list[Runner], str]:
        """Return a page of runners, by name."""
        return await self._catalog.read_soon(lambda tx: find_page(tx, Runner, asked, order=BY_NAME))

    async def usage(self, asked: Page, by: UsageBy, since: float, until: float) -> tuple[list[Usage], str]:
        """Return a page of usage, most requested first, and the token of the next, empty at the end."""
        match asked.after:
            case None:
                after = None
            case [int(count), str(group)]:
                after = (count, group)
            case _:
                raise InvalidArgument.of([("page_token", "is of another list")])
        ever = since <= 0.0 and until >= FOR_EVER
        found = await self._catalog.read_soon(
            lambda tx: (
                all_usage(tx, by, after, asked.size + 1) if ever else tx.usage(by, since, until, after, asked.size + 1)
            )
        )
        if len(found) <= asked.size:
            return found, ""
        shown = found[: asked.size]
        return shown, token(shown[-1].place)

    async def handlers(self) -> dict[str, ListedHandler]:
        """Return every handler at its repository's newest version that is described, by name."""
        newest = await self._repositories.newest()

        def step(tx: Transaction) -> dict[str, ListedHandler]:
            found = {}
            for repository, (version, commit, environment) in described(tx, newest).items():
                for handler in declared_handlers(environment.description).values():
                    found[f"{repository}/{handler.name}"] = (repository, version, commit, handler)
            return dict(sorted(found.items()))

        return await self._catalog.read_soon(step)

    async def handler(self, name: str, version: str, wait_s: float | None) -> ListedHandler:
        """Return one handler at a version, once that is described. Raises what `Describing.environment` does."""
        repository, handler_name = names.split_handler(name)
        names.check_version(version)
        commit, environment = await self._describing.environment(repository, version, wait_s)
        return repository, version, commit, declared_handler(environment.description, repository, handler_name)

    async def raw_datasets(self) -> dict[str, tuple[str, RawDataset | None, int, list[str]]]:
        """Return (name, last walk, quick count, runners) of every raw dataset, by name."""

        def step(tx: Transaction) -> dict[str, tuple[str, RawDataset | None, int, list[str]]]:
            counts: dict[str, int] = {}
            runners: dict[str, list[str]] = {}
            for runner in tx.find(Runner):
                for name, count in runner.raw_datasets.items():
                    counts[name] = max(counts.get(name, 0), int(count))
                    runners.setdefault(name, []).append(runner.id)
            return {name: (name, tx.get(RawDataset, name), counts[name], runners[name]) for name in sorted(counts)}

        return await self._catalog.read_soon(step)

    async def log(self, name: str, offset: int, follow: bool) -> AsyncIterator[tuple[str, int]]:
        """Yield pieces of a dataset's log and where the next begins; with ``follow``, until its build ends."""
        if name.startswith("requests/"):
            key = (await self._registry.get_request(name)).request.key
            if not key:
                return
        else:
            key = await self._registry.find_key(name)
        while True:
            # The state first: what was logged before it became final is then read below.
            final = DatasetState((await self._catalog.read_soon(lambda tx: load_dataset(tx, key))).dataset.state).final
            text, behind = await self._catalog.read_soon(lambda tx, at=offset: read_log(tx, key, at))  # type: ignore[misc]
            if text:
                yield text, behind
                offset = behind
            elif final or not follow:
                return
            else:
                await asyncio.sleep(FOLLOW_S)
