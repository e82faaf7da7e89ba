"""Catalogue and objects, backed up while a build runs, destroyed, and brought back: nothing that was ready is lost.

On one machine (SQLite and a folder), and as deployed (PostgreSQL and a bucket).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from dataset_registry.catalog_sqlalchemy import SqlCatalog
from dataset_registry.consistency import Consistency
from service_kit.object_store_settings import ObjectStoreSettings, open_object_store

from .buckets import download_bucket, empty_bucket, upload_bucket
from .process import until

MIGRATED = "migrated_postgres_url"
# From the loss of everything to the first hit.
RESTORED_S = 300.0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_ready_at_the_backup_is_ready_after_the_restore(kind, request, open_house, photos, tmp_path):
    url = request.getfixturevalue(MIGRATED) if kind == "postgresql" else ""
    deployed = {"DATABASE_URL": url, "store": request.getfixturevalue("minio_variables")} if url else {}
    house = open_house(photos, **deployed).start()
    house.client.define("street", "test/slow", {"photos": "street"})
    ready = house.client.request_dataset("street", "latest", {"seed": 1}).wait(180).dataset
    building = house.client.request_dataset("street", "latest", {"seed": 2, "delay_s": 0.05})
    until(lambda: house.client.get_request(building.name).snapshot.shards_done, "a shard")
    postgres = request.getfixturevalue("postgres_server") if url else None
    # The catalogue first, then the objects: see docs/deployment.md.
    dump = tmp_path / "catalogue.dump"
    catalogue = house.folder / "registry" / "catalog.sqlite"
    if postgres:
        run_postgres(postgres, url, "pg_dump", "--format=custom", f"--file={dump}")
    else:
        with sqlite3.connect(catalogue) as source, sqlite3.connect(dump) as target:
            source.backup(target)
        source.close()
        target.close()
    objects = tmp_path / "objects"
    if url:
        download_bucket(house.store, objects)
    else:
        # What is half written may vanish meanwhile.
        shutil.copytree(house.store_folder, objects, ignore=shutil.ignore_patterns(".tmp-*"))
    building.wait(180)
    house.runner.kill()
    house.registry.kill()
    # Everything is lost.
    if url:
        empty_bucket(house.store)
    else:
        shutil.rmtree(house.store_folder)
    lost_s = time.monotonic()
    if postgres:
        run_postgres(postgres, url, "psql", "--quiet", "--command=DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        run_postgres(postgres, url, "pg_restore", "--exit-on-error", str(dump))
    else:
        shutil.rmtree(house.folder / "registry")
        catalogue.parent.mkdir()
        shutil.copy(dump, catalogue)
    assert any(each.startswith(f"missing {ready.key}/") for each in dangling(house, url))
    if url:
        upload_bucket(house.store, objects)
    else:
        shutil.copytree(objects, house.store_folder, dirs_exist_ok=True)
    assert dangling(house, url) == []
    # Life goes on: the hit is a hit, and what was being built is built.
    house.registry.start()
    house.start_runner()
    until(lambda: house.registry.alive() and house.registry.events("registry_ready")[1:], "the registry", 60)
    assert house.client.request_dataset("street", "latest", {"seed": 1}).wait(180).cached
    restored_s = time.monotonic() - lost_s
    print(f"all is back after {restored_s:.1f} s")
    assert restored_s < RESTORED_S
    assert house.client.get_request(building.name).wait(180).dataset.key == building.key
    assert house.client.verify(ready.key, full=True).ok
    assert ": 0 lost" in checked(house, url)


def dangling(house, url: str) -> list[str]:
    """Return what is lost, as the checker's words."""
    catalog = SqlCatalog(url or f"sqlite:///{house.folder / 'registry' / 'catalog.sqlite'}")
    settings = ObjectStoreSettings.model_validate({name.lower(): value for name, value in house.store.items()})
    consistency = Consistency(catalog, open_object_store(settings))
    found = [" ".join(each) for each in consistency.findings(read_bytes=True) if not each.harmless]
    catalog.close()
    return found


def checked(house, url: str) -> str:
    """Run the checker as an operator does, and return what it prints."""
    store = {f"DARKROOM_REGISTRY_{name}": value for name, value in house.store.items()}
    environment = house.variables(store | {"DARKROOM_REGISTRY_HOME": str(house.folder / "registry")})
    environment |= {"DARKROOM_REGISTRY_DATABASE_URL": url} if url else {}
    command = [sys.executable, "-m", "dataset_registry", "check", "--bytes"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=True).stdout


def run_postgres(server, url: str, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on the catalogue's database."""
    parts = urlsplit(url)
    to = ["--host", parts.hostname, "--port", str(parts.port), "--username", parts.username]
    command = [server.binaries / program, *to, f"--dbname={parts.path[1:]}", *arguments]
    environment = {"PATH": os.environ["PATH"], "PGPASSWORD": parts.password}
    subprocess.run(command, env=environment, check=True, timeout=60, capture_output=True)
