"""A build: the same bytes however it came about, every way of failing with its class, every interruption survived."""

from __future__ import annotations

import asyncio
import json
import os
import zipfile
from io import BytesIO
from typing import Any

import pytest

from dataset_handlers.tfrecord import count_records


def manifest_of(archive: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        return json.loads(opened.read("manifest.json"))


async def test_a_build_gives_an_archive_whose_shards_can_be_read(bench, tmp_path):
    bench.start()
    work = await bench.registry.finished(bench.queue_build("copy"))
    assert work.state == "DONE", work.failure
    archive = bench.archive(work)
    manifest = manifest_of(archive)
    assert sum(split["examples"] for split in manifest["splits"].values()) == 12 == work.result["example_count"]
    assert manifest["preimage"] == {"schema": 1}
    assert manifest["features"]["name"] == {"dtype": "bytes", "shape": [], "encoding": "utf8"}
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        opened.extractall(tmp_path / "out")
    for shard in manifest["shards"]:
        assert count_records(tmp_path / "out" / shard["name"]) == shard["records"]


async def test_another_number_of_workers_gives_the_same_bytes(bench):
    bench.photos(28)
    bench.start(workers=1)
    first = await bench.registry.finished(bench.queue_build("copy", key="a" * 64))
    await bench.stop()
    bench.start(workers=3)
    second = await bench.registry.finished(bench.queue_build("copy", key="b" * 64))
    # The key is a fact of the manifest and stands for the seed, so the shards are compared under one key.
    await bench.stop()
    bench.start(workers=2)
    third = await bench.registry.finished(bench.queue_build("copy", key="a" * 64))
    assert bench.archive(first) == bench.archive(third)
    assert len(bench.archive(first)) == len(bench.archive(second))


async def test_a_real_photo_job_of_the_stock_handler_is_built(bench):
    import cv2
    import numpy as np

    random = np.random.default_rng(7)
    for path in (bench.raw / "street").iterdir():
        photo = cv2.resize(random.integers(0, 255, (9, 12, 3), dtype=np.uint8), (320, 240))
        cv2.imwrite(str(path), photo)
    bench.start()
    build = bench.queue_build("inpainting", {"image_size": [64, 64]}, repository="stock")
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
    assert work.result["example_count"] == 12


async def test_a_changed_photo_fails_the_build_and_is_named(bench):
    bench.start()
    task = bench.build_task("copy")
    bench.snapshots.take(bench.raw / "street")
    (bench.raw / "street" / "003.jpg").write_bytes(b"another")
    (bench.raw / "street" / "004.jpg").unlink()
    work = await bench.registry.finished(bench.registry.queue("BUILD", task, task["key"]))
    assert work.failure["failure_class"] == "RAW_CHANGED"
    assert "changed 003.jpg; removed 004.jpg" in work.failure["message"]
    assert not work.failure["deterministic"]


async def test_a_photo_changed_in_mid_build_fails_it_before_publishing(bench):
    bench.start()
    build = bench.queue_build("copy", {"delay_s": 0.1})
    await bench.registry.until(lambda: bench.registry.shards(bench.registry.work(build).subject))
    path = bench.raw / "street" / "000.jpg"
    before = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    work = await bench.registry.finished(build)
    assert work.failure["failure_class"] == "RAW_CHANGED"
    assert "changed 000.jpg" in work.failure["message"]


async def test_a_photo_that_vanishes_is_a_change_and_no_mistake_of_the_handler(bench):
    bench.start()
    build = bench.queue_build("copy", {"delay_s": 0.2})
    await bench.registry.until(lambda: bench.registry.shards(bench.registry.work(build).subject))
    for path in (bench.raw / "street").iterdir():
        path.unlink()
    (bench.raw / "street" / "new.jpg").touch()
    work = await bench.registry.finished(build)
    assert work.failure["failure_class"] == "RAW_CHANGED"


async def test_a_corrupt_photo_is_skipped_and_listed_without_a_path_of_this_machine(bench):
    bench.photos(12, bad=1)
    bench.start()
    work = await bench.registry.finished(bench.queue_build("copy"))
    assert work.state == "DONE", work.failure
    assert manifest_of(bench.archive(work))["skipped"] == ["000.jpg: not a photo"]
    assert work.result["example_count"] == 11


async def test_a_corrupt_photo_whose_name_is_no_unicode_is_listed_too(bench):
    (bench.raw / "street" / "000.jpg").write_bytes(b"bad")
    os.rename(bench.raw / "street" / "000.jpg", os.fsencode(bench.raw / "street") + b"/\xff.jpg")
    bench.start()
    work = await bench.registry.finished(bench.queue_build("copy"))
    assert work.state == "DONE", work.failure
    assert manifest_of(bench.archive(work))["skipped"] == [r"\xff.jpg: not a photo"]


async def test_too_many_corrupt_photos_fail_the_build_and_are_named(bench):
    bench.photos(12, bad=2)
    bench.start()
    work = await bench.registry.finished(bench.queue_build("copy"))
    assert work.failure["failure_class"] == "BAD_RAW_RECORD"
    assert "000.jpg: not a photo; 001.jpg: not a photo" in work.failure["message"]


async def test_a_handler_that_prints_forks_and_raises_leaves_a_whole_log_and_its_traceback(bench, tmp_path):
    bench.start()
    work = await bench.registry.finished(bench.queue_build("noisy", {"marker": str(tmp_path / "marker")}))
    assert work.failure["failure_class"] == "HANDLER_ERROR"
    assert "the handler gives up" in work.failure["message"]
    assert 'raise RuntimeError("the handler gives up")' in work.failure["detail"]
    log = bench.registry.log(work.subject)
    for line in (
        "a line by print",
        "a line on stderr",
        "a line by a program",
        r"\x00\x00\x00\x05hello \xff\xfe binary",
    ):
        assert line in log


async def test_a_worker_that_crashes_once_is_replaced(bench, tmp_path):
    bench.start()
    work = await bench.registry.finished(bench.queue_build("crash", {"marker": str(tmp_path / "marker")}))
    assert work.state == "DONE", work.failure
    assert "SIGSEGV" in bench.registry.log(work.subject)


async def test_a_handler_that_crashes_again_fails_with_the_signal_and_the_log(bench):
    bench.start()
    work = await bench.registry.finished(bench.queue_build("crashes"))
    assert work.failure["failure_class"] == "HANDLER_ERROR"
    assert "SIGSEGV" in work.failure["message"]
    assert "about to fall" in work.failure["detail"]


async def test_a_handler_without_progress_is_stopped_with_all_that_it_forked(bench, tmp_path, children_of):
    bench.start(stuck_after_s=3.0)
    work = await bench.registry.finished(bench.queue_build("stuck", {"marker": str(tmp_path / "marker")}))
    assert work.failure_counts == {"STUCK": 1}
    assert "no progress for" in bench.registry.log(work.subject)
    stuck = int((tmp_path / "marker").read_text())
    await bench.registry.until(lambda: not any(other.pid == stuck for other in children_of(os.getpid())))


async def test_a_wrong_config_names_its_field(bench):
    bench.start()
    config = {"image_size": [64, 64], "crop_size": [800, 800]}
    work = await bench.registry.finished(bench.queue_build("inpainting", config, repository="stock"))
    assert work.failure["failure_class"] == "BAD_CONFIG"
    assert work.failure["violations"][0]["field"] == "config.crop_size"
    assert work.failure["deterministic"]


async def test_the_registry_may_be_away_during_a_build(bench):
    bench.start()
    build = bench.queue_build("copy", {"delay_s": 0.1})
    await bench.registry.until(lambda: bench.registry.shards(bench.registry.work(build).subject))
    await bench.registry.stop()
    await asyncio.sleep(1.5)
    await bench.registry.start()
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
    assert work.attempt == 1


async def test_a_store_that_is_away_is_waited_for_and_the_snapshot_says_so(bench):
    bench.start()
    build = bench.queue_build("copy", {"delay_s": 0.1})
    await bench.registry.until(lambda: bench.registry.shards(bench.registry.work(build).subject))
    # As if the store's disk were not mounted for a while.
    away = (bench.folder / "store").rename(bench.folder / "away")
    await bench.registry.until(
        lambda: "is its disk mounted?" in bench.registry.work(build).progress.get("waiting_for", "")
    )
    away.rename(bench.folder / "store")
    work = await bench.registry.finished(build)
    assert work.state == "DONE", work.failure
    assert work.attempt == 1


@pytest.mark.parametrize("config", [{"file_count": 40}, {"file_count": 3, "large_bytes": 3_000_000}])
async def test_a_handler_in_the_seeds_style_is_one_unit(bench, config):
    bench.start()
    work = await bench.registry.finished(bench.queue_build("files", config))
    assert work.state == "DONE", work.failure
    manifest = manifest_of(bench.archive(work))
    assert manifest["splits"]["test"]["shards"] == (config["file_count"] + 4) // 5
    assert work.result["shard_count"] == config["file_count"] + bool(config.get("large_bytes"))


async def test_processor_time_counts_as_life_for_a_handler_that_says_nothing(bench):
    bench.start(stuck_after_s=0.8)
    work = await bench.registry.finished(bench.queue_build("slow", {"busy_s": 2.0}))
    assert work.state == "DONE", work.failure
