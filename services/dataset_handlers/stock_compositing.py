"""The stock handler for compositing: foregrounds with their alpha, laid over new backgrounds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from dataset_handlers.cutout import COLOURS, Cutout, read_cutout
from dataset_handlers.errors import BadRawRecord, RawMissing, Violation
from dataset_handlers.foregrounds import foreground_files
from dataset_handlers.image import Image
from dataset_handlers.operations import encode_png
from dataset_handlers.operations.compose import BLENDINGS, composite, trimap
from dataset_handlers.options import Boolean, Choice, InputAttributes, Integer, Number
from dataset_handlers.options import List as ListOption
from dataset_handlers.photo_options import photo_options
from dataset_handlers.photo_pipeline import Variation, draw_variation
from dataset_handlers.photos import list_photos, photo_samples
from dataset_handlers.sample import Sample
from dataset_handlers.selection import Selection, selection_options, selection_violations
from dataset_handlers.splits import split_of
from dataset_handlers.stock_handler import StockHandler

ATTRIBUTES = ("image", "alpha", "trimap", "foreground", "background", "height", "width", "background_id", "id")
_PREFIX = "background_"
_BACKGROUND_TRIES = 16


class Draws(NamedTuple):
    """What chance decides about a foreground's place, each from 0 to 1."""

    scale: float
    flip: float
    top: float
    left: float


