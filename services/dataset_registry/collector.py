"""Removes objects that no row names, that are old, and that belong to no unfinished work; nothing else deletes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import groupby, islice

from dataset_registry import names
from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.gathering import UNFINISHED
from dataset_registry.records import Dataset, Shard, Work
from dataset_registry.states import MAKES_DATASET, DatasetState, WorkKind
from service_kit.crash_points import reach
from service_kit.object_store import ObjectStat, ObjectStore

# Keys that one question to the catalogue is about.
KEYS_AT_ONCE = 100
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
        # Only what lies below a dataset's key is ours to judge.
        ours = (each for each in self._store.list("") if len(_key(each)) in names.KEY_LENGTHS)
        # The store lists by name: what belongs together comes together, and little of it is held at a time.
        by_key = (
            (key, [each for each in objects if each.modify_time < oldest]) for key, objects in groupby(ours, _key)
        )
        some_old = ((key, objects) for key, objects in by_key if objects)
        while some := dict(islice(some_old, KEYS_AT_ONCE)):
            named = self._catalog.read(lambda tx, keys=list(some): named_objects(tx, keys))  # type: ignore[misc]
            for key, objects in some.items():
                if key in named:
                    yield from (each for each in objects if not _is_named(each.name, named[key]))


def named_objects(tx: Transaction, keys: Sequence[str]) -> dict[str, set[str]]:
    """Return the objects that rows name, by key; a key with unfinished work is left out: all of it is left alone."""
    at_work = tx.find(Work, Where("subject", "in", keys), Where("kind", "in", _ON_ARCHIVES), UNFINISHED)
    named: dict[str, set[str]] = {key: set() for key in set(keys).difference(work.subject for work in at_work)}
    for shard in tx.find(Shard, Where("key", "in", list(named))):
        named[shard.key].add(shard.object)
    for dataset in tx.find(Dataset, Where("id", "in", list(named))):
        # Nobody can build an imported dataset again: whatever its state, its archive stays until somebody deletes it.
        if dataset.archive_object and (dataset.state == DatasetState.READY or dataset.imported):
            named[dataset.id].add(dataset.archive_object)
    return named


def _key(each: ObjectStat) -> str:
    """Return the folder that an object lies in, or nothing."""
    return each.name.rpartition("/")[0].partition("/")[0]


def _is_named(name: str, named: set[str]) -> bool:
    # A committed shard's facts lie beside it under the same stem.
    stems = (each.removesuffix(".entry") for each in named if each.endswith(".entry"))
    return name in named or any(name.startswith(stem) for stem in stems)
