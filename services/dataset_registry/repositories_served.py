"""Repositories whose code lies with the runners: the stock handlers, and folders that a lab trusts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from dataset_registry.catalog import Catalog
from dataset_registry.records import Runner
from service_kit.errors import NotFound


class ServedRepositories:
    """Knows what the runners said when they last called; a hit needs none of them alive."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def resolve(self, repository: str, version: str) -> str:
        """See `repositories.Repositories`."""
        served = await self.newest()
        if repository not in served:
            names = ", ".join(sorted(served)) or "none: no runner has called yet"
            raise NotFound(f"there is no handler repository {repository!r}; runners bring along: {names}")
        offers = served[repository]
        for label, commit in offers:
            if version in ("latest", label, commit):
                return commit
        labels = ", ".join(dict.fromkeys(label for label, _ in offers))
        raise NotFound(f"repository {repository!r} has no version {version!r}; it has latest, {labels}")

    async def newest(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """See `repositories.Repositories`; what the runner that called last offers comes first."""
        return await asyncio.to_thread(self._served)

    def _served(self) -> dict[str, list[tuple[str, str]]]:
        runners = self._catalog.read(lambda tx: tx.find(Runner, order=("-seen_time",)))
        served: dict[str, list[tuple[str, str]]] = {}
        for runner in runners:
            for repository in runner.repositories:
                # A git repository has no commit of its own: a runner fetches whichever is asked for.
                if repository["commit"]:
                    served.setdefault(repository["name"], []).append((repository["version"], repository["commit"]))
        return served
