"""Ends the processes that a runner started when the runner itself dies, however it dies.

A shell of one megabyte reads a pipe whose other end only the runner holds. When the pipe closes, because the runner
ended or was killed, the shell kills every process group that it was told of, forked grandchildren included.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

# `$groups` holds the numbers between spaces; a group that ended by itself is taken out again.
_SCRIPT = """
groups=" "
while read -r verb group; do
  if [ "$verb" = add ]; then groups="$groups$group "
  else groups="${groups%% $group *} ${groups#* $group }"; fi
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
exit 0
"""


class ProcessGuard:
    """One guard for all of a runner's child processes."""

    def __init__(self) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Of its own session, or the Ctrl-C that ends the runner would end its guard first.
            start_new_session=True,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath)},
        )

    def add(self, group: int) -> None:
        """Take a process group under guard."""
        self._tell(f"add {group}\n")

    def drop(self, group: int) -> None:
        """Let go of one that has ended."""
        self._tell(f"drop {group}\n")

    def close(self) -> None:
        """Kill what is still under guard and end."""
        if self._shell.stdin and not self._shell.stdin.closed:
            with contextlib.suppress(OSError):
                self._shell.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._shell.wait(5)

    def _tell(self, line: str) -> None:
        if self._shell.stdin is None or self._shell.stdin.closed:
            return
        # A guard that somebody killed must not stop the work.
        with contextlib.suppress(OSError):
            os.write(self._shell.stdin.fileno(), line.encode())


def kill_group(group: int) -> None:
    """Kill a process group, all of it, at once; one that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
