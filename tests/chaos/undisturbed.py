"""The same datasets where nobody does harm: what each archive must be, to the byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..e2e.house import House
from .workload import Recipe

TIMEOUT_S = 180.0


@dataclass(frozen=True)
class Undisturbed:
    """One archive."""

    digest: str
    sha256: str


class UndisturbedHouse:
    """A house that builds what it is asked for, once; started when it is first needed."""

    def __init__(self, folder: Path, raw: Path) -> None:
        self._house = House(folder, raw)
        self._known: dict[str, Undisturbed] = {}
        self._started = False

    def archives(self, recipes: Iterable[Recipe]) -> dict[str, Undisturbed]:
        """Return what the recipes' archives must be, by key."""
        if not self._started:
            self._house.start()
            self._house.client.define("street", "test/slow", {"photos": "street"})
            self._house.client.define("files", "test/seed", {"photos": "street"})
            self._started = True
        client = self._house.client
        requests = [client.request_dataset(each.dataset_name, "latest", dict(each.config)) for each in recipes]
        with ThreadPoolExecutor(4) as pool:
            ready = list(pool.map(lambda request: request.wait(TIMEOUT_S).dataset, requests))
        for dataset in ready:
            if dataset.key not in self._known:
                sha256 = hashlib.sha256(self._house.archive(dataset.key).read_bytes()).hexdigest()
                self._known[dataset.key] = Undisturbed(dataset.digest, sha256)
        return {dataset.key: self._known[dataset.key] for dataset in ready}

    def end(self) -> None:
        """Stop it."""
        self._house.end()
