"""The git repositories of handlers that ``darkroom up`` is told of: read, checked by the services' own rules, shown."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from darkroom_client.catalog import Runner
from darkroom_client.errors import InvalidArgument, NotFound

# Name to `url`, `trusted`, `ssh_key`, `known_hosts`, `credentials`, `ca`; the services know what is allowed.
Repositories = Mapping[str, Mapping[str, Any]]

CHECK_TIMEOUT_S = 60.0
_FILES = ("ssh_key", "known_hosts", "credentials", "ca")
# How the registry names what is wrong: the variable, the repository, and what of it.
_VARIABLE = re.compile(
    r"^DARKROOM_REGISTRY_REPOSITORIES(?:_(.+?))??(?:_(URL|TRUSTED|SSH_KEY|KNOWN_HOSTS|CREDENTIALS|CA))?: "
    r"(?:Value error, )?"
)


def read_repositories(assignments: Sequence[str], trusted: Sequence[str], file: Path | None) -> Repositories:
    """Return the repositories of the options and the file; paths become absolute. Raises `InvalidArgument`."""
    found: dict[str, dict[str, Any]] = _read_file(file) if file else {}
    for assignment in assignments:
        name, equals, url = assignment.partition("=")
        if not (equals and name and url):
            raise InvalidArgument("--repository: write NAME=URL, for example lab=https://github.com/lab/handlers")
        if name in found:
            raise InvalidArgument(f"--repository {name}: the repository is named twice")
        found[name] = {"url": _absolute(url, Path.cwd())}
    for name in trusted:
        if name not in found:
            raise InvalidArgument(f"--trust {name}: no --repository has that name")
        found[name]["trusted"] = True
    return found


def variables(repositories: Repositories) -> dict[str, str]:
    """Return what the registry and the runner get, without prefix; nothing leaves what the environment says."""
    return {"REPOSITORIES": json.dumps(repositories)} if repositories else {}


def check_repositories(environment: Mapping[str, str]) -> None:
    """Let the registry say whether its settings are right. Raises `InvalidArgument` with its words."""
    command = [sys.executable, "-m", "dataset_registry", "check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=CHECK_TIMEOUT_S)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["the registry does not take these settings"]
        raise InvalidArgument("\n".join(_VARIABLE.sub(_place, line) for line in lines))


def repository_lines(repositories: Repositories, runners: Sequence[Runner]) -> list[str]:
    """Return a line for each repository: where it is, and how its code runs."""
    refused = dict(each.partition(": ")[::2] for runner in runners for each in runner.refused_repositories)
    lines = []
    for title, (name, each) in zip(["git", *[""] * len(repositories)], sorted(repositories.items()), strict=False):
        if name in refused:
            how = f"NOT RUN: {refused[name]}"
        else:
            how = "trusted: runs as this user" if each.get("trusted") else "runs in the sandbox"
        lines.append(f"  {title:<8}  {name}  {each['url']}  {how}")
    return lines


def _read_file(file: Path) -> dict[str, dict[str, Any]]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text())
    except OSError as error:
        raise NotFound(f"--repositories {file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"--repositories {file} is no YAML: {type(error).__name__}") from error
    if not isinstance(found, dict) or not all(isinstance(each, dict) and "url" in each for each in found.values()):
        raise InvalidArgument(f"--repositories {file}: write for each NAME: {{url: URL, trusted: false, ...}}")
    folder = file.absolute().parent
    return {
        str(name): {
            key: _absolute(str(value), folder)
            if key == "url"
            else str(folder / Path(str(value)).expanduser())
            if key in _FILES
            else value
            for key, value in each.items()
        }
        for name, each in found.items()
    }


def _place(found: re.Match[str]) -> str:
    parts = [part.lower() for part in found.groups() if part]
    return f"--repository{' ' if parts else ''}{' '.join(parts)}: "


def _absolute(url: str, folder: Path) -> str:
    """Return the URL; a folder that is there, from ``folder``, becomes absolute."""
    place = folder / Path(url).expanduser()
    return str(place) if "://" not in url and place.is_dir() else url
