"""The published archives in the object store: whether they are there, where to read them, and their bytes."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

from dataset_registry.records import Dataset
from service_kit.errors import DataLoss
from service_kit.object_store import ObjectStore

# How long one look at an archive answers for.
LOOK_AGAIN_S = 60.0
URL_LIFE_S = 3600


class Archives:
    """Looks at archives; blocking, so called through threads."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def seen_lately(self, dataset: Dataset) -> bool:
        """Whether the archive was there within the last minute."""
        with self._lock:
            return time.monotonic() - self._seen.get(dataset.archive_object, -LOOK_AGAIN_S) < LOOK_AGAIN_S

    def look(self, dataset: Dataset) -> bool:
        """Whether the archive is there at its whole size. Raises when the store does not answer."""
        found = self._store.stat(dataset.archive_object)
        there = found is not None and found.size_bytes == dataset.archive_size_bytes
        with self._lock:
            if there:
                self._seen[dataset.archive_object] = time.monotonic()
            else:
                self._seen.pop(dataset.archive_object, None)
        return there

    def url(self, dataset: Dataset) -> tuple[str, float]:
        """Return a URL that answers ranges and when it ends (seconds since the epoch), or ("", 0)."""
        url = self._store.presign(dataset.archive_object, URL_LIFE_S)
        return (url, time.time() + URL_LIFE_S) if url else ("", 0.0)

    def path(self, dataset: Dataset) -> str:
        """Return the archive's file for clients on this machine, or nothing where the store has none."""
        path = self._store.path(dataset.archive_object)
        return str(path) if path else ""

    def read(self, dataset: Dataset, offset: int, size_bytes: int) -> Iterator[bytes]:
        """Yield a range in chunks of at most 1 MiB."""
        return self._store.read(dataset.archive_object, offset, size_bytes)

    def manifest(self, dataset: Dataset) -> dict[str, Any]:
        """Return the manifest. Raises `DataLoss` when its bytes are not those published."""
        data = b"".join(self.read(dataset, dataset.manifest_offset, dataset.manifest_size_bytes))
        if hashlib.sha256(data).hexdigest() != dataset.digest:
            raise DataLoss(f"the manifest of datasets/{dataset.id} is not the one published")
        manifest: dict[str, Any] = json.loads(data)
        return manifest
