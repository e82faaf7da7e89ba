"""The stock handler for COCO: photos with the masks, boxes and categories of the instances in them."""

from __future__ import annotations

import difflib
from typing import Any, ClassVar, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from dataset_handlers.coco_index import CocoIndex, read_annotations, read_index
from dataset_handlers.coco_layout import DEFAULT_ANNOTATIONS, CocoFolders, annotation_files, split_of_annotations
from dataset_handlers.coco_masks import annotation_mask, mask_box
from dataset_handlers.errors import BadRawRecord, RawMissing, Violation
from dataset_handlers.image import Image
from dataset_handlers.operations import encode_png
from dataset_handlers.options import Boolean, Choice, InputAttributes, Number, String
from dataset_handlers.options import List as ListOption
from dataset_handlers.path_patterns import pattern_fault
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

ATTRIBUTES = (
    "image",
    "mask",
    "instance_masks",
    "bboxes",
    "category_ids",
    "category_names",
    "crowds",
    "height",
    "width",
    "image_id",
    "id",
)
_OF_INSTANCES = {"instance_masks", "bboxes", "category_ids", "category_names", "crowds"}
_MAX_LABEL = 255


class CocoRecord(NamedTuple):
    """What ``examples()`` needs of one photo."""

    annotations: str
    image_id: int
    height: int
    width: int
    spans: bytes
    """int64 pairs of offset and length: where its chosen annotations lie in that file."""
    labels: Tuple[Tuple[int, int, str], ...]
    """Category id, number in a mask and name of each chosen category; one tuple for all photos."""


