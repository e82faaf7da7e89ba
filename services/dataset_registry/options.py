"""Checks a config against a handler's declared options, fills in defaults, and gives each value its one form."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Any
Schema = Mapping[str, Any]

# RFC 8785 writes numbers as doubles: integers beyond this lose digits.
MAX_INTEGER = 2**53 - 1
_SIZE = re.compile(r"([1-9][0-9]{0,5})x([1-9][0-9]{0,5})")


@dataclass(frozen=True)
class Option:
    """One option as a handler declares it; ``schema`` is plain data, see `docs/handler_contract.md`."""

    name: str
    schema: Schema
    read_time: bool = False
    default: Json = None
    required: bool = False


class Misfit(Exception):
    """A value that does not fit its schema: where below the option, and what would do."""

    def __init__(self, path: str, wanted: str, value: Json) -> None:
        super().__init__(f"{wanted}, not {_shown(value)}")
        self.path = path
        self.description = str(self)


@dataclass(frozen=True)
class NormalConfig:
    """A config in its one form: what the key is made from, and what only the reader sees."""

    build: dict[str, Json]
    read: dict[str, Json]


def normalise(config: Mapping[str, Json], options: Sequence[Option]) -> tuple[NormalConfig, list[tuple[str, str]]]:
    """Return the config's one form and every violation as (path, what would do); with violations, use only these."""
    known = {option.name: option for option in options}
    violations = [(f"config.{name}", _unknown(name, known)) for name in config if name not in known]
    build: dict[str, Json] = {}
    read: dict[str, Json] = {}
    for option in options:
        if option.name not in config and option.required:
            violations.append((f"config.{option.name}", f"is needed: {describe(option.schema)}"))
            continue
        value = config.get(option.name, option.default)
        try:
            # A default is taken as the handler gave it when its own schema would refuse it (None for "not set").
            normal = fit(value, option.schema) if option.name in config or value is not None else None
        except Misfit as misfit:
            violations.append((f"config.{option.name}{misfit.path}", misfit.description))
            continue
        (read if option.read_time else build)[option.name] = normal
    return NormalConfig(build, read), violations


def fit(value: Json, schema: Schema) -> Json:
    """Return ``value`` in the one form that ``schema`` gives it. Raises `Misfit`."""
    if value is None and schema.get("nullable"):
        return None
    normal = _FITS.get(schema["type"], _fit_any)(value, schema)
    choices = schema.get("choices")
    if choices is not None and normal not in choices:
        raise Misfit("", f"must be one of {', '.join(map(_shown, choices))}{_close_to(normal, choices)}", value)
    return normal


def describe(schema: Schema) -> str:
    """Return in words what fits: the type and its range."""
    words = {
        "size": "a size [height, width] in pixels",
        "integer": "an integer",
        "number": "a number",
        "boolean": "true or false",
        "string": "a string",
        "list": "a list",
        "object": "an object",
        "any": "any value",
    }[schema["type"]]
    if schema["type"] == "list" and "items" in schema:
        words += f" of items that are each {describe(schema['items'])}"
    if schema.get("nullable"):
        words += " or null"
    limits = constraint(schema)
    return f"{words}, {limits}" if limits else words


def constraint(schema: Schema) -> str:
    """Return the range or the choices in words; empty where there are none."""
    parts = []
    if "minimum" in schema:
        parts.append(f"at least {schema['minimum']}")
    if "exclusive_minimum" in schema:
        parts.append(f"more than {schema['exclusive_minimum']}")
    if "maximum" in schema:
        parts.append(f"at most {schema['maximum']}")
    if "choices" in schema:
        parts.append("one of " + ", ".join(map(_shown, schema["choices"])))
    if "min_items" in schema:
        parts.append(f"with at least {schema['min_items']} items")
    if "max_items" in schema:
        parts.append(f"with at most {schema['max_items']} items")
    return ", ".join(parts)


def _fit_integer(value: Json, schema: Schema) -> int:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not whole or value != int(value) or abs(value) > MAX_INTEGER:
        raise Misfit("", f"must be {describe(schema)}", value)
    return int(_in_range(int(value), schema))


def _fit_number(value: Json, schema: Schema) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Misfit("", f"must be {describe(schema)}", value)
    number = _in_range(value, schema)
    # 1 and 1.0 are one number, and -0.0 is 0.
    return int(number) if number == int(number) and abs(number) <= MAX_INTEGER else float(number)


def _in_range(value: float, schema: Schema) -> float:
    if (
        value < schema.get("minimum", -math.inf)
        or value > schema.get("maximum", math.inf)
        or value <= schema.get("exclusive_minimum", -math.inf)
    ):
        raise Misfit("", f"must be {constraint(schema)}", value)
    return value


def _fit_boolean(value: Json, schema: Schema) -> bool:
    if not isinstance(value, bool):
        raise Misfit("", "must be true or false", value)
    return value


def _fit_string(value: Json, schema: Schema) -> str:
    if not isinstance(value, str):
        raise Misfit("", f"must be {describe(schema)}", value)
    return value


def _fit_size(value: Json, schema: Schema) -> list[int]:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    sides = [int(match[1]), int(match[2])] if match else value
    if isinstance(sides, int | float) and not isinstance(sides, bool):
        sides = [sides, sides]
    if not isinstance(sides, list) or len(sides) != 2:
        raise Misfit("", "must be [height, width] in pixels, one number, or 256x256", value)
    side = {"minimum": 1, "maximum": 65_535, **{k: v for k, v in schema.items() if k in ("minimum", "maximum")}}
    return [_fit_integer(each, {"type": "integer", **side}) for each in sides]


def _fit_list(value: Json, schema: Schema) -> list[Json]:
    if not isinstance(value, list):
        raise Misfit("", f"must be {describe(schema)}", value)
    if not schema.get("min_items", 0) <= len(value) <= schema.get("max_items", math.inf):
        raise Misfit("", f"must be a list {constraint(schema)}", value)
    return [_within(f"[{place}]", item, schema.get("items", {"type": "any"})) for place, item in enumerate(value)]


def _fit_object(value: Json, schema: Schema) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Misfit("", f"must be {describe(schema)}", value)
    return {key: _within(f".{key}", item, schema.get("keys", {"type": "any"})) for key, item in value.items()}


def _fit_any(value: Json, schema: Schema) -> Json:
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, list):
        return _fit_list(value, {"type": "list"})
    if isinstance(value, dict):
        return _fit_object(value, {"type": "object"})
    return _fit_number(value, {"type": "number"})


def _within(path: str, value: Json, schema: Schema) -> Json:
    try:
        return fit(value, schema)
    except Misfit as misfit:
        misfit.path = path + misfit.path
        raise


_FITS: dict[str, Callable[[Json, Schema], Json]] = {
    "integer": _fit_integer,
    "number": _fit_number,
    "boolean": _fit_boolean,
    "string": _fit_string,
    "size": _fit_size,
    "list": _fit_list,
    "object": _fit_object,
}


def _unknown(name: str, known: Mapping[str, Option]) -> str:
    return (
        f"is not an option of this handler{_close_to(name, list(known))}; it has {', '.join(sorted(known)) or 'none'}"
    )


def _close_to(value: Json, choices: Sequence[Json]) -> str:
    close = difflib.get_close_matches(str(value), [str(choice) for choice in choices], n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."
