"""Turns values into the messages of `DatasetService`, and back; what runners say is in `wire_runner`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf import duration_pb2, json_format, timestamp_pb2

from darkroom.dataset.v1 import dataset_pb2
from dataset_registry.names import archive_name
from dataset_registry.options import constraint, describe
from dataset_registry.records import Definition, RawDataset, Runner
from dataset_registry.relocking import Relocked
from dataset_registry.repositories import DeclaredHandler
from dataset_registry.states import DatasetState, WorkKind, WorkState
from dataset_registry.views import DatasetView, RequestView, WorkView, dataset_revision
from service_kit.errors import InvalidArgument

LONGEST_LIFE_S = 10 * 365 * 86_400.0
_STAGE_OF_QUEUED = {
    WorkKind.ENVIRONMENT: dataset_pb2.STAGE_ENVIRONMENT,
    WorkKind.SNAPSHOT: dataset_pb2.STAGE_SNAPSHOT,
}


def moment(seconds: float) -> timestamp_pb2.Timestamp | None:
    """Return a Timestamp, or None for 0 (never)."""
    if not seconds:
        return None
    stamp = timestamp_pb2.Timestamp()
    stamp.FromMicroseconds(round(seconds * 1e6))
    return stamp


def time_to_live_s(span: duration_pb2.Duration) -> float:
    """Return how long an interest lives, 0 for ever. Raises `InvalidArgument` for less, or more than ten years."""
    seconds: float = span.ToMilliseconds() / 1e3
    if not 0 <= seconds <= LONGEST_LIFE_S:
        raise InvalidArgument.of([("time_to_live", f"must be 0 to {LONGEST_LIFE_S:.0f} s, not {seconds:.0f} s")])
    return seconds


def as_json(message: Any) -> dict[str, Any]:
    """Return a message as the catalogue keeps it."""
    fields: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return fields


def definition_message(definition: Definition) -> dataset_pb2.Definition:
    """Return a definition's message."""
    return dataset_pb2.Definition(
        dataset_name=definition.id,
        handler=f"{definition.repository}/{definition.handler}",
        raw=definition.raw,
        update_time=moment(definition.update_time),
    )


def request_message(view: RequestView) -> dataset_pb2.Request:
    """Return a request's message."""
    request = view.request
    return dataset_pb2.Request(
        name=f"requests/{request.id}",
        dataset_name=request.dataset_name,
        handler_version=request.version,
        config_json=request.config_json,
        requester=request.requester,
        state=f"REQUEST_STATE_{request.state}",
        key=request.key,
        cached=request.cached,
        joined=request.joined,
        progress=progress_message(view.work) or dataset_pb2.Progress(waiting_for=request.waiting_for),
        failure=failure_message(request.failure),
        read_options_json=json.dumps(request.read_options),
        dataset=dataset_message(view.dataset) if view.dataset else None,
        create_time=moment(request.create_time),
        finish_time=moment(request.finish_time),
        expire_time=moment(request.expire_time),
        revision=view.revision,
    )


def dataset_message(view: DatasetView) -> dataset_pb2.Dataset:
    """Return a dataset's message."""
    dataset = view.dataset
    message = dataset_pb2.Dataset(
        name=f"datasets/{dataset.id}",
        key=dataset.id,
        dataset_name=dataset.dataset_name,
        handler_version=dataset.version,
        state=f"DATASET_STATE_{dataset.state}",
        archive=archive_name(dataset.dataset_name, dataset.version, dataset.id),
        digest=dataset.digest,
        example_count=dataset.example_count,
        size_bytes=dataset.archive_size_bytes,
        shard_count=dataset.shard_count,
        splits={name: int(count) for name, count in dataset.splits.items()},
        preimage_json=dataset.preimage,
        progress=progress_message(view.work),
        failure=failure_message(dataset.failure),
        started_by=dataset.started_by,
        interest_count=view.interest_count,
        pinned=dataset.pinned,
        create_time=moment(dataset.create_time),
        download_count=view.download_count,
        request_count=view.request_count,
        revision=dataset_revision(view),
    )
    if dataset.state == DatasetState.READY:
        message.ready_time.CopyFrom(moment(dataset.finish_time))
        message.build_time.FromMilliseconds(round((dataset.finish_time - dataset.start_time) * 1000))
    return message


def dataset_state(value: int) -> DatasetState | None:
    """Return a state, or None for unspecified. Raises `InvalidArgument` for a number without a name."""
    try:
        name = dataset_pb2.DatasetState.Name(value).removeprefix("DATASET_STATE_")
    except ValueError:
        raise InvalidArgument.of([("state", f"{value} is no state")]) from None
    return DatasetState(name) if value else None


