"""Fetches a photo's bytes from where the request says they are."""

from __future__ import annotations

from inpainting.kept_photos import KeptPhotos
from inpainting.task import Source
from service_kit.errors import DarkroomError, InvalidArgument, NotFound
from service_kit.object_store import ObjectMissing, ObjectStore


class PhotoSources:
    """The places a photo may lie in; blocking, so called from the threads that work."""

    def __init__(self, kept: KeptPhotos, store: ObjectStore, max_photo_bytes: int) -> None:
        self._kept = kept
        self._store = store
        self._max_photo_bytes = max_photo_bytes

    def read(self, source: Source, field: str) -> bytes:
        """Return the file. Raises `NotFound`, `InvalidArgument` naming the field."""
        if source.empty:
            raise InvalidArgument.of([(field, "is missing: set content, name or object")])
        data = source.content or self._fetch(source, field)
        if len(data) > self._max_photo_bytes:
            raise self._too_large(field, len(data))
        return data

    def _fetch(self, source: Source, field: str) -> bytes:
        try:
            if source.kept:
                return self._kept.read(source.kept)
            found = self._store.stat(source.object)
            if found is None:
                raise ObjectMissing(source.object)
            if found.size_bytes > self._max_photo_bytes:
                raise self._too_large(field, found.size_bytes)
            return b"".join(self._store.read(source.object, 0, found.size_bytes))
        except ObjectMissing as error:
            raise NotFound(f"{field}: {error.message}") from error
        except InvalidArgument as error:
            raise InvalidArgument.of([(field, description) for _, description in error.violations]) from error
        except DarkroomError as error:
            error.message = f"{field}: {error.message}"
            raise

    def _too_large(self, field: str, size_bytes: int) -> InvalidArgument:
        return InvalidArgument.of([(field, f"has {size_bytes:,} bytes; at most {self._max_photo_bytes:,} are taken")])
