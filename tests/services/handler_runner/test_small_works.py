"""Describing, walking, drawing; and none of them waits for a build."""

from __future__ import annotations

import base64
from dataclasses import replace

from dataset_registry.records import Environment
from handler_runner.snapshot import Snapshots


async def test_an_environment_is_described(bench):
    bench.start()
    task = {"repository": "lab", "commit": bench.commit(), "version": "local"}
    work = await bench.registry.finished(bench.registry.queue("ENVIRONMENT", task))
    kept = bench.registry.catalog.read(lambda tx: tx.get(Environment, work.subject))
    description = kept.description
    assert set(description["handlers"]) >= {"copy", "files"}
    assert description["handlers"]["files"]["style"] == "records"
    assert len(description["lock_digest"]) == 64
    assert description["platform"]["os"] == "linux"


async def test_a_commit_that_is_not_there_is_an_environment_failure(bench):
    bench.start()
    task = {"repository": "lab", "commit": "0" * 64, "version": "local"}
    described = bench.registry.queue("ENVIRONMENT", task)
    # As if the sources changed between the claim and the work.
    bench.registry.change(described, lambda work: replace(work, commit=bench.commit()))
    work = await bench.registry.finished(described)
    assert work.failure["failure_class"] == "ENVIRONMENT"


async def test_a_raw_dataset_is_walked_while_a_build_runs(bench):
    bench.start()
    build = bench.queue_build("copy", {"delay_s": 0.3})
    await bench.registry.until(lambda: bench.registry.work(build).progress.get("examples_done"))
    work = await bench.registry.finished(bench.registry.queue("SNAPSHOT", {"raw_dataset": "street"}))
    expected = Snapshots(bench.folder / "other", 2).take(bench.raw / "street")
    assert work.result["digest"] == expected.digest
    assert work.result["file_count"] == 12
    assert work.result["size_bytes"] == expected.size_bytes
    assert bench.registry.work(build).state == "RUNNING"


async def test_a_walk_does_not_mind_a_build_that_cannot_be_made_ready(bench):
    bench.start()
    expected = {"repository": "nowhere", "commit": "0" * 40, "version": "v1"}
    task = {"raw_dataset": "street", "expected": expected, "expected_raw": ["street"]}
    assert (await bench.registry.finished(bench.registry.queue("SNAPSHOT", task))).state == "DONE"


async def test_an_empty_raw_dataset_is_named(bench):
    (bench.raw / "empty").mkdir()
    bench.start()
    work = await bench.registry.finished(bench.registry.queue("SNAPSHOT", {"raw_dataset": "empty"}))
    assert work.failure["failure_class"] == "RAW_MISSING"
    assert str(bench.raw / "empty") in work.failure["message"]


async def test_a_contact_sheet_is_drawn(bench):
    import cv2
    import numpy as np

    for path in (bench.raw / "street").iterdir():
        cv2.imwrite(str(path), np.full((60, 80, 3), 128, np.uint8))
    bench.start()
    build = {**bench.build_task("inpainting", {"image_size": [32, 32]}, repository="stock"), "key": ""}
    work = await bench.registry.finished(bench.registry.queue("PREVIEW", {"build": build, "sample_count": 3}))
    assert work.state == "DONE", work.failure
    sheet = cv2.imdecode(np.frombuffer(base64.b64decode(work.result["png"]), np.uint8), cv2.IMREAD_COLOR)
    assert sheet is not None


async def test_snapshots_are_compared_by_what_walks_left_behind(bench):
    bench.start()
    first = (await bench.registry.finished(bench.registry.queue("SNAPSHOT", {"raw_dataset": "street"}))).result
    (bench.raw / "street" / "000.jpg").write_bytes(b"other")
    (bench.raw / "street" / "001.jpg").unlink()
    for number in range(15):
        (bench.raw / "street" / f"new-{number:02}.jpg").write_bytes(b"new")
    second = (await bench.registry.finished(bench.registry.queue("SNAPSHOT", {"raw_dataset": "street"}))).result
    # A runner that has restarted still knows.
    await bench.stop()
    bench.start(home=bench.folder / "home-0")
    task = {"raw_dataset": "street", "digest": second["digest"], "other_digest": first["digest"]}
    work = await bench.registry.finished(bench.registry.queue("COMPARE", task))
    assert work.result == {
        "added_count": "15",
        "removed_count": "1",
        "changed_count": "1",
        "added": [f"new-{number:02}.jpg" for number in range(10)],
        "removed": ["001.jpg"],
        "changed": ["000.jpg"],
    }
    unknown = await bench.registry.finished(bench.registry.queue("COMPARE", task | {"other_digest": "0" * 64}))
    assert (unknown.state, unknown.result) == ("DONE", {})
