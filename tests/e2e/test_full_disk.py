"""A store whose disk is full holds a build up, which says so, and goes on by itself when there is room again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .process import until

DISK_BYTES = 8 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes. Where none can be mounted the test fails: a full disk is never left out."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.fail(f"this test mounts a small disk, which needs root: {mounted.stderr}", pytrace=False)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_named_and_the_build_goes_on_alone_when_there_is_space(open_house, photos, small_disk):
    house = open_house(photos, store={"STORE": "local", "STORE_DIR": str(small_disk / "store")}).start()
    house.client.define("street", "stock/inpainting", {"photos": "street"})
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(DISK_BYTES - (100 << 10)))
    with house.darkroom_running("request", "street", "--json") as asking:
        waiting = until(
            lambda: [each.waiting_for for each in house.client.list_datasets("street") if each.waiting_for],
            "a word about the full disk",
        )
        assert str(small_disk) in waiting[0]
        assert "space" in waiting[0]
        until(lambda: f"waiting for {waiting[0]}" in asking.log, "the same word at the client")
        ballast.unlink()
        assert asking.wait(180) == 0
    [dataset] = house.client.list_datasets("street")
    assert (dataset.state, dataset.attempt) == ("READY", 1)
    assert house.darkroom("verify", dataset.key, "--full").ok()
