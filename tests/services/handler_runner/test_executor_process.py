"""Children: kept warm, replaced when they die, told nothing that is secret."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from handler_runner.environment_installed import InstalledEnvironments
from handler_runner.executor import CommandFailed, Listener, WorkerDied
from handler_runner.executor_process import ProcessExecutor

LAB = Path(__file__).parent / "lab"


@pytest.fixture
async def executor(tmp_path):
    executor = ProcessExecutor(tmp_path / "children", workers=2, stuck_after_s=30.0, idle_s=0.5)
    yield executor
    await executor.close()
    assert not children()


@pytest.fixture
def environment():
    environments = InstalledEnvironments({"lab": LAB})
    commit = next(served.commit for served in environments.served() if served.name == "lab")
    return environments.prepare("lab", commit)


def children():
    return [child for child in psutil.Process().children() if "dataset_handlers.child" in command_line(child)]


def command_line(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        # It ended between the two looks.
        return ""


DESCRIBE = {"type": "describe"}


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_one_child_serves_one_command_after_the_other(executor, environment):
    assert "copy" in (await executor.run(environment, DESCRIBE, Listener()))["handlers"]
    first = [child.pid for child in children()]
    await executor.run(environment, DESCRIBE, Listener())
    assert [child.pid for child in children()] == first


async def test_commands_at_a_time_run_in_different_children(executor, environment):
    await asyncio.gather(*(executor.run(environment, DESCRIBE, Listener()) for _ in range(3)))
    await until(lambda: len(children()) == 2)


async def test_idle_children_end_by_themselves(executor, environment):
    await executor.run(environment, DESCRIBE, Listener())
    await until(lambda: not children())


async def test_children_started_in_advance_are_the_ones_that_are_used(executor, environment):
    executor.warm(environment, 5)
    await executor.run(environment, DESCRIBE, Listener())
    assert len(children()) == 2


async def test_a_cancelled_wait_for_a_starting_child_loses_none(executor, environment):
    executor.warm(environment, 1)
    waiting = asyncio.create_task(executor.run(environment, DESCRIBE, Listener()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await executor.run(environment, DESCRIBE, Listener())
    assert len(children()) == 1


async def test_after_an_error_the_child_goes_on(executor, environment):
    with pytest.raises(CommandFailed) as caught:
        await executor.run(environment, {"type": "plan", "handler": "nobody", "config": {}, "raw": {}}, Listener())
    assert "no handler 'nobody'" in caught.value.message
    first = [child.pid for child in children()]
    await executor.run(environment, DESCRIBE, Listener())
    assert [child.pid for child in children()] == first


async def test_a_child_that_dies_is_reported_with_its_signal_and_replaced(executor, environment, tmp_path):
    command = {
        "type": "records",
        "handler": "files",
        "config": {"delay_s": 30.0},
        "raw": {"photos": str(tmp_path)},
        "output_dir": str(tmp_path / "out"),
    }
    running = asyncio.create_task(executor.run(environment, command, Listener()))
    await until(lambda: (tmp_path / "out").exists())
    children()[0].kill()
    with pytest.raises(WorkerDied, match="signal SIGKILL") as caught:
        await running
    assert caught.value.killed
    assert not caught.value.memory
    await executor.run(environment, DESCRIBE, Listener())


async def test_a_cancelled_command_kills_its_child(executor, environment, tmp_path):
    command = {
        "type": "records",
        "handler": "files",
        "config": {"delay_s": 30.0},
        "raw": {"photos": str(tmp_path)},
        "output_dir": str(tmp_path / "out"),
    }
    running = asyncio.create_task(executor.run(environment, command, Listener()))
    await until(lambda: (tmp_path / "out").exists())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not children()


async def test_no_secret_of_the_runner_reaches_a_child(executor, environment, monkeypatch, tmp_path):
    monkeypatch.setenv("DARKROOM_RUNNER_STORE_SECRET_KEY", "s3cret")
    await executor.run(environment, DESCRIBE, Listener())
    variables = children()[0].environ()
    assert "s3cret" not in " ".join(variables.values())
    assert variables["HOME"] == variables["TMPDIR"]
    assert Path(variables["HOME"]).is_relative_to(tmp_path)
    assert variables["MALLOC_MMAP_THRESHOLD_"] == "1073741824"
    assert variables["OMP_NUM_THREADS"] == "1"
    descriptors = os.listdir(f"/proc/{children()[0].pid}/fd")
    # 0 to 2, the two ends of the protocol: nothing else of the runner's is open.
    assert len(descriptors) <= 5
