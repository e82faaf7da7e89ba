"""Turns what is said of a miss into messages."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format

from darkroom.dataset.v1 import dataset_pb2
from dataset_registry import wire
from dataset_registry.cost import Cost
from dataset_registry.explaining import ABSENT, Difference
from dataset_registry.nearest import NearDataset


def near_message(near: NearDataset) -> dataset_pb2.NearDataset:
    """Return a near dataset's message."""
    return dataset_pb2.NearDataset(
        dataset=wire.dataset_message(near.view),
        differences=[_difference(each, near.raw.get(each.role)) for each in near.differences],
    )


def cost_message(cost: Cost | None) -> dataset_pb2.BuildCost | None:
    """Return an estimate's message, or None when there is none."""
    if cost is None:
        return None
    message = dataset_pb2.BuildCost(example_count=cost.example_count, size_bytes=cost.size_bytes, basis=cost.basis)
    message.build_time.FromMilliseconds(round(cost.build_s * 1000))
    return message


def _difference(difference: Difference, raw: Any) -> dataset_pb2.Difference:
    message = dataset_pb2.Difference(
        field=difference.field, asked_json=_text(difference.asked), other_json=_text(difference.other)
    )
    if raw:
        # A newer runner may say more than this registry knows.
        json_format.ParseDict(raw, message.raw, ignore_unknown_fields=True)
    return message


def _text(value: Any) -> str:
    return "" if value is ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)
