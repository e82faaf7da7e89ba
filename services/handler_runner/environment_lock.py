"""A lock: every package of an environment, pinned; the registry keeps its text, so that all runners install the same.

The text is a list of requirements with hashes, as pip and uv read it, below a header that says for which Python and
machine it is and which packages are built from source. It names no index: that is the operator's choice.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from handler_runner.environment_failed import failed

_TITLE = "# The packages of a Darkroom environment; format 1."
_PYTHON, _MACHINE, _TOLD, _BUILT = (
    "# python: ",
    "# machine: ",
    "# requires, by its own build: ",
    "# built from source: ",
)


@dataclass(frozen=True)
class BuiltPackage:
    """A package without a wheel: a git repository at a commit, or a source distribution by its sha256.

    ``requires`` are the pinned requirements, with hashes, of the environment that it is built in.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    url: str = ""
    commit: str = ""
    subdirectory: str = ""
    file_name: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Lock:
    """``python`` is a minor version, ``wheels`` pinned requirements with their hashes, one string each.

    ``told`` are the requirements where only the repository's own build could tell them.
    """

    python: str
    machine: str
    built: tuple[BuiltPackage, ...]
    wheels: tuple[str, ...]
    told: tuple[str, ...] = ()

    def text(self) -> str:
        """Return it as it is kept; equal locks have equal texts."""
        lines = [_TITLE, _PYTHON + self.python, _MACHINE + self.machine]
        lines += [_TOLD + json.dumps(self.told)] if self.told else []
        for package in sorted(self.built, key=lambda package: package.name):
            facts = {field: value for field, value in asdict(package).items() if value}
            lines.append(_BUILT + json.dumps(facts, sort_keys=True))
        lines += [wheel.replace(" --hash", " \\\n    --hash") for wheel in sorted(self.wheels)]
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> Lock:
        """Return the lock of a text that `text` made. Raises `WorkFailed` (ENVIRONMENT)."""
        lines = text.splitlines()
        if not lines or lines[0] != _TITLE:
            raise failed(f"the lock begins with {text[:60]!r}, not with {_TITLE!r}; relocking the repository would do.")
        values = {
            prefix: [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]
            for prefix in (_PYTHON, _MACHINE, _TOLD, _BUILT)
        }
        try:
            built = tuple(_built(json.loads(facts)) for facts in values[_BUILT])
            told = tuple(str(line) for facts in values[_TOLD] for line in json.loads(facts))
            return cls(values[_PYTHON][0], values[_MACHINE][0], built, pinned(text), told)
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise failed(f"the lock cannot be read ({error}); relocking the repository would do.") from error


def lock_digest(text: str) -> str:
    """Return what stands for a lock in a dataset's key."""
    return hashlib.sha256(text.encode()).hexdigest()


def this_machine() -> str:
    """Return the kind of machine that wheels are chosen for, for example ``linux x86_64``."""
    return f"{platform.system().lower()} {platform.machine()}"


def pinned(text: str) -> tuple[str, ...]:
    """Return the requirements of a file that pip reads, each on one line with its hashes, sorted."""
    lines = (line.strip() for line in text.replace("\\\n", " ").splitlines())
    return tuple(sorted(" ".join(line.split()) for line in lines if line and not line.startswith("#")))


def _built(facts: dict[str, object]) -> BuiltPackage:
    requires = facts.pop("requires", [])
    if not isinstance(requires, Sequence) or not all(isinstance(value, str) for value in (*facts.values(), *requires)):
        raise ValueError("a built package is described by text")
    return BuiltPackage(requires=tuple(requires), **facts)  # type: ignore[arg-type]
