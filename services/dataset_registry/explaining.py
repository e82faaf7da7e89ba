"""Says in what two datasets differ, by what they are made from; pure, preimage against preimage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ABSENT: Any = object()
"""Stands for a value that one side does not have; null is a value."""


@dataclass(frozen=True)
class Difference:
    """One fact that differs: ``asked`` in what was asked for, ``other`` in the dataset that is there."""

    field: str
    asked: Any
    other: Any

    @property
    def role(self) -> str:
        """The role of a raw dataset that differs; empty for any other fact."""
        return self.field.removeprefix("raw.") if self.field.startswith("raw.") else ""


@dataclass(frozen=True)
class Candidate:
    """A dataset that is ready: its key, what it is made from, and when it was finished."""

    key: str
    preimage: Mapping[str, Any]
    ready_time: float


@dataclass(frozen=True)
class Near:
    """A candidate and all in which it differs."""

    key: str
    differences: tuple[Difference, ...]


def nearest(asked: Mapping[str, Any], candidates: Iterable[Candidate], count: int) -> list[Near]:
    """Return those that differ in the fewest fields, the newest first among equals."""
    found = [(each.ready_time, Near(each.key, differences(asked, each.preimage))) for each in candidates]
    found.sort(key=lambda pair: (len(pair[1].differences), -pair[0], pair[1].key))
    return [near for _, near in found[:count]]


def differences(asked: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return every difference between two preimages, what the caller chose himself first."""
    found = [
        *_inside("config", asked.get("config", {}), other.get("config", {})),
        *_inside("raw", asked.get("raw", {}), other.get("raw", {})),
    ]
    found += [
        Difference(name, ours, theirs)
        for name, ours, theirs in (
            ("commit", asked.get("commit", ABSENT), other.get("commit", ABSENT)),
            ("handler", _handler(asked), _handler(other)),
            ("lock", asked.get("lock_digest", ABSENT), other.get("lock_digest", ABSENT)),
            ("dataset_handlers", asked.get("dataset_handlers", ABSENT), other.get("dataset_handlers", ABSENT)),
            ("platform", asked.get("platform", ABSENT), other.get("platform", ABSENT)),
            ("format", _format(asked), _format(other)),
        )
        if not same(ours, theirs)
    ]
    return tuple(found)


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values are one in JSON, where 1 and true are not."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return ours.keys() == theirs.keys() and all(same(ours[name], theirs[name]) for name in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return isinstance(ours, bool) == isinstance(theirs, bool) and bool(ours == theirs)


def _inside(path: str, ours: Any, theirs: Any) -> Iterator[Difference]:
    """Yield what differs below a path; where one side has no fields the whole value differs."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name in sorted(ours.keys() | theirs.keys()):
            yield from _inside(f"{path}.{name}", ours.get(name, ABSENT), theirs.get(name, ABSENT))
    elif not same(ours, theirs):
        yield Difference(path, ours, theirs)


def _handler(preimage: Mapping[str, Any]) -> Any:
    return f"{preimage['repository']}/{preimage['handler']}" if "handler" in preimage else ABSENT


def _format(preimage: Mapping[str, Any]) -> Any:
    return {name: preimage[name] for name in ("schema", "format") if name in preimage}
