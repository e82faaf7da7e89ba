"""Where photos come from: sent, kept, in the store, in a file; each refusal names the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from inpainting.kept_photos import KeptPhotos
from inpainting.photo_sources import FileSources, ServedSources
from inpainting.task import Source
from service_kit.errors import InvalidArgument, NotFound
from service_kit.object_store import StoreUnavailable
from service_kit.object_store_local import LocalObjectStore


@pytest.fixture
def kept(tmp_path: Path) -> KeptPhotos:
    return KeptPhotos(tmp_path / "kept", 1000, 60, 100)


@pytest.fixture
def store(tmp_path: Path) -> LocalObjectStore:
    return LocalObjectStore(tmp_path / "store")


@pytest.fixture
def sources(kept: KeptPhotos, store: LocalObjectStore) -> ServedSources:
    return ServedSources(kept, store, 10)


def test_a_photo_is_fetched_from_where_it_is(sources: ServedSources, kept: KeptPhotos, store: LocalObjectStore) -> None:
    store.put("a/b.jpg", b"stored")
    assert sources.read(Source(content=b"sent"), "photo") == b"sent"
    assert sources.read(Source(kept=kept.keep(b"kept")), "photo") == b"kept"
    assert sources.read(Source(object="a/b.jpg"), "photo") == b"stored"


def test_what_is_not_there_is_not_found(sources: ServedSources) -> None:
    for source in (Source(kept="photos/" + "0" * 64), Source(object="a/none.jpg")):
        with pytest.raises(NotFound, match=r"^mask\.image: "):
            sources.read(source, "mask.image")


def test_what_cannot_be_a_photo_names_its_field(
    sources: ServedSources, kept: KeptPhotos, store: LocalObjectStore
) -> None:
    store.put("large", b"x" * 11)
    for source in (
        Source(),
        Source(content=b"x" * 11),
        Source(kept=kept.keep(b"x" * 11)),
        Source(object="large"),
        Source(object="../etc/passwd"),
        Source(kept="../etc/passwd"),
    ):
        with pytest.raises(InvalidArgument) as caught:
            sources.read(source, "photo")
        assert [field for field, _ in caught.value.violations] == ["photo"]


def test_a_store_that_is_away_may_be_asked_again(sources: ServedSources, tmp_path: Path) -> None:
    (tmp_path / "store").rename(tmp_path / "away")
    with pytest.raises(StoreUnavailable, match=r"^photo: "):
        sources.read(Source(object="a"), "photo")


def test_files_are_read_for_their_own_user(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"photo")
    (tmp_path / "large.jpg").write_bytes(b"x" * 11)
    files = FileSources(10)
    assert files.read(Source(kept=str(tmp_path / "a.jpg")), "photo") == b"photo"
    with pytest.raises(NotFound, match="photo: there is no file"):
        files.read(Source(kept=str(tmp_path / "b.jpg")), "photo")
    for name in ("large.jpg", "."):
        with pytest.raises(InvalidArgument):
            files.read(Source(kept=str(tmp_path / name)), "photo")
