"""Building shards again."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

import pytest


@pytest.mark.parametrize("handler", ["copy", "files"])
async def test_a_rebuild_is_byte_identical_and_a_difference_is_named(bench, handler):
    bench.start()
    build = bench.queue_build(handler)
    task = bench.registry.work(build).task
    seen = await bench.registry.until(lambda: bench.registry.shards(task["key"]))
    await bench.registry.finished(build)
    names = ("split", "index", "object", "size_bytes", "sha256", "crc32", "record_count")
    shards = [{name: asdict(shard)[name] for name in names} for shard in seen]
    verify = bench.registry.queue("VERIFY", {"build": task, "shards": shards}, task["key"])
    work = await bench.registry.finished(verify)
    assert work.result == {"shards_rebuilt": len(shards), "problems": []}
    shards[0]["sha256"] = hashlib.sha256(b"other").hexdigest()
    shards.append({**shards[0], "split": "nowhere"})
    work = await bench.registry.finished(bench.registry.queue("VERIFY", {"build": task, "shards": shards}, task["key"]))
    differs, missing = sorted(work.result["problems"], key=lambda problem: "no such shard" in problem)
    assert "built again it has" in differs
    assert missing == f"nowhere-{shards[0]['index']:05}: the handler makes no such shard any more"


async def test_raw_data_that_changed_cannot_be_compared(bench):
    bench.start()
    task = bench.build_task("copy")
    (bench.raw / "street" / "000.jpg").write_bytes(b"other")
    work = await bench.registry.finished(bench.registry.queue("VERIFY", {"build": task, "shards": []}))
    assert work.failure["failure_class"] == "RAW_CHANGED"
