"""Answers without building: what a request would get, a contact sheet, a fresh walk over raw photos."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from dataset_registry import names, watched
from dataset_registry.catalog import Catalog
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
)
from dataset_registry.nearest import Explanation, Nearest
from dataset_registry.recipes import Recipes, check_served, listed, served_raw
from dataset_registry.records import Recipe, Work
from dataset_registry.registry import Registry
from dataset_registry.repositories import declared_handler
from dataset_registry.spec import canonical_json, normal_config
from dataset_registry.states import DatasetState, WorkKind, WorkState
from dataset_registry.views import DatasetView, WorkView, no_work
from dataset_registry.watching import Board
from service_kit.errors import FailedPrecondition, InvalidArgument, NotFound


@dataclass(frozen=True)
class Resolution:
    """What a request would get."""

    key: str
    hit: bool
    reason: str
    preimage: str
    dataset: DatasetView | None
    explanation: Explanation


class Inquiries:
    """Gathers facts and waits for them, as a request does, but leaves no interest behind."""

    def __init__(
        self,
        catalog: Catalog,
        recipes: Recipes,
        registry: Registry,
        board: Board,
        raw_max_age_s: float,
        nearest: Nearest | None = None,
    ) -> None:
        self._catalog = catalog
        self._recipes = recipes
        self._registry = registry
        self._board = board
        self._raw_max_age_s = raw_max_age_s
        self._nearest = nearest or Nearest(catalog, board)

    async def resolve(self, dataset_name: str, version: str, config_json: str) -> AsyncIterator[WorkView | Resolution]:
        """Yield stages while facts are gathered, then what a request would get."""
        recipe = await self._recipes.make(dataset_name, version, config_json)
        async for stage in self._gathered(recipe):
            if isinstance(stage, WorkView):
                yield stage
                continue
            spec, _ = dataset_spec(recipe, stage)
            try:
                view = await self._registry.look(spec.key())
            except NotFound:
                view = None
            hit, reason = _hit(view)
            explanation = Explanation() if hit else await self._nearest.explain(recipe, spec)
            yield Resolution(spec.key(), hit, reason, spec.preimage(), view, explanation)

    async def preview(
        self, dataset_name: str, version: str, config_json: str, sample_count: int
    ) -> AsyncIterator[WorkView]:
        """Yield stages; the last one's work holds the picture in ``result``."""
        if not 0 <= sample_count <= 64:
            raise InvalidArgument.of([("sample_count", f"must be 1 to 64, not {sample_count}")])
        recipe = await self._recipes.make(dataset_name, version, config_json)
        asked = await self._catalog.read_soon(lambda tx: tx.now())
        environment = await self._catalog.read_soon(lambda tx: environment_of(tx, recipe))
        while environment is None:
            work = await self._catalog.write_soon(
                lambda tx: join_environment(tx, recipe.repository, recipe.commit, recipe.version, asked)
            )
            async for stage in self.until_done(work):
                yield stage
            environment = await self._catalog.read_soon(lambda tx: environment_of(tx, recipe))
        handler = declared_handler(environment.description, recipe.repository, recipe.handler)
        config = normal_config(recipe.config, list(handler.options))
        lock_digest = environment.description.get("lock_digest", "")
        build = await self._catalog.read_soon(lambda tx: build_task(tx, recipe, config.build, {}, lock_digest))
        task = {"build": build, "sample_count": sample_count or 16}
        work = await self._catalog.write_soon(
            lambda tx: join_work(
                tx,
                WorkKind.PREVIEW,
                # A digest: an index of PostgreSQL has no room for a long config.
                f"preview/{hashlib.sha256(canonical_json(task).encode()).hexdigest()}",
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
        known = await self._catalog.read_soon(served_raw)
        if raw_dataset not in known:
            raise NotFound(f"no runner serves a raw dataset {raw_dataset!r}; there are: {listed(known)}")
        asked = await self._catalog.read_soon(lambda tx: tx.now())
        work = await self._catalog.write_soon(lambda tx: join_snapshot(tx, raw_dataset, asked))
        async for stage in self.until_done(work):
            yield stage

    async def _gathered(self, recipe: Recipe) -> AsyncIterator[WorkView | Facts]:
        asked = await self._catalog.read_soon(lambda tx: tx.now())
        await self._catalog.read_soon(lambda tx: check_served(tx, recipe))
        while True:
            try:
                facts = await self._catalog.write_soon(lambda tx: gather(tx, recipe, asked, self._raw_max_age_s))
            except FactFailed as error:
                raise FailedPrecondition(str(error), reason=error.failure["failure_class"]) from None
            if isinstance(facts, Facts):
                yield facts
                return
            async for stage in self.until_done(facts[0]):
                yield stage

    async def until_done(self, work: Work) -> AsyncIterator[WorkView]:
        """Yield the work's views to the end. Raises `FailedPrecondition` when it fails."""
        async for view in self._board.watch(watched.works, work.id, no_work(work.id)):
            yield view.value
            if view.value.work.state in (WorkState.FAILED, WorkState.CANCELLED):
                raise work_failed(view.value.work.failure)


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
