"""A clock that is set while processes run: they read how far it is off from a file, by Debian's libfaketime."""

from __future__ import annotations

from pathlib import Path

HOUR_S = 3600
JUMPS_S = (HOUR_S, -HOUR_S, 24 * HOUR_S, -24 * HOUR_S)
# The thread-safe one.
_LIBRARIES = "*/faketime/libfaketimeMT.so.1"


class NoFaketime(Exception):
    """The library is not installed."""


class Clock:
    """The wall clock of the processes that have its variables; their steady clocks and others' go on as they are."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._library = find_library()
        self.set(0)
        file.chmod(0o644)

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs to go by this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # Seconds after which the file is read again.
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # Files keep their true times: another machine's disk has another clock too.
            "NO_FAKE_STAT": "1",
        }

    def set(self, ahead_s: int) -> None:
        """Set the clock so far ahead of the true time, or behind it."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ahead_s:+d}\n")
        fresh.chmod(0o644)
        fresh.replace(self._file)


def forget_the_dead() -> None:
    """Remove what the library shares among the processes of a family and killed ones left in memory."""
    for left in Path("/dev/shm").glob("*faketime_*_*"):
        if not Path("/proc", left.name.rpartition("_")[2]).exists():
            left.unlink(missing_ok=True)


def find_library() -> Path:
    """Return the library. Raises `NoFaketime`."""
    for found in sorted(Path("/usr/lib").glob(_LIBRARIES)):
        return found
    raise NoFaketime("clock jumps need Debian's package `faketime`: install it, or leave `clock` out of --harm")
