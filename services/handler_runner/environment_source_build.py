"""Builds the wheel of a package that has none, from a git repository at a commit or from a source distribution.

Everything that the build needs is fetched before: its hooks (PEP 517) run without network, confined unless trusted.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement

from handler_runner.environment_checkout import Checkouts
from handler_runner.environment_failed import failed
from handler_runner.environment_index import fetch_sdist, find_sdist
from handler_runner.environment_limits import KeptLimits
from handler_runner.environment_lock import BuiltPackage
from handler_runner.environment_packages_uv import make_venv, resolve_wheels
from handler_runner.environment_python import Interpreter
from handler_runner.kept_folders import Held, KeptFolders
from handler_runner.sandbox import Sandbox
from handler_runner.source_build_backend import BuildBackend, BuildMetadata
from handler_runner.source_build_wheel import BuiltWheel, only_wheel
from service_kit.git import GitRepository

_TREE_BYTES, _TREE_FILES = 4 << 30, 200_000
_KEPT_COUNT = 200


@dataclass(frozen=True)
class BuildPlace:
    """For which Python a package is built, and where its build is confined; no sandbox: it is trusted."""

    python: Interpreter
    sandbox: Sandbox | None


class SourceBuilds:
    """Builds below ``home``, each once; any thread may call."""

    def __init__(self, checkouts: Checkouts, home: Path, scratch: Path, limits: KeptLimits) -> None:
        self._checkouts, self._scratch = checkouts, scratch
        self._wheels = KeptFolders(home / "wheels", _KEPT_COUNT, limits.sources_bytes)

    def build(self, package: BuiltPackage, repository: GitRepository | None, place: BuildPlace) -> BuiltWheel:
        """Return the package's wheel, built with its pinned ``requires``; those are chosen if it has no version yet.

        ``repository`` is where a package with a commit comes from. Raises `WorkFailed` (ENVIRONMENT), `Unavailable`.
        """
        if not package.version:
            package = replace(package, requires=self._requires(package, repository, place))
        return BuiltWheel.of(package, self._hold(package, repository, place))

    def metadata(self, repository: GitRepository, commit: str, place: BuildPlace) -> BuildMetadata:
        """Return what the repository's own build says of it. Raises `WorkFailed` (ENVIRONMENT), `Unavailable`."""
        package = BuiltPackage(repository.name, "", (), url=repository.url, commit=commit)
        requires = self._requires(package, repository, place)
        with self._unpacked(package, repository, place.python) as (sources, work):
            venv = work.parent / "venv"
            make_venv(venv, place.python, requires, work.parent / "uv")
            return BuildBackend.read(sources, package.name).metadata(sources, work, venv, place.python, place.sandbox)

    def _hold(self, package: BuiltPackage, repository: GitRepository | None, place: BuildPlace) -> Held:
        def make(folder: Path) -> None:
            with self._unpacked(package, repository, place.python) as (sources, work):
                backend = BuildBackend.read(sources, package.name)
                venv = work.parent / "venv"
                make_venv(venv, place.python, package.requires, work.parent / "uv")
                made = backend.build_wheel(sources, work, venv, place.python, place.sandbox)
                wheel = only_wheel(made, package.name)
                folder.mkdir()
                shutil.copyfile(wheel, folder / wheel.name)

        facts = [package.name, package.url, package.commit, package.subdirectory, package.sha256, *package.requires]
        # Who is trusted may have changed since: neither side takes what was made under the other's rules.
        trust = [place.sandbox is None, repository is not None and repository.trusted]
        identity = json.dumps([*facts, place.python.path, place.python.version, *trust])
        held = self._wheels.hold(hashlib.sha256(identity.encode()).hexdigest(), make)
        self._wheels.trim()
        return held

    def _requires(self, package: BuiltPackage, repository: GitRepository | None, place: BuildPlace) -> tuple[str, ...]:
        """Return what the build needs, pinned: what the sources say, and what their backend adds when asked."""
        with self._unpacked(package, repository, place.python) as (sources, work):
            backend = BuildBackend.read(sources, package.name)
            venv, scratch = work.parent / "venv", work.parent / "uv"
            pinned = resolve_wheels(backend.requires, place.python, scratch)
            make_venv(venv, place.python, pinned, scratch)
            more = backend.more_requires(sources, work, venv, place.python, place.sandbox)
            return resolve_wheels([*backend.requires, *more], place.python, scratch) if more else pinned

    @contextmanager
    def _unpacked(
        self, package: BuiltPackage, repository: GitRepository | None, python: Interpreter
    ) -> Iterator[tuple[Path, Path]]:
        """Yield the package's sources and the folder around them, in which its build may write."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._scratch, ignore_cleanup_errors=True) as made:
            work = Path(made) / "work"
            work.mkdir()
            sources = work / "sources"
            if repository is not None:
                with self._checkouts.hold(repository, package.commit) as held:
                    shutil.copytree(held.path, sources, symlinks=True)
                sources = sources / package.subdirectory
            else:
                found = find_sdist(Requirement(package.name), python, package.sha256)
                fetch_sdist(found, Path(made) / "sdist.tar.gz")
                sources = _unpack(Path(made) / "sdist.tar.gz", sources, found.file_name)
            if not sources.is_dir():
                raise failed(f"{package.name} has no folder {package.subdirectory!r}.")
            yield sources, work


def _unpack(archive: Path, folder: Path, file_name: str) -> Path:
    """Unpack a source distribution and return its one folder."""
    if not hasattr(tarfile, "data_filter"):
        raise failed(f"Python {sys.version.split()[0]} cannot unpack {file_name} safely; 3.11.4 or newer would do.")
    try:
        with tarfile.open(archive) as opened:
            members, size_bytes = 0, 0
            for member in opened:
                members, size_bytes = members + 1, size_bytes + member.size
                if members > _TREE_FILES or size_bytes > _TREE_BYTES:
                    raise failed(f"{file_name} unpacks to more than {_TREE_BYTES} bytes or {_TREE_FILES} files.")
                opened.extract(member, folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise failed(f"{file_name} cannot be unpacked: {error}.") from error
    inside = [path for path in folder.iterdir() if path.is_dir()]
    return inside[0] if len(inside) == 1 else folder
