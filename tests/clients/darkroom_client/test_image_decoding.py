"""Pictures are decoded to RGB by OpenCV or by Pillow, and both agree."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from darkroom_client import DataLoss
from darkroom_client.image_decoding import _by_pillow, _with_channels, decode_image
from darkroom_client.manifest import Feature

PNG = Feature("image", "bytes", (), "png", image_shape=(8, 9, 3))


def encoded(pixels: np.ndarray, mode: str | None = None, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1"])
def test_opencv_and_pillow_give_the_same_pixels(mode):
    pixels = np.random.Generator(np.random.Philox(1)).integers(0, 256, (8, 9, 3), np.uint8)
    content = encoded(pixels, mode)
    feature = Feature("image", "bytes", (), "png")
    np.testing.assert_array_equal(decode_image(content, feature), _with_channels(_by_pillow(content, feature), feature))


def test_colours_are_in_the_order_red_green_blue():
    pixels = np.zeros((8, 9, 3), np.uint8)
    pixels[..., 0] = 200
    np.testing.assert_array_equal(decode_image(encoded(pixels), PNG), pixels)


def test_a_grey_picture_among_coloured_ones_gets_their_channels():
    assert decode_image(encoded(np.zeros((8, 9), np.uint8)), PNG).shape == (8, 9, 3)


def test_bytes_that_are_no_picture_are_data_loss():
    with pytest.raises(DataLoss, match="is no png picture"):
        decode_image(b"nothing", PNG)


def test_without_either_library_it_says_what_to_install(dataset_folder):
    code = (
        "import sys; sys.modules['cv2'] = sys.modules['PIL'] = None\n"
        "from darkroom_client import Dataset, InvalidArgument\n"
        f"dataset = Dataset({str(dataset_folder)!r})\n"
        "assert next(dataset.as_numpy('train', decode=False))['image'][:4] == b'\\x89PNG'\n"
        "try: next(dataset.as_numpy('train'))\n"
        "except InvalidArgument as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install pillow, or read with decode=False" in answer.stdout
