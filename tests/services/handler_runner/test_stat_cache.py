"""What is remembered of raw files, and that losing it is no harm."""

from __future__ import annotations

from handler_runner.stat_cache import StatCache

FACTS = (5, 1, 2, 3)


def test_what_is_remembered_is_found_below_its_root_alone(tmp_path):
    cache = StatCache(tmp_path / "cache.sqlite")
    cache.remember(b"/raw/street", [(b"a.jpg", FACTS, b"hash")])
    assert StatCache(tmp_path / "cache.sqlite").load(b"/raw/street") == {b"a.jpg": (FACTS, b"hash")}
    assert cache.load(b"/raw/other") == {}


def test_what_is_forgotten_is_gone(tmp_path):
    cache = StatCache(tmp_path / "cache.sqlite")
    cache.remember(b"/raw", [(b"a", FACTS, b"1"), (b"b", FACTS, b"2")])
    cache.forget(b"/raw", [b"a"])
    assert set(cache.load(b"/raw")) == {b"b"}


def test_a_damaged_cache_is_begun_anew(tmp_path):
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"no database" * 1000)
    cache = StatCache(path)
    assert cache.load(b"/raw") == {}
    cache.remember(b"/raw", [(b"a", FACTS, b"1")])
    assert set(cache.load(b"/raw")) == {b"a"}


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "cache.sqlite").mkdir()
    cache = StatCache(tmp_path / "cache.sqlite")
    cache.remember(b"/raw", [(b"a", FACTS, b"1")])
    assert cache.load(b"/raw") == {}
