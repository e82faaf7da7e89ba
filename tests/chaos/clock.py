"""A clock that is set while processes run: they read from a file how far it is off."""

from __future__ import annotations

from pathlib import Path

HOUR_S = 3600
JUMPS_S = (HOUR_S, -HOUR_S, 24 * HOUR_S, -24 * HOUR_S)
# How long it takes until every process goes by it.
NOTICED_S = 1.2
# The thread-safe one.
_LIBRARIES = "*/faketime/libfaketimeMT.so.1"
_IN_PYTHON = Path(__file__).with_name("clock_in_python")


class NoFaketime(Exception):
    """The library is not installed."""


class Clock:
    """The wall clock of the processes that have its variables; their steady clocks and others' go on as they are."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    @property
    def preloaded(self) -> dict[str, str]:
        """What a program needs to go by this clock. Raises `NoFaketime`."""
        return {
            "LD_PRELOAD": str(find_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # Seconds after which the file is read again.
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    @property
    def of_python(self) -> dict[str, str]:
        """What a service needs to go by this clock: under libfaketime 0.9.10 Python's `time.sleep` fails."""
        return {"PYTHONPATH": str(_IN_PYTHON), "CHAOS_CLOCK_FILE": str(self._file)}

    def set(self, ahead_s: int) -> None:
        """Set the clock so far ahead of the true time, or behind it."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ahead_s:+d}\n")
        fresh.chmod(0o644)
        fresh.replace(self._file)


def forget_the_dead() -> None:
    """Remove what libfaketime shares among the processes of a family, and killed ones left in memory."""
    for left in Path("/dev/shm").glob("*faketime_*_*"):
        if not Path("/proc", left.name.rpartition("_")[2]).exists():
            left.unlink(missing_ok=True)


def find_library() -> Path:
    """Return the library. Raises `NoFaketime`."""
    for found in sorted(Path("/usr/lib").glob(_LIBRARIES)):
        return found
    raise NoFaketime("PostgreSQL's clock is set by Debian's package `faketime`: install it, or do without that harm")
