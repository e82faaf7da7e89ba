"""Reads ranges of an archive from its presigned URL, over connections that are kept and reused."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import urllib3

from darkroom_client.errors import Unavailable

CHUNK_BYTES = 1 << 20
CONNECT_TIMEOUT_S = 5.0
# A store that sends nothing for so long is asked again.
SILENCE_S = 30.0


class UrlRefused(Exception):
    """The store answered, but not with the bytes; ``status`` is HTTP's."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the store answered {status}")
        self.status = status


class UrlRanges:
    """Range requests from several threads."""

    def __init__(self) -> None:
        timeout = urllib3.Timeout(CONNECT_TIMEOUT_S, SILENCE_S)
        self._pool = urllib3.PoolManager(maxsize=16, retries=False, timeout=timeout)
        self._open: set[urllib3.BaseHTTPResponse] = set()
        self._stopped = threading.Event()

    def read(self, url: str, offset: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``offset`` to before ``end``. Raises `UrlRefused`; `Unavailable`: try again."""
        headers = {"Range": f"bytes={offset}-{end - 1}", "Accept-Encoding": "identity"}
        try:
            response = self._pool.request("GET", url, headers=headers, preload_content=False)
            self._open.add(response)
            try:
                if response.status != 206:
                    raise UrlRefused(response.status)
                while not self._stopped.is_set() and (chunk := response.read(CHUNK_BYTES)):
                    yield chunk
            finally:
                self._open.discard(response)
                # A connection with unread bytes cannot be used again.
                response.close() if response.length_remaining else response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(str(error)) from error

    def stop(self) -> None:
        """End every read, waking those that wait for a silent store."""
        self._stopped.set()
        for response in list(self._open):
            connection = getattr(response, "connection", None)
            if connection is not None and connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Drop the connections."""
        self._pool.clear()
