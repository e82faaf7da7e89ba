"""An object store in a folder: each object is a file that is written beside its place, synced, and renamed into it."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat as file_modes
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from service_kit.crash_points import reach
from service_kit.durable_files import append_rest, sync_folder, write_all
from service_kit.object_store import (
    CHUNK_BYTES,
    ObjectMissing,
    ObjectShort,
    ObjectStat,
    StoreRefused,
    StoreUnavailable,
    check_expires,
    check_object_name,
    check_prefix,
    check_range,
    do_nothing,
    is_object_name,
)
from service_kit.object_store_errors_local import file_errors

# A folder that lacks this file is no store: that is how a disk that is not mounted shows.
MARKER = ".darkroom-store"
TEMPORARY = ".tmp-"

# A folder may be emptied and removed by a delete so often before a put gives up.
_FOLDER_ATTEMPTS = 1000


class LocalObjectStore:
    """Objects as files below `root`, a folder of its own on one file system. See `ObjectStore` for the promises."""

    def __init__(self, root: Path, *, create: bool = True) -> None:
        """Take a missing or empty folder as a new store, unless told not to create: then its calls wait for a store.

        Raises `StoreRefused` when the folder holds other things: the collector would take them for objects.
        """
        self._root = root.absolute()
        if create:
            with file_errors(self._root, MARKER):
                self._create()

    def put(self, name: str, *parts: bytes | Path) -> None:
        """See `ObjectStore.put`."""
        check_object_name(name)
        with file_errors(self._root, name), self._replacing(name) as target:
            for part in parts:
                if isinstance(part, Path):
                    with part.open("rb", buffering=0) as source:
                        append_rest(source.fileno(), target, do_nothing)
                else:
                    write_all(target, part)

    def read(self, name: str, offset: int, size_bytes: int) -> Iterator[bytes]:
        """See `ObjectStore.read`."""
        check_object_name(name)
        check_range(offset, size_bytes)
        return self._read(name, offset, size_bytes)

    def compose(self, name: str, sources: Sequence[str], tick: Callable[[], None] = do_nothing) -> None:
        """See `ObjectStore.compose`."""
        for each in (name, *sources):
            check_object_name(each)
        with file_errors(self._root, name), self._replacing(name) as target:
            for source in sources:
                with self._opened(source) as descriptor:
                    append_rest(descriptor, target, tick)
                tick()

    def stat(self, name: str) -> ObjectStat | None:
        """See `ObjectStore.stat`."""
        check_object_name(name)
        with file_errors(self._root, name):
            self._check_store()
            return self._stat(name)

    def list(self, prefix: str) -> Iterator[ObjectStat]:
        """See `ObjectStore.list`."""
        check_prefix(prefix)
        return self._list(prefix)

    def delete(self, name: str) -> None:
        """See `ObjectStore.delete`; folders that it empties go too."""
        check_object_name(name)
        with file_errors(self._root, name):
            self._check_store()
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                self._path(name).unlink()
            self._remove_empty_folders(name)

    def presign(self, name: str, expires_s: int) -> str | None:
        """Return None: files have no URLs."""
        check_object_name(name)
        check_expires(expires_s)
        return None

    def path(self, name: str) -> Path | None:
        """See `ObjectStore.path`; there may be no such object."""
        return self._path(check_object_name(name))

    def remove_leftovers(self, older_than_s: float) -> int:
        """See `ObjectStore.remove_leftovers`."""
        removed = 0
        with file_errors(self._root, TEMPORARY):
            self._check_store()
            newest = time.time() - older_than_s
            for folder, _, files in os.walk(self._root):
                for file in files:
                    path = Path(folder, file)
                    # Another sweeper may be first, or the writer may rename its file this instant.
                    with contextlib.suppress(FileNotFoundError):
                        if file.startswith(TEMPORARY) and path.stat().st_mtime < newest:
                            path.unlink()
                            removed += 1
                            self._remove_empty_folders(path.relative_to(self._root).as_posix())
        return removed

    def _read(self, name: str, offset: int, size_bytes: int) -> Iterator[bytes]:
        with file_errors(self._root, name), self._opened(name) as descriptor:
            object_bytes = os.fstat(descriptor).st_size
            if object_bytes < offset + size_bytes:
                raise ObjectShort(name, offset, size_bytes, object_bytes)
            end = offset + size_bytes
            while offset < end:
                chunk = os.pread(descriptor, min(CHUNK_BYTES, end - offset), offset)
                if not chunk:
                    raise ObjectShort(name, offset, end - offset, offset)
                offset += len(chunk)
                yield chunk

    def _list(self, prefix: str) -> Iterator[ObjectStat]:
        with file_errors(self._root, prefix):
            self._check_store()
            for name in self._walk(prefix.rpartition("/")[0], prefix):
                found = self._stat(name)
                if found:
                    yield found

    def _walk(self, folder: str, prefix: str) -> Iterator[str]:
        try:
            with os.scandir(self._root / folder) as entries:
                # A folder sorts as its objects do: `a-b` before `a/b` before `ab`.
                paths = sorted(entry.name + "/" * entry.is_dir() for entry in entries if entry.name[0] != ".")
        except (FileNotFoundError, NotADirectoryError):
            return
        for path in paths:
            name = f"{folder}/{path}" if folder else path
            if not name.startswith(prefix):
                continue
            if path.endswith("/"):
                yield from self._walk(name[:-1], prefix)
            elif is_object_name(name):
                yield name

    def _stat(self, name: str) -> ObjectStat | None:
        try:
            facts = os.stat(self._path(name))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return ObjectStat(name, facts.st_size, facts.st_mtime) if file_modes.S_ISREG(facts.st_mode) else None

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        self._check_store()
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise ObjectMissing(name) from None
        try:
            if not file_modes.S_ISREG(os.fstat(descriptor).st_mode):
                raise ObjectMissing(name)
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _replacing(self, name: str) -> Iterator[int]:
        """Yield a file to write; afterwards it is synced and takes the name, or after an error it is gone."""
        self._check_store()
        path = self._path(name)
        temporary, descriptor = self._create_temporary(path.parent)
        try:
            try:
                yield descriptor
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            reach("object_written")
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            self._remove_empty_folders(name)
            raise
        reach("object_renamed")
        self._sync_folders(path.parent)

    def _create_temporary(self, folder: Path) -> tuple[Path, int]:
        temporary = folder / f"{TEMPORARY}{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        for _ in range(_FOLDER_ATTEMPTS):
            # A delete may empty and remove the folder before the file is in it.
            with contextlib.suppress(FileNotFoundError):
                for parent in reversed(self._folders(folder)[:-1]):
                    with contextlib.suppress(FileExistsError):
                        parent.mkdir()
                return temporary, os.open(temporary, flags, 0o666)
            self._check_store()
        raise StoreRefused(f"the folder {folder} cannot be made: something else in it has that name")

    def _sync_folders(self, folder: Path) -> None:
        # All of them up to the root: another put may have made one of them and not have synced it yet.
        for each in self._folders(folder):
            # Somebody may have deleted the object already, and its folder with it.
            with contextlib.suppress(FileNotFoundError):
                sync_folder(each)

    def _folders(self, folder: Path) -> Sequence[Path]:
        """Return the folder and those above it, the root last."""
        depth = len(folder.relative_to(self._root).parts)
        return [folder, *folder.parents][: depth + 1]

    def _remove_empty_folders(self, name: str) -> None:
        for folder in self._folders(self._path(name).parent)[:-1]:
            try:
                folder.rmdir()
            except OSError:
                # Not empty: a put is at work here, its temporary file holds the folder.
                return

    def _path(self, name: str) -> Path:
        return self._root / name

    def _create(self) -> None:
        marker = self._root / MARKER
        self._root.mkdir(parents=True, exist_ok=True)
        others = sorted(entry for entry in os.listdir(self._root) if entry[0] != "." and entry != "lost+found")
        # The marker is looked for last: another process may be creating the same store.
        if others and not marker.exists():
            raise StoreRefused(
                f"{self._root} is no object store and not empty ({others[0]!r} lies in it): name an empty folder"
            )
        marker.touch()
        sync_folder(self._root)

    def _check_store(self) -> None:
        if not (self._root / MARKER).exists():
            raise StoreUnavailable(
                f"{self._root} holds no object store ({MARKER} is missing): is its disk mounted?",
                metadata={"store": str(self._root)},
            )
