"""The stock handler for classification: photos in folders, each folder a class."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Iterator, List, Mapping

import numpy as np

from dataset_handlers.options import InputAttributes
from dataset_handlers.photo_pipeline import draw_variation
from dataset_handlers.photos import list_photos
from dataset_handlers.sample import Sample
from dataset_handlers.stock_handler import StockHandler, stock_options

ATTRIBUTES = ("image", "height", "width", "label", "label_name", "id")


class ImagesHandler(StockHandler):
    """Photos in folders: the top folder that a photo lies in is its class.

    Features: ``image`` (JPEG or PNG), ``height``, ``width``, ``label`` (the folder's number in sorted order; -1 for a
    photo that lies in no folder), ``label_name`` (the folder), ``id`` (the photo's path).
    """

    name = "images"
    example_config: ClassVar[Mapping[str, Any]] = {
        "image_size": [256, 256],
        "crop_size": [224, 224],
        "random_flip": True,
    }

    input_attributes: List[str]

    @classmethod
    def config_options(cls) -> Any:
        return {"input_attributes": InputAttributes(ATTRIBUTES, ATTRIBUTES), **stock_options()}

    def samples(self) -> Iterator[Sample]:
        """Lists every photo with its class; one that is left out changes the number of no class."""
        return self.chosen(self._labelled())

    def examples(self, sample: Sample, rng: np.random.Generator) -> Iterator[Mapping[str, Any]]:
        """Yields one photo with its class."""
        pipeline = self.pipeline
        image = pipeline.vary(self.raw_data_path / sample.photo, draw_variation(rng))
        label, label_name = sample.data
        example: Dict[str, Any] = {"label": label, "label_name": label_name, "id": sample.id}
        example["height"], example["width"] = image.shape[:2]
        if "image" in self.input_attributes:
            example["image"] = pipeline.encode(image)
        yield example

    def _labelled(self) -> Iterator[Sample]:
        photos = list_photos(self.raw_data_path)
        folders = sorted({photo.split("/")[0] for photo in photos if "/" in photo})
        labels = {folder: label for label, folder in enumerate(folders)}
        for photo in photos:
            folder = photo.split("/")[0] if "/" in photo else ""
            yield Sample(photo, data=(labels.get(folder, -1), folder))
