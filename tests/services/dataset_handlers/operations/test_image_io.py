"""Photos are read upright and whole, or refused by name."""

from __future__ import annotations

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset_handlers.errors import BadRawRecord
from dataset_handlers.operations import encode_jpeg, encode_png, image_io, read_image
from dataset_handlers.operations.image_io import decode_image


def picture(height: int = 40, width: int = 60) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([255 * x // width, 255 * y // height, np.full_like(x, 30)], axis=2).astype(np.uint8)


def oriented(jpeg: bytes, orientation: int) -> bytes:
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes([orientation]) + bytes(7)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(picture()))
    assert np.array_equal(read_image(path), picture())
    assert cv2.imread(str(path))[0, 0].tolist() == picture()[0, 0, ::-1].tolist()


def test_an_old_opencv_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode_jpeg(picture(400, 600)))
    new = [read_image(path), read_image(path, at_least=(100, 100))]
    monkeypatch.setattr(image_io, "_RGB", None)
    old = [read_image(path), read_image(path, at_least=(100, 100))]
    assert all(np.array_equal(left, right) for left, right in zip(new, old, strict=True))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    upright = picture()
    turns = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }
    path = tmp_path / "a.jpg"
    path.write_bytes(oriented(encode_jpeg(np.ascontiguousarray(turns[orientation]), 98), orientation))
    seen = read_image(path)
    assert seen.shape == upright.shape
    assert np.abs(seen.astype(int) - upright).mean() < 4


def test_grey_and_alpha_on_request(tmp_path: Path) -> None:
    alpha = np.full((40, 60), 200, np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(np.dstack([picture(), alpha])))
    assert read_image(path).shape == (40, 60, 3)
    assert read_image(path, channels=1).shape == (40, 60)
    assert np.array_equal(read_image(path, channels=4), np.dstack([picture(), alpha]))
    path.write_bytes(encode_png(picture()))
    assert (read_image(path, channels=4)[:, :, 3] == 255).all()


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), picture().astype(np.uint16) * 257)
    assert read_image(path).dtype == np.uint8
    assert np.abs(read_image(path)[:, :, ::-1].astype(int) - picture()).max() <= 1


@pytest.mark.parametrize(
    ("at_least", "shape"),
    [(None, (400, 600)), ((200, 300), (200, 300)), ((201, 10), (400, 600)), ((50, 60), (50, 75)), ((1, 1), (50, 75))],
)
def test_a_large_jpeg_is_decoded_no_larger_than_needed(
    tmp_path: Path, at_least: tuple[int, int] | None, shape: tuple[int, int]
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode_jpeg(picture(400, 600)))
    assert read_image(path, at_least=at_least).shape[:2] == shape


def test_the_reduction_knows_which_way_a_photo_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(oriented(encode_jpeg(picture(400, 600)), 6))
    assert read_image(path, at_least=(300, 200)).shape == (300, 200, 3)
    assert read_image(path, at_least=(200, 300)).shape == (600, 400, 3)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_half_a_file_is_no_photo(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    done, data = cv2.imencode(f".{suffix}", picture(200, 300))
    assert done
    whole = data.tobytes()
    for length in (len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:length])
        with pytest.raises(BadRawRecord) as caught:
            read_image(path)
        assert caught.value.path == str(path)


def test_a_jpeg_whose_end_is_zeros_is_no_photo(tmp_path: Path) -> None:
    whole = oriented(encode_jpeg(picture(200, 300)), 1)
    path = tmp_path / "a.jpg"
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    with pytest.raises(BadRawRecord, match="cut off"):
        read_image(path)


def test_a_jpeg_with_something_behind_it_is_a_photo(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode_jpeg(picture()) + b"a camera's own data")
    assert read_image(path).shape == (40, 60, 3)


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    for content, reason in ((b"", "the file is empty"), (b"hello", "is not an image")):
        path.write_bytes(content)
        with pytest.raises(BadRawRecord, match=reason):
            read_image(path)
    with pytest.raises(BadRawRecord, match="No such file"):
        read_image(tmp_path / "gone.jpg")
    with pytest.raises(BadRawRecord, match="cannot be read"):
        read_image(tmp_path)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    small = encode_png(picture())
    path.write_bytes(small[:16] + (60_000).to_bytes(4, "big") * 2 + small[24:])
    with pytest.raises(BadRawRecord, match="60000x60000 pixels are more than"):
        read_image(path)
    path.write_bytes(small)
    with pytest.raises(BadRawRecord, match="60x40 pixels are more than 2399"):
        read_image(path, max_pixels=2399)


def test_a_failing_disk_is_not_the_photos_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("builtins.open", failing)
    with pytest.raises(OSError, match="Input/output error"):
        read_image(tmp_path / "a.jpg")


def test_what_is_encoded_decodes() -> None:
    for image in (picture(), picture()[:, :, 0], np.dstack([picture(), picture()[:, :, 0]])):
        assert np.array_equal(decode_image(encode_png(image)), image)
    assert np.abs(decode_image(encode_jpeg(picture(), 95)).astype(int) - picture()).mean() < 4
    assert len(encode_jpeg(picture(), 20)) < len(encode_jpeg(picture(), 95))
    with pytest.raises(ValueError, match="is no image"):
        decode_image(b"")
