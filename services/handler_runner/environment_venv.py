"""The virtual environment of a lock: made once, shared by all commits that have that lock, kept within limits."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import dataset_handlers
from handler_runner.environment_failed import failed
from handler_runner.environment_limits import KeptLimits
from handler_runner.environment_lock import Lock, this_machine
from handler_runner.environment_packages_uv import add_dataset_handlers, make_venv
from handler_runner.environment_resolve import Resolver
from handler_runner.environment_source_build import BuildPlace, SourceBuilds
from handler_runner.environment_uv_cache import UvCache
from handler_runner.kept_folders import Held, KeptFolders
from handler_runner.source_digest import SourceDigests


class VirtualEnvironments:
    """Below ``home``; any thread may call."""

    def __init__(self, home: Path, scratch: Path, builds: SourceBuilds, resolver: Resolver, limits: KeptLimits) -> None:
        self._scratch, self._builds, self._resolver = scratch, builds, resolver
        self._kept = KeptFolders(home / "venvs", limits.environments, limits.environments_bytes)
        self._uv_cache = UvCache(limits.uv_cache_bytes)
        self._sources = SourceDigests()

    def hold(self, lock: Lock, place: BuildPlace) -> Held:
        """Return the environment with the packages of ``lock``, and only those.

        Raises `WorkFailed` (ENVIRONMENT) when they cannot be had any more, `Unavailable`.
        """
        if lock.machine != this_machine():
            raise failed(
                f"the lock is for {lock.machine}, and this runner is {this_machine()}; runners of one kind, or a new "
                "lock, would do."
            )
        python = place.python
        own = self._sources.digest(Path(dataset_handlers.__file__).parent)
        identity = json.dumps([lock.text(), python.path, python.version, own, self._trust(lock, place)])
        held = self._kept.hold(
            hashlib.sha256(identity.encode()).hexdigest(), lambda folder: self._make(folder, lock, place)
        )
        self._kept.trim()
        return held

    def _trust(self, lock: Lock, place: BuildPlace) -> list[bool]:
        """Return under whose rules packages were built that no index vouches for by their hashes."""
        sources = [self._resolver.repository(package.url).trusted for package in lock.built if package.commit]
        return [place.sandbox is None, *sources] if lock.built else []

    def _make(self, folder: Path, lock: Lock, place: BuildPlace) -> None:
        with ExitStack() as stack:
            packages = list(lock.wheels)
            for package in lock.built:
                repository = self._resolver.repository(package.url) if package.commit else None
                wheel = self._builds.build(package, repository, place)
                stack.callback(wheel.held.release)
                packages.append(wheel.pinned)
            self._scratch.mkdir(parents=True, exist_ok=True)
            scratch = Path(stack.enter_context(TemporaryDirectory(dir=self._scratch)))
            make_venv(folder, place.python, packages, scratch)
            add_dataset_handlers(folder, place.python)
            self._uv_cache.trim()
