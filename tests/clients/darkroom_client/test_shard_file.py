"""A shard is whole under its name or in part under another, never something between."""

import errno
import hashlib

import pytest

from darkroom_client.errors import DiskFull
from darkroom_client.manifest import Shard
from darkroom_client.shard_file import ShardFile, disk_error

CONTENT = bytes(range(256)) * 100
SHARD = Shard("train-00000.tfrecord", "train", 0, 57, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), 1)


def test_a_shard_gets_its_name_when_its_bytes_are_right(tmp_path):
    with ShardFile(tmp_path, SHARD) as file:
        file.append(memoryview(CONTENT[:1000]))
        assert not (tmp_path / SHARD.name).exists()
        file.append(memoryview(CONTENT[1000:]))
        assert file.publish()
    assert (tmp_path / SHARD.name).read_bytes() == CONTENT


def test_what_an_earlier_process_wrote_is_kept_and_counts_in_the_hash(tmp_path):
    with ShardFile(tmp_path, SHARD) as file:
        file.append(memoryview(CONTENT[:5000]))
    with ShardFile(tmp_path, SHARD) as file:
        assert file.missing_bytes == len(CONTENT) - 5000
        file.append(memoryview(CONTENT[5000:]))
        assert file.publish()
    assert (tmp_path / SHARD.name).read_bytes() == CONTENT


def test_wrong_bytes_get_no_name_and_can_be_begun_again(tmp_path):
    with ShardFile(tmp_path, SHARD) as file:
        file.append(memoryview(CONTENT[:-1] + b"?"))
        assert not file.publish()
        file.restart()
        assert file.missing_bytes == len(CONTENT)
        file.append(memoryview(CONTENT))
        assert file.publish()


def test_a_part_longer_than_the_shard_is_begun_again(tmp_path):
    (tmp_path / f"{SHARD.name}.part").write_bytes(CONTENT + b"more")
    with ShardFile(tmp_path, SHARD) as file:
        assert file.missing_bytes == len(CONTENT)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_says_that_the_part_is_kept_and_what_would_do(tmp_path, number):
    error = disk_error(OSError(number, "full"), tmp_path)
    assert isinstance(error, DiskFull)
    assert "what came so far is kept" in str(error)
    assert "DARKROOM_CACHE" in str(error)


def test_another_disk_error_stays_itself(tmp_path):
    error = OSError(errno.EIO, "broken")
    assert disk_error(error, tmp_path) is error
