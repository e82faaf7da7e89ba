"""The suite is the same for everybody: lists are hashed, cases and holes depend on no order."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpainting_models.evaluation.images import (
    SHIPPED_MANIFEST,
    ListMismatch,
    SuiteImage,
    folder_images,
    list_sha256,
    manifest_images,
    manifest_of,
    read_rgb,
    shipped_images,
)
from inpainting_models.evaluation.suite import Case, cells, plan, prepare


def images(count: int) -> list[SuiteImage]:
    return [
        SuiteImage(f"{number}.png", hashlib.sha256(bytes([number])).hexdigest(), Path(f"{number}.png"))
        for number in range(count)
    ]


def test_the_shipped_list_is_complete_and_its_digest_is_written_down() -> None:
    found = shipped_images()
    assert len(found) == 12
    assert list_sha256(found) == json.loads(SHIPPED_MANIFEST.read_text())["list_sha256"]
    assert {image.content for image in found} == {"texture", "structure", "semantic"}


def test_a_changed_and_a_missing_photo_are_both_named(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (4, 4), name[0] and (ord(name[0]), 0, 0)).save(tmp_path / name)
    manifest = tmp_path / "list.json"
    manifest.write_text(json.dumps(manifest_of(folder_images(tmp_path))))
    assert manifest_images(manifest, tmp_path) == folder_images(tmp_path)
    (tmp_path / "a.png").unlink()
    (tmp_path / "c.png").write_bytes(b"other")
    with pytest.raises(ListMismatch, match=r"a\.png is missing; c\.png is another file"):
        manifest_images(manifest, tmp_path)


def test_a_folder_lists_each_photo_once_and_no_hidden_ones(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("b.png", "sub/a.PNG", ".hidden/c.png"):
        Image.new("RGB", (4, 4), (len(name), 0, 0)).save(tmp_path / name, "PNG")
    (tmp_path / "copy.png").write_bytes((tmp_path / "b.png").read_bytes())
    (tmp_path / "words.txt").write_text("no photo")
    assert [image.name for image in folder_images(tmp_path)] == ["b.png", "sub/a.PNG"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ListMismatch, match="no photo"):
        folder_images(tmp_path / "empty")


def test_the_lists_digest_knows_neither_names_nor_order() -> None:
    some = images(3)
    assert list_sha256(some) == list_sha256([replace(image, name="x") for image in reversed(some)])
    assert list_sha256(some) != list_sha256(some[:2])


def test_every_family_has_every_bin_and_both_borders() -> None:
    kinds = cells()
    assert len(kinds) == 5 * 6 * 2 + 2 * 2
    assert len({cell.name for cell in kinds}) == len(kinds)


def test_the_plan_does_not_depend_on_the_order_of_photos() -> None:
    assert plan(images(9), cells(), 2) == plan(images(9)[::-1], cells(), 2)


def test_more_photos_change_no_hole_and_few_choices() -> None:
    before = {case.name for case in plan(images(20), cells(), 2)}
    after = {case.name for case in plan(images(21), cells(), 2)}
    assert len(before & after) > 0.8 * len(before)
    shape = (64, 64)
    kept = {case.name: case for case in plan(images(20), cells(), 2)}
    assert all(
        (case.mask(shape) == kept[case.name].mask(shape)).all()
        for case in plan(images(21), cells(["box"]), 2)
        if case.name in kept
    )


def test_few_photos_get_several_different_holes() -> None:
    cases = plan(images(1), cells(["blob"])[:1], 3)
    assert [case.variant for case in cases] == [0, 1, 2]
    assert len({case.mask((64, 64)).tobytes() for case in cases}) == 3


def test_the_first_holes_are_those_of_this_version() -> None:
    """Who changes how holes are drawn names a new suite version: results of different holes cannot be compared."""
    case = plan(shipped_images(), cells(["thin"])[:1], 1)[0]
    prepared = prepare(case, (128, 128))
    assert prepared.case.image.name == "grass.png"
    assert prepared.mask_sha256.startswith("95082309be46b24b")


def test_a_photo_is_shrunk_to_cover_the_size_and_cropped_around_its_centre(tmp_path: Path) -> None:
    pixels = np.zeros((80, 200, 3), np.uint8)
    pixels[:, 100:] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    case = Case(folder_images(tmp_path)[0], cells(["box"])[0], 0)
    prepared = prepare(case, (40, 60))
    assert prepared.truth.shape == (40, 60, 3)
    assert prepared.truth[:, :29].max() == 0
    assert prepared.truth[:, 31:].min() == 255
    assert prepare(case, (60, 40)).truth.shape == (40, 60, 3)
    assert prepare(case, (500, 500)).truth.shape == (80, 200, 3)
    assert prepare(case, None).truth.shape == (80, 200, 3)


def test_photos_are_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 10)).save(tmp_path / "turned.jpg", exif=exif)
    assert read_rgb(tmp_path / "turned.jpg").shape == (30, 10, 3)
