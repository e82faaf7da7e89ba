"""Takes photos in chunks and gives them back in chunks."""

from __future__ import annotations

import asyncio
import mmap
import time
from collections.abc import AsyncIterator
from pathlib import Path

from inpainting.image_header import check_header
from inpainting.kept_photos import KeptPhotos
from service_kit.errors import InvalidArgument

MAX_CHUNK_BYTES = 4 << 20


class PhotoTransfer:
    """Uploads and downloads of kept photos, in one event loop; the disk is met in threads."""

    def __init__(self, kept: KeptPhotos, max_pixels: int) -> None:
        self._kept = kept
        self._max_pixels = max_pixels

    async def upload(self, chunks: AsyncIterator[bytes]) -> tuple[str, float]:
        """Keep what comes; return its name and when it goes, in seconds since the epoch.

        Raises `InvalidArgument` for what is no photo that the service would decode, `TooManyBytes`.
        """
        incoming = await asyncio.to_thread(self._kept.begin)
        try:
            async for chunk in chunks:
                if len(chunk) > MAX_CHUNK_BYTES:
                    raise InvalidArgument.of(
                        [("chunk", f"has {len(chunk):,} bytes; at most {MAX_CHUNK_BYTES:,} are taken at a time")]
                    )
                await asyncio.to_thread(incoming.write, chunk)
            name = await asyncio.to_thread(incoming.finish, self._check)
            return name, time.time() + self._kept.max_age_s
        finally:
            await asyncio.to_thread(incoming.close)

    async def download(self, name: str) -> AsyncIterator[bytes]:
        """Yield a kept photo in chunks of at most 1 MiB. Raises `NotFound`."""
        chunks = self._kept.chunks(name)
        reading: asyncio.Future[bytes] | None = None
        try:
            while True:
                reading = asyncio.ensure_future(asyncio.to_thread(next, chunks, b""))
                # A caller who leaves does not stop the thread, and nothing can be closed under it.
                if not (chunk := await asyncio.shield(reading)):
                    return
                yield chunk
        finally:
            if reading is not None:
                await asyncio.gather(reading, return_exceptions=True)
            await asyncio.to_thread(chunks.close)

    def _check(self, path: Path) -> None:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            check_header(mapped, self._max_pixels, "chunk")
