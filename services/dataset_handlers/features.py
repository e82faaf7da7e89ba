"""What a record's features are: kind, shape and encoding, found from the values that a handler yields.

A value becomes one of TensorFlow's three kinds of feature:

=========================================  ==========================================================
value                                      feature
=========================================  ==========================================================
bytes                                      bytes; the encoding of a JPEG or PNG is noticed
str                                        bytes, encoding ``utf8``
int, bool, NumPy integer                   int64
float, NumPy float                         float32
list or tuple of one of these              the same kind, shape ``[length]``
array of 8- or 16-bit integers or bools    bytes, encoding ``raw``, with ``raw_dtype`` and ``raw_shape``
array of wider integers, of floats         int64, float32, with its shape
=========================================  ==========================================================
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from dataset_handlers.errors import HandlerError
from dataset_handlers.image_header import read_header

Shape = Tuple[Optional[int], ...]


class Signature(NamedTuple):
    """What one value of a feature was, apart from the value."""

    dtype: str
    """``bytes``, ``int64``, ``float32``; empty: an empty list, which fits each of them."""
    shape: Shape
    encoding: str = ""
    inner_shape: Shape = ()
    """Of the image or of the raw array."""
    raw_dtype: str = ""


class Feature(NamedTuple):
    """One value, ready to be encoded."""

    signature: Signature
    values: Sequence[Any]
    """bytes, ints or floats; or a flat array of int64 or float32."""


def feature_of(value: Any) -> Feature:
    """Returns a handler's value as a feature; raises ``TypeError`` or ``ValueError`` for one that has no kind."""
    if isinstance(value, bytes):
        return Feature(_bytes_signature(value), (value,))
    if isinstance(value, str):
        return Feature(_TEXT, (value.encode("utf-8", "surrogateescape"),))
    if isinstance(value, (int, np.integer, np.bool_)):
        return Feature(_INTEGER, (_int64(value),))
    if isinstance(value, (float, np.floating)):
        return Feature(_FLOAT, (float(value),))
    if isinstance(value, np.ndarray):
        return _array_feature(value)
    if isinstance(value, (bytearray, memoryview)):
        return feature_of(bytes(value))
    if isinstance(value, (list, tuple)):
        return _list_feature(value)
    raise TypeError(f"{type(value).__name__} is no feature; bytes, int, float, str, a list or an array would do")


def merge_signatures(name: str, signatures: Sequence[Signature]) -> Dict[str, Any]:
    """Returns one feature's entry of the manifest; sides that differ become null."""
    known = [signature for signature in signatures if signature.dtype]
    if not known:
        return {"dtype": "bytes", "shape": [None]}
    dtypes = sorted({signature.dtype for signature in known})
    if len(dtypes) > 1:
        raise HandlerError(f"feature {name!r} is {dtypes[0]} in one example and {dtypes[1]} in another")
    feature: Dict[str, Any] = {"dtype": dtypes[0], "shape": _merged([s.shape for s in signatures])}
    encodings = {signature.encoding for signature in known}
    if len(encodings) == 1 and known[0].encoding:
        feature["encoding"] = known[0].encoding
        inner = _merged([signature.inner_shape for signature in known])
        if known[0].encoding in ("jpeg", "png"):
            feature["image_shape"] = inner
        elif known[0].encoding == "raw":
            raw_dtypes = {signature.raw_dtype for signature in known}
            if len(raw_dtypes) > 1:
                raise HandlerError(f"feature {name!r} holds arrays of {' and of '.join(sorted(raw_dtypes))}")
            feature.update(raw_dtype=known[0].raw_dtype, raw_shape=inner)
    return feature


def merge_features(left: Mapping[str, Any], right: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns the features of two shards of one dataset together; an empty side has no say.

    Raises ``HandlerError`` for a feature that only one of them holds, or that is of another kind.
    """
    if not left or not right:
        return {**left, **right}
    if set(left) != set(right):
        lone = sorted(set(left) ^ set(right))
        raise HandlerError(f"only some examples hold {', '.join(map(repr, lone))}; every example must hold the same")
    return {name: merge_signatures(name, [_signature(left[name]), _signature(right[name])]) for name in sorted(left)}


_TEXT = Signature("bytes", (), "utf8")
_INTEGER = Signature("int64", ())
_FLOAT = Signature("float32", ())


def _int64(value: Any) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{number} does not fit into int64")
    return number


def _bytes_signature(value: bytes) -> Signature:
    header = read_header(value)
    if header is None or header.format not in ("jpeg", "png"):
        return Signature("bytes", ())
    return Signature("bytes", (), header.format, (header.height, header.width, header.channels))


def _array_feature(array: Any) -> Feature:
    kind = array.dtype.kind
    if kind in "SUO":
        return feature_of(array.tolist())
    if kind == "b" or (kind in "iu" and array.dtype.itemsize <= 2):
        if array.ndim == 0:
            return feature_of(array.item())
        # Little-endian whatever the machine, so that the bytes are the same everywhere.
        raw = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        return Feature(Signature("bytes", (), "raw", array.shape, array.dtype.name), (raw.tobytes(),))
    if kind in "iu":
        if array.dtype == np.uint64 and array.size and int(array.max()) >= 2**63:
            raise ValueError(f"{int(array.max())} does not fit into int64")
        return Feature(Signature("int64", array.shape), array.astype(np.int64).ravel())
    if kind == "f":
        return Feature(Signature("float32", array.shape), array.astype(np.float32).ravel())
    raise TypeError(f"an array of {array.dtype} is no feature")


def _list_feature(items: Sequence[Any]) -> Feature:
    if not items:
        return Feature(Signature("", (0,)), ())
    parts = [feature_of(item) for item in items]
    if any(part.signature.shape != () or part.signature.encoding == "raw" for part in parts):
        raise TypeError("a list of lists or arrays is no feature; one array would do")
    dtypes = {part.signature.dtype for part in parts}
    if dtypes == {"int64", "float32"}:
        dtypes = {"float32"}
    if len(dtypes) > 1:
        raise TypeError("a list of numbers and texts is no feature")
    dtype = dtypes.pop()
    encodings = {part.signature.encoding for part in parts}
    encoding = encodings.pop() if len(encodings) == 1 else ""
    inner = tuple(_merged([part.signature.inner_shape for part in parts])) if encoding else ()
    values = [part.values[0] for part in parts]
    return Feature(
        Signature(dtype, (len(items),), encoding, inner), list(map(float, values)) if dtype == "float32" else values
    )


def _merged(shapes: Sequence[Shape]) -> List[Optional[int]]:
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return list(first)
    if len({len(shape) for shape in shapes}) > 1:
        # One value here and a list there: a list of any length.
        return [None]
    return [sides[0] if len(set(sides)) == 1 else None for sides in zip(*shapes)]


def _signature(feature: Mapping[str, Any]) -> Signature:
    inner = feature.get("image_shape", feature.get("raw_shape", ()))
    return Signature(
        feature["dtype"],
        tuple(feature["shape"]),
        feature.get("encoding", ""),
        tuple(inner),
        feature.get("raw_dtype", ""),
    )
