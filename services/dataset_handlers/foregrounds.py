"""Finds foregrounds and their alpha mattes: pictures with alpha of their own, or beside them a file that is one."""

from __future__ import annotations

import posixpath
import re
from typing import Iterable, Iterator, NamedTuple

_ALPHA_NAME = re.compile(r"^(.+)[_-](alpha|matte)$", re.IGNORECASE)
_ALPHA_FOLDER = re.compile(r"^(alpha|matte)s?$", re.IGNORECASE)
_IMAGE_FOLDER = re.compile(r"^(image|photo|foreground|fg)s?$", re.IGNORECASE)
_OWN_ALPHA = (".png", ".webp", ".tif", ".tiff")


class ForegroundFile(NamedTuple):
    """A picture and its matte, both relative to the raw dataset."""

    picture: str
    alpha: str
    """Empty: the picture has alpha of its own."""


def foreground_files(names: Iterable[str]) -> Iterator[ForegroundFile]:
    """Yields every foreground among sorted ``names``.

    Its matte is ``NAME_alpha.png`` (or ``-alpha``, ``_matte``) beside ``NAME.jpg``, or the file of the same name in the
    folder ``alpha`` beside the picture's folder ``image``. Else the picture must have alpha of its own.
    """
    listed = list(names)
    stems = {posixpath.splitext(name)[0]: name for name in listed}
    alpha_of = {}
    for stem, name in stems.items():
        folder, base = posixpath.split(stem)
        found = _ALPHA_NAME.match(base)
        if found:
            alpha_of[posixpath.join(folder, found.group(1))] = name
    folders = {posixpath.dirname(name) for name in listed}
    for name in listed:
        stem = posixpath.splitext(name)[0]
        folder, base = posixpath.split(stem)
        if _ALPHA_NAME.match(base) or _ALPHA_FOLDER.match(posixpath.basename(folder)):
            continue
        beside = _beside(folder, folders)
        if stem in alpha_of:
            yield ForegroundFile(name, alpha_of[stem])
        elif beside:
            partner = posixpath.join(beside, base)
            yield ForegroundFile(name, stems.get(partner, f"{partner}.png"))
        elif name.lower().endswith(_OWN_ALPHA):
            yield ForegroundFile(name, "")
        else:
            yield ForegroundFile(name, f"{stem}_alpha.png")


def _beside(folder: str, folders: Iterable[str]) -> str:
    """Returns the folder of mattes for pictures in ``folder``; nothing if there is none."""
    above, name = posixpath.split(folder)
    if not _IMAGE_FOLDER.match(name):
        return ""
    mattes = (other for other in folders if posixpath.dirname(other) == above)
    return next((other for other in sorted(mattes) if _ALPHA_FOLDER.match(posixpath.basename(other))), "")
