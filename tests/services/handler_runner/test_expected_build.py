"""The processes of a build that is expected are there when it comes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from darkroom.handler.v1 import handler_pb2
from handler_runner.environment_installed import InstalledEnvironments
from handler_runner.executor import Listener
from handler_runner.executor_process import ProcessExecutor
from handler_runner.expected_build import make_ready
from handler_runner.raw_root import RawRoot
from handler_runner.snapshot import Snapshots
from handler_runner.workshop import Workshop
from service_kit.object_store_local import LocalObjectStore

from .conftest import LAB


async def test_a_build_finds_its_processes_started_and_loaded(tmp_path: Path) -> None:
    (tmp_path / "raw/street").mkdir(parents=True)
    executor = ProcessExecutor(tmp_path / "children", 2, 60.0)
    environments = InstalledEnvironments({"lab": LAB})
    workshop = Workshop(
        environments,
        executor,
        RawRoot(tmp_path / "raw"),
        Snapshots(tmp_path / "snapshots", 2),
        LocalObjectStore(tmp_path / "store"),
    )
    [commit] = [served.commit for served in environments.served() if served.name == "lab"]
    try:
        make_ready(workshop, handler_pb2.EnvironmentTask(repository="nowhere"), ["street"])
        make_ready(workshop, handler_pb2.EnvironmentTask(repository="lab", commit=commit), ["nothing"])
        make_ready(workshop, handler_pb2.EnvironmentTask(repository="lab", commit=commit), ["street"])
        async with asyncio.timeout(60):
            while len(executor._idle) < 2:
                await asyncio.sleep(0.02)
        ready = {child.pid for child in executor._idle}
        await executor.run(environments.prepare("lab", commit), {"type": "describe"}, Listener())
        assert {child.pid for child in executor._idle} == ready
        assert len(executor._homes) == 2, "what cannot be made ready starts nothing"
    finally:
        await executor.close()
