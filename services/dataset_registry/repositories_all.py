"""All repositories by name: those in git that the registry's settings name, and those that runners bring along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataset_registry.repositories_git import GitRepositories
from dataset_registry.repositories_served import ServedRepositories
from service_kit.errors import NotFound


class AllRepositories:
    """See `repositories.Repositories`; a name in the settings goes before a runner's folder of that name."""

    def __init__(self, served: ServedRepositories, git: GitRepositories) -> None:
        self._served = served
        self._git = git

    async def resolve(self, repository: str, version: str) -> str:
        """See `repositories.Repositories`."""
        if repository in self._git.names:
            return await self._git.resolve(repository, version)
        try:
            return await self._served.resolve(repository, version)
        except NotFound as error:
            in_git = ", ".join(self._git.names) or "none"
            raise NotFound(f"{error.message}; in git there are: {in_git}") from None

    async def newest(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """See `repositories.Repositories`."""
        return {**await self._served.newest(), **await self._git.newest()}