class CocoHandler(StockHandler):
    """COCO's photos with the masks, boxes and categories of the instances in them.

    Features: ``image``, ``mask`` (PNG; what its values mean is up to ``masks``), and, one entry for each instance that
    is to be seen: ``instance_masks`` (PNGs, 255 = instance), ``bboxes`` (``[x, y, width, height]`` in pixels of the
    image), ``category_ids``, ``category_names``, ``crowds`` (1 = a crowd); ``height``, ``width``, ``image_id`` (COCO's
    number), ``id`` (the photo's path).
    """

    name = "coco"
    roles = ("coco",)
    example_config: ClassVar[Mapping[str, Any]] = {
        "categories": ["person", "dog"],
        "crowd": "exclude",
        "image_size": [256, 256],
    }

    input_attributes: List[str]
    annotations: List[str]
    categories: Optional[List[str]]
    crowd: str
    min_area: float
    masks: str
    keep_empty: bool
    split_from: str

    _last: Tuple[str, List[Tuple[Dict[str, Any], Image]]] = ("", [])

    @classmethod
    def config_options(cls) -> Any:
        return {
            "input_attributes": InputAttributes(ATTRIBUTES, ["image", "mask"]),
            "annotations": ListOption(
                String(), [DEFAULT_ANNOTATIONS], "Patterns of the annotation files to take", min_items=1
            ),
            "categories": ListOption(
                String(), None, "Names of the categories whose instances are taken; null takes all", min_items=1
            ),
            "crowd": Choice(
                ["include", "exclude", "only"], "include", "Whether regions marked as crowds count as instances"
            ),
            "min_area": Number(0, "Instances of fewer pixels in the raw photo are not taken", minimum=0),
            "masks": Choice(
                ["merged", "categories", "instances"],
                "merged",
                "What mask holds: 255 in any instance; the category's number; or the instance's number",
            ),
            "keep_empty": Boolean(False, "Whether photos without a taken instance are kept"),
            **split_from_option("annotations", "annotations: each annotation file's own, train or validation"),
            **stock_options(),
        }

    def violations(self) -> List[Violation]:
        """Adds patterns of annotation files that are none, and a group that has no say."""
        faults = ((number, name, pattern_fault(name)) for number, name in enumerate(self.annotations))
        return [
            *super().violations(),
            *(
                Violation(f"config.annotations[{number}]", f"{name!r} {fault}")
                for number, name, fault in faults
                if fault
            ),
            *split_from_violations(self.config),
        ]

    def samples(self) -> Iterator[Sample]:
        """Lists every photo that has an instance to be taken, sorted; reads the annotation files once in a process."""
        return self.prescribed(self.chosen(sorted(self._listed(), key=lambda sample: sample.id)))

    def examples(self, sample: Sample, rng: np.random.Generator) -> Iterator[Mapping[str, Any]]:
        """Yields one photo with the masks of its instances."""
        record = CocoRecord(*sample.data)
        variation = draw_variation(rng)
        instances = self._instances(sample, record)
        each = self.masks == "instances" or bool(_OF_INSTANCES & set(self.input_attributes))
        masks = [mask for _, mask in instances] if each else [self._joined(instances, record)]
        image, varied = self.pipeline.vary_with(self.raw_data_path / sample.photo, variation, masks)
        height, width = image.shape[:2]
        example: Dict[str, Any] = {"height": height, "width": width, "image_id": record.image_id, "id": sample.id}
        if "image" in self.input_attributes:
            example["image"] = self.pipeline.encode(image)
        if each:
            seen = [(found, mask) for (found, _), mask in zip(instances, varied) if mask.any()]
            example.update(_facts(seen, record))
            if "instance_masks" in self.input_attributes:
                example["instance_masks"] = [encode_png(mask) for _, mask in seen]
            varied = [self._joined(seen, record, (height, width), sample)]
        if "mask" in self.input_attributes:
            example["mask"] = encode_png(varied[0])
        yield example

    def _listed(self) -> Iterator[Sample]:
        files = annotation_files(self.raw_data_path, self.annotations)
        if not files:
            raise RawMissing(
                f"no annotation file matches {', '.join(self.annotations)} below {self.raw_data_path}; the option "
                "annotations says where they lie"
            )
        indices = {name: read_index(self.raw_data_path / name) for name in files}
        labels = self._labels(indices)
        folders = CocoFolders(set(list_photos(self.raw_data_path)))
        listed_in: Dict[str, str] = {}
        for name, index in indices.items():
            split = "" if self.split_from == DRAWN else split_of_annotations(name)
            for position, spans in self._taken(index, labels):
                photo = index.photos[position]
                path = folders.locate(name, photo.file_name)
                if path in listed_in:
                    both = " and in ".join(sorted({listed_in[path], name}))
                    self.refuse("annotations", f"the photo {path!r} is listed twice, in {both}; one of them would do")
                listed_in[path] = name
                record = CocoRecord(name, photo.image_id, photo.height, photo.width, spans.tobytes(), labels)
                yield Sample(path, split=split, data=record)

    def _taken(self, index: CocoIndex, labels: Sequence[Tuple[int, int, str]]) -> Iterator[Tuple[int, Any]]:
        """Yields each photo that stays, by its position, with the places of the annotations that are taken."""
        taken = index.areas >= self.min_area
        taken &= np.isin(index.category_ids, [category for category, _, _ in labels])
        if self.crowd != "include":
            taken &= index.crowds == (self.crowd == "only")
        image_ids, spans = index.image_ids[taken], index.spans[taken]
        wanted = np.array([photo.image_id for photo in index.photos], np.int64)
        starts, stops = np.searchsorted(image_ids, wanted, "left"), np.searchsorted(image_ids, wanted, "right")
        for position, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist())):
            if stop > start or self.keep_empty:
                yield position, spans[start:stop]

    def _labels(self, indices: Mapping[str, CocoIndex]) -> Tuple[Tuple[int, int, str], ...]:
        known: Dict[int, str] = {}
        for name, index in indices.items():
            for category, label in index.categories.items():
                if known.setdefault(category, label) != label:
                    self.refuse(
                        "annotations", f"{name} calls category {category} {label!r}, another {known[category]!r}"
                    )
        ids = {label: category for category, label in sorted(known.items())}
        if len(ids) < len(known):
            self.refuse("annotations", "they list two categories of one name; names of their own would do")
        wanted = list(ids) if self.categories is None else self.categories
        for number, label in enumerate(wanted):
            if label not in ids:
                near = difflib.get_close_matches(label, ids, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                self.refuse(f"categories[{number}]", f"no category {label!r}.{hint} Valid: {', '.join(ids)}")
            if label in wanted[:number]:
                self.refuse(f"categories[{number}]", f"{label!r} is named twice; once would do")
        if self.masks == "categories" and len(wanted) > _MAX_LABEL:
            self.refuse("masks", f"{len(wanted)} categories do not fit into a mask; {_MAX_LABEL} categories would do")
        return tuple((ids[label], number, label) for number, label in enumerate(wanted, start=1))

    def _instances(self, sample: Sample, record: CocoRecord) -> List[Tuple[Dict[str, Any], Image]]:
        # Variations of a photo come one after the other: its masks are filled once for all of them.
        if self._last[0] != sample.id:
            spans = np.frombuffer(record.spans, np.int64).reshape(-1, 2)
            try:
                found = read_annotations(self.raw_data_path / record.annotations, spans)
                masks = [annotation_mask(each, record.height, record.width) for each in found]
            except ValueError as error:
                raise BadRawRecord(self.raw_data_path / sample.photo, f"{record.annotations}: {error}") from None
            self._last = sample.id, list(zip(found, masks))
        return self._last[1]

    def _joined(
        self,
        instances: Sequence[Tuple[Dict[str, Any], Image]],
        record: CocoRecord,
        size: Optional[Tuple[int, int]] = None,
        sample: Optional[Sample] = None,
    ) -> Image:
        """Returns all instances in one mask, as ``masks`` says; a smaller instance lies upon a larger one."""
        joined = np.zeros(size or (record.height, record.width), np.uint8)
        if self.masks == "merged":
            for _, mask in instances:
                joined |= mask
            return joined
        if self.masks == "instances" and len(instances) > _MAX_LABEL and sample is not None:
            reason = f"its {len(instances)} instances do not fit into one mask; {_MAX_LABEL} would"
            raise BadRawRecord(self.raw_data_path / sample.photo, reason)
        numbers = {category: number for category, number, _ in record.labels}
        by_area = sorted(enumerate(instances, start=1), key=lambda each: -int(np.count_nonzero(each[1][1])))
        for number, (annotation, mask) in by_area:
            joined[mask > 0] = numbers[annotation["category_id"]] if self.masks == "categories" else number
        return joined


def _facts(seen: Sequence[Tuple[Dict[str, Any], Image]], record: CocoRecord) -> Dict[str, Any]:
    names = {category: name for category, _, name in record.labels}
    return {
        "bboxes": np.array([mask_box(mask) for _, mask in seen], np.int64).reshape(-1, 4),
        "category_ids": np.array([annotation["category_id"] for annotation, _ in seen], np.int64),
        "category_names": [names[annotation["category_id"]] for annotation, _ in seen],
        "crowds": np.array([int(annotation.get("iscrowd", 0)) for annotation, _ in seen], np.int64),
    }
