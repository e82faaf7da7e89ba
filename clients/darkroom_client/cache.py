"""One copy of each dataset on this machine, found by digest and shared by every training that reads it.

::

    {cache}/datasets/{digest}/            manifest.json and the shards; the folder's mtime is its last use
    {cache}/datasets/{digest}.partial/    a download under way, or what one left behind to go on from
    {cache}/locks/{digest}.lock           held by the one process that downloads
    {cache}/locks/{digest}.use            held, shared, by every process that reads
    {cache}/unsettled/{digest}.*          the disk may not have all bytes yet
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs
from filelock import FileLock

from darkroom_client.manifest import Manifest
from darkroom_client.use_lock import UseLock

MANIFEST = "manifest.json"


class Cache:
    """The folder of cached datasets; any number of processes may use it at once."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = cache_folder(folder)

    def dataset_folder(self, digest: str) -> Path:
        """Return where the dataset lies once it is whole."""
        return self.folder / "datasets" / digest

    def partial_folder(self, digest: str) -> Path:
        """Return where its download gathers."""
        return self.folder / "datasets" / f"{digest}.partial"

    def download_lock(self, digest: str) -> FileLock:
        """Return the lock of the one process that may write the dataset."""
        return FileLock(self._lock_path(digest, "lock"), thread_local=False)

    def use_lock(self, digest: str) -> UseLock:
        """Return the lock that keeps the dataset from being collected while somebody reads it."""
        return UseLock(self._lock_path(digest, "use"))

    def find(self, digest: str) -> Path | None:
        """Return the dataset's folder if it is whole by its manifest and the shards' sizes; note its use."""
        folder = self.dataset_folder(digest)
        if not is_whole(folder, digest):
            return None
        touch(folder)
        return folder

    def _lock_path(self, digest: str, suffix: str) -> Path:
        locks = self.folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        return locks / f"{digest}.{suffix}"


def cache_folder(folder: str | Path | None = None) -> Path:
    """Return the cache's folder: as given, else ``DARKROOM_CACHE``, else the user's cache folder."""
    chosen = folder or os.environ.get("DARKROOM_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_cache_path("darkroom")


def is_whole(folder: Path, digest: str) -> bool:
    """Return whether the manifest has that digest and every shard its size; bytes are not read."""
    manifest = read_manifest(folder, digest)
    return manifest is not None and not wrong_sizes(folder, manifest)


def read_manifest(folder: Path, digest: str) -> Manifest | None:
    """Return the folder's manifest if its sha256 is ``digest``."""
    content = manifest_content(folder, digest)
    return Manifest.parse(content) if content is not None else None


def manifest_content(folder: Path, digest: str) -> bytes | None:
    """Return the manifest's bytes if their sha256 is ``digest``."""
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None


def wrong_sizes(folder: Path, manifest: Manifest) -> list[str]:
    """Return the names of shards that are missing or have another size than the manifest says."""
    try:
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
    except FileNotFoundError:
        sizes = {}
    return [shard.name for shard in manifest.shards if sizes.get(shard.name) != shard.size_bytes]


def touch(folder: Path) -> None:
    """Note that a dataset is used now; a cache that may only be read stays as it is."""
    try:
        os.utime(folder)
    except OSError:
        return


def use_lock_of(folder: Path) -> UseLock | None:
    """Share the use lock of a dataset's folder, if it lies in a cache."""
    cache = folder.parent.parent
    if folder.parent.name != "datasets" or not (cache / "locks").is_dir():
        return None
    return Cache(cache).use_lock(folder.name).share()
