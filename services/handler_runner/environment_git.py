"""Environments of git repositories: fetched, resolved and installed without running any code of theirs."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from packaging.specifiers import SpecifierSet

from handler_runner.environment import Environment, ServedRepository
from handler_runner.environment_checkout import Checkouts
from handler_runner.environment_failed import failed
from handler_runner.environment_limits import KeptLimits
from handler_runner.environment_lock import Lock, lock_digest
from handler_runner.environment_metadata import Declared, read_metadata
from handler_runner.environment_python import Interpreters
from handler_runner.environment_resolve import Resolver
from handler_runner.environment_source_build import BuildPlace, SourceBuilds
from handler_runner.environment_venv import VirtualEnvironments
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.kept_folders import Held
from handler_runner.sandbox import Sandbox
from service_kit.git import Git, GitRepository

_LIMITS = KeptLimits()


class GitEnvironments:
    """The operator's git repositories by name. See `Environments` for the promises.

    What an environment needs stays on the disk as long as the `Environment` value that `prepare` returned lives.
    """

    def __init__(
        self,
        home: Path,
        repositories: Mapping[str, GitRepository],
        interpreters: Interpreters,
        sandbox: Sandbox,
        limits: KeptLimits = _LIMITS,
    ) -> None:
        """``home``: the folder of everything that is kept; one process's own, as its scratch folder is emptied."""
        self._repositories, self._interpreters, self._sandbox = dict(repositories), interpreters, sandbox
        scratch = home / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        self._checkouts = Checkouts(Git(), home, limits)
        self._builds = SourceBuilds(self._checkouts, home, scratch, limits)
        self._resolver = Resolver(repositories, self._checkouts, self._builds, scratch)
        self._venvs = VirtualEnvironments(home, scratch, self._builds, self._resolver, limits)

    def served(self) -> tuple[ServedRepository, ...]:
        """Return every repository: any commit can be fetched, or why its code is not run here."""
        return tuple(
            ServedRepository(name, "", "", self._refusal(repository))
            for name, repository in sorted(self._repositories.items())
        )

    def prepare(self, repository: str, commit: str, lock: str = "") -> Environment:
        """See `Environments.prepare`; without a lock the newest packages that fit are taken.

        Raises `Unavailable`, too: git, or the package index, does not answer.
        """
        named = self._repositories[repository]
        if refusal := self._refusal(named):
            raise WorkFailed(FailureClass.SANDBOX, refusal)
        sandbox = None if named.trusted else self._sandbox
        sources = self._checkouts.hold(named, commit)
        try:
            declared = read_metadata(sources.path)
            if lock:
                pinned = Lock.parse(lock)
                place = BuildPlace(self._interpreters.of_minor(pinned.python), sandbox)
            else:
                known = self._known(declared, named, commit, sandbox)
                place = BuildPlace(self._interpreters.fitting(known.python), sandbox)
                pinned = self._resolver.resolve(known.requirements, known.build, named, place)
                pinned = replace(pinned, told=known.requirements if declared.dynamic else ())
            venv = self._venvs.hold(pinned, place)
        except BaseException:
            sources.release()
            raise
        text = lock or pinned.text()
        python = venv.path / "bin/python"
        environment = Environment(
            repository,
            commit,
            str(python),
            (("repository", repository), ("path", str(declared.folder)), ("module", declared.module)),
            lock_digest(text),
            text,
            confined=not named.trusted,
            folders=(venv.path, *place.python.folders, sources.path),
        )
        weakref.finalize(environment, _release(sources, venv))
        return environment

    def _known(self, declared: Declared, repository: GitRepository, commit: str, sandbox: Sandbox | None) -> Declared:
        """Return what is declared, its requirements asked of the repository's own build where only that can tell."""
        if not declared.dynamic:
            return declared
        if not repository.trusted:
            raise failed(
                f"the requirements of {repository.name!r} cannot be known without running its code: "
                f"{declared.dynamic}. A list under `dependencies` in [project] of pyproject.toml, or a "
                "requirements.txt, would do; or marking the repository as trusted."
            )
        while True:
            python = self._interpreters.fitting(declared.python)
            told = self._builds.metadata(repository, commit, BuildPlace(python, sandbox))
            if SpecifierSet(told.python).contains(python.version, prereleases=True):
                return replace(declared, requirements=told.requirements)
            # Another interpreter may be told other requirements; each round leaves fewer that fit.
            declared = replace(declared, python=",".join(filter(None, [declared.python, told.python])))

    def _refusal(self, repository: GitRepository) -> str:
        level = self._sandbox.level
        if repository.trusted or level.full:
            return ""
        return (
            f"the repository {repository.name!r} is not trusted, and the sandbox here is {level}; a full sandbox "
            "(see docs/sandbox.md), or `trusted` in DARKROOM_RUNNER_REPOSITORIES, would do"
        )


def _release(*held: Held) -> Callable[[], None]:
    def release() -> None:
        for each in held:
            each.release()

    return release
