"""``tf.train.Example`` in its wire encoding, without TensorFlow or protobuf: encoded deterministically, and decoded.

Features are sorted by name and numbers packed: the same example always has the same bytes.
"""

from __future__ import annotations

import struct
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple, Union

import numpy as np

from dataset_handlers.features import Feature, Signature, feature_of

_LIST_TAG = {"bytes": b"\x0a", "float32": b"\x12", "int64": b"\x1a"}


class BadExample(ValueError):
    """Some bytes are no ``tf.train.Example``."""


def encode_example(values: Mapping[str, Any]) -> bytes:
    """Returns one example; ``values`` as `features` describes them."""
    return encode_features({name: feature_of(value) for name, value in values.items()})


def encode_features(features: Mapping[str, Feature]) -> bytes:
    """Returns one example of features that are ready."""
    entries: List[bytes] = []
    for name in sorted(features):
        key = name.encode("utf-8")
        body = _encode_feature(features[name])
        size_bytes = sum(map(len, body))
        entry_head = b"".join((b"\x0a", _varint(len(key)), key, b"\x12", _varint(size_bytes)))
        entries += (b"\x0a", _varint(len(entry_head) + size_bytes), entry_head, *body)
    return b"".join((b"\x0a", _varint(sum(map(len, entries))), *entries))


def decode_example(data: bytes) -> Dict[str, Union[List[bytes], List[int], List[float]]]:
    """Returns each feature's values; raises ``BadExample`` for bytes that are no example."""
    try:
        features: Dict[str, Any] = {}
        for number, part in _fields(data):
            if number == 1:
                for inner_number, entry in _fields(_bytes_field(part)):
                    if inner_number == 1:
                        pair = dict(_fields(_bytes_field(entry)))
                        features[bytes(_bytes_field(pair[1])).decode("utf-8")] = _decode_feature(pair.get(2, b""))
        return features
    except (IndexError, KeyError, ValueError, struct.error) as error:
        raise BadExample(f"no tf.train.Example: {error}") from None


def example_signatures(data: bytes) -> Dict[str, Signature]:
    """Returns what each feature is, without making its numbers; raises ``BadExample`` for bytes that are no example."""
    try:
        found: Dict[str, Signature] = {}
        for number, part in _fields(data):
            if number == 1:
                for inner_number, entry in _fields(_bytes_field(part)):
                    if inner_number == 1:
                        pair = dict(_fields(_bytes_field(entry)))
                        found[bytes(_bytes_field(pair[1])).decode("utf-8")] = _count_feature(pair.get(2, b""))
        return found
    except (IndexError, KeyError, ValueError, struct.error) as error:
        raise BadExample(f"no tf.train.Example: {error}") from None


def _encode_feature(feature: Feature) -> Sequence[bytes]:
    dtype, values = feature.signature.dtype, feature.values
    if not dtype:
        return ()
    body: Sequence[bytes]
    if dtype == "bytes":
        body = [part for value in values for part in (b"\x0a", _varint(len(value)), value)]
    else:
        packed = _pack_floats(values) if dtype == "float32" else _pack_integers(values)
        body = (b"\x0a", _varint(len(packed)), packed) if packed else ()
    return (_LIST_TAG[dtype], _varint(sum(map(len, body))), *body)


def _pack_floats(values: Any) -> bytes:
    return bytes(np.asarray(values, dtype="<f4").tobytes())


def _pack_integers(values: Any) -> bytes:
    if len(values) < 32:
        return b"".join([_varint(int(value) & 0xFFFFFFFFFFFFFFFF) for value in values])
    # All varints at once: ten columns of seven bits, of which each number keeps as many as it needs.
    numbers = np.asarray(values, dtype=np.int64).astype(np.uint64)
    groups = (numbers[:, None] >> (np.arange(10, dtype=np.uint64) * np.uint64(7))) & np.uint64(0x7F)
    lengths = 10 - np.argmax(groups[:, ::-1] != 0, axis=1)
    lengths[numbers == 0] = 1
    columns = np.arange(10)
    more = columns[None, :] < (lengths - 1)[:, None]
    encoded = groups.astype(np.uint8) | (more.astype(np.uint8) << 7)
    return bytes(encoded[columns[None, :] < lengths[:, None]].tobytes())


def _varint(value: int) -> bytes:
    if value < 0x80:
        return _SHORT[value]
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SHORT = [bytes([value]) for value in range(0x80)]


def _read_varint(data: memoryview, offset: int) -> Tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, offset
        shift += 7
        if shift > 63:
            raise ValueError("a number is longer than 10 bytes")


def _fields(data: Any) -> Iterator[Tuple[int, Any]]:
    view = memoryview(data)
    offset = 0
    while offset < len(view):
        tag, offset = _read_varint(view, offset)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, offset = _read_varint(view, offset)
            yield number, value
            continue
        if wire_type == 2:
            length, offset = _read_varint(view, offset)
        elif wire_type in (1, 5):
            length = 8 if wire_type == 1 else 4
        else:
            raise ValueError(f"wire type {wire_type}")
        if offset + length > len(view) or number == 0:
            raise ValueError("it is cut off")
        yield number, view[offset : offset + length]
        offset += length


def _bytes_field(value: Any) -> Any:
    if isinstance(value, int):
        raise ValueError("a number stands where bytes should be")
    return value


def _decode_feature(data: Any) -> Any:
    for kind, body in _fields(_bytes_field(data)):
        parts = [part for number, part in _fields(_bytes_field(body)) if number == 1]
        if kind == 1:
            return [bytes(_bytes_field(part)) for part in parts]
        if kind == 2:
            return [value for part in parts for value in np.frombuffer(_bytes_field(part), "<f4").tolist()]
        if kind == 3:
            return [number for part in parts for number in _decode_integers(part)]
    return []


def _count_feature(data: Any) -> Signature:
    for kind, body in _fields(_bytes_field(data)):
        parts = [part for number, part in _fields(_bytes_field(body)) if number == 1]
        if kind == 1 and parts:
            values = [bytes(_bytes_field(part)) for part in parts]
            return feature_of(values[0] if len(values) == 1 else values).signature
        if kind in (2, 3):
            count = sum(map(_count_floats if kind == 2 else _count_integers, parts))
            if count:
                return Signature("float32" if kind == 2 else "int64", () if count == 1 else (count,))
    return Signature("", (0,))


def _count_floats(part: Any) -> int:
    return len(_bytes_field(part)) // 4


def _count_integers(part: Any) -> int:
    # The last byte of each number is the one without the high bit.
    return 1 if isinstance(part, int) else int(np.count_nonzero(np.frombuffer(part, np.uint8) < 0x80))


def _decode_integers(part: Any) -> Iterator[int]:
    if isinstance(part, int):
        yield _signed(part)
        return
    offset = 0
    while offset < len(part):
        value, offset = _read_varint(part, offset)
        yield _signed(value)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
