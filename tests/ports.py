"""A port for a server under test: nobody else of this machine's test runs is given it, not even while it is down."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Below those that outgoing connections take for themselves.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """Return a port that nobody listens at; it is this process's as long as the process lives."""
    port = next(_own, None)
    assert port is not None, f"of the ports {PORTS.start} to {PORTS.stop - 1} none is free any more"
    return port


def _own_ports() -> Iterator[int]:
    # Each port is a byte of this file, locked by the process whose it is.
    held = os.open(Path(tempfile.gettempdir()) / f"darkroom-test-ports-{os.getuid()}", os.O_RDWR | os.O_CREAT, 0o600)
    for port in PORTS:
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        yield port


_own = _own_ports()