class CompositingHandler(StockHandler):
    """Foregrounds with their alpha, laid over new backgrounds at random places.

    Features: ``image``, ``alpha`` (PNG, 255 = foreground), ``trimap`` (PNG, 255 foreground, 128 unknown, 0
    background), ``foreground`` (its colours alone, black where it is not), ``background``, ``height``, ``width``,
    ``background_id`` (the background's path), ``id`` (the foreground's path).
    """

    name = "compositing"
    roles = ("foregrounds", "backgrounds")
    example_config: ClassVar[Mapping[str, Any]] = {
        "image_size": [640, 640],
        "crop_size": [512, 512],
        "variations_per_sample": 20,
        "trimap_px": 12,
    }

    input_attributes: List[str]
    foreground_scale: List[float]
    foreground_flip: bool
    foreground_overhang: float
    foreground_colours: str
    blending: str
    trimap_px: int
    backgrounds_shared: bool

    _last: Tuple[str, Optional[Cutout]] = ("", None)
    _backgrounds: Optional[Dict[str, List[str]]] = None
    _background_warnings: Tuple[str, ...] = ()

    @classmethod
    def config_options(cls) -> Any:
        return {
            "input_attributes": InputAttributes(ATTRIBUTES, ["image", "alpha", "trimap"]),
            "foreground_scale": ListOption(
                Number(minimum=0.01, maximum=10),
                [0.5, 1],
                "[least, most]: how large the foreground is; at 1 it just fits into the image",
                min_items=2,
                max_items=2,
            ),
            "foreground_flip": Boolean(True, "Mirrors every second foreground left to right"),
            "foreground_overhang": Number(
                0, "The share of its side by which a foreground may stand over the border", minimum=0, maximum=0.9
            ),
            "foreground_colours": Choice(
                COLOURS,
                "auto",
                "estimate takes the old background out of the foreground's colours, keep leaves them; auto keeps those "
                "of a picture with alpha of its own that hides nothing behind it",
            ),
            "blending": Choice(
                BLENDINGS, "srgb", "srgb mixes stored values, as mattes are made; linear mixes the light they stand for"
            ),
            "trimap_px": Integer(
                10, "How far the unknown band of a trimap reaches beyond uncertain alpha", minimum=0, maximum=500
            ),
            "backgrounds_shared": Boolean(
                False, "false: a background serves the samples of one split only; true: those of each"
            ),
            **photo_options(),
            **selection_options(what="foregrounds"),
            **selection_options(_PREFIX, "backgrounds"),
        }

    def violations(self) -> List[Violation]:
        """Adds a range that is upside down, and patterns of backgrounds that are none."""
        violations = [*super().violations(), *selection_violations(self.config, _PREFIX)]
        least, most = self.foreground_scale
        if least > most:
            violations.append(Violation("config.foreground_scale", f"{least} is above {most}; [least, most] would do"))
        return violations

    def samples(self) -> Iterator[Sample]:
        """Lists every foreground."""
        files = foreground_files(list_photos(self.raw_data_path))
        used = set()
        for sample in self.chosen(Sample(file.picture, data=file.alpha) for file in files):
            used.add(self._split(sample))
            yield sample
        for split in sorted(used):
            if not self._backgrounds_of(split):
                total = sum(map(len, (self._backgrounds or {}).values()))
                self.refuse(
                    "backgrounds_shared",
                    f"none of {total} backgrounds fell into the split {split!r}; more backgrounds, other splits or "
                    "backgrounds_shared true would do",
                )
        self._said += self._background_warnings

    def examples(self, sample: Sample, rng: np.random.Generator) -> Iterator[Mapping[str, Any]]:
        """Yields one foreground over one background."""
        variation = draw_variation(rng)
        draws = Draws(*rng.random(4).tolist())
        choice = np.random.Generator(np.random.Philox(key=int(rng.integers(2**63))))
        background, background_id = self._background(sample, variation, choice)
        height, width = background.shape[:2]
        cutout = self._cutout(sample)
        if self.foreground_flip and draws.flip < 0.5:
            cutout = Cutout(cutout.colours[:, ::-1], cutout.alpha[:, ::-1])
        premultiplied = cutout.scaled(*self._size(cutout, (height, width), draws))
        top, left = self._corner(premultiplied.shape, (height, width), draws)
        image, alpha = composite(premultiplied, background, top, left, self.blending)
        example: Dict[str, Any] = {
            "height": height,
            "width": width,
            "alpha": encode_png(alpha),
            "background_id": background_id,
            "id": sample.id,
        }
        if "image" in self.input_attributes:
            example["image"] = self.pipeline.encode(image)
        if "trimap" in self.input_attributes:
            example["trimap"] = encode_png(trimap(alpha, self.trimap_px))
        if "background" in self.input_attributes:
            example["background"] = self.pipeline.encode(background)
        if "foreground" in self.input_attributes:
            colours = np.concatenate([cutout.scaled_colours(premultiplied), np.ones((*premultiplied.shape[:2], 1))], 2)
            colours[:, :, :3] *= premultiplied[:, :, 3:] > 0
            alone, _ = composite(colours.astype(np.float32), np.zeros_like(background), top, left, self.blending)
            example["foreground"] = self.pipeline.encode(alone)
        yield example

    def _size(self, cutout: Cutout, canvas: Tuple[int, int], draws: Draws) -> Tuple[int, int]:
        least, most = self.foreground_scale
        fitting = min(canvas[axis] / cutout.alpha.shape[axis] for axis in (0, 1))
        factor = (least + (most - least) * draws.scale) * fitting
        height, width = (max(1, round(side * factor)) for side in cutout.alpha.shape)
        return height, width

    def _corner(self, shape: Tuple[int, ...], canvas: Tuple[int, int], draws: Draws) -> Tuple[int, int]:
        corner: List[int] = []
        for axis, place in enumerate((draws.top, draws.left)):
            overhang = self.foreground_overhang * shape[axis]
            ends = sorted([-overhang, canvas[axis] - shape[axis] + overhang])
            corner.append(round(ends[0] + place * (ends[1] - ends[0])))
        return corner[0], corner[1]

    def _cutout(self, sample: Sample) -> Cutout:
        # Variations of a foreground come one after the other: its colours are estimated once for all of them.
        if self._last[0] != sample.id or self._last[1] is None:
            canvas = self.config["crop_size"] or self.config["image_size"]
            root = self.raw_data_path
            cutout = read_cutout(
                root / sample.photo,
                root / sample.data if sample.data else None,
                colours=self.foreground_colours,
                blending=self.blending,
                at_most=[max(self.foreground_scale) * side for side in canvas] if canvas else None,
            )
            self._last = sample.id, cutout
            return cutout
        return self._last[1]

    def _background(self, sample: Sample, variation: Variation, choice: np.random.Generator) -> Tuple[Image, str]:
        names = self._backgrounds_of(self._split(sample))
        if not names:
            raise RawMissing(f"there is no background for the split {self._split(sample)!r}")
        root = self.raw_data_paths["backgrounds"]
        for left in range(_BACKGROUND_TRIES, 0, -1):
            name = names[int(choice.integers(len(names)))]
            try:
                return self.pipeline.vary(root / name, variation), name
            except BadRawRecord as error:
                # The foreground is not to blame: another background stands in, as long as not all are bad.
                if left == 1:
                    raise
                print(f"background {name}: {error.reason}; another one stands in", file=sys.stderr)
        raise AssertionError("not reached")

    def _backgrounds_of(self, split: str) -> List[str]:
        if self._backgrounds is None:
            root = Path(self.raw_data_paths["backgrounds"])
            selection = Selection(self.config, root, _PREFIX)
            by_split: Dict[str, List[str]] = {}
            for background in selection.chosen(photo_samples(root)):
                by_split.setdefault(self._split(background), []).append(background.photo)
            self._backgrounds = by_split
            self._background_warnings = tuple(selection.warnings)
        return self._backgrounds.get(split, [])

    def _split(self, sample: Sample) -> str:
        return "" if self.backgrounds_shared else split_of(sample.split_key, self.splits)
