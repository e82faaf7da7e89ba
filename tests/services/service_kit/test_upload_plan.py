"""The parts of an upload keep S3's rules and are the concatenation, whatever the sources' sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.upload_plan import PartLimits, Piece, UploadPart, composed_parts, streamed_parts

LIMITS = PartLimits(parts=1000, smallest_bytes=5, streamed_bytes=8, copied_bytes=64)
MIB = 1 << 20

sizes = st.lists(st.integers(0, 12) | st.sampled_from([63, 64, 65, 128, 1000]), max_size=30)


def concatenation(sizes: list[int]) -> list[tuple[int, int]]:
    return [(source, offset) for source, size_bytes in enumerate(sizes) for offset in range(size_bytes)]


def bytes_of(parts: list[UploadPart]) -> list[tuple[int, int]]:
    pieces = [piece for part in parts for piece in part.pieces]
    return [(piece.source, piece.offset + number) for piece in pieces for number in range(piece.size_bytes)]


@given(sizes=sizes)
def test_composed_parts_are_the_concatenation_and_large_enough(sizes: list[int]) -> None:
    parts = composed_parts(sizes, LIMITS)
    assert bytes_of(parts) == concatenation(sizes)
    assert all(piece.size_bytes > 0 for part in parts for piece in part.pieces)
    assert all(part.size_bytes >= LIMITS.smallest_bytes for part in parts[:-1])
    for part in parts:
        assert part.size_bytes <= (LIMITS.copied_bytes if part.copied else 2 * LIMITS.smallest_bytes)
        assert not part.copied or len(part.pieces) == 1


@given(sizes=sizes)
def test_little_more_than_the_small_sources_goes_through_this_process(sizes: list[int]) -> None:
    streamed = sum(part.size_bytes for part in composed_parts(sizes, LIMITS) if not part.copied)
    small = [size_bytes for size_bytes in sizes if size_bytes < 2 * LIMITS.smallest_bytes]
    assert streamed <= sum(small) + len(small) * LIMITS.smallest_bytes


@given(sizes=sizes)
def test_streamed_parts_are_the_concatenation_in_one_size(sizes: list[int]) -> None:
    parts = streamed_parts(sizes, LIMITS)
    assert bytes_of(parts) == concatenation(sizes)
    assert all(part.size_bytes == LIMITS.streamed_bytes for part in parts[:-1])
    assert not any(part.copied for part in parts)


@given(sizes=st.lists(st.integers(0, 10_000), max_size=500))
def test_half_as_many_sources_as_parts_always_fit(sizes: list[int]) -> None:
    assert len(composed_parts(sizes, LIMITS)) <= LIMITS.parts
    assert len(streamed_parts(sizes, LIMITS)) <= LIMITS.parts


def test_a_large_source_between_tiny_ones_is_copied_but_for_its_head() -> None:
    parts = composed_parts([1024] * 1500 + [70 * MIB] + [1024] * 1500, PartLimits())
    assert [part.copied for part in parts] == [False, True, True, False]
    assert parts[0].pieces[-1] == Piece(1500, 0, 5 * MIB - 1500 * 1024)


@pytest.mark.parametrize("tebibytes", [1, 5])
def test_the_largest_archives_fit_into_one_upload(tebibytes: int) -> None:
    # As shards of nearly 4 GiB; S3's own bound is 5 TiB.
    parts = composed_parts([4096 * MIB - 2] * (tebibytes * 256) + [100_000], PartLimits())
    assert len(parts) <= 10_000
    assert max(part.size_bytes for part in parts) < 5 << 30
