"""Measures the registry's hot paths on a filled catalogue, on SQLite and PostgreSQL, as a Markdown table.

.venv/bin/python tests/bench/bench_catalog.py          2,000 datasets, 20,000 requests, 20,000 shards; about a minute
.venv/bin/python tests/bench/bench_catalog.py --full   10^5 datasets, 10^6 requests, 10^6 shards: half an hour, 10 GB

Each figure is the median and range of single calls in this process, without gRPC. The PostgreSQL server is started for
the bench, with fsync on, in a temporary folder.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from dataset_registry.collector import _named  # noqa: E402
from dataset_registry.dispatch import Dispatch  # noqa: E402
from dataset_registry.listing import Page  # noqa: E402
from dataset_registry.states import DatasetState  # noqa: E402
from dataset_registry.views import load_request  # noqa: E402
from service_kit.logging import configure_logging  # noqa: E402
from tests.postgres import PostgresServer, find_postgres  # noqa: E402
from tests.services.dataset_registry.catalog_fill import Size, fill, key_of  # noqa: E402
from tests.services.dataset_registry.conftest import RUNNER, House  # noqa: E402

SMALL = Size(datasets=2000, requests=20_000, shards=20_000, queued=200)
FULL = Size(datasets=100_000, requests=1_000_000, shards=1_000_000, queued=1000)
CALLS = 50
CLAIMS = 30
WATCHED = 1000

Figures = dict[str, list[float]]


def main() -> None:
    size = FULL if "--full" in sys.argv[1:] else SMALL
    configure_logging("ERROR")
    temporary = tempfile.TemporaryDirectory
    # The server's is a folder of its own: it belongs to another user.
    with temporary(prefix="darkroom-bench-") as folder, temporary(prefix="darkroom-postgres-") as data:
        server = PostgresServer(find_postgres(), Path(data), fsync="on", synchronous_commit="on")
        server.start()
        try:
            found = {
                "SQLite": asyncio.run(measure(make(Path(folder) / "sqlite"), "", size)),
                "PostgreSQL": asyncio.run(measure(make(Path(folder) / "house"), server.new_database(), size)),
            }
        finally:
            server.stop()
    print(f"\n{size.datasets:,} datasets, {size.requests:,} requests, {size.shards:,} shards, {size.queued:,} queued\n")
    print(f"| call, ms: median [range] | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    for name in found["SQLite"]:
        print(f"| {name} | {' | '.join(shown(each[name]) for each in found.values())} |")


async def measure(folder: Path, url: str, size: Size) -> Figures:
    """Fill a catalogue and return milliseconds by the name of the call."""
    house = House(folder, url)
    # The last walk stays fresh however long the bench takes, and nobody renews leases.
    house.registry._raw_max_age_s = 3600.0
    house.dispatch = Dispatch(house.catalog, house.board, lease_s=3600.0)
    rounds = [asyncio.create_task(each) for each in (house.board.run(), house.upkeep.run())]
    try:
        await asyncio.sleep(0)
        began = time.perf_counter()
        await asyncio.to_thread(fill, house.catalog, size)
        print(f"filled {house.catalog.kind} in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        await house.described()
        await house.registry.request_dataset("street", "latest", "{}")
        await house.walked()
        await house.publish(await house.claim(RUNNER, "BUILD"))
        return await calls(house, size)
    finally:
        for task in rounds:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        house.catalog.close()


async def calls(house: House, size: Size) -> Figures:
    browsing, read = house.browsing, house.catalog.read
    middle = [1_600_000_000.0 + size.datasets / 2, "0"]
    watched = {f"Request/00000000-0000-4000-8000-{number:012}" for number in range(WATCHED)}
    watched |= {f"Dataset/{key_of(number)}" for number in range(WATCHED)}
    figures = {
        "hit: request to READY": await timed(lambda: house.registry.request_dataset("street", "latest", "{}"), house),
        "a request's view": await timed(lambda: in_thread(read, lambda tx: load_request(tx, request_of(7)))),
        "the view of a popular dataset's request": await timed(
            lambda: in_thread(read, lambda tx: load_request(tx, request_of(0)))
        ),
        "requests, first page of 100": await timed(lambda: browsing.requests(Page(100, None), "", False)),
        "requests, a page in the middle": await timed(lambda: browsing.requests(Page(100, middle), "", False)),
        "active requests": await timed(lambda: browsing.requests(Page(100, None), "", True)),
        "datasets of a name, first page": await timed(lambda: browsing.datasets(Page(100, None), "name-1", None)),
        "failed datasets, first page": await timed(lambda: browsing.datasets(Page(100, None), "", DatasetState.FAILED)),
        f"poll of {2 * WATCHED} watched rows": await timed(lambda: in_thread(house.board._revisions, watched)),
        "a round of upkeep": await timed(house.upkeep.once),
        "the collector's look at one key": await timed(lambda: in_thread(read, lambda tx: _named(tx, key_of(5)))),
        "claim with an empty hand": await timed(lambda: house.dispatch.claim(RUNNER, ["BUILD"], 0.0)),
    }
    return figures | await claims(house)


async def claims(house: House) -> Figures:
    """Queue builds behind all that waits for another runner, and claim them; then one heartbeat for each."""
    claim_ms, heartbeat_ms = [], []
    for number in range(CLAIMS):
        await house.registry.request_dataset("street", "latest", f'{{"gain": {number + 2}}}')
        began = time.perf_counter()
        work = await house.dispatch.claim(RUNNER, ["BUILD"], 5.0)
        claim_ms.append((time.perf_counter() - began) * 1000)
        assert work is not None
        began = time.perf_counter()
        await house.dispatch.heartbeat(f"work/{work.id}", work.fence, {"shards_done": 1}, "a line\n", 0)
        heartbeat_ms.append((time.perf_counter() - began) * 1000)
    return {"claim of a build": claim_ms, "heartbeat with a line of log": heartbeat_ms}


async def timed(call: Callable[[], Awaitable[object]], hit: House | None = None) -> list[float]:
    """Return the milliseconds of single calls; each ``hit`` must be one."""
    figures = []
    for _ in range(CALLS):
        began = time.perf_counter()
        found = await call()
        figures.append((time.perf_counter() - began) * 1000)
        if hit is not None:
            assert found.request.cached, found  # type: ignore[attr-defined]
    return figures


async def in_thread(call: Callable[..., object], *arguments: object) -> object:
    return await asyncio.to_thread(call, *arguments)


def request_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def shown(figures: list[float]) -> str:
    return f"{statistics.median(figures):.1f} [{min(figures):.1f}–{max(figures):.1f}]"


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
