"""Finds the mask that belongs to each photo: in a folder of masks beside the folder of photos, under the same name."""

from __future__ import annotations

import posixpath
import re
from typing import Iterable, Iterator, NamedTuple

_FOLDER = re.compile(r"^(.*?)(image|Image|IMAGE)(s|S)?$")
_MASKS = re.compile(r"(mask|Mask|MASK)[sS]?$")
_PARTNER = {"image": "mask", "Image": "Mask", "IMAGE": "MASK"}
_MASK_SUFFIXES = (".png", ".PNG", ".jpg", ".jpeg", ".JPG", ".bmp", ".webp", ".tif", ".tiff")


class MaskPair(NamedTuple):
    """A photo and its mask, both relative to the raw dataset."""

    photo: str
    mask: str
    """Where it lies, or where it should."""


def mask_pairs(names: Iterable[str]) -> Iterator[MaskPair]:
    """Yields a pair for each photo in a folder named ``...Image`` or ``images``, in the order of ``names``.

    Its mask is the file of the same name, but for the suffix, in the folder called ``Mask`` or ``masks`` instead.
    """
    listed = list(names)
    present = set(listed)
    for photo in listed:
        masks = _masks_of(posixpath.dirname(photo))
        if not masks:
            continue
        stem = posixpath.join(masks, posixpath.splitext(posixpath.basename(photo))[0])
        found = (stem + suffix for suffix in _MASK_SUFFIXES if stem + suffix in present)
        yield MaskPair(photo, next(found, stem + _MASK_SUFFIXES[0]))


def _masks_of(folder: str) -> str:
    """Returns the folder of the masks for the photos in ``folder``; nothing if it is none of photos."""
    names = folder.split("/")
    for place in range(len(names) - 1, -1, -1):
        if _MASKS.search(names[place]):
            return ""
        found = _FOLDER.match(names[place])
        if found:
            names[place] = found.group(1) + _PARTNER[found.group(2)] + (found.group(3) or "")
            return "/".join(names)
    return ""
