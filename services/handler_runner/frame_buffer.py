"""Cuts the bytes that come from a child into events: four bytes of length, then one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MAX_FRAME_BYTES = 64 * 1024 * 1024
_LENGTH_BYTES = 4


class BadFrame(Exception):
    """What came is no frame: the child has broken the protocol."""


class FrameBuffer:
    """Takes bytes as they come and gives events when they are whole."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Yield the events that are whole now. Raises `BadFrame`."""
        self._bytes += data
        while len(self._bytes) >= _LENGTH_BYTES:
            length = int.from_bytes(self._bytes[:_LENGTH_BYTES], "big")
            if length > MAX_FRAME_BYTES:
                raise BadFrame(f"a frame of {length} bytes is longer than {MAX_FRAME_BYTES}")
            end = _LENGTH_BYTES + length
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH_BYTES:end])
            del self._bytes[:end]
            try:
                event = json.loads(body, parse_constant=_refuse)
            except (ValueError, RecursionError) as error:
                raise BadFrame(f"a frame holds no JSON: {error}") from None
            if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                raise BadFrame("a frame holds no event")
            yield event


def _refuse(constant: str) -> None:
    # NaN and infinity, which Python reads and nobody else does.
    raise ValueError(f"{constant} is no JSON")


def frame(message: dict[str, Any]) -> bytes:
    """Return a message as a frame."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body
