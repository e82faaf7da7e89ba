"""`darkroom cache`: what lies on this machine."""

import json
from datetime import timedelta

import pytest

from darkroom_client import InvalidArgument
from darkroom_client.command_cache import parse_size, parse_span


def test_the_cache_is_listed_verified_and_emptied(darkroom, registry, tmp_path):
    path = darkroom("get", "street").stdout.strip()
    listed = json.loads(darkroom("cache", "ls", "--json").stdout)
    assert [cached["path"] for cached in listed["datasets"]] == [path]
    assert darkroom("cache", "verify").returncode == 0
    shard = tmp_path / "cache" / "datasets" / registry.facts["digest"] / "test-00000.tfrecord"
    content = bytearray(shard.read_bytes())
    content[50] ^= 1
    shard.write_bytes(content)
    done = darkroom("cache", "verify", "street")
    assert done.returncode == 1
    assert "test-00000.tfrecord is damaged" in done.stdout
    assert darkroom("get", "street").returncode == 0
    assert darkroom("cache", "verify").returncode == 0
    assert json.loads(darkroom("cache", "gc", "--max-bytes", "0", "--dry-run", "--json").stdout)["dry_run"]
    removed = json.loads(darkroom("cache", "gc", "--max-bytes", "0", "--json").stdout)["removed"]
    assert [cached["path"] for cached in removed] == [path]
    assert json.loads(darkroom("cache", "ls", "--json").stdout)["datasets"] == []


def test_what_may_go_must_be_said(darkroom):
    done = darkroom("cache", "gc")
    assert done.returncode == 2
    assert "--max-bytes SIZE, --older-than SPAN" in done.stderr


def test_a_dataset_that_is_not_in_the_cache_is_not_found(darkroom):
    assert darkroom("cache", "verify", "street").returncode == 3


@pytest.mark.parametrize(
    ("text", "size"), [("1000", 1000), ("50GB", 50 * 10**9), ("1.5g", 15 * 10**8), ("5 MB", 5 * 10**6), ("2kB", 2000)]
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "span"), [("30d", timedelta(days=30)), ("12h", timedelta(hours=12)), ("2w", timedelta(14))]
)
def test_spans_are_read_as_people_write_them(text, span):
    assert parse_span(text) == span


def test_what_is_no_size_or_span_is_refused():
    with pytest.raises(InvalidArgument, match="write 50GB"):
        parse_size("much")
    with pytest.raises(InvalidArgument, match="write 30d"):
        parse_span("long")
