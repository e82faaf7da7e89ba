"""The stock handler for DUTS: photos with masks of what stands out in them."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Dict, Iterator, List, Mapping

import numpy as np

from dataset_handlers.errors import BadRawRecord, RawMissing, Violation
from dataset_handlers.image import Image
from dataset_handlers.mask_pairs import MaskPair, mask_pairs
from dataset_handlers.operations import encode_png, read_image
from dataset_handlers.options import Boolean, InputAttributes
from dataset_handlers.photo_pipeline import draw_variation
from dataset_handlers.photos import list_photos
from dataset_handlers.sample import Sample
from dataset_handlers.stock_handler import (
    DRAWN,
    StockHandler,
    split_from_option,
    split_from_violations,
    stock_options,
)

ATTRIBUTES = ("image", "mask", "height", "width", "id")
_PRESCRIBED = (
    ("train", re.compile(r"^DUTS-TR\b|^train$")),
    ("validation", re.compile(r"^(val|valid|validation)$")),
    ("test", re.compile(r"^DUTS-TE\b|^test$")),
)


class DutsHandler(StockHandler):
    """Photos with masks of what stands out in them, as in DUTS: a folder of photos beside a folder of masks.

    Features: ``image`` (JPEG or PNG), ``mask`` (PNG, 255 = what stands out; between them shades unless ``binary``),
    ``height``, ``width``, ``id`` (the photo's path).
    """

    name = "duts"
    roles = ("duts",)
    example_config: ClassVar[Mapping[str, Any]] = {
        "image_size": [320, 320],
        "crop_size": [288, 288],
        "random_flip": True,
    }

    input_attributes: List[str]
    binary: bool
    split_from: str

    @classmethod
    def config_options(cls) -> Any:
        return {
            "input_attributes": InputAttributes(ATTRIBUTES, ["image", "mask"]),
            "binary": Boolean(True, "Whether a mask is 0 or 255, parted at 128; false keeps its shades"),
            **split_from_option("folders", "folders: DUTS-TR is train, DUTS-TE is test"),
            **stock_options(),
        }

    def violations(self) -> List[Violation]:
        """Adds a group that has no say."""
        return [*super().violations(), *split_from_violations(self.config)]

    def samples(self) -> Iterator[Sample]:
        """Lists every photo that lies in a folder of photos."""
        pairs = list(mask_pairs(list_photos(self.raw_data_path)))
        if not pairs:
            raise RawMissing(
                f"below {self.raw_data_path} lies no photo in a folder DUTS-TR-Image, Image or images; its mask would "
                "lie beside it in DUTS-TR-Mask, Mask or masks"
            )
        return self.prescribed(self.chosen(map(self._sample, pairs)))

    def examples(self, sample: Sample, rng: np.random.Generator) -> Iterator[Mapping[str, Any]]:
        """Yields one photo with its mask."""
        masks = [self._mask(sample)] if "mask" in self.input_attributes else []
        photo = self.raw_data_path / sample.photo
        image, varied = self.pipeline.vary_with(photo, draw_variation(rng), masks, nearest=self.binary)
        example: Dict[str, Any] = {"height": image.shape[0], "width": image.shape[1], "id": sample.id}
        if "image" in self.input_attributes:
            example["image"] = self.pipeline.encode(image)
        if varied:
            example["mask"] = encode_png(varied[0])
        yield example

    def _sample(self, pair: MaskPair) -> Sample:
        return Sample(pair.photo, split="" if self.split_from == DRAWN else _split_of(pair.photo), data=pair.mask)

    def _mask(self, sample: Sample) -> Image:
        path = self.raw_data_path / sample.data
        if not path.is_file():
            raise BadRawRecord(self.raw_data_path / sample.photo, f"it has no mask; {sample.data} would do")
        mask = read_image(path, channels=1)
        return (mask >= 128).astype(np.uint8) * np.uint8(255) if self.binary else mask


def _split_of(photo: str) -> str:
    """Returns the split that a photo's folders prescribe; nothing if they prescribe none."""
    folders = photo.split("/")[:-1]
    return next((split for split, named in _PRESCRIBED if any(map(named.match, folders))), "")
