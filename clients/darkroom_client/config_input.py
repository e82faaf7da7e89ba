"""Reads a dataset's config from a file and from ``--set`` options, as people type it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from darkroom_client.errors import InvalidArgument, NotFound


def read_config(path: str | None, settings: Sequence[str]) -> dict[str, Any]:
    """Return the config of the YAML or JSON file (``-``: standard input) with each ``PATH=VALUE`` set in it.

    Raises `NotFound` for a missing file and `InvalidArgument` saying where it is wrong.
    """
    config = _read_file(path) if path else {}
    for setting in settings:
        _set(config, setting)
    return config


def parse_value(text: str) -> Any:
    """Return what ``text`` means: JSON if it is JSON, ``256x512`` as [256, 512], anything else as itself."""
    if size := re.fullmatch(r"(\d+)x(\d+)", text):
        return [int(size[1]), int(size[2])]
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def _set(config: dict[str, Any], setting: str) -> None:
    path, equals, text = setting.partition("=")
    names = path.split(".")
    if not equals or not all(names):
        raise InvalidArgument(f"--set {setting}: write NAME=VALUE, for example --set image_size=256x256")
    for name in names[:-1]:
        config = config.setdefault(name, {})
        if not isinstance(config, dict):
            raise InvalidArgument(f"--set {setting}: {name} is no object, it has no {names[-1]}")
    config[names[-1]] = parse_value(text)


def _read_file(path: str) -> dict[str, Any]:
    shown = "standard input" if path == "-" else path
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"no config file {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"the config file {path} cannot be read: {error}") from error
    try:
        config = _parse(text, only_json=path.endswith(".json"))
    except ValueError as error:
        raise InvalidArgument(f"{shown}: {error}") from error
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise InvalidArgument(f"{shown} holds {type(config).__name__}; a config is a mapping of options to values")
    return config


def _parse(text: str, only_json: bool) -> Any:
    # JSON is tried first: YAML reads some of it differently, 1e3 for one.
    if only_json or text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_no_twins)
        except json.JSONDecodeError:
            if only_json:
                raise
    # Here, because most configs are JSON or --set, and the command should not wait for YAML.
    from darkroom_client.config_yaml import parse_yaml

    return parse_yaml(text)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"{key!r} is set twice")
    return dict(pairs)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
