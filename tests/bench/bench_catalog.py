"""Measures the registry's hot paths on a filled catalogue, on SQLite and PostgreSQL, as Markdown tables.

.venv/bin/python tests/bench/bench_catalog.py           10^5 datasets, 10^6 requests, 10^6 shards, beside a 50th of it
.venv/bin/python tests/bench/bench_catalog.py --small   the 50th alone: a minute

Each figure is the median and range of single calls in this process, without gRPC; what the calls cost in rows and bytes
follows. The PostgreSQL server is started for the bench, with fsync on, in a temporary folder; 10 GB must be free there.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from catalog_sizes import sizes  # noqa: E402

from dataset_registry.collector import KEYS_AT_ONCE, named_objects  # noqa: E402
from dataset_registry.dispatch import Dispatch  # noqa: E402
from dataset_registry.listing import Page  # noqa: E402
from dataset_registry.records import Shard  # noqa: E402
from dataset_registry.states import DatasetState  # noqa: E402
from dataset_registry.usage import FOR_EVER, UsageBy  # noqa: E402
from dataset_registry.usage_totals import AT_ONCE, UsageTotals  # noqa: E402
from dataset_registry.views import load_request  # noqa: E402
from service_kit.logging import configure_logging  # noqa: E402
from tests.postgres import PostgresServer, find_postgres  # noqa: E402
from tests.services.dataset_registry.catalog_fill import BEGIN, DAY_S, Size, fill, key_of, request_of  # noqa: E402
from tests.services.dataset_registry.conftest import RUNNER, House  # noqa: E402

SMALL = Size(datasets=2000, requests=20_000, shards=20_000, queued=20)
FULL = Size(datasets=100_000, requests=1_000_000, shards=1_000_000, queued=1000)
CALLS = 50
SLOW_CALLS = 5
CLAIMS = 30
WATCHED = 1000
IDLE_RUNNERS = 100
IDLE_S = 10.0
SERVER = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    # For the filling alone.
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "max_wal_size": "4GB",
}
Figures = dict[str, list[float]]


def main() -> None:
    wanted = [SMALL] if "--small" in sys.argv[1:] else [SMALL, FULL]
    configure_logging("ERROR")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    found: dict[str, Figures] = {}
    stored: dict[str, dict[str, tuple[int, int, int]]] = {}
    for database in ("SQLite", "PostgreSQL"):
        for size in wanted:
            with opened(database) as house:
                began = time.perf_counter()
                fill(house.catalog, size, lambda text: tell(f"  {text}"))
                tell(f"filled {database} in {time.perf_counter() - began:.0f} s")
                stored[database] = sizes(house.catalog)
                found[f"{database}, {size.requests:,} requests"] = asyncio.run(measure(house, size))
    print(f"load {os.getloadavg()[0]:.1f} at the end")
    each = [f"{size.datasets:,} datasets and {size.requests:,} requests, {size.queued:,} queued" for size in wanted]
    print(f"\nms: median [range]; {'; '.join(each)}\n")
    print(f"| call | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    for name in next(iter(found.values())):
        print(f"| {name} | {' | '.join(shown(figures[name]) for figures in found.values())} |")
    print(f"\nbytes of a row + of its indexes\n\n| table | {' | '.join(stored)} |\n|---|{'---|' * len(stored)}")
    for table in stored["SQLite"]:
        print(f"| {table} | {' | '.join(row_size(*tables[table]) for tables in stored.values())} |")


@contextmanager
def opened(database: str) -> Iterator[House]:
    """Open an empty catalogue, in a folder of its own as a server's data: that belongs to another user."""
    temporary = tempfile.TemporaryDirectory
    with temporary(prefix="darkroom-bench-") as folder, temporary(prefix="darkroom-postgres-") as data:
        server = None
        url = ""
        if database == "PostgreSQL":
            server = PostgresServer(find_postgres(), Path(data), **SERVER)
            server.start()
            url = server.new_database()
        house = House(Path(folder), url)
        # The last walk stays fresh however long the bench takes, and nobody renews leases.
        house.registry._raw_max_age_s = 3600.0
        house.dispatch = Dispatch(house.catalog, house.board, lease_s=3600.0)
        try:
            yield house
        finally:
            house.catalog.close()
            if server:
                server.stop()


@asynccontextmanager
async def rounds(house: House) -> AsyncIterator[None]:
    """Run what a registry runs beside its calls."""
    tasks = [asyncio.create_task(each) for each in (house.board.run(), house.upkeep.run())]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def measure(house: House, size: Size) -> Figures:
    """Return milliseconds by the name of the call."""
    async with rounds(house):
        await house.described()
        await house.registry.request_dataset("street", "latest", "{}")
        await house.walked()
        await house.publish(await house.claim(RUNNER, "BUILD"))
        return {
            **await asked(house),
            **await summed(house),
            **await listed(house, size),
            **await watched(house),
            **await done_beside(house),
            **await claimed(house),
            **await idle(house),
        }


async def asked(house: House) -> Figures:
    read = house.catalog.read
    return {
        "hit: request to READY": await timed(lambda: house.registry.request_dataset("street", "latest", "{}"), house),
        "a request's view": await timed(lambda: in_thread(read, lambda tx: load_request(tx, request_of(7)))),
        "the view of a popular dataset's request": await timed(
            lambda: in_thread(read, lambda tx: load_request(tx, request_of(0)))
        ),
    }


