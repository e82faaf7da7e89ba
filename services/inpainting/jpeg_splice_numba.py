"""Copies a JPEG's coded blocks one by one, with other codes, and puts those of a second JPEG in between.

Huffman coding as in ITU-T T.81, annex F. A copied block is not even decoded: its symbols are read, and written again
with the second file's codes, with the same bits behind them. So it comes out with the numbers that it went in with.
"""

from __future__ import annotations

# numba derives the types of compiled functions from their calls; annotations would say nothing to it.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment"
import numba
import numpy as np

compiled = numba.njit(cache=True, nogil=True, error_model="numpy")

# What a reader or writer knows: its place in the bytes, the bits it holds, and how many those are.
PLACE, BITS, COUNT = 0, 1, 2
# A number of 64 bits with a sign never holds more.
HELD = (1 << 62) - 1
SHORT_BITS = 10
DAMAGED = -(1 << 40)
# 64 symbols of at most 16 bits with 15 more behind each, and a zero behind every byte.
MOST_BLOCK_BYTES = 1024


@compiled
def splice_units(first, first_symbols, first_tables, restart_units, columns, second, second_symbols, second_tables, box,
                 blocks, lengths, codes, is_changed, out):  # fmt: skip
    """Writes all units and returns how many bytes they took, or -1 where one cannot be read or written.

    `first` has `columns` units in each row, `second` those of `box` (top, left, bottom, right, in units) alone.
    `is_changed` is one flag for each unit: it is taken from the second, and lies in the box. `blocks` says how many of
    each component a unit has, the `_tables` its (DC, AC) tables. `lengths` and `codes` are those of the output.
    """
    one, two, writer = np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64)
    # The last first coefficient of each component, of which the next one says only the difference.
    before_one, before_two = np.zeros(blocks.size, np.int64), np.zeros(blocks.size, np.int64)
    before_out = np.zeros(blocks.size, np.int64)
    for unit in range(is_changed.size):
        row, column = unit // columns, unit % columns
        in_box = box[0] <= row < box[2] and box[1] <= column < box[3]
        if restart_units and unit and unit % restart_units == 0:
            if not restart(first, one):
                return -1
            before_one[:] = 0
        # The second's units are read along, so that its place is right when one is needed.
        for component in range(blocks.size):
            own_dc, own_ac = second_tables[component, 0], second_tables[component, 1]
            dc, ac = first_tables[component, 0], first_tables[component, 1]
            for _ in range(blocks[component]):
                if writer[PLACE] + MOST_BLOCK_BYTES > out.size:
                    return -1
                found = copy_block(first, one, first_symbols[dc], first_symbols[ac], before_one[component], out, writer,
                                   lengths[own_dc], codes[own_dc], lengths[own_ac], codes[own_ac],
                                   before_out[component], not is_changed[unit])  # fmt: skip
                if found == DAMAGED:
                    return -1
                before_one[component] = found
                if in_box:
                    found = copy_block(second, two, second_symbols[own_dc], second_symbols[own_ac],
                                       before_two[component], out, writer,
                                       lengths[own_dc], codes[own_dc], lengths[own_ac], codes[own_ac],
                                       before_out[component], is_changed[unit])  # fmt: skip
                    if found == DAMAGED:
                        return -1
                    before_two[component] = found
                before_out[component] = before_two[component] if is_changed[unit] else before_one[component]
    # The last byte is filled with ones.
    place, bits, count = emitted(out, writer[PLACE], writer[BITS], writer[COUNT], 127, 7)
    return flushed(out, place, bits, count)[0]


