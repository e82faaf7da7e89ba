"""Writes a file so that it is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from darkroom_client.errors import DarkroomError, DiskFull

PARTIAL = ".darkroom-partial-"


def write_whole(path: Path, content: bytes) -> None:
    """Write the bytes beside the path and rename them into place. Raises `DiskFull`, `DarkroomError`."""
    partial = path.with_name(f"{PARTIAL}{secrets.token_hex(6)}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        kind = DiskFull if error.errno in (28, 122) else DarkroomError
        raise kind(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
