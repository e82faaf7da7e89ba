"""Leads each request to its dataset: facts, key, and the one build that all who ask share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dataset_registry.catalog import Transaction
from dataset_registry.failures import FailureClass, answers_for, failure
from dataset_registry.gathering import (
    FactFailed,
    Facts,
    build_task,
    dataset_spec,
    gather,
    join_work,
    recipe_from,
)
from dataset_registry.records import Dataset, RawDataset, Recipe, Request
from dataset_registry.spec import DatasetSpec
from dataset_registry.states import DatasetState, RequestState, WorkKind
from service_kit.errors import FailedPrecondition, InvalidArgument


def advance(
    tx: Transaction, request: Request, raw_max_age_s: float, archive_known: Callable[[Dataset], bool]
) -> tuple[Request, Dataset | None]:
    """Take a request as far as the facts go; returns it, and a dataset whose archive must be looked at first.

    ``archive_known`` says whether a ready dataset's archive was seen lately: a hit whose bytes are gone is no hit.
    """
    match request.state:
        case RequestState.RESOLVING:
            return _resolve(tx, request, raw_max_age_s, archive_known)
        case RequestState.BUILDING:
            return _settle(tx, request), None
        case _:
            return request, None


def evict(tx: Transaction, key: str) -> None:
    """Mark a ready dataset whose archive is gone or bad: the next request builds it again."""
    dataset = tx.get(Dataset, key)
    if dataset is not None and dataset.state == DatasetState.READY:
        tx.put(dataset.ended(tx.now(), DatasetState.EVICTED))


def hold(tx: Transaction, identities: list[str], waiting_for: str) -> None:
    """Say for what requests wait that cannot go on now."""
    for identity in identities:
        request = tx.get(Request, identity)
        if request is not None and request.state == RequestState.RESOLVING and request.waiting_for != waiting_for:
            tx.put(replace(request, waiting_for=waiting_for))


def _resolve(
    tx: Transaction, request: Request, raw_max_age_s: float, archive_known: Callable[[Dataset], bool]
) -> tuple[Request, Dataset | None]:
    recipe = recipe_from(request.recipe)
    try:
        facts = gather(tx, recipe, request.create_time, raw_max_age_s, to_build=True)
        if not isinstance(facts, Facts):
            return request, None
        spec, read_options = dataset_spec(recipe, facts)
        return _join(tx, replace(request, read_options=read_options), recipe, spec, archive_known)
    except FailedPrecondition as error:
        return tx.put(request.failed(tx.now(), failure(FailureClass.SANDBOX, error.message))), None
    except FactFailed as error:
        return tx.put(request.failed(tx.now(), error.failure)), None
    except InvalidArgument as error:
        violations = [{"field": field, "description": description} for field, description in error.violations]
        bad = failure(FailureClass.BAD_CONFIG, error.message, violations=violations)
        return tx.put(request.failed(tx.now(), bad)), None


def _join(
    tx: Transaction, request: Request, recipe: Recipe, spec: DatasetSpec, archive_known: Callable[[Dataset], bool]
) -> tuple[Request, Dataset | None]:
    key, now = spec.key(), tx.now()
    dataset = tx.get(Dataset, key)
    if dataset is not None:
        match dataset.state:
            case DatasetState.READY:
                if not archive_known(dataset):
                    return request, dataset
                return tx.put(request.ready(now, key=key, cached=True)), None
            case DatasetState.BUILDING:
                return tx.put(request.building(key, joined=True)), None
            case DatasetState.FAILED if not request.retry and answers_for(dataset.failure, dataset.finish_time, now):
                return tx.put(replace(request.failed(now, dataset.failure), key=key)), None
    if dataset is None:
        task = {
            **build_task(tx, recipe, spec.config, spec.raw, spec.lock_digest),
            "key": key,
            "preimage_json": spec.preimage(),
        }
        for each in task["raw"]:
            known = tx.get(RawDataset, each["raw_dataset"])
            if known is not None and known.digest == each["digest"]:
                each["file_count"] = known.file_count
        dataset = Dataset(
            id=key,
            dataset_name=recipe.dataset_name,
            version=recipe.version,
            preimage=spec.preimage(),
            build_task=task,
            create_time=now,
        )
    dataset = tx.put(dataset.started(now, request.requester))
    join_work(
        tx,
        WorkKind.BUILD,
        key,
        repository=recipe.repository,
        commit=recipe.commit,
        raw_names=sorted(set(recipe.raw.values())),
        task=dataset.build_task,
        dataset_name=recipe.dataset_name,
        requester=request.requester,
        log_id=request.log_id,
        trace_parent=request.trace_parent,
    )
    return tx.put(request.building(key, joined=False)), None


def _settle(tx: Transaction, request: Request) -> Request:
    """End a request whose dataset ended."""
    dataset = tx.get(Dataset, request.key)
    now = tx.now()
    if dataset is None or dataset.state in (DatasetState.CANCELLED, DatasetState.EVICTED):
        gone = failure(FailureClass.CANCELLED, "the build was stopped by an operator; ask again to build it")
        return tx.put(request.failed(now, gone))
    match dataset.state:
        case DatasetState.READY:
            return tx.put(request.ready(now, key=request.key, cached=False))
        case DatasetState.FAILED:
            return tx.put(request.failed(now, dataset.failure))
        case _:
            return request
