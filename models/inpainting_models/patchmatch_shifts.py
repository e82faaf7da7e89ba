"""Begins a coarse hole with few whole shifts of the photo: what continues lines and lattices, where patches see fog.

Shifts that suit the hole's rim, whole or in parts, are found by template matching; each pixel then takes the shift
that leaves the least visible seams to its neighbours (the shift-maps of Pritch et al. 2009, with candidates from the
photo as in He and Sun 2012; solved by min-sum belief propagation).
"""

from __future__ import annotations

# numba derives the types of compiled functions from their calls; annotations would say nothing to it.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment"
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.patchmatch_kernels import CHANNELS, compiled
from inpainting_models.patchmatch_pyramid import Level

RIM_PX = 4
"""How much of what is known around the hole a shift must suit."""
PARTS = 12
PART_REACH_PX = 6
SHIFTS_EACH = 5
"""So many of the best shifts are tried for the whole rim and for each of its parts."""
MOST_SHIFTS = 48
ROUNDS = 24
MOST_PIXELS = 700
NEVER = np.float32(1e7)


def rim_shifts(level: Level) -> NDArray[np.int32]:
    """Returns rows of (down, right): shifts under which the hole's rim, or a part of it, finds its like."""
    height, width = level.is_hole.shape
    pixels = level.image.reshape(height, width, CHANNELS).astype(np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RIM_PX + 1, 2 * RIM_PX + 1))
    rim = cv2.dilate(level.is_hole, disc) & (1 - level.is_hole)
    shifts: list[tuple[int, int]] = []
    for top, left, bottom, right in _parts(rim):
        mask = rim[top:bottom, left:right].astype(np.float32)
        template = pixels[top:bottom, left:right]
        # The same mask for each channel: OpenCV wants it as deep as the picture.
        difference = cv2.matchTemplate(pixels, template, cv2.TM_SQDIFF, mask=np.repeat(mask[..., None], CHANNELS, 2))
        touched = cv2.matchTemplate(level.is_hole.astype(np.float32), mask, cv2.TM_CCORR)
        difference[touched > 0.5] = np.inf
        difference[max(0, top - 1) : top + 2, max(0, left - 1) : left + 2] = np.inf
        for _ in range(SHIFTS_EACH):
            row, column = np.unravel_index(np.argmin(difference), difference.shape)
            if not np.isfinite(difference[row, column]):
                break
            shifts.append((int(row) - top, int(column) - left))
            difference[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = np.inf
    unique = list(dict.fromkeys(shifts))[:MOST_SHIFTS]
    return np.array(unique, np.int32).reshape(-1, 2)


def _parts(rim: NDArray[np.uint8]) -> Iterator[tuple[int, int, int, int]]:
    """Yields boxes (top, left, bottom, right): the whole rim's, then one around every so manieth pixel of it."""
    places = np.argwhere(rim)
    if not len(places):
        return
    (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0) + 1
    yield int(top), int(left), int(bottom), int(right)
    # In the order of their direction from the middle, so that the parts lie all around.
    middle = places.mean(axis=0)
    order = np.argsort(np.arctan2(*(places - middle).T), kind="stable")
    for index in np.linspace(0, len(places), PARTS, endpoint=False).astype(int):
        y, x = places[order[index]]
        yield (
            max(0, int(y) - PART_REACH_PX),
            max(0, int(x) - PART_REACH_PX),
            min(rim.shape[0], int(y) + PART_REACH_PX + 1),
            min(rim.shape[1], int(x) + PART_REACH_PX + 1),
        )


def shifted_sources(
    level: Level, shifts: NDArray[np.int32], check: Callable[[], None] = lambda: None
) -> NDArray[np.int32] | None:
    """Returns for each pixel of the hole (in row order) the pixel to copy.

    None where the shifts do not cover it, or where it is too large for this. `check` is called often and may raise.
    """
    height, width = level.is_hole.shape
    places = np.argwhere(level.is_hole)
    if not len(shifts) or not 0 < len(places) <= MOST_PIXELS:
        return None
    sources = places[:, None] + shifts[None]
    inside = (sources >= 0).all(2) & (sources[..., 0] < height) & (sources[..., 1] < width)
    rows = np.clip(sources[..., 0], 0, height - 1)
    columns = np.clip(sources[..., 1], 0, width - 1)
    possible = inside & (level.is_source[rows, columns] > 0)
    if not possible.any(axis=1).all():
        return None
    pixels = level.image.reshape(height, width, CHANNELS).astype(np.float32)
    values = pixels[rows, columns]
    costs = np.where(possible, np.float32(0), NEVER)
    index = np.full((height, width), -1, np.int32)
    index[tuple(places.T)] = np.arange(len(places))
    neighbours = np.full((len(places), 4), -1, np.int32)
    for side, (down, right) in enumerate(((-1, 0), (0, -1), (1, 0), (0, 1))):
        near = places + np.array([down, right])
        there = (near >= 0).all(1) & (near[:, 0] < height) & (near[:, 1] < width)
        near_rows, near_columns = near[there].T
        neighbours[there, side] = index[near_rows, near_columns]
        # A known neighbour, shifted along, should look as it does.
        known = np.flatnonzero(there)[index[near_rows, near_columns] < 0]
        y, x = places[known].T + np.array([[down], [right]])
        moved_rows = np.clip(y[:, None] + shifts[None, :, 0], 0, height - 1)
        moved_columns = np.clip(x[:, None] + shifts[None, :, 1], 0, width - 1)
        costs[known] += 2 * ((pixels[moved_rows, moved_columns] - pixels[y, x][:, None]) ** 2).sum(2)
    messages = np.zeros((len(places), 4, len(shifts)), np.float32)
    for _ in range(ROUNDS):
        check()
        messages = pass_messages(values, costs, neighbours, messages)
    best = np.argmin(costs + messages.sum(axis=1), axis=1)
    result: NDArray[np.int32] = sources[np.arange(len(places)), best].astype(np.int32)
    return result


@compiled
def pass_messages(values, costs, neighbours, messages):
    """One round of min-sum belief propagation; `messages[i, side]` is what the neighbour at `side` tells pixel i."""
    count, sides, shifts = messages.shape
    result = np.zeros_like(messages)
    belief = np.zeros(shifts, np.float32)
    for sender in range(count):
        for side in range(sides):
            receiver = neighbours[sender, side]
            if receiver < 0:
                continue
            for mine in range(shifts):
                belief[mine] = costs[sender, mine]
                for other in range(sides):
                    if other != side:
                        belief[mine] += messages[sender, other, mine]
            least = np.float32(3e38)
            back = (side + 2) % 4
            for theirs in range(shifts):
                told = belief[theirs]
                for mine in range(shifts):
                    if belief[mine] >= told:
                        continue
                    seam = np.float32(0)
                    for channel in range(values.shape[2]):
                        here = values[sender, mine, channel] - values[sender, theirs, channel]
                        there = values[receiver, mine, channel] - values[receiver, theirs, channel]
                        seam += here * here + there * there
                    told = min(told, belief[mine] + seam)
                result[receiver, back, theirs] = told
                least = min(least, told)
            for theirs in range(shifts):
                result[receiver, back, theirs] -= least
    return result
