"""Lists a raw dataset's files with their stats: hidden ones left out, links followed only inside."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from handler_runner.printable import printable_path
from handler_runner.stat_cache import FileStat, file_stat


def walk(root: bytes, warn: Callable[[str], None]) -> dict[bytes, FileStat]:
    """Return relative path to stat of each regular file below ``root``.

    Raises OSError when the root itself cannot be listed. What vanishes meanwhile is left out.
    """
    root = os.path.realpath(root)
    found: dict[bytes, FileStat] = {}
    pending = [(root, b"")]
    while pending:
        folder, prefix = pending.pop()
        try:
            with os.scandir(folder) as scan:
                entries = list(scan)
        except OSError as error:
            if folder == root:
                raise
            # Not an empty folder: the digest must not depend on who may read it.
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                raise
            continue
        for entry in entries:
            name = entry.name
            if name.startswith(b"."):
                continue
            try:
                if entry.is_symlink():
                    _follow(root, entry, prefix + name, found, pending, warn)
                elif entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, prefix + name + b"/"))
                elif entry.is_file(follow_symlinks=False):
                    found[prefix + name] = file_stat(entry.stat(follow_symlinks=False))
                else:
                    warn(f"{printable_path(entry.path)} is left out: it is neither a file nor a folder")
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                warn(f"{printable_path(entry.path)} is left out: the link leads to itself")
    return found


def _follow(
    root: bytes,
    entry: os.DirEntry[bytes],
    path: bytes,
    found: dict[bytes, FileStat],
    pending: list[tuple[bytes, bytes]],
    warn: Callable[[str], None],
) -> None:
    target = os.path.realpath(entry.path)
    if not target.startswith(root + b"/"):
        warn(f"{printable_path(entry.path)} is left out: the link leads out of the raw dataset")
        return
    if any(part.startswith(b".") for part in target[len(root) + 1 :].split(b"/")):
        warn(f"{printable_path(entry.path)} is left out: the link leads to a hidden file")
        return
    facts = os.stat(target)
    if stat.S_ISREG(facts.st_mode):
        found[path] = file_stat(facts)
    elif stat.S_ISDIR(facts.st_mode):
        if (os.path.realpath(os.path.dirname(entry.path)) + b"/").startswith(target + b"/"):
            warn(f"{printable_path(entry.path)} is left out: the link leads back to a folder that holds it")
            return
        pending.append((entry.path, path + b"/"))
