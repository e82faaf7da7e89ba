"""Refuses what a runner says of its work where nothing could be made of it later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataset_registry.repositories import declared_handlers
from dataset_registry.spec import Platform
from dataset_registry.states import WorkKind
from service_kit.errors import InvalidArgument

_BUILD = frozenset(
    {
        "archive_object",
        "archive_size_bytes",
        "digest",
        "manifest_offset",
        "manifest_size_bytes",
        "example_count",
        "shard_count",
        "splits",
    }
)
# Those of the other kinds are read again only by the caller that waits for them.
_FACTS: Mapping[str, frozenset[str]] = {
    WorkKind.ENVIRONMENT: frozenset({"description"}),
    WorkKind.SNAPSHOT: frozenset({"digest", "file_count", "size_bytes"}),
    WorkKind.BUILD: _BUILD,
    WorkKind.IMPORT: _BUILD,
}


def check_result(kind: str, result: Mapping[str, Any]) -> None:
    """Raise `InvalidArgument` for a result that is of another kind of work, or holds a size below 0."""
    if kind in _FACTS and set(result) != _FACTS[kind]:
        raise InvalidArgument.of([("result", f"is not that of work of the kind {kind}")])
    check_counts("result", result)
    if kind == WorkKind.ENVIRONMENT:
        _check_description(result["description"])


def check_counts(field: str, facts: Mapping[str, Any]) -> None:
    """Raise `InvalidArgument`, naming what is below 0."""
    below = [name for name, value in facts.items() if isinstance(value, int) and value < 0]
    if below:
        raise InvalidArgument.of([(f"{field}.{name}", f"must be 0 or more, not {facts[name]}") for name in below])


def _check_description(description: Any) -> None:
    """Raise `InvalidArgument` for what does not describe an environment, as far as requests will rely on it."""
    try:
        declared_handlers(description)
        Platform(**description["platform"])
        texts = [description["dataset_handlers_version"], description.get("lock_digest", "")]
        if not all(isinstance(each, str) for each in (*texts, *description["platform"].values())):
            raise TypeError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidArgument.of([("environment.description_json", "does not describe an environment")]) from None
