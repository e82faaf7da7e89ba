"""Photos of any format come back as they went in, apart from the hole."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage import data

from inpainting import codec
from inpainting.photo import BadPhoto, Photo
from service_kit.errors import InvalidArgument

RGB = data.astronaut()[:96, 100:228]
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:creator="Ada"/></x:xmpmeta>'
FORMATS = ("jpeg", "png", "tiff", "webp")


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format.upper(), **options)
    return out.getvalue()


def exif(turn: int) -> Image.Exif:
    block = Image.Exif()
    block[0x010F] = "Maker"
    block[0x013B] = "Ada Lovelace"
    block[0x0112] = turn
    block.get_ifd(0x8769)[0x829A] = (1, 125)
    block.get_ifd(0x8825)[1] = "N"
    return block


def turned(turn: int) -> Image.Image:
    """The picture as a camera stores it that was held so; upright it is `RGB`."""
    inverse = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[turn]
    methods = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    image = Image.fromarray(RGB)
    return image.transpose(methods[inverse]) if inverse in methods else image


def retouched(photo: Photo) -> np.ndarray:
    """Paint a box white and return the mask."""
    mask = np.zeros((photo.height, photo.width), bool)
    mask[30:50, 40:70] = True
    photo.paste(30, 40, np.ones((20, 30, 3), np.float32), mask[30:50, 40:70])
    return mask


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("format", FORMATS)
def test_the_orientation_is_applied_and_reset(format: str, turn: int) -> None:
    options = {"quality": 95, "subsampling": 0} if format == "jpeg" else {"lossless": True} if format == "webp" else {}
    photo = codec.decode(saved(turned(turn), format, exif=exif(turn), **options))
    limit = 12 if format == "jpeg" else 0
    assert photo.pixels.shape == RGB.shape
    assert np.abs(photo.pixels.astype(int) - RGB).max() <= limit * 3
    assert np.abs(photo.pixels.astype(int) - RGB).mean() <= limit / 4
    with Image.open(io.BytesIO(codec.encode(photo))) as again:
        kept = again.getexif()
        assert kept.get(0x0112, 1) == 1
        assert again.size == (128, 96)
        assert kept[0x010F] == "Maker"
        assert kept[0x013B] == "Ada Lovelace"
        if format != "tiff":  # Pillow writes no directories below a TIFF's own.
            assert kept.get_ifd(0x8769)[0x829A] == (1, 125)
            assert kept.get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("format", FORMATS)
def test_profile_and_xmp_are_kept_and_the_xmps_orientation_is_reset(format: str) -> None:
    image = Image.fromarray(RGB)
    if format == "png":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        source = saved(image, "png", icc_profile=PROFILE, pnginfo=info)
    elif format == "tiff":
        source = saved(image, "tiff", icc_profile=PROFILE, tiffinfo={700: XMP})
    else:
        source = saved(image, format, icc_profile=PROFILE, xmp=XMP)
    photo = codec.decode(source)
    for target in FORMATS:
        again = codec.decode(codec.encode(photo, target))
        assert again.metadata.icc == PROFILE
        assert again.metadata.xmp == XMP.replace(b'"6"', b'"1"')


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_exif_survives_a_change_of_format(source: str, target: str) -> None:
    camera = codec.decode(saved(turned(6), "jpeg", exif=exif(6)))
    photo = codec.decode(codec.encode(camera, source))
    with Image.open(io.BytesIO(codec.encode(photo, target))) as again:
        kept = again.getexif()
        assert (kept.get(0x0112, 1), kept[0x013B]) == (1, "Ada Lovelace")
        assert kept.get_ifd(0x8769)[0x829A] == (1, 125)
        assert kept.get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("target", ["png", "tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_outside_the_hole_lossless_formats_change_no_bit(target: str, dtype: type, channels: int) -> None:
    rng = np.random.default_rng(channels)
    values = rng.integers(0, np.iinfo(dtype).max, (64, 96, channels), dtype, endpoint=True)
    alpha = values[:, :, -1].copy() if channels in (2, 4) else None
    first = Photo(values[:, :, : channels - (alpha is not None)].copy(), alpha)
    photo = codec.decode(codec.encode(first, target))
    assert photo.pixels.dtype == dtype
    mask = retouched(photo)
    again = codec.decode(codec.encode(photo))
    assert (again.pixels[~mask] == first.pixels[~mask]).all()
    assert (again.pixels[mask] == np.iinfo(dtype).max).all()
    assert (again.alpha is None) == (alpha is None)
    assert alpha is None or (again.alpha == alpha).all()


def test_sixteen_bits_become_the_nearest_eight() -> None:
    photo = Photo(np.array([[[0], [128], [129], [257 * 7], [65535]]], np.uint16).repeat(3, axis=2))
    again = codec.decode(codec.encode(Photo(photo.pixels, None, format="webp", original=None), "png"))
    assert again.pixels.dtype == np.uint16
    from inpainting.codec_depth import eight_bits

    assert eight_bits(photo.pixels)[0, :, 0].tolist() == [0, 0, 1, 7, 255]


def test_a_feathered_paste_changes_nothing_where_its_weight_is_zero() -> None:
    photo = Photo(np.arange(300, dtype=np.uint16).reshape(10, 10, 3) * 200)
    before = photo.pixels.copy()
    weight = np.zeros((6, 6), np.float32)
    weight[2:4, 2:4] = 0.5
    photo.paste(2, 3, np.ones((6, 6, 3), np.float32), weight)
    changed = (photo.pixels != before).any(axis=2)
    assert np.argwhere(changed).tolist() == [[4, 5], [4, 6], [5, 5], [5, 6]]
    assert photo.pixels[4, 5, 0] == round((int(before[4, 5, 0]) + 65535) / 2)


def test_crops_are_what_painters_take_and_pasting_one_back_changes_nothing() -> None:
    for values in (RGB.copy(), RGB.astype(np.uint16) * 257 + 3 * (RGB > 9), RGB[:, :, :1].copy()):
        photo = Photo(values.copy())
        crop = photo.crop(10, 20, 30, 40)
        assert crop.shape == (30, 40, 3)
        assert crop.dtype == np.float32
        assert 0 <= crop.min() <= crop.max() <= 1
        photo.paste(10, 20, crop, np.ones((30, 40), bool))
        assert (photo.pixels == values).all()


def test_files_are_read_by_their_path(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(saved(Image.fromarray(RGB), "png"))
    assert (codec.decode_file(path).pixels == RGB).all()
    path.write_bytes(b"")
    with pytest.raises(BadPhoto, match="photo: it is empty"):
        codec.decode_file(path)


def test_the_name_of_a_file_tells_its_format() -> None:
    assert [codec.format_of(Path(name)) for name in ("a.JPG", "b.tiff", "c.webp")] == ["jpeg", "tiff", "webp"]
    with pytest.raises(InvalidArgument, match=r"output: the name 'a\.gif' tells no format"):
        codec.format_of(Path("a.gif"), "output")


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidArgument, match="format: no format 'heic'; there are jpeg, png, tiff, webp"):
        codec.encode(Photo(RGB.copy()), "heic")


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_is_cut_off_anywhere_is_a_clear_error(format: str) -> None:
    whole = saved(Image.fromarray(RGB), format)
    for kept in (1, 3, 12, 20, 30, 60, len(whole) // 2, len(whole) - 40):
        with pytest.raises(BadPhoto) as caught:
            codec.decode(whole[:kept], field="photos[3]")
        assert caught.value.violations[0][0] == "photos[3]"


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_files_are_clear_errors_or_photos_but_never_anything_else(format: str) -> None:
    """Whatever a byte is changed to, the service goes on."""
    whole = saved(Image.fromarray(RGB[:32, :32]), format, exif=exif(6))
    rng = np.random.default_rng(9)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] = rng.integers(256)
        try:
            codec.encode(codec.decode(bytes(damaged), max_pixels=1_000_000))
        except InvalidArgument:
            refused += 1
    assert refused > 20
