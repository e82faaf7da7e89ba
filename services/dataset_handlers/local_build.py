"""Builds all shards of a handler on this machine, without a service: in parallel, and going on where it stopped."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple, Type, Union

from dataset_handlers.errors import BadRawRecord
from dataset_handlers.features import merge_features
from dataset_handlers.handler import DatasetHandler
from dataset_handlers.photos import list_photos
from dataset_handlers.plan import Shard
from dataset_handlers.planning import list_samples, make_plan
from dataset_handlers.sample import Sample
from dataset_handlers.shard_writer import ShardResult, Skipped, write_shard
from dataset_handlers.source import source_digest

BUILD_NOTE = "build.json"
"""Beside the shards: what they were built from, and their features."""

Job = Tuple[Type[DatasetHandler], Dict[str, Any], Any, List[Sample], str]


def build_locally(handler: DatasetHandler, output_dir: Union[str, Path, None] = None, workers: int = 1) -> List[Path]:
    """Returns the files of all shards, building those that are not there yet.

    ``workers`` above 1 starts so many processes; the handler's class must then be importable. Raises ``BadRawRecord``
    once more source files are unreadable than ``max_bad_fraction`` allows.
    """
    handler.check()
    listing = list_samples(handler)
    plan = make_plan(handler, listing)
    digest = _digest(handler, listing, plan.shards)
    folder = (
        Path(output_dir) if output_dir is not None else Path("tfrecords", f"{type(handler).__name__}-{digest[:12]}")
    )
    folder.mkdir(parents=True, exist_ok=True)
    note = _Note(folder, digest)

    missing = [shard for shard in plan.shards if not (folder / shard.name).exists()]
    jobs: List[Job] = [
        (
            type(handler),
            handler.config,
            handler.base_data_path,
            listing[shard.split][shard.start : shard.stop],
            str(folder / shard.name),
        )
        for shard in missing
    ]
    skipped: List[Skipped] = []
    for result in _run(jobs, workers):
        note.add(result.features)
        skipped += result.skipped
        if len(skipped) > plan.max_bad:
            raise BadRawRecord(
                skipped[0].path, f"{skipped[0].reason}; {len(skipped)} bad files, {plan.max_bad} allowed"
            )
    return [folder / shard.name for shard in plan.shards]


def _run(jobs: Sequence[Job], workers: int) -> Iterator[ShardResult]:
    if workers <= 1 or len(jobs) <= 1:
        yield from map(_build, jobs)
        return
    # Spawned and not forked: a fork of a process that uses OpenCV or TensorFlow may hang.
    with multiprocessing.get_context("spawn").Pool(min(workers, len(jobs))) as pool:
        yield from pool.imap(_build, jobs)


def _build(job: Job) -> ShardResult:
    handler_class, config, base_data_path, samples, output = job
    partial = f"{output}.partial"
    result = write_shard(handler_class(config, base_data_path), samples, partial)
    os.replace(partial, output)
    return result


class _Note:
    """What a folder's shards were built from, and what they hold."""

    def __init__(self, folder: Path, digest: str) -> None:
        self._path = folder / BUILD_NOTE
        self._said: Dict[str, Any] = {"digest": digest, "features": {}}
        before = json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}
        if before.get("digest") == digest:
            self._said = before
        else:
            # Shards of another config or of other photos must not be taken for these.
            for old in folder.glob("*.tfrecord"):
                old.unlink()
        self._write()

    def add(self, features: Dict[str, Any]) -> None:
        """Takes in the features of one more shard."""
        self._said["features"] = merge_features(self._said["features"], features)
        self._write()

    def _write(self) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(self._said) + "\n", encoding="utf-8")
        os.replace(partial, self._path)


def _digest(handler: DatasetHandler, listing: Dict[str, List[Sample]], shards: Sequence[Shard]) -> str:
    text = json.dumps(
        [
            source_digest(),
            type(handler).__qualname__,
            _source_of(type(handler)),
            handler.config,
            [asdict(shard) for shard in shards],
            [_stats(handler.raw_data_paths[role]) for role in sorted(handler.raw_data_paths)],
        ],
        sort_keys=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _source_of(handler_class: Type[DatasetHandler]) -> str:
    import inspect

    try:
        return hashlib.sha256(Path(inspect.getfile(handler_class)).read_bytes()).hexdigest()
    except (OSError, TypeError):
        return ""


def _stats(folder: Path) -> List[Sequence[Any]]:
    """Returns size and time of every file: masks and annotations count as much as the photos that a handler lists."""
    names = list_photos(folder, ("",))
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in ((name, os.stat(folder / name)) for name in names)]
