"""What a source tree says of how it is built, and the calls of its build backend (PEP 517)."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from handler_runner.environment_failed import failed
from handler_runner.environment_python import Interpreter
from handler_runner.environment_requirements import parse_requirement
from handler_runner.sandbox import Sandbox
from handler_runner.source_build_process import run_build_step

_HOOKS = Path(__file__).with_name("source_build_hooks.py")
_TEXT_BYTES = 1 << 20
# What PEP 517 says of sources without [build-system].
_OLD_BACKEND, _OLD_REQUIRES = "setuptools.build_meta:__legacy__", ("setuptools>=40.8.0", "wheel")


@dataclass(frozen=True)
class BuildMetadata:
    """What a build says of its package: a specifier of Python versions, empty: any; and requirements."""

    python: str
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class BuildBackend:
    """The backend of the package ``name``; ``requires`` are what it needs to be asked."""

    name: str
    module: str
    paths: tuple[str, ...]
    requires: tuple[str, ...]

    @classmethod
    def read(cls, sources: Path, name: str) -> BuildBackend:
        """Return it without running anything. Raises `WorkFailed` (ENVIRONMENT)."""
        file = sources / "pyproject.toml"
        try:
            text = _read_text(file, name) if file.exists() else ""
            system = tomllib.loads(text).get("build-system", {})
            module = str(system.get("build-backend", _OLD_BACKEND))
            paths = tuple(map(str, system.get("backend-path", [])))
            requires = _plain(system.get("requires", list(_OLD_REQUIRES)), name)
        except (tomllib.TOMLDecodeError, AttributeError, TypeError) as error:
            raise failed(f"pyproject.toml of {name} cannot be read: {error}.") from error
        if any(Path(path).is_absolute() or ".." in Path(path).parts for path in paths):
            raise failed(f"the backend-path of {name} leaves its folder.")
        return cls(name, module, paths, requires)

    def more_requires(
        self, sources: Path, work: Path, venv: Path, python: Interpreter, sandbox: Sandbox | None
    ) -> tuple[str, ...]:
        """Ask the backend what else it needs for a wheel of these sources. Raises `WorkFailed` (ENVIRONMENT)."""
        out = self._run("requires", sources, work, venv, python, sandbox)
        try:
            return _plain(json.loads(_read_text(out / "requires.json", self.name)), self.name)
        except ValueError as error:
            raise failed(f"what {self.name} requires for its build is no JSON: {error}.") from error

    def metadata(
        self, sources: Path, work: Path, venv: Path, python: Interpreter, sandbox: Sandbox | None
    ) -> BuildMetadata:
        """Ask the backend for the metadata that a wheel would have. Raises `WorkFailed` (ENVIRONMENT)."""
        out = self._run("metadata", sources, work, venv, python, sandbox)
        headers = HeaderParser().parsestr(_read_text(out / "METADATA", self.name))
        requires_python = headers.get("Requires-Python") or ""
        try:
            SpecifierSet(requires_python)
        except InvalidSpecifier:
            raise failed(f"{self.name} requires Python {requires_python[:100]!r}, which says no versions.") from None
        return BuildMetadata(requires_python, tuple(headers.get_all("Requires-Dist") or ()))

    def build_wheel(self, sources: Path, work: Path, venv: Path, python: Interpreter, sandbox: Sandbox | None) -> Path:
        """Build, and return the folder that should hold the wheel. Raises `WorkFailed` (ENVIRONMENT)."""
        return self._run("wheel", sources, work, venv, python, sandbox)

    def _run(
        self, hook: str, sources: Path, work: Path, venv: Path, python: Interpreter, sandbox: Sandbox | None
    ) -> Path:
        script, out = work / "build_hooks.py", work / "out"
        shutil.copyfile(_HOOKS, script)
        out.mkdir()
        words = [str(venv / "bin/python"), "-I", str(script), hook, str(sources), str(out), self.module]
        what = f"building {self.name} ({hook})"
        run_build_step(sandbox, [*words, *self.paths], (venv, *python.folders), work, what)
        if out.is_symlink() or not out.is_dir():
            raise failed(f"{what} replaced the folder of its results.")
        return out


def _plain(lines: object, name: str) -> tuple[str, ...]:
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise failed(f"what {name} requires for its build is no list of text.")
    for line in lines:
        if parse_requirement(line, f"the build of {name}").url:
            raise failed(f"the build of {name} requires {line!r}; only packages of the index would do there.")
    return tuple(lines)


def _read_text(path: Path, name: str) -> str:
    # What foreign code wrote may be a link to anywhere, or anything.
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _TEXT_BYTES:
        raise failed(f"{path.name} of {name} is no plain file of less than {_TEXT_BYTES} bytes.")
    return path.read_bytes().decode(errors="replace")
