"""The digest of a raw dataset, and how two listings differ."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from handler_runner.raw_listing import RawFile, RawListing

paths = st.binary(min_size=1, max_size=12).filter(lambda path: b"\0" not in path)
files = st.builds(RawFile, paths, st.integers(0, 2**50), st.binary(min_size=32, max_size=32))
listings = st.lists(files, unique_by=lambda file: file.path)


@given(listings, st.randoms())
def test_the_digest_does_not_know_the_order_of_the_walk(found, random):
    shuffled = random.sample(found, len(found))
    assert RawListing.of(found).digest == RawListing.of(shuffled).digest


@given(listings)
def test_a_packed_listing_comes_back_whatever_its_paths(found):
    listing = RawListing.of(found)
    assert RawListing.unpacked(listing.packed(), listing.digest) == listing


@given(listings, listings)
def test_other_files_have_another_digest(one, other):
    first, second = RawListing.of(one), RawListing.of(other)
    assert (first.digest == second.digest) == (first == second)


@given(listings, listings)
def test_changes_lead_from_one_listing_to_the_other(one, other):
    old, new = RawListing.of(one), RawListing.of(other)
    changes = new.changes_since(old)
    kept = {file.path for file in old.files} - set(changes.removed) - set(changes.changed)
    assert kept | set(changes.added) | set(changes.changed) == {file.path for file in new.files}


def test_the_digest_is_the_one_of_the_design():
    data = hashlib.sha256(b"photo").digest()
    expected = hashlib.sha256(b"a/b.jpg\0005\0" + data.hex().encode() + b"\n").hexdigest()
    assert RawListing.of([RawFile(b"a/b.jpg", 5, data)]).digest == expected


def test_a_damaged_listing_is_none():
    listing = RawListing.of([RawFile(b"a", 1, bytes(32))])
    assert RawListing.unpacked(listing.packed()[:-3], listing.digest) is None
    assert RawListing.unpacked(listing.packed(), "0" * 64) is None


def test_twenty_files_are_named_and_the_rest_counted():
    old = RawListing.of(RawFile(b"%d.jpg" % number, 1, bytes(32)) for number in range(30))
    text = RawListing(()).changes_since(old).describe()
    assert text.startswith("removed 0.jpg, ")
    assert text.count(".jpg") == 20
    assert text.endswith("; and 10 more")
