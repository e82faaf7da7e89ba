"""Kept photos: by their content, bounded in room and age, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from inpainting.kept_photos import KeptPhotos, TooManyBytes
from service_kit.errors import InvalidArgument, NotFound


def keeper(folder: Path, max_bytes: int = 10_000, max_age_s: float = 60, max_photo_bytes: int = 5000) -> KeptPhotos:
    return KeptPhotos(folder, max_bytes, max_age_s, max_photo_bytes)


def age(folder: Path, name: str, by_s: float) -> None:
    then_s = time.time() - by_s
    os.utime(folder / name.removeprefix("photos/"), (then_s, then_s))


def test_the_same_bytes_have_the_same_name(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    name = kept.keep(b"photo")
    assert name == kept.keep(b"photo") == f"photos/{hashlib.sha256(b'photo').hexdigest()}"
    assert kept.read(name) == b"photo"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_nobody_used_for_too_long_goes(tmp_path: Path) -> None:
    kept = keeper(tmp_path, max_age_s=60)
    old, used, new = (kept.keep(each) for each in (b"old", b"used", b"new"))
    age(tmp_path, old, 61)
    age(tmp_path, used, 61)
    assert kept.read(used) == b"used"  # which counts as a use
    assert kept.collect() == 1
    with pytest.raises(NotFound, match="not kept any more"):
        kept.read(old)
    assert kept.read(used) + kept.read(new) == b"usednew"


def test_the_longest_unused_make_room(tmp_path: Path) -> None:
    kept = keeper(tmp_path, max_bytes=3000)
    first, second = kept.keep(b"a" * 1000), kept.keep(b"b" * 1000)
    age(tmp_path, first, 20)
    age(tmp_path, second, 30)
    kept.keep(b"c" * 2000)
    assert kept.read(first)
    with pytest.raises(NotFound):
        kept.read(second)


def test_a_photo_that_is_being_read_can_be_read_to_its_end(tmp_path: Path) -> None:
    kept = keeper(tmp_path, max_photo_bytes=3 << 20, max_bytes=3 << 20)
    name = kept.keep(b"x" * (2 << 20))
    chunks = kept.chunks(name)
    next(chunks)
    age(tmp_path, name, 1000)
    kept.collect()
    assert len(next(chunks)) == 1 << 20


def test_a_photo_over_its_limit_leaves_nothing(tmp_path: Path) -> None:
    kept = keeper(tmp_path, max_photo_bytes=10)
    incoming = kept.begin()
    with pytest.raises(TooManyBytes, match="10 bytes"):
        incoming.write(b"x" * 11)
    incoming.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_upload_left_goes_at_the_next_start(tmp_path: Path) -> None:
    killed = keeper(tmp_path).begin()
    killed.write(b"half")
    killed._file.close()
    assert list(tmp_path.iterdir())
    keeper(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["photos/../../etc/passwd", "photos/", "x", "photos/" + "g" * 64])
def test_only_digests_are_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgument):
        keeper(tmp_path).read(name)
