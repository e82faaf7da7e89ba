"""An archive that lies on this machine is read from its file, and only that one."""

import os
from pathlib import Path

import pytest

from darkroom_client.archive_source_file import FileRanges
from darkroom_client.errors import Unavailable


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive.zip"
    path.write_bytes(bytes(range(256)) * 10_000)
    return path


def test_a_range_comes_as_it_lies(archive: Path) -> None:
    ranges = FileRanges.open(str(archive), archive.stat().st_size)
    assert ranges
    assert b"".join(ranges.read(100, 2_000_000)) == archive.read_bytes()[100:2_000_000]
    ranges.close()


def test_an_archive_removed_meanwhile_is_read_to_its_end(archive: Path) -> None:
    content = archive.read_bytes()
    ranges = FileRanges.open(str(archive), len(content))
    assert ranges
    archive.unlink()
    assert b"".join(ranges.read(0, len(content))) == content
    ranges.close()


def test_what_is_not_the_archive_is_left_to_the_registry(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = archive.stat().st_size
    assert FileRanges.open("", size) is None
    assert FileRanges.open(str(tmp_path / "elsewhere"), size) is None
    assert FileRanges.open(str(archive), size + 1) is None
    assert FileRanges.open(str(tmp_path), tmp_path.stat().st_size) is None
    os.mkfifo(tmp_path / "pipe")
    assert FileRanges.open(str(tmp_path / "pipe"), 0) is None
    monkeypatch.setenv("DARKROOM_SAME_MACHINE", "0")
    assert FileRanges.open(str(archive), size) is None


def test_a_file_cut_short_is_no_end(archive: Path) -> None:
    ranges = FileRanges.open(str(archive), archive.stat().st_size)
    assert ranges
    os.truncate(archive, 1000)
    with pytest.raises(Unavailable, match="ends early"):
        list(ranges.read(0, 2000))
    ranges.close()
