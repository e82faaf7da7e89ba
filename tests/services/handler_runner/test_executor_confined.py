"""Children of code that nobody trusts: in the sandbox, reused where they see the same, gone when the runner is."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

import dataset_handlers
from handler_runner.environment import Environment
from handler_runner.executor import CommandFailed, LimitExceeded, Listener
from handler_runner.executor_process import ProcessExecutor
from handler_runner.failure import WorkFailed
from handler_runner.sandbox_limits import SandboxLimits
from handler_runner.sandbox_probes import interpreter_folders, open_sandbox

LAB = Path(__file__).parent / "lab"
# An editable installation lies where it was checked out.
SOURCES = Path(dataset_handlers.__file__).parent.parent
ENVIRONMENT = Environment(
    "lab",
    "0" * 40,
    sys.executable,
    (("repository", "lab"), ("path", str(LAB)), ("module", "lab_handlers")),
    "",
    confined=True,
    folders=(*interpreter_folders(), SOURCES, LAB),
)
DESCRIBE = {"type": "describe"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    opened = open_sandbox(tmp_path_factory.mktemp("probes"), SandboxLimits(log_bytes=100_000))
    if not opened.level.full:
        pytest.skip(f"no full sandbox here: {opened.level}")
    return opened


@pytest.fixture
async def executor(tmp_path, sandbox):
    executor = ProcessExecutor(tmp_path / "children", workers=2, stuck_after_s=60.0, sandbox=sandbox)
    yield executor
    await executor.close()
    # Nothing of a child stays, neither processes nor files.
    assert not children()
    assert not list((tmp_path / "children").iterdir())


def children():
    return [child for child in psutil.Process().children() if child.name() in ("bwrap", "sh") and is_child(child)]


def is_child(process):
    try:
        return "dataset_handlers.child" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def plan(raw, handler="copy"):
    return {"type": "plan", "handler": handler, "config": {}, "raw": {"photos": str(raw)}, "seed": "x"}


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(b"a photo")
    return folder


async def test_a_shard_is_planned_and_built_inside_and_lies_outside(executor, raw, tmp_path):
    planned = await executor.run(ENVIRONMENT, plan(raw), Listener())
    output = tmp_path / "out.tfrecord"
    command = {**plan(raw), "type": "shard", "shard": planned["shards"][0], "output": str(output)}
    built = await executor.run(ENVIRONMENT, command, Listener())
    assert built["examples"] > 0
    assert output.stat().st_size > 0


async def test_a_child_is_reused_for_the_same_raw_folders_only(executor, raw, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    await executor.run(ENVIRONMENT, plan(raw), Listener())
    first = [child.pid for child in children()]
    await executor.run(ENVIRONMENT, plan(raw), Listener())
    assert [child.pid for child in children()] == first
    await executor.run(ENVIRONMENT, DESCRIBE, Listener())
    assert len(children()) == 2


async def test_children_are_started_in_advance_with_the_folders_of_the_commands(executor, raw):
    executor.warm(ENVIRONMENT, 2)
    assert not children()
    executor.warm(ENVIRONMENT, 2, [raw])
    await executor.run(ENVIRONMENT, plan(raw), Listener())
    assert len(children()) == 2


async def test_after_an_error_the_child_is_another_one(executor, raw):
    await executor.run(ENVIRONMENT, plan(raw), Listener())
    first = [child.pid for child in children()]
    with pytest.raises(CommandFailed, match="no handler 'nobody'"):
        await executor.run(ENVIRONMENT, plan(raw, "nobody"), Listener())
    assert not children()
    await executor.run(ENVIRONMENT, plan(raw), Listener())
    assert [child.pid for child in children()] != first


async def test_a_limit_that_an_exception_tells_of_is_named(executor, tmp_path):
    (tmp_path / "module").mkdir()
    (tmp_path / "module/greedy.py").write_text("kept = bytearray(1 << 50)\n")
    environment = replace(
        ENVIRONMENT,
        fields=(("repository", "lab"), ("path", str(tmp_path / "module")), ("module", "greedy")),
        folders=(*ENVIRONMENT.folders, tmp_path / "module"),
    )
    with pytest.raises(LimitExceeded) as caught:
        await executor.run(environment, DESCRIBE, Listener())
    assert caught.value.reached.memory
    assert "DARKROOM_RUNNER_SANDBOX_PROCESS_MEMORY_BYTES" in str(caught.value)


async def test_without_a_full_sandbox_nothing_foreign_runs(tmp_path):
    executor = ProcessExecutor(tmp_path / "children", workers=2, stuck_after_s=60.0)
    with pytest.raises(WorkFailed, match="its sandbox is none") as caught:
        await executor.run(ENVIRONMENT, DESCRIBE, Listener())
    assert caught.value.failure_class == "SANDBOX"
    executor.warm(ENVIRONMENT, 2, [tmp_path])
    await executor.close()
    assert not (tmp_path / "children").exists()


async def test_confined_children_die_with_a_runner_that_is_killed(tmp_path, sandbox):
    code = textwrap.dedent(f"""
        import asyncio, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from handler_runner.environment import Environment
        from handler_runner.executor import Listener
        from handler_runner.executor_process import ProcessExecutor
        from handler_runner.sandbox_limits import SandboxLimits
        from handler_runner.sandbox_probes import open_sandbox
        home = Path({str(tmp_path)!r})
        environment = Environment("lab", "0", sys.executable, {ENVIRONMENT.fields!r}, "", confined=True,
                                  folders=tuple(map(Path, {list(map(str, ENVIRONMENT.folders))!r})))
        async def main():
            executor = ProcessExecutor(home / "children", 1, 60.0, sandbox=open_sandbox(home / "p", SandboxLimits()))
            await executor.run(environment, {{"type": "describe"}}, Listener())
            print("ready", flush=True)
            await asyncio.sleep(600)
        asyncio.run(main())
    """)
    runner = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    try:
        assert runner.stdout is not None
        async with asyncio.timeout(60):
            while b"ready" not in await runner.stdout.readline():
                pass
        below = [child for child in psutil.Process(runner.pid).children(recursive=True) if is_child(child)]
        assert len(below) >= 2
        os.kill(runner.pid, signal.SIGKILL)
        await runner.wait()
        deadline = time.monotonic() + 60
        while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in below):
            assert time.monotonic() < deadline, "a confined child goes on"
            await asyncio.sleep(0.05)
    finally:
        if runner.returncode is None:
            runner.kill()
            await runner.wait()
