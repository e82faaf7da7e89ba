"""What is tried again, how often, and what becomes of it then."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from handler_runner.environment import Environment
from handler_runner.executor import CommandFailed, LimitExceeded, WorkerDied, WorkerStuck
from handler_runner.failure import WorkFailed
from handler_runner.handler_command import HandlerCommand
from handler_runner.progress import WorkProgress
from handler_runner.run_command import run_command
from handler_runner.sandbox_limits import SandboxLimits
from handler_runner.slots import Slots
from handler_runner.work_log import WorkLog

ENVIRONMENT = Environment("lab", "c", "python", (), "")


class Ends:
    """An executor whose commands end as foreseen, one after the other."""

    capacity = 4

    def __init__(self, *ends):
        self.ends = list(ends)

    async def run(self, environment, command, listener):
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


def memory():
    return WorkerDied("signal SIGKILL", "log", killed=True, memory=True)


def killed():
    return WorkerDied("signal SIGKILL", "log", killed=True, memory=False)


def crash():
    return WorkerDied("signal SIGSEGV", "the last lines", killed=False, memory=False)


async def run(tmp_path, *ends, slots=None, confined=False):
    session = SimpleNamespace(progress=WorkProgress("studio", 1), log=WorkLog())
    session.listener = lambda shard: None
    command = HandlerCommand(replace(ENVIRONMENT, confined=confined), "copy", {}, {"photos": tmp_path}, "seed")
    return await run_command(
        session, Ends(*ends), command, {"type": "shard"}, slots or Slots(4), shard="train-00000", output=tmp_path / "o"
    )


async def test_a_crash_is_tried_again(tmp_path):
    assert await run(tmp_path, crash(), {"examples": 1}) == {"examples": 1}


async def test_a_second_crash_is_the_handlers_error_with_the_signal_and_the_log(tmp_path):
    with pytest.raises(WorkFailed, match="shard train-00000 with signal SIGSEGV, 2 times") as caught:
        await run(tmp_path, crash(), crash())
    assert caught.value.failure_class == "HANDLER_ERROR"
    assert caught.value.detail == "the last lines"


async def test_after_a_kill_for_memory_fewer_run_at_a_time(tmp_path):
    slots = Slots(4)
    await run(tmp_path, memory(), {}, slots=slots)
    assert slots.limit == 2


async def test_a_second_kill_for_memory_fails_and_says_what_would_do(tmp_path):
    with pytest.raises(WorkFailed, match="fewer workers") as caught:
        await run(tmp_path, memory(), memory())
    assert caught.value.failure_class == "OUT_OF_MEMORY"


async def test_a_memory_error_of_the_handler_is_a_kill_for_memory(tmp_path):
    slots = Slots(4)
    error = CommandFailed({"class": "OUT_OF_MEMORY", "message": "MemoryError"})
    with pytest.raises(WorkFailed) as caught:
        await run(tmp_path, error, error, slots=slots)
    assert (caught.value.failure_class, slots.limit) == ("OUT_OF_MEMORY", 1)


async def test_kills_from_outside_are_borne_longer(tmp_path):
    assert await run(tmp_path, *[killed()] * 4, {}) == {}


async def test_a_stuck_worker_is_reported_at_once(tmp_path):
    with pytest.raises(WorkFailed, match="DARKROOM_RUNNER_STUCK_AFTER_S") as caught:
        await run(tmp_path, WorkerStuck(600, "log"))
    assert caught.value.failure_class == "STUCK"


async def test_an_unknown_class_of_error_is_the_handlers(tmp_path):
    with pytest.raises(WorkFailed) as caught:
        await run(tmp_path, CommandFailed({"class": "NEW", "message": f"at {tmp_path}/a.jpg"}))
    assert caught.value.failure_class == "HANDLER_ERROR"
    assert caught.value.message == "at a.jpg"


async def test_a_file_server_that_is_away_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("handler_runner.run_command.FIRST_PAUSE_S", 0.01)
    away = CommandFailed({"class": "TRANSIENT_IO", "message": "Input/output error: 'a.jpg'"})
    assert await run(tmp_path, away, away, {}) == {}


async def test_a_machine_without_room_for_a_process_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("handler_runner.run_command.FIRST_PAUSE_S", 0.01)
    assert await run(tmp_path, BlockingIOError(11, "Resource temporarily unavailable"), {}) == {}


async def test_a_limit_of_the_sandbox_fails_at_once_and_names_its_setting(tmp_path):
    limits = SandboxLimits()
    with pytest.raises(WorkFailed, match="DARKROOM_RUNNER_SANDBOX_FILE_BYTES") as caught:
        await run(tmp_path, LimitExceeded(limits.file(), "the last lines"))
    assert (caught.value.failure_class, caught.value.detail) == ("LIMIT_EXCEEDED", "the last lines")
    with pytest.raises(WorkFailed, match="DARKROOM_RUNNER_SANDBOX_MEMORY_BYTES") as caught:
        await run(tmp_path, LimitExceeded(limits.memory(), ""))
    assert caught.value.failure_class == "OUT_OF_MEMORY"
    # Unlike a machine that is short of memory today, it would come again.
    assert caught.value.to_proto().deterministic


@pytest.mark.parametrize("said", ["INTERNAL", "SANDBOX", "CANCELLED", "RAW_CHANGED", "STUCK", "LIMIT_EXCEEDED"])
async def test_a_handler_cannot_speak_for_the_runner(tmp_path, said):
    with pytest.raises(WorkFailed) as caught:
        await run(tmp_path, CommandFailed({"class": said, "message": "x"}))
    assert caught.value.failure_class == "HANDLER_ERROR"


async def test_foreign_code_cannot_wait_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr("handler_runner.run_command.FIRST_PAUSE_S", 0.0)
    away = CommandFailed({"class": "TRANSIENT_IO", "message": "Input/output error"})
    with pytest.raises(WorkFailed) as caught:
        await run(tmp_path, *[away] * 200, confined=True)
    assert caught.value.failure_class == "TRANSIENT_IO"
