"""Makes a small raw dataset in COCO's layout: every form of segmentation, a crowd, a photo with nothing in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as cocotools

from dataset_handlers.made_photos import make_photos

CATEGORIES = [
    {"id": 1, "name": "person", "supercategory": "person"},
    {"id": 18, "name": "dog", "supercategory": "animal"},
    {"id": 44, "name": "café", "supercategory": "place"},
]
HEIGHT, WIDTH = 60, 80


def write_coco(root: Path, train: int = 12, validation: int = 4) -> Path:
    """Writes ``images/train2017``, ``images/val2017`` and their annotations into ``root``."""
    (root / "annotations").mkdir(parents=True)
    number = 0
    for name, count in (("train2017", train), ("val2017", validation)):
        photos = make_photos(root / "images" / name, count, size=(HEIGHT, WIDTH))
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for photo in photos:
            number += 1
            target = photo.with_name(f"{number:012}.jpg")
            photo.rename(target)
            images.append({"id": 100 + number, "file_name": target.name, "height": HEIGHT, "width": WIDTH})
            annotations += instances(100 + number, number)
        # The annotations of one photo do not lie beside one another, as in the real files.
        annotations.sort(key=lambda each: each["id"] % 7)
        text = json.dumps(
            {"info": {"a": [1, {"b": "]"}]}, "images": images, "annotations": annotations, "categories": CATEGORIES},
            ensure_ascii=False,
        )
        (root / "annotations" / f"instances_{name}.json").write_text(text, encoding="utf-8")
    return root


def instances(image_id: int, number: int) -> list[dict[str, Any]]:
    """Returns a person of two polygons, a dog of packed run lengths and a crowd of persons; every fifth photo: none."""
    if number % 5 == 0:
        return []
    x, y = 10.0 + number, 8.3 + number / 2
    polygons = [[x, y, x + 20.5, y, x + 17, y + 21.7, x, y + 15], [50, 40, 60, 40, 55.5, 50]]
    dog = np.zeros((HEIGHT, WIDTH), np.uint8)
    dog[20:35, 15 : 30 + number] = 1
    crowd = np.zeros((HEIGHT, WIDTH), np.uint8)
    crowd[45:58, 2:70] = 1
    packed = cocotools.encode(np.asfortranarray(dog))
    entries: list[tuple[int, int, Any, int]] = [
        (1, 0, polygons, 350),
        (18, 0, {"size": [HEIGHT, WIDTH], "counts": packed["counts"].decode()}, int(dog.sum())),
        (1, 1, {"size": [HEIGHT, WIDTH], "counts": runs(crowd)}, int(crowd.sum())),
    ]
    return [
        {
            "id": image_id * 10 + place,
            "image_id": image_id,
            "category_id": category,
            "iscrowd": iscrowd,
            "segmentation": segmentation,
            "area": area,
            "bbox": [0, 0, 1, 1],
        }
        for place, (category, iscrowd, segmentation, area) in enumerate(entries)
    ]


def runs(mask: np.ndarray) -> list[int]:
    """Returns a mask's run lengths, down the columns, zeros first."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    return np.diff([0, *edges, flat.size]).tolist()  # type: ignore[no-any-return]
