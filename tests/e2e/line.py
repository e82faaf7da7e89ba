"""A long line between two machines, as a process of its own: it delays, counts, and resets on command.

python line.py LISTEN_HOST TARGET_HOST PORT [PORT ...]

Commands come on standard input, each answered by a line of JSON: `delay_ms N`, `reset` (every connection, now),
`reset_each BYTES` (each connection once so much came back over it; 0: no more), `count`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys

PIECE_BYTES = 64 * 1024
# Pieces that may be under way in one direction: about what the line's delay needs at some 80 MB/s.
UNDER_WAY = 64


class Line:
    """Forwards TCP connections, each byte `delay_s` late."""

    def __init__(self, target_host: str) -> None:
        self._target_host = target_host
        self._writers: set[asyncio.StreamWriter] = set()
        self.delay_s = 0.0
        self.reset_each_bytes = 0
        self.reset_count = 0
        self.back_bytes_by_port: dict[str, int] = {}

    async def serve(self, listen_host: str, port: str) -> None:
        self.back_bytes_by_port[port] = 0

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                far_reader, far_writer = await asyncio.open_connection(self._target_host, int(port))
            except OSError:
                reset(writer)
                return
            ends = (writer, far_writer)
            self._writers.update(ends)
            ways = [
                asyncio.create_task(self._pass(reader, far_writer)),
                asyncio.create_task(self._pass(far_reader, writer, port)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers.difference_update(ends)
            for end in ends:
                end.close()

        await asyncio.start_server(connected, listen_host, int(port))

    def reset_all(self) -> None:
        for writer in list(self._writers):
            reset(writer)
        self.reset_count += 1

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, back_over: str = "") -> None:
        """Pass bytes on, late; those that come back over a port are counted."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(UNDER_WAY)

        async def arrive() -> None:
            passed_bytes = 0
            while True:
                due_s, piece = await under_way.get()
                await asyncio.sleep(due_s - loop.time())
                if not piece:
                    return
                target.write(piece)
                await target.drain()
                if back_over:
                    passed_bytes += len(piece)
                    self.back_bytes_by_port[back_over] += len(piece)
                    if self.reset_each_bytes and passed_bytes >= self.reset_each_bytes:
                        self.reset_count += 1
                        reset(target)
                        return

        arriving = asyncio.create_task(arrive())
        try:
            while not arriving.done():
                piece = await source.read(PIECE_BYTES)
                await under_way.put((loop.time() + self.delay_s, piece))
                if not piece:
                    break
            await arriving
        except OSError:
            pass
        finally:
            arriving.cancel()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a broken one ends: no goodbye, RST."""
    end = writer.get_extra_info("socket")
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main(listen_host: str, target_host: str, *ports: str) -> None:
    line = Line(target_host)
    for port in ports:
        await line.serve(listen_host, port)
    print(json.dumps({"ready": True}), flush=True)
    while words := (await asyncio.to_thread(sys.stdin.readline)).split():
        match words:
            case ["delay_ms", number]:
                line.delay_s = float(number) / 1000
            case ["reset"]:
                line.reset_all()
            case ["reset_each", number]:
                line.reset_each_bytes = int(number)
            case ["count"]:
                pass
        by_port = line.back_bytes_by_port
        counts = {"reset_count": line.reset_count, "back_bytes": sum(by_port.values()), "back_bytes_by_port": by_port}
        print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
