"""Reads a dataset's folder with plain TensorFlow and nothing of ours: python read_with_tensorflow.py FOLDER

Prints a line of JSON: how many files and records there are, and the sum over the feature `number`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tensorflow as tf

if __name__ == "__main__":
    files = sorted(str(path) for path in Path(sys.argv[1]).glob("*.tfrecord"))
    columns = {"number": tf.io.FixedLenFeature([], tf.int64), "filler": tf.io.FixedLenFeature([], tf.string)}
    records, total = 0, 0
    for record in tf.data.TFRecordDataset(files):
        total += int(tf.io.parse_single_example(record, columns)["number"])
        records += 1
    print(json.dumps({"files": len(files), "records": records, "total": total}))
