"""The frames between a runner and a child: four bytes of length, most significant first, then one JSON object."""

from __future__ import annotations

import json
import os
import struct
from typing import Any, Dict, Mapping, Optional

PROTOCOL = 1
MAX_FRAME_BYTES = 64 << 20
_LENGTH = struct.Struct(">I")


class BadFrame(ValueError):
    """What came over the pipe is no frame: the two sides have lost each other."""


def write_frame(fd: int, message: Mapping[str, Any]) -> None:
    """Writes one message whole."""
    # Escaped to ASCII: a file name that is no UTF-8 arrives with surrogates, and survives so.
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(body) > MAX_FRAME_BYTES:
        raise BadFrame(f"a message of {len(body)} bytes is longer than {MAX_FRAME_BYTES}")
    rest = memoryview(_LENGTH.pack(len(body)) + body)
    while rest:
        rest = rest[os.write(fd, rest) :]


def read_frame(fd: int) -> Optional[Dict[str, Any]]:
    """Returns the next message; None at the end of the stream. Raises ``BadFrame``."""
    head = _read(fd, _LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise BadFrame("the stream ends inside a length")
    length = _LENGTH.unpack(head)[0]
    if length > MAX_FRAME_BYTES:
        raise BadFrame(f"a message of {length} bytes is longer than {MAX_FRAME_BYTES}")
    body = _read(fd, length)
    if len(body) < length:
        raise BadFrame("the stream ends inside a message")
    try:
        message = json.loads(body.decode("utf-8"))
    except ValueError as error:
        raise BadFrame(f"a message is no JSON: {error}") from None
    if not isinstance(message, dict):
        raise BadFrame("a message is no JSON object")
    return message


def _read(fd: int, size_bytes: int) -> bytes:
    parts = []
    while size_bytes:
        part = os.read(fd, min(size_bytes, 1 << 20))
        if not part:
            break
        parts.append(part)
        size_bytes -= len(part)
    return b"".join(parts)
