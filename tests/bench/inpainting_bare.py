"""The same work without the service, in a process of its own: a line of JSON in, a line of JSON out.

{"do": "network", "file": ..., "photo": ..., "box": [...], "compiled": false}    a bare Keras call
{"do": "difference", "files": [...], "photo": ..., "box": [...]}                 two precisions of one network
{"do": "paint", "photo": ..., "box": [...]}                                      PatchMatch on the whole photo
{"do": "cancel", "photo": ..., "box": [...], "after_s": ...}                     the same, stopped
{"do": "opencv", "method": "telea", "photo": ..., "box": [...]}                  cv2.inpaint on the crop
{"do": "script", "photo": ..., "box": [...]}                                     decode, PatchMatch on a crop, encode
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
from inpainting_house import peak_mib
from inpainting_photos import JPEG_QUALITY, Box

from inpainting_models.crops import as_float
from inpainting_models.detail import detail_crops
from inpainting_models.painters import painter
from inpainting_models.painting import Cancelled, Mask, Photo, paint_one

OPENCV_CONTEXT_PX = 16
OPENCV_RADIUS_PX = 3
OPENCV_METHODS = {"telea": cv2.INPAINT_TELEA, "ns": cv2.INPAINT_NS}

Answer = dict[str, Any]


def network(file: str, photo: str, box: Box, compiled: bool) -> Answer:
    """One call of the network, arrays in, array out."""
    call, arrays = _network(file, compiled), _network_arrays(photo, tuple(box))
    began = time.perf_counter()
    np.asarray(call(arrays))
    return {"seconds": time.perf_counter() - began}


def difference(files: list[str], photo: str, box: Box) -> Answer:
    """How far two files' predictions are apart, in the network's range of -1 to 1."""
    arrays = _network_arrays(photo, tuple(box))
    one, other = (np.asarray(_network(file, False)(arrays), np.float32) for file in files)
    apart = np.abs(one - other)
    return {"largest": float(apart.max()), "mean": float(apart.mean()), "spread": float(one.std())}


def paint(photo: str, box: Box) -> Answer:
    """PatchMatch over the whole photo as floating point, kernels loaded before, as in the service."""
    pixels, mask = _photo_and_mask(photo, box)
    _load_kernels(pixels)
    began = time.perf_counter()
    paint_one(painter("patchmatch").paint, pixels, mask)
    return {"seconds": time.perf_counter() - began, "peak_mib": peak_mib()}


def cancel(photo: str, box: Box, after_s: float) -> Answer:
    """From the moment when nobody wants the result any more to the end of the work; null: it was done before."""
    pixels, mask = _photo_and_mask(photo, box)
    _load_kernels(pixels)
    moment = time.perf_counter() + after_s
    try:
        paint_one(painter("patchmatch", cancel=lambda: time.perf_counter() >= moment).paint, pixels, mask)
    except Cancelled:
        return {"seconds": time.perf_counter() - moment}
    return {"seconds": None}


def opencv(method: str, photo: str, box: Box) -> Answer:
    """OpenCV's own function on bytes, on nothing but the hole and its rim."""
    x, y, width, height = box
    context = OPENCV_CONTEXT_PX
    crop = cv2.imread(photo)[y - context : y + height + context, x - context : x + width + context]
    mask = _mask(crop.shape[:2], (context, context, width, height)).astype(np.uint8)
    began = time.perf_counter()
    cv2.inpaint(np.ascontiguousarray(crop), mask, OPENCV_RADIUS_PX, OPENCV_METHODS[method])
    return {"seconds": time.perf_counter() - began}


def script(photo: str, box: Box) -> Answer:
    """What somebody would write by hand: decode, paint a crop with room around the hole, encode."""
    began = time.perf_counter()
    pixels = cv2.imread(photo)
    mask = _mask(pixels.shape[:2], box)
    slices = detail_crops(mask)[0].slices
    crop = as_float(np.ascontiguousarray(pixels[slices][..., ::-1]))
    began_paint = time.perf_counter()
    painted = paint_one(painter("patchmatch").paint, crop, np.ascontiguousarray(mask[slices]))
    painting_s = time.perf_counter() - began_paint
    pixels[slices] = np.rint(painted[..., ::-1] * 255)
    cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return {"seconds": time.perf_counter() - began, "painting_s": painting_s}


@cache
def _network(file: str, compiled: bool) -> Callable[[list[Any]], Any]:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    from inpainting_models import load

    model = load(file)
    if not compiled:
        return lambda arrays: model(arrays, training=False)
    graph = tf.function(lambda arrays: model(arrays, training=False))
    return lambda arrays: graph([tf.constant(array) for array in arrays])


@cache
def _network_arrays(photo: str, box: Box) -> list[np.ndarray]:
    # The network's own convention: BGR from -1 to 1, which is how OpenCV reads; 1 marks the hole.
    pixels = cv2.imread(photo)
    images = pixels[None].astype(np.float32) / 127.5 - 1
    return [images, _mask(pixels.shape[:2], box)[None, ..., None].astype(np.float32)]


def _photo_and_mask(photo: str, box: Box) -> tuple[Photo, Mask]:
    pixels = as_float(cv2.imread(photo)[..., ::-1])
    return pixels, _mask(pixels.shape[:2], box)


def _load_kernels(pixels: Photo) -> None:
    paint_one(painter("patchmatch").paint, np.ascontiguousarray(pixels[:64, :64]), _mask((64, 64), (20, 20, 8, 8)))


def _mask(shape: tuple[int, ...], box: Box) -> Mask:
    x, y, width, height = box
    mask = np.zeros(shape, bool)
    mask[y : y + height, x : x + width] = True
    return mask


WORK: dict[str, Callable[..., Answer]] = {
    each.__name__: each for each in (network, difference, paint, cancel, opencv, script)
}


def main() -> None:
    """Answer until there are no more lines."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        fields = json.loads(line)
        answers.write(json.dumps(WORK[fields.pop("do")](**fields)) + "\n")


if __name__ == "__main__":
    main()
