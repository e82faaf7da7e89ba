"""Sizes are read without decoding, and agree with what decoding gives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_handlers.image_header import read_header


def encoded(suffix: str, channels: int) -> bytes:
    shape = (31, 45, channels) if channels > 1 else (31, 45)
    done, data = cv2.imencode(suffix, np.full(shape, 77, np.uint8))
    assert done
    return data.tobytes()


def oriented(jpeg: bytes, orientation: int, order: str = "little") -> bytes:
    """Return the JPEG with an EXIF orientation, as a camera writes it."""
    mark, number = (b"II*\0", 8) if order == "little" else (b"MM\0*", 8)
    entry = b"".join(
        value.to_bytes(size, order)  # type: ignore[arg-type]
        for value, size in ((0x0112, 2), (3, 2), (1, 4), (orientation, 2), (0, 2))
    )
    tiff = mark + number.to_bytes(4, order) + (1).to_bytes(2, order) + entry + bytes(4)  # type: ignore[arg-type]
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


@pytest.mark.parametrize(
    ("suffix", "channels", "kind"),
    [
        (".jpg", 3, "jpeg"),
        (".jpg", 1, "jpeg"),
        (".png", 1, "png"),
        (".png", 3, "png"),
        (".png", 4, "png"),
        (".bmp", 3, "bmp"),
        (".webp", 3, "webp"),
        (".webp", 4, "webp"),
        (".gif", 3, "gif"),
    ],
)
def test_a_header_agrees_with_the_image(suffix: str, channels: int, kind: str) -> None:
    header = read_header(encoded(suffix, channels))
    assert header is not None
    assert header[:4] == (kind, 31, 45, channels)


def test_a_lossy_webp_is_read_too() -> None:
    done, data = cv2.imencode(".webp", np.full((31, 45, 3), 77, np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 50])
    assert done
    header = read_header(data.tobytes())
    assert header is not None
    assert (header.height, header.width) == (31, 45)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_read_in_both_byte_orders(orientation: int, order: str) -> None:
    header = read_header(oriented(encoded(".jpg", 3), orientation, order))
    assert header is not None
    assert header.orientation == orientation
    assert header.upright == ((45, 31) if orientation >= 5 else (31, 45))


def test_a_progressive_jpeg_is_read() -> None:
    done, data = cv2.imencode(".jpg", np.full((31, 45, 3), 77, np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    assert done
    header = read_header(data.tobytes())
    assert header is not None
    assert header[:4] == ("jpeg", 31, 45, 3)


@given(st.sampled_from([".jpg", ".png", ".bmp", ".webp", ".gif"]), st.integers(0, 40))
def test_a_header_that_is_cut_off_is_none_or_right(suffix: str, length: int) -> None:
    header = read_header(encoded(suffix, 3)[:length])
    assert header is None or header[1:3] == (31, 45)


@given(
    st.binary(max_size=60),
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFF1234WEBPVP8X", b""]),
)
def test_no_bytes_raise(data: bytes, start: bytes) -> None:
    read_header(start + data)
