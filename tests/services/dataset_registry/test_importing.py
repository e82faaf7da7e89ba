"""Archives arrive in bounded pieces, once each, and what breaks off leaves no row."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from dataset_registry.collector import Collector
from dataset_registry.imported_name import ImportedName
from dataset_registry.importing import PART_BYTES, Arrival, Importing
from dataset_registry.records import Dataset, Definition, Shard, Work
from dataset_registry.states import DatasetState
from service_kit.errors import AlreadyExists, FailedPrecondition, InvalidArgument

from .conftest import RUNNER, House

KEY = hashlib.md5(b"{}").hexdigest()
NAME = f"street_1.2.0_{KEY}.zip"
BODY = b"PK\x03\x04" + b"a small archive, as far as the registry looks"


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def arrival(body: bytes = BODY, name: str = NAME, **rest: str) -> Arrival:
    return Arrival(name, len(body), "anna@gpu3", rest.get("sha256", ""))


def importing(house: House) -> Importing:
    return Importing(house.catalog, house.registry, house.store)


async def imported(house: House, body: bytes = BODY) -> Work:
    """Bring an archive in, as far as a runner would publish it."""
    await importing(house).take(arrival(body), pieces(body))
    work = await house.claim(RUNNER, "IMPORT")
    await house.publish(work, body)
    return work


def old(house: House) -> None:
    for path in house.store._root.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 2 * 86_400,) * 2)


async def test_what_arrives_is_what_a_runner_finds(house: House) -> None:
    body = BODY + bytes(PART_BYTES) + b"the end"
    chunks = [body[start : start + (1 << 20)] for start in range(0, len(body), 1 << 20)]
    view = await importing(house).take(arrival(body), pieces(*chunks))
    assert (view.dataset.id, view.dataset.dataset_name, view.dataset.version) == (KEY, "street", "1.2.0")
    assert view.dataset.state == DatasetState.BUILDING
    work = await house.claim(RUNNER, "IMPORT")
    stored = list(house.store.list(work.task["object"]))
    assert len(stored) == 2, "no more than a part is ever in memory"
    assert b"".join(piece for each in stored for piece in house.store.read(each.name, 0, each.size_bytes)) == body
    assert work.task["file_name"] == NAME
    sha256 = hashlib.sha256(body).hexdigest()
    assert work.task["preimage_json"] == (
        f'{{"dataset_name":"street","handler_version":"1.2.0","imported":"{NAME}","sha256":"{sha256}"}}'
    )


async def test_the_same_archive_again_is_answered_before_it_is_sent(house: House) -> None:
    await imported(house)
    sha256 = hashlib.sha256(BODY).hexdigest()

    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("nothing should be read")
        yield b""

    view = await importing(house).take(arrival(sha256=sha256), never())
    assert view.dataset.state == DatasetState.READY
    again = await importing(house).take(arrival(), pieces(BODY))
    assert again.dataset.revision == view.dataset.revision


async def test_other_bytes_under_a_key_are_refused_until_it_is_deleted(house: House) -> None:
    await imported(house)
    other = BODY + b"!"
    with pytest.raises(AlreadyExists, match="another archive"):
        await importing(house).take(arrival(other), pieces(other))
    await house.keeping.delete(KEY)
    left = Shard(id=f"{KEY}/train/0", key=KEY, split="train", sha256="s")
    house.catalog.write(lambda tx: tx.put(left))
    view = await importing(house).take(arrival(other), pieces(other))
    assert view.dataset.state == DatasetState.BUILDING
    assert house.catalog.read(lambda tx: tx.find(Shard)) == [], "a shard of other bytes is none of this archive's"


@pytest.mark.parametrize(
    ("asked", "sent", "words"),
    [
        (arrival(name="street.zip"), BODY, "DATASET_VERSION_MD5"),
        (arrival(name=f"../x_1_{KEY}.zip"), BODY, "DATASET_VERSION_MD5"),
        (arrival(name=f"street_1_{'A' * 32}.zip"), BODY, "DATASET_VERSION_MD5"),
        (arrival(name=f"street_a..b_{KEY}.zip"), BODY, "handler_version"),
        (arrival(), BODY[:-1], "bytes came"),
        (arrival(), BODY + b"more", "more bytes than that"),
        (arrival(b"no zip file at all, not at all"), b"no zip file at all, not at all", "no zip file"),
        (arrival(sha256="0" * 64), BODY, "what came has"),
        (arrival(sha256="short"), BODY, "64 hex digits"),
        (arrival(b""), b"", "22 or more"),
    ],
)
async def test_what_cannot_be_an_archive_is_refused_and_leaves_no_row(
    house: House, asked: Arrival, sent: bytes, words: str
) -> None:
    with pytest.raises(InvalidArgument, match=words):
        await importing(house).take(asked, pieces(*([sent] if sent else [])))
    assert house.catalog.read(lambda tx: tx.find(Dataset)) == []


@pytest.mark.parametrize(
    ("name", "dataset_name", "version"),
    [
        ("street_1.2.0", "street", "1.2.0"),
        ("street_v1_2", "street", "v1_2"),
        ("night_street_v1_2_0_rc1", "night_street", "v1_2_0_rc1"),
        ("street_v2_beta", "street", "v2_beta"),
        ("street_1_2_0", "street", "1_2_0"),
        ("street_1.2_3", "street", "1.2_3"),
        # A number that belongs to the dataset.
        ("places_365_v1_2", "places_365", "v1_2"),
        ("places_365_1", "places_365", "1"),
        ("set_5_1.0", "set_5", "1.0"),
        ("my_v2_faces_1.0", "my_v2_faces", "1.0"),
        # Nothing looks like a version: the last underscore, unless it is said.
        ("street_new_masks", "street_new", "masks"),
        ("street_new%5Fmasks", "street", "new_masks"),
        ("set_5%5F1", "set", "5_1"),
    ],
)
def test_a_version_may_hold_underscores_as_a_dataset_may(name: str, dataset_name: str, version: str) -> None:
    read = ImportedName.of(f"{name}_{KEY}.zip")
    assert (read.dataset_name, read.version, read.key) == (dataset_name, version, KEY)
    assert read.file_name == f"{dataset_name}_{version}_{KEY}.zip"


async def test_a_dataset_that_is_defined_here_ends_the_name(house: House) -> None:
    for name in ("street", "street_new"):
        house.catalog.write(lambda tx, name=name: tx.put(Definition(id=name, repository="stock", handler="images")))
    name = f"street_new_masks_2_{KEY}.zip"
    view = await importing(house).take(arrival(name=name), pieces(BODY))
    assert (view.dataset.dataset_name, view.dataset.version) == ("street_new", "masks_2")


async def test_an_upload_that_breaks_off_is_collected_later(house: House) -> None:
    body = BODY + bytes(PART_BYTES)

    async def broken() -> AsyncIterator[bytes]:
        yield body
        raise ConnectionError("gone")

    asked = replace(arrival(body), size_bytes=2 * len(body))
    with pytest.raises(ConnectionError):
        await importing(house).take(asked, broken())
    assert house.catalog.read(lambda tx: tx.find(Dataset)) == []
    collector = Collector(house.catalog, house.store)
    assert collector.collect() == [], "too young"
    old(house)
    assert len(collector.collect()) == 1
    assert list(house.store.list("")) == []


async def test_an_imported_archive_stays_whatever_its_state_until_it_is_deleted(house: House) -> None:
    work = await imported(house)
    collector = Collector(house.catalog, house.store)
    archive = house.catalog.read(lambda tx: tx.get(Dataset, KEY)).archive_object
    await house.registry.look(KEY)
    house.catalog.write(
        lambda tx: tx.put(tx.get(Dataset, KEY).ended(tx.now(), DatasetState.EVICTED))  # a damaged shard, say
    )
    old(house)
    gone = [each.name for each in collector.collect()]
    assert all(name.startswith(work.task["object"]) for name in gone), "only what was received, joined since"
    assert [each.name for each in house.store.list("")] == [archive]
    await house.keeping.delete(KEY)
    collector.collect()
    assert list(house.store.list("")) == []


async def test_an_import_waits_for_no_request_and_can_be_deleted(house: House) -> None:
    await importing(house).take(arrival(), pieces(BODY))
    work = await house.claim(RUNNER, "IMPORT")
    await house.upkeep.once()
    await house.upkeep.once()
    assert (await house.registry.get_dataset(KEY)).dataset.state == DatasetState.BUILDING
    await house.keeping.delete(KEY)
    pulse = await house.dispatch.heartbeat(f"work/{work.id}", work.fence, None, "", 0)
    assert not pulse.go_on
    assert (await house.registry.get_dataset(KEY)).dataset.state == DatasetState.EVICTED


async def test_a_rebuild_of_what_was_imported_is_refused(house: House) -> None:
    await imported(house)
    with pytest.raises(FailedPrecondition, match="was imported"):
        async for _ in house.keeping.verify(KEY, full=False, rebuild_count=1):
            pass
