"""Takes a model's file in chunks and adds it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from inpainting.kept_photos import TooManyBytes
from inpainting.model_catalog import Model, ModelCatalog
from service_kit.errors import InvalidArgument


class ModelIntake:
    """Uploads of model files, in one event loop; the disk is met in threads."""

    def __init__(self, catalog: ModelCatalog, folder: Path, max_model_bytes: int) -> None:
        self._catalog = catalog
        self._folder = folder
        self._max_model_bytes = max_model_bytes
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".incoming-*"):
            left.unlink(missing_ok=True)

    async def add(self, parts: AsyncIterator[tuple[str, str, str, bytes]]) -> Model:
        """Add what comes in parts of (name, file name, inputs and outputs, chunk); the first part has the words.

        Raises `InvalidArgument`, `AlreadyExists`, `TooManyBytes`.
        """
        path = self._folder / f".incoming-{secrets.token_hex(8)}"
        words: tuple[str, str, str] | None = None
        size_bytes = 0
        try:
            with path.open("xb") as file:
                async for name, file_name, io, chunk in parts:
                    if words is None:
                        words = name, file_name, io
                        _check_text(name=name, file_name=file_name, io=io)
                    size_bytes += len(chunk)
                    if size_bytes > self._max_model_bytes:
                        raise TooManyBytes(f"a model's file may have {self._max_model_bytes:,} bytes, this has more")
                    await asyncio.to_thread(file.write, chunk)
            if words is None or not size_bytes:
                raise InvalidArgument.of([("chunk", "no bytes came")])
            return await asyncio.to_thread(self._catalog.add, words[0], path, words[1], words[2])
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _check_text(**words: str) -> None:
    """Refuse what no file can be named: each is, or may be, a path."""
    for field, word in words.items():
        if "\0" in word:
            raise InvalidArgument.of([(field, "must be text without the character NUL")])
