"""Writes text into an image: in a real typeface where OpenCV has one (5.0), in its stroke font where not."""

from __future__ import annotations

from typing import Any, Tuple

import cv2

from dataset_handlers.image import Image

Colour = Tuple[int, int, int]

_FACE: Any = cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None
_STROKE = cv2.FONT_HERSHEY_SIMPLEX


def write(image: Image, text: str, left: int, baseline: int, size_px: int, colour: Colour) -> None:
    """Writes ``text`` into ``image``; characters that the typeface lacks become question marks."""
    if not text:
        return
    if _FACE is not None:
        cv2.putText(image, text, (left, baseline), colour, _FACE, size_px, 400)
    else:
        cv2.putText(image, _ascii(text), (left, baseline), _STROKE, _scale(size_px), colour, 1, cv2.LINE_AA)


def text_width(text: str, size_px: int) -> int:
    """Returns how many pixels wide ``text`` is."""
    if not text:
        return 0
    if _FACE is not None:
        return int(cv2.getTextSize((1, 1), text, (0, 0), _FACE, size_px, 400)[2])
    return int(cv2.getTextSize(_ascii(text), _STROKE, _scale(size_px), 1)[0][0])


def shortened(text: str, size_px: int, width_px: int, keep_end: bool = False) -> str:
    """Returns ``text`` cut to fit into ``width_px``, with dots where it was cut; ``keep_end`` keeps a path's name."""
    if text_width(text, size_px) <= width_px:
        return text
    for length in range(len(text) - 1, 0, -1):
        short = "..." + text[-length:] if keep_end else text[:length] + "..."
        if text_width(short, size_px) <= width_px:
            return short
    return ""


def _ascii(text: str) -> str:
    return text.replace("·", "-").encode("ascii", "replace").decode("ascii")


def _scale(size_px: int) -> float:
    return size_px / 30
