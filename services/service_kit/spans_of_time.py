"""Refuses messages whose moments and spans of time are none: nothing behind would know what to make of them."""

from __future__ import annotations

import functools
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from service_kit.errors import InvalidArgument

_NANOS = 10**9
# By the definitions of the two: 10,000 years either way, and the years 1 to 9999.
_SECONDS = {
    "google.protobuf.Duration": range(-315_576_000_000, 315_576_000_001),
    "google.protobuf.Timestamp": range(-62_135_596_800, 253_402_300_800),
}


def check_times(message: Any, path: str = "") -> None:
    """Raise `InvalidArgument`, naming the field, for a `Duration` or `Timestamp` that is out of its range."""
    for field, kind in _leading_to_times(message.DESCRIPTOR):
        if field.is_repeated:
            for each in getattr(message, field.name):
                check_times(each, f"{path}{field.name}.")
        elif message.HasField(field.name):
            value = getattr(message, field.name)
            if kind not in _SECONDS:
                check_times(value, f"{path}{field.name}.")
            elif not _valid(value, kind):
                raise InvalidArgument.of([(path + field.name, f"{value.seconds} s and {value.nanos} ns are no {kind}")])


def _valid(value: Any, kind: str) -> bool:
    if value.seconds not in _SECONDS[kind] or not -_NANOS < value.nanos < _NANOS:
        return False
    if kind == "google.protobuf.Timestamp":
        return bool(value.nanos >= 0)
    return not (value.seconds > 0 > value.nanos or value.seconds < 0 < value.nanos)


@functools.cache
def _leading_to_times(kind: Descriptor) -> tuple[tuple[FieldDescriptor, str], ...]:
    """Return the fields that are moments or spans, or hold some, each with the full name of its kind."""
    inner = [(field, field.message_type) for field in kind.fields if field.message_type is not None]
    return tuple((field, each.full_name) for field, each in inner if _leads(each, ()))


def _leads(kind: Descriptor, above: tuple[Descriptor, ...]) -> bool:
    if kind.full_name in _SECONDS:
        return True
    if kind.GetOptions().map_entry or kind in above:
        return False
    return any(_leads(field.message_type, (*above, kind)) for field in kind.fields if field.message_type is not None)
