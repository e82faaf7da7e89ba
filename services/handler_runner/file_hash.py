"""Hashes one raw file, and says whether its stat may stand for its content from now on."""

from __future__ import annotations

import hashlib
import os
import threading

from handler_runner.raw_listing import RawFile
from handler_runner.stat_cache import FileStat, file_stat

# A file changed so shortly before the walk may change again without its times showing it.
UNTRUSTED_NS = 2_000_000_000
_CHUNK_BYTES = 1024 * 1024


class WalkCancelled(Exception):
    """Nobody waits for the walk any more."""


def hash_file(
    root: bytes, path: bytes, walk_time_ns: int, cancelled: threading.Event
) -> tuple[RawFile, FileStat | None] | None:
    """Return the file, with its stat where that may be trusted later; None when the file is gone.

    Raises OSError and `WalkCancelled`.
    """
    for _ in range(3):
        try:
            with open(os.path.join(root, path), "rb", buffering=0) as opened:
                before = file_stat(os.fstat(opened.fileno()))
                size_bytes, sha256 = _digest(opened.fileno(), before[0], cancelled)
                after = file_stat(os.fstat(opened.fileno()))
        except FileNotFoundError:
            return None
        if before == after and size_bytes == after[0]:
            break
    calm = before == after and _changed_ns(after, walk_time_ns) < walk_time_ns - UNTRUSTED_NS
    return RawFile(path, size_bytes, sha256), after if calm else None


def _digest(descriptor: int, expected_bytes: int, cancelled: threading.Event) -> tuple[int, bytes]:
    digest, size_bytes = hashlib.sha256(), 0
    while True:
        if cancelled.is_set():
            raise WalkCancelled
        # Asking for no more than there is keeps small files from costing a large buffer each.
        chunk = os.read(descriptor, min(_CHUNK_BYTES, max(0, expected_bytes - size_bytes) + 1))
        if not chunk:
            return size_bytes, digest.digest()
        digest.update(chunk)
        size_bytes += len(chunk)


def _changed_ns(facts: FileStat, now_ns: int) -> int:
    # A camera's wrong clock may set an mtime in the future; ctime cannot be set, so it alone then speaks.
    _, mtime_ns, ctime_ns, _ = facts
    return ctime_ns if mtime_ns > now_ns else max(mtime_ns, ctime_ns)
