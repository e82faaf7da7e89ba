"""The HTTP connections to an S3 server: a silent server is noticed soon, a slow line is not taken for one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import certifi
import urllib3
from urllib3.util import Retry, Timeout

_CONNECT_TIMEOUT_S = 5.0
_CONNECTIONS = 32
_WRITE_BYTES = 1 << 18


class SteadyPoolManager(urllib3.PoolManager):
    """Sends large bodies in small writes: Python counts a timeout over a whole write, and a part may take a minute."""

    def __init__(self, timeout_s: float, ca_file: Path | None) -> None:
        """Let the server be silent for `timeout_s`, twice at most, before a call fails."""
        super().__init__(
            timeout=Timeout(connect=min(_CONNECT_TIMEOUT_S, timeout_s), read=timeout_s),
            retries=Retry(
                total=2,
                connect=2,
                read=1,
                status=2,
                backoff_factor=0.2,
                status_forcelist=(500, 502, 503, 504),
                raise_on_status=False,
                # MinIO says 60 s; the caller has a better idea of how long it wants to wait.
                respect_retry_after_header=False,
            ),
            maxsize=_CONNECTIONS,
            blocksize=_WRITE_BYTES,
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(ca_file or os.environ.get("SSL_CERT_FILE") or certifi.where()),
        )

    def urlopen(self, method: str, url: str, redirect: bool = True, **rest: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]
        """Do as the base class does, in small writes."""
        body = rest.get("body")
        if isinstance(body, (bytes, bytearray)) and len(body) > _WRITE_BYTES:
            rest["body"] = _Body(body)
        return super().urlopen(method, url, redirect, **rest)


class _Body:
    """Reads from bytes without copying them; `tell` and `seek` let urllib3 send it again."""

    def __init__(self, data: bytes | bytearray) -> None:
        self._rest = memoryview(data)
        self._data = self._rest

    def read(self, size_bytes: int) -> memoryview:
        block, self._rest = self._rest[:size_bytes], self._rest[size_bytes:]
        return block

    def tell(self) -> int:
        return len(self._data) - len(self._rest)

    def seek(self, position: int) -> None:
        self._rest = self._data[position:]
