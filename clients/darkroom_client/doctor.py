"""Looks at a deployment as this machine meets it, part by part, and says of each how it is and what would do."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from darkroom_client.archive_source import ArchiveSource
from darkroom_client.async_client import AsyncClient
from darkroom_client.catalog import Runner
from darkroom_client.doctor_check import Check, Level, folder_room, room
from darkroom_client.doctor_server import ServerLook, version
from darkroom_client.errors import DarkroomError
from darkroom_client.replicas import split_servers
from darkroom_client.snapshot import DatasetState

# The registry takes a runner for away after as long.
RUNNER_AWAY = timedelta(seconds=60)
FIRST_BYTES = 64 * 1024
STORE_PATIENCE_S = 10.0
LINE_TIMEOUT_S = 5.0
CLEAN_CACHE = "darkroom cache gc, or another disk by DARKROOM_CACHE"
# What in a home is a secret of its owner.
SECRETS = ("key.pem", "tokens.json", "runner.token", "home.token", "invite.token")


async def look(client: AsyncClient, home: Path | None) -> AsyncIterator[Check]:
    """Yield what is seen, as it is seen. ``home``: that of a `darkroom up` on this machine, or None."""
    looks = [ServerLook(server) for server in split_servers(client.server)]
    for each in looks:
        async for check in each.checks():
            yield check
    for let_in in [each for each in looks if each.lets_in][:1]:
        now = datetime.now(UTC) + timedelta(seconds=let_in.ahead_s)
        for name, part in {
            "runners": runners(client, now),
            "store, from here": first_bytes(client),
            "inpainting": retouching(client),
        }.items():
            try:
                async for check in part:
                    yield check
            except DarkroomError as error:
                yield Check(name, Level.FAIL, error.message, "see the registry's log")
    yield folder_room("room for the cache", client.cache.folder, CLEAN_CACHE)
    if home is not None:
        for check in at_home(home):
            yield check


async def runners(client: AsyncClient, now: datetime) -> AsyncIterator[Check]:
    """Look at the runners: seen lately, of a version that fits, confined, with room. ``now``: the registry's."""
    found = await client.list_runners()
    if not found:
        yield Check("runners", Level.FAIL, "none has ever called", "start one next to the photos: docs/deployment.md")
    for runner in found:
        for check in one_runner(runner, now):
            yield check


def one_runner(runner: Runner, now: datetime) -> Iterator[Check]:
    """Yield what a runner said of itself when it last called."""
    subject = f"runner {runner.name}"
    away = now - runner.seen_time if runner.seen_time else timedelta.max
    if away > RUNNER_AWAY:
        when = f"{runner.seen_time:%Y-%m-%d %H:%M} UTC" if runner.seen_time else "never"
        text = f"has not called since {when}: what only it serves waits"
        yield Check(subject, Level.FAIL, text, "start it again, see its log; one that is gone for good may be ignored")
        return
    yield Check(subject, Level.OK, f"called {max(0.0, away.total_seconds()):.0f} s ago")
    yield version(subject, runner.version)
    yield room(f"{subject}, scratch", runner.free_bytes, "on its scratch disk", "give the disk more room")
    if runner.sandbox and not runner.sandbox.startswith("full"):
        yield Check(f"{subject}, sandbox", Level.WARN, runner.sandbox, "docs/sandbox.md says what it needs")
    elif runner.sandbox:
        yield Check(f"{subject}, sandbox", Level.OK, runner.sandbox)
    for refused in runner.refused_repositories:
        yield Check(f"{subject}, repository", Level.FAIL, f"it will not run {refused}", "docs/sandbox.md, or trust it")


async def first_bytes(client: AsyncClient) -> AsyncIterator[Check]:
    """Fetch the newest dataset's first bytes, as a download would."""
    found = await client.list_datasets(state=DatasetState.READY)
    if not found:
        yield Check("store, from here", Level.OK, "no dataset is ready yet, so nothing was fetched")
        return
    newest = found[0]
    source = ArchiveSource(client.server, newest.name, patience_s=STORE_PATIENCE_S)

    def fetch() -> tuple[int, str]:
        size_bytes = sum(len(each) for each in source.read(0, min(FIRST_BYTES, newest.size_bytes)))
        return size_bytes, "the store's URL" if source.plan().url else "the registry"

    try:
        size_bytes, way = await asyncio.to_thread(fetch)
        yield Check("store, from here", Level.OK, f"{size_bytes:,} bytes of {newest.dataset_name} came through {way}")
    except DarkroomError as error:
        remedy = "see that this machine reaches the store: DARKROOM_REGISTRY_STORE_PUBLIC_ENDPOINT is its address here"
        yield Check("store, from here", Level.FAIL, error.message, remedy)
    finally:
        source.stop()
        source.close()


async def retouching(client: AsyncClient) -> AsyncIterator[Check]:
    """Ask the inpainting service for its models."""
    service, remedy = client.inpainting, "only retouching needs it; DARKROOM_INPAINTING names another"
    try:
        # Faster than gRPC, which goes on trying.
        host, _, port = service.server.rpartition(":")
        _, line = await asyncio.wait_for(asyncio.open_connection(host.strip("[]"), int(port)), LINE_TIMEOUT_S)
        line.close()
        models = await service.list_models()
        yield Check("inpainting", Level.OK, f"{service.server} answers, with {len(models)} models")
    except (OSError, ValueError):
        yield Check("inpainting", Level.WARN, f"nobody answers at {service.server}", remedy)
    except DarkroomError as error:
        yield Check("inpainting", Level.WARN, error.message, remedy)


def at_home(home: Path) -> Iterator[Check]:
    """Yield what is seen in the home of a `darkroom up`: its disks, and whether others can read its secrets."""
    if not (home / "registry").is_dir():
        yield Check("home", Level.FAIL, f"{home} is no home of a `darkroom up`", "name it with --home")
        return
    for part, what in (("registry", "catalogue"), ("store", "store"), ("runner", "runner's scratch")):
        yield folder_room(f"room for the {what}", home / part, "delete datasets (`darkroom delete`), or a larger disk")
    for secret in SECRETS:
        path = home / "door" / secret
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Check("secrets", Level.FAIL, f"others can read {path}", f"chmod 600 {path}, and revoke its token")
    if not (home / "door").exists():
        yield Check("secrets", Level.OK, "none: it serves this machine only")
