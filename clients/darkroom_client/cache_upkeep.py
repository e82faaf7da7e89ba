"""Lists what the cache holds, makes room in it, and reads it through for damage."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import Timeout

from darkroom_client.cache import Cache, read_manifest
from darkroom_client.shard_file import is_sound


@dataclass(frozen=True)
class CachedDataset:
    """One dataset in the cache, or a download that has not ended (``partial``)."""

    digest: str
    path: Path
    partial: bool
    key: str
    dataset_name: str
    size_bytes: int
    last_used: datetime


def cached_datasets(cache: Cache) -> list[CachedDataset]:
    """Return what the cache holds, the longest unused first."""
    folders = [folder for folder in (cache.folder / "datasets").glob("*") if folder.is_dir()]
    return sorted(filter(None, map(_describe, folders)), key=lambda cached: cached.last_used)


def collect(
    cache: Cache,
    *,
    max_bytes: int | None = None,
    older_than: timedelta | None = None,
    dry_run: bool = False,
) -> list[CachedDataset]:
    """Remove the longest unused until the cache holds ``max_bytes``, and those unused for ``older_than``.

    Returns what was removed, or with ``dry_run`` would be. What a process reads or downloads stays.
    """
    removed = []
    held = cached_datasets(cache)
    size_bytes = sum(cached.size_bytes for cached in held)
    now = datetime.now(UTC)
    for cached in held:
        too_old = older_than is not None and now - cached.last_used > older_than
        too_much = max_bytes is not None and size_bytes > max_bytes
        if (too_old or too_much) and _remove(cache, cached, dry_run):
            removed.append(cached)
            size_bytes -= cached.size_bytes
    return removed


def verify_cached(cache: Cache, cached: CachedDataset) -> list[str]:
    """Read every byte; remove the shards that are damaged, so that they are fetched again, and return their names."""
    manifest = read_manifest(cached.path, cached.digest)
    if manifest is None:
        return []
    damaged = [shard.name for shard in manifest.shards if not is_sound(cached.path, shard)]
    with cache.download_lock(cached.digest):
        for name in damaged:
            (cached.path / name).unlink(missing_ok=True)
    return damaged


def _describe(folder: Path) -> CachedDataset | None:
    digest, _, suffix = folder.name.partition(".")
    manifest = read_manifest(folder, digest)
    try:
        size_bytes = sum(file.stat().st_size for file in folder.iterdir())
        last_used = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    except FileNotFoundError:  # removed, or finished, while this looked
        return None
    return CachedDataset(
        digest=digest,
        path=folder,
        partial=bool(suffix),
        key=manifest.key if manifest else "",
        dataset_name=manifest.dataset_name if manifest else "",
        size_bytes=size_bytes,
        last_used=last_used,
    )


def _remove(cache: Cache, cached: CachedDataset, dry_run: bool) -> bool:
    download, use = cache.download_lock(cached.digest), cache.use_lock(cached.digest)
    try:
        download.acquire(timeout=0)
    except Timeout:
        return False
    try:
        if not use.take_alone():
            return False
        if not dry_run:
            # Renamed first: a half-removed folder must not look like a dataset.
            doomed = cached.path.with_name(f"{cached.digest}.gone-{time.time_ns()}")
            cached.path.rename(doomed)
            shutil.rmtree(doomed)
        return True
    finally:
        use.release()
        download.release()
