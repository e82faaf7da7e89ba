"""Fills a catalogue's tables in bulk with rows like those that years of use leave behind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.records import Dataset, Download, Recipe, Record, Request, Runner, Shard, Work
from dataset_registry.row_values import to_json
from dataset_registry.schema_sqlalchemy import TABLES
from dataset_registry.spec import DatasetSpec, Platform, canonical_json

# An epoch long past, so that rows of today are the newest.
BEGIN = 1_600_000_000.0
DAY_S = 86_400.0
NAMES = 100
COMMIT = "c" * 40
CONFIG = {
    "image_size": [256, 256],
    "crop_size": [224, 224],
    "variations_per_sample": 2,
    "mask_kind": "thick",
    "seed": 7,
    "flip": True,
    "gain": 1.5,
    "split": {"train": 0.9, "test": 0.1},
}
SERVED = {"name": "stock", "commit": "c1", "version": "0.1.0"}
RAW = {"photos": "elsewhere"}
RECIPE = Recipe("street", "stock", COMMIT, "v1", "inpainting", RAW, CONFIG)
SPEC = DatasetSpec(
    dataset_name="street",
    repository="stock",
    commit=COMMIT,
    handler="inpainting",
    lock_digest="e" * 64,
    dataset_handlers="0.1.0",
    platform=Platform("3.11", "linux", "x86_64"),
    config=CONFIG,
    raw={"photos": "d" * 64},
)
TASK = {
    "dataset_name": "street",
    "handler_version": "v1",
    "environment": {"repository": "stock", "commit": COMMIT, "version": "v1", "lock_digest": "e" * 64},
    "handler": "inpainting",
    "config_json": canonical_json(CONFIG),
    "raw": [{"role": "photos", "raw_dataset": "elsewhere", "digest": "d" * 64, "file_count": 1000}],
    "key": SPEC.key(),
    "preimage_json": SPEC.preimage(),
}


@dataclass(frozen=True)
class Size:
    """How many rows; one dataset was asked for by a thousandth of all requests.

    What is ``queued`` is being built for one request each, on top of the others, and waits for a runner that is away.
    """

    datasets: int
    requests: int
    shards: int
    queued: int
    runners: int = 20


@dataclass(frozen=True)
class Rows:
    """So many rows like an example, each with what differs in it."""

    example: Record
    count: int
    differing: Callable[[int], Mapping[str, Any]]


def fill(catalog: SqlCatalog, size: Size, say: Callable[[str], object] = str) -> None:
    """Fill the empty tables of a migrated catalogue; nobody else may use it meanwhile. ``say``: hears how far it is."""
    catalog._database.engine.dispose()
    engine = sa.create_engine(catalog._database.engine.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for text in _FASTER[catalog.kind]:
            connection.exec_driver_sql(text)
        for rows in _all(size):
            table = TABLES[type(rows.example)]
            say(f"{rows.count:,} {table.name}")
            # Made at once, behind the rows, an index takes a fraction of the time.
            for index in table.indexes:
                index.drop(connection)
            (_copy if catalog.kind == "postgresql" else _insert)(connection, table, rows)
            say(f"{len(table.indexes)} indexes of {table.name}")
            for index in table.indexes:
                index.create(connection)
    # A server does it by itself in time. SQLite never does, and has to answer without it.
    if catalog.kind == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            say("VACUUM ANALYZE")
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def key_of(number: int) -> str:
    """Return the key of a dataset by its number."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def request_of(number: int) -> str:
    """Return the id of a request by its number."""
    return f"00000000-0000-4000-8000-{number:012}"


# Rows that are lost when the machine fails in the middle are filled in again.
_FASTER = {
    "sqlite": ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-400000"),
    "postgresql": ("SET LOCAL maintenance_work_mem='512MB'", "SET LOCAL synchronous_commit=off"),
}


