"""The stock handler for compositing: foregrounds over new backgrounds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dataset_handlers.errors import BadConfig, BadRawRecord
from dataset_handlers.example import decode_example
from dataset_handlers.handler_class import make_handler
from dataset_handlers.made_photos import make_photos
from dataset_handlers.operations import encode_png
from dataset_handlers.operations.image_io import decode_image
from dataset_handlers.planning import list_samples, make_plan
from dataset_handlers.shard_writer import sample_examples
from dataset_handlers.splits import split_of
from dataset_handlers.stock_compositing import ATTRIBUTES, CompositingHandler
from dataset_handlers.testing import check_handler
from dataset_handlers.tfrecord import read_records

ALL = {"input_attributes": list(ATTRIBUTES), "image_encoding": "png", "image_size": 64}


@pytest.fixture(scope="module")
def _raw(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("raw")
    make_photos(root / "places", 12, size=(80, 100))
    matte = np.zeros((50, 40), np.uint8)
    cv2.ellipse(matte, (20, 25), (12, 18), 0, 0, 360, 255, -1)
    matte = cv2.GaussianBlur(matte, (0, 0), 1.5)
    for photo in make_photos(root / "animals", 6, size=(50, 40)):
        photo.with_name(f"{photo.stem}_alpha.png").write_bytes(encode_png(matte))
    return {"foregrounds": str(root / "animals"), "backgrounds": str(root / "places")}


@pytest.fixture
def raw(_raw: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {role: str(shutil.copytree(folder, tmp_path / role)) for role, folder in _raw.items()}


def handler_of(raw: dict[str, str], **config: Any) -> CompositingHandler:
    return make_handler(CompositingHandler, config, raw)


def examples_of(raw: dict[str, str], **config: Any) -> list[dict[str, Any]]:
    handler = handler_of(raw, **config)
    samples = [sample for members in list_samples(handler).values() for sample in members]
    return [dict(example) for sample in samples for example in sample_examples(handler, sample)]


def test_the_contract_is_kept(raw: dict[str, str]) -> None:
    config = {"image_size": 64, "crop_size": 48, "variations_per_sample": 2, "splits": {"train": 1}}
    report = check_handler(CompositingHandler, config, raw)
    assert report.examples == 12
    assert report.notes == []
    assert sorted(report.features) == ["alpha", "image", "trimap"]
    assert report.features["trimap"]["image_shape"] == [48, 48, 1]


def test_the_image_is_foreground_over_background(raw: dict[str, str]) -> None:
    for example in examples_of(raw, backgrounds_shared=True, trimap_px=2, **ALL):
        image, alpha, trimap, foreground, background = (decode_image(example[name]) for name in ATTRIBUTES[:5])
        share = alpha[:, :, None] / 255
        mixed = share * foreground + (1 - share) * background
        assert np.abs(image - mixed).max() < 3
        assert np.array_equal(image[alpha == 0], background[alpha == 0])
        assert (foreground[cv2.dilate(alpha, np.ones((3, 3))) == 0] == 0).all()
        assert 0.02 < share.mean() < 0.5
        assert (trimap[(alpha > 10) & (alpha < 240)] == 128).all()
        assert (example["height"], example["width"]) == (64, 64)
        assert (Path(raw["backgrounds"]) / example["background_id"]).is_file()


def boxes(examples: list[dict[str, Any]]) -> np.ndarray:
    found = []
    for example in examples:
        alpha = decode_image(example["alpha"])
        rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
        found.append((rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    return np.array(found)


def test_size_and_place_are_as_asked_for(raw: dict[str, str]) -> None:
    base = {"backgrounds_shared": True, "variations_per_sample": 8, **ALL}
    fitting = boxes(examples_of(raw, foreground_scale=[1, 1], **base))
    assert ((fitting[:, 1] - fitting[:, 0]) >= 62).all()
    small = boxes(examples_of(raw, foreground_scale=[0.3, 0.4], **base))
    assert (small[:, 1] - small[:, 0] <= 27).all()
    assert np.ptp(small[:, 0]) > 25
    assert np.ptp(small[:, 2]) > 25
    over = boxes(examples_of(raw, foreground_scale=[0.5, 0.5], foreground_overhang=0.5, **base))
    assert ((over[:, 1] - over[:, 0]) < 28).any()
    large = examples_of(raw, foreground_scale=[3, 3], **base)
    assert all(decode_image(example["alpha"]).mean() > 40 for example in large)


def test_a_switch_changes_nothing_else(raw: dict[str, str]) -> None:
    base = {"backgrounds_shared": True, "input_attributes": ["alpha", "background_id"], "image_size": 64}
    plain, mirrored = examples_of(raw, foreground_flip=False, **base), examples_of(raw, **base)
    assert [each["background_id"] for each in plain] == [each["background_id"] for each in mirrored]
    assert np.array_equal(boxes(plain)[:, :2], boxes(mirrored)[:, :2])


def test_colours_are_estimated_once_for_all_variations(raw: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from dataset_handlers import cutout

    calls = []
    estimate = cutout.estimate_foreground
    monkeypatch.setattr(cutout, "estimate_foreground", lambda *given: calls.append(1) or estimate(*given))
    assert len(examples_of(raw, backgrounds_shared=True, variations_per_sample=3, image_size=64)) == 18
    assert len(calls) == 6


@pytest.mark.parametrize("blending", ["srgb", "linear"])
def test_nothing_of_the_old_background_is_left(raw: dict[str, str], blending: str) -> None:
    """A grey ball before green, laid over grey: no pixel may be greener than it is red."""
    from dataset_handlers.operations.compose import to_float, to_image

    folder = Path(raw["foregrounds"])
    alpha = decode_image((folder / "photo-00_alpha.png").read_bytes())
    share = alpha[:, :, None] / 255
    for photo in folder.glob("*.jpg"):
        photo.unlink()
        grey, green = (np.full((50, 40, 3), colour, np.uint8) for colour in ((150, 150, 150), (30, 220, 40)))
        mixed = share * to_float(grey, blending) + (1 - share) * to_float(green, blending)
        photo.with_suffix(".png").write_bytes(encode_png(to_image(mixed, blending)))
    for photo in Path(raw["backgrounds"]).iterdir():
        photo.write_bytes(encode_png(np.full((80, 100, 3), 90, np.uint8)))

    def greenness(colours: str) -> float:
        config = {"backgrounds_shared": True, "foreground_colours": colours, "blending": blending, **ALL}
        images = [decode_image(example["image"]).astype(int) for example in examples_of(raw, **config)]
        return float(max((image[:, :, 1] - image[:, :, 0]).max() for image in images))

    assert greenness("keep") > 25
    assert greenness("estimate") < 6
    assert greenness("auto") < 6


def test_no_background_is_in_two_splits(raw: dict[str, str]) -> None:
    config = {
        "splits": {"train": 1, "test": 1},
        "variations_per_sample": 8,
        "input_attributes": ["background_id", "id"],
    }
    handler = handler_of(raw, image_size=16, **config)
    seen: dict[str, set[str]] = {}
    for split, samples in list_samples(handler).items():
        for sample in samples:
            for example in sample_examples(handler, sample):
                seen.setdefault(split, set()).add(example["background_id"])
    assert not seen["train"] & seen["test"]
    assert all(split_of(name, {"train": 0.5, "test": 0.5}) == split for split, names in seen.items() for name in names)


def test_a_split_without_backgrounds_is_refused(raw: dict[str, str]) -> None:
    config = {"background_exclude": ["photo-0*", "photo-10.jpg"], "splits": {"train": 1, "test": 1}}
    with pytest.raises(BadConfig, match=r"none of 1 backgrounds fell into the split '.*'; more backgrounds") as caught:
        list_samples(handler_of(raw, **config))
    assert caught.value.violations[0].field == "config.backgrounds_shared"
    assert examples_of(raw, backgrounds_shared=True, image_size=16, **config)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"foreground_scale": [1, 0.5]}, "config.foreground_scale"),
        ({"background_exclude": ["[a"]}, "config.background_exclude[0]"),
        ({"background_group_by": "("}, "config.background_group_by"),
        ({"exclude": ["!a"]}, "config.exclude[0]"),
        ({"crop_size": 300}, "config.crop_size"),
    ],
)
def test_a_wrong_option_is_named(raw: dict[str, str], config: dict[str, Any], field: str) -> None:
    with pytest.raises(BadConfig) as caught:
        handler_of(raw, **config)
    assert [violation.field for violation in caught.value.violations] == [field]


def test_both_raw_datasets_leave_out_and_say_so(raw: dict[str, str]) -> None:
    handler = handler_of(
        raw, exclude=["photo-00.jpg", "*.gif"], background_exclude=["*.bmp"], splits={"train": 1}, image_size=16
    )
    listing = list_samples(handler)
    assert len(listing["train"]) == 5
    assert make_plan(handler, listing).warnings == [
        "exclude: nothing matches '*.gif'",
        "background_exclude: nothing matches '*.bmp'",
    ]


def test_another_background_stands_in_for_a_bad_one(raw: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(raw["backgrounds"])
    for photo in sorted(folder.iterdir())[:8]:
        photo.write_bytes(b"rubbish")
    config = {"splits": {"train": 1}, "variations_per_sample": 4, "input_attributes": ["background_id"]}
    names = [example["background_id"] for example in examples_of(raw, image_size=16, **config)]
    assert len(names) == 24
    assert min(names) >= "photo-08.jpg"
    assert "is not an image; another one stands in" in capsys.readouterr().err
    for photo in folder.iterdir():
        photo.write_bytes(b"rubbish")
    with pytest.raises(BadRawRecord, match="is not an image"):
        examples_of(raw, image_size=16, **config)


def test_a_build_is_the_same_with_any_number_of_workers(raw: dict[str, str], tmp_path: Path) -> None:
    config = {"image_size": 48, "variations_per_sample": 3, "splits": {"train": 1, "test": 1}}
    files = [
        CompositingHandler(config, raw).as_tfrecord(tmp_path / str(workers), workers=workers) for workers in (1, 2)
    ]
    shards = [[Path(file).read_bytes() for file in built] for built in files]
    assert shards[0] == shards[1]
    assert sum(1 for file in files[0] for record in read_records(file) if decode_example(record)) == 18
