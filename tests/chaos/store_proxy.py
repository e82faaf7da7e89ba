"""A way to an S3 store that goes bad on command: answers of 503, silences, answers that are cut off, resets."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from ..e2e.line import reset

PIECE_BYTES = 64 * 1024
STALL_S = 5.0
FAULTS = ("503", "stall", "truncation", "reset")
_BUSY = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>chaos</Message>'
    b"<Resource>/</Resource><RequestId>chaos</RequestId></Error>"
)


class StoreProxy:
    """Passes HTTP to a store, in a thread of its own; `share` of the requests meet the `fault`, if there is one."""

    def __init__(self, endpoint: str, seed: int) -> None:
        host, _, port = endpoint.removeprefix("http://").rpartition(":")
        self._target = (host, int(port))
        self._chance = random.Random(seed)
        self.fault = ""
        self.share = 0.2
        self.done: Counter[str] = Counter()
        self.requests = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Stop, and let every connection go."""

        async def end() -> None:
            self._server.close()
            passing = asyncio.all_tasks() - {asyncio.current_task()}
            for task in passing:
                task.cancel()
            await asyncio.gather(*passing, return_exceptions=True)

        self._run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            reset(writer)
            return
        try:
            while await self._exchange(reader, writer, far_reader, far_writer):
                pass
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            pass
        finally:
            for each in (writer, far_writer):
                each.close()

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> bool:
        """Pass one request and its answer; returns whether the connection may have another."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        fault = self.fault if self.fault and self._chance.random() < self.share else ""
        if fault:
            self.done[fault] += 1
        if fault == "reset":
            reset(writer)
            return False
        if fault == "stall":
            await asyncio.sleep(STALL_S)
        fields = _fields(head)
        if fault == "503":
            await _pass_body(reader, None, fields)
            answer = b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n"
            writer.write(answer % len(_BUSY) + (b"" if head.startswith(b"HEAD") else _BUSY))
            await writer.drain()
            return True
        far_writer.write(head)
        await _pass_body(reader, far_writer, fields)
        answer_head = await far_reader.readuntil(b"\r\n\r\n")
        answer_fields = _fields(answer_head)
        writer.write(answer_head)
        if head.startswith(b"HEAD") or answer_head.split(b" ", 2)[1] in (b"204", b"304"):
            await writer.drain()
            return True
        if fault == "truncation":
            size_bytes = int(answer_fields.get("content-length", "0"))
            writer.write(await far_reader.read(max(1, size_bytes // 2)) if size_bytes else b"")
            await writer.drain()
            return False
        await _pass_body(far_reader, writer, answer_fields)
        return answer_fields.get("connection", "") != "close"


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}


async def _pass_body(source: asyncio.StreamReader, target: asyncio.StreamWriter | None, fields: dict[str, str]) -> None:
    """Pass a body, by its length or in chunks; without a target it is read and dropped."""
    if "chunked" in fields.get("transfer-encoding", ""):
        while True:
            line = await source.readuntil(b"\r\n")
            piece = await source.readexactly(int(line.split(b";")[0], 16) + 2)
            if target is not None:
                target.write(line + piece)
                await target.drain()
            if len(piece) == 2:
                return
    left_bytes = int(fields.get("content-length", "0"))
    while left_bytes:
        piece = await source.read(min(PIECE_BYTES, left_bytes))
        if not piece:
            raise EOFError
        left_bytes -= len(piece)
        if target is not None:
            target.write(piece)
            await target.drain()
    if target is not None:
        await target.drain()
