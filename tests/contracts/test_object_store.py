"""What every object store promises, run over each of them: a folder, and a real MinIO server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from service_kit.errors import InvalidArgument
from service_kit.object_store import (
    CHUNK_BYTES,
    ObjectMissing,
    ObjectShort,
    ObjectStore,
    StoreUnavailable,
)

from .objects import MIB, Opened, put_all, read_all, some_bytes


def test_what_was_put_is_read(store: ObjectStore) -> None:
    store.put("a/b.txt", b"hello")
    assert read_all(store, "a/b.txt") == b"hello"


def test_the_parts_are_joined_be_they_bytes_or_files(store: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(some_bytes(3 * MIB + 1))
    store.put("joined", b"head", file, b"", b"middle", file)
    assert read_all(store, "joined") == b"head" + file.read_bytes() + b"middle" + file.read_bytes()


def test_a_large_object_is_whole(store: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(some_bytes(30 * MIB + 17))
    store.put("large", b"head", file, b"tail")
    assert read_all(store, "large") == b"head" + file.read_bytes() + b"tail"


@pytest.mark.parametrize("parts", [(), (b"",), (b"", b"")])
def test_an_object_may_be_empty(store: ObjectStore, parts: tuple[bytes, ...]) -> None:
    store.put("empty", *parts)
    found = store.stat("empty")
    assert found
    assert found.size_bytes == 0
    assert list(store.read("empty", 0, 0)) == []


def test_a_part_that_is_not_there_changes_nothing(store: ObjectStore, tmp_path: Path) -> None:
    store.put("a", b"old")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        store.put("a", b"new", tmp_path / "nowhere")
    assert read_all(store, "a") == b"old"
    assert [found.name for found in store.list("")] == ["a"]


def test_putting_again_replaces(store: ObjectStore) -> None:
    store.put("a", b"a long first version")
    store.put("a", b"second")
    assert read_all(store, "a") == b"second"


def test_a_range_is_exact_and_comes_in_small_chunks(store: ObjectStore) -> None:
    content = some_bytes(3 * MIB)
    store.put("a", content)
    chunks = list(store.read("a", 1000, 2 * MIB + 500))
    assert b"".join(chunks) == content[1000 : 2 * MIB + 1500]
    assert max(map(len, chunks)) <= CHUNK_BYTES
    assert b"".join(store.read("a", 3 * MIB - 1, 1)) == content[-1:]
    assert b"".join(store.read("a", 3 * MIB, 0)) == b""


@pytest.mark.parametrize(("offset", "size_bytes"), [(0, 11), (5, 6), (10, 1), (11, 0), (99, 1)])
def test_a_range_that_ends_behind_the_object_gives_no_byte(store: ObjectStore, offset: int, size_bytes: int) -> None:
    store.put("a", b"0123456789")
    chunks = store.read("a", offset, size_bytes)
    with pytest.raises(ObjectShort, match="'a'"):
        next(chunks)


def test_reading_what_is_not_there_is_named(store: ObjectStore) -> None:
    store.put("a/b", b"")
    for name in ("no/such", "a", "a/c"):
        for size_bytes in (0, 1):
            with pytest.raises(ObjectMissing, match=name):
                list(store.read(name, 0, size_bytes))
        assert store.stat(name) is None


def test_a_reader_may_leave_early(store: ObjectStore) -> None:
    store.put("a", some_bytes(5 * MIB))
    for _ in range(40):
        chunks = store.read("a", 0, 5 * MIB)
        next(chunks)
        chunks.close()  # type: ignore[attr-defined]
    assert store.stat("a")


@pytest.mark.parametrize(("offset", "size_bytes"), [(-1, 1), (0, -1)])
def test_a_negative_range_is_refused(store: ObjectStore, offset: int, size_bytes: int) -> None:
    with pytest.raises(InvalidArgument, match="0 or more"):
        store.read("a", offset, size_bytes)


def test_stat_says_size_and_time(store: ObjectStore) -> None:
    before = time.time()
    store.put("a/b", b"12345")
    found = store.stat("a/b")
    assert found
    assert (found.name, found.size_bytes) == ("a/b", 5)
    # HTTP tells whole seconds.
    assert before - 1 <= found.modify_time <= time.time() + 1


def test_list_finds_by_the_beginning_of_the_name_in_order(store: ObjectStore) -> None:
    names = ["a", "b/a", "b/c-d", "b/c/d", "b/c/e", "b/ca", "b%2Fx", "bc", "c/d"]
    for name in names:
        store.put(name, name.encode())
    assert [found.name for found in store.list("")] == sorted(names)
    assert [found.name for found in store.list("b/c")] == ["b/c-d", "b/c/d", "b/c/e", "b/ca"]
    assert [found.name for found in store.list("b/c/")] == ["b/c/d", "b/c/e"]
    assert [found.name for found in store.list("b")] == sorted(name for name in names if name[0] == "b")
    assert [found.name for found in store.list("b/c/d")] == ["b/c/d"]
    assert list(store.list("d")) == []
    assert list(store.list("a/b/c")) == []
    found = next(iter(store.list("c/")))
    assert found == store.stat("c/d") or found.size_bytes == 3


def test_list_goes_on_behind_the_first_thousand(store: ObjectStore) -> None:
    put_all(store, [(f"n/{i:04}", b"") for i in range(1020)])
    assert [found.name for found in store.list("n/")] == [f"n/{i:04}" for i in range(1020)]


def test_deleting_is_final_and_needs_no_object(store: ObjectStore) -> None:
    store.put("a/b/c", b"1")
    store.put("a/b/d", b"2")
    store.delete("a/b/c")
    store.delete("a/b/c")
    store.delete("never/was")
    store.delete("a/b")
    assert store.stat("a/b/c") is None
    assert [found.name for found in store.list("")] == ["a/b/d"]


@pytest.mark.parametrize("size_bytes", [100, 9 * MIB])
def test_readers_see_one_whole_version_while_writers_replace_it(store: ObjectStore, size_bytes: int) -> None:
    versions = [bytes([version]) * size_bytes for version in range(4)]
    store.put("a/b", versions[0])
    until = time.monotonic() + 1
    errors: list[object] = []

    def write(version: bytes) -> None:
        while time.monotonic() < until:
            store.put("a/b", version)

    def read() -> None:
        while time.monotonic() < until:
            if b"".join(store.read("a/b", 0, size_bytes)) not in versions:
                errors.append("a mixture")

    def watched(work: Callable[..., None], *arguments: bytes) -> None:
        try:
            work(*arguments)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=watched, args=(write, version)) for version in versions]
    threads += [threading.Thread(target=watched, args=(read,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [found.name for found in store.list("")] == ["a/b"]


def test_puts_and_deletes_in_one_folder_do_not_disturb_each_other(store: ObjectStore) -> None:
    errors: list[BaseException] = []

    def come_and_go(name: str) -> None:
        try:
            for _ in range(50):
                store.put(name, name.encode())
                assert b"".join(store.read(name, 0, len(name))) == name.encode()
                store.delete(name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=come_and_go, args=(f"folder/deeper/{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert list(store.list("")) == []


def test_a_url_gives_ranges_to_anybody_or_there_is_none(store: ObjectStore) -> None:
    store.put("k/1/street_a%2Fb_k.zip", b"0123456789")
    url = store.presign("k/1/street_a%2Fb_k.zip", 60)
    if url is None:
        return
    with urllib3.PoolManager() as http:
        answer = http.request("GET", url, headers={"Range": "bytes=2-5"})
        assert (answer.status, answer.data) == (206, b"2345")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="street_a%2Fb_k.zip"'
        assert http.request("GET", url).data == b"0123456789"
        assert http.request("PUT", url, body=b"x").status == 403
        assert http.request("GET", url.replace("street_a", "street_b")).status == 403


def test_a_file_of_the_store_holds_the_object_whole_or_there_is_none(store: ObjectStore) -> None:
    store.put("k/1/street_a%2Fb_k.zip", b"0123456789")
    path = store.path("k/1/street_a%2Fb_k.zip")
    assert path is None or path.read_bytes() == b"0123456789"


@pytest.mark.parametrize("expires_s", [0, -5, 7 * 24 * 3600 + 1])
def test_a_url_for_too_short_or_too_long_is_refused(store: ObjectStore, expires_s: int) -> None:
    with pytest.raises(InvalidArgument, match="7 days"):
        store.presign("a", expires_s)


def test_leftovers_are_never_objects(store: ObjectStore) -> None:
    store.put("a/b", b"1")
    store.remove_leftovers(0)
    assert [found.name for found in store.list("")] == ["a/b"]


def test_a_store_that_is_away_is_unavailable_and_then_as_before(opened: Opened) -> None:
    store = opened.store
    store.put("a/b", b"1")
    opened.take_away()
    calls: list[Callable[[], object]] = [
        lambda: store.put("a/c", b"2"),
        lambda: store.put("a/c", some_bytes(20 * MIB)),
        lambda: list(store.read("a/b", 0, 1)),
        lambda: store.compose("a/c", ["a/b"]),
        lambda: store.stat("a/b"),
        lambda: list(store.list("")),
        lambda: store.delete("a/b"),
    ]
    for call in calls:
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            call()
        assert time.monotonic() - started < 20
    opened.bring_back()
    assert [found.name for found in store.list("")] == ["a/b"]
    assert read_all(store, "a/b") == b"1"
