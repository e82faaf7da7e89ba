"""A runner survives what happens to it and its children; what is committed is not built again or published twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import grpc
import psutil
import pytest

from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc

SLOWLY = {"delay_s": 0.05}


async def first_shard(bench, build):
    """Wait until a build has committed its first shard, and return the work."""
    await bench.registry.until(lambda: bench.registry.shards(bench.registry.work(build).subject))
    return bench.registry.work(build)


def kill_one_that_writes(children):
    """Kill the first child that is at a shard, not one that waits for work; return whether there was one."""
    for child in children:
        with contextlib.suppress(psutil.Error):
            if any(file.path.endswith(".tfrecord") for file in child.open_files()):
                child.kill()
                return True
    return False


def taken_over(bench, build):
    """Whether another runner has the work; a call that was on its way would else give it back to the first."""
    bench.registry.change(build, lambda work: work if work.fence > 1 or work.state == "QUEUED" else work.requeued())
    return bench.registry.work(build).fence > 1


def rows(bench, build):
    return {(row.split, row.index): row.object for row in bench.registry.shards(bench.registry.work(build).subject)}


async def undisturbed(bench, handler="copy", config=SLOWLY):
    """Return the archive of a build that nothing disturbs."""
    bench.start(home=bench.folder / "undisturbed")
    work = await bench.registry.finished(bench.queue_build(handler, config))
    await bench.stop()
    return bench.archive(work)


async def test_a_killed_child_costs_one_shard_and_changes_nothing(bench, children_of):
    bench.photos(28)
    expected = await undisturbed(bench)
    bench.start()
    build = bench.queue_build("copy", SLOWLY)
    await first_shard(bench, build)
    await bench.registry.until(lambda: kill_one_that_writes(children_of(os.getpid())))
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
    assert bench.archive(work) == expected
    assert "was killed from outside" in bench.registry.log(work.subject)


async def test_a_killed_runner_leaves_no_process_and_its_successor_builds_only_the_rest(bench, children_of):
    bench.photos(28)
    expected = await undisturbed(bench)
    home = bench.folder / "process"
    runner = await bench.process(home)
    build = bench.queue_build("copy", SLOWLY)
    await first_shard(bench, build)
    below = children_of(runner.pid)
    assert len(below) >= 3
    os.kill(runner.pid, signal.SIGKILL)
    await runner.wait()
    before = rows(bench, build)
    await bench.registry.until(lambda: not any(alive(child) for child in below), 5.0)
    assert bench.registry.work(build).state == "RUNNING"
    runner = await bench.process(home)
    await bench.registry.until(lambda: bench.registry.work(build).attempt == 2)
    await bench.registry.until(lambda: bench.registry.work(build).progress.get("shards_reused"))
    progress = bench.registry.work(build).progress
    assert int(progress["shards_reused"]) == len(before)
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
    assert bench.archive(work) == expected
    runner.terminate()
    assert await runner.wait() == 0


async def test_a_killed_runner_takes_along_what_its_handlers_forked(bench, tmp_path, children_of):
    runner = await bench.process(bench.folder / "process")
    bench.queue_build("stuck", {"marker": str(tmp_path / "marker")})
    await bench.registry.until(lambda: (tmp_path / "marker").exists() and (tmp_path / "marker").read_text())
    handler = int((tmp_path / "marker").read_text())
    forked = await bench.registry.until(lambda: children_of(handler))
    os.kill(runner.pid, signal.SIGKILL)
    await runner.wait()
    await bench.registry.until(lambda: not any(map(alive, forked)), 5.0)


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_skipped_photos_are_in_the_manifest_although_an_earlier_attempt_skipped_them(bench):
    bench.photos(28, bad=1)
    expected = await undisturbed(bench)
    bench.start(home=bench.folder / "first")
    build = bench.queue_build("copy", SLOWLY)
    await bench.registry.until(lambda: len(rows(bench, build)) > 5)
    await bench.stop()
    assert bench.registry.work(build).state == "QUEUED"
    bench.start(home=bench.folder / "second")
    work = await bench.registry.finished(build)
    assert bench.archive(work) == expected


async def test_a_committed_shard_whose_facts_are_gone_is_built_again(bench):
    bench.photos(28, bad=1)
    expected = await undisturbed(bench)
    bench.start(home=bench.folder / "first")
    build = bench.queue_build("copy", SLOWLY)
    await first_shard(bench, build)
    await bench.stop()
    for facts in (bench.folder / "store").rglob("*.facts.json"):
        facts.unlink()
    bench.start(home=bench.folder / "second")
    work = await bench.registry.finished(build)
    assert bench.archive(work) == expected


async def test_a_stopped_runner_gives_its_work_back_at_once(bench):
    runner = await bench.process(bench.folder / "process")
    build = bench.queue_build("copy", {"delay_s": 0.5})
    await bench.registry.until(lambda: bench.registry.work(build).progress.get("examples_done"))
    runner.terminate()
    assert await runner.wait() == 0
    assert bench.registry.work(build).state == "QUEUED"


async def test_a_fenced_out_runner_stops_and_publishes_and_deletes_nothing(bench):
    """SIGSTOP past the lease, another finishes, SIGCONT: the runner learns it by ABORTED."""
    bench.photos(28)
    stopped = await bench.process(bench.folder / "process")
    build = bench.queue_build("copy", {"delay_s": 0.1})
    await first_shard(bench, build)
    stopped.send_signal(signal.SIGSTOP)
    bench.start()
    await bench.registry.until(lambda: taken_over(bench, build))
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
    assert work.fence == 2
    objects = {path: path.stat().st_mtime_ns for path in (bench.folder / "store").rglob("*") if path.is_file()}
    stopped.send_signal(signal.SIGCONT)
    await bench.registry.until(lambda: not list((bench.folder / "process" / "work").iterdir()))
    await asyncio.sleep(0.3)
    assert stopped.returncode is None
    for path, modified_ns in objects.items():
        assert path.stat().st_mtime_ns == modified_ns
    assert bench.registry.work(build) == work
    stopped.terminate()
    await stopped.wait()


async def test_work_that_nobody_wants_is_stopped(bench):
    runner = bench.start()
    build = bench.queue_build("copy", {"delay_s": 0.5})
    await bench.registry.until(lambda: bench.registry.work(build).progress.get("examples_done"))
    bench.registry.change(build, lambda work: replace(work, state="CANCELLED"))
    await bench.registry.until(lambda: build not in " ".join(runner.work), 5.0)
    await bench.registry.until(lambda: not list((bench.folder / "home-0" / "work").iterdir()), 5.0)


async def test_a_second_runner_with_the_same_home_is_refused(bench):
    first = await bench.process(bench.folder / "process")
    await bench.registry.until(lambda: (bench.folder / "process" / "runner.lock").exists())
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handler_runner"),
        env=bench.variables(bench.folder / "process"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await second.communicate()
    assert second.returncode == 1
    assert b"another runner works in" in complaint
    first.terminate()
    await first.wait()


async def test_files_in_the_seeds_style_are_resumed_without_running_the_handler_again(bench, tmp_path):
    config = {"file_count": 60, "run_log": str(tmp_path / "runs")}
    bench.start(home=bench.folder / "first")
    build = bench.queue_build("files", config)
    await bench.registry.until(lambda: len(rows(bench, build)) > 0)
    await bench.stop()
    assert len(rows(bench, build)) < 60
    bench.start(home=bench.folder / "second")
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
    assert (tmp_path / "runs").read_text() == "run\n"
    assert work.result["shard_count"] == 60


async def test_a_unit_that_was_interrupted_before_its_end_starts_anew(bench, tmp_path):
    config = {"delay_s": 0.7, "run_log": str(tmp_path / "runs")}
    bench.start(home=bench.folder / "first")
    build = bench.queue_build("files", config)
    await bench.registry.until((tmp_path / "runs").exists)
    await bench.stop()
    assert not rows(bench, build)
    bench.start(home=bench.folder / "second")
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
    assert (tmp_path / "runs").read_text() == "run\n" * 2


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MiB, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_is_waited_for_and_the_build_resumes_alone(bench, small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(3_500_000))
    bench.start(home=small_disk / "home")
    build = bench.queue_build("sized", {"example_bytes": 300_000})
    waiting = await bench.registry.until(lambda: bench.registry.work(build).progress.get("waiting_for", ""))
    assert waiting.startswith(f"space on {small_disk}")
    assert "needed" in waiting
    ballast.unlink()
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
    assert work.attempt == 1


async def test_a_runner_answers_about_itself(bench):
    home = bench.folder / "process"
    runner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handler_runner"),
        env=bench.variables(home),
        stderr=asyncio.subprocess.PIPE,
    )
    line = b""
    while b"runner_ready" not in line:
        line = await runner.stderr.readline()
    port = json.loads(line)["port"]
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        answer = await handler_pb2_grpc.HandlerRunnerServiceStub(channel).GetRunner(handler_pb2.GetRunnerRequest())
    assert {raw.name: raw.file_count for raw in answer.runner.raw_datasets} == {"street": 12}
    assert [repository.name for repository in answer.runner.repositories] == ["stock", "lab"]
    assert answer.runner.cores == 2
    runner.terminate()
    await runner.communicate()


async def test_a_registry_that_comes_later_is_waited_for(bench):
    await bench.registry.stop()
    bench.start()
    build = bench.queue_build("copy")
    await asyncio.sleep(0.5)
    await bench.registry.start()
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
