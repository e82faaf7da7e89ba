"""Reads a split as `tf.data`: parsed by the manifest's features, decoded, in parallel, in a repeatable order."""

from __future__ import annotations

from typing import Any

from darkroom_client.dataset import Dataset
from darkroom_client.manifest import Feature

PARALLEL_FILES = 4
# Reading ahead in large pieces is what makes many files as fast as one.
READ_BYTES = 1 << 18


def read_as_tf(
    dataset: Dataset, split: str, *, shuffle_seed: int | None, shuffle_buffer: int, batch_size: int, decode: bool
) -> Any:
    """Return the `tf.data.Dataset`; see `Dataset.as_tf`."""
    import tensorflow as tf

    features = dataset.features
    files = [str(file) for file in dataset.files(split)]
    columns = {name: _column(tf, feature) for name, feature in features.items()}

    def parse(record: Any) -> dict[str, Any]:
        values = tf.io.parse_single_example(record, columns)
        return {name: _value(tf, values[name], feature, decode) for name, feature in features.items()}

    if shuffle_seed is None:
        examples = tf.data.TFRecordDataset(files, buffer_size=READ_BYTES)
    else:
        names = tf.data.Dataset.from_tensor_slices(files).shuffle(max(1, len(files)), seed=shuffle_seed)
        examples = names.interleave(
            lambda file: tf.data.TFRecordDataset(file, buffer_size=READ_BYTES),
            cycle_length=PARALLEL_FILES,
            num_parallel_calls=PARALLEL_FILES,
            deterministic=True,
        ).shuffle(shuffle_buffer, seed=shuffle_seed)
    # Before the map and not after it: between map and batch it would keep the two from being fused.
    examples = examples.apply(tf.data.experimental.assert_cardinality(dataset.splits[split]))
    examples = examples.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if batch_size and all(feature.is_static or not decode for feature in features.values()):
        examples = examples.batch(batch_size)
    elif batch_size:
        examples = examples.ragged_batch(batch_size)
    return examples.prefetch(tf.data.AUTOTUNE)


def _column(tf: Any, feature: Feature) -> Any:
    dtype = {"bytes": tf.string, "int64": tf.int64, "float32": tf.float32}[feature.dtype]
    if None not in feature.shape:
        return tf.io.FixedLenFeature(feature.shape, dtype)
    # Of several sides that vary a record does not say how long each is, so the values come flat.
    inner = feature.shape[1:] if feature.shape[0] is None and None not in feature.shape[1:] else ()
    return tf.io.FixedLenSequenceFeature(inner, dtype, allow_missing=True)


def _value(tf: Any, value: Any, feature: Feature, decode: bool) -> Any:
    if not decode or feature.dtype != "bytes" or feature.encoding not in ("jpeg", "png", "raw"):
        return value
    if feature.shape == ():
        return _decoded(tf, value, feature)
    inner = feature.image_shape if feature.is_image else feature.raw_shape
    if None in inner:
        return value  # pictures of several sizes in one example stay encoded
    signature = tf.TensorSpec(inner, tf.uint8 if feature.is_image else tf.dtypes.as_dtype(feature.raw_dtype))
    return tf.map_fn(lambda item: _decoded(tf, item, feature), value, fn_output_signature=signature)


def _decoded(tf: Any, value: Any, feature: Feature) -> Any:
    if feature.is_image:
        decode = tf.io.decode_jpeg if feature.encoding == "jpeg" else tf.io.decode_png
        return tf.ensure_shape(decode(value, channels=feature.image_shape[-1] or 0), feature.image_shape)
    shape = feature.raw_shape
    if feature.raw_dtype == "bool":
        value = tf.cast(tf.io.decode_raw(value, tf.uint8), tf.bool)
    else:
        value = tf.io.decode_raw(value, tf.dtypes.as_dtype(feature.raw_dtype))
    if shape.count(None) > 1:
        return value
    return tf.ensure_shape(tf.reshape(value, [-1 if length is None else length for length in shape]), shape)
