"""Remembers the content hash of each raw file by its stat, so that an unchanged file is never read again."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog

log = structlog.get_logger()

_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
    root BLOB NOT NULL, path BLOB NOT NULL,
    size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    PRIMARY KEY (root, path)
) WITHOUT ROWID
"""


# Size in bytes, mtime and ctime in ns, inode: what changes whenever a file's content does; ctime catches those who
# restore the mtime. A plain tuple, because a walk makes one for each file.
FileStat = tuple[int, int, int, int]


def file_stat(result: os.stat_result) -> FileStat:
    """Return it from what the system says."""
    # SQLite's integers are signed; some file systems use the highest bit of an inode.
    return result.st_size, result.st_mtime_ns, result.st_ctime_ns, result.st_ino & 0x7FFFFFFFFFFFFFFF


class StatCache:
    """A small SQLite file; losing it costs time and nothing else, so no error of it stops a walk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def load(self, root: bytes) -> dict[bytes, tuple[FileStat, bytes]]:
        """Return path to (stat, sha256) of what is remembered below a root."""
        query = "SELECT path, size_bytes, mtime_ns, ctime_ns, inode, sha256 FROM file WHERE root = ?"
        with self._lock:
            try:
                with _connection(self._path) as connection:
                    rows = connection.execute(query, (root,))
                    return {row[0]: (row[1:5], row[5]) for row in rows}
            except sqlite3.Error as error:
                self._give_up(error)
                return {}

    def remember(self, root: bytes, files: Iterable[tuple[bytes, FileStat, bytes]]) -> None:
        """Add files, or replace what was known of them."""
        rows = [(root, path, *stat, sha256) for path, stat, sha256 in files]
        self._write("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def forget(self, root: bytes, paths: Iterable[bytes]) -> None:
        """Drop files that are gone."""
        self._write("DELETE FROM file WHERE root = ? AND path = ?", [(root, path) for path in paths])

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        with self._lock:
            try:
                with _connection(self._path) as connection:
                    connection.executemany(statement, rows)
            except sqlite3.Error as error:
                self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        log.warning("stat_cache", problem=f"{self._path}: {error}", then="files are read again")
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            # Not a database, or damaged: begin a new one.
            self._path.unlink(missing_ok=True)


class _connection:
    """One connection that commits at the end and is then closed (sqlite3's own context manager leaves it open)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=30)
        try:
            self._connection.execute(_SCHEMA)
        except sqlite3.Error:
            self._connection.close()
            raise

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._connection.commit()
        finally:
            self._connection.close()