@compiled
def copy_block(data, reader, dc, ac, before, out, writer, dc_lengths, dc_codes, ac_lengths, ac_codes, before_out, kept):
    """Reads a block, writes it if it is `kept`, and returns its first coefficient; DAMAGED where either cannot be.

    `before` and `before_out` are the first coefficients of the blocks before it, where it is read and where it goes.
    """
    # In variables of its own: the compiler keeps them in registers.
    place, bits, count = filled(data, reader[PLACE], reader[BITS], reader[COUNT])
    out_place, out_bits, out_count = writer[PLACE], writer[BITS], writer[COUNT]
    found = symbol(dc, bits, count)
    size = found & 255
    if found == 0 or size > 15:
        return DAMAGED
    count -= (found >> 8) + size
    value = bits >> count & ((1 << size) - 1)
    first = before + (value if size == 0 or value >> (size - 1) else value - (1 << size) + 1)
    if kept:
        difference = first - before_out
        size = bits_of(difference)
        length = np.int64(dc_lengths[size])
        if length == 0:
            return DAMAGED
        value = (difference if difference >= 0 else difference - 1) & ((1 << size) - 1)
        out_place, out_bits, out_count = emitted(
            out, out_place, out_bits, out_count, np.int64(dc_codes[size]) << size | value, length + size
        )
    index = 1
    while index < 64:
        if count <= 32:
            place, bits, count = filled(data, place, bits, count)
        found = symbol(ac, bits, count)
        both, size = found & 255, found & 15
        if found == 0:
            return DAMAGED
        count -= (found >> 8) + size
        if kept:
            length = np.int64(ac_lengths[both])
            if length == 0:
                return DAMAGED
            value = bits >> count & ((1 << size) - 1)
            out_place, out_bits, out_count = emitted(
                out, out_place, out_bits, out_count, np.int64(ac_codes[both]) << size | value, length + size
            )
        # Nothing with a run of less than 15 zeros is the end of the block.
        if size == 0 and both < 0xF0:
            break
        index += (both >> 4) + 1
    if index > 64:
        return DAMAGED
    reader[PLACE], reader[BITS], reader[COUNT] = place, bits, count
    writer[PLACE], writer[BITS], writer[COUNT] = out_place, out_bits, out_count
    return first


@compiled
def symbol(symbols, bits, count):
    """Returns the next code's length times 256 plus its symbol, or 0 where there is none."""
    # Nearly all codes are short, and their table stays in the processor's first cache.
    short = np.int64(symbols[(1 << 16) + (bits >> (count - SHORT_BITS) & ((1 << SHORT_BITS) - 1))])
    return short if short else np.int64(symbols[bits >> (count - 16) & 0xFFFF])


@compiled
def filled(data, place, bits, count):
    """Reads ahead to more than 32 bits; behind a marker there are only zeros."""
    while count <= 32:
        byte = 0
        if place < data.size:
            byte = np.int64(data[place])
            if byte != 0xFF:
                place += 1
            elif place + 1 < data.size and data[place + 1] == 0:
                place += 2
            else:
                byte = 0
        bits = (bits << 8 | byte) & HELD
        count += 8
    return place, bits, count


@compiled
def emitted(out, place, bits, count, code, size):
    """Writes the `size` bits of `code`, at most 31; up to 31 wait for more."""
    bits = (bits << size | code) & HELD
    count += size
    # Seldom and many at once: a processor guesses wrong at each turn of a short loop.
    if count >= 32:
        place, count = flushed(out, place, bits, count)
    return place, bits, count


@compiled
def flushed(out, place, bits, count):
    """Writes all whole bytes that wait, and returns the new place and how many bits still do."""
    while count >= 8:
        count -= 8
        byte = bits >> count & 255
        out[place] = byte
        place += 1
        if byte == 0xFF:
            out[place] = 0
            place += 1
    return place, count


@compiled
def bits_of(value):
    """How many bits a number's magnitude has."""
    magnitude, size = abs(value), 0
    while magnitude:
        magnitude >>= 1
        size += 1
    return size


@compiled
def restart(data, reader):
    """Goes on behind a restart marker; False where there is none."""
    place = reader[PLACE]
    reader[BITS], reader[COUNT] = 0, 0
    while place + 1 < data.size and data[place] == 0xFF and data[place + 1] == 0xFF:
        place += 1
    if place + 1 >= data.size or data[place] != 0xFF or not 0xD0 <= data[place + 1] <= 0xD7:
        return False
    reader[PLACE] = place + 2
    return True
