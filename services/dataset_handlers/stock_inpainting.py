"""The stock handler for inpainting: a photo, and a mask of the hole that a network learns to fill."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Iterator, List, Mapping

import numpy as np

from dataset_handlers.masks import FAMILIES, KINDS, make_mask
from dataset_handlers.operations import encode_png
from dataset_handlers.options import Choice, InputAttributes, Number
from dataset_handlers.options import List as ListOption
from dataset_handlers.photo_pipeline import draw_variation
from dataset_handlers.photos import photo_samples
from dataset_handlers.sample import Sample
from dataset_handlers.stock_handler import StockHandler, stock_options

ATTRIBUTES = ("image", "mask", "masked_image", "height", "width", "id")


class InpaintingHandler(StockHandler):
    """Photos with seeded masks of holes: strokes, boxes and blobs; thin, medium and thick.

    Features: ``image`` (JPEG or PNG), ``mask`` (PNG, 255 = hole), ``masked_image`` (the image, black in the hole),
    ``height``, ``width``, ``id`` (the photo's path).
    """

    name = "inpainting"
    example_config: ClassVar[Mapping[str, Any]] = {
        "image_size": [512, 512],
        "crop_size": [256, 256],
        "random_flip": True,
        "mask_family": "medium",
    }

    input_attributes: List[str]
    mask_family: str
    mask_kinds: List[str]
    mask_max_area: float

    @classmethod
    def config_options(cls) -> Any:
        return {
            "input_attributes": InputAttributes(ATTRIBUTES, ["image", "mask"]),
            **stock_options(),
            "mask_family": Choice([*FAMILIES, "mixed"], "mixed", "How large holes are; mixed draws one for each mask"),
            "mask_kinds": ListOption(
                Choice(KINDS), KINDS, "What holes are made of; one kind is drawn for each mask", min_items=1
            ),
            "mask_max_area": Number(0.5, "The largest share of the image that holes may take", minimum=0.01, maximum=1),
        }

    def samples(self) -> Iterator[Sample]:
        """Lists every photo."""
        return self.chosen(photo_samples(self.raw_data_path))

    def examples(self, sample: Sample, rng: np.random.Generator) -> Iterator[Mapping[str, Any]]:
        """Yields one photo with one mask."""
        pipeline = self.pipeline
        variation = draw_variation(rng)
        image = pipeline.vary(self.raw_data_path / sample.photo, variation)
        height, width = image.shape[:2]
        example: Dict[str, Any] = {"height": height, "width": width, "id": sample.id}
        if "image" in self.input_attributes:
            example["image"] = pipeline.encode(image)
        if "mask" in self.input_attributes or "masked_image" in self.input_attributes:
            mask = make_mask((height, width), variation.mask, self.mask_family, self.mask_kinds, self.mask_max_area)
            example["mask"] = encode_png(mask)
            if "masked_image" in self.input_attributes:
                masked = image.copy()
                masked[mask > 0] = 0
                example["masked_image"] = pipeline.encode(masked)
        yield example
