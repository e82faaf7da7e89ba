"""Joins staged shards to the one archive, with its manifest, inside the store."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Sequence

from darkroom.handler.v1 import handler_pb2
from handler_runner.archive import archive_name, layout, manifest_bytes, tail_bytes
from handler_runner.build_shards import BuiltShard
from handler_runner.shard_facts import merge_features
from handler_runner.staging import Staging
from service_kit.crash_points import reach

_SEGMENT_CHARACTERS = 255


class AssemblyCancelled(Exception):
    """Nobody wants the archive any more."""


async def assemble(
    staging: Staging, task: handler_pb2.BuildTask, built: Sequence[BuiltShard], cancelled: threading.Event
) -> handler_pb2.BuildResult:
    """Write manifest, tail and archive and say where they are; nothing is published by it."""
    objects = {shard.staged.entry.name: shard.staged.object for shard in built}
    shards = layout(shard.staged.entry for shard in built)
    manifest = manifest_bytes(
        key=task.key,
        dataset_name=task.dataset_name,
        preimage=json.loads(task.preimage_json),
        entries=shards.entries,
        features=merge_features(shard.facts.features for shard in built),
        skipped=[skipped for shard in built for skipped in shard.facts.skipped],
    )
    tail, manifest_offset, size_bytes = tail_bytes(shards.entries, manifest)
    tail_object = await staging.put("tail", tail)
    reach("tail_put")

    def tick() -> None:
        if cancelled.is_set():
            raise AssemblyCancelled

    sources = [objects[entry.name] for entry in shards.entries]
    archive = await staging.compose(_object_name(task), [*sources, tail_object], tick)
    reach("archive_composed")
    splits: Counter[str] = Counter()
    for entry in shards.entries:
        splits[entry.split] += entry.record_count
    return handler_pb2.BuildResult(
        archive_object=archive,
        archive_size_bytes=size_bytes,
        digest=hashlib.sha256(manifest).hexdigest(),
        manifest_offset=manifest_offset,
        manifest_size_bytes=len(manifest),
        example_count=splits.total(),
        shard_count=len(shards.entries),
        splits=splits,
    )


def _object_name(task: handler_pb2.BuildTask) -> str:
    name = archive_name(task.dataset_name, task.handler_version, task.key)
    # A long branch name, percent-encoded, may be longer than a file system allows; the key alone says all.
    return name if len(name) <= _SEGMENT_CHARACTERS else f"{task.key}.zip"
