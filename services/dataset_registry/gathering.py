"""The facts that make a key, and the work that gathers those still missing: once for all who ask."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dataset_registry.catalog import Transaction, Where
from dataset_registry.locks import lock_reference
from dataset_registry.records import Dataset, Environment, RawDataset, Recipe, Work
from dataset_registry.refusals import check_not_refused
from dataset_registry.repositories import declared_handler, environment_id
from dataset_registry.spec import DatasetSpec, Platform, canonical_json, normal_config
from dataset_registry.states import DatasetState, WorkKind, WorkState
from service_kit.logging import current_request_id
from service_kit.tracing import traceparent

UNFINISHED = Where("state", "in", (WorkState.QUEUED, WorkState.RUNNING))


@dataclass(frozen=True)
class Facts:
    """All that a recipe lacked: what the environment declares, and each role's raw digest."""

    description: Mapping[str, Any]
    raw: Mapping[str, str]


class FactFailed(Exception):
    """A piece of work that should have gathered a fact failed since the asking."""

    def __init__(self, failure: Mapping[str, Any]) -> None:
        super().__init__(failure.get("message", ""))
        self.failure = dict(failure)


def join_work(tx: Transaction, kind: WorkKind, subject: str, **new: Any) -> Work:
    """Return the unfinished work on the subject; puts it in the queue when there is none.

    Raises `FailedPrecondition` (SANDBOX) for code that no runner will run.
    """
    ours = Where("kind", "=", kind), Where("subject", "=", subject)
    running = tx.find(Work, *ours, UNFINISHED, limit=1)
    if running:
        return running[0]
    check_not_refused(tx, new.get("repository", ""))
    # Fences go on where the last work's ended: one names a place in the store, which no two claims may ever share.
    last = tx.find(Work, *ours, order=("-fence",), limit=1)
    fence = last[0].fence if last else 0
    new.setdefault("log_id", current_request_id())
    new.setdefault("trace_parent", traceparent())
    return tx.put(Work(id=uuid.uuid4().hex, kind=kind, subject=subject, fence=fence, create_time=tx.now(), **new))


def environment_of(tx: Transaction, recipe: Recipe) -> Environment | None:
    """Return what the recipe's commit declares, if it was ever gathered."""
    return tx.get(Environment, environment_id(recipe.repository, recipe.commit))


def gather(
    tx: Transaction, recipe: Recipe, asked: float, raw_max_age_s: float, *, to_build: bool = False
) -> Facts | list[Work]:
    """Return the facts, or the work that is under way for those missing; ``to_build``: a build of them may follow.

    Raises `FactFailed` when such work failed after ``asked``.
    """
    missing: list[Work] = []
    environment = environment_of(tx, recipe)
    if environment is None:
        missing.append(join_environment(tx, recipe.repository, recipe.commit, recipe.version, asked))
    digests = {}
    expected: dict[str, Any] | None = None
    for role, name in recipe.raw.items():
        raw = tx.get(RawDataset, name)
        if raw is not None and raw.digest and asked - raw_max_age_s <= raw.scan_time <= tx.now():
            digests[role] = raw.digest
        else:
            if expected is None:
                expected = _expected_build(tx, recipe, environment) if to_build and environment else {}
            missing.append(join_snapshot(tx, name, asked, expected))
    if environment is None or missing:
        return missing
    return Facts(environment.description, digests)


def join_environment(tx: Transaction, repository: str, commit: str, version: str, asked: float) -> Work:
    """Return the work that describes a repository at a commit."""
    subject = environment_id(repository, commit)
    _raise_failed(tx, WorkKind.ENVIRONMENT, subject, asked)
    task = {"repository": repository, "commit": commit, "version": version}
    return join_work(tx, WorkKind.ENVIRONMENT, subject, repository=repository, commit=commit, task=task)


def join_snapshot(tx: Transaction, name: str, asked: float, expected: Mapping[str, Any] | None = None) -> Work:
    """Return the work that walks a raw dataset; ``expected`` are the task's fields on the build that may follow."""
    _raise_failed(tx, WorkKind.SNAPSHOT, name, asked)
    task = {"raw_dataset": name, **(expected or {})}
    return join_work(tx, WorkKind.SNAPSHOT, name, raw_names=[name], task=task)


def _expected_build(tx: Transaction, recipe: Recipe, environment: Environment) -> dict[str, Any]:
    """Return what a runner may make ready during the walks; nothing where unchanged raw data would give a hit."""
    known = {role: tx.get(RawDataset, name) for role, name in recipe.raw.items()}
    digests = {role: raw.digest for role, raw in known.items() if raw is not None}
    spec, _ = dataset_spec(recipe, Facts(environment.description, digests))
    dataset = tx.get(Dataset, spec.key())
    if dataset is not None and dataset.state in (DatasetState.READY, DatasetState.BUILDING):
        return {}
    task = build_task(tx, recipe, spec.config, digests, spec.lock_digest)
    return {"expected": task["environment"], "expected_raw": sorted(set(recipe.raw.values()))}


def dataset_spec(recipe: Recipe, facts: Facts) -> tuple[DatasetSpec, dict[str, Any]]:
    """Return what the dataset is made from, and the read-time options. Raises `InvalidArgument`."""
    handler = declared_handler(facts.description, recipe.repository, recipe.handler)
    config = normal_config(recipe.config, list(handler.options))
    spec = DatasetSpec(
        dataset_name=recipe.dataset_name,
        repository=recipe.repository,
        commit=recipe.commit,
        handler=recipe.handler,
        lock_digest=facts.description.get("lock_digest", ""),
        dataset_handlers=facts.description["dataset_handlers_version"],
        platform=Platform(**facts.description["platform"]),
        config=config.build,
        raw=facts.raw,
    )
    return spec, config.read


def build_task(
    tx: Transaction, recipe: Recipe, config: Mapping[str, Any], raw: Mapping[str, str], lock_digest: str
) -> dict[str, Any]:
    """Return what a runner needs to build (or preview) the recipe; the proto's fields by name, but for the lock."""
    return {
        "dataset_name": recipe.dataset_name,
        "handler_version": recipe.version,
        "environment": {
            "repository": recipe.repository,
            "commit": recipe.commit,
            "version": recipe.version,
            **lock_reference(tx, lock_digest),
        },
        "handler": recipe.handler,
        "config_json": canonical_json(dict(config)),
        "raw": [{"role": role, "raw_dataset": name, "digest": raw.get(role, "")} for role, name in recipe.raw.items()],
    }


def recipe_from(row: Mapping[str, Any]) -> Recipe:
    """Return the recipe that a request's row holds."""
    return Recipe(**row)


def recipe_row(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as a request's row holds it."""
    return asdict(recipe)


def _raise_failed(tx: Transaction, kind: WorkKind, subject: str, asked: float) -> None:
    latest: Sequence[Work] = tx.find(
        Work, Where("kind", "=", kind), Where("subject", "=", subject), order=("-create_time",), limit=1
    )
    if latest and latest[0].state == WorkState.FAILED and asked <= latest[0].finish_time <= tx.now():
        raise FactFailed(latest[0].failure)
