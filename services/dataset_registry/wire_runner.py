"""Turns what runners say into values, and what they are told into messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format

from darkroom.handler.v1 import handler_pb2
from dataset_registry import wire
from dataset_registry.records import Runner, Shard, Work
from dataset_registry.states import WorkKind
from service_kit.errors import InvalidArgument

# `import` is no name for a field of a message in Python.
_TASK_FIELDS: Mapping[str, str] = {WorkKind.IMPORT: "import_archive"}


def runner_value(message: handler_pb2.RunnerDescription) -> Runner:
    """Return what a runner says of itself."""
    return Runner(
        id=message.name,
        cores=message.cores,
        free_bytes=message.free_bytes,
        repositories=[
            {"name": each.name, "commit": each.commit, "version": each.version, "refusal": each.refusal}
            for each in message.repositories
        ],
        raw_datasets={each.name: each.file_count for each in message.raw_datasets},
        version=message.version,
        instance=message.instance,
        sandbox=message.sandbox,
    )


def kind_name(kind: int) -> str:
    """Return a kind of work's name; of one that only a newer runner knows a name that no work has."""
    known = handler_pb2.WorkKind.values()
    return handler_pb2.WorkKind.Name(kind).removeprefix("WORK_KIND_") if kind in known else str(kind)


def work_message(work: Work, lease_s: float) -> handler_pb2.Work:
    """Return claimed work's message."""
    message = handler_pb2.Work(
        name=f"work/{work.id}",
        fence=work.fence,
        attempt=work.attempt,
        kind=f"WORK_KIND_{work.kind}",
        log_id=work.log_id,
        trace_parent=work.trace_parent,
    )
    message.lease.FromMilliseconds(round(lease_s * 1000))
    json_format.ParseDict(work.task, getattr(message, _TASK_FIELDS.get(work.kind, work.kind.lower())))
    return message


def shard_value(message: handler_pb2.Shard) -> Shard:
    """Return a shard without its place in the catalogue."""
    return Shard(
        id="",
        split=message.split,
        index=message.index,
        object=message.object,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        crc32=message.crc32,
        record_count=message.record_count,
    )


def shard_message(shard: Shard) -> handler_pb2.Shard:
    """Return a shard's message."""
    return handler_pb2.Shard(
        split=shard.split,
        index=shard.index,
        object=shard.object,
        size_bytes=shard.size_bytes,
        sha256=shard.sha256,
        crc32=shard.crc32,
        record_count=shard.record_count,
    )


def result_value(request: handler_pb2.FinishWorkRequest) -> dict[str, Any]:
    """Return a finished piece of work's result as the catalogue keeps it."""
    match request.WhichOneof("result"):
        case "environment":
            return {"description": _parsed(request.environment.description_json)}
        case "snapshot":
            found = request.snapshot
            return {"digest": found.digest, "file_count": found.file_count, "size_bytes": found.size_bytes}
        case "build" | "import_archive" as field:
            built = getattr(request, field)
            return {
                "archive_object": built.archive_object,
                "archive_size_bytes": built.archive_size_bytes,
                "digest": built.digest,
                "manifest_offset": built.manifest_offset,
                "manifest_size_bytes": built.manifest_size_bytes,
                "example_count": built.example_count,
                "shard_count": built.shard_count,
                "splits": dict(built.splits),
            }
        case "verify":
            return {"shards_rebuilt": request.verify.shards_rebuilt, "problems": list(request.verify.problems)}
        case "preview":
            return wire.as_json(request.preview)
        case "compare":
            return wire.as_json(request.compare.difference) if request.compare.HasField("difference") else {}
        case _:
            raise InvalidArgument.of([("result", "must be set")])


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidArgument.of([("environment.description_json", "is not JSON")]) from None
