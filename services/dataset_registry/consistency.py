"""Looks for what dangles: rows whose objects are gone, objects that no row names, rows that contradict one another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from dataset_registry.archives import Archives
from dataset_registry.catalog import Catalog, Where
from dataset_registry.collector import Collector
from dataset_registry.gathering import UNFINISHED
from dataset_registry.records import Dataset, Record, Request, Shard, Work
from dataset_registry.states import MAKES_DATASET, DatasetState, RequestState
from service_kit.errors import DataLoss
from service_kit.object_store import ObjectMissing, ObjectShort, ObjectStore

R = TypeVar("R", bound=Record)

PAGE = 500
# A row names an object that is not there, or bytes that are not those published: the dataset must be built again.
MISSING, DAMAGED = "missing", "damaged"
# Rows that no order of transactions leaves behind.
CONTRADICTION = "contradiction"
# What the collector takes in time.
UNNAMED = "unnamed"


class Finding(NamedTuple):
    """Something that dangles."""

    kind: str
    name: str
    text: str

    @property
    def harmless(self) -> bool:
        """Whether it passes by itself."""
        return self.kind == UNNAMED


class Consistency:
    """Compares catalogue and store; blocking. It may run beside registries that serve."""

    def __init__(self, catalog: Catalog, store: ObjectStore) -> None:
        self._catalog = catalog
        self._store = store
        self._archives = Archives(store)
        self.datasets = self.shards = self.objects = 0

    def findings(self, *, read_bytes: bool = False) -> Iterator[Finding]:
        """Yield what dangles; with ``read_bytes`` every archive is read and compared with its manifest."""
        sizes = {each.name: each.size_bytes for each in self._store.list("")}
        self.objects = len(sizes)
        for dataset in self._pages(Dataset):
            self.datasets += 1
            if dataset.archive_object and (dataset.state == DatasetState.READY or dataset.imported):
                yield from self._archive(dataset, sizes, read_bytes)
            if dataset.state == DatasetState.BUILDING and not self._is_worked_on(dataset.id):
                yield Finding(CONTRADICTION, f"datasets/{dataset.id}", "is BUILDING, and no work builds it")
        for shard in self._pages(Shard):
            self.shards += 1
            if shard.object not in sizes and self._store.stat(shard.object) is None and self._still(shard):
                yield Finding(MISSING, shard.object, f"is committed as a shard of datasets/{shard.key}")
        for request in self._pages(Request, Where("state", "in", (RequestState.BUILDING, RequestState.READY))):
            if self._catalog.read(lambda tx, key=request.key: tx.get(Dataset, key)) is None:  # type: ignore[misc]
                yield Finding(CONTRADICTION, f"requests/{request.id}", f"is {request.state}, and has no dataset")
        for unnamed in Collector(self._catalog, self._store, min_age_s=0.0).collect(dry_run=True):
            yield Finding(UNNAMED, unnamed.name, f"{unnamed.size_bytes} bytes; the collector takes it in time")

    def _archive(self, dataset: Dataset, sizes: Mapping[str, int], read_bytes: bool) -> Iterator[Finding]:
        # What was published after the listing is looked for by itself.
        there = sizes.get(dataset.archive_object) == dataset.archive_size_bytes or self._archives.look(dataset)
        if not there:
            if self._still(dataset):
                yield Finding(MISSING, dataset.archive_object, f"is the archive of datasets/{dataset.id}")
            return
        if read_bytes:
            try:
                for shard in self._archives.manifest(dataset)["shards"]:
                    digest = hashlib.sha256()
                    for chunk in self._archives.read(dataset, shard["offset"], shard["size_bytes"]):
                        digest.update(chunk)
                    if digest.hexdigest() != shard["sha256"]:
                        yield Finding(DAMAGED, dataset.archive_object, f"{shard['name']} is not what was published")
            except (DataLoss, ObjectMissing, ObjectShort) as error:
                yield Finding(DAMAGED, dataset.archive_object, error.message)

    def _is_worked_on(self, key: str) -> bool:
        mine = Where("subject", "=", key), Where("kind", "in", MAKES_DATASET), UNFINISHED
        # It may have ended since its row was read.
        ended = Where("id", "=", key), Where("state", "=", DatasetState.BUILDING)
        return self._catalog.read(lambda tx: bool(tx.find(Work, *mine, limit=1)) or not tx.count(Dataset, *ended))

    def _still(self, record: Record) -> bool:
        """Whether the row stands as it was read: one that changed in the meantime has another story."""
        return self._catalog.read(lambda tx: tx.revisions(type(record), [record.id])).get(record.id) == record.revision

    def _pages(self, kind: type[R], *where: Where) -> Iterator[R]:
        after = None
        while page := self._catalog.read(
            lambda tx, after=after: tx.find(kind, *where, after=after, limit=PAGE)  # type: ignore[misc]
        ):
            yield from page
            after = [page[-1].id]
