"""What handlers do to photos. Images are uint8 RGB ``(height, width, 3)``; sizes are ``[height, width]`` in pixels.

Every random operation takes its ``rng``, draws the same number of values whatever comes of it, and draws them first.
Needs OpenCV: ``pip install dataset-handlers[operations]``.
"""

from __future__ import annotations

try:
    import cv2  # noqa: F401
except ImportError as error:
    raise ImportError("the operations need OpenCV: pip install 'dataset-handlers[operations]'") from error

from dataset_handlers.operations.colour import colour_push, exposure, random_colour_push, random_exposure
from dataset_handlers.operations.compose import composite, trimap
from dataset_handlers.operations.crop import Window, crop, random_centered_crop, random_crop
from dataset_handlers.operations.foreground import estimate_foreground
from dataset_handlers.operations.geometry import flip, random_flip, random_rotation, rotate
from dataset_handlers.operations.image_io import encode_jpeg, encode_png, read_image
from dataset_handlers.operations.resize import resize, resize_and_crop, size_before_crop

__all__ = [
    "Window",
    "colour_push",
    "composite",
    "crop",
    "encode_jpeg",
    "encode_png",
    "estimate_foreground",
    "exposure",
    "flip",
    "random_centered_crop",
    "random_colour_push",
    "random_crop",
    "random_exposure",
    "random_flip",
    "random_rotation",
    "read_image",
    "resize",
    "resize_and_crop",
    "rotate",
    "size_before_crop",
    "trimap",
]
