"""Environments that are there already: the stock handlers, and a lab's own folders of trusted handlers.

Both run in the runner's own interpreter. A commit is the digest of the sources and of what they run with, so that a
new OpenCV is a new commit, and so a new key, as new code is.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import structlog

import dataset_handlers
from dataset_handlers.errors import HandlerError
from dataset_handlers.local_module import local_module
from handler_runner.environment import Environment, ServedRepository
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.source_digest import SourceDigests

log = structlog.get_logger()

STOCK = "stock"
LOCAL_VERSION = "local"

# The packages that the stock handlers run with; whichever OpenCV is installed.
_STOCK_PACKAGES = (
    "google-crc32c",
    "numpy",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
    "opencv-python",
    "opencv-python-headless",
)
_OWN_PACKAGES = ("darkroom", "dataset-handlers")


class InstalledEnvironments:
    """The repository ``stock`` and the local ones by name. See `Environments` for the promises."""

    def __init__(self, local: Mapping[str, Path] | None = None) -> None:
        self._local = dict(local or {})
        self._sources = SourceDigests()

    def served(self) -> tuple[ServedRepository, ...]:
        """Return the stock repository and each local one whose folder is there."""
        stock = ServedRepository(STOCK, self._stock()[0], dataset_handlers.__version__)
        served = [stock]
        for name, folder in sorted(self._local.items()):
            try:
                if folder.is_dir():
                    served.append(ServedRepository(name, self._commit(name, folder)[0], LOCAL_VERSION))
            except OSError as error:
                log.warning("repository_not_served", repository=name, problem=str(error))
        return tuple(served)

    def prepare(self, repository: str, commit: str, lock: str = "") -> Environment:
        """Return the environment if its sources are still of that commit; what is installed is its lock."""
        if repository == STOCK:
            there, lock_digest = self._stock()
            fields: tuple[tuple[str, str], ...] = (("repository", STOCK),)
        elif repository in self._local:
            folder = self._local[repository]
            if not folder.is_dir():
                raise _failed(f"the folder {folder} of the repository {repository!r} is missing; put it back.")
            there, lock_digest = self._commit(repository, folder)
            place, module = _module(repository, folder)
            fields = (("repository", repository), ("path", str(place.resolve())), ("module", module))
        else:
            names = ", ".join([STOCK, *sorted(self._local)])
            raise _failed(f"this runner has no repository {repository!r}; it has: {names}.")
        if there != commit:
            raise _failed(
                f"the repository {repository!r} is at {there[:12]} here, not at {commit[:12]}: its sources or the "
                "packages that they run with have changed. Ask again; a request for `latest` takes what is installed."
            )
        return Environment(repository, there, sys.executable, fields, lock_digest)

    def _stock(self) -> tuple[str, str]:
        lock_digest = _digest(_versions(_STOCK_PACKAGES))
        return _digest(
            [self._sources.digest(Path(dataset_handlers.__file__).parent), lock_digest, *_platform()]
        ), lock_digest

    def _commit(self, name: str, folder: Path) -> tuple[str, str]:
        # A local handler may import anything that is installed.
        lock_digest = _digest(_all_versions())
        sources = [self._stock()[0], name, self._sources.digest(folder)]
        return _digest([*sources, lock_digest]), lock_digest


def _module(repository: str, folder: Path) -> tuple[Path, str]:
    """Return the folder to import from and the module of a local repository."""
    try:
        return local_module(folder)
    except HandlerError as error:
        raise _failed(f"the repository {repository!r}: {error}") from None


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _platform() -> tuple[str, ...]:
    return (f"python {sys.version_info[0]}.{sys.version_info[1]}", sys.platform, platform.machine())


@cache
def _versions(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``name==version`` of those that are installed; once, as an installation does not change under a runner."""
    found = []
    for name in names:
        try:
            found.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return tuple(found)


@cache
def _all_versions() -> tuple[str, ...]:
    names = {str(found.metadata["Name"]).lower().replace("_", "-") for found in importlib.metadata.distributions()}
    return _versions(tuple(sorted(names - set(_OWN_PACKAGES))))


def _failed(message: str) -> WorkFailed:
    return WorkFailed(FailureClass.ENVIRONMENT, message)
