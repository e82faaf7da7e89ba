"""Fills a coarse hole layer by layer from its rim, comparing only what is known so far: where PatchMatch begins."""

from __future__ import annotations

# numba derives the types of compiled functions from their calls; annotations would say nothing to it.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment"
import numpy as np

from inpainting_models.patchmatch_kernels import CHANNELS, REACH, compiled, scrambled

SHARPNESS = np.float32(4)


@compiled
def known_distance(image, is_known, y, x, source_y, source_x, limit):
    """Mean squared difference over the target patch's known pixels, times the size of a patch."""
    total, count = 0.0, 0
    for dy in range(-REACH, REACH + 1):
        for dx in range(-REACH, REACH + 1):
            if not is_known[y + dy, x + dx]:
                continue
            count += 1
            for channel in range(CHANNELS):
                ours = np.float32(image[y + dy, (x + dx) * CHANNELS + channel])
                theirs = np.float32(image[source_y + dy, (source_x + dx) * CHANNELS + channel])
                total += (ours - theirs) * (ours - theirs)
    if count == 0:
        return limit
    return total / count * (2 * REACH + 1) * (2 * REACH + 1)


@compiled
def paint_layer(image, is_known, layer, sources, is_source, field, cost, seed, sweeps):
    """Finds a source for each patch centred at `layer` (rows of y, x), then sets these pixels by the patches' votes.

    `field` and `cost` are of the whole image; patches of earlier layers keep theirs and lend them to neighbours.
    """
    height, width = is_known.shape
    infinite = np.float32(3e38)
    for index in range(layer.shape[0]):
        y, x = layer[index, 0], layer[index, 1]
        cost[y, x] = infinite
        field[y, x, 0] = -1
    state = seed
    for sweep in range(sweeps):
        for position in range(layer.shape[0]):
            index = position if sweep % 2 == 0 else layer.shape[0] - 1 - position
            y, x = layer[index, 0], layer[index, 1]
            centre_y, centre_x = min(max(y, REACH), height - 1 - REACH), min(max(x, REACH), width - 1 - REACH)
            best, best_y, best_x = cost[y, x], field[y, x, 0], field[y, x, 1]
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    near_y, near_x = y + dy, x + dx
                    if near_y < 0 or near_x < 0 or near_y >= height or near_x >= width:
                        continue
                    if field[near_y, near_x, 0] < 0:
                        continue
                    try_y, try_x = field[near_y, near_x, 0] - dy, field[near_y, near_x, 1] - dx
                    if try_y < 0 or try_x < 0 or try_y >= height or try_x >= width or not is_source[try_y, try_x]:
                        continue
                    distance = known_distance(image, is_known, centre_y, centre_x, try_y, try_x, infinite)
                    if distance < best:
                        best, best_y, best_x = distance, try_y, try_x
            for attempt in range(24):
                state += np.uint64(0x9E3779B97F4A7C15)
                bits = scrambled(state)
                if attempt < 12 or best_y < 0:
                    chosen = sources[bits % np.uint64(sources.shape[0])]
                    try_y, try_x = chosen[0], chosen[1]
                else:
                    reach = max(1, max(height, width) >> (attempt - 11))
                    span = np.uint64(2 * reach + 1)
                    try_y = best_y - reach + np.int64((bits & np.uint64(0xFFFFFFFF)) % span)
                    try_x = best_x - reach + np.int64((bits >> np.uint64(32)) % span)
                    if try_y < 0 or try_x < 0 or try_y >= height or try_x >= width or not is_source[try_y, try_x]:
                        continue
                distance = known_distance(image, is_known, centre_y, centre_x, try_y, try_x, infinite)
                if distance < best or best_y < 0:
                    best, best_y, best_x = distance, try_y, try_x
            cost[y, x], field[y, x, 0], field[y, x, 1] = best, best_y, best_x
    painted = np.zeros((layer.shape[0], CHANNELS), np.float32)
    for index in range(layer.shape[0]):
        y, x = layer[index, 0], layer[index, 1]
        total = np.float32(0)
        # A mean of differing opinions is fog: the best patch over the pixel outweighs all that are much worse.
        least = infinite
        for dy in range(-REACH, REACH + 1):
            for dx in range(-REACH, REACH + 1):
                near_y, near_x = y + dy, x + dx
                if 0 <= near_y < height and 0 <= near_x < width and field[near_y, near_x, 0] >= 0:
                    least = min(least, cost[near_y, near_x])
        for dy in range(-REACH, REACH + 1):
            for dx in range(-REACH, REACH + 1):
                near_y, near_x = y + dy, x + dx
                if near_y < 0 or near_x < 0 or near_y >= height or near_x >= width or field[near_y, near_x, 0] < 0:
                    continue
                # At the border the patch that was compared is not centred at the pixel it belongs to.
                from_y, from_x = field[near_y, near_x, 0], field[near_y, near_x, 1]
                centre_y = min(max(near_y, REACH), height - 1 - REACH)
                centre_x = min(max(near_x, REACH), width - 1 - REACH)
                if abs(y - centre_y) > REACH or abs(x - centre_x) > REACH:
                    continue
                vote = np.exp(-SHARPNESS * cost[near_y, near_x] / (least + np.float32(200)))
                for channel in range(CHANNELS):
                    value = image[from_y + y - centre_y, (from_x + x - centre_x) * CHANNELS + channel]
                    painted[index, channel] += vote * np.float32(value)
                total += vote
        for channel in range(CHANNELS):
            painted[index, channel] /= total
    for index in range(layer.shape[0]):
        y, x = layer[index, 0], layer[index, 1]
        for channel in range(CHANNELS):
            image[y, x * CHANNELS + channel] = np.uint8(painted[index, channel] + np.float32(0.5))
        is_known[y, x] = 1
