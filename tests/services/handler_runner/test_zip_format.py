"""The records of a zip file turn to ZIP64 exactly where a plain one could not tell the number."""

from __future__ import annotations

import pytest

from handler_runner.zip_format import (
    ZIP64_BYTES,
    EntryTooLarge,
    central_header,
    end_of_archive,
    local_header,
    local_header_bytes,
)

PLAIN_END_BYTES = 22
ZIP64_END_BYTES = 22 + 56 + 20


@pytest.mark.parametrize(
    ("entry_count", "offset", "directory_bytes", "expected"),
    [
        (65_534, ZIP64_BYTES - 1, ZIP64_BYTES - 1, PLAIN_END_BYTES),
        (65_535, 0, 0, ZIP64_END_BYTES),
        (1, ZIP64_BYTES, 0, ZIP64_END_BYTES),
        (1, 0, ZIP64_BYTES, ZIP64_END_BYTES),
    ],
)
def test_the_end_is_zip64_only_when_a_number_needs_it(
    entry_count: int, offset: int, directory_bytes: int, expected: int
) -> None:
    assert len(end_of_archive(entry_count, offset, directory_bytes)) == expected


def test_the_directory_names_an_offset_of_4_gib_in_an_extra_field() -> None:
    assert len(central_header("a", 1, 0, ZIP64_BYTES - 1)) == 46 + 1
    far = central_header("a", 1, 0, ZIP64_BYTES + 7)
    assert far[47:] == b"\1\0\x08\0" + (ZIP64_BYTES + 7).to_bytes(8, "little")


def test_a_file_of_4_gib_is_refused_by_name() -> None:
    assert len(local_header("a.bin", ZIP64_BYTES - 1, 0)) == local_header_bytes("a.bin")
    with pytest.raises(EntryTooLarge, match=r"a\.bin has 4294967295 bytes"):
        local_header("a.bin", ZIP64_BYTES, 0)
