"""Quantisation tables tell the quality."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from inpainting.jpeg_quality import JpegQuality, read_jpeg_quality


def jpeg(**options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.parametrize("quality", [25, 50, 75, 85, 92, 95, 100])
def test_the_usual_tables_tell_their_number(quality: int) -> None:
    assert read_jpeg_quality(jpeg(quality=quality)).quality == pytest.approx(quality, abs=1)


def test_tables_are_as_pillow_reads_them() -> None:
    source = jpeg(quality=83, subsampling="4:2:2", progressive=True)
    found = read_jpeg_quality(source)
    with Image.open(io.BytesIO(source)) as image:
        assert [list(table) for table in found.tables[:2]] == list(image.quantization.values())
    assert found.progressive
    assert found.subsampling == "4:2:2"
    assert found.exact_subsampling


@pytest.mark.parametrize(
    ("sampling", "named", "exact"),
    [
        (((1, 1), (1, 1), (1, 1)), "4:4:4", True),
        (((2, 1), (1, 1), (1, 1)), "4:2:2", True),
        (((2, 2), (1, 1), (1, 1)), "4:2:0", True),
        (((2, 2), (1, 2), (1, 2)), "4:2:2", True),
        (((2, 2), (2, 2), (2, 2)), "4:4:4", True),
        (((1, 2), (1, 1), (1, 1)), "4:4:4", False),
        (((4, 1), (1, 1), (1, 1)), "4:2:2", False),
        (((4, 2), (1, 1), (1, 1)), "4:2:0", False),
        (((2, 2), (1, 1), (2, 1)), "4:4:4", False),
        (((1, 1),), "4:4:4", True),
    ],
)
def test_rare_samplings_become_the_next_finer_one(
    sampling: tuple[tuple[int, int], ...], named: str, exact: bool
) -> None:
    quality = JpegQuality(tuple([(1,) * 64] * len(sampling)), sampling)
    assert quality.subsampling == named
    assert quality.exact_subsampling == exact


def test_a_file_that_ends_before_its_scan_is_refused() -> None:
    source = jpeg()
    for kept in (2, 4, 30, source.index(b"\xff\xda") - 1):
        with pytest.raises(ValueError):
            read_jpeg_quality(source[:kept])
