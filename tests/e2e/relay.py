"""A line to a server: it can be cut, and cut short: it passes so many bytes towards the client, then falls silent."""

from __future__ import annotations

import contextlib
import socket
import threading

from ..ports import free_port

PIECE_BYTES = 64 * 1024


class Relay:
    """Forwards TCP connections; counts what the server sends, and holds it back beyond `allowed_bytes`."""

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.server = f"localhost:{self._listener.getsockname()[1]}"
        self.allowed_bytes = 1 << 60
        self.passed_bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._ends: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def allow(self, size_bytes: int) -> None:
        """Let so many more bytes pass, from now on."""
        with self._changed:
            self.passed_bytes, self.allowed_bytes = 0, size_bytes
            self._changed.notify_all()

    def cut(self) -> None:
        """End every connection that there is; new ones are welcome."""
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._ends |= {client, server}
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                if counted:
                    self._wait_for(len(piece))
                target.sendall(piece)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            self._ends.discard(end)
            end.close()

    def _wait_for(self, size_bytes: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self.passed_bytes + size_bytes <= self.allowed_bytes)
            self.passed_bytes += size_bytes
