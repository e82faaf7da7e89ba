"""Runs a whole Darkroom on this machine: its services as processes, watched over until they are told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from darkroom_client.async_client import AsyncClient
from darkroom_client.async_inpainting import beside
from darkroom_client.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable
from darkroom_client.logins import store_login
from darkroom_client.up_door import Door, make_door
from darkroom_client.up_part import Part
from darkroom_client.up_report import report
from darkroom_client.up_repositories import Repositories, check_repositories, variables

READY_TIMEOUT_S = 60.0
GIVE_UP_RESTARTS = 3
RUNNER_GRACE_S = 20.0
REGISTRY_GRACE_S = 10.0
INPAINTING_GRACE_S = 10.0
# What a light installation lacks.
NEEDED = (
    "dataset_registry",
    "handler_runner",
    "dataset_handlers",
    "sqlalchemy",
    "structlog",
    "pydantic_settings",
    "cv2",
)
# What only retouching needs: without it the rest comes up alone.
NEEDED_FOR_INPAINTING = ("inpainting", "inpainting_models", "numba", "PIL", "imagecodecs", "tifffile")


@dataclass(frozen=True)
class UpSettings:
    """Where everything lies and where it answers."""

    raw: Path
    home: Path
    listen: str
    insecure: bool = False
    inpainting_listen: str = ""
    """Empty: the host of `listen`, two ports further."""
    repositories: Repositories = field(default_factory=dict)

    @property
    def inpainting(self) -> str:
        """Where the inpainting service answers, HOST:PORT."""
        if self.inpainting_listen:
            return self.inpainting_listen
        return beside(self.listen)

    @property
    def inpainting_server(self) -> str:
        """The address that clients on this machine use for it."""
        return client_address(self.inpainting)

    @property
    def server(self) -> str:
        """The address that clients on this machine use."""
        return client_address(self.listen)

    @property
    def beyond(self) -> bool:
        """Whether other machines reach it."""
        return not (is_loopback(host_of(self.listen)) and is_loopback(host_of(self.inpainting)))

    def environments(self, door: Door | None = None) -> dict[str, dict[str, str]]:
        """Return each part's environment; with a ``door``, all by TLS and with tokens."""
        store = {"STORE": "local", "STORE_DIR": str(self.home / "store")}
        registry = {"HOME": str(self.home / "registry"), "LISTEN": self.listen, **store}
        inpainting = {"HOME": str(self.home / "inpainting"), "LISTEN": self.inpainting, **store}
        if self.insecure:
            registry["INSECURE"] = inpainting["INSECURE"] = "true"
        runner = {"HOME": str(self.home / "runner"), "REGISTRY": self.server, "RAW_ROOT": str(self.raw), **store}
        registry |= variables(self.repositories)
        runner |= variables(self.repositories)
        if door is not None:
            registry |= door.variables("registry")
            runner |= door.variables("runner")
            inpainting |= door.variables("inpainting")
        return {
            "registry": os.environ | {f"DARKROOM_REGISTRY_{name}": value for name, value in registry.items()},
            "runner": os.environ | {f"DARKROOM_RUNNER_{name}": value for name, value in runner.items()},
            "inpainting": os.environ | {f"DARKROOM_INPAINTING_{name}": value for name, value in inpainting.items()},
        }


