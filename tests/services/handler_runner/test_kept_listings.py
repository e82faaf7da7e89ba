"""Listings are kept over restarts, the newest of them, within bounds of number and bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from handler_runner.kept_listings import KeptListings
from handler_runner.raw_listing import RawFile, RawListing


def listing(number: int, files: int = 1) -> RawListing:
    names = (f"{number}-{each}.jpg".encode() for each in range(files))
    return RawListing.of(RawFile(name, 1, hashlib.sha256(name).digest()) for name in names)


def kept(folder: Path, listings: list[RawListing], **bounds: int) -> list[bool]:
    """Keep them one after the other, a second apart, and say which are there at the end."""
    keeping = KeptListings(folder, **bounds)
    for moment, each in enumerate(listings):
        keeping.keep(each)
        os.utime(folder / f"{each.digest}.gz", (moment, moment))
    return [KeptListings(folder).find(each.digest) == each for each in listings]


def test_the_newest_are_kept_up_to_their_number(tmp_path: Path) -> None:
    assert kept(tmp_path, [listing(number) for number in range(5)], kept=3) == [False, False, True, True, True]


def test_the_newest_are_kept_up_to_their_bytes_and_the_last_in_any_case(tmp_path: Path) -> None:
    large = [listing(number, files=500) for number in range(3)]
    size_bytes = len(large[0].packed())
    assert kept(tmp_path / "two", large, kept_bytes=size_bytes * 5 // 2) == [False, True, True]
    assert kept(tmp_path / "none", large, kept_bytes=10) == [False, False, True]


def test_a_damaged_listing_is_none(tmp_path: Path) -> None:
    one = listing(1)
    KeptListings(tmp_path).keep(one)
    (tmp_path / f"{one.digest}.gz").write_bytes(b"cut off")
    assert KeptListings(tmp_path).find(one.digest) is None
