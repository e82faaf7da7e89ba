"""The peer of a download: the same bytes by sendfile over loopback."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from pathlib import Path


def sendfile_rate(source: Path, target: Path, *, verify: bool) -> float:
    """Return MiB/s of a file sent over loopback with sendfile, written to a file as it comes."""
    os.sync()
    with socket.create_server(("localhost", 0)) as server:

        def send() -> None:
            connection, _ = server.accept()
            with connection, source.open("rb") as file:
                connection.sendfile(file)

        sender = threading.Thread(target=send)
        sender.start()
        began = time.perf_counter()
        buffer = memoryview(bytearray(1 << 20))
        with socket.create_connection(server.getsockname()[:2]) as connection, target.open("wb") as file:
            while count := connection.recv_into(buffer):
                file.write(buffer[:count])
        sender.join()
        if verify:
            with target.open("rb") as file:
                hashlib.file_digest(file, "sha256")
        return source.stat().st_size / 2**20 / (time.perf_counter() - began)
