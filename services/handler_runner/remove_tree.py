"""Removes what foreign code has left: folders without permissions, or nested deeper than a path may be long."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import structlog

log = structlog.get_logger()

_TRIES = 5
_TIMEOUT_S = 600.0


def remove_tree(folder: Path) -> bool:
    """Remove a folder with all that is in it, links not followed; return whether it is gone. Nobody may use it now."""
    for _ in range(_TRIES):
        # RecursionError: thousands of folders in one another.
        with contextlib.suppress(OSError, RecursionError):
            shutil.rmtree(folder)
        if not os.path.lexists(folder):
            return True
        for command in (["rm", "-rf", "--"], ["chmod", "-R", "u+rwX", "--"]):
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                subprocess.run([*command, str(folder)], capture_output=True, timeout=_TIMEOUT_S, check=False)
            if not os.path.lexists(folder):
                return True
    log.warning("folder_not_removed", folder=str(folder))
    return False
