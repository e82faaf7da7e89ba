"""Finds what is measured by its name: painters, strategies over painters, and anybody's own function."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inpainting_models.painting import Mask, Painter, Photo, at_multiple, paint_one

STRATEGIES = ("baseline", "shrinking-mask", "two-step", "combined", "detail")

BASELINES = {
    "mean": "mean",
    "telea": "telea",
    "ns": "ns",
    "ns-grain": "ns-grain",
    "bicubic": "baseline:ns@256x340",
}
"""Always measured. `bicubic` is the plainest way to a large photo: fill it small, enlarge, keep the hole."""


@dataclass(frozen=True)
class Filled:
    """A photo with its hole filled."""

    photo: Photo
    passes: int
    """How many times the painter was given an image."""


@dataclass(frozen=True)
class Method:
    """Something that fills holes, under the name it has in the tables."""

    name: str
    fill: Callable[[Photo, Mask], Filled]
    description: str = ""


def baselines() -> list[Method]:
    """Return the methods that every run measures."""
    return [method(spec, name) for name, spec in BASELINES.items()]


def method(spec: str, name: str = "") -> Method:
    """Return the method of a spec: `PAINTER`, `STRATEGY:PAINTER` or `STRATEGY:PAINTER@HEIGHTxWIDTH`.

    PAINTER is a painter's name, or `package.module.function` for a `Paint` of your own. The size is the painter's
    training resolution, where it is not its own. Raises ValueError, naming what there is.
    """
    if not name and spec in BASELINES:
        return method(BASELINES[spec], spec)
    rest, _, size = spec.partition("@")
    strategy, _, painter_name = rest.rpartition(":")
    painter = _painter(painter_name)
    if not strategy:
        if size:
            raise ValueError(f"{spec!r}: a size needs a strategy, as in baseline:{painter_name}@{size}")
        return _whole(name or spec, painter)
    if strategy not in STRATEGIES:
        raise ValueError(f"no strategy {strategy!r} (in {spec!r}); there are {', '.join(STRATEGIES)}")
    return _strategic(name or spec, strategy, painter, parse_size(size) if size else painter.training_size)


def parse_size(text: str) -> tuple[int, int]:
    """Return `(height, width)` of `512x680`, or of `256` for a square. Raises ValueError."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise ValueError(f"no size {text!r}: write HEIGHTxWIDTH, for example 512x680")
    return int(sides[0]), int(sides[-1])


def _whole(name: str, painter: Painter) -> Method:
    def fill(photo: Photo, mask: Mask) -> Filled:
        counted = _Counted(painter)
        return Filled(paint_one(counted.paint, photo, mask), counted.images)

    return Method(name, fill, painter.description)


def _strategic(name: str, strategy: str, painter: Painter, training_size: tuple[int, int] | None) -> Method:
    module = strategy.replace("-", "_")
    function = getattr(importlib.import_module(f"inpainting_models.{module}"), module)

    def fill(photo: Photo, mask: Mask) -> Filled:
        counted = _Counted(painter)
        result = function(counted.paint, photo, mask, training_size)
        return Filled(result, counted.images)

    size = f" at {training_size[0]}x{training_size[1]}" if training_size else ""
    return Method(name, fill, f"{strategy} over {painter.name}{size}")


def _painter(name: str) -> Painter:
    if "." not in name:
        from inpainting_models.painters import painter

        return painter(name)
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as missing:
        raise ValueError(f"no function {name!r}: {missing}") from missing
    return found if isinstance(found, Painter) else Painter(name, found)


class _Counted:
    """A painter's `paint` that counts the images given to it."""

    def __init__(self, painter: Painter) -> None:
        self.images = 0
        self._paint = at_multiple(painter.paint, painter.multiple)

    def paint(self, images: Photo, masks: Mask) -> Photo:
        self.images += len(images)
        return np.asarray(self._paint(images, masks), np.float32)
