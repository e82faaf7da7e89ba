"""The compiled inner loops of PatchMatch: compare patches, search better ones, vote, copy, refine.

All work on rows `[first, last)` of a hole, run without Python's lock, and give the same result in whatever order or
number of threads the bands are run. Images are uint8 `(height, width * 4)`: red, green, blue, and texture.
Patches are 7x7. A `field` is int32 `(rows, columns, 2)`: for each patch centre of a window whose corner lies at
(`top`, `left`), the row and column of its source's centre.
"""

from __future__ import annotations

# numba derives the types of compiled functions from their calls; annotations would say nothing to it.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment"
import numba
import numpy as np

REACH = 3
"""A patch reaches so far from its centre: 7x7, as in Barnes et al. 2009."""
CHANNELS = 4
ROW_BYTES = (2 * REACH + 1) * CHANNELS

compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@compiled
def scrambled(state):
    """One step of a splitmix64 generator: the next state's 64 well-mixed bits."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@compiled
def patch_distance(image, y, x, source_y, source_x, limit):
    """Sum of squared differences of two patches; stops with what it has once that is over `limit`."""
    total = np.int32(0)
    for dy in range(-REACH, REACH + 1):
        ours = image[y + dy, (x - REACH) * CHANNELS : (x - REACH) * CHANNELS + ROW_BYTES]
        theirs = image[source_y + dy, (source_x - REACH) * CHANNELS : (source_x - REACH) * CHANNELS + ROW_BYTES]
        for k in range(ROW_BYTES):
            difference = np.int32(ours[k]) - np.int32(theirs[k])
            total += difference * difference
        if total > limit:
            return total
    return total


@compiled
def search_rows(
    image, is_source, is_target, top, left, field, cost, before, penalty, shifts, first, last, forward, radius, seed
):
    """One PatchMatch sweep over a band: take over neighbours' offsets, try the given shifts, then search at random.

    `before` is the field before the sweep, which a band reads where it reaches into another one. `penalty` is what
    copying from each 8x8 cell of the image costs beside the difference.
    """
    height, columns = is_target.shape
    image_height, image_width = is_source.shape
    step = 1 if forward else -1
    for row_index in range(first, last):
        row = row_index if forward else last - 1 - (row_index - first)
        for column_index in range(columns):
            column = column_index if forward else columns - 1 - column_index
            if not is_target[row, column]:
                continue
            y, x = row + top, column + left
            best_y, best_x = field[row, column, 0], field[row, column, 1]
            best = cost[row, column]
            # Propagation: the neighbour's source, moved along.
            for axis in range(2):
                near_row = row - step if axis == 0 else row
                near_column = column if axis == 0 else column - step
                if near_row < 0 or near_row >= height or near_column < 0 or near_column >= columns:
                    continue
                if not is_target[near_row, near_column]:
                    continue
                if first <= near_row < last:
                    try_y, try_x = field[near_row, near_column, 0], field[near_row, near_column, 1]
                else:
                    try_y, try_x = before[near_row, near_column, 0], before[near_row, near_column, 1]
                try_y += row - near_row
                try_x += column - near_column
                if try_y < 0 or try_x < 0 or try_y >= image_height or try_x >= image_width:
                    continue
                if (try_y == best_y and try_x == best_x) or not is_source[try_y, try_x]:
                    continue
                extra = penalty[try_y >> 3, try_x >> 3]
                distance = patch_distance(image, y, x, try_y, try_x, best - extra) + extra
                if distance < best:
                    best, best_y, best_x = distance, try_y, try_x
            # Shifts that suit the hole's rim continue its lines and lattices in phase.
            for k in range(shifts.shape[0]):
                try_y, try_x = y + shifts[k, 0], x + shifts[k, 1]
                if try_y < 0 or try_x < 0 or try_y >= image_height or try_x >= image_width:
                    continue
                if not is_source[try_y, try_x]:
                    continue
                extra = penalty[try_y >> 3, try_x >> 3]
                distance = patch_distance(image, y, x, try_y, try_x, best - extra) + extra
                if distance < best:
                    best, best_y, best_x = distance, try_y, try_x
            # Random search around the best, in ever smaller windows.
            state = scrambled(seed ^ (np.uint64(y) << np.uint64(32)) ^ np.uint64(x))
            reach = radius
            while reach >= 1:
                state += np.uint64(0x9E3779B97F4A7C15)
                bits = scrambled(state)
                span = np.uint64(2 * reach + 1)
                try_y = best_y - reach + np.int64((bits & np.uint64(0xFFFFFFFF)) % span)
                try_x = best_x - reach + np.int64((bits >> np.uint64(32)) % span)
                reach //= 2
                if try_y < 0 or try_x < 0 or try_y >= image_height or try_x >= image_width:
                    continue
                if not is_source[try_y, try_x]:
                    continue
                extra = penalty[try_y >> 3, try_x >> 3]
                distance = patch_distance(image, y, x, try_y, try_x, best - extra) + extra
                if distance < best:
                    best, best_y, best_x = distance, try_y, try_x
            field[row, column, 0], field[row, column, 1] = best_y, best_x
            cost[row, column] = best


@compiled
def measure_rows(image, is_target, top, left, field, cost, penalty, first, last):
    """Sets the cost of each patch's present source."""
    for row in range(first, last):
        for column in range(is_target.shape[1]):
            if is_target[row, column]:
                y, x = field[row, column, 0], field[row, column, 1]
                extra = penalty[y >> 3, x >> 3]
                cost[row, column] = patch_distance(image, row + top, column + left, y, x, np.int32(2147483647)) + extra


