"""Resolves what a repository requires to a lock; packages without a wheel are built on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from handler_runner.environment_checkout import Checkouts
from handler_runner.environment_failed import failed
from handler_runner.environment_index import find_sdist
from handler_runner.environment_lock import BuiltPackage, Lock, this_machine
from handler_runner.environment_packages_uv import resolve_wheels
from handler_runner.environment_requirements import (
    GitDependency,
    own_requirements,
    parse_requirement,
    sort_requirements,
)
from handler_runner.environment_source_build import BuildPlace, SourceBuilds
from handler_runner.source_build_wheel import BuiltWheel
from service_kit.git import GitRepository
from service_kit.git_repository import git_protocol

# Each may require more of the kind; a chain without end must end.
_MAX_BUILT = 40


class Resolver:
    """Makes locks; any thread may call. ``repositories`` are the operator's, whose secrets their URLs may use."""

    def __init__(
        self, repositories: Mapping[str, GitRepository], checkouts: Checkouts, builds: SourceBuilds, scratch: Path
    ) -> None:
        self._known = {repository.url: repository for repository in repositories.values()}
        self._checkouts, self._builds, self._scratch = checkouts, builds, scratch

    def resolve(
        self, requirements: Iterable[str], build: Iterable[str], whose: GitRepository, place: BuildPlace
    ) -> Lock:
        """Return the lock of the newest packages that fit. Raises `WorkFailed` (ENVIRONMENT), `Unavailable`."""
        with ExitStack() as stack:
            task = _Task(f"the repository {whose.name!r}", whose.trusted)
            task.require(requirements, place)
            for line in build:
                self._add_sdist(task, line, place, stack)
            while task.waiting:
                self._add_git(task, task.waiting.pop(), place, stack)
            self._scratch.mkdir(parents=True, exist_ok=True)
            wheels = resolve_wheels(
                [*own_requirements(), *task.plain, *task.required],
                place.python,
                Path(stack.enter_context(TemporaryDirectory(dir=self._scratch))),
                overrides=task.required,
                leave_out=task.built,
            )
            return Lock(
                place.python.minor, this_machine(), tuple(wheel.package for wheel in task.built.values()), wheels
            )

    def repository(self, url: str) -> GitRepository:
        """Return where a dependency comes from; the operator's own repositories with their secrets."""
        return self._known.get(url) or GitRepository(name="dependency", url=url)

    def _add_sdist(self, task: _Task, line: str, place: BuildPlace, stack: ExitStack) -> None:
        requirement = parse_requirement(line, f"`build` in [tool.darkroom] of {task.whose}")
        if requirement.url:
            raise failed(f"`build` in [tool.darkroom] of {task.whose} has {line!r}; name and version would do.")
        found = find_sdist(requirement, place.python)
        package = BuiltPackage(found.name, "", (), file_name=found.file_name, sha256=found.sha256)
        self._add(task, package, None, place, stack)

    def _add_git(self, task: _Task, dependency: GitDependency, place: BuildPlace, stack: ExitStack) -> None:
        repository = self.repository(dependency.url)
        if repository.url not in self._known and not task.trusted and git_protocol(dependency.url) != "https":
            raise failed(
                f"{task.whose} requires {dependency.name} from {dependency.url}; a repository that is not trusted may "
                "require https URLs, and those that the operator has named (DARKROOM_RUNNER_REPOSITORIES)."
            )
        commit = self._checkouts.commit(repository, dependency.ref)
        package = BuiltPackage(
            dependency.name, "", (), url=dependency.url, commit=commit, subdirectory=dependency.subdirectory
        )
        there = task.built.get(dependency.name)
        if there is not None and (there.package.url, there.package.commit) != (package.url, package.commit):
            raise failed(f"{task.whose} requires {dependency.name} from two places or at two commits; one would do.")
        if there is None:
            self._add(task, package, repository, place, stack)
        task.extras.setdefault(dependency.name, set()).update(dependency.extras)

    def _add(
        self,
        task: _Task,
        package: BuiltPackage,
        repository: GitRepository | None,
        place: BuildPlace,
        stack: ExitStack,
    ) -> None:
        if len(task.built) >= _MAX_BUILT:
            raise failed(f"{task.whose} requires more than {_MAX_BUILT} packages that are built from source.")
        wheel = self._builds.build(package, repository, place)
        stack.callback(wheel.held.release)
        task.built[package.name] = wheel
        # What it requires of the index the resolver reads in the wheel; git it must not be left to fetch.
        task.require([line for line in wheel.requires if "@" in line], place)


@dataclass
class _Task:
    whose: str
    trusted: bool
    plain: list[str] = field(default_factory=list)
    waiting: list[GitDependency] = field(default_factory=list)
    built: dict[str, BuiltWheel] = field(default_factory=dict)
    extras: dict[str, set[str]] = field(default_factory=dict)

    @property
    def required(self) -> list[str]:
        """The built wheels as requirements; they stand in for whatever else is required of their names."""
        return [
            f"{name}[{','.join(sorted(self.extras.get(name, ())))}] @ {wheel.path.as_uri()}"
            for name, wheel in self.built.items()
        ]

    def require(self, lines: Iterable[str], place: BuildPlace) -> None:
        found = sort_requirements(lines, place.python, self.whose)
        self.plain += found.plain
        self.waiting += found.git
