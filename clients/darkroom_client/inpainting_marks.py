"""Reads what is marked as people type it: boxes, polygons and strokes as numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from darkroom_client.errors import InvalidArgument
from darkroom_client.inpainting import Box, Marks, Point, Stroke

V = TypeVar("V", int, float)


def read_marks(
    boxes: Sequence[str], polygons: Sequence[str], strokes: Sequence[str], grow_px: int, feather_px: int
) -> Marks:
    """Return what the options mean. Raises `InvalidArgument` naming the option."""
    return Marks(
        tuple(read_box(each) for each in boxes),
        tuple(read_points("--polygon", each) for each in polygons),
        tuple(read_stroke(each) for each in strokes),
        grow_px,
        feather_px,
    )


def read_box(text: str) -> Box:
    """Return a box of ``x,y,width,height``."""
    values = _numbers(
        "--box", text, text.split(","), int, "X,Y,WIDTH,HEIGHT in whole pixels, for example 820,400,300,500"
    )
    if len(values) != 4:
        raise InvalidArgument(f"--box {text}: write X,Y,WIDTH,HEIGHT, for example 820,400,300,500")
    return values[0], values[1], values[2], values[3]


def read_points(option: str, text: str) -> tuple[Point, ...]:
    """Return points of ``x,y x,y ...``."""
    points = []
    for each in text.split():
        values = _numbers(option, text, each.split(","), float, 'points "X,Y X,Y X,Y"')
        if len(values) != 2:
            raise InvalidArgument(f'{option} {text}: {each} is no point; write "X,Y X,Y X,Y"')
        points.append((values[0], values[1]))
    return tuple(points)


def read_stroke(text: str) -> Stroke:
    """Return a stroke of ``width x,y x,y ...``."""
    width, _, points = text.strip().partition(" ")
    (width_px,) = _numbers("--stroke", text, [width], float, 'a width and points, "WIDTH X,Y X,Y"')
    return Stroke(read_points("--stroke", points), width_px)


def _numbers(option: str, text: str, parts: Sequence[str], kind: Callable[[str], V], wanted: str) -> list[V]:
    try:
        return [kind(part) for part in parts]
    except ValueError:
        raise InvalidArgument(f"{option} {text}: write {wanted}") from None
