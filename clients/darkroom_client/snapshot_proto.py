"""Turns the messages that a registry sends into the values that a watcher sees."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client.snapshot import (
    DatasetSnapshot,
    DatasetState,
    Failure,
    Progress,
    RequestSnapshot,
    RequestState,
    Stage,
    Violation,
)


def request_snapshot(message: dataset_pb2.Request) -> RequestSnapshot:
    """Return the value of a ``Request`` message."""
    dataset = dataset_snapshot(message.dataset) if message.HasField("dataset") else None
    return RequestSnapshot(
        **progress_fields(message.progress),
        name=message.name,
        dataset_name=message.dataset_name,
        handler_version=message.handler_version,
        requester=message.requester,
        state=RequestState(_enum(RequestState, dataset_pb2.RequestState, "REQUEST_STATE_", message.state)),
        key=message.key,
        cached=message.cached,
        joined=message.joined,
        started_by=dataset.started_by if dataset else "",
        failure=_failure(message),
        read_options=json.loads(message.read_options_json or "{}"),
        dataset=dataset,
        create_time=moment(message, "create_time"),
        finish_time=moment(message, "finish_time"),
        expire_time=moment(message, "expire_time"),
        revision=message.revision,
    )


def dataset_snapshot(message: dataset_pb2.Dataset) -> DatasetSnapshot:
    """Return the value of a ``Dataset`` message."""
    progress = progress_fields(message.progress)
    # What was built is what counts once it is known; before, what was planned.
    progress["example_count"] = message.example_count or progress["example_count"]
    progress["shard_count"] = message.shard_count or progress["shard_count"]
    return DatasetSnapshot(
        **progress,
        name=message.name,
        key=message.key,
        dataset_name=message.dataset_name,
        handler_version=message.handler_version,
        state=DatasetState(_enum(DatasetState, dataset_pb2.DatasetState, "DATASET_STATE_", message.state)),
        archive=message.archive,
        digest=message.digest,
        size_bytes=message.size_bytes,
        splits=dict(message.splits),
        preimage=json.loads(message.preimage_json or "{}"),
        failure=_failure(message),
        started_by=message.started_by,
        interest_count=message.interest_count,
        pinned=message.pinned,
        create_time=moment(message, "create_time"),
        ready_time=moment(message, "ready_time"),
        build_time=message.build_time.ToTimedelta() if message.HasField("build_time") else None,
        download_count=message.download_count,
        request_count=message.request_count,
        revision=message.revision,
    )


def progress_fields(message: dataset_pb2.Progress) -> dict[str, Any]:
    """Return the fields of `Progress` that a ``Progress`` message holds."""
    plain = {
        name: getattr(message, name)
        for name in Progress.__dataclass_fields__
        if name not in ("stage", "eta", "skipped")
    }
    return {
        **plain,
        "stage": Stage(_enum(Stage, dataset_pb2.Stage, "STAGE_", message.stage, unknown=Stage.WAITING)),
        "eta": message.eta.ToTimedelta() if message.HasField("eta") else None,
        "skipped": tuple(message.skipped),
    }


def _failure(message: Any) -> Failure | None:
    if not message.HasField("failure"):
        return None
    failure = message.failure
    name = _enum(None, dataset_pb2.FailureClass, "FAILURE_CLASS_", failure.failure_class)
    violations = tuple(Violation(violation.field, violation.description) for violation in failure.violations)
    return Failure(name, failure.message, failure.detail, violations, failure.deterministic)


def _enum(known: Any, descriptor: Any, prefix: str, number: int, unknown: str = "UNKNOWN") -> str:
    # A newer server may send a value that this client has no name for.
    if number not in descriptor.values():
        return unknown
    name = str(descriptor.Name(number)).removeprefix(prefix)
    return name if known is None or name in known.__members__ else unknown


def moment(message: Any, name: str) -> datetime | None:
    """Return the moment that a message holds under ``name``, if any."""
    return getattr(message, name).ToDatetime(UTC) if message.HasField(name) else None
