"""Turns a dataset's config into the JSON text that a registry receives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from darkroom_client.errors import InvalidArgument
from darkroom_client.snapshot import Violation


def config_json(config: Mapping[str, Any] | None) -> str:
    """Return ``config`` as JSON text; NumPy scalars and arrays become plain numbers and lists.

    Raises `InvalidArgument` naming the path of what JSON cannot hold.
    """
    return json.dumps(_plain(config or {}, "config"), allow_nan=False)


def _plain(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            raise _refused(path, f"the key {wrong!r} is {type(wrong).__name__}; keys are text: quote it")
        return {key: _plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, float) and value - value != 0:
        raise _refused(path, f"{value} is no JSON number")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return _plain(value.tolist(), path)
    raise _refused(path, f"{value!r} is {type(value).__name__}; use JSON's values: text, numbers, true, lists, objects")


def _refused(path: str, description: str) -> InvalidArgument:
    return InvalidArgument(f"{path}: {description}", [Violation(path, description)], reason="BAD_CONFIG")
