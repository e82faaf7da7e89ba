from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service_kit.object_store import ObjectStore
from service_kit.object_store_settings import ObjectStoreSettings, open_object_store

from .objects import Opened


@pytest.fixture(params=["local", "minio"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    if request.param == "local":
        folder, elsewhere = tmp_path / "objects", tmp_path / "elsewhere"
        store = open_object_store(ObjectStoreSettings(store_dir=folder))
        yield Opened(store, lambda: folder.rename(elsewhere), lambda: elsewhere.rename(folder))
    else:
        server = request.getfixturevalue("minio_server")
        store = open_object_store(request.getfixturevalue("minio_settings"))
        yield Opened(store, server.stop, server.start)
        server.start()


@pytest.fixture
def store(opened: Opened) -> ObjectStore:
    return opened.store
