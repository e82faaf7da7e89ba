"""What a dataset is made from, and the key that is the digest of it: the only place that normalises and hashes.

key = sha256 over the canonical JSON (RFC 8785) of the preimage. The order of config keys, `256` or `256.0`, and
defaults left out cannot cause a second build.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import rfc8785

from dataset_registry.options import NormalConfig, Option, normalise
from service_kit.errors import InvalidArgument

KEY_SCHEMA = 1
FORMAT = 1
MAX_CONFIG_BYTES = 256 * 1024
MAX_DIGITS = 4300


@dataclass(frozen=True)
class Platform:
    """Where a handler runs, as far as its bytes may depend on it."""

    python: str
    os: str
    arch: str


@dataclass(frozen=True)
class DatasetSpec:
    """Everything that a dataset is made from."""

    dataset_name: str
    repository: str
    commit: str
    handler: str
    lock_digest: str
    dataset_handlers: str
    platform: Platform
    config: Mapping[str, Any]
    raw: Mapping[str, str]

    def preimage(self) -> str:
        """Return the canonical JSON text that is hashed."""
        facts = {"schema": KEY_SCHEMA, "format": FORMAT, **asdict(self)}
        return rfc8785.dumps(facts).decode()

    def key(self) -> str:
        """Return the dataset's key, 64 hex digits."""
        return hashlib.sha256(self.preimage().encode()).hexdigest()


def parse_config(config_json: str) -> dict[str, Any]:
    """Return the config as received, an object. Raises `InvalidArgument` saying where the JSON is wrong."""
    if len(config_json.encode()) > MAX_CONFIG_BYTES:
        raise InvalidArgument.of([("config_json", f"is larger than {MAX_CONFIG_BYTES} bytes")])
    try:
        config = json.loads(
            config_json or "{}", object_pairs_hook=_without_repeats, parse_constant=_refuse_constant, parse_int=_whole
        )
    except RecursionError:
        raise InvalidArgument.of([("config_json", "is nested too deeply")]) from None
    except ValueError as error:
        raise InvalidArgument.of([("config_json", f"is not JSON: {error}")]) from None
    if not isinstance(config, dict):
        raise InvalidArgument.of([("config_json", f"must be a JSON object, not {_kind(config)}")])
    try:
        json.dumps(config, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidArgument.of([("config_json", "holds half a surrogate pair, which is not text")]) from None
    return config


def normal_config(config: Mapping[str, Any], options: list[Option]) -> NormalConfig:
    """Return the config's one form. Raises `InvalidArgument` that names every wrong path."""
    normal, violations = normalise(config, options)
    if violations:
        raise InvalidArgument.of(violations)
    return normal


def canonical_json(value: Any) -> str:
    """Return RFC 8785 text."""
    return rfc8785.dumps(value).decode()


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"{sorted(repeated)[0]!r} is given twice")
    return dict(pairs)


def _whole(digits: str) -> int:
    # Python's own limit, which it tells of in words for programmers.
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits; at most {MAX_DIGITS} are taken")
    return int(digits)


def _kind(value: Any) -> str:
    names = {list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
