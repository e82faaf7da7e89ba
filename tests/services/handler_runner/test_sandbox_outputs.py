"""Files are taken out of a confined child's folder without following it anywhere."""

from __future__ import annotations

import os
import stat

import pytest

from handler_runner.executor import CommandFailed
from handler_runner.sandbox_outputs import ConfinedOutputs


@pytest.fixture
def box(tmp_path):
    (tmp_path / "box").mkdir()
    (tmp_path / "secret").write_text("nobody's business")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text("nobody's business")
    return tmp_path / "box"


@pytest.fixture
def shard(box, tmp_path):
    outputs = ConfinedOutputs({"type": "shard", "output": str(tmp_path / "train-00000.tfrecord")}, box)
    return outputs, outputs.command["output"], tmp_path / "train-00000.tfrecord"


@pytest.fixture
def records(box, tmp_path):
    (tmp_path / "records").mkdir()
    outputs = ConfinedOutputs({"type": "records", "output_dir": str(tmp_path / "records")}, box)
    folder = outputs.command["output_dir"]
    os.mkdir(folder)
    return outputs, folder, tmp_path / "records"


def listed(*paths):
    return {"files": [{"path": str(path), "split": "train"} for path in paths]}


def test_a_shard_is_asked_for_inside_and_taken_outside(box, shard):
    outputs, inside, wanted = shard
    assert os.path.dirname(inside) == str(box)
    with open(inside, "w") as file:
        file.write("data")
    os.chmod(inside, 0o4000)
    assert outputs.take({"examples": 1}) == {"examples": 1}
    assert wanted.read_text() == "data"
    assert stat.S_IMODE(wanted.stat().st_mode) == 0o600
    assert os.listdir(box) == []


def put_nothing(path, tmp_path):
    """The handler said that it was done, and wrote nothing."""


def put_link(path, tmp_path):
    os.symlink(tmp_path / "secret", path)


def put_dangling_link(path, tmp_path):
    os.symlink("/nowhere", path)


def put_folder(path, tmp_path):
    os.mkdir(path)
    os.symlink(tmp_path / "secrets", os.path.join(path, "link"))


def put_pipe(path, tmp_path):
    os.mkfifo(path)


PUTS = [put_nothing, put_link, put_dangling_link, put_folder, put_pipe]


@pytest.mark.parametrize("put", PUTS)
def test_what_is_no_plain_file_is_no_shard(shard, tmp_path, put):
    outputs, inside, wanted = shard
    put(inside, tmp_path)
    with pytest.raises(CommandFailed, match="is no file below the folder that it was given"):
        outputs.take({})
    assert not os.path.lexists(wanted)
    assert (tmp_path / "secret").read_text() == (tmp_path / "secrets" / "key").read_text() == "nobody's business"


def test_files_of_a_run_are_taken_each_under_a_name_of_its_own(records):
    outputs, folder, wanted = records
    os.makedirs(f"{folder}/a/b")
    for name in ("a/b/x.tfrecord", "x.tfrecord"):
        with open(f"{folder}/{name}", "w") as file:
            file.write(name)
    taken = outputs.take(listed(f"{folder}/a/b/x.tfrecord", f"{folder}/x.tfrecord"))["files"]
    assert [(wanted / file["path"]).read_text() for file in taken] == ["a/b/x.tfrecord", "x.tfrecord"]


@pytest.mark.parametrize("put", PUTS)
def test_what_is_no_plain_file_is_no_file_of_a_run(records, tmp_path, put):
    outputs, folder, wanted = records
    put(f"{folder}/x.tfrecord", tmp_path)
    with pytest.raises(CommandFailed, match="is no file below"):
        outputs.take(listed(f"{folder}/x.tfrecord"))
    assert list(wanted.iterdir()) == []


def test_no_link_is_followed_on_the_way_to_a_file(records, tmp_path):
    outputs, folder, _ = records
    os.symlink(tmp_path / "secrets", f"{folder}/a")
    for path in (f"{folder}/a/key", f"{folder}/../../secret", "/etc/passwd", "../secret", folder, f"{folder}/x\0y"):
        with pytest.raises(CommandFailed, match="is no file below"):
            outputs.take(listed(path))
    assert (tmp_path / "secrets" / "key").exists()


def test_a_folder_that_became_a_link_leads_nowhere(records, tmp_path):
    outputs, folder, _ = records
    os.rmdir(folder)
    os.symlink(tmp_path / "secrets", folder)
    with pytest.raises(CommandFailed, match="is no file below"):
        outputs.take(listed(f"{folder}/key"))
    assert (tmp_path / "secrets" / "key").exists()
