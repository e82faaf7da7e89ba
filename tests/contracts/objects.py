"""A store that can be taken away, objects to put, and an object read back whole."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from service_kit.object_store import ObjectStore

MIB = 1 << 20


@dataclass
class Opened:
    """A store, and how to take it away and bring it back."""

    store: ObjectStore
    take_away: Callable[[], None]
    bring_back: Callable[[], None]


def read_all(store: ObjectStore, name: str) -> bytes:
    found = store.stat(name)
    assert found is not None
    return b"".join(store.read(name, 0, found.size_bytes))


def some_bytes(size_bytes: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size_bytes)


def put_all(store: ObjectStore, objects: Iterable[tuple[str, bytes]]) -> None:
    """Put many small objects, eight at a time."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda each: store.put(*each), objects))
