"""The store in a folder: what lies on its disk, and what happens when the disk is full, gone or somebody else's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service_kit.object_store import StoreRefused, StoreUnavailable
from service_kit.object_store_local import MARKER, LocalObjectStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


def files_in(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_objects_are_plain_files_and_nothing_else_stays(root: Path) -> None:
    store = LocalObjectStore(root)
    store.put("k/1/a", b"12")
    store.put("k/1/a", b"3")
    store.compose("k/1/b", ["k/1/a", "k/1/a"])
    assert files_in(root) == [MARKER, "k", "k/1", "k/1/a", "k/1/b"]
    assert (root / "k/1/b").read_bytes() == b"33"


@pytest.mark.parametrize("way", ["put", "compose"])
def test_bytes_then_name_then_folders_are_on_the_disk_before_it_returns(
    root: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    store = LocalObjectStore(root)
    store.put("k/0/part", b"12")
    order: list[str] = []
    sync, replace = os.fsync, os.replace

    def noted_sync(descriptor: int) -> None:
        order.append(f"sync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).relative_to(root)}")
        sync(descriptor)

    def noted_replace(source: Path, target: Path) -> None:
        order.append(f"{source.relative_to(root)} becomes {target.relative_to(root)}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_replace)
    if way == "put":
        store.put("k/1/a", b"12")
    else:
        store.compose("k/1/a", ["k/0/part"])
    [temporary] = {each.removeprefix("sync ") for each in order if each.startswith("sync k/1/.tmp-")}
    named = order.index(f"{temporary} becomes k/1/a")
    assert set(order[:named]) == {f"sync {temporary}"}
    assert order[named + 1 :] == ["sync k/1", "sync k", "sync ."]


def test_a_deleted_objects_empty_folders_go_too(root: Path) -> None:
    store = LocalObjectStore(root)
    store.put("k/1/a", b"")
    store.put("k/2/a", b"")
    store.delete("k/1/a")
    assert files_in(root) == [MARKER, "k", "k/2", "k/2/a"]
    store.delete("k/2/a")
    assert files_in(root) == [MARKER]


def test_a_put_that_fails_leaves_no_file_and_no_folder(root: Path, tmp_path: Path) -> None:
    store = LocalObjectStore(root)
    with pytest.raises(FileNotFoundError):
        store.put("k/1/a", b"1", tmp_path / "missing")
    assert files_in(root) == [MARKER]


def test_what_a_killed_writer_left_is_no_object_and_can_be_removed(root: Path) -> None:
    store = LocalObjectStore(root)
    store.put("k/1/a", b"1")
    old, fresh, alone = root / "k/1/.tmp-0123", root / "k/1/.tmp-4567", root / "x/y/.tmp-89ab"
    alone.parent.mkdir(parents=True)
    for path in (old, fresh, alone):
        path.write_bytes(b"half")
    for path in (old, alone):
        os.utime(path, (0, 0))
    assert [found.name for found in store.list("")] == ["k/1/a"]
    assert store.remove_leftovers(older_than_s=3600) == 2
    assert files_in(root) == [MARKER, "k", "k/1", "k/1/.tmp-4567", "k/1/a"]


def test_a_folder_with_other_things_in_it_is_no_store(root: Path) -> None:
    root.mkdir()
    (root / "holiday.jpg").write_bytes(b"")
    with pytest.raises(StoreRefused, match=r"not empty \('holiday\.jpg' lies in it\)"):
        LocalObjectStore(root)
    assert files_in(root) == ["holiday.jpg"]


def test_a_fresh_disk_and_a_store_that_is_there_are_taken(root: Path) -> None:
    (root / "lost+found").mkdir(parents=True)
    LocalObjectStore(root).put("a", b"1")
    assert LocalObjectStore(root).stat("a")


def test_a_store_that_may_not_be_made_is_waited_for(root: Path) -> None:
    waiting = LocalObjectStore(root, create=False)
    with pytest.raises(StoreUnavailable, match="is its disk mounted"):
        waiting.stat("a")
    # A mount point without its disk is an empty folder.
    root.mkdir()
    with pytest.raises(StoreUnavailable, match="is its disk mounted"):
        waiting.put("a", b"1")
    LocalObjectStore(root).put("a", b"1")
    assert waiting.stat("a")


def test_files_that_are_no_objects_are_passed_over(root: Path) -> None:
    store = LocalObjectStore(root)
    store.put("a", b"1")
    (root / "not a name").write_bytes(b"")
    (root / "folder").mkdir()
    assert [found.name for found in store.list("")] == ["a"]


@pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a")])
def test_a_name_that_is_also_a_folder_is_refused(root: Path, first: str, second: str) -> None:
    store = LocalObjectStore(root)
    store.put(first, b"1")
    with pytest.raises(StoreRefused, match="cannot also be a folder"):
        store.put(second, b"2")
    assert [found.name for found in store.list("")] == [first]


def test_a_folder_without_the_right_to_write_is_refused() -> None:
    # Nobody may make folders there, root included.
    with pytest.raises(StoreRefused, match="needs the right"):
        LocalObjectStore(Path("/sys/darkroom-objects"))


def test_a_part_from_another_file_system_is_copied(root: Path) -> None:
    store = LocalObjectStore(root)
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as part:
        part.write(b"x" * 3_000_000)
        part.flush()
        store.put("a", b"head", Path(part.name), Path(part.name))
    assert b"".join(store.read("a", 0, 6_000_004)) == b"head" + b"x" * 6_000_000


def test_a_part_that_the_kernel_makes_up_as_it_is_read_is_copied(root: Path) -> None:
    store = LocalObjectStore(root)
    store.put("a", Path("/proc/version"))
    assert (root / "a").read_bytes() == Path("/proc/version").read_bytes()


FULL_DISK = """
from pathlib import Path
from service_kit.object_store import StoreFull
from service_kit.object_store_local import LocalObjectStore