def progress_message(view: WorkView | None) -> dataset_pb2.Progress | None:
    """Return the progress of the work that somebody waits for."""
    if view is None:
        return None
    work = view.work
    progress = json_format.ParseDict(work.progress, dataset_pb2.Progress())
    progress.runner, progress.attempt = work.runner, work.attempt
    if work.state == WorkState.DONE:
        progress.stage = dataset_pb2.STAGE_FINISHED
        progress.ClearField("eta")
    elif not progress.stage:
        progress.stage = _STAGE_OF_QUEUED.get(WorkKind(work.kind), dataset_pb2.STAGE_QUEUED)
    if work.state == WorkState.QUEUED:
        progress.queue_position, progress.waiting_for = view.queue_position, view.waiting_for
    return progress


def failure_message(failure: Mapping[str, Any]) -> dataset_pb2.Failure | None:
    """Return a failure's message, or None for an empty one."""
    if not failure:
        return None
    return dataset_pb2.Failure(
        failure_class=f"FAILURE_CLASS_{failure['failure_class']}",
        message=failure["message"],
        detail=failure.get("detail", ""),
        violations=[dataset_pb2.FieldViolation(**each) for each in failure.get("violations", ())],
        deterministic=failure.get("deterministic", False),
    )


def failure_value(message: dataset_pb2.Failure) -> dict[str, Any]:
    """Return a failure as the catalogue keeps it."""
    # A class that only a newer runner knows says no more than that it failed.
    known = message.failure_class in dataset_pb2.FailureClass.values()
    number = message.failure_class if known else dataset_pb2.FAILURE_CLASS_INTERNAL
    kind = dataset_pb2.FailureClass.Name(number).removeprefix("FAILURE_CLASS_")
    if kind == "UNSPECIFIED":
        raise InvalidArgument.of([("failure.failure_class", "must say the class")])
    violations = [{"field": each.field, "description": each.description} for each in message.violations]
    return {
        "failure_class": kind,
        "message": message.message,
        "detail": message.detail,
        "violations": violations,
        "deterministic": message.deterministic,
    }


def handler_message(repository: str, version: str, commit: str, handler: DeclaredHandler) -> dataset_pb2.Handler:
    """Return a handler's message."""
    return dataset_pb2.Handler(
        name=f"{repository}/{handler.name}",
        description=handler.description,
        roles=handler.roles,
        version=version,
        commit=commit,
        example_config_json=json.dumps(handler.example_config),
        lock_digest=handler.lock_digest,
        python=handler.python,
        options=[
            dataset_pb2.Option(
                name=option.name,
                type=handler.option_texts[option.name]["type"] or describe(option.schema),
                default_json="" if option.required else json.dumps(option.default),
                description=handler.option_texts[option.name]["description"],
                constraint=handler.option_texts[option.name]["constraint"] or constraint(option.schema),
                read_time=option.read_time,
                example_json=json.dumps(handler.option_examples[option.name])
                if option.name in handler.option_examples
                else "",
            )
            for option in handler.options
        ],
    )


def relock_message(stage: WorkView | Relocked) -> dataset_pb2.RelockRepositoryResponse:
    """Return a stage of a relock, or the lock."""
    if isinstance(stage, WorkView):
        return dataset_pb2.RelockRepositoryResponse(progress=progress_message(stage))
    return dataset_pb2.RelockRepositoryResponse(
        commit=stage.commit, previous_lock_digest=stage.previous_digest, lock_digest=stage.digest, lock=stage.text
    )


def raw_dataset_message(name: str, raw: RawDataset | None, counted: int, runners: list[str]) -> dataset_pb2.RawDataset:
    """Return a raw dataset's message; before the first walk its count is the runner's quick one."""
    message = dataset_pb2.RawDataset(name=name, file_count=counted, runners=runners)
    if raw is not None:
        message.file_count, message.size_bytes, message.digest = raw.file_count, raw.size_bytes, raw.digest
        message.scan_time.CopyFrom(moment(raw.scan_time))
    return message


def runner_message(runner: Runner) -> dataset_pb2.Runner:
    """Return a runner's message."""
    return dataset_pb2.Runner(
        name=runner.id,
        cores=runner.cores,
        free_bytes=runner.free_bytes,
        repositories=[each["name"] for each in runner.repositories],
        raw_datasets=sorted(runner.raw_datasets),
        seen_time=moment(runner.seen_time),
        version=runner.version,
        sandbox=runner.sandbox,
        refused_repositories=[
            f"{each['name']}: {each['refusal']}" for each in runner.repositories if each.get("refusal")
        ],
    )
