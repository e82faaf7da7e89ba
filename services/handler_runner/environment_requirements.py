"""Sorts a repository's requirements: packages from the index, packages from git, and `dataset_handlers` itself."""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

import dataset_handlers
from handler_runner.environment_failed import failed
from handler_runner.environment_python import Interpreter
from service_kit.git_repository import check_git_url, without_secrets

OWN = "dataset-handlers"


@dataclass(frozen=True)
class GitDependency:
    """A package that is built from a git repository: at ``ref``, a tag, branch or commit; empty: its HEAD."""

    name: str
    extras: tuple[str, ...]
    url: str
    ref: str
    subdirectory: str


@dataclass(frozen=True)
class Requirements:
    """``plain`` ones are lines for the resolver."""

    plain: tuple[str, ...]
    git: tuple[GitDependency, ...]


def sort_requirements(lines: Iterable[str], python: Interpreter, whose: str) -> Requirements:
    """Return what the lines require on that Python. Raises `WorkFailed` (ENVIRONMENT) naming the line and ``whose``."""
    plain: list[str] = []
    git: list[GitDependency] = []
    for line in lines:
        requirement = parse_requirement(line, whose)
        if requirement.marker is not None and not requirement.marker.evaluate(marker_environment(python)):
            continue
        if canonicalize_name(requirement.name) == OWN:
            plain += _own(requirement, whose)
        elif requirement.url is None:
            requirement.marker = None
            plain.append(str(requirement))
        else:
            git.append(_git_dependency(requirement, whose))
    return Requirements(tuple(plain), tuple(git))


def parse_requirement(line: str, whose: str) -> Requirement:
    """Return the requirement of a line. Raises `WorkFailed` (ENVIRONMENT)."""
    try:
        return Requirement(line)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise failed(
            f"{whose} requires {without_secrets(line)[:200]!r}, which is no requirement ({reason}); "
            "for example `numpy>=1.24` or `package @ git+https://host/repository@v1` would do."
        ) from None


def marker_environment(python: Interpreter) -> dict[str, str]:
    """Return what markers are compared with; the machine is this one."""
    return {"python_version": python.minor, "python_full_version": python.version, "extra": ""}


@cache
def own_requirements(extra: str = "") -> tuple[str, ...]:
    """Return what `dataset_handlers` itself requires, or one of its extras does."""
    beside = Path(dataset_handlers.__file__).with_name("pyproject.toml")
    if beside.is_file():
        project = tomllib.loads(beside.read_text())["project"]
        return tuple(project.get("optional-dependencies", {}).get(extra, []) if extra else project["dependencies"])
    chosen = []
    for requirement in map(Requirement, importlib.metadata.requires(OWN) or ()):
        marker, requirement.marker = requirement.marker, None
        always = marker is None or marker.evaluate({"extra": ""})
        if always != bool(extra) and (marker is None or marker.evaluate({"extra": extra})):
            chosen.append(str(requirement))
    return tuple(chosen)


def _own(requirement: Requirement, whose: str) -> list[str]:
    """Return what stands in for `dataset_handlers`, which always comes from the runner's own sources."""
    there = dataset_handlers.__version__
    if not requirement.specifier.contains(there, prereleases=True):
        raise failed(
            f"{whose} requires {OWN}{requirement.specifier}, and this runner has {there}; a wider requirement, or a "
            "runner of that version, would do."
        )
    return [line for extra in sorted(requirement.extras) for line in own_requirements(canonicalize_name(extra))]


def _git_dependency(requirement: Requirement, whose: str) -> GitDependency:
    url = requirement.url or ""
    named = f"{whose} requires {requirement.name} from {without_secrets(url)[:300]!r}"
    if not url.startswith("git+"):
        raise failed(f"{named}; only git repositories can be required by URL: `git+https://host/repository@v1`.")
    parts = urlsplit(url.removeprefix("git+"))
    path, at, ref = parts.path.rpartition("@")
    if not at:
        path, ref = parts.path, ""
    place = parts._replace(path=unquote(path), fragment="", query="").geturl()
    subdirectory = parse_qs(parts.fragment).get("subdirectory", [""])[0]
    try:
        check_git_url(place)
    except ValueError as error:
        raise failed(f"{named}; its URL {error}.") from None
    if ref.startswith("-") or not ref.isprintable() or ".." in Path(subdirectory).parts or subdirectory[:1] == "/":
        raise failed(f"{named}; its version or subdirectory is no plain name.")
    extras = tuple(sorted(requirement.extras))
    return GitDependency(canonicalize_name(requirement.name), extras, place, unquote(ref), subdirectory)
