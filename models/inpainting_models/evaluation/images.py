"""Lists the suite's photos by their SHA-256, so that two people measure on the same ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

SHIPPED_MANIFEST = Path(__file__).with_name("shipped_images.json")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"})


class ListMismatch(Exception):
    """A photo is missing or is not the one that the list names."""


@dataclass(frozen=True)
class SuiteImage:
    """One photo of the suite; its SHA-256 is its identity, its name only tells people which one it is."""

    name: str
    sha256: str
    path: Path
    content: str = ""
    """texture, structure or semantic, where the list says so."""


def shipped_images() -> list[SuiteImage]:
    """Return the photos that come with scikit-image. Raises `ListMismatch`."""
    try:
        from skimage import data
    except ImportError as missing:
        raise ListMismatch(
            "the small list is scikit-image's photos, and scikit-image is not installed: name a folder with --photos"
        ) from missing
    return manifest_images(SHIPPED_MANIFEST, Path(data.__file__).parent)


def manifest_images(manifest: Path, folder: Path) -> list[SuiteImage]:
    """Return the photos of a manifest, each found in `folder` and hashed. Raises `ListMismatch`, naming every one."""
    images, wrong = [], []
    for entry in json.loads(manifest.read_text())["images"]:
        path = folder / entry["name"]
        if not path.is_file():
            wrong.append(f"{entry['name']} is missing")
        elif file_sha256(path) != entry["sha256"]:
            wrong.append(f"{entry['name']} is another file than the list's")
        else:
            images.append(SuiteImage(entry["name"], entry["sha256"], path, entry.get("content", "")))
    if wrong:
        raise ListMismatch(f"{manifest.name} in {folder}: " + "; ".join(wrong))
    return images


def folder_images(folder: Path) -> list[SuiteImage]:
    """Return every photo below a folder, hashed; of files with the same bytes the first by name."""
    found: dict[str, SuiteImage] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            sha256 = file_sha256(path)
            found.setdefault(sha256, SuiteImage(name, sha256, path))
    if not found:
        raise ListMismatch(f"{folder} has no photo ({', '.join(sorted(SUFFIXES))})")
    return list(found.values())


def manifest_of(images: Iterable[SuiteImage]) -> dict[str, object]:
    """Return what a manifest file holds; `manifest_images` reads it back."""
    rows = sorted(images, key=lambda image: image.name)
    return {
        "list_sha256": list_sha256(rows),
        "images": [
            {"name": image.name, "sha256": image.sha256} | ({"content": image.content} if image.content else {})
            for image in rows
        ],
    }


def list_sha256(images: Sequence[SuiteImage]) -> str:
    """Return the digest that names the list: over the photos' sorted SHA-256s, whatever their names and order."""
    return hashlib.sha256("".join(f"{sha}\n" for sha in sorted(image.sha256 for image in images)).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_rgb(path: Path) -> npt.NDArray[np.uint8]:
    """Return the photo upright: uint8 `(height, width, 3)` RGB; transparency is dropped."""
    from PIL import Image, ImageOps

    with Image.open(path) as opened:
        return np.array(ImageOps.exif_transpose(opened).convert("RGB"))
