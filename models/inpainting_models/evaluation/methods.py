"""Finds what is measured by its name: painters, strategies over painters, and anybody's own function."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inpainting_models.model_file_runtime import SUFFIXES
from inpainting_models.painting import Mask, Painter, Photo, at_multiple, paint_one

Files = tuple[Path, ...]

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
    files: Files = ()
    """What its results depend on besides this package."""


def baselines() -> list[Method]:
    """Return the methods that every run measures."""
    return [method(spec, name) for name, spec in BASELINES.items()]


def method(spec: str, name: str = "") -> Method:
    """Return the method of a spec: `PAINTER`, `STRATEGY:PAINTER` or `STRATEGY:PAINTER@HEIGHTxWIDTH`.

    PAINTER is a painter's name, a model file (`FILE`, or `FILE+DESCRIPTION`: a preset's name or a YAML file), or
    `package.module.function` for a `Paint` of your own. The size is the painter's training resolution, where it is not
    its own. Raises ValueError, naming what there is.
    """
    if not name and spec in BASELINES:
        return method(BASELINES[spec], spec)
    rest, _, size = spec.partition("@")
    strategy, _, painter_name = rest.rpartition(":")
    painter, files = _painter(painter_name)
    if not strategy:
        if size:
            raise ValueError(f"{spec!r}: a size needs a strategy, as in baseline:{painter_name}@{size}")
        return replace(_whole(name or spec, painter), files=files)
    if strategy not in STRATEGIES:
        raise ValueError(f"no strategy {strategy!r} (in {spec!r}); there are {', '.join(STRATEGIES)}")
    found = _strategic(name or spec, strategy, painter, parse_size(size) if size else painter.training_size)
    return replace(found, files=files)


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


def _painter(name: str) -> tuple[Painter, Files]:
    if "." not in name:
        from inpainting_models.painters import painter

        return painter(name), ()
    file, _, description = name.partition("+")
    if Path(file).suffix.lower() in SUFFIXES:
        return _of_a_file(file, description)
    module, _, attribute = name.rpartition(".")
    try:
        imported = importlib.import_module(module)
        found = getattr(imported, attribute)
    except (ImportError, AttributeError) as missing:
        raise ValueError(f"no function {name!r}: {missing}") from missing
    painter_of_it = found if isinstance(found, Painter) else Painter(name, found)
    return painter_of_it, (Path(imported.__file__),) if imported.__file__ else ()


def _of_a_file(file: str, description: str) -> tuple[Painter, Files]:
    from inpainting_models.model_file_painter import open_painter
    from inpainting_models.model_file_yaml import read_description

    painter = open_painter(file, read_description(description) if description else None)
    return painter, tuple(path for path in map(Path, (file, description)) if path.is_file())


class _Counted:
    """A painter's `paint` that counts the images given to it."""

    def __init__(self, painter: Painter) -> None:
        self.images = 0
        self._paint = at_multiple(painter.paint, painter.multiple)

    def paint(self, images: Photo, masks: Mask) -> Photo:
        self.images += len(images)
        return np.asarray(self._paint(images, masks), np.float32)