def _all(size: Size) -> Iterator[Rows]:
    keys = [key_of(number) for number in range(size.datasets + size.queued)]
    some_raw = {f"raw-{each}": 1000 for each in range(20)}
    yield Rows(
        Runner(id="", revision=1, repositories=[SERVED], raw_datasets=some_raw, seen_time=BEGIN, update_time=BEGIN),
        size.runners,
        lambda number: {"id": f"old-{number}"},
    )
    yield Rows(
        Dataset(id="", revision=1, version="v1", preimage=SPEC.preimage(), build_task=TASK, started_by="anna@gpu1"),
        size.datasets + size.queued,
        lambda number: _dataset(number, keys[number], size),
    )
    yield Rows(
        Request(id="", revision=1, version="v1", config_json=canonical_json(CONFIG), recipe=asdict(RECIPE)),
        size.requests + size.queued,
        lambda number: _request(number, keys, size),
    )
    yield Rows(
        Shard(id="", revision=1, split="train", size_bytes=10**8, crc32=1, record_count=100),
        size.shards,
        lambda number: _shard(keys[number * size.datasets // size.shards], number % (size.shards // size.datasets)),
    )
    yield Rows(
        Work(id="", revision=1, kind="BUILD", repository="stock", commit=COMMIT, raw_names=["elsewhere"], task=TASK),
        size.datasets + size.queued,
        lambda number: _work(number, keys[number], size),
    )
    yield Rows(
        Download(id="", revision=1, size_bytes=10**9, elapsed_s=60.0),
        size.requests // 2,
        lambda number: _download(number, keys, size),
    )


def _dataset(number: int, key: str, size: Size) -> dict[str, Any]:
    made = {
        "id": key,
        "dataset_name": f"name-{number % NAMES}",
        "create_time": _time(number, size.datasets),
        "start_time": _time(number, size.datasets),
    }
    if number >= size.datasets:
        return made
    return made | {
        "state": "FAILED" if number % 500 == 0 else "READY",
        "archive_object": f"{key}/1/name_v1_{key}.zip",
        "archive_size_bytes": 10**9,
        "digest": key,
        "splits": {"train": 900, "test": 100},
        "finish_time": made["create_time"] + 60,
    }


def _request(number: int, keys: list[str], size: Size) -> dict[str, Any]:
    waiting = number >= size.requests
    dataset = number - size.requests + size.datasets if waiting else _asked_for(number, size)
    when = _time(number, size.requests)
    ended = {"state": "READY", "cached": True, "finish_time": when}
    return ({"state": "BUILDING"} if waiting else ended) | {
        "id": request_of(number),
        "dataset_name": f"name-{dataset % NAMES}",
        "requester": f"anna@gpu{number % 50}",
        "key": keys[dataset],
        "create_time": when,
    }


def _shard(key: str, index: int) -> dict[str, Any]:
    entry = f"{key}/1/train-{index:05}.tfrecord.entry"
    return {"id": f"{key}/train/{index}", "key": key, "index": index, "object": entry, "sha256": key}


def _work(number: int, key: str, size: Size) -> dict[str, Any]:
    when = _time(number, size.datasets)
    made = {"id": f"{number:032x}", "subject": key, "dataset_name": f"name-{number % NAMES}", "create_time": when}
    if number >= size.datasets:
        return made
    progress = {"stage": "STAGE_BUILDING", "shards_done": 10, "shard_count": 10}
    return made | {
        "state": "DONE",
        "progress": progress,
        "fence": 1,
        "requester": f"anna@gpu{number % 50}",
        "start_time": when,
        "finish_time": when + 60,
    }


def _download(number: int, keys: list[str], size: Size) -> dict[str, Any]:
    dataset = _asked_for(2 * number, size)
    return {
        "id": request_of(number),
        "key": keys[dataset],
        "requester": f"anna@gpu{number % 50}",
        "dataset_name": f"name-{dataset % NAMES}",
        "create_time": _time(2 * number, size.requests),
    }


def _asked_for(number: int, size: Size) -> int:
    return 0 if number % 1000 == 0 else number % size.datasets


def _time(number: int, of: int) -> float:
    """Spread over a thousand days."""
    return BEGIN + 1000 * DAY_S * number / of


def _values(table: sa.Table, rows: Rows) -> Iterator[list[Any]]:
    documents = {column.name for column in table.columns if isinstance(column.type, sa.JSON)}
    places = {column.name: place for place, column in enumerate(table.columns)}

    def stored(name: str, value: Any) -> Any:
        return to_json(value) if name in documents else value

    example = [stored(name, getattr(rows.example, name)) for name in places]
    for number in range(rows.count):
        values = example.copy()
        for name, value in rows.differing(number).items():
            values[places[name]] = stored(name, value)
        yield values


def _insert(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    columns, marks = _columns(table), ", ".join("?" * len(table.columns))
    driver = connection.connection.driver_connection
    driver.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', _values(table, rows))


def _copy(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    # A server that keeps no more than it must then writes none of it twice.
    connection.exec_driver_sql(f'TRUNCATE "{table.name}"')
    with connection.connection.cursor().copy(f'COPY "{table.name}" ({_columns(table)}) FROM STDIN') as copy:
        for values in _values(table, rows):
            copy.write_row(values)


def _columns(table: sa.Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)
