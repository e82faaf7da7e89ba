"""The bare job that the service is measured against: two processes, OpenCV, no records, no archive, no promises.

python opencv_loop.py PHOTOS OUTPUT SIZE CROP       prints {"seconds": ..., "images": ...}, imports left out
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from pathlib import Path

import cv2
import numpy as np

WORKERS = 2
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 90]


def vary(path: Path, output: Path, size: int, crop: int) -> None:
    """Read, decode, scale, crop, mirror, brighten, encode and write one photo."""
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    rng = np.random.Generator(np.random.Philox(key=hash(path.name) & 0xFFFFFFFF))
    top, left = rng.integers(0, size - crop + 1, 2)
    image = image[top : top + crop, left : left + crop]
    if rng.random() < 0.5:
        image = image[:, ::-1]
    image = cv2.convertScaleAbs(image, alpha=2 ** rng.uniform(-0.2, 0.2))
    cv2.imencode(".jpg", image, JPEG)[1].tofile(output / path.name)


def work(number: int, start: multiprocessing.synchronize.Barrier, paths: list[Path], arguments: tuple) -> None:  # type: ignore[type-arg]
    """One worker's share."""
    cv2.setNumThreads(1)
    start.wait()
    for path in paths[number::WORKERS]:
        vary(path, *arguments)


def main() -> None:
    """Run the job; the clock starts when every worker is ready."""
    photos, output = Path(sys.argv[1]), Path(sys.argv[2])
    paths = sorted(path for path in photos.iterdir() if path.is_file())
    start = multiprocessing.Barrier(WORKERS + 1)
    arguments = (output, int(sys.argv[3]), int(sys.argv[4]))
    workers = [multiprocessing.Process(target=work, args=(n, start, paths, arguments)) for n in range(WORKERS)]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    print(json.dumps({"seconds": time.perf_counter() - began, "images": len(paths)}))


if __name__ == "__main__":
    main()
