"""A mask is found beside its photo, whatever the folders are called."""

from __future__ import annotations

import pytest

from dataset_handlers.mask_pairs import MaskPair, mask_pairs


@pytest.mark.parametrize(
    ("photo", "mask"),
    [
        ("DUTS-TR/DUTS-TR-Image/a.jpg", "DUTS-TR/DUTS-TR-Mask/a.png"),
        ("DUTS-TE-Image/a.b.jpg", "DUTS-TE-Mask/a.b.png"),
        ("images/a.jpg", "masks/a.png"),
        ("train/image/x/a.jpg", "train/mask/x/a.png"),
        ("images/images/a.jpg", "images/masks/a.png"),
    ],
)
def test_folders_go_in_pairs(photo: str, mask: str) -> None:
    assert list(mask_pairs([photo])) == [MaskPair(photo, mask)]
    assert list(mask_pairs([mask.replace(".png", ".bmp"), photo])) == [MaskPair(photo, mask.replace(".png", ".bmp"))]


def test_other_files_are_no_photos() -> None:
    assert list(mask_pairs(["a.jpg", "masks/a.png", "DUTS-TR-Mask/a.png", "imagery/a.jpg"])) == []
