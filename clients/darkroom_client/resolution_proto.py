"""Turns a registry's ``Resolution`` message into plain values."""

from __future__ import annotations

import json

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client.resolution import BuildCost, Difference, NearDataset, RawDifference, Resolution
from darkroom_client.snapshot_proto import dataset_snapshot


def resolution(message: dataset_pb2.Resolution) -> Resolution:
    """Return the value of a ``Resolution`` message."""
    return Resolution(
        key=message.key,
        hit=message.hit,
        reason=message.reason,
        preimage=json.loads(message.preimage_json or "{}"),
        dataset=dataset_snapshot(message.dataset) if message.HasField("dataset") else None,
        nearest=tuple(map(_near, message.nearest)),
        cost=_cost(message.cost) if message.HasField("cost") else None,
    )


def _near(message: dataset_pb2.NearDataset) -> NearDataset:
    return NearDataset(dataset_snapshot(message.dataset), tuple(map(_difference, message.differences)))


def _difference(message: dataset_pb2.Difference) -> Difference:
    return Difference(
        field=message.field,
        asked=json.loads(message.asked_json or "null"),
        other=json.loads(message.other_json or "null"),
        raw=_raw(message.raw) if message.HasField("raw") else None,
    )


def _raw(message: dataset_pb2.RawDifference) -> RawDifference:
    return RawDifference(
        added_count=message.added_count,
        removed_count=message.removed_count,
        changed_count=message.changed_count,
        added=tuple(message.added),
        removed=tuple(message.removed),
        changed=tuple(message.changed),
    )


def _cost(message: dataset_pb2.BuildCost) -> BuildCost:
    return BuildCost(message.example_count, message.size_bytes, message.build_time.ToTimedelta(), message.basis)
