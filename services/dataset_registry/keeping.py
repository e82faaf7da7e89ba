"""Definitions and what is kept: pins, deletion, downloads and the checks of a dataset's bytes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataset_registry import names
from dataset_registry.archives import Archives
from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.describing import described
from dataset_registry.gathering import UNFINISHED, join_work
from dataset_registry.inquiries import Inquiries
from dataset_registry.joining import evict
from dataset_registry.records import Dataset, Definition, Runner, Shard, Work
from dataset_registry.registry import Registry
from dataset_registry.repositories import Repositories, declared_handler
from dataset_registry.states import DatasetState, WorkKind, WorkState
from dataset_registry.views import DatasetView, WorkView, load_dataset
from service_kit.errors import DataLoss, FailedPrecondition, InvalidArgument, NotFound
from service_kit.object_store import ObjectMissing, ObjectShort

# What tells that bytes are gone; a store that does not answer tells nothing.
_DAMAGE = (DataLoss, ObjectMissing, ObjectShort)


@dataclass(frozen=True)
class ReadSoFar:
    """How much of an archive a check has read."""

    shards_read: int
    shard_count: int


@dataclass(frozen=True)
class VerifyReport:
    """What a check found."""

    shards_read: int
    shards_rebuilt: int
    problems: tuple[str, ...]
    evicted: bool


class Keeping:
    """Looks after what is defined and what is built."""

    def __init__(
        self, catalog: Catalog, registry: Registry, inquiries: Inquiries, repositories: Repositories, archives: Archives
    ) -> None:
        self._catalog = catalog
        self._registry = registry
        self._inquiries = inquiries
        self._repositories = repositories
        self._archives = archives

    async def define(self, dataset_name: str, handler: str, raw: Mapping[str, str]) -> Definition:
        """Write a definition, or replace it. See `DatasetService.DefineDataset`."""
        names.check_dataset_name(dataset_name)
        repository, handler_name = names.split_handler(handler)
        for name in raw.values():
            names.check_raw_name(name)
        newest = await self._repositories.newest()
        if repository not in newest:
            await self._repositories.resolve(repository, "latest")

        def step(tx: Transaction) -> Definition:
            shown = described(tx, newest).get(repository)
            if shown is not None:
                _, _, environment = shown
                _check_roles(declared_handler(environment.description, repository, handler_name).roles, raw)
            served = sorted({name for runner in tx.find(Runner) for name in runner.raw_datasets})
            for role, name in raw.items():
                if name not in served:
                    there = ", ".join(served) or "none yet"
                    raise NotFound(f"no runner serves the raw dataset {name!r} (role {role}); there are: {there}")
            known = tx.get(Definition, dataset_name)
            revision = known.revision if known else 0
            return tx.put(
                Definition(
                    id=dataset_name, repository=repository, handler=handler_name, raw=dict(raw), revision=revision
                )
            )

        return await self._catalog.write_soon(step)

    async def definition(self, dataset_name: str) -> Definition:
        """Return a definition. Raises `NotFound`."""
        names.check_dataset_name(dataset_name)
        found = await self._catalog.read_soon(lambda tx: tx.get(Definition, dataset_name))
        if found is None:
            raise NotFound(f"no dataset is defined as {dataset_name!r}; `darkroom define` makes one")
        return found

    async def pin(self, name: str, pinned: bool) -> DatasetView:
        """Keep a dataset from deletion, or stop keeping it."""
        key = await self._registry.find_key(name)

        def step(tx: Transaction) -> DatasetView:
            dataset = load_dataset(tx, key).dataset
            if dataset.pinned != pinned:
                tx.put(replace(dataset, pinned=pinned))
            return load_dataset(tx, key)

        return await self._catalog.write_soon(step)

    async def delete(self, name: str) -> None:
        """Forget a dataset's archive; the collector removes its objects. A later request builds it again."""
        key = await self._registry.find_key(name)

        def step(tx: Transaction) -> None:
            dataset = load_dataset(tx, key).dataset
            if dataset.pinned:
                raise FailedPrecondition(f"datasets/{key} is pinned; unpin it first", reason="PINNED")
            if dataset.state == DatasetState.BUILDING and not dataset.imported:
                raise FailedPrecondition(
                    f"datasets/{key} is being built; cancel its requests first", reason="BEING_BUILT"
                )
            for work in tx.find(Work, Where("kind", "=", WorkKind.IMPORT), Where("subject", "=", key), UNFINISHED):
                tx.put(work.ended(tx.now(), WorkState.CANCELLED))
            tx.delete(Shard, Where("key", "=", key))
            # An imported archive's name is what keeps it from the collector.
            if dataset.state != DatasetState.EVICTED or dataset.archive_object:
                tx.put(replace(dataset.ended(tx.now(), DatasetState.EVICTED), archive_object=""))

        await self._catalog.write_soon(step)

    async def verify(
        self, name: str, *, full: bool, rebuild_count: int
    ) -> AsyncIterator[ReadSoFar | WorkView | VerifyReport]:
        """Check an archive's size, manifest and bytes, and build sampled shards again; a bad archive is evicted."""
        if rebuild_count < 0:
            raise InvalidArgument.of([("rebuild_count", f"must be 0 or more, not {rebuild_count}")])
        view = await self._registry.get_dataset(name)
        dataset = view.dataset
        if dataset.state != DatasetState.READY:
            raise FailedPrecondition(f"datasets/{dataset.id} is {dataset.state}, not READY", reason="NOT_READY")
        if rebuild_count and dataset.imported:
            raise FailedPrecondition(
                f"datasets/{dataset.id} was imported: another system built it, and it cannot be built again here; "
                "without a rebuild its bytes can be checked whole",
                reason="IMPORTED",
            )
        problems: list[str] = []
        shards: list[dict[str, Any]] = []
        if not await asyncio.to_thread(self._archives.look, dataset):
            problems.append(f"the archive {dataset.archive_object} is gone or has another size")
        else:
            try:
                shards = (await asyncio.to_thread(self._archives.manifest, dataset))["shards"]
            except _DAMAGE as error:
                problems.append(error.message)
        read = 0
        for shard in shards if full else ():
            problem = await asyncio.to_thread(self._check_shard, dataset, shard)
            problems += [problem] if problem else []
            read += 1
            yield ReadSoFar(read, len(shards))
        evicted = bool(problems)
        if evicted:
            await self._catalog.write_soon(lambda tx: evict(tx, dataset.id))
        rebuilt = 0
        if shards and rebuild_count and not evicted:
            sampled = _sampled(dataset, shards, rebuild_count)
            work = await self._catalog.write_soon(lambda tx: self._join_rebuild(tx, dataset, sampled))
            async for stage in self._inquiries.until_done(work):
                yield stage
                work = stage.work
            rebuilt = int(work.result["shards_rebuilt"])
            problems += work.result["problems"]
        yield VerifyReport(read, rebuilt, tuple(problems), evicted)

    def _check_shard(self, dataset: Dataset, shard: Mapping[str, Any]) -> str:
        digest = hashlib.sha256()
        try:
            for chunk in self._archives.read(dataset, shard["offset"], shard["size_bytes"]):
                digest.update(chunk)
        except _DAMAGE as error:
            return f"{shard['name']} cannot be read: {error.message}"
        same = digest.hexdigest() == shard["sha256"]
        return "" if same else f"{shard['name']} is damaged: its sha256 is not the manifest's"

    @staticmethod
    def _join_rebuild(tx: Transaction, dataset: Dataset, shards: list[dict[str, Any]]) -> Work:
        build = dataset.build_task
        return join_work(
            tx,
            WorkKind.VERIFY,
            dataset.id,
            repository=build["environment"]["repository"],
            commit=build["environment"]["commit"],
            raw_names=sorted({each["raw_dataset"] for each in build["raw"]}),
            task={"build": build, "shards": shards},
        )


def _check_roles(roles: tuple[str, ...], raw: Mapping[str, str]) -> None:
    wanted = ", ".join(roles) or "none"
    violations = [
        (f"raw.{role}", f"is no role of this handler; it reads {wanted}") for role in raw if role not in roles
    ]
    violations += [
        (f"raw.{role}", f"is missing: say which raw dataset plays it, {role}=NAME") for role in roles if role not in raw
    ]
    if violations:
        raise InvalidArgument.of(violations)


def _sampled(dataset: Dataset, shards: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return ``count`` shards chosen by key and name: the same ones each time."""
    ordered = sorted(shards, key=lambda shard: hashlib.sha256(f"{dataset.id}/{shard['name']}".encode()).digest())
    fields = {"split": "split", "index": "index", "size_bytes": "size_bytes", "sha256": "sha256", "crc32": "crc32"}
    return [
        {**{ours: shard[theirs] for ours, theirs in fields.items()}, "record_count": shard["records"]}
        for shard in ordered[:count]
    ]
