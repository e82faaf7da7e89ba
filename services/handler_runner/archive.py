"""Lays a dataset's shards out as one zip file with a manifest: what goes between and after them, and where each lies.

The same shards always give the same bytes, so the file is three things at once: a plain download, a store that clients
read by ranges, and proof that two builds agree. Each staged object is a complete zip entry (`local_header`, then the
shard); the archive is these objects in order, then the tail (`tail_bytes`).
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from handler_runner.zip_format import (
    ZIP64_BYTES,
    EntryTooLarge,
    central_header,
    end_of_archive,
    local_header,
    local_header_bytes,
)
from service_kit.errors import DataLoss, InvalidArgument

__all__ = [
    "MANIFEST_NAME",
    "ArchiveLayout",
    "EntryTooLarge",
    "Manifest",
    "ShardEntry",
    "archive_name",
    "layout",
    "local_header",
    "manifest_bytes",
    "read_manifest",
    "tail_bytes",
]

MANIFEST_NAME = "manifest.json"
FORMAT = 1

_MAX_INDEX = 99_999
_SPLIT = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ShardEntry:
    """One TFRecord file of the archive. `crc32` is zip's; `sha256` is 64 hex digits, both over the file's bytes."""

    split: str
    index: int
    size_bytes: int
    sha256: str
    crc32: int
    record_count: int

    def __post_init__(self) -> None:
        """Raise `EntryTooLarge`, or `InvalidArgument` naming the fields."""
        rules = [
            ("split", _SPLIT.fullmatch(self.split), "must match [a-z][a-z0-9_]{0,31}"),
            ("index", 0 <= self.index <= _MAX_INDEX, f"must be from 0 to {_MAX_INDEX}"),
            ("size_bytes", self.size_bytes >= 0, "must be 0 or more"),
            ("sha256", _SHA256.fullmatch(self.sha256), "must be 64 hex digits"),
            ("crc32", 0 <= self.crc32 <= 0xFFFFFFFF, "must be a 32-bit number"),
            ("record_count", self.record_count >= 0, "must be 0 or more"),
        ]
        violations = [(field, f"{rule}, not {getattr(self, field)!r}") for field, holds, rule in rules if not holds]
        if violations:
            raise InvalidArgument.of(violations)
        if self.size_bytes >= ZIP64_BYTES:
            raise EntryTooLarge(self.name, self.size_bytes)

    @property
    def name(self) -> str:
        """Return the file's name in the archive."""
        return f"{self.split}-{self.index:05}.tfrecord"


@dataclass(frozen=True)
class ArchiveLayout:
    """Where things lie in an archive: `offsets[i]` is the first byte of `entries[i]`'s file, in the archive's order."""

    entries: tuple[ShardEntry, ...]
    offsets: tuple[int, ...]
    manifest_entry_offset: int


@dataclass(frozen=True)
class Manifest:
    """What an archive says about itself; `layout` is already compared with the offsets that it names."""

    key: str
    dataset_name: str
    preimage: Mapping[str, Any]
    features: Mapping[str, Any]
    layout: ArchiveLayout
    skipped: tuple[str, ...]


def archive_name(dataset_name: str, handler_version: str, key: str) -> str:
    """Return the archive's file name; the version is percent-encoded, for a branch may be called `a/b`."""
    return f"{dataset_name}_{quote(handler_version, safe='')}_{key}.zip"


def layout(entries: Iterable[ShardEntry]) -> ArchiveLayout:
    """Return where each file of the archive lies, in the names' order. Raises `InvalidArgument` for a name twice."""
    ordered = tuple(sorted(entries, key=lambda entry: entry.name))
    for entry, following in pairwise(ordered):
        if entry.name == following.name:
            raise InvalidArgument.of([("entries", f"{entry.name} is there twice")])
    offsets = []
    position = 0
    for entry in ordered:
        offsets.append(position + local_header_bytes(entry.name))
        position = offsets[-1] + entry.size_bytes
    return ArchiveLayout(ordered, tuple(offsets), position)


def manifest_bytes(
    *,
    key: str,
    dataset_name: str,
    preimage: Mapping[str, Any],
    entries: Iterable[ShardEntry],
    features: Mapping[str, Any],
    skipped: Sequence[str] = (),
) -> bytes:
    """Return the manifest as canonical JSON; its sha256 is the dataset's digest. It holds facts only: no time, no host.

    `skipped` is sorted here, so the order in which shards were finished cannot show.
    """
    shards = layout(entries)
    splits: dict[str, dict[str, int]] = {}
    for entry in shards.entries:
        split = splits.setdefault(entry.split, {"bytes": 0, "examples": 0, "shards": 0})
        split["bytes"] += entry.size_bytes
        split["examples"] += entry.record_count
        split["shards"] += 1
    facts = {
        "format": FORMAT,
        "key": key,
        "dataset_name": dataset_name,
        "preimage": preimage,
        "features": features,
        "splits": splits,
        "shards": [_shard_facts(*shard) for shard in zip(shards.entries, shards.offsets, strict=True)],
        "skipped": sorted(skipped),
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def read_manifest(manifest: bytes) -> Manifest:
    """Return what the manifest says. Raises `DataLoss` if it is damaged or of another format."""
    try:
        facts = json.loads(manifest)
        if facts["format"] != FORMAT:
            raise DataLoss(f"the manifest has format {facts['format']!r}; this version reads format {FORMAT}")
        entries = [
            ShardEntry(each["split"], each["index"], each["size_bytes"], each["sha256"], each["crc32"], each["records"])
            for each in facts["shards"]
        ]
        shards = layout(entries)
        if [each["offset"] for each in facts["shards"]] != list(shards.offsets):
            raise DataLoss("the manifest is damaged: its shards cannot lie where it says they do")
        named = str(facts["key"]), str(facts["dataset_name"]), dict(facts["preimage"]), dict(facts["features"])
        return Manifest(*named, layout=shards, skipped=tuple(facts["skipped"]))
    except (ValueError, KeyError, TypeError, InvalidArgument) as error:
        raise DataLoss(f"the manifest is damaged: {error!r}") from error


def tail_bytes(entries: Iterable[ShardEntry], manifest: bytes) -> tuple[bytes, int, int]:
    """Return what follows the last shard, where the manifest's bytes lie in the archive, and the archive's size."""
    shards = layout(entries)
    crc32 = zlib.crc32(manifest)
    header = local_header(MANIFEST_NAME, len(manifest), crc32)
    directory = b"".join(
        central_header(entry.name, entry.size_bytes, entry.crc32, offset - local_header_bytes(entry.name))
        for entry, offset in zip(shards.entries, shards.offsets, strict=True)
    ) + central_header(MANIFEST_NAME, len(manifest), crc32, shards.manifest_entry_offset)
    directory_offset = shards.manifest_entry_offset + len(header) + len(manifest)
    end = end_of_archive(len(shards.entries) + 1, directory_offset, len(directory))
    tail = header + manifest + directory + end
    return tail, shards.manifest_entry_offset + len(header), shards.manifest_entry_offset + len(tail)


def _shard_facts(entry: ShardEntry, offset: int) -> dict[str, Any]:
    return {
        "name": entry.name,
        "split": entry.split,
        "index": entry.index,
        "offset": offset,
        "size_bytes": entry.size_bytes,
        "sha256": entry.sha256,
        "crc32": entry.crc32,
        "records": entry.record_count,
    }
