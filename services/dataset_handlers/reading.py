"""Reads a handler's TFRecord files as ``tf.data``; the only place of this package that imports TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

from dataset_handlers.errors import HandlerError
from dataset_handlers.local_build import BUILD_NOTE
from dataset_handlers.records import infer_features


def read_as_tf(files: Sequence[str], batch_size: Optional[int] = None) -> Any:
    """Returns a ``tf.data.Dataset`` of feature dicts; images decoded to uint8, raw arrays to their type and shape."""
    import tensorflow as tf

    features = features_beside(files) or infer_features([Path(file) for file in files])
    if not features:
        raise HandlerError("the files hold no tf.train.Example; override tf_records_mapper() to read them")
    spec = {name: _column(tf, feature) for name, feature in features.items()}

    def parse(record: Any) -> Dict[str, Any]:
        parsed = tf.io.parse_single_example(record, spec)
        return {name: _decoded(tf, value, features[name]) for name, value in parsed.items()}

    dataset = tf.data.TFRecordDataset(list(map(str, files))).map(parse, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset if batch_size is None else dataset.batch(batch_size)
    return dataset.prefetch(tf.data.AUTOTUNE)


def features_beside(files: Sequence[str]) -> Dict[str, Any]:
    """Returns the features that a dataset's manifest, or a local build's own note, says of ``files``; or nothing.

    Only they know which bytes are arrays, and what no example of the first ones shows.
    """
    for name in ("manifest.json", BUILD_NOTE):
        path = Path(files[0]).parent / name if files else Path(name)
        if path.is_file():
            features = json.loads(path.read_text(encoding="utf-8")).get("features")
            if features:
                return dict(features)
    return {}


def _column(tf: Any, feature: Dict[str, Any]) -> Any:
    dtype = {"bytes": tf.string, "int64": tf.int64, "float32": tf.float32}[feature["dtype"]]
    if None in feature["shape"]:
        return tf.io.RaggedFeature(dtype)
    return tf.io.FixedLenFeature(feature["shape"], dtype)


def _decoded(tf: Any, value: Any, feature: Dict[str, Any]) -> Any:
    encoding = feature.get("encoding")
    if feature["shape"]:
        return value
    if encoding in ("jpeg", "png"):
        image = tf.io.decode_image(value, expand_animations=False)
        return tf.ensure_shape(image, feature["image_shape"])
    if encoding == "raw" and feature["raw_shape"].count(None) <= 1:
        dtype = feature["raw_dtype"]
        array = tf.io.decode_raw(value, "uint8" if dtype == "bool" else dtype)
        array = tf.reshape(array, [-1 if side is None else side for side in feature["raw_shape"]])
        return tf.cast(array, tf.bool) if dtype == "bool" else array
    return value
