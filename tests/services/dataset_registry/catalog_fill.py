"""Fills a catalogue's tables in bulk with rows like those that years of use leave behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.records import Dataset, Record, Request, Runner, Shard, Work
from dataset_registry.schema_sqlalchemy import TABLES

# An epoch long past, so that rows of today are the newest.
BEGIN = 1_600_000_000.0
NAMES = 100
DATABASE_BATCH = 2000
PREIMAGE = json.dumps({"config": {f"option_{number}": number for number in range(20)}, "raw": {"photos": "d" * 64}})
TASK = {"dataset_name": "street", "config_json": PREIMAGE, "raw": [{"role": "photos", "raw_dataset": "street"}]}


@dataclass(frozen=True)
class Size:
    """How many rows; one dataset in a thousand was asked for by a thousandth of all requests."""

    datasets: int
    requests: int
    shards: int
    queued: int
    runners: int = 20


def fill(catalog: SqlCatalog, size: Size) -> None:
    """Insert the rows and have the database look at them."""
    write = _copy if catalog.kind == "postgresql" else _insert
    with catalog._database.migrating() as connection:
        for kind, rows in (
            (Runner, _runners(size)),
            (Dataset, _datasets(size)),
            (Request, _requests(size)),
            (Shard, _shards(size)),
            (Work, _work(size)),
        ):
            write(connection, kind, rows)
        connection.exec_driver_sql("ANALYZE")


def key_of(number: int) -> str:
    """Return the key of a dataset by its number."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def _runners(size: Size) -> Iterator[Record]:
    for number in range(size.runners):
        repositories = [{"name": "stock", "commit": "c1", "version": "0.1.0"}]
        raw = {f"raw-{each}": 1000 for each in range(20)}
        yield Runner(
            id=f"old-{number}", repositories=repositories, raw_datasets=raw, seen_time=BEGIN, update_time=BEGIN
        )


def _datasets(size: Size) -> Iterator[Record]:
    for number in range(size.datasets):
        key = key_of(number)
        yield Dataset(
            id=key,
            dataset_name=f"name-{number % NAMES}",
            version="v1",
            state="FAILED" if number % 500 == 0 else "READY",
            preimage=PREIMAGE,
            build_task=TASK,
            archive_object=f"{key}/1/name_v1_{key}.zip",
            archive_size_bytes=10**9,
            digest=key,
            splits={"train": 900, "test": 100},
            started_by="anna@gpu1",
            create_time=BEGIN + number,
            start_time=BEGIN + number,
            finish_time=BEGIN + number + 60,
        )


def _requests(size: Size) -> Iterator[Record]:
    for number in range(size.requests):
        popular = number % 1000 == 0
        dataset = 0 if popular else number % size.datasets
        yield Request(
            id=f"00000000-0000-4000-8000-{number:012}",
            dataset_name=f"name-{dataset % NAMES}",
            version="v1",
            config_json=PREIMAGE,
            requester=f"anna@gpu{number % 50}",
            recipe=TASK,
            state="READY",
            key=key_of(dataset),
            cached=True,
            create_time=BEGIN + number / 10,
            finish_time=BEGIN + number / 10,
        )


def _shards(size: Size) -> Iterator[Record]:
    for number in range(size.shards):
        key, index = key_of(number % size.datasets), number // size.datasets
        yield Shard(
            id=f"{key}/train/{index}",
            key=key,
            split="train",
            index=index,
            object=f"{key}/1/train-{index:05}.tfrecord.entry",
            size_bytes=10**8,
            sha256=key,
            crc32=1,
            record_count=100,
        )


def _work(size: Size) -> Iterator[Record]:
    for number in range(size.datasets + size.queued):
        queued = number >= size.datasets
        yield Work(
            id=f"{number:032x}",
            kind="BUILD",
            subject=key_of(number),
            # What is queued needs a raw dataset that no runner of the bench has.
            state="QUEUED" if queued else "DONE",
            repository="stock",
            commit="c1",
            raw_names=["elsewhere"],
            task=TASK,
            progress={"stage": "STAGE_BUILDING", "shards_done": 10, "shard_count": 10},
            fence=1,
            create_time=BEGIN + number,
        )


def _values(kind: type[Record], record: Record) -> dict[str, Any]:
    names = [column.name for column in TABLES[kind].columns]
    return {name: getattr(record, name) for name in names} | {"revision": 1}


def _insert(connection: sa.Connection, kind: type[Record], rows: Iterator[Record]) -> None:
    batch: list[dict[str, Any]] = []
    for record in rows:
        batch.append(_values(kind, record))
        if len(batch) == DATABASE_BATCH:
            connection.execute(sa.insert(TABLES[kind]), batch)
            batch = []
    if batch:
        connection.execute(sa.insert(TABLES[kind]), batch)


def _copy(connection: sa.Connection, kind: type[Record], rows: Iterator[Record]) -> None:
    table = TABLES[kind]
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    documents = {column.name for column in table.columns if isinstance(column.type, sa.JSON)}
    cursor = connection.connection.cursor()
    with cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
        for record in rows:
            values = _values(kind, record)
            copy.write_row([json.dumps(each) if name in documents else each for name, each in values.items()])
