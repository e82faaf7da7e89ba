"""Builds each dataset once, and lets anyone watch: the side that asks."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog

from dataset_registry import names, watched
from dataset_registry.archives import Archives
from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.failures import FailureClass
from dataset_registry.gathering import recipe_row
from dataset_registry.joining import advance, evict, hold
from dataset_registry.locating import Locating, Version, unlocated
from dataset_registry.metrics import count_resolved
from dataset_registry.recipes import Recipes, check_served
from dataset_registry.records import Dataset, Recipe, Request
from dataset_registry.repositories import RepositoryAway
from dataset_registry.states import DatasetState, RequestState
from dataset_registry.views import DatasetView, RequestView, load_dataset, load_request, no_dataset, no_request
from dataset_registry.watch_feed import View
from dataset_registry.watching import Board
from service_kit.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable
from service_kit.logging import current_request_id
from service_kit.tracing import traceparent

log = structlog.get_logger()

# A repository that has not answered by then leaves the request waiting, and the caller goes on.
GIT_PATIENCE_S = 3.0


@dataclass
class _Taken:
    """What a step did to requests, and what it left to do outside the transaction."""

    resolved: list[tuple[Request, Request]] = field(default_factory=list)
    unseen: dict[str, tuple[Dataset, list[str]]] = field(default_factory=dict)
    """Ready datasets by key whose archive must be looked at, each with the requests that wait for it."""
    without_commit: dict[Version, list[str]] = field(default_factory=dict)


class Registry:
    """Requests, datasets, and who watches them."""

    def __init__(
        self, catalog: Catalog, recipes: Recipes, archives: Archives, board: Board, raw_max_age_s: float
    ) -> None:
        self._catalog = catalog
        self._recipes = recipes
        self._archives = archives
        self._board = board
        self._raw_max_age_s = raw_max_age_s
        self._locating = Locating(catalog, recipes)

    async def request_dataset(
        self,
        dataset_name: str,
        version: str,
        config_json: str,
        *,
        request_id: str = "",
        requester: str = "",
        time_to_live_s: float = 0.0,
        retry: bool = False,
    ) -> RequestView:
        """Write down an interest and take it as far as it goes at once. See `DatasetService.RequestDataset`."""
        identity = names.check_request_id(request_id).lower() if request_id else str(uuid.uuid4())
        requester = requester[:200] or "unknown"
        draft = await self._recipes.draft(dataset_name, version, config_json)
        recipe, waiting_for = await self._located(draft)

        def step(tx: Transaction) -> _Taken:
            if tx.get(Request, identity) is None:
                check_served(tx, recipe)
                now = tx.now()
                tx.put(
                    Request(
                        id=identity,
                        dataset_name=dataset_name,
                        version=version,
                        config_json=config_json or "{}",
                        requester=requester,
                        recipe=recipe_row(recipe),
                        retry=retry,
                        waiting_for=waiting_for,
                        create_time=now,
                        expire_time=now + time_to_live_s if time_to_live_s else 0.0,
                        log_id=current_request_id(),
                        trace_parent=traceparent(),
                    )
                )
            taken = self._take(tx, [identity])
            made = tx.get(Request, identity)
            if made and made.state == RequestState.FAILED and made.failure["failure_class"] == FailureClass.SANDBOX:
                raise FailedPrecondition(made.failure["message"], reason=FailureClass.SANDBOX)
            return taken

        # One commit. What it led to is read for itself: its counts would put equal requests in each other's way.
        taken = await self._catalog.write_soon(step)
        name = f"requests/{identity}"
        log.info("request_made", request=name, dataset=dataset_name, requester=requester)
        await self._go_on(taken)
        return await self.get_request(name)

    async def _located(self, draft: Recipe) -> tuple[Recipe, str]:
        """Return the recipe with its commit, or without it and what that waits for."""
        try:
            async with asyncio.timeout(GIT_PATIENCE_S):
                return await self._recipes.resolve(draft), ""
        except RepositoryAway as error:
            return draft, error.waiting_for
        except TimeoutError:
            return draft, f"the repository {draft.repository}, which has not said yet what {draft.version} is"

    async def advance(self, identities: list[str]) -> None:
        """Take requests as far as the facts go, looking at an archive first where a hit depends on it."""
        await self._go_on(await self._catalog.write_soon(lambda tx: self._take(tx, identities)))

    def _take(self, tx: Transaction, identities: list[str]) -> _Taken:
        taken = _Taken()
        for identity in identities:
            request = tx.get(Request, identity)
            if request is None or RequestState(request.state).final:
                continue
            if version := unlocated(request):
                taken.without_commit.setdefault(version, []).append(identity)
            else:
                after, dataset = advance(tx, request, self._raw_max_age_s, self._archives.seen_lately)
                taken.resolved.append((request, after))
                if dataset is not None:
                    taken.unseen.setdefault(dataset.id, (dataset, []))[1].append(identity)
        return taken

    async def _go_on(self, taken: _Taken) -> None:
        """Do what a committed step left to do."""
        _count(taken.resolved)
        self._locating.look_up(taken.without_commit, self.advance)
        looked_for: list[str] = []
        for dataset, waiting in taken.unseen.values():
            try:
                there = await asyncio.to_thread(self._archives.look, dataset)
            except Unavailable as error:
                await self._catalog.write_soon(lambda tx, ids=waiting, text=error.message: hold(tx, ids, text))  # type: ignore[misc]
                continue
            if not there:
                await self._catalog.write_soon(lambda tx, key=dataset.id: evict(tx, key))  # type: ignore[misc]
            looked_for += waiting
        if looked_for:
            await self.advance(looked_for)

    async def get_request(self, name: str) -> RequestView:
        """Return a request. Raises `NotFound`."""
        identity = names.request_id(name)
        return await self._catalog.read_soon(lambda tx: load_request(tx, identity))

    def watch_request(self, name: str) -> AsyncIterator[View[RequestView]]:
        """Yield the request at each change, the final state last. Raises `NotFound`."""
        identity = names.request_id(name)
        return self._board.watch(watched.requests, identity, no_request(identity))

    async def cancel_request(self, name: str) -> RequestView:
        """Withdraw one interest; the build goes on while another has one."""
        identity = names.request_id(name)

        def step(tx: Transaction) -> None:
            request = load_request(tx, identity).request
            if not RequestState(request.state).final:
                tx.put(request.ended(tx.now(), RequestState.CANCELLED))

        await self._catalog.write_soon(step)
        return await self.get_request(name)

    async def get_dataset(self, name: str) -> DatasetView:
        """Return a dataset by its name or a prefix of its key. Raises `NotFound`."""
        prefix = names.key_prefix(name)
        return await self._catalog.read_soon(
            lambda tx: load_dataset(tx, prefix if _is_whole(prefix) else _key(tx, prefix))
        )

    async def watch_dataset(self, name: str) -> AsyncIterator[View[DatasetView]]:
        """Yield the dataset at each change, the final state last. Raises `NotFound`."""
        key = names.key_prefix(name)
        # A crowd of watchers would each ask for what a whole key says already.
        if not _is_whole(key):
            key = await self.find_key(name)
        async for view in self._board.watch(watched.datasets, key, no_dataset(key)):
            yield view

    async def find_key(self, name: str) -> str:
        """Return the whole key of ``datasets/{key}`` or of a prefix that fits one dataset only."""
        prefix = names.key_prefix(name)
        return await self._catalog.read_soon(lambda tx: _key(tx, prefix))

    async def look(self, key: str, *, afresh: bool = False) -> DatasetView:
        """Return a dataset after a look at its archive: a ready one is truly there. Raises `NotFound`.

        A look of the last minute will do, unless it must be done ``afresh``.
        """
        view = await self._catalog.read_soon(lambda tx: load_dataset(tx, key))
        dataset = view.dataset
        if dataset.state != DatasetState.READY or (self._archives.seen_lately(dataset) and not afresh):
            return view
        if not await asyncio.to_thread(self._archives.look, dataset):
            await self._catalog.write_soon(lambda tx: evict(tx, key))
        return await self._catalog.read_soon(lambda tx: load_dataset(tx, key))


def _count(resolved: list[tuple[Request, Request]]) -> None:
    """Count what a committed step led to."""
    for before, after in resolved:
        count_resolved(before, after)


def _is_whole(prefix: str) -> bool:
    return len(prefix) == max(names.KEY_LENGTHS)


def _key(tx: Transaction, prefix: str) -> str:
    found = tx.find(Dataset, Where("id", "prefix", prefix), limit=2)
    if not found:
        raise NotFound(f"no dataset's key begins with {prefix}; `darkroom ls` shows those there are")
    if len(found) > 1:
        raise InvalidArgument.of([("name", f"more than one key begins with {prefix}; give more digits")])
    return found[0].id
