"""Folders are made once, published whole, and removed only when nobody uses them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from handler_runner.kept_folders import KeptFolders

GIB = 1 << 30
MAKE = """
import sys, time
from pathlib import Path
from handler_runner.kept_folders import KeptFolders
home, how = Path(sys.argv[1]), sys.argv[2]
def make(folder):
    folder.mkdir()
    (folder / "half").touch()
    with open(home.parent / "made", "a") as file:
        file.write("x")
    print("making", flush=True)
    time.sleep(600 if how == "for ever" else 0.2)
held = KeptFolders(home, 9, 1 << 30).hold("a", make)
print("held", flush=True)
sys.stdin.read()
"""


def maker(size_bytes=0):
    def make(folder):
        folder.mkdir()
        (folder / "file").write_bytes(b"x" * size_bytes)

    return make


def process(home, how=""):
    return subprocess.Popen(
        [sys.executable, "-c", MAKE, str(home), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def names(home):
    return sorted(path.name for path in home.iterdir() if path.name[0] != ".")


def test_many_threads_make_it_once(tmp_path):
    kept, made = KeptFolders(tmp_path / "kept", 9, GIB), []

    def make(folder):
        made.append(folder)
        maker()(folder)

    with ThreadPoolExecutor(20) as pool:
        held = list(pool.map(lambda _: kept.hold("a", make), range(20)))
    assert len(made) == 1
    assert {each.path for each in held} == {tmp_path / "kept" / "a"}
    for each in held:
        each.release()


def test_processes_make_it_once(tmp_path):
    processes = [process(tmp_path / "kept") for _ in range(3)]
    for each in processes:
        assert "held" in each.communicate("", timeout=60)[0]
    assert (tmp_path / "made").read_text() == "x"


def test_one_that_was_killed_leaves_only_what_the_next_start_removes(tmp_path):
    home = tmp_path / "kept"
    making = process(home, "for ever")
    assert making.stdout.readline() == "making\n"
    other = KeptFolders(home, 9, GIB)
    assert names(home) == []
    # Another process that starts meanwhile leaves it alone.
    assert (home / ".new" / "a" / "half").exists()
    with making:
        making.send_signal(signal.SIGKILL)
    KeptFolders(home, 9, GIB)
    assert not (home / ".new" / "a").exists()
    with other.hold("a", maker()) as held:
        assert (held.path / "file").exists()


def test_a_failure_is_raised_and_leaves_nothing(tmp_path):
    kept = KeptFolders(tmp_path / "kept", 9, GIB)

    def make(folder):
        folder.mkdir()
        raise ValueError("it cannot be made")

    with pytest.raises(ValueError, match="it cannot be made"):
        kept.hold("a", make)
    assert names(tmp_path / "kept") == []
    assert os.listdir(tmp_path / "kept" / ".new") == []
    kept.hold("a", maker()).release()


def age(home, *in_order):
    """Say that these were used long ago, the first longest."""
    for number, name in enumerate(in_order):
        when = time.time() - 1000 + number
        os.utime(home / ".locks" / name, (when, when))


def test_those_used_longest_ago_go_first(tmp_path):
    home = tmp_path / "kept"
    kept = KeptFolders(home, 2, GIB)
    for name in "abc":
        kept.hold(name, maker()).release()
    age(home, "b", "a", "c")
    kept.trim()
    assert names(home) == ["a", "c"]
    assert os.listdir(home / ".old") == []
    kept.hold("a", maker()).release()
    kept.hold("d", maker()).release()
    age(home, "c")
    kept.trim()
    assert names(home) == ["a", "d"]


def test_bytes_are_bounded_too(tmp_path):
    home = tmp_path / "kept"
    kept = KeptFolders(home, 9, 3_000_000)
    for name in "ab":
        kept.hold(name, maker(2_000_000)).release()
    age(home, "a", "b")
    kept.trim()
    assert names(home) == ["b"]


def test_one_in_use_stays_however_old(tmp_path):
    home = tmp_path / "kept"
    kept = KeptFolders(home, 1, GIB)
    using = kept.hold("a", maker())
    elsewhere = process(home)
    assert elsewhere.stdout.readline() == "held\n"
    kept.hold("b", maker()).release()
    age(home, "a", "b")
    kept.trim()
    assert names(home) == ["a"]
    using.release()
    using.release()
    kept.hold("b", maker()).release()
    age(home, "a", "b")
    # The other process holds it still.
    kept.trim()
    assert names(home) == ["a"]
    elsewhere.communicate("", timeout=30)
    kept.hold("b", maker()).release()
    age(home, "a", "b")
    kept.trim()
    assert names(home) == ["b"]


def test_making_and_removing_at_once_never_gives_a_folder_that_is_not_there(tmp_path):
    kept, stop = KeptFolders(tmp_path / "kept", 0, GIB), threading.Event()

    def remove():
        while not stop.is_set():
            kept.trim()

    def use(number):
        for _ in range(20):
            with kept.hold("ab"[number % 2], maker()) as held:
                assert (held.path / "file").exists()

    removing = threading.Thread(target=remove)
    removing.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(use, range(4)))
    finally:
        stop.set()
        removing.join()
