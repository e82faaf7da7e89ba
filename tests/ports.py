"""A port for a server under test: nobody else of this machine's test runs is given it, not even while it is down."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Below those that outgoing connections take for themselves; by threes, for `darkroom up` takes the next but one too.
PORTS = range(20_000, 32_000, 3)


def free_port() -> int:
    """Return a port that nobody listens at; it and the next two are this process's as long as the process lives."""
    port = next(_own, None)
    assert port is not None, f"of the ports {PORTS.start} to {PORTS.stop} none is free any more"
    return port


def _own_ports() -> Iterator[int]:
    # Each port is a byte of this file, locked by the process whose it is.
    held = os.open(Path(tempfile.gettempdir()) / f"darkroom-test-ports-{os.getuid()}", os.O_RDWR | os.O_CREAT, 0o600)
    for port in PORTS:
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, 3, port)
            for each in range(port, port + 3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", each))
        except OSError:
            continue
        yield port


_own = _own_ports()
