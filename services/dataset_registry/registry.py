"""Builds each dataset once, and lets anyone watch: the side that asks."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from dataset_registry import names
from dataset_registry.archives import Archives
from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.gathering import (
    FactFailed,
    Facts,
    build_task,
    dataset_spec,
    environment_of,
    gather,
    join_environment,
    join_snapshot,
    join_work,
    recipe_row,
)
from dataset_registry.joining import advance, evict, hold
from dataset_registry.records import (
    Dataset,
    DatasetState,
    Definition,
    Recipe,
    Request,
    RequestState,
    Runner,
    Work,
    WorkKind,
    WorkState,
)
from dataset_registry.repositories import Repositories, declared_handler
from dataset_registry.spec import canonical_json, normal_config, parse_config
from dataset_registry.views import DatasetView, RequestView, WorkView, load_dataset, load_request, load_work
from dataset_registry.watching import Board, View
from service_kit.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Resolution:
    """What a request would get."""

    key: str
    hit: bool
    reason: str
    preimage: str
    dataset: DatasetView | None


class Registry:
    """Requests, datasets, and who watches them."""

    def __init__(
        self, catalog: Catalog, repositories: Repositories, archives: Archives, board: Board, raw_max_age_s: float
    ) -> None:
        self._catalog = catalog
        self._repositories = repositories
        self._archives = archives
        self._board = board
        self._raw_max_age_s = raw_max_age_s

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
        recipe = await self._recipe(dataset_name, version, config_json)

        def step(tx: Transaction) -> Request:
            known = tx.get(Request, identity)
            if known is not None:
                return known
            self._check_known(tx, recipe)
            now = tx.now()
            return tx.put(
                Request(
                    id=identity,
                    dataset_name=dataset_name,
                    version=version,
                    config_json=config_json or "{}",
                    requester=requester[:200] or "unknown",
                    recipe=recipe_row(recipe),
                    retry=retry,
                    create_time=now,
                    expire_time=now + time_to_live_s if time_to_live_s else 0.0,
                )
            )

        request = await self._write(step)
        await self.advance([request.id])
        return await self.get_request(f"requests/{request.id}")

    async def advance(self, identities: list[str]) -> None:
        """Take requests as far as the facts go, looking at an archive first where a hit depends on it."""
        unseen: dict[str, tuple[Dataset, list[str]]] = {}

        def step(tx: Transaction) -> None:
            unseen.clear()
            for identity in identities:
                request = tx.get(Request, identity)
                if request is not None and not RequestState(request.state).final:
                    _, dataset = advance(tx, request, self._raw_max_age_s, self._archives.seen_lately)
                    if dataset is not None:
                        unseen.setdefault(dataset.id, (dataset, []))[1].append(identity)

        await self._write(step)
        while unseen:
            for dataset, waiting in list(unseen.values()):
                try:
                    there = await asyncio.to_thread(self._archives.look, dataset)
                except Unavailable as error:
                    await self._write(lambda tx, ids=waiting, text=error.message: hold(tx, ids, text))  # type: ignore[misc]
                    return
                if not there:
                    await self._write(lambda tx, key=dataset.id: evict(tx, key))  # type: ignore[misc]
            await self._write(step)

    async def get_request(self, name: str) -> RequestView:
        """Return a request. Raises `NotFound`."""
        identity = names.request_id(name)
        return (await self._read(lambda tx: load_request(tx, identity))).value

    def watch_request(self, name: str) -> AsyncIterator[View[RequestView]]:
        """Yield the request at each change, the final state last. Raises `NotFound`."""
        identity = names.request_id(name)
        return self._board.watch(f"request/{identity}", lambda tx: load_request(tx, identity))

    async def cancel_request(self, name: str) -> RequestView:
        """Withdraw one interest; the build goes on while another has one."""
        identity = names.request_id(name)

        def step(tx: Transaction) -> None:
            request = load_request(tx, identity).value.request
            if not RequestState(request.state).final:
                tx.put(request.ended(tx.now(), RequestState.CANCELLED))

        await self._write(step)
        return await self.get_request(name)

    async def resolve(self, dataset_name: str, version: str, config_json: str) -> AsyncIterator[WorkView | Resolution]:
        """Yield stages while facts are gathered, then what a request would get."""
        recipe = await self._recipe(dataset_name, version, config_json)
        async for stage in self._gathered(recipe):
            if isinstance(stage, WorkView):
                yield stage
                continue
            spec, _ = dataset_spec(recipe, stage)
            try:
                view = await self.look(spec.key())
            except NotFound:
                view = None
            yield Resolution(spec.key(), *_hit(view), spec.preimage(), view)

    async def preview(
        self, dataset_name: str, version: str, config_json: str, sample_count: int
    ) -> AsyncIterator[WorkView]:
        """Yield stages; the last one's work holds the picture in ``result``."""
        if not 0 <= sample_count <= 64:
            raise InvalidArgument.of([("sample_count", f"must be 1 to 64, not {sample_count}")])
        recipe = await self._recipe(dataset_name, version, config_json)
        asked = await self._read(lambda tx: tx.now())
        environment = await self._read(lambda tx: environment_of(tx, recipe))
        while environment is None:
            work = await self._write(
                lambda tx: join_environment(tx, recipe.repository, recipe.commit, recipe.version, asked)
            )
            async for stage in self.until_done(work):
                yield stage
            environment = await self._read(lambda tx: environment_of(tx, recipe))
        handler = declared_handler(environment.description, recipe.repository, recipe.handler)
        config = normal_config(recipe.config, list(handler.options))
        task = {"build": build_task(recipe, config.build, {}), "sample_count": sample_count or 16}
        work = await self._write(
            lambda tx: join_work(
                tx,
                WorkKind.PREVIEW,
                canonical_json(task),
                repository=recipe.repository,
                commit=recipe.commit,
                raw_names=sorted(set(recipe.raw.values())),
                task=task,
            )
        )
        async for stage in self.until_done(work):
            yield stage

    async def scan(self, raw_dataset: str) -> AsyncIterator[WorkView]:
        """Walk a raw dataset now, whenever it was walked last."""
        names.check_raw_name(raw_dataset)
        known = await self._read(self._served_raw)
        if raw_dataset not in known:
            raise NotFound(f"no runner serves a raw dataset {raw_dataset!r}; there are: {_listed(known)}")
        asked = await self._read(lambda tx: tx.now())
        work = await self._write(lambda tx: join_snapshot(tx, raw_dataset, asked))
        async for stage in self.until_done(work):
            yield stage

    async def get_dataset(self, name: str) -> DatasetView:
        """Return a dataset by its name or a prefix of its key. Raises `NotFound`."""
        key = await self.find_key(name)
        return (await self._read(lambda tx: load_dataset(tx, key))).value

    async def watch_dataset(self, name: str) -> AsyncIterator[View[DatasetView]]:
        """Yield the dataset at each change, the final state last. Raises `NotFound`."""
        key = await self.find_key(name)
        async for view in self._board.watch(f"dataset/{key}", lambda tx: load_dataset(tx, key)):
            yield view

    async def find_key(self, name: str) -> str:
        """Return the whole key of ``datasets/{key}`` or of a prefix that fits one dataset only."""
        prefix = names.key_prefix(name)
        found = await self._read(lambda tx: tx.find(Dataset, Where("id", "prefix", prefix), limit=2))
        if not found:
            raise NotFound(f"no dataset's key begins with {prefix}; `darkroom ls` shows those there are")
        if len(found) > 1:
            raise InvalidArgument.of([("name", f"more than one key begins with {prefix}; give more digits")])
        return found[0].id

    async def look(self, key: str, *, afresh: bool = False) -> DatasetView:
        """Return a dataset after a look at its archive: a ready one is truly there. Raises `NotFound`.

        A look of the last minute will do, unless it must be done ``afresh``.
        """
        view = await self._read(lambda tx: load_dataset(tx, key).value)
        dataset = view.dataset
        if dataset.state != DatasetState.READY or (self._archives.seen_lately(dataset) and not afresh):
            return view
        if not await asyncio.to_thread(self._archives.look, dataset):
            await self._write(lambda tx: evict(tx, key))
        return await self._read(lambda tx: load_dataset(tx, key).value)

    async def _recipe(self, dataset_name: str, version: str, config_json: str) -> Recipe:
        """Check all that can be checked at once. Raises `InvalidArgument` and `NotFound`."""
        names.check_dataset_name(dataset_name)
        names.check_version(version)
        names.check_archive_name(dataset_name, version)
        config = parse_config(config_json)
        definition = await self._read(lambda tx: tx.get(Definition, dataset_name))
        if definition is None:
            known = await self._read(lambda tx: [each.id for each in tx.find(Definition, limit=20)])
            raise NotFound(f"no dataset is defined as {dataset_name!r}; there are: {_listed(known)}")
        commit = await asyncio.to_thread(self._repositories.resolve, definition.repository, version)
        recipe = Recipe(
            dataset_name, definition.repository, commit, version, definition.handler, definition.raw, config
        )
        environment = await self._read(lambda tx: environment_of(tx, recipe))
        if environment is not None:
            handler = declared_handler(environment.description, recipe.repository, recipe.handler)
            normal_config(config, list(handler.options))
        return recipe

    def _check_known(self, tx: Transaction, recipe: Recipe) -> None:
        known = self._served_raw(tx)
        for role, name in recipe.raw.items():
            if name not in known:
                raise NotFound(
                    f"no runner serves the raw dataset {name!r} (role {role} of {recipe.dataset_name}); "
                    f"there are: {_listed(known)}"
                )

    @staticmethod
    def _served_raw(tx: Transaction) -> list[str]:
        return sorted({name for runner in tx.find(Runner) for name in runner.raw_datasets})

    async def _gathered(self, recipe: Recipe) -> AsyncIterator[WorkView | Facts]:
        asked = await self._read(lambda tx: tx.now())
        await self._read(lambda tx: self._check_known(tx, recipe))
        while True:
            try:
                facts = await self._write(lambda tx: gather(tx, recipe, asked, self._raw_max_age_s))
            except FactFailed as error:
                raise FailedPrecondition(str(error), reason=error.failure["failure_class"]) from None
            if isinstance(facts, Facts):
                yield facts
                return
            async for stage in self.until_done(facts[0]):
                yield stage

    async def until_done(self, work: Work) -> AsyncIterator[WorkView]:
        """Yield the work's views to the end. Raises `FailedPrecondition` when it fails."""
        async for view in self._board.watch(f"work/{work.id}", lambda tx: load_work(tx, work.id)):
            yield view.value
            if view.value.work.state in (WorkState.FAILED, WorkState.CANCELLED):
                raise work_failed(view.value.work.failure)

    async def _read(self, step: Callable[[Transaction], T]) -> T:
        return await asyncio.to_thread(self._catalog.read, step)

    async def _write(self, step: Callable[[Transaction], T]) -> T:
        return await asyncio.to_thread(self._catalog.write, step)


def work_failed(failed: Mapping[str, Any]) -> FailedPrecondition | InvalidArgument:
    """Return the error that says how a piece of work failed."""
    message = failed.get("message", "the work was stopped")
    if failed.get("violations"):
        return InvalidArgument(message, [(each["field"], each["description"]) for each in failed["violations"]])
    detail = {"detail": failed["detail"]} if failed.get("detail") else {}
    return FailedPrecondition(message, reason=failed.get("failure_class", "CANCELLED"), metadata=detail)


def _hit(view: DatasetView | None) -> tuple[bool, str]:
    if view is None:
        return False, "nobody has asked for this dataset before"
    match view.dataset.state:
        case DatasetState.READY:
            return True, "it is built and its archive is there"
        case DatasetState.BUILDING:
            return False, f"it is being built now, started by {view.dataset.started_by}"
        case DatasetState.FAILED:
            return False, f"its last build failed: {view.dataset.failure.get('message', '')}"
        case DatasetState.CANCELLED:
            return False, "its last build was cancelled; committed shards are kept"
        case _:
            return False, "its archive is gone"


def _listed(known: list[str]) -> str:
    return ", ".join(known) or "none yet"
