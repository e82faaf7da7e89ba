"""Tables grow with the code: once however many begin it, under yesterday's rows, and never against yesterday's code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import alembic.autogenerate
import alembic.migration
import alembic.script
import pytest
import sqlalchemy as sa

from dataset_registry import migrating_sqlalchemy
from dataset_registry.__main__ import open_catalog
from dataset_registry.catalog import Where
from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.records import Dataset, Definition, Request, Runner, Shard, Work
from dataset_registry.schema_sqlalchemy import TABLES, metadata
from dataset_registry.settings import RegistrySettings
from service_kit.errors import FailedPrecondition, InvalidArgument

# What the registry of revision 0001 had written: a hit, a failure, a build in its middle, a cancelled one, a download.
YESTERDAY = Path(__file__).with_name("catalog_0001.jsonl")
HEAD = alembic.script.ScriptDirectory.from_config(migrating_sqlalchemy._config()).get_current_head()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'catalog.sqlite'}"


@pytest.fixture
def catalog(url: str) -> Iterator[SqlCatalog]:
    catalog = SqlCatalog(url)
    yield catalog
    catalog.close()


def engine_of(catalog: SqlCatalog) -> sa.Engine:
    return catalog._database.engine


def write_yesterdays_rows(catalog: SqlCatalog) -> Counter[str]:
    """Insert the rows by the columns that the code of their day knew; return how many in each table."""
    lines = [json.loads(line) for line in YESTERDAY.read_text().splitlines()]
    tables: dict[str, sa.Table] = {}
    with catalog._database.migrating() as connection:
        for line in lines:
            name = line["table"]
            if name == "alembic_version":
                continue
            if name not in tables:
                tables[name] = sa.Table(name, sa.MetaData(), autoload_with=connection)
            connection.execute(sa.insert(tables[name]).values(typed(tables[name], line["row"])))
    return Counter(line["table"] for line in lines if line["table"] != "alembic_version")


def typed(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for name, value in row.items():
        kind = table.c[name].type
        is_json, is_bool = isinstance(kind, sa.JSON), isinstance(kind, sa.Boolean)
        values[name] = json.loads(value) if is_json else bool(value) if is_bool else value
    return values


def test_yesterdays_catalogue_is_refused_until_it_is_migrated_and_then_goes_on(catalog: SqlCatalog) -> None:
    assert catalog.migrate("0001") == ""
    written = write_yesterdays_rows(catalog)
    with pytest.raises(FailedPrecondition, match=f"revision 0001, this version needs {HEAD}: run `python -m"):
        catalog.check_migrated()
    assert catalog.migrate() == "0001"
    assert catalog.check_migrated() == HEAD
    for kind, table in TABLES.items():
        found = catalog.read(lambda tx, kind=kind: tx.find(kind))
        assert len(found) == written[table.name]
        # A column that came later has the value that the code of today starts with.
        usual = kind(id="")
        old = {
            name
            for line in YESTERDAY.read_text().splitlines()
            if f'"{table.name}"' in line
            for name in json.loads(line)["row"]
        }
        for record in found:
            for field in fields(record):
                if field.name not in old:
                    assert getattr(record, field.name) == getattr(usual, field.name), f"{table.name}.{field.name}"
    [building] = catalog.read(lambda tx: tx.find(Dataset, Where("state", "=", "BUILDING"), limit=1))
    work = catalog.read(lambda tx: tx.find(Work, Where("subject", "=", building.id), Where("kind", "=", "BUILD")))[0]
    again = catalog.write(lambda tx: tx.put(work.requeued().claimed(tx.now(), "runner-2", 30)))
    assert again.fence == work.fence + 1
    assert catalog.read(lambda tx: tx.count(Shard, Where("key", "=", building.id))) > 0
    assert {each.state for each in catalog.read(lambda tx: tx.find(Request))} >= {"READY", "FAILED", "BUILDING"}


def test_yesterdays_code_can_write_into_todays_tables(catalog: SqlCatalog) -> None:
    catalog.migrate()
    write_yesterdays_rows(catalog)
    assert catalog.read(lambda tx: tx.find(Runner))[0].id == "runner-1"


def test_migrations_only_expand(catalog: SqlCatalog) -> None:
    script = alembic.script.ScriptDirectory.from_config(migrating_sqlalchemy._config())
    before: dict[str, dict[str, Any]] = {}
    for revision in reversed([each.revision for each in script.walk_revisions()]):
        catalog.migrate(revision)
        after = tables_of(catalog)
        for table, columns in before.items():
            assert table in after, f"{revision} takes away {table}"
            for name, column in columns["columns"].items():
                assert name in after[table]["columns"], f"{revision} takes away {table}.{name}"
                now = after[table]["columns"][name]
                same = str(now["type"]).partition(" COLLATE")[0] == str(column["type"]).partition(" COLLATE")[0]
                assert same, f"{revision} changes {table}.{name}"
            for name, column in after[table]["columns"].items():
                if name not in columns["columns"]:
                    # Older code inserts rows without it.
                    assert column["nullable"] or column["default"] is not None, (
                        f"{revision}: {table}.{name} has no default"
                    )
            new = after[table]["unique"] - columns["unique"]
            assert not new, f"{revision} forbids {table} rows that older code writes: {new}"
        before = after
    assert set(before) >= {table.name for table in TABLES.values()}


def tables_of(catalog: SqlCatalog) -> dict[str, dict[str, Any]]:
    inspector = sa.inspect(engine_of(catalog))
    found = {
        name: {
            "columns": {column["name"]: column for column in inspector.get_columns(name)},
            "unique": {index["name"] for index in inspector.get_indexes(name) if index["unique"]},
        }
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }
    engine_of(catalog).dispose()
    return found


def test_migrated_tables_are_the_tables_of_the_code(catalog: SqlCatalog) -> None:
    catalog.migrate()
    with catalog._database.reading() as connection:
        context = alembic.migration.MigrationContext.configure(connection)
        assert alembic.autogenerate.compare_metadata(context, metadata) == []
        if catalog.kind == "postgresql":
            sorted_by_locale = connection.execute(
                sa.text(
                    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
                    "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
                )
            ).all()
            assert sorted_by_locale == []


@pytest.mark.parametrize("begin", ["", "0001"])
def test_of_two_that_migrate_at_once_one_does_it_and_the_other_finds_it_done(url: str, begin: str) -> None:
    catalogs = [SqlCatalog(url) for _ in range(4)]
    if begin:
        catalogs[0].migrate(begin)
        write_yesterdays_rows(catalogs[0])
    ready = threading.Barrier(len(catalogs))

    def migrate(catalog: SqlCatalog) -> str:
        ready.wait()
        return catalog.migrate()

    with ThreadPoolExecutor(len(catalogs)) as pool:
        found = list(pool.map(migrate, catalogs))
    assert sorted(found) == sorted([begin, HEAD, HEAD, HEAD])
    for catalog in catalogs:
        assert catalog.check_migrated() == HEAD
        catalog.close()


def test_writers_notice_nothing_of_a_migration(url: str) -> None:
    catalogs = [SqlCatalog(url), SqlCatalog(url)]
    catalogs[0].migrate("0001")
    write_yesterdays_rows(catalogs[0])
    stop = threading.Event()

    def write(number: int) -> int:
        done = 0
        while not stop.is_set() or not done:
            catalogs[1].write(lambda tx, name=f"{number}-{done}": tx.put(Definition(id=name)))
            catalogs[1].read(lambda tx: (tx.count(Request), tx.count(Dataset)))
            done += 1
        return done

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, number) for number in range(3)]
        try:
            assert catalogs[0].migrate() == "0001"
        finally:
            stop.set()
        done = sum(each.result() for each in writers)
    assert catalogs[0].read(lambda tx: tx.count(Definition)) == done + 2
    for catalog in catalogs:
        catalog.close()


def test_a_catalogue_that_newer_code_has_migrated_is_served_as_it_is(catalog: SqlCatalog) -> None:
    catalog.migrate()
    with catalog._database.migrating() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert catalog.migrate() == "9999"
    assert catalog.check_migrated() == "9999"
    catalog.write(lambda tx: tx.put(Definition(id="a")))


def registry(*arguments: str, url: str, home: Path) -> subprocess.Popen[str]:
    """Start the registry's command on a database."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    environment |= {
        "DARKROOM_REGISTRY_DATABASE_URL": url,
        "DARKROOM_REGISTRY_HOME": str(home),
        "DARKROOM_REGISTRY_LISTEN": "localhost:0",
    }
    command = [sys.executable, "-m", "dataset_registry", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_command_migrates_once_and_serving_waits_for_it(postgres_url: str, postgres_server, tmp_path: Path) -> None:
    serving = registry(url=postgres_url, home=tmp_path)
    refused = serving.communicate(timeout=60)
    assert serving.returncode == 1
    lines = refused[1].splitlines()
    assert len(lines) == 1
    assert "has no tables yet: run `python -m dataset_registry migrate` with the registry's settings" in lines[0]
    both = [registry("migrate", url=postgres_url, home=tmp_path) for _ in range(2)]
    told = sorted(each.communicate(timeout=60)[0].split(": ")[-1] for each in both)
    assert [each.returncode for each in both] == [0, 0]
    assert told == sorted([f"empty before, now {HEAD}\n", f"{HEAD} before, now {HEAD}\n"])
    assert postgres_server.password not in "".join(refused)


def test_a_wrong_url_is_named_by_its_variable_and_its_password_by_nobody(tmp_path: Path) -> None:
    settings = RegistrySettings(database_url="mysql://u:wr0ng-word@h/d", home=tmp_path)
    with pytest.raises(InvalidArgument, match=r"\ADARKROOM_REGISTRY_DATABASE_URL: ") as caught:
        open_catalog(settings)
    assert "wr0ng-word" not in f"{settings!r} {settings} {settings.model_dump()} {caught.value!r}"
