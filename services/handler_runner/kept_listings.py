"""Keeps what each digest stood for, so that a later walk can name the files that changed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import structlog

from handler_runner.raw_listing import RawListing

log = structlog.get_logger()

_KEPT = 64


class KeptListings:
    """A folder of compressed listings, the most recently seen of them; losing one costs a few names in a message."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

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
            seen = sorted(path.parent.iterdir(), key=lambda other: other.stat().st_mtime, reverse=True)
            for old in seen[_KEPT:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("listing_not_kept", problem=str(error))

    def find(self, digest: str) -> RawListing | None:
        """Return the files that a digest stood for, or None."""
        try:
            return RawListing.unpacked(self._path(digest).read_bytes(), digest)
        except OSError:
            return None

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.gz"
