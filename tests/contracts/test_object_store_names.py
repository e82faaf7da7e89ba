"""Which names every object store takes, and how it refuses the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service_kit.errors import InvalidArgument
from service_kit.object_store import ObjectStore

from .objects import read_all

BAD_NAMES = {
    "": "''",
    "/a": "''",
    "a/": "''",
    "a//b": "''",
    "..": "'..'",
    "a/../b": "'..'",
    "a/./b": "'.'",
    "a/.hidden": "'.hidden'",
    "a/-b": "'-b'",
    "a\0b": r"'a\\x00b'",
    "a/b\\c": r"'b\\\\c'",
    "a/\nb": r"'\\nb'",
    "a/b\n": r"'b\\n'",
    "a b": "'a b'",
    "é": "'é'",
    "a/" + "b" * 256: "'bbb",
    "/".join(["a" * 100] * 11): "1110 characters",
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_is_refused_at_the_call_and_its_segment_shown(store: ObjectStore, name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.put(name, b""),
        lambda: store.read(name, 0, 1),
        lambda: store.compose(name, []),
        lambda: store.compose("good", [name]),
        lambda: store.stat(name),
        lambda: store.delete(name),
        lambda: store.presign(name, 60),
        lambda: store.path(name),
    ]
    for call in calls:
        with pytest.raises(InvalidArgument, match=BAD_NAMES[name]):
            call()


@pytest.mark.parametrize("prefix", ["/", "../", "a//", "a/../b", ".tmp", "a\0"])
def test_a_prefix_that_no_name_has_is_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(InvalidArgument):
        store.list(prefix)


def test_the_longest_names_work(store: ObjectStore) -> None:
    name = "/".join(["a" * 255] * 4)
    store.put(name, b"1")
    store.put("%2e%2e", b"2")
    assert read_all(store, name) == b"1"
    assert [found.name for found in store.list("")] == ["%2e%2e", name]
