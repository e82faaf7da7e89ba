"""What every object store promises of composing: sources of every size, in the store, whole or not at all."""

from __future__ import annotations

import time
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service_kit.object_store import ObjectMissing, ObjectStore

from .objects import MIB, put_all, read_all, some_bytes

SIZES = [0, 1, 1000, 1 * MIB, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 9 * MIB, 11 * MIB]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.sampled_from(SIZES), max_size=7))
def test_composing_is_concatenation(store: ObjectStore, sizes: list[int]) -> None:
    folder = f"composed/{uuid4().hex}"
    contents = [some_bytes(size_bytes, number) for number, size_bytes in enumerate(sizes)]
    for number, content in enumerate(contents):
        store.put(f"{folder}/source-{number}", content)
    ticks: list[int] = []
    store.compose(f"{folder}/whole", [f"{folder}/source-{n}" for n in range(len(sizes))], lambda: ticks.append(1))
    assert read_all(store, f"{folder}/whole") == b"".join(contents)
    assert len(ticks) >= bool(sizes)
    assert len(list(store.list(folder))) == len(sizes) + 1


def test_a_source_may_come_twice_and_be_the_result(store: ObjectStore) -> None:
    store.put("a", b"x" * (6 * MIB))
    store.compose("a", ["a", "a"])
    assert read_all(store, "a") == b"x" * (12 * MIB)


def test_thousands_of_tiny_sources_and_a_large_one_compose(store: ObjectStore, tmp_path: Path) -> None:
    tiny = [some_bytes(1024, number) for number in range(3000)]
    large = tmp_path / "large"
    large.write_bytes(some_bytes(70 * MIB))
    put_all(store, [(f"k/1/s{i}", content) for i, content in enumerate(tiny)])
    store.put("k/1/large", large)
    ticks: list[int] = []
    started = time.monotonic()
    names = [f"k/1/s{i}" for i in range(3000)]
    store.compose("k/1/whole", [*names[:1500], "k/1/large", *names[1500:]], lambda: ticks.append(1))
    assert time.monotonic() - started < 300
    assert ticks
    assert read_all(store, "k/1/whole") == b"".join(tiny[:1500]) + large.read_bytes() + b"".join(tiny[1500:])


def test_composing_from_a_source_that_is_not_there_names_it_and_changes_nothing(store: ObjectStore) -> None:
    store.put("whole", b"old")
    store.put("source", b"1")
    for sources in (["source", "k/missing"], ["k/missing"], [*["source"] * 20, "k/missing"]):
        with pytest.raises(ObjectMissing, match="k/missing"):
            store.compose("whole", sources)
    assert read_all(store, "whole") == b"old"
    assert [found.name for found in store.list("")] == ["source", "whole"]


def test_an_error_in_a_tick_ends_the_composition_and_changes_nothing(store: ObjectStore) -> None:
    store.put("whole", b"old")
    store.put("source", some_bytes(6 * MIB))

    def fenced_out() -> None:
        raise RuntimeError("fenced out")

    with pytest.raises(RuntimeError, match="fenced out"):
        store.compose("whole", ["source"] * 5, fenced_out)
    assert read_all(store, "whole") == b"old"
    assert [found.name for found in store.list("")] == ["source", "whole"]
