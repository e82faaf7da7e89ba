"""Keeps whole objects under names: what every store promises, which names are good, what can go wrong.

::

    ObjectStoreError
    ├── ObjectMissing       no object has that name
    ├── ObjectShort         the object ends before the asked range does
    ├── StoreUnavailable    the store does not answer; the same call may work later
    ├── StoreFull           no space is left; the same call may work later
    └── StoreRefused        the store answers and says no: rights, credentials, a name that is in the way
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service_kit.errors import (
    DarkroomError,
    DataLoss,
    FailedPrecondition,
    InvalidArgument,
    ResourceExhausted,
    Unavailable,
)

CHUNK_BYTES = 1 << 20
# S3 allows 1,024 bytes for a name; file systems 255 for one segment.
MAX_NAME_LENGTH = 1024
MAX_EXPIRES_S = 7 * 24 * 3600

_SEGMENT = re.compile(r"[A-Za-z0-9%][A-Za-z0-9%._-]{0,254}")
_SEGMENT_RULE = "must begin with a letter, digit or % and go on with at most 254 letters, digits and % . _ -"


def do_nothing() -> None:
    """Tick for callers that need none."""


@dataclass(frozen=True)
class ObjectStat:
    """An object as the store sees it; `modify_time` is in seconds since the epoch, on the store's clock."""

    name: str
    size_bytes: int
    modify_time: float


class ObjectStore(Protocol):
    """Objects under names. Any thread may call; every method may raise `StoreUnavailable` and `StoreRefused`.

    A bad name or number raises `InvalidArgument` at the call. No object's name may be a folder of another's.
    """

    def put(self, name: str, *parts: bytes | Path) -> None:
        """Make the object the concatenation of the parts: durable and whole once this returns.

        Replacing is atomic: a reader sees the old object or the new one. Memory is bounded, however large the
        parts. Raises `StoreFull`. After an error the name is as it was before; only after `StoreUnavailable` may it
        be the new object, whole, because the answer got lost.
        """

    def read(self, name: str, offset: int, size_bytes: int) -> Iterator[bytes]:
        """Yield exactly the range, all from one version of the object, in chunks of at most 1 MiB.

        Before the first chunk comes `ObjectMissing`, or `ObjectShort` when the object ends before the range does.
        """

    def compose(self, name: str, sources: Sequence[str], tick: Callable[[], None] = do_nothing) -> None:
        """Make the object the concatenation of the sources, any number of any sizes, inside the store if it can.

        `tick` is called in the caller's thread, at least once for every part that is done; what it raises ends the
        composition. Otherwise as `put`, and `ObjectMissing` names a source that is not there.
        """

    def stat(self, name: str) -> ObjectStat | None:
        """Return the object's size and time, or None if there is none."""

    def list(self, prefix: str) -> Iterator[ObjectStat]:
        """Yield the objects whose names begin with the string, in the names' order; `a/b` finds `a/bc` and `a/b/c`."""

    def delete(self, name: str) -> None:
        """Remove the object; one that is missing is fine."""

    def presign(self, name: str, expires_s: int) -> str | None:
        """Return a URL that anybody can GET the object from, ranges included, for so long; None: no URLs here."""

    def path(self, name: str) -> Path | None:
        """Return the file that holds the object, for programs of this machine to read; None: no files here."""

    def remove_leftovers(self, older_than_s: float) -> int:
        """Remove what writers that were killed left behind, and return how many; no reader ever sees such things."""


class ObjectStoreError(DarkroomError):
    """An object store could not do what was asked."""


class ObjectMissing(ObjectStoreError, DataLoss):
    """No object has that name."""

    reason = "OBJECT_MISSING"

    def __init__(self, name: str) -> None:
        super().__init__(f"the store holds no object {name!r}", metadata={"object": name})


class ObjectShort(ObjectStoreError, DataLoss):
    """The object ends before the asked range does."""

    reason = "OBJECT_SHORT"

    def __init__(self, name: str, offset: int, size_bytes: int, object_bytes: int | None) -> None:
        has = "fewer" if object_bytes is None else f"only {object_bytes}"
        super().__init__(
            f"bytes {offset} to {offset + size_bytes} of {name!r} were asked for, the object has {has}",
            metadata={"object": name},
        )


class StoreUnavailable(ObjectStoreError, Unavailable):
    """The store does not answer; worth trying again."""

    reason = "STORE_UNAVAILABLE"
    retry_after_s = 2.0


class StoreFull(ObjectStoreError, ResourceExhausted):
    """No space is left in the store; worth trying again once somebody made room."""

    reason = "STORE_FULL"
    retry_after_s = 10.0


class StoreRefused(ObjectStoreError, FailedPrecondition):
    """The store answers and says no; the message says which right or setting would do."""

    reason = "STORE_REFUSED"


def check_object_name(name: str) -> str:
    """Return the name, or raise `InvalidArgument` that shows the wrong segment."""
    for segment in name.split("/"):
        if not _SEGMENT.fullmatch(segment):
            raise _bad_name(f"segment {segment[:300]!r} of {name[:300]!r} {_SEGMENT_RULE}")
    if len(name) > MAX_NAME_LENGTH:
        raise _bad_name(f"{name[:300]!r}... has {len(name)} characters, at most {MAX_NAME_LENGTH} are allowed")
    return name


def is_object_name(name: str) -> bool:
    """Say whether an object may have the name: files of others may lie in a store."""
    return len(name) <= MAX_NAME_LENGTH and all(_SEGMENT.fullmatch(segment) for segment in name.split("/"))


def check_prefix(prefix: str) -> str:
    """Return the string, or raise `InvalidArgument` if no object name can begin with it."""
    folder, slash, begun = prefix.rpartition("/")
    if slash:
        check_object_name(folder)
    if begun:
        check_object_name(begun)
    return prefix


def check_range(offset: int, size_bytes: int) -> None:
    """Raise `InvalidArgument` unless both are 0 or more."""
    for field, value in (("offset", offset), ("size_bytes", size_bytes)):
        if value < 0:
            raise InvalidArgument.of([(field, f"must be 0 or more, not {value}")])


def check_expires(expires_s: int) -> None:
    """Raise `InvalidArgument` unless the span is one that S3 signs."""
    if not 1 <= expires_s <= MAX_EXPIRES_S:
        raise InvalidArgument.of([("expires_s", f"must be from 1 s to {MAX_EXPIRES_S} s (7 days), not {expires_s}")])


def _bad_name(description: str) -> InvalidArgument:
    return InvalidArgument.of([("object name", description)])
