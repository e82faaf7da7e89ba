"""Takes archives of another system into the catalogue: receives the bytes, and has a runner check and join them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.gathering import join_work
from dataset_registry.imported_name import ImportedName, possible_readings
from dataset_registry.records import Dataset, Definition, Shard
from dataset_registry.registry import Registry
from dataset_registry.spec import canonical_json
from dataset_registry.states import DatasetState, WorkKind
from dataset_registry.views import DatasetView, load_dataset
from service_kit.errors import AlreadyExists, InvalidArgument, NotFound
from service_kit.object_store import ObjectStore

# An archive is kept as objects of so many bytes: that much of each is in memory, whatever its size.
PART_BYTES = 16 << 20
# Received at a time; others wait in their connections.
AT_A_TIME = 4
# What an empty zip file has.
_SMALLEST_BYTES = 22
_ZIP_BEGINS = (b"PK\x03\x04", b"PK\x05\x06")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Arrival:
    """What a caller says of an archive before its bytes come; an empty ``sha256`` is not known."""

    file_name: str
    size_bytes: int
    requester: str = "unknown"
    sha256: str = ""


class Importing:
    """Receives archives. What a broken connection leaves in the store is named by no row, and so collected."""

    def __init__(self, catalog: Catalog, registry: Registry, store: ObjectStore) -> None:
        self._catalog = catalog
        self._registry = registry
        self._store = store
        self._turns = asyncio.Semaphore(AT_A_TIME)

    async def take(self, arrival: Arrival, chunks: AsyncIterator[bytes]) -> DatasetView:
        """Return the dataset that the archive becomes, or is already. See `DatasetService.ImportDataset`."""
        name = ImportedName.of(
            arrival.file_name, await self._catalog.read_soon(lambda tx: _defined(tx, arrival.file_name))
        )
        _check(arrival)
        if arrival.sha256 and (known := await self._known(name, arrival.sha256)):
            return known
        async with self._turns:
            prefix = f"{name.key}/import-{uuid.uuid4().hex}/"
            sha256 = await self._receive(prefix, arrival, chunks)
        if known := await self._known(name, sha256):
            return known
        await self._catalog.write_soon(lambda tx: _begin(tx, name, arrival, sha256, prefix))
        return await self._catalog.read_soon(lambda tx: load_dataset(tx, name.key))

    async def _known(self, name: ImportedName, sha256: str) -> DatasetView | None:
        """Return the dataset that these bytes are already, ready or on its way. Raises `AlreadyExists`."""
        try:
            view = await self._registry.look(name.key)
        except NotFound:
            return None
        return view if _holds(view.dataset, name, sha256) else None

    async def _receive(self, prefix: str, arrival: Arrival, chunks: AsyncIterator[bytes]) -> str:
        digest, part, received, number = hashlib.sha256(), bytearray(), 0, 0
        async for chunk in chunks:
            if not received and chunk[:4] not in _ZIP_BEGINS:
                raise InvalidArgument.of(
                    [("chunk", f"{arrival.file_name} is no zip file: it begins with {chunk[:4]!r}")]
                )
            received += len(chunk)
            if received > arrival.size_bytes:
                raise InvalidArgument.of([("size_bytes", f"is {arrival.size_bytes}, and more bytes than that came")])
            digest.update(chunk)
            part += chunk
            if len(part) >= PART_BYTES:
                await self._put(f"{prefix}part-{number:06}", part)
                part, number = bytearray(), number + 1
        if received != arrival.size_bytes:
            raise InvalidArgument.of([("size_bytes", f"is {arrival.size_bytes}, but {received} bytes came")])
        if part:
            await self._put(f"{prefix}part-{number:06}", part)
        if arrival.sha256 and digest.hexdigest() != arrival.sha256:
            raise InvalidArgument.of([("sha256", f"is {arrival.sha256}, what came has {digest.hexdigest()}")])
        return digest.hexdigest()

    async def _put(self, name: str, part: bytearray) -> None:
        await asyncio.to_thread(self._store.put, name, bytes(part))


def _check(arrival: Arrival) -> None:
    if arrival.size_bytes < _SMALLEST_BYTES:
        raise InvalidArgument.of([("size_bytes", f"must be {_SMALLEST_BYTES} or more, not {arrival.size_bytes}")])
    if arrival.sha256 and not _SHA256.fullmatch(arrival.sha256):
        raise InvalidArgument.of([("sha256", f"must be 64 hex digits, not {arrival.sha256[:80]!r}")])


def _defined(tx: Transaction, file_name: str) -> list[str]:
    """Return the defined datasets that an archive's name may begin with."""
    readings = possible_readings(file_name[:512])
    return [name for name, _ in readings if tx.get(Definition, name) is not None]


def _begin(tx: Transaction, name: ImportedName, arrival: Arrival, sha256: str, prefix: str) -> None:
    known = tx.get(Dataset, name.key)
    if known is not None and _holds(known, name, sha256):
        return
    preimage = canonical_json(
        {
            "imported": name.file_name,
            "sha256": sha256,
            "dataset_name": name.dataset_name,
            "handler_version": name.version,
        }
    )
    task = {"key": name.key, "object": prefix, "file_name": name.file_name, "preimage_json": preimage}
    if known is not None and not _of(known, sha256):
        # What an attempt with other bytes committed is none of this one's.
        tx.delete(Shard, Where("key", "=", name.key))
    now = tx.now()
    dataset = Dataset(
        id=name.key,
        revision=known.revision if known else 0,
        dataset_name=name.dataset_name,
        version=name.version,
        preimage=preimage,
        build_task=task,
        # Until the new one is there, the collector leaves what is left of the old one alone.
        archive_object=known.archive_object if known else "",
        archive_size_bytes=known.archive_size_bytes if known else 0,
        pinned=known.pinned if known else False,
        create_time=known.create_time if known else now,
    )
    tx.put(dataset.started(now, arrival.requester[:200] or "unknown"))
    join_work(tx, WorkKind.IMPORT, name.key, task=task)


def _of(dataset: Dataset, sha256: str) -> bool:
    return bool(json.loads(dataset.preimage).get("sha256") == sha256)


def _holds(dataset: Dataset, name: ImportedName, sha256: str) -> bool:
    """Whether the dataset is these bytes, or will be. Raises `AlreadyExists` when it is others."""
    if dataset.state not in (DatasetState.READY, DatasetState.BUILDING):
        return False
    if _of(dataset, sha256):
        return True
    raise AlreadyExists(
        f"datasets/{name.key} was imported from another archive, as {dataset.started_by} had it; "
        "`darkroom delete` it first if this one is right",
        reason="OTHER_ARCHIVE",
    )
