"""Finds the annotation files and photos of a raw dataset in COCO's own layout, and the split that each belongs to."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Iterator, List, Sequence, Set

from dataset_handlers.errors import HandlerError
from dataset_handlers.path_patterns import PathPatterns
from dataset_handlers.photos import list_photos
from dataset_handlers.splits import SPLIT_NAME

DEFAULT_ANNOTATIONS = "annotations/instances_*.json"

_SPLIT_WORD = re.compile(r"(?:^|_)([a-z]+)(\d*)$", re.IGNORECASE)
_SPLITS = {"val": "validation", "valid": "validation"}


def annotation_files(root: Path, patterns: Sequence[str]) -> List[str]:
    """Returns the annotation files that match, relative to ``root``, sorted."""
    wanted = PathPatterns(patterns)
    return [name for name in list_photos(root, (".json",)) if wanted.match(name)]


def split_of_annotations(name: str) -> str:
    """Returns the split that an annotation file's name ends with: ``instances_val2017.json`` is validation."""
    found = _SPLIT_WORD.search(Path(name).stem)
    word = found.group(1).lower() if found else ""
    split = _SPLITS.get(word, word)
    return split if SPLIT_NAME.match(split) else "train"


class CocoFolders:
    """Where the photos of an annotation file lie: ``val2017/``, ``images/val2017/``, ``images/`` or the top."""

    def __init__(self, photos: Set[str]) -> None:
        self._photos = photos

    def locate(self, annotations: str, file_name: str) -> str:
        """Returns a photo's path relative to the raw dataset; where it should lie if it is nowhere."""
        if file_name.startswith("/") or ".." in file_name.split("/"):
            raise HandlerError(
                f"{annotations} lists the photo {file_name!r}; its path must lie below a folder of photos"
            )
        candidates = [posixpath.normpath(posixpath.join(folder, file_name)) for folder in _folders(annotations)]
        return next((path for path in candidates if path in self._photos), candidates[0])


def _folders(annotations: str) -> Iterator[str]:
    found = _SPLIT_WORD.search(Path(annotations).stem)
    name = f"{found.group(1)}{found.group(2)}" if found else ""
    # The annotations' own folder stands beside those of the photos.
    top = posixpath.dirname(posixpath.dirname(annotations))
    for folder in (name, f"images/{name}", f"{name}/images", "images", ""):
        yield posixpath.join(top, folder)
