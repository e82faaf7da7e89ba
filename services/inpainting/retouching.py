"""Takes one photo from its file to its filled file: decoding, painting as often as asked, encoding."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from inpainting import codec
from inpainting.hole import Hole, check_shapes, make_hole
from inpainting.image_header import check_header
from inpainting.model_catalog import ModelCatalog
from inpainting.photo import Photo
from inpainting.photo_sources import PhotoSources
from inpainting.preview import PreviewCanvas
from inpainting.strategies import STRATEGIES, Planned, Strategy, Turn, usual_strategy, windows_of
from inpainting.task import MAX_CANDIDATES, Candidate, Options, Outcome, Preview, Stage, Step, Task, Tell
from inpainting_models.crops import Box
from inpainting_models.painting import Cancel, Cancelled, Mask, NothingLeft, Paint, Painter
from inpainting_models.painting import Photo as PhotoValues
from service_kit.errors import InvalidArgument
from service_kit.spare_memory import give_back

SEEDS = 1 << 63
# From here on a photo needs the room that decoding and earlier photos have left.
HUGE_PIXELS = 40_000_000
LARGE_SHARE = 0.4


class Retouching:
    """Does tasks, one in each thread that calls."""

    def __init__(self, catalog: ModelCatalog, sources: PhotoSources, max_pixels: int) -> None:
        self._catalog = catalog
        self._sources = sources
        self._max_pixels = max_pixels

    def check(self, task: Task) -> None:
        """Refuse at once what can be seen without decoding. Raises `InvalidArgument` naming the fields."""
        options = task.options
        violations = []
        known = {model.name for model in self._catalog.models()}
        if options.model and options.model not in known:
            violations.append(
                ("options.model", f"no model {options.model[:100]!r}; there are {', '.join(sorted(known))}")
            )
        if options.strategy not in ("", "auto", *STRATEGIES):
            names = ", ".join(("auto", *STRATEGIES))
            violations.append(("options.strategy", f"no strategy {options.strategy[:100]!r}; there are {names}"))
        if not 1 <= options.candidate_count <= MAX_CANDIDATES:
            violations.append(
                ("options.candidate_count", f"must be from 1 to {MAX_CANDIDATES}, not {options.candidate_count}")
            )
        if options.seed < 0:
            violations.append(("options.seed", f"must be 0 or more, not {options.seed}"))
        if task.photo.empty:
            violations.append(("photo", "is missing: set content, name or object"))
        if violations:
            raise InvalidArgument.of(violations)
        check_shapes(task.shapes, not task.mask_image.empty)
        for name, source in (("photo", task.photo), ("mask.image", task.mask_image)):
            if source.content:
                check_header(source.content, self._max_pixels, name)

    def settled(self, options: Options) -> Options:
        """Return the options with the default model by its name, so that a new default changes no old job."""
        return replace(options, model=options.model or self._catalog.default)

    def run(self, task: Task, tell: Tell, cancel: Cancel, *, previews: bool = False) -> Outcome:
        """Return the results. Raises `InvalidArgument`, `NotFound`, `Cancelled` soon after ``cancel`` says so."""
        tell(Step(Stage.DECODING))
        data = self._sources.read(task.photo, "photo")
        photo = codec.decode(data, self._max_pixels, "photo")
        stop_if(cancel)
        if photo.height * photo.width > HUGE_PIXELS:
            give_back()
        hole = make_hole((photo.height, photo.width), task.shapes, self._mask_image(task), self._max_pixels, cancel)
        stop_if(cancel)
        if not hole.mask.any():
            unchanged = Candidate(data, "", "", "the mask is empty", (), 0, 0.0, task.options.seed)
            return Outcome((unchanged,))
        del data
        canvas = PreviewCanvas(photo, hole.mask) if previews else None
        return Outcome(tuple(self._candidates(task.options, photo, hole, canvas, tell, cancel)))

    def _mask_image(self, task: Task) -> bytes | None:
        return None if task.mask_image.empty else self._sources.read(task.mask_image, "mask.image")

    def _candidates(
        self, options: Options, photo: Photo, hole: Hole, canvas: PreviewCanvas | None, tell: Tell, cancel: Cancel
    ) -> Iterator[Candidate]:
        model = self._catalog.model(options.model)
        count, warnings = options.candidate_count, _honest_words(hole.mask)
        number = 0
        while number < count:
            seed = (options.seed + number) % SEEDS
            run = _Run(tell, cancel, canvas, np.random.default_rng(seed))
            painter = self._catalog.painter(model.name, seed, run.progress, cancel)
            strategy = STRATEGIES[_strategy_name(options.strategy, painter)]
            if count > 1 and not model.seeded and not strategy.seeded:
                warnings.append(f"{model.name} by {strategy.name} knows no chance: one result is all there is")
                count = 1
            run.of = f"candidate {number + 1} of {count}, " if count > 1 else ""
            number += 1
            # Painting changes the pixels in place; the last one needs no copy.
            work = replace(photo, pixels=photo.pixels.copy()) if number < count else photo
            begin_s = time.monotonic()
            planned = run.fill(work, hole, painter, strategy)
            elapsed_s = time.monotonic() - begin_s
            stop_if(cancel)
            tell(Step(Stage.ENCODING, plan=planned.text))
            yield Candidate(
                codec.encode(work, changed=hole.mask),
                model.name,
                strategy.name,
                "; ".join(dict.fromkeys(run.reasons)) or planned.text,
                tuple(dict.fromkeys((*warnings, *run.warnings))),
                planned.pass_count,
                elapsed_s,
                seed,
                tuple(dict.fromkeys(run.methods)),
            )


@dataclass
class _Run:
    """One painting of one photo."""

    tell: Tell
    cancel: Cancel
    canvas: PreviewCanvas | None
    rng: np.random.Generator
    of: str = ""
    window: str = ""
    plan: str = ""
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Tell what a painter or strategy says of itself."""
        stop_if(self.cancel)
        step = f"{self.of}{self.window}{stage} {min(done + 1, total)} of {total}" if total else f"{self.of}{stage}"
        self.tell(Step(Stage.PAINTING, 0, step, done, total, self.plan))

    def fill(self, photo: Photo, hole: Hole, painter: Painter, strategy: Strategy) -> Planned:
        """Paint the holes, in place."""
        windows = windows_of(strategy, hole.mask)
        planned = strategy.plan(painter, hole.mask, windows)
        self.plan = planned.text
        turn = Turn(self.rng, self.progress, self.cancel)
        for number, box in enumerate(windows):
            stop_if(self.cancel)
            self.window = f"crop {number + 1} of {len(windows)}, " if len(windows) > 1 else ""
            self.tell(Step(Stage.PAINTING, 0, f"{self.of}{self.window}".rstrip(", "), number, len(windows), self.plan))
            seen = replace(painter, paint=self._shown(painter, box)) if self.canvas else painter
            crop = photo.crop(box.top, box.left, box.height, box.width)
            try:
                painted = strategy.paint(seen, crop, np.ascontiguousarray(hole.mask[box.slices]), turn)
            except NothingLeft:
                raise InvalidArgument.of([("mask", _too_much(strategy.name))]) from None
            photo.paste(box.top, box.left, painted.photo, hole.weight(box))
            self._preview(box, painted.photo)
            self.reasons.extend(painted.reasons)
            self.warnings.extend(painted.warnings)
            self.methods.extend(painted.methods)
        return planned

    def _shown(self, painter: Painter, box: Box) -> Paint:
        def shown(images: PhotoValues, masks: Mask) -> PhotoValues:
            painted = painter.paint(images, masks)
            self._preview(box, painted[0])
            return painted

        return shown

    def _preview(self, box: Box, painted: PhotoValues) -> None:
        if self.canvas is not None:
            self.tell(Preview(self.canvas.show(box, painted)))


def stop_if(cancel: Cancel) -> None:
    """Raise `Cancelled` when the caller does not want the rest any more."""
    if cancel():
        raise Cancelled


def _strategy_name(asked: str, painter: Painter) -> str:
    return usual_strategy(painter) if asked in ("", "auto") else asked


def _too_much(strategy: str) -> str:
    return f"leaves nothing to paint from at the size at which {strategy} paints; mark less, or take another strategy"


def _honest_words(mask: Mask) -> list[str]:
    share = float(mask.mean())
    return [f"the hole is {share:.0%} of the photo: no method knows what was there"] if share > LARGE_SHARE else []
