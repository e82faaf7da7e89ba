"""A disk that becomes full on command: a file system in memory whose size is set to what is used."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOM_BYTES = 4 << 30
_LEFT_BYTES = 128 << 10


class NoDisk(Exception):
    """None can be mounted here."""


class SmallDisk:
    """A mounted folder."""

    def __init__(self, folder: Path) -> None:
        """Raises `NoDisk`."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        problem = self._mount(f"size={ROOM_BYTES}")
        if problem:
            raise NoDisk(f"a full disk needs root, who may mount one: {problem}; or leave `disk` out of --harm")

    def fill(self) -> None:
        """Leave next to no room."""
        self._mount(f"remount,size={shutil.disk_usage(self.folder).used + _LEFT_BYTES}")

    def free(self) -> None:
        """Make room again."""
        self._mount(f"remount,size={ROOM_BYTES}")

    def remove(self) -> None:
        """Take it away, used or not."""
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)

    def _mount(self, options: str) -> str:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        return subprocess.run(command, check=False, capture_output=True, text=True).stderr.strip()
