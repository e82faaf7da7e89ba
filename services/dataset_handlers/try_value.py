"""Finds a value worth trying for an option: one that its schema accepts and that is not the default already."""

from __future__ import annotations

from typing import Any

from dataset_handlers.errors import BadConfig
from dataset_handlers.schema import Schema, normalise


def try_value(schema: Schema, default: Any = None) -> Any:
    """Returns a value to show beside the option, normalised; None where the schema does not say enough."""
    for candidate in _candidates(schema, default):
        try:
            value = normalise(schema, candidate, "example")
        except BadConfig:
            continue
        if value is not None and value != default:
            return value
    return None


def _candidates(schema: Schema, default: Any) -> Any:
    kind = schema["type"]
    if "choices" in schema:
        yield from schema["choices"]
    elif kind == "boolean":
        yield not default
    elif kind == "size":
        # A power of two that networks like; half the default first, which every photo can fill.
        if default is not None:
            yield [max(1, side // 2) for side in default]
        yield from ([256, 256], [64, 64], [schema.get("minimum", 1)] * 2)
    elif kind in ("integer", "number"):
        yield from _numbers(schema, default, whole=kind == "integer")
    elif kind == "list":
        items = schema.get("items", {"type": "any"})
        if "choices" in items:
            count = max(1, schema.get("min_items", 1))
            yield from (items["choices"][start : start + count] for start in range(len(items["choices"])))


def _numbers(schema: Schema, default: Any, whole: bool) -> Any:
    least = schema.get("minimum", schema.get("exclusive_minimum"))
    most = schema.get("maximum")
    if default:
        yield from (default * 2, default // 2 if whole else default / 2)
    if least is not None and most is not None:
        middle = (least + most) / 2
        yield round(middle) if whole else middle
    if least is not None:
        yield from (least + 1, least)
    yield from (1, 0.5)