root = Path("disk/objects")
store = LocalObjectStore(root)
store.put("k/1/a", bytes(300_000))
part = Path("part")
part.write_bytes(bytes(900_000))
for write in (
    lambda: store.put("k/1/b", bytes(900_000)),
    lambda: store.put("k/2/b", part),
    lambda: store.put("k/1/a", part),
    lambda: store.compose("k/1/b", ["k/1/a"] * 3),
):
    try:
        write()
    except StoreFull as error:
        print(error)
print([(found.name, found.size_bytes) for found in store.list("")])
print(sorted(str(path.relative_to(root)) for path in root.rglob("*")))
store.put("k/1/b", bytes(300_000))
print("room again")
"""


def test_a_full_disk_is_said_with_its_free_bytes_and_leaves_everything_as_it_was(tmp_path: Path) -> None:
    # A name space of its own lets any user mount a small disk, where the kernel allows it: mount, then a program on it.
    unshare = shutil.which("unshare")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "disk"]
    enter = [str(unshare), "--user", "--map-root-user", "--mount", "sh", "-c", '"$@" && exec "$0" -c "$PROGRAM"']
    (tmp_path / "disk").mkdir()
    if (
        not unshare
        or subprocess.run([*enter, "true", *mount], cwd=tmp_path, check=False, capture_output=True).returncode
    ):
        pytest.skip("this kernel lets nobody mount a small disk of their own")
    done = subprocess.run(
        [*enter, sys.executable, *mount],
        cwd=tmp_path,
        env=os.environ | {"PROGRAM": FULL_DISK},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *errors, objects, files, room = done.stdout.splitlines()
    assert len(errors) == 4
    assert all(f"in {tmp_path}/disk/objects: No space left on device; " in error for error in errors), errors
    assert all(error.endswith("bytes are free there") for error in errors)
    assert objects == "[('k/1/a', 300000)]"
    assert files == "['.darkroom-store', 'k', 'k/1', 'k/1/a']"
    assert room == "room again"


def test_a_writer_whose_file_the_sweeper_took_may_come_again(root: Path, tmp_path: Path) -> None:
    # As after a clock was set a day ahead: what is being written looks old.
    store = LocalObjectStore(root)
    slow = tmp_path / "slow"
    os.mkfifo(slow)
    with ThreadPoolExecutor(1) as pool:
        putting = pool.submit(store.put, "k/1/a", b"1", slow)
        with slow.open("wb") as rest:
            assert store.remove_leftovers(-60.0) == 1
            rest.write(b"2")
        with pytest.raises(StoreUnavailable, match="somebody removed what was being written"):
            putting.result(30)
    store.put("k/1/a", b"12")
    assert (root / "k/1/a").read_bytes() == b"12"
