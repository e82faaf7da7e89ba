"""Draws a contact sheet: for each sample its raw photo, and beside it what was made of it."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import cv2
import numpy as np

from dataset_handlers.image import Image
from dataset_handlers.lettering import shortened, text_width, write

CELL_PX = 192
MAX_WIDTH_PX = 2000
MAX_CELLS = 9
"""So many cells of a sample fit beside one another."""

_MAX_NUMBER = 127
"""Of a mask that numbers things; above it are shades."""

_GAP, _MARGIN, _BLOCK_GAP = 6, 28, 30
_TITLE, _TEXT, _SMALL = 24, 14, 12
_PAPER, _MOUNT, _INK, _FAINT = (24, 24, 26), (36, 36, 39), (232, 232, 232), (150, 150, 156)


class Cell(NamedTuple):
    """One picture with a word above it."""

    label: str
    image: "Image | None"
    """RGB or grey; None: ``note`` stands in its place."""
    note: str = ""


class Block(NamedTuple):
    """One sample: its cells in a row, and lines of text below."""

    cells: Sequence[Cell]
    captions: Sequence[str]


def draw_sheet(title: str, lines: Sequence[str], blocks: Sequence[Block]) -> Image:
    """Returns the sheet, RGB, at most `MAX_WIDTH_PX` wide; blocks stand beside one another as far as they fit."""
    cells = max([len(block.cells) for block in blocks] or [1])
    block_width = cells * CELL_PX + (cells - 1) * _GAP
    per_row = max(1, (MAX_WIDTH_PX - 2 * _MARGIN + _BLOCK_GAP) // (block_width + _BLOCK_GAP))
    per_row = max(1, min(per_row, len(blocks)))
    width = max(2 * _MARGIN + per_row * block_width + (per_row - 1) * _BLOCK_GAP, 640)
    wrapped = [part for line in lines for part in _wrapped(line, width - 2 * _MARGIN)]
    head = _MARGIN + _TITLE + 12 + len(wrapped) * (_TEXT + 7) + 14
    captions = max([len(block.captions) for block in blocks] or [0])
    block_height = _SMALL + 8 + CELL_PX + captions * (_TEXT + 5) + 8
    rows = -(-len(blocks) // per_row)
    height = head + rows * block_height + max(0, rows - 1) * _BLOCK_GAP // 2 + _MARGIN

    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    write(sheet, title, _MARGIN, _MARGIN + _TITLE - 4, _TITLE, _INK)
    for number, line in enumerate(wrapped):
        write(sheet, line, _MARGIN, _MARGIN + _TITLE + 12 + (number + 1) * (_TEXT + 7) - 7, _TEXT, _FAINT)
    for number, block in enumerate(blocks):
        row, column = divmod(number, per_row)
        top, left = head + row * (block_height + _BLOCK_GAP // 2), _MARGIN + column * (block_width + _BLOCK_GAP)
        _draw_block(sheet, block, top, left)
    return sheet


def _draw_block(sheet: Image, block: Block, top: int, left: int) -> None:
    picture_top = top + _SMALL + 8
    for number, cell in enumerate(block.cells):
        cell_left = left + number * (CELL_PX + _GAP)
        write(sheet, shortened(cell.label, _SMALL, CELL_PX), cell_left, top + _SMALL, _SMALL, _FAINT)
        mount = sheet[picture_top : picture_top + CELL_PX, cell_left : cell_left + CELL_PX]
        mount[:] = _MOUNT
        if cell.image is not None:
            _paste(mount, cell.image)
        for line, text in enumerate(_wrapped(cell.note, CELL_PX - 16)[:8]):
            write(mount, text, 8, 24 + line * (_SMALL + 6), _SMALL, (235, 140, 120))
    width = len(block.cells) * (CELL_PX + _GAP) - _GAP
    for number, caption in enumerate(block.captions):
        baseline = picture_top + CELL_PX + (number + 1) * (_TEXT + 5) - 1
        text = shortened(caption, _TEXT, width, keep_end=number == 0)
        write(sheet, text, left, baseline, _TEXT, _INK if number == 0 else _FAINT)


def _paste(mount: Image, image: Image) -> None:
    colour = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image[:, :, :3]
    scale = CELL_PX / max(colour.shape[:2])
    height, width = (max(1, min(CELL_PX, round(side * scale))) for side in colour.shape[:2])
    # A small image keeps its pixels visible: it is looked at for what it is.
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    top, left = (CELL_PX - height) // 2, (CELL_PX - width) // 2
    mount[top : top + height, left : left + width] = cv2.resize(colour, (width, height), interpolation=method)


def _wrapped(text: str, width_px: int) -> List[str]:
    lines: List[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, _TEXT) <= width_px:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def overlaid(image: Image, mask: Image) -> Image:
    """Returns RGB ``image`` with what ``mask`` (same size) says: a white part tinted, numbered parts each in a colour.

    A mask of many shades, such as an alpha matte or a trimap, is returned as it is: its shades are what it says.
    """
    values = np.unique(mask)
    if set(values.tolist()) <= {0, 255}:
        return tint(image, mask)
    if values[-1] > _MAX_NUMBER:
        return mask
    for value in values[values > 0].tolist():
        # Hues that go round by the golden ratio: numbers that are near have colours that are far.
        hue = np.array([[[int(value * 180 * 0.618) % 180, 230, 255]]], np.uint8)
        colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].tolist()
        image = tint(image, (mask == value).astype(np.uint8) * np.uint8(255), colour)
    return image


def tint(image: Image, mask: Image, colour: Sequence[int] = (255, 40, 170)) -> Image:
    """Returns RGB ``image`` with the white part of ``mask`` (same size) tinted, its rim drawn in full colour."""
    hole = mask > 127
    tinted = image.copy()
    tinted[hole] = (0.45 * image[hole] + 0.55 * np.array(colour)).astype(np.uint8)
    thickness = max(1, round(max(image.shape[:2]) / CELL_PX))
    contours, _ = cv2.findContours(hole.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tinted, contours, -1, colour, thickness)
    return tinted
