"""Normalises a config value by its option's schema, which is plain data: what the registry and a handler agree on.

A schema is a JSON object: ``type`` is ``integer``, ``number``, ``boolean``, ``string``, ``size``, ``list``, ``object``
or ``any``; beside it ``minimum``, ``maximum``, ``exclusive_minimum``, ``choices``, ``nullable``, for a list ``items``
(a schema), ``min_items`` and ``max_items``, for an object ``keys`` (the schema of each value).
"""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Dict, Mapping

from dataset_handlers.errors import BadConfig

Schema = Mapping[str, Any]

MAX_INTEGER = 2**53 - 1
"""Beyond it, JSON written as RFC 8785 says loses digits."""


def normalise(schema: Schema, value: Any, field: str) -> Any:
    """Returns ``value`` in its one normal form, or raises ``BadConfig`` that names ``field`` and what would do."""
    if value is None:
        if schema.get("nullable") or schema["type"] == "any":
            return None
        raise _refused(field, value, schema)
    normal = _BY_TYPE[schema["type"]](schema, value, field)
    choices = schema.get("choices")
    if choices is not None and not any(_same(normal, choice) for choice in choices):
        raise _refused(field, value, schema)
    return normal


def constraint(schema: Schema) -> str:
    """Says in words what a value must be, for messages and for `darkroom handlers show`."""
    text = _constraint_of_type(schema)
    return text + " or null" if schema.get("nullable") and schema["type"] != "any" else text


def _constraint_of_type(schema: Schema) -> str:
    if "choices" in schema:
        return "one of " + ", ".join(str(choice) for choice in schema["choices"])
    kind = schema["type"]
    if kind == "size":
        return "[height, width], whole numbers of pixels" + _range(schema, default_minimum=1)
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _range(schema)
    if kind == "list":
        items = schema.get("items", {"type": "any"})
        inner = "" if items["type"] == "any" else ", each " + constraint(items)
        least, most = schema.get("min_items"), schema.get("max_items")
        if least is not None and least == most:
            return f"a list of {least}{inner}"
        counts = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
        return "a list" + (f" of {' and '.join(counts)}" if counts else "") + inner
    if kind == "object":
        keys = schema.get("keys")
        return "an object" + (f", each value {constraint(keys)}" if keys else "")
    return {"boolean": "true or false", "string": "text", "any": "any value"}[str(kind)]


def _range(schema: Schema, default_minimum: Any = None) -> str:
    least, most = schema.get("minimum", default_minimum), schema.get("maximum")
    above = schema.get("exclusive_minimum")
    words = []
    if above is not None:
        words.append(f"above {above}")
    if least is not None and most is not None:
        words.append(f"from {least} to {most}")
    elif least is not None:
        words.append(f"at least {least}")
    elif most is not None:
        words.append(f"at most {most}")
    return " " + " and ".join(words) if words else ""


def _refused(field: str, value: Any, schema: Schema) -> BadConfig:
    shown = repr(value)
    return BadConfig([(field, f"{shown if len(shown) <= 80 else shown[:77] + '...'} is not {constraint(schema)}")])


def _same(left: Any, right: Any) -> bool:
    # True == 1 in Python, but not in JSON.
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _in_range(schema: Schema, value: float) -> bool:
    above = schema.get("exclusive_minimum")
    return (
        (schema.get("minimum") is None or value >= schema["minimum"])
        and (schema.get("maximum") is None or value <= schema["maximum"])
        and (above is None or value > above)
    )


def _integer(schema: Schema, value: Any, field: str) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or abs(value) > MAX_INTEGER or not _in_range(schema, value):
        raise _refused(field, value, schema)
    return int(value)


def _number(schema: Schema, value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _refused(field, value, schema)
    if not _in_range(schema, value):
        raise _refused(field, value, schema)
    return float(value)


def _boolean(schema: Schema, value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise _refused(field, value, schema)
    return value


def _string(schema: Schema, value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise _refused(field, value, schema)
    return value


def _size(schema: Schema, value: Any, field: str) -> Any:
    sides = value
    if isinstance(value, str):
        text = re.match(r"^\s*(\d+)\s*[xX]\s*(\d+)\s*$", value)
        sides = [int(side) for side in text.groups()] if text else None
    elif isinstance(value, (int, float)):
        sides = [value, value]
    if not isinstance(sides, (list, tuple)) or len(sides) != 2:
        raise _refused(field, value, schema)
    side_schema = {"type": "integer", "minimum": schema.get("minimum", 1), "maximum": schema.get("maximum")}
    try:
        return [_integer(side_schema, side, field) for side in sides]
    except BadConfig:
        raise _refused(field, value, schema) from None


def _list(schema: Schema, value: Any, field: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise _refused(field, value, schema)
    if len(value) < schema.get("min_items", 0) or len(value) > schema.get("max_items", len(value)):
        raise _refused(field, value, schema)
    items = schema.get("items", {"type": "any"})
    return _each(items, ((index, f"{field}[{index}]", item) for index, item in enumerate(value)), list_wanted=True)


def _object(schema: Schema, value: Any, field: str) -> Any:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _refused(field, value, schema)
    keys = schema.get("keys") or {"type": "any"}
    return _each(keys, ((key, f"{field}.{key}", value[key]) for key in sorted(value)), list_wanted=False)


def _any(schema: Schema, value: Any, field: str) -> Any:
    if isinstance(value, (list, tuple)):
        return _list({"type": "list"}, value, field)
    if isinstance(value, Mapping):
        return _object({"type": "object"}, value, field)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadConfig([(field, f"{value!r} has no form in JSON")])
    if isinstance(value, (bool, int, float, str)):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    raise BadConfig([(field, f"{type(value).__name__} has no form in JSON")])


def _each(schema: Schema, items: Any, list_wanted: bool) -> Any:
    normal: Dict[Any, Any] = {}
    violations = []
    for key, field, item in items:
        try:
            normal[key] = normalise(schema, item, field)
        except BadConfig as error:
            violations += error.violations
    if violations:
        raise BadConfig(violations)
    return list(normal.values()) if list_wanted else normal


_BY_TYPE: Dict[str, Callable[[Schema, Any, str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _string,
    "size": _size,
    "list": _list,
    "object": _object,
    "any": _any,
}
