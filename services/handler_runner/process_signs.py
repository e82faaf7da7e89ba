"""What a process tells of itself from outside: how it ended, and how much it has worked."""

from __future__ import annotations

import signal

import psutil


def how_it_ended(code: int) -> str:
    """Return ``exit status 3`` or ``signal SIGSEGV`` for a return code as `subprocess` gives it."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def signal_inside(code: int) -> int:
    """Return a sandbox's return code as `subprocess` gives it: ``-9`` for the 137 that stands for SIGKILL inside."""
    return 128 - code if 128 < code < 128 + signal.NSIG else code


def busy_s(pid: int) -> float:
    """Return the processor seconds of a process and its living descendants; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        times = [process.cpu_times(), *(child.cpu_times() for child in process.children(recursive=True))]
    except psutil.Error:
        return 0.0
    return sum(float(spent.user + spent.system) for spent in times)