async def run_up(settings: UpSettings, tell: Callable[[str], None]) -> None:
    """Serve until a signal. Raises what `check` does, and `Unavailable` when the parts do not come up."""
    check(settings)
    with home_lock(settings.home):
        door = None
        if settings.beyond and not settings.insecure:
            door = make_door(settings.home, host_of(settings.listen))
        for address in (settings.server, settings.inpainting_server):
            store_login(address, door.login if door else None)
        environments = settings.environments(door)
        if settings.repositories:
            await asyncio.to_thread(check_repositories, environments["registry"])
        logs = settings.home / "logs"
        registry = Part("registry", "dataset_registry", environments["registry"], logs / "registry.log", tell)
        runner = Part("runner", "handler_runner", environments["runner"], logs / "runner.log", tell)
        inpainting = Part("inpainting", "inpainting", environments["inpainting"], logs / "inpainting.log", tell)
        stopped = stop_signal()
        running: list[asyncio.Task[None]] = []

        async def come_up(client: AsyncClient) -> list[str]:
            begin = datetime.now(UTC)
            running.append(asyncio.create_task(registry.run()))
            if retouches():
                running.append(asyncio.create_task(inpainting.run()))
            await answered(client.list_runners, registry, logs)
            running.append(asyncio.create_task(runner.run()))
            await answered(lambda: runner_called(client, begin), runner, logs)
            if retouches():
                async with client.inpainting as retouching:
                    await answered(retouching.list_models, inpainting, logs)
            lines = await describe(client, settings)
            if door is not None:
                lines[-1:-1] = ["on another machine, first, once:", f"  {door.invite(settings.listen)}"]
            return lines

        try:
            async with AsyncClient(settings.server, inpainting=settings.inpainting_server) as client:
                coming = asyncio.create_task(come_up(client))
                either: set[asyncio.Future[Any]] = {coming, stopped}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                coming.cancel()
                for line in coming.result() if coming.done() else ():
                    tell(line)
            await stopped
            tell("stopping")
        finally:
            # The runner first: it gives its work back, for which it needs the registry.
            await asyncio.gather(runner.stop(RUNNER_GRACE_S), inpainting.stop(INPAINTING_GRACE_S))
            await registry.stop(REGISTRY_GRACE_S)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def check(settings: UpSettings) -> None:
    """Refuse what cannot work, before anything is started."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise FailedPrecondition(
            f"this is the light client, without {', '.join(missing)}; to serve datasets: pip install 'darkroom[all]'"
        )
    if not settings.raw.exists():
        raise NotFound(f"--raw {settings.raw}: there is no such folder")
    if not settings.raw.is_dir():
        raise InvalidArgument(f"--raw {settings.raw} is a file; name the folder that holds the photos")
    check_listen("--listen", settings.listen)
    if retouches():
        check_listen("--inpainting", settings.inpainting)


def check_listen(option: str, listen: str) -> None:
    """Refuse an address that cannot be, or that is taken."""
    host, _, port = listen.rpartition(":")
    if ":" not in listen or not port.isdigit() or not 0 < int(port) < 65536:
        raise InvalidArgument(f"{option} {listen}: write HOST:PORT, for example localhost:50050")
    check_free(option, host, int(port))


def retouches() -> bool:
    """Return whether what retouching needs is installed."""
    return all(find_spec(name) is not None for name in NEEDED_FOR_INPAINTING)


def host_of(listen: str) -> str:
    """Return the host in HOST:PORT."""
    return listen.rpartition(":")[0]


def client_address(listen: str) -> str:
    """Return the address at which this machine's clients reach one that is listened at."""
    host, _, port = listen.rpartition(":")
    return f"localhost:{port}" if host in ("", "0.0.0.0", "[::]") else listen


def check_free(option: str, host: str, port: int) -> None:
    """Raise `FailedPrecondition` when somebody listens at the address already."""
    try:
        found = socket.getaddrinfo(host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise InvalidArgument(f"{option}: {host} is no address of this machine: {error.strerror}") from error
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                raise FailedPrecondition(
                    f"{host}:{port} cannot be listened at ({error.strerror}); stop what does, perhaps another "
                    f"`darkroom up`, or choose another with {option} localhost:PORT"
                ) from error


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches the host."""
    host = host.strip("[]")
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


@contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """Hold the home for one `darkroom up`. Raises `FailedPrecondition` when another holds it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / "up.lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise FailedPrecondition(
            f"another `darkroom up` uses the home {home}; stop it, or choose another with --home DIR"
        ) from None
    except OSError as error:
        raise InvalidArgument(f"--home {home}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def stop_signal() -> asyncio.Future[None]:
    """Return a future that the first SIGINT, SIGTERM or SIGHUP fulfils; the next one has its usual effect."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, stop)
    return stopped


async def answered(question: Callable[[], Awaitable[object]], part: Part, logs: Path) -> None:
    """Return once ``question`` is answered. Raises `Unavailable` when the part does not come up."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_s and part.restarts < GIVE_UP_RESTARTS:
        with contextlib.suppress(Unavailable):
            if await question() is not False:
                return
        await asyncio.sleep(0.1)
    raise Unavailable(f"the {part.name} does not come up; its log is {logs / part.name}.log")


async def runner_called(client: AsyncClient, begin: datetime) -> bool:
    """Return whether a runner has called since ``begin`` and its handlers are known."""
    runners = await client.list_runners()
    called = any(runner.seen_time is not None and runner.seen_time >= begin for runner in runners)
    return called and bool(await client.list_handlers())


async def describe(client: AsyncClient, settings: UpSettings) -> list[str]:
    """Return what to print once everything answers."""
    return report(
        settings.server,
        settings.home,
        settings.raw,
        await client.list_raw_datasets(),
        await client.list_handlers(),
        await client.list_runners(),
        settings.inpainting_server if retouches() else "",
        settings.repositories,
    )
