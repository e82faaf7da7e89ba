"""Takes an archive of another system apart and joins its TFRecord files to one of ours, file by file, resumably."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

from darkroom.dataset.v1 import dataset_pb2
from darkroom.handler.v1 import handler_pb2
from handler_runner.assemble import assemble
from handler_runner.build_shards import BuiltShard
from handler_runner.failure import FailureClass, WorkFailed
from handler_runner.import_features import features_of, join_features
from handler_runner.import_names import numbered
from handler_runner.import_source import open_joined
from handler_runner.import_zip import BadArchive, Member, members, opened, unpack
from handler_runner.patience import wait_for_space
from handler_runner.printable import printable
from handler_runner.shard_check import NotTFRecords, check_shard
from handler_runner.shard_facts import ShardFacts
from handler_runner.staging import Staging, staged_of
from handler_runner.together import together
from handler_runner.work_session import WorkSession
from handler_runner.workshop import Workshop
from service_kit.object_store import ObjectStore

# Files unpacked at a time: the store and the processor are busy by turns.
_HANDS = 2


async def import_archive(
    session: WorkSession, workshop: Workshop, task: handler_pb2.ImportTask
) -> handler_pb2.BuildResult:
    """Return where our archive is; publishing it is the caller's last call. Raises `WorkFailed` (BAD_ARCHIVE)."""
    try:
        return await _Import(session, workshop.store, task).run()
    except BadArchive as error:
        raise WorkFailed(FailureClass.BAD_ARCHIVE, f"{printable(task.file_name)}: {error}") from error


class _Import:
    """One archive, from the files that an earlier attempt left to all of them."""

    def __init__(self, session: WorkSession, store: ObjectStore, task: handler_pb2.ImportTask) -> None:
        self._session, self._store, self._task = session, store, task
        self._staging = Staging(session, store, task.key)
        self._built: dict[str, BuiltShard] = {}

    async def run(self) -> handler_pb2.BuildResult:
        self._session.progress.enter(dataset_pb2.STAGE_PLANNING)
        found = await self._session.patiently(self._look)
        places = numbered([member.name for member in found])
        planned = {
            f"{split}-{index:05}": (member, split, index) for member, (split, index) in zip(found, places, strict=True)
        }
        self._session.progress.plan(len(planned), 0)
        self._session.progress.enter(dataset_pb2.STAGE_CHECKING)
        await self._recall()
        missing = deque(planned[name] for name in planned if name not in self._built)
        await together(*(self._hand(missing) for _ in range(min(_HANDS, len(missing)))))
        self._session.progress.enter(dataset_pb2.STAGE_ASSEMBLING)
        shards = [self._built[name] for name in planned]
        features = join_features((shard.staged.entry.record_count, shard.facts.features) for shard in shards)
        if not features:
            self._session.log.note("the records are not all tf.train.Example of one kind: they are kept as they are")
        preimage = json.loads(self._task.preimage_json)
        return await assemble(
            self._staging,
            handler_pb2.BuildTask(
                key=self._task.key,
                dataset_name=preimage["dataset_name"],
                handler_version=preimage["handler_version"],
                preimage_json=self._task.preimage_json,
            ),
            [BuiltShard(shard.staged, ShardFacts(features)) for shard in shards],
            self._session.cancelled,
        )

    def _look(self) -> list[Member]:
        with open_joined(self._store, self._task.object) as file:
            return members(file)

    async def _recall(self) -> None:
        rows = list(map(staged_of, await self._session.list_shards()))
        for staged, facts in (await self._staging.recall(rows)).items():
            self._count(BuiltShard(staged, facts), reused=True)

    async def _hand(self, missing: deque[tuple[Member, str, int]]) -> None:
        while missing:
            member, split, index = missing.popleft()
            path = self._session.scratch / f"{split}-{index:05}.tfrecord"
            await wait_for_space(self._session.progress, self._session.scratch, member.size_bytes)
            await self._session.patiently(self._unpack, member, path)
            features = await self._session.in_thread(_checked, member, path)
            staged, facts = await self._staging.stage(path, split, index, ShardFacts(features))
            await self._session.in_thread(path.unlink)
            self._count(BuiltShard(staged, facts), reused=False)

    def _unpack(self, member: Member, path: Path) -> None:
        with open_joined(self._store, self._task.object) as file, opened(file) as archive:
            unpack(archive, member, path, self._session.cancelled.is_set)

    def _count(self, shard: BuiltShard, *, reused: bool) -> None:
        entry = shard.staged.entry
        name = entry.name.removesuffix(".tfrecord")
        self._built[name] = shard
        self._session.progress.committed(name, entry.record_count, entry.size_bytes, reused=reused)


def _checked(member: Member, path: Path) -> dict[str, Any]:
    """Return the file's features. Raises `BadArchive` when it is no TFRecord file."""
    try:
        check_shard(path)
    except NotTFRecords as error:
        raise BadArchive(f"{printable(member.name)!r} is no TFRecord file: {error}") from error
    return features_of(path)
