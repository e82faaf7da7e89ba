"""What the acceptance tests share: small real photos, and houses of real processes that are torn down at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from .house import House
from .photos import make_photos

PHOTO_COUNT = 48

OpenHouse = Callable[..., House]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw root with one raw dataset, `street`, which nobody changes."""
    root = tmp_path_factory.mktemp("photos")
    make_photos(root / "street", PHOTO_COUNT)
    return root


@pytest.fixture
def own_photos(photos: Path, tmp_path: Path) -> Path:
    """A raw root like `photos` that the test may change."""
    return Path(shutil.copytree(photos, tmp_path / "raw"))


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[OpenHouse]:
    """Make houses for one test; they are gone at its end."""
    yield from _open_houses(tmp_path)


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[House]:
    """A started house for the tests of one file, with the definition `street` of the stock inpainting handler."""
    house = House(tmp_path_factory.mktemp("shared") / "house", photos)
    try:
        house.start().client.define("street", "stock/inpainting", {"photos": "street"})
        yield house
    finally:
        house.end()


@pytest.fixture
def minio_variables(minio_server) -> Mapping[str, str]:
    """The variables of a bucket of the real MinIO server that nobody else uses, without prefix."""
    return minio_server.environment("", f"e2e-{uuid4().hex}")


def _open_houses(folder: Path) -> Iterator[OpenHouse]:
    opened: list[House] = []

    def open_house(raw: Path, **settings: object) -> House:
        opened.append(House(folder / f"house-{len(opened)}", raw, **settings))
        return opened[-1]

    try:
        yield open_house
    finally:
        for house in opened:
            house.end()
