"""Removes objects that no row names, that are old, and that belong to no unfinished work; nothing else deletes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dataset_registry import names
from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.gathering import UNFINISHED
from dataset_registry.records import Dataset, Shard, Work
from dataset_registry.states import MAKES_DATASET, DatasetState, WorkKind
from service_kit.crash_points import reach
from service_kit.object_store import ObjectStat, ObjectStore

# Younger objects may belong to work that has not written its row yet.
MIN_AGE_S = 24 * 3600.0
_ON_ARCHIVES = (*MAKES_DATASET, WorkKind.VERIFY)


class Collector:
    """Walks the store; blocking, so called through a thread."""

    def __init__(self, catalog: Catalog, store: ObjectStore, min_age_s: float = MIN_AGE_S) -> None:
        self._catalog = catalog
        self._store = store
        self._min_age_s = min_age_s

    def collect(self, *, dry_run: bool = False) -> list[ObjectStat]:
        """Remove the garbage and return it; with ``dry_run`` only return it."""
        garbage = list(self._garbage())
        if not dry_run:
            self._store.remove_leftovers(self._min_age_s)
            if garbage:
                reach("garbage_marked")
            for each in garbage:
                self._store.delete(each.name)
                reach("garbage_half_removed")
        return garbage

    def _garbage(self) -> Iterator[ObjectStat]:
        oldest = time.time() - self._min_age_s
        by_key: dict[str, list[ObjectStat]] = {}
        for each in self._store.list(""):
            key, slash, _ = each.name.partition("/")
            # Only what lies below a dataset's key is ours to judge.
            if slash and len(key) in names.KEY_LENGTHS and each.modify_time < oldest:
                by_key.setdefault(key, []).append(each)
        for key, objects in by_key.items():
            named = self._catalog.read(lambda tx, key=key: _named(tx, key))  # type: ignore[misc]
            if named is not None:
                yield from (each for each in objects if not _is_named(each.name, named))


def _named(tx: Transaction, key: str) -> set[str] | None:
    """Return the objects that rows name; None while work on the key is unfinished: leave all alone."""
    if tx.find(Work, Where("subject", "=", key), Where("kind", "in", _ON_ARCHIVES), UNFINISHED, limit=1):
        return None
    dataset = tx.get(Dataset, key)
    named = {shard.object for shard in tx.find(Shard, Where("key", "=", key))}
    if dataset is not None and (dataset.state == DatasetState.READY or dataset.imported) and dataset.archive_object:
        # Nobody can build an imported dataset again: whatever its state, its archive stays until somebody deletes it.
        named.add(dataset.archive_object)
    return named


def _is_named(name: str, named: set[str]) -> bool:
    # A committed shard's facts lie beside it under the same stem.
    stems = (each.removesuffix(".entry") for each in named if each.endswith(".entry"))
    return name in named or any(name.startswith(stem) for stem in stems)
