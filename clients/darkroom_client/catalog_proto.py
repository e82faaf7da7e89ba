"""Turns a registry's catalogue messages into plain values."""

from __future__ import annotations

import json
from typing import Any

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client.catalog import Definition, Handler, Option, RawDataset, Runner, Usage, VerifyReport
from darkroom_client.snapshot_proto import moment


def definition(message: dataset_pb2.Definition) -> Definition:
    """Return the value of a ``Definition`` message."""
    return Definition(message.dataset_name, message.handler, dict(message.raw), moment(message, "update_time"))


def handler(message: dataset_pb2.Handler) -> Handler:
    """Return the value of a ``Handler`` message."""
    return Handler(
        name=message.name,
        description=message.description,
        roles=tuple(message.roles),
        options=tuple(map(_option, message.options)),
        version=message.version,
        commit=message.commit,
        example_config=json.loads(message.example_config_json or "{}"),
        lock_digest=message.lock_digest,
        python=message.python,
    )


def raw_dataset(message: dataset_pb2.RawDataset) -> RawDataset:
    """Return the value of a ``RawDataset`` message."""
    return RawDataset(
        name=message.name,
        file_count=message.file_count,
        size_bytes=message.size_bytes,
        digest=message.digest,
        scan_time=moment(message, "scan_time"),
        runners=tuple(message.runners),
    )


def runner(message: dataset_pb2.Runner) -> Runner:
    """Return the value of a ``Runner`` message."""
    return Runner(
        name=message.name,
        cores=message.cores,
        free_bytes=message.free_bytes,
        repositories=tuple(message.repositories),
        raw_datasets=tuple(message.raw_datasets),
        seen_time=moment(message, "seen_time"),
        version=message.version,
        sandbox=message.sandbox,
        refused_repositories=tuple(message.refused_repositories),
    )


def usage(message: dataset_pb2.Usage) -> Usage:
    """Return the value of a ``Usage`` message."""
    return Usage(
        group=message.group,
        dataset_name=message.dataset_name,
        requests=message.request_count,
        hits=message.hit_count,
        joined=message.joined_count,
        builds=message.build_count,
        build_time=message.build_time.ToTimedelta(),
        downloads=message.download_count,
        download_bytes=message.download_bytes,
    )


def verify_report(message: dataset_pb2.VerifyReport) -> VerifyReport:
    """Return the value of a ``VerifyReport`` message."""
    return VerifyReport(
        ok=message.ok,
        shards_read=message.shards_read,
        shards_rebuilt=message.shards_rebuilt,
        problems=tuple(message.problems),
        evicted=message.evicted,
    )


def _option(message: Any) -> Option:
    return Option(
        name=message.name,
        type=message.type,
        required=not message.default_json,
        default=json.loads(message.default_json or "null"),
        description=message.description,
        constraint=message.constraint,
        read_time=message.read_time,
        example=json.loads(message.example_json or "null"),
    )
