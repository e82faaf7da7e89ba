"""Writes the tree of a commit as plain files, byte for byte: no filter, attribute or link changes what lies where."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from service_kit.errors import InvalidArgument, Unavailable
from service_kit.git_process import kill_group, run_git, start_git

_LIST_BYTES = 256 << 20
_MAX_LINK_BYTES = 4096
_REGULAR, _EXECUTABLE, _LINK, _SUBMODULE = "100644", "100755", "120000", "160000"


@dataclass(frozen=True)
class Entry:
    """One file of a commit's tree."""

    mode: str
    blob: str
    size_bytes: int
    path: str


def export_tree(mirror: Path, commit: str, folder: Path, *, max_bytes: int, max_files: int, timeout_s: float) -> None:
    """Write the tree into the new ``folder``; removes it again if something is refused.

    Raises `InvalidArgument` for too many bytes or files, and for names and links that leave the folder.
    """
    entries = list(_entries(mirror, commit, timeout_s))
    _check(entries, max_bytes, max_files)
    folder.mkdir(parents=True)
    try:
        with _Blobs(mirror, max_bytes, timeout_s) as blobs:
            _write(entries, blobs, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _entries(mirror: Path, commit: str, timeout_s: float) -> Iterator[Entry]:
    words = ("ls-tree", "-r", "-z", "-l", "--full-tree", commit)
    for line in run_git(*words, mirror=mirror, timeout_s=timeout_s, max_file_bytes=_LIST_BYTES).split(b"\0"):
        if line:
            facts, _, path = line.partition(b"\t")
            mode, _, blob, size = facts.decode().split()
            yield Entry(mode, blob, 0 if size == "-" else int(size), os.fsdecode(path))


def _check(entries: list[Entry], max_bytes: int, max_files: int) -> None:
    if len(entries) > max_files:
        raise InvalidArgument(f"the repository has {len(entries)} files; at most {max_files} are taken")
    size_bytes = sum(entry.size_bytes for entry in entries)
    if size_bytes > max_bytes:
        raise InvalidArgument(f"the repository's files have {size_bytes} bytes; at most {max_bytes} are taken")
    for entry in entries:
        parts = entry.path.split("/")
        if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
            raise InvalidArgument(f"the repository holds a file named {entry.path[:200]!r}, which no file may be named")
        if entry.mode == _LINK and entry.size_bytes > _MAX_LINK_BYTES:
            raise InvalidArgument(f"the repository's link {entry.path[:200]!r} is too long")


def _write(entries: list[Entry], blobs: _Blobs, folder: Path) -> None:
    links: list[Path] = []
    try:
        # All links last: no file is ever written through one.
        for entry in sorted(entries, key=lambda each: each.mode == _LINK):
            place = folder / entry.path
            place.parent.mkdir(parents=True, exist_ok=True)
            if entry.mode == _SUBMODULE:
                place.mkdir()
            elif entry.mode == _LINK:
                place.symlink_to(os.fsdecode(blobs.read(entry)))
                links.append(place)
            else:
                with place.open("xb") as file:
                    blobs.copy(entry, file)
                place.chmod(0o755 if entry.mode == _EXECUTABLE else 0o644)
    except (FileExistsError, NotADirectoryError) as error:
        raise InvalidArgument(f"the repository names {os.path.basename(error.filename or '')!r} twice") from error
    root = Path(os.path.realpath(folder))
    for link in links:
        if os.path.isabs(os.readlink(link)) or not Path(os.path.realpath(link)).is_relative_to(root):
            path = link.relative_to(folder)
            raise InvalidArgument(
                f"the repository's link {str(path)!r} leads out of it, to {os.readlink(link)[:200]!r}"
            )


class _Blobs:
    """Reads blobs through one ``git cat-file --batch``, which is stopped when its time is up."""

    def __init__(self, mirror: Path, max_bytes: int, timeout_s: float) -> None:
        self._process = start_git(
            ("cat-file", "--batch"),
            mirror=mirror,
            max_file_bytes=max_bytes,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._timer = threading.Timer(timeout_s, kill_group, [self._process])
        self._timer.daemon = True

    def __enter__(self) -> _Blobs:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        kill_group(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def read(self, entry: Entry) -> bytes:
        """Return a blob's bytes."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(entry.blob.encode() + b"\n")
            stdin.flush()
            head = stdout.readline().split()
            content = stdout.read(entry.size_bytes + 1)[:-1]
        except BrokenPipeError:
            head, content = [], b""
        if len(head) != 3 or int(head[2]) != entry.size_bytes or len(content) != entry.size_bytes:
            raise Unavailable(f"git could not read {entry.path[:200]!r} out of its mirror, or took too long")
        return content

    def copy(self, entry: Entry, file: IO[bytes]) -> None:
        """Write a blob's bytes to a file."""
        file.write(self.read(entry))
