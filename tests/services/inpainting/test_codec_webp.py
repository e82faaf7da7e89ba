"""WebPs stay lossless, or of about their quality."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from inpainting import codec
from inpainting.codec_webp_quality import UNKNOWN_QUALITY, lossy_quality
from inpainting.photo import BadPhoto, Photo
from service_kit.errors import InvalidArgument

RGB = data.astronaut()[:200, 100:400]


def webp(pixels: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", **options)
    return out.getvalue()


def test_lossless_ones_change_no_pixel_not_even_a_transparent_one() -> None:
    values = np.concatenate([RGB, RGB[:, :, :1]], axis=2)
    values[:50, :, 3] = 0
    photo = codec.decode(webp(values, lossless=True, exact=True))
    again = codec.decode(codec.encode(photo))
    assert (again.pixels == RGB).all()
    assert (again.alpha == values[:, :, 3]).all()


@pytest.mark.parametrize("quality", [20, 40, 60, 75, 80, 90, 95, 100])
def test_lossy_ones_keep_about_their_quality_and_size(quality: int) -> None:
    source = webp(RGB, quality=quality)
    photo = codec.decode(source)
    assert photo.original.quality == pytest.approx(quality, abs=8)
    assert len(codec.encode(photo)) == pytest.approx(len(source), rel=0.25)


def test_transparency_of_lossy_ones_is_exact() -> None:
    values = np.concatenate([RGB, RGB[:, :, :1]], axis=2)
    photo = codec.decode(webp(values, quality=80))
    assert photo.alpha is not None
    assert (codec.decode(codec.encode(photo)).alpha == photo.alpha).all()


def test_an_unreadable_quality_is_a_good_one() -> None:
    assert lossy_quality(b"") == UNKNOWN_QUALITY
    assert lossy_quality(bytes(100)) == UNKNOWN_QUALITY


def test_animations_are_refused() -> None:
    out = io.BytesIO()
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(BadPhoto, match="several pictures"):
        codec.decode(out.getvalue())


def test_too_long_a_side_is_refused_before_encoding() -> None:
    with pytest.raises(InvalidArgument, match="format: a WebP has at most 16383"):
        codec.encode(Photo(np.zeros((1, 20_000, 3), np.uint8)), "webp")
