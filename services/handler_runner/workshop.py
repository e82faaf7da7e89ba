"""What a runner has to work with, the same for every piece of work."""

from __future__ import annotations

from dataclasses import dataclass

from handler_runner.environment import Environments
from handler_runner.executor import Executor
from handler_runner.raw_root import RawRoot
from handler_runner.snapshot import Snapshots
from service_kit.object_store import ObjectStore


@dataclass(frozen=True)
class Workshop:
    """The adapters that `__main__` chose."""

    environments: Environments
    executor: Executor
    raw_root: RawRoot
    snapshots: Snapshots
    store: ObjectStore
