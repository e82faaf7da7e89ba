"""Fetches a photo's bytes from where the request says they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from inpainting.kept_photos import KeptPhotos
from inpainting.task import Source
from service_kit.errors import DarkroomError, InvalidArgument, NotFound
from service_kit.object_store import ObjectMissing, ObjectStore


class PhotoSources(Protocol):
    """Where photos lie; blocking, so called from the threads that work."""

    def read(self, source: Source, field: str) -> bytes:
        """Return the file. Raises `NotFound`, `InvalidArgument` naming the field."""


class FileSources:
    """Files of this machine, for a process that fills photos for its own user: a kept photo is a path."""

    def __init__(self, max_photo_bytes: int) -> None:
        self._max_photo_bytes = max_photo_bytes

    def read(self, source: Source, field: str) -> bytes:
        """See `PhotoSources.read`."""
        try:
            size_bytes = os.stat(source.kept).st_size
            if size_bytes > self._max_photo_bytes:
                raise too_large(field, size_bytes, self._max_photo_bytes)
            return Path(source.kept).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"{field}: there is no file {source.kept}") from None
        except OSError as error:
            raise InvalidArgument.of([(field, f"{source.kept} cannot be read: {error.strerror}")]) from error


class ServedSources:
    """What a service is sent, keeps, or finds in its store."""

    def __init__(self, kept: KeptPhotos, store: ObjectStore, max_photo_bytes: int) -> None:
        self._kept = kept
        self._store = store
        self._max_photo_bytes = max_photo_bytes

    def read(self, source: Source, field: str) -> bytes:
        """See `PhotoSources.read`."""
        if source.empty:
            raise InvalidArgument.of([(field, "is missing: set content, name or object")])
        data = source.content or self._fetch(source, field)
        if len(data) > self._max_photo_bytes:
            raise too_large(field, len(data), self._max_photo_bytes)
        return data

    def _fetch(self, source: Source, field: str) -> bytes:
        try:
            if source.kept:
                return self._kept.read(source.kept)
            found = self._store.stat(source.object)
            if found is None:
                raise ObjectMissing(source.object)
            if found.size_bytes > self._max_photo_bytes:
                raise too_large(field, found.size_bytes, self._max_photo_bytes)
            return b"".join(self._store.read(source.object, 0, found.size_bytes))
        except ObjectMissing as error:
            raise NotFound(f"{field}: {error.message}") from error
        except InvalidArgument as error:
            raise InvalidArgument.of([(field, description) for _, description in error.violations]) from error
        except DarkroomError as error:
            error.message = f"{field}: {error.message}"
            error.args = (error.message,)
            raise


def too_large(field: str, size_bytes: int, max_bytes: int) -> InvalidArgument:
    """Return the refusal of a file that is over the limit."""
    return InvalidArgument.of([(field, f"has {size_bytes:,} bytes; at most {max_bytes:,} are taken")])
