"""Runs the measurements that the command line names, each in a folder of its own."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path


def run(measurements: Mapping[str, Callable[[Path], None]], rounds: int) -> None:
    """Run the measurements named on the command line, or all; an unknown name is answered with those there are."""
    names = sys.argv[1:] or list(measurements)
    unknown = [name for name in names if name not in measurements]
    if unknown:
        raise SystemExit(f"there is no measurement {unknown[0]!r}; there are: {', '.join(measurements)}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, {rounds} alternating rounds")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            measurements[name](Path(folder))
        sys.stdout.flush()
