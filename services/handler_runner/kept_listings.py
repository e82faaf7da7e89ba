"""Keeps what each digest stood for, so that a later walk can name the files that changed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import structlog

from handler_runner.raw_listing import RawListing

log = structlog.get_logger()

_KEPT = 64
_KEPT_BYTES = 256 << 20


class KeptListings:
    """A folder of compressed listings, the most recently seen of them; losing one costs a few names in a message."""

    def __init__(self, folder: Path, kept: int = _KEPT, kept_bytes: int = _KEPT_BYTES) -> None:
        """Keep at most so many, of so many bytes in all; the last one stays whatever its size."""
        self._folder, self._kept, self._kept_bytes = folder, kept, kept_bytes

    def keep(self, listing: RawListing) -> None:
        """Keep a listing, or note that it was seen again."""
        path = self._path(listing.digest)
        try:
            if path.exists():
                os.utime(path)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{threading.get_ident()}.partial")
            partial.write_bytes(listing.packed())
            partial.replace(path)
            self._remove_old()
        except OSError as error:
            log.warning("listing_not_kept", problem=str(error))

    def find(self, digest: str) -> RawListing | None:
        """Return the files that a digest stood for, or None."""
        try:
            return RawListing.unpacked(self._path(digest).read_bytes(), digest)
        except OSError:
            return None

    def _remove_old(self) -> None:
        facts = [(other, other.stat()) for other in self._folder.iterdir()]
        facts.sort(key=lambda pair: pair[1].st_mtime, reverse=True)
        size_bytes = 0
        for number, (old, found) in enumerate(facts):
            size_bytes += found.st_size
            if number and (number >= self._kept or size_bytes > self._kept_bytes):
                old.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.gz"
