"""The sources of a repository at a commit, as plain files: fetched once, kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

from handler_runner.environment_failed import failed
from handler_runner.environment_limits import KeptLimits
from handler_runner.kept_folders import Held, KeptFolders
from service_kit.errors import InvalidArgument, NotFound
from service_kit.git import Git, GitRepository

_MAX_BYTES = 2 << 30
_KEPT_COUNT = 200


class Checkouts:
    """Mirrors and sources below ``home``; any thread may call."""

    def __init__(self, git: Git, home: Path, limits: KeptLimits) -> None:
        self._git = git
        self._mirrors = KeptFolders(home / "mirrors", _KEPT_COUNT, limits.mirrors_bytes)
        self._sources = KeptFolders(home / "sources", _KEPT_COUNT, limits.sources_bytes)

    def hold(self, repository: GitRepository, commit: str) -> Held:
        """Return the folder of the commit's files; nobody else's change once it is there.

        Raises `WorkFailed` (ENVIRONMENT) when there is no such commit, `Unavailable` when git cannot be reached.
        """
        place = f"{repository.name}-{_short(repository.url)}"

        def make(folder: Path) -> None:
            with self._mirrors.hold(f"{place}.git", Path.mkdir) as mirror:
                try:
                    self._git.fetch(repository, commit, mirror.path)
                    self._git.export(mirror.path, commit, folder, _MAX_BYTES)
                except (NotFound, InvalidArgument) as error:
                    raise failed(f"{error.message}; a version that the repository has would do.") from error
                finally:
                    mirror.measure()
            self._mirrors.trim()

        # Of a trusted repository not every commit is taken: what was taken before it was trusted does not count.
        held = self._sources.hold(f"{place}-{commit}{'-trusted' if repository.trusted else ''}", make)
        self._sources.trim()
        return held

    def commit(self, repository: GitRepository, ref: str) -> str:
        """Return the commit that a tag, branch or commit stands for; empty: the HEAD.

        Raises `WorkFailed` (ENVIRONMENT) when there is no such ref, `Unavailable`.
        """
        if len(ref) == 40 and set(ref) <= set("0123456789abcdef"):
            return ref
        try:
            refs = self._git.refs(repository)
        except (NotFound, InvalidArgument) as error:
            raise failed(f"{error.message}.") from error
        for name in (f"refs/tags/{ref}", f"refs/heads/{ref}") if ref else ("HEAD",):
            if name in refs:
                return refs[name]
        raise failed(
            f"{repository.url} has no tag or branch {ref!r}; one that it has, or a commit of 40 digits, would do."
        )


def _short(url: str) -> str:
    # The operator may let a name stand for another place tomorrow.
    return hashlib.sha256(url.encode()).hexdigest()[:8]
