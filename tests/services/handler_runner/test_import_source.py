"""Objects that belong together read as one file, wherever it is sought."""

from __future__ import annotations

import io
import random

import pytest

from handler_runner.import_source import open_joined
from service_kit.object_store import ObjectMissing
from service_kit.object_store_local import LocalObjectStore


def test_ranges_over_all_seams_are_those_of_the_whole(tmp_path) -> None:
    store = LocalObjectStore(tmp_path)
    chance = random.Random(1)
    whole = b""
    for number, size_bytes in enumerate([1, 1000, 3_000_000, 0, 17]):
        part = chance.randbytes(size_bytes)
        store.put(f"k/part-{number}", part)
        whole += part
    with open_joined(store, "k/part-") as file:
        assert file.read() == whole
        for _ in range(200):
            start = chance.randrange(len(whole))
            length = chance.choice([1, 30, 5000, 2_000_000])
            file.seek(start - len(whole), io.SEEK_END)
            assert file.read(length) == whole[start : start + length]
        assert file.read() == whole[start + length :]
        file.seek(len(whole) + 5)
        assert file.read(5) == b""


def test_no_object_is_a_missing_one(tmp_path) -> None:
    with pytest.raises(ObjectMissing):
        open_joined(LocalObjectStore(tmp_path), "nothing/")