@compiled
def vote_rows(image, is_hole, is_target, top, left, field, weight, first, last):
    """Sets each pixel of the hole to the weighted mean of what the patches over it want it to be (Wexler et al. 2007).

    Sources hold no pixel of the hole, so bands may be run at once.
    """
    rows, columns = is_target.shape
    sums = np.zeros(CHANNELS, np.float32)
    for row in range(first, last):
        for column in range(columns):
            if not is_hole[row + top, column + left]:
                continue
            sums[:] = 0
            total = np.float32(0)
            for centre_row in range(max(0, row - REACH), min(rows, row + REACH + 1)):
                for centre_column in range(max(0, column - REACH), min(columns, column + REACH + 1)):
                    if not is_target[centre_row, centre_column]:
                        continue
                    vote = weight[centre_row, centre_column]
                    y = field[centre_row, centre_column, 0] + row - centre_row
                    x = (field[centre_row, centre_column, 1] + column - centre_column) * CHANNELS
                    for channel in range(CHANNELS):
                        sums[channel] += vote * np.float32(image[y, x + channel])
                    total += vote
            if total > 0:
                place = (column + left) * CHANNELS
                for channel in range(CHANNELS):
                    image[row + top, place + channel] = np.uint8(sums[channel] / total + np.float32(0.5))


@compiled
def finer_rows(
    coarse_field, coarse_target, coarse_top, coarse_left, is_source, is_target, top, left, field, first, last, seed
):
    """Sets a field from the one at half the resolution: doubled sources, and the place within the parent."""
    rows, columns = coarse_target.shape
    height, width = is_source.shape
    for row in range(first, last):
        for column in range(is_target.shape[1]):
            if not is_target[row, column]:
                continue
            y, x = row + top, column + left
            parent_row = min(max(y // 2 - coarse_top, 0), rows - 1)
            parent_column = min(max(x // 2 - coarse_left, 0), columns - 1)
            source_y, source_x = -1, -1
            if coarse_target[parent_row, parent_column]:
                source_y = 2 * coarse_field[parent_row, parent_column, 0] + y - 2 * (parent_row + coarse_top)
                source_x = 2 * coarse_field[parent_row, parent_column, 1] + x - 2 * (parent_column + coarse_left)
            state = scrambled(seed ^ (np.uint64(y) << np.uint64(32)) ^ np.uint64(x))
            reach = 1
            while (
                source_y < 0
                or source_x < 0
                or source_y >= height
                or source_x >= width
                or not is_source[source_y, source_x]
            ):
                # The doubled source touches the hole or the border: look nearby, then ever farther.
                state += np.uint64(0x9E3779B97F4A7C15)
                bits = scrambled(state)
                near_y = source_y if 0 <= source_y < height else y
                near_x = source_x if 0 <= source_x < width else x
                span = np.uint64(2 * reach + 1)
                try_y = near_y - reach + np.int64((bits & np.uint64(0xFFFFFFFF)) % span)
                try_x = near_x - reach + np.int64((bits >> np.uint64(32)) % span)
                if 0 <= try_y < height and 0 <= try_x < width and is_source[try_y, try_x]:
                    source_y, source_x = try_y, try_x
                reach = min(reach + 1, height + width)
            field[row, column, 0], field[row, column, 1] = source_y, source_x


@compiled
def count_usage(is_target, field, usage):
    """Counts how many patches are copied from each 8x8 cell."""
    usage[:] = 0
    for row in range(is_target.shape[0]):
        for column in range(is_target.shape[1]):
            if is_target[row, column]:
                usage[field[row, column, 0] >> 3, field[row, column, 1] >> 3] += 1
