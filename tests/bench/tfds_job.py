"""The same job as a TensorFlow Datasets builder, run in an environment of its own.

python tfds_job.py PHOTOS OUTPUT SIZE CROP       prints {"seconds": ..., "images": ...}, imports left out
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import tensorflow_datasets as tfds

PHOTOS, OUTPUT, SIZE, CROP = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


class StandardJob(tfds.core.GeneratorBasedBuilder):
    """Photos scaled, cropped, mirrored, brightened."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(CROP, CROP, 3), encoding_format="jpeg"),
            "id": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager):  # type: ignore[no-untyped-def]
        return {"train": self._generate_examples()}

    def _generate_examples(self):  # type: ignore[no-untyped-def]
        for path in sorted(path for path in PHOTOS.iterdir() if path.is_file()):
            image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
            image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
            rng = np.random.Generator(np.random.Philox(key=hash(path.name) & 0xFFFFFFFF))
            top, left = rng.integers(0, SIZE - CROP + 1, 2)
            image = image[top : top + CROP, left : left + CROP]
            if rng.random() < 0.5:
                image = image[:, ::-1]
            image = cv2.convertScaleAbs(image, alpha=2 ** rng.uniform(-0.2, 0.2))
            yield (
                path.name,
                {"image": cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes(), "id": path.name},
            )


began = time.perf_counter()
builder = StandardJob(data_dir=OUTPUT)
builder.download_and_prepare(download_config=tfds.download.DownloadConfig(compute_stats="skip"))
print(json.dumps({"seconds": time.perf_counter() - began, "images": builder.info.splits["train"].num_examples}))