async def summed(house: House) -> Figures:
    """Sum up the usage of all the years, as a registry does in the background once it has such a catalogue."""
    totals, figures = UsageTotals(house.catalog), []
    more = True
    while more:
        began = time.perf_counter()
        more = await asyncio.to_thread(totals.add_some)
        figures.append((time.perf_counter() - began) * 1000)
    return {f"summing up at most {AT_ONCE:,} requests, in the background": figures}


async def listed(house: House, size: Size) -> Figures:
    browsing = house.browsing
    middle = [BEGIN + 500 * DAY_S, "0"]
    last = BEGIN + 1000 * DAY_S
    found = {
        "requests, first page of 100": await timed(lambda: browsing.requests(Page(100, None), "", False)),
        "requests, a page in the middle": await timed(lambda: browsing.requests(Page(100, middle), "", False)),
        "active requests, first page": await timed(lambda: browsing.requests(Page(100, None), "", True)),
        "datasets of a name, first page": await timed(lambda: browsing.datasets(Page(100, None), "name-1", None)),
        "failed datasets, first page": await timed(lambda: browsing.datasets(Page(100, None), "", DatasetState.FAILED)),
    }
    for by in UsageBy:
        since = last - 30 * DAY_S
        found[f"usage of 30 days by {by.lower()}, first page"] = await timed(
            lambda by=by, since=since: browsing.usage(Page(20, None), by, since, FOR_EVER), calls=SLOW_CALLS
        )
        found[f"usage of all time by {by.lower()}, first page"] = await timed(
            lambda by=by: browsing.usage(Page(20, None), by, 0.0, FOR_EVER), calls=SLOW_CALLS
        )
    return found


async def watched(house: House) -> Figures:
    some = {f"Request/{request_of(number)}" for number in range(WATCHED)}
    some |= {f"Dataset/{key_of(number)}" for number in range(WATCHED)}
    return {f"poll of {2 * WATCHED:,} watched rows": await timed(lambda: in_thread(house.board._revisions, some))}


async def done_beside(house: House) -> Figures:
    keys = [key_of(number) for number in range(KEYS_AT_ONCE)]
    return {
        "a round of upkeep": await timed(house.upkeep.once),
        f"the collector's look at {len(keys)} keys": await timed(
            lambda: in_thread(house.catalog.read, lambda tx: named_objects(tx, keys))
        ),
        "claim with an empty hand": await timed(lambda: house.dispatch.claim(RUNNER, ["BUILD"], 0.0)),
    }


async def claimed(house: House) -> Figures:
    """Queue builds behind all that waits for another runner, and claim them; then what their runner reports."""
    found: Figures = {"claim of a build": [], "heartbeat with a line of log": [], "commit of a shard": []}

    async def clocked(name: str, call: Awaitable[object]) -> object:
        began = time.perf_counter()
        answer = await call
        found[name].append((time.perf_counter() - began) * 1000)
        return answer

    for number in range(CLAIMS):
        await house.registry.request_dataset("street", "latest", f'{{"gain": {number + 2}}}')
        work = await clocked("claim of a build", house.dispatch.claim(RUNNER, ["BUILD"], 5.0))
        assert work is not None
        name = f"work/{work.id}"
        heartbeat = house.dispatch.heartbeat(name, work.fence, {"shards_done": 1}, "a line\n", 0)
        await clocked("heartbeat with a line of log", heartbeat)
        entry = f"{work.subject}/{work.fence}/train-00000.tfrecord.entry"
        shard = Shard(id="", split="train", object=entry, size_bytes=10**8, sha256=work.subject, record_count=100)
        await clocked("commit of a shard", house.dispatch.commit_shard(name, work.fence, shard))
    return found


async def idle(house: House) -> Figures:
    """Have runners wait for work that never comes, behind work that only others can do."""
    runners = [replace(RUNNER, id=f"idle-{number}", raw_datasets={"none": 1}) for number in range(IDLE_RUNNERS)]
    before = _cpu_s()
    await asyncio.sleep(IDLE_S)
    alone = _cpu_s() - before
    waiting = [asyncio.create_task(house.dispatch.claim(each, (), 30.0)) for each in runners]
    await asyncio.sleep(2.0)
    before = _cpu_s()
    await asyncio.sleep(IDLE_S)
    beside = _cpu_s() - before
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return {
        "CPU of a registry without calls, a second": [alone / IDLE_S * 1000],
        f"CPU of {IDLE_RUNNERS} waiting runners on top, a second": [max(beside - alone, 0.0) / IDLE_S * 1000],
    }


async def timed(call: Callable[[], Awaitable[object]], hit: House | None = None, calls: int = CALLS) -> list[float]:
    """Return the milliseconds of single calls; each ``hit`` must be one."""
    figures = []
    for _ in range(calls):
        began = time.perf_counter()
        found = await call()
        figures.append((time.perf_counter() - began) * 1000)
        if hit is not None:
            assert found.request.cached, found  # type: ignore[attr-defined]
    return figures


async def in_thread(call: Callable[..., object], *arguments: object) -> object:
    return await asyncio.to_thread(call, *arguments)


def shown(figures: list[float]) -> str:
    if len(figures) == 1:
        return f"{figures[0]:.0f}"
    return f"{statistics.median(figures):.1f} [{min(figures):.1f}–{max(figures):.1f}]"


def row_size(rows: int, row_bytes: int, index_bytes: int) -> str:
    return f"{row_bytes / rows:.0f} + {index_bytes / rows:.0f}"


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
