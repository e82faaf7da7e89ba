"""A child speaks frames and nothing else, whatever its handler prints, forks, executes or raises."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_handlers.tfrecord import count_records

from .child_runner import ChildRunner


@pytest.fixture
def runner(tmp_path: Path, photos: Path) -> Iterator[ChildRunner]:
    runner = ChildRunner(tmp_path, photos)
    try:
        yield runner
    finally:
        runner.end()


def test_it_says_hello_and_goes_when_told(runner: ChildRunner) -> None:
    hello = runner.receive()
    assert hello == {
        "type": "hello",
        "protocol": 1,
        "pid": runner.process.pid,
        "dataset_handlers": "0.1.0",
        "python": sys.version.split()[0],
    }
    runner.send("exit")
    assert runner.process.wait(60) == 0
    assert runner.log == ""


def test_it_goes_when_the_pipe_closes_even_in_the_middle_of_work(runner: ChildRunner, tmp_path: Path) -> None:
    runner.receive()
    assert runner.call("plan", "endless")[0]["type"] == "done"
    runner.send(
        "shard", "endless", shard={"split": "train", "index": 0, "start": 0, "stop": 1}, output=str(tmp_path / "x")
    )
    time.sleep(0.3)
    assert runner.process.poll() is None
    assert runner.process.stdin
    runner.process.stdin.close()
    assert runner.process.wait(60) == 0


def test_ctrl_c_is_the_runners_affair(runner: ChildRunner) -> None:
    runner.receive()
    runner.process.send_signal(signal.SIGINT)
    assert runner.call("describe")[0]["type"] == "done"


def test_nonsense_on_the_pipe_ends_it(runner: ChildRunner) -> None:
    runner.receive()
    assert runner.process.stdin
    runner.process.stdin.write(b"GET / HTTP/1.1\r\n")
    runner.process.stdin.flush()
    assert runner.process.wait(60) == 2
    assert "longer than" in runner.log


def test_a_module_is_described(runner: ChildRunner) -> None:
    runner.receive()
    handlers = runner.call("describe")[0]["result"]["handlers"]
    assert {"quiet", "noisy", "dataset_handler"} <= set(handlers)
    assert handlers["quiet"]["style"] == "samples"
    assert handlers["dataset_handler"]["style"] == "records"
    assert [option["name"] for option in handlers["dataset_handler"]["options"]] == ["copies"]


def test_a_plan_and_its_shards_are_the_same_in_every_child(runner: ChildRunner, tmp_path: Path, photos: Path) -> None:
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = ChildRunner(other_folder, photos)
    try:
        runner.receive(), other.receive()
        plan = runner.call("plan")[0]["result"]
        assert plan == other.call("plan")[0]["result"]
        assert plan["sample_count"] == plan["example_count"] == 24
        for shard in plan["shards"]:
            outputs = [folder / f"{shard['split']}.tfrecord" for folder in (tmp_path, other_folder)]
            results = [
                child.call("shard", shard=shard, output=str(output))[0]["result"]
                for child, output in zip((runner, other), outputs, strict=True)
            ]
            assert results[0] == results[1]
            assert outputs[0].read_bytes() == outputs[1].read_bytes()
            assert results[0]["records"] == count_records(outputs[0]) == shard["examples"]
    finally:
        other.end()


def test_whatever_a_handler_prints_is_log(runner: ChildRunner, tmp_path: Path) -> None:
    runner.receive()
    done, _ = runner.shard("noisy")
    assert done["type"] == "done", done
    log = runner.log
    for text in ("photo ", "from a shell", "from a process", "from C"):
        assert log.count(text) == done["result"]["examples"]
    assert count_records(tmp_path / "out.tfrecord") == done["result"]["examples"]


def test_output_that_imitates_the_protocol_is_log(runner: ChildRunner) -> None:
    runner.receive()
    done, _ = runner.shard("imitating")
    assert done["result"]["examples"] > 0
    assert runner.log.count('"result":{}') == 2000 * done["result"]["examples"]


def test_a_fork_cannot_speak_for_the_child(runner: ChildRunner) -> None:
    runner.receive()
    done, _ = runner.shard("forking")
    assert done["type"] == "done", done
    assert runner.call("describe")[0]["type"] == "done"


def test_a_fork_does_not_hold_the_pipe_open(runner: ChildRunner) -> None:
    runner.receive()
    assert runner.shard("lingering")[0]["type"] == "done"
    runner.send("exit")
    assert runner.process.wait(60) == 0
    # Its forks sleep for minutes; the end of the stream must not wait for them.
    ended = threading.Event()
    threading.Thread(target=lambda: (runner.receive(), ended.set()), daemon=True).start()
    assert ended.wait(60)


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("raising", "ValueError: a mistake in the handler"),
        ("exiting", "the handler called sys.exit('enough')"),
        ("recursing", "RecursionError"),
    ],
)
def test_a_mistake_arrives_with_its_traceback_and_the_child_goes_on(
    runner: ChildRunner, handler: str, message: str
) -> None:
    runner.receive()
    error, _ = runner.shard(handler)
    assert error["type"] == "error"
    assert error["class"] == "HANDLER_ERROR"
    assert message in error["message"]
    assert "in trouble" in error["traceback"]
    assert runner.shard("quiet")[0]["type"] == "done"


def test_progress_is_told_while_a_shard_grows(runner: ChildRunner) -> None:
    runner.receive()
    done, progress = runner.shard("slow")
    examples = [event["examples"] for event in progress]
    assert examples == sorted(examples)
    assert 2 <= len(examples) <= done["result"]["examples"] / 2


def test_a_wrong_config_names_its_fields(runner: ChildRunner) -> None:
    runner.receive()
    error, _ = runner.call("plan", config={"sead": 1})
    assert error["class"] == "BAD_CONFIG"
    assert error["violations"][0]["field"] == "config.sead"
    assert "Did you mean 'seed'?" in error["violations"][0]["description"]


def test_a_missing_folder_is_raw_data_missing(runner: ChildRunner, tmp_path: Path) -> None:
    runner.receive()
    for folder in (tmp_path / "nowhere", tmp_path):
        error, _ = runner.call("plan", raw={"photos": str(folder)})
        assert error["class"] == "RAW_MISSING"


def test_an_unknown_handler_or_command_is_named(runner: ChildRunner) -> None:
    runner.receive()
    assert "there are base, " in runner.call("plan", "nothing")[0]["message"]
    assert "no command 'dance'" in runner.call("dance")[0]["message"]
    assert "ModuleNotFoundError" in runner.call("describe", module="no_such_module")[0]["message"]


def test_a_full_disk_is_worth_another_try(runner: ChildRunner) -> None:
    runner.receive()
    plan = runner.call("plan")[0]["result"]
    error, _ = runner.call("shard", shard=plan["shards"][0], output="/dev/full")
    assert error["class"] == "TRANSIENT_IO"
    assert Path("/dev/full").is_char_device()


def test_samples_that_changed_since_the_plan_are_noticed(runner: ChildRunner, own_photos: Path, tmp_path: Path) -> None:
    runner.receive()
    raw = {"photos": str(own_photos)}
    shards = runner.call("plan", raw=raw)[0]["result"]["shards"]
    for photo in own_photos.rglob("*.png"):
        photo.unlink()
    answers = [
        # Another seed is another build: nothing that was listed for the first one counts.
        runner.call("shard", raw=raw, seed="1", shard=shard, output=str(tmp_path / "x"))[0]
        for shard in shards
    ]
    assert "the raw data changed" in answers[-1].get("message", "") or "the raw data changed" in answers[1]["message"]


def test_a_handler_that_writes_its_own_files_runs_unchanged(runner: ChildRunner, tmp_path: Path) -> None:
    runner.receive()
    plan = runner.call("plan", "dataset_handler")[0]["result"]
    assert plan["kind"] == "records"
    done, _ = runner.call("records", "dataset_handler", config={"copies": 3}, output_dir=str(tmp_path / "scratch"))
    files = done["result"]["files"]
    assert [Path(file["path"]).name for file in files] == ["train.tfrecord", *(f"test_{n}.tfrecord" for n in range(3))]
    assert [file["split"] for file in files] == ["train", "test", "test", "test"]
    assert all(Path(file["path"]).parent == tmp_path / "scratch" for file in files)
    assert done["result"]["features"] == {}
    assert "writing 3" in runner.log


def test_a_preview_is_a_picture(runner: ChildRunner, tmp_path: Path) -> None:
    runner.receive()
    sheet = tmp_path / "sheet.png"
    stock = {"repository": "stock", "handler": "inpainting", "config": {"image_size": 48}}
    done, _ = runner.call("preview", **stock, sample_count=5, output=str(sheet))
    assert done["result"] == {"samples": 5}
    assert sheet.read_bytes().startswith(b"\x89PNG")
    error, _ = runner.call("preview", "dataset_handler", sample_count=5, output=str(sheet))
    assert "has no preview" in error["message"]
