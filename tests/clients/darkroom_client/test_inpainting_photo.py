"""Photos as people have them: arrays become PNGs without an image library, and results become arrays."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from darkroom_client.errors import DataLoss, InvalidArgument, NotFound
from darkroom_client.inpainting_photo import _by_pillow, array_png, decode_photo, mask_levels, photo_bytes

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]))


@given(arrays(np.uint8, SHAPES))
def test_a_png_has_the_very_pixels(pixels):
    assert np.array_equal(decode_photo(array_png(pixels, "photo")), pixels)
    assert np.array_equal(_by_pillow(array_png(pixels, "photo")), pixels)


@given(arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_16_bits_stay_16_bits(pixels):
    assert np.array_equal(decode_photo(array_png(pixels, "photo")), pixels)


def test_floats_are_in_zero_to_one():
    levels = np.linspace(0, 1, 12, dtype=np.float32).reshape(2, 2, 3)
    assert np.array_equal(decode_photo(array_png(levels, "photo")), np.rint(levels * 255).astype(np.uint8))
    for wrong in (levels * 255, np.full((2, 2, 3), np.nan)):
        with pytest.raises(InvalidArgument, match="floats must be in"):
            array_png(wrong, "photo")


@pytest.mark.parametrize("wrong", [np.zeros(3, np.uint8), np.zeros((2, 2, 5), np.uint8), np.zeros((2, 2), np.int64)])
def test_what_is_no_photo_is_named(wrong):
    with pytest.raises(InvalidArgument, match="photo: an array"):
        photo_bytes(wrong, "photo")


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.float32, np.int64])
def test_a_mask_of_ones_is_a_hole(kind):
    mask = np.eye(5).astype(kind)
    shown = np.asarray(Image.open(io.BytesIO(photo_bytes(mask, "mask.image"))))
    assert np.array_equal(shown, np.eye(5) * 255)


def test_a_mask_of_levels_keeps_them():
    levels = np.array([[0, 100, 255]], np.uint8)
    assert mask_levels(levels) is levels


def test_paths_and_bytes_are_taken_as_they_are(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"jpeg")
    assert photo_bytes(tmp_path / "a.jpg", "photo") == photo_bytes(str(tmp_path / "a.jpg"), "photo") == b"jpeg"
    assert photo_bytes(b"bytes", "photo") == b"bytes"
    with pytest.raises(NotFound, match="photo: there is no file"):
        photo_bytes(tmp_path / "b.jpg", "photo")
    with pytest.raises(InvalidArgument, match="cannot be read"):
        photo_bytes(tmp_path, "photo")


def test_what_is_no_picture_is_said():
    with pytest.raises(DataLoss):
        decode_photo(b"nothing")
