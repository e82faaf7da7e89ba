"""Reads a `tf.train.Example` into NumPy values, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from darkroom_client.errors import DataLoss, InvalidArgument
from darkroom_client.image_decoding import decode_image
from darkroom_client.manifest import Feature, Shape

_Field = descriptor_pb2.FieldDescriptorProto


def decode_example(record: memoryview, features: Mapping[str, Feature], decode: bool = True) -> dict[str, Any]:
    """Return the features' values by name.

    A number or array feature gives an array of its shape, a single one a NumPy scalar. Bytes give, with ``decode``,
    what their encoding says (an image: uint8 `(height, width, channels)`, RGB; text: str), else bytes.
    """
    try:
        stored = _Example.FromString(record).features.feature
    except Exception as error:  # protobuf's DecodeError, which has no public home in every version
        raise DataLoss(f"a record is no tf.train.Example: {error}") from error
    values = {}
    for name, feature in features.items():
        # Of varying length it may be left out where there is nothing.
        if name not in stored and None not in feature.shape:
            raise DataLoss(f"a record lacks the feature {name!r} that the manifest promises")
        values[name] = _value(stored[name], feature, decode)
    return values


def _value(stored: Any, feature: Feature, decode: bool) -> Any:
    if feature.dtype == "bytes":
        items = [_decoded(item, feature) if decode else item for item in stored.bytes_list.value]
        if feature.shape == () and len(items) == 1:
            return items[0]
        if feature.encoding in ("jpeg", "png", "raw") and decode:
            return items
        held = np.empty(len(items), dtype=object)
        held[:] = items
        return _shaped(held, feature.shape, feature)
    if feature.dtype == "float32":
        packed = bytearray().join(stored.float_list.value)  # no bytes, so that the array can be written to
        return _shaped(np.frombuffer(packed, dtype="<f4"), feature.shape, feature)
    return _shaped(np.array(stored.int64_list.value, dtype=np.int64), feature.shape, feature)


def _shaped(values: np.ndarray[Any, Any], shape: Shape, feature: Feature) -> Any:
    if shape.count(None) > 1:  # the record does not say how long each side is
        return values
    try:
        shaped = values.reshape([-1 if length is None else length for length in shape])
    except ValueError as error:
        raise DataLoss(f"a record holds {values.size} values of {feature.name!r}, which has shape {shape}") from error
    return shaped[()] if shape == () else shaped


def _decoded(item: bytes, feature: Feature) -> Any:
    if feature.is_image:
        return decode_image(item, feature)
    if feature.encoding == "raw":
        values = np.frombuffer(item, dtype=np.dtype(feature.raw_dtype).newbyteorder("<"))
        return _shaped(values.copy(), feature.raw_shape, feature)
    if feature.encoding == "utf8":
        return item.decode("utf-8")
    if feature.encoding:
        raise InvalidArgument(
            f"the feature {feature.name!r} is encoded as {feature.encoding!r}, which this client cannot decode; "
            "read it with decode=False, or install a newer darkroom"
        )
    return item


def _example_class() -> Any:
    """Make the message class in a pool of its own: TensorFlow registers the same names in the common one."""
    file = descriptor_pb2.FileDescriptorProto(name="darkroom_client/example.proto", package="darkroom_client")
    file.syntax = "proto3"
    # Packed floats are one run of bytes on the wire, which NumPy reads without a loop.
    lists = {"BytesList": _Field.TYPE_BYTES, "FloatList": _Field.TYPE_BYTES, "Int64List": _Field.TYPE_INT64}
    for name, kind in lists.items():
        file.message_type.add(name=name).field.add(name="value", number=1, type=kind, label=_Field.LABEL_REPEATED)
    feature = file.message_type.add(name="Feature")
    for number, name in enumerate(lists, 1):
        field_name = name.replace("List", "_list").lower()
        feature.field.add(
            name=field_name, number=number, type=_Field.TYPE_MESSAGE, type_name=f".darkroom_client.{name}"
        )
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_Field.TYPE_STRING)
    entry.field.add(name="value", number=2, type=_Field.TYPE_MESSAGE, type_name=".darkroom_client.Feature")
    features.field.add(
        name="feature",
        number=1,
        type=_Field.TYPE_MESSAGE,
        type_name=".darkroom_client.Features.FeatureEntry",
        label=_Field.LABEL_REPEATED,
    )
    example = file.message_type.add(name="Example")
    example.field.add(name="features", number=1, type=_Field.TYPE_MESSAGE, type_name=".darkroom_client.Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("darkroom_client.Example"))


_Example = _example_class()
