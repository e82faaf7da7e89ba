"""Reads two JPEGs' coded blocks side by side and writes one: unit by unit from the first or from the second.

Huffman coding as in ITU-T T.81, annex F; nothing is dequantised, so a block comes out with the numbers it went in with.
"""

from __future__ import annotations

# numba derives the types of compiled functions from their calls; annotations would say nothing to it.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment"
import numba
import numpy as np

compiled = numba.njit(cache=True, nogil=True, error_model="numpy")

# What a reader or writer knows: its place in the bytes, the bits it holds, and how many those are.
PLACE, BITS, COUNT = 0, 1, 2


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
        bits = (bits << 8 | byte) & 0xFFFFFFFFFFFF
        count += 8
    return place, bits, count


@compiled
def signed(value, size):
    """Returns the number that `size` bits say, as T.81's EXTEND."""
    return value if size == 0 or value >> (size - 1) else value - (1 << size) + 1


@compiled
def read_block(data, reader, dc, ac, before, block):
    """Reads 64 coefficients in zigzag order; `before` is the last block's first one. False where they are damaged."""
    block[:] = 0
    # In variables of its own: the compiler keeps them in registers.
    place, bits, count = filled(data, reader[PLACE], reader[BITS], reader[COUNT])
    found = np.int64(dc[bits >> (count - 16) & 0xFFFF])
    size = found & 255
    if found == 0 or size > 15:
        return False
    count -= (found >> 8) + size
    block[0] = before + signed(bits >> count & ((1 << size) - 1), size)
    index = 1
    while index < 64:
        if count <= 32:
            place, bits, count = filled(data, place, bits, count)
        found = np.int64(ac[bits >> (count - 16) & 0xFFFF])
        if found == 0:
            return False
        run, size = found >> 4 & 15, found & 15
        count -= (found >> 8) + size
        if size == 0:
            if run < 15:
                break
            index += 16
            continue
        index += run
        if index > 63:
            return False
        block[index] = signed(bits >> count & ((1 << size) - 1), size)
        index += 1
    reader[PLACE], reader[BITS], reader[COUNT] = place, bits, count
    return True


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


@compiled
def write(out, writer, code, size):
    """Writes the lowest `size` bits of `code`."""
    writer[BITS] = (writer[BITS] << size | (code & ((1 << size) - 1))) & 0xFFFFFFFFFFFF
    writer[COUNT] += size
    while writer[COUNT] >= 8:
        writer[COUNT] -= 8
        byte = writer[BITS] >> writer[COUNT] & 255
        out[writer[PLACE]] = byte
        writer[PLACE] += 1
        if byte == 0xFF:
            out[writer[PLACE]] = 0
            writer[PLACE] += 1


@compiled
def bits_of(value):
    """How many bits a number's magnitude has."""
    magnitude, size = abs(value), 0
    while magnitude:
        magnitude >>= 1
        size += 1
    return size


@compiled
def write_coded(out, writer, lengths, codes, both, value, size):
    """Writes a symbol and the number behind it; False where the symbol has no code."""
    if lengths[both] == 0:
        return False
    write(out, writer, np.int64(codes[both]), np.int64(lengths[both]))
    write(out, writer, value if value >= 0 else value - 1, size)
    return True


@compiled
def write_block(out, writer, dc_lengths, dc_codes, ac_lengths, ac_codes, before, block):
    """Writes 64 coefficients; False where the codes have no way to say them."""
    difference = block[0] - before
    size = bits_of(difference)
    if not write_coded(out, writer, dc_lengths, dc_codes, size, difference, size):
        return False
    run = 0
    for place in range(1, 64):
        value = block[place]
        if value == 0:
            run += 1
            continue
        while run > 15:
            if not write_coded(out, writer, ac_lengths, ac_codes, 0xF0, 0, 0):
                return False
            run -= 16
        size = bits_of(value)
        if size > 15 or not write_coded(out, writer, ac_lengths, ac_codes, run << 4 | size, value, size):
            return False
        run = 0
    return run == 0 or write_coded(out, writer, ac_lengths, ac_codes, 0, 0, 0)


@compiled
def splice_units(first, first_symbols, first_tables, restart_units, second, second_symbols, lengths, codes, layout,
                 second_tables, from_second, out):  # fmt: skip
    """Writes all units and returns how many bytes they took, or -1 where one cannot be read or written.

    `layout` has each component's (blocks in a unit), the `_tables` its (DC, AC) tables; `from_second` is one flag for
    each unit. `lengths` and `codes` are the second's, and the output's.
    """
    one, two, writer = np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64)
    count = layout.size
    # The last first coefficient of each component, of which the next one says only the difference.
    before_one, before_two, before_out = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64)
    block_one, block_two = np.zeros(64, np.int64), np.zeros(64, np.int64)
    for unit in range(from_second.size):
        if restart_units and unit and unit % restart_units == 0:
            if not restart(first, one):
                return -1
            before_one[:] = 0
        for component in range(count):
            dc, ac = first_tables[component, 0], first_tables[component, 1]
            own_dc, own_ac = second_tables[component, 0], second_tables[component, 1]
            for _ in range(layout[component]):
                if not read_block(first, one, first_symbols[dc], first_symbols[ac], before_one[component], block_one):
                    return -1
                if not read_block(
                    second, two, second_symbols[own_dc], second_symbols[own_ac], before_two[component], block_two
                ):
                    return -1
                before_one[component], before_two[component] = block_one[0], block_two[0]
                block = block_two if from_second[unit] else block_one
                # A block takes at most 64 symbols of 16 bits and 15 more each, with a zero behind every byte.
                if writer[PLACE] + 1024 > out.size:
                    return -1
                if not write_block(out, writer, lengths[own_dc], codes[own_dc], lengths[own_ac], codes[own_ac],
                                   before_out[component], block):  # fmt: skip
                    return -1
                before_out[component] = block[0]
    if writer[COUNT]:
        write(out, writer, 127, 7)
    return writer[PLACE]
