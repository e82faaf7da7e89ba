"""Finds the datasets that come nearest to one that is not built, names the raw files that differ, and what it costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dataset_registry import watched
from dataset_registry.catalog import Catalog, Transaction, Where
from dataset_registry.cost import Cost, Finished, estimate
from dataset_registry.explaining import Candidate, Difference, Near, nearest
from dataset_registry.gathering import join_work
from dataset_registry.records import Dataset, RawDataset, Recipe, Runner, Work
from dataset_registry.spec import DatasetSpec
from dataset_registry.states import DatasetState, WorkKind, WorkState
from dataset_registry.views import RUNNER_AWAY_S, DatasetView, can_do, load_dataset, no_work
from dataset_registry.watching import Board
from service_kit.errors import NotFound

# Older datasets of a name are not looked at.
LOOKED_AT = 200
SHOWN = 3
# How long an answer waits for the names of raw files.
COMPARE_S = 3.0


@dataclass(frozen=True)
class NearDataset:
    """A dataset that is ready, in what it differs, and by role how its raw files differ, as far as that is known."""

    view: DatasetView
    differences: tuple[Difference, ...]
    raw: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """What can be said of a miss."""

    nearest: tuple[NearDataset, ...] = ()
    cost: Cost | None = None


class Nearest:
    """Explains misses; reads the newest rows only, and waits for runners only so long."""

    def __init__(self, catalog: Catalog, board: Board, compare_s: float = COMPARE_S) -> None:
        self._catalog = catalog
        self._board = board
        self._compare_s = compare_s

    async def explain(self, recipe: Recipe, spec: DatasetSpec) -> Explanation:
        """Return what is nearest to a dataset that is not ready, and what building it would cost."""
        asked = json.loads(spec.preimage())

        def step(tx: Transaction) -> tuple[list[tuple[Near, DatasetView]], Cost | None]:
            near = nearest(asked, _candidates(tx, spec), SHOWN)
            cost = estimate(asked, _raw_files(tx, recipe, spec), _finished(tx, spec))
            return [(each, load_dataset(tx, each.key)) for each in near], cost

        found, cost = await self._catalog.read_soon(step)
        changes = await self._compared(recipe, [each for near, _ in found for each in near.differences if each.role])
        shown = [
            NearDataset(
                view,
                near.differences,
                {
                    each.role: changes[each.asked, each.other]
                    for each in near.differences
                    if each.role and changes.get((each.asked, each.other))
                },
            )
            for near, view in found
        ]
        return Explanation(tuple(shown), cost)

    async def _compared(self, recipe: Recipe, differences: list[Difference]) -> Mapping[Any, Mapping[str, Any]]:
        """Return (digest, other digest) to how the files differ; what takes too long is left out."""
        changes: dict[Any, Mapping[str, Any]] = {}
        # A role that one side does not have has no files there to compare.
        pairs = {
            (each.asked, each.other): recipe.raw[each.role]
            for each in differences
            if each.role in recipe.raw and isinstance(each.asked, str) and isinstance(each.other, str)
        }
        with suppress(TimeoutError):
            async with asyncio.timeout(self._compare_s):
                await asyncio.gather(*(self._compare(name, pair, changes) for pair, name in pairs.items()))
        return changes

    async def _compare(self, name: str, pair: tuple[str, str], changes: dict[Any, Mapping[str, Any]]) -> None:
        digest, other = pair
        task = {"raw_dataset": name, "digest": digest, "other_digest": other}

        def step(tx: Transaction) -> Work | None:
            # Nobody is there to ask: no reason to wait.
            work = Work(id="", raw_names=[name])
            if not any(
                can_do(each, work) for each in tx.find(Runner, Where("seen_time", ">", tx.now() - RUNNER_AWAY_S))
            ):
                return None
            return join_work(tx, WorkKind.COMPARE, f"{digest}/{other}", raw_names=[name], task=task)

        work = await self._catalog.write_soon(step)
        if work is None:
            return
        try:
            # Work that failed or is gone has nothing to say.
            with suppress(NotFound):
                async for view in self._board.watch(watched.works, work.id, no_work(work.id)):
                    if view.value.work.state == WorkState.DONE and view.value.work.result:
                        changes[pair] = view.value.work.result
        except asyncio.CancelledError:
            await self._catalog.write_soon(lambda tx: _withdraw(tx, work.id))
            raise


def _candidates(tx: Transaction, spec: DatasetSpec) -> list[Candidate]:
    newest = tx.find(
        Dataset,
        Where("dataset_name", "=", spec.dataset_name),
        Where("state", "=", DatasetState.READY),
        order=("-create_time", "-id"),
        limit=LOOKED_AT,
    )
    return [Candidate(each.id, json.loads(each.preimage), each.finish_time) for each in newest if not each.imported]


def _finished(tx: Transaction, spec: DatasetSpec) -> list[Finished]:
    """Return the newest builds of any dataset name, and an earlier one of the same key whose archive is gone."""
    ready = Where("state", "=", DatasetState.READY)
    newest = tx.find(Dataset, ready, order=("-create_time", "-id"), limit=LOOKED_AT)
    of_name = tx.find(
        Dataset, Where("dataset_name", "=", spec.dataset_name), ready, order=("-create_time", "-id"), limit=LOOKED_AT
    )
    same = tx.get(Dataset, spec.key())
    found = {each.id: each for each in [*newest, *of_name, *([same] if same else [])]}
    built = [each for each in found.values() if each.example_count and not each.imported]
    times = _build_times(tx, built)
    return [
        Finished(
            key=each.id,
            preimage=json.loads(each.preimage),
            example_count=each.example_count,
            size_bytes=each.archive_size_bytes,
            build_s=times[each.id],
            ready_time=each.finish_time,
            raw_files={raw["role"]: int(raw.get("file_count", 0)) for raw in each.build_task.get("raw", ())},
        )
        for each in built
        if each.id in times
    ]


def _build_times(tx: Transaction, built: list[Dataset]) -> dict[str, float]:
    """Return how long each took from claim to end; of a build that was taken over, from its request."""
    times = {each.id: each.finish_time - each.start_time for each in built if each.state == DatasetState.READY}
    done = tx.find(
        Work,
        Where("kind", "=", WorkKind.BUILD),
        Where("subject", "in", [each.id for each in built]),
        Where("state", "=", WorkState.DONE),
    )
    for work in sorted(done, key=lambda each: each.finish_time):
        if work.attempt == 1 and not work.progress.get("shards_reused"):
            times[work.subject] = work.finish_time - work.start_time
    return times


def _raw_files(tx: Transaction, recipe: Recipe, spec: DatasetSpec) -> dict[str, int]:
    known = {role: tx.get(RawDataset, name) for role, name in recipe.raw.items()}
    return {role: raw.file_count for role, raw in known.items() if raw is not None and raw.digest == spec.raw[role]}


def _withdraw(tx: Transaction, identity: str) -> None:
    """Take back a comparison that no runner has begun: nobody waits for it any more."""
    work = tx.get(Work, identity)
    if work is not None and work.state == WorkState.QUEUED:
        tx.put(work.ended(tx.now(), WorkState.CANCELLED))
