"""Finds the photos below a raw folder, as a sorted listing that reads no photo."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator, List, Sequence, Tuple, Union

from dataset_handlers.sample import Sample

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def photo_samples(root: Union[str, Path], suffixes: Sequence[str] = PHOTO_SUFFIXES) -> Iterator[Sample]:
    """Yields one sample for each photo below ``root``, sorted; its id is the photo's path relative to ``root``."""
    return (Sample(name) for name in list_photos(root, suffixes))


def list_photos(root: Union[str, Path], suffixes: Sequence[str] = PHOTO_SUFFIXES) -> List[str]:
    """Returns the paths of all photos below ``root``, relative, with ``/``, sorted.

    Hidden files and folders are skipped, and links that lead out of ``root``, as in the snapshot of the raw dataset.
    """
    base = os.path.realpath(root)
    endings = tuple(suffix.lower() for suffix in suffixes)
    return sorted(name for name in _walk(base, "", base, (base,)) if name.lower().endswith(endings))


def _walk(folder: str, prefix: str, base: str, above: Tuple[str, ...]) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            real = entry.path
            if entry.is_symlink():
                real = os.path.realpath(entry.path)
                if not real.startswith(os.path.join(base, "")):
                    continue
            if entry.is_dir():
                # A link to a folder above would go round for ever.
                if real not in above:
                    yield from _walk(real, f"{prefix}{entry.name}/", base, (*above, real))
            elif entry.is_file():
                yield prefix + entry.name
