"""Several registries on one catalogue: whichever answers serves, and one that is lost gives way to the next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import grpc

# How long a registry may take to answer at first while others are there to be asked.
TURN_S = 1.5


class Channel(Protocol):
    """What grpc's channels for event loops and for threads have in common."""

    def close(self) -> Any:
        """Drop the connection."""


C = TypeVar("C", bound=Channel)


class Replica(NamedTuple, Generic[C]):
    """One of the registries."""

    number: int
    server: str
    channel: C


class Replicas(Generic[C]):
    """Registries on one catalogue, as ``HOST:PORT,HOST:PORT``, tried in turn; any thread may call."""

    def __init__(self, servers: str, open_channel: Callable[[str], C]) -> None:
        self.all = [
            Replica(number, server, open_channel(server)) for number, server in enumerate(split_servers(servers))
        ]
        self.current = self.all[0]

    @property
    def single(self) -> bool:
        """Whether there is no other to turn to."""
        return len(self.all) == 1

    def leave(self, replica: Replica[C]) -> None:
        """Turn to the next one, unless another call that was lost on the same one has turned already."""
        if self.current is replica:
            self.current = self.all[(replica.number + 1) % len(self.all)]


def split_servers(servers: str) -> Sequence[str]:
    """Return the addresses of ``HOST:PORT,HOST:PORT``."""
    return [server.strip() for server in servers.split(",") if server.strip()] or [servers]


async def find_answering(replicas: Replicas[grpc.aio.Channel], timeout_s: float) -> bool:
    """Turn to the first registry, from the present one on, that answers; false when none does in time."""
    deadline = time.monotonic() + timeout_s
    while (left_s := deadline - time.monotonic()) > 0:
        replica = replicas.current
        if await _answers(replica.channel, left_s if replicas.single else min(TURN_S, left_s), replicas.single):
            return True
        replicas.leave(replica)
        await asyncio.sleep(0.05)
    return False


async def _answers(channel: grpc.aio.Channel, timeout_s: float, patiently: bool) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            state = channel.get_state(try_to_connect=True)
            while state is not grpc.ChannelConnectivity.READY:
                if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE and not patiently:
                    return False
                await channel.wait_for_state_change(state)
                state = channel.get_state(try_to_connect=True)
    except TimeoutError:
        return False
    return True
