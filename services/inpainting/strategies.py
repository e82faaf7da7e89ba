"""The strategies by name: the one table from which the service runs, lists and checks them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from inpainting_models.auto import auto
from inpainting_models.baseline import baseline, plan_baseline
from inpainting_models.combined import combined, plan_combined
from inpainting_models.crops import Box
from inpainting_models.detail import detail, detail_crops, plan_detail
from inpainting_models.painting import Cancel, Cancelled, Mask, Paint, Painter, Photo, Progress, paint_one
from inpainting_models.plan import Plan
from inpainting_models.shrinking_mask import plan_shrinking_mask, shrinking_mask
from inpainting_models.two_step import plan_two_step, two_step
from service_kit.errors import InvalidArgument

WHOLE_FRAME_PX = 30_000_000
"""Up to so many pixels the strategies of whole frames see the whole photo; of a larger one they see windows."""
MAX_WINDOW_PX = 40_000_000
"""What one window may have: in floating point, with its painter's copies, that is about 2 GB."""
# These look at the photo's own patches themselves: as coarse fill for `detail` they would only do it twice.
OWN_DETAIL = frozenset({"auto", "patchmatch"})


@dataclass(frozen=True)
class Turn:
    """Whom a strategy asks and tells while it paints one window, and where its chance comes from."""

    rng: np.random.Generator
    progress: Progress
    cancel: Cancel


@dataclass(frozen=True)
class Painted:
    """One window, filled, and what its painter says about it."""

    photo: Photo
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    """What a painter that chooses did."""


@dataclass(frozen=True)
class Planned:
    """What is going to be done."""

    text: str
    pass_count: int


@dataclass(frozen=True)
class Strategy:
    """A way to drive a painter over a large photo: window by window, so that memory follows the largest window."""

    name: str
    description: str
    windows: Callable[[Mask], list[Box]]
    """The parts of the photo that are painted one after the other; together they hold every hole."""
    paint: Callable[[Painter, Photo, Mask, Turn], Painted]
    plan: Callable[[Painter, Mask, Sequence[Box]], Planned]
    seeded: bool = False
    """Whether another seed gives other pixels although the model knows no chance."""


def windows_of(strategy: Strategy, mask: Mask) -> list[Box]:
    """Return the strategy's windows. Raises `InvalidArgument` where one is too large to be painted at once."""
    windows = strategy.windows(mask)
    for box in windows:
        if box.height * box.width > MAX_WINDOW_PX:
            size = (
                f"{box.width}x{box.height} pixels, and at most {MAX_WINDOW_PX / 1e6:g} megapixels are painted at once"
            )
            raise InvalidArgument.of([("mask", f"a hole with what is around it has {size}: mark it in parts")])
    return windows


def usual_strategy(painter: Painter) -> str:
    """Return what `auto` means for a painter: one without a training size sees the photo's own pixels."""
    return "native" if painter.training_size is None else "detail"


def _native(painter: Painter, photo: Photo, mask: Mask, turn: Turn) -> Painted:
    if painter.name == "auto":
        done = auto(photo, mask, turn.rng, progress=turn.progress, cancel=turn.cancel)
        reasons = tuple(f"auto: {choice.method}, because {choice.why}" for choice in done.choices)
        warnings = tuple(choice.warning for choice in done.choices if choice.warning)
        return Painted(done.photo, reasons, warnings, tuple(choice.method for choice in done.choices))
    return Painted(paint_one(painter.paint, photo, mask))


def _plan_native(painter: Painter, mask: Mask, windows: Sequence[Box]) -> Planned:
    count = len(windows)
    return Planned(f"native: {count} {'crop' if count == 1 else 'crops'} at the photo's own resolution", count)


def _detail(painter: Painter, photo: Photo, mask: Mask, turn: Turn) -> Painted:
    coarse = None if painter.name in OWN_DETAIL else _stopping(painter.paint, turn.cancel)
    filled = detail(
        coarse, photo, mask, painter.training_size, rng=turn.rng, progress=turn.progress, cancel=turn.cancel
    )
    return Painted(filled)


def _frames(mask: Mask) -> list[Box]:
    if mask.size > WHOLE_FRAME_PX:
        return detail_crops(mask)
    return [Box(0, 0, *mask.shape)] if mask.any() else []


def _framed(strategy: Callable[..., Photo], painter: Painter, photo: Photo, mask: Mask, turn: Turn) -> Painted:
    paint = _stopping(painter.paint, turn.cancel)
    return Painted(strategy(paint, photo, mask, painter.training_size, progress=turn.progress))


def _plan(plan: Callable[..., Plan], painter: Painter, mask: Mask, windows: Sequence[Box]) -> Planned:
    plans = []
    for box in windows:
        # A plan looks at shapes and mask alone: a photo that takes no memory will do.
        empty = np.broadcast_to(np.float32(0), (box.height, box.width, 3))
        plans.append(plan(empty, np.ascontiguousarray(mask[box.slices]), painter.training_size))
    text = str(plans[0]) if plans else "nothing to paint"
    if len(plans) > 1:
        text += f", in the first of {len(plans)} windows"
    return Planned(text, sum(len(each.passes) for each in plans))


def _stopping(paint: Paint, cancel: Cancel) -> Paint:
    def stopping(images: Photo, masks: Mask) -> Photo:
        if cancel():
            raise Cancelled
        return paint(images, masks)

    return stopping


def _whole_frame(name: str, description: str, run: Callable[..., Photo], plan: Callable[..., Plan]) -> Strategy:
    return Strategy(name, description, _frames, partial(_framed, run), partial(_plan, plan))


STRATEGIES = {
    each.name: each
    for each in (
        Strategy("native", "crops around the holes, at their own resolution", detail_crops, _native, _plan_native),
        Strategy(
            "detail",
            "the model's fill says what belongs there, the photo's own patches how it looks",
            detail_crops,
            _detail,
            partial(_plan, plan_detail),
            seeded=True,
        ),
        _whole_frame("baseline", "the whole photo small, enlarged bicubically", baseline, plan_baseline),
        _whole_frame(
            "shrinking_mask", "the whole photo small, from the rim inwards", shrinking_mask, plan_shrinking_mask
        ),
        _whole_frame("two_step", "the whole photo small, then rims at twice the size", two_step, plan_two_step),
        _whole_frame("combined", "shrinking_mask, then the second step of two_step", combined, plan_combined),
    )
}
