"""Reads a handler's TFRecord files as ``tf.data``; the only place of this package that imports TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional, Sequence

from dataset_handlers.errors import HandlerError
from dataset_handlers.records import infer_features


def read_as_tf(files: Sequence[str], batch_size: Optional[int] = None) -> Any:
    """Returns a ``tf.data.Dataset`` of feature dicts; images decoded to uint8, raw arrays to their type and shape."""
    import tensorflow as tf

    features = infer_features([Path(file) for file in files])
    if not features:
        raise HandlerError("the files hold no tf.train.Example; override tf_records_mapper() to read them")
    spec = {name: _column(tf, feature) for name, feature in features.items()}

    def parse(record: Any) -> Dict[str, Any]:
        parsed = tf.io.parse_single_example(record, spec)
        return {name: _decoded(tf, value, features[name]) for name, value in parsed.items()}

    dataset = tf.data.TFRecordDataset(list(map(str, files))).map(parse, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset if batch_size is None else dataset.batch(batch_size)
    return dataset.prefetch(tf.data.AUTOTUNE)


def _column(tf: Any, feature: Dict[str, Any]) -> Any:
    dtype = {"bytes": tf.string, "int64": tf.int64, "float32": tf.float32}[feature["dtype"]]
    if None in feature["shape"]:
        return tf.io.RaggedFeature(dtype)
    return tf.io.FixedLenFeature(feature["shape"], dtype)


def _decoded(tf: Any, value: Any, feature: Dict[str, Any]) -> Any:
    if feature["shape"] or feature.get("encoding") not in ("jpeg", "png"):
        return value
    image = tf.io.decode_image(value, expand_animations=False)
    return tf.ensure_shape(image, feature["image_shape"])
