"""Repositories whose code lies with the runners: the stock handlers, and folders that a lab trusts."""

from __future__ import annotations

from collections.abc import Mapping

from dataset_registry.catalog import Catalog
from dataset_registry.records import Runner
from service_kit.errors import NotFound


class ServedRepositories:
    """Knows what the runners said when they last called; a hit needs none of them alive."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def resolve(self, repository: str, version: str) -> str:
        """See `repositories.Repositories`."""
        served = self._served()
        if repository not in served:
            names = ", ".join(sorted(served)) or "none: no runner has called yet"
            raise NotFound(f"no runner serves a handler repository {repository!r}; there are: {names}")
        offers = served[repository]
        for label, commit in offers:
            if version in ("latest", label, commit):
                return commit
        labels = ", ".join(dict.fromkeys(label for label, _ in offers))
        raise NotFound(f"repository {repository!r} has no version {version!r}; it has latest, {labels}")

    def newest(self) -> Mapping[str, tuple[str, str]]:
        """See `repositories.Repositories`."""
        return {name: offers[0] for name, offers in self._served().items()}

    def _served(self) -> dict[str, list[tuple[str, str]]]:
        runners = self._catalog.read(lambda tx: tx.find(Runner, order=("-seen_time",)))
        served: dict[str, list[tuple[str, str]]] = {}
        for runner in runners:
            for repository in runner.repositories:
                served.setdefault(repository["name"], []).append((repository["version"], repository["commit"]))
        return served
