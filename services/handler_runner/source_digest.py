"""Digests a folder of Python sources, and reads them again only when their stats have changed."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

from handler_runner.raw_walk import walk
from handler_runner.stat_cache import FileStat

# What changed so shortly before the look may change again without its times showing it.
_UNTRUSTED_NS = 2_000_000_000


class SourceDigests:
    """Remembers digests by folder: a runner says its commits each time it asks for work."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[dict[bytes, FileStat], str]] = {}
        self._lock = threading.Lock()

    def digest(self, folder: Path) -> str:
        """Return sha256 over path and content of each ``.py`` file, hidden ones left out, 64 hex digits.

        Raises OSError.
        """
        now_ns = time.time_ns()
        found = walk(os.fsencode(folder), lambda problem: None)
        stats = {path: found[path] for path in sorted(found) if path.endswith(b".py")}
        with self._lock:
            known = self._known.get(folder)
            if known is not None and known[0] == stats:
                return known[1]
        digest = hashlib.sha256()
        for path in stats:
            content = Path(os.fsdecode(os.path.join(os.fsencode(folder), path))).read_bytes()
            digest.update(b"%b\0%d\0" % (path, len(content)))
            digest.update(content)
        if all(ctime_ns < now_ns - _UNTRUSTED_NS for _, _, ctime_ns, _ in stats.values()):
            with self._lock:
                self._known[folder] = stats, digest.hexdigest()
        return digest.hexdigest()
