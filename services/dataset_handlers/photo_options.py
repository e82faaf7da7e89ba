"""The options that every stock handler has for its photos: size, crop, flip, rotation, light, colour, encoding."""

from __future__ import annotations

from typing import Dict, List, Tuple

from dataset_handlers.errors import Violation
from dataset_handlers.options import Boolean, Choice, Integer, Number, Option, Size

MAX_SIDE_PX = 16384


def photo_options() -> Dict[str, Option]:
    """Returns the options; `photo_pipeline` does what they say."""
    return {
        "image_size": Size(
            [256, 256],
            "What each photo is scaled to before it is cropped; null leaves it as it is",
            maximum=MAX_SIDE_PX,
            nullable=True,
        ),
        "resize_mode": Choice(
            ["stretch", "cover", "contain"],
            "cover",
            "stretch ignores the proportions, cover cuts off what stands over, contain adds black bars",
        ),
        "crop_size": Size(None, "What is cut out of the scaled photo; null cuts nothing", maximum=MAX_SIDE_PX),
        "random_crop_centered": Boolean(
            False, "true: the crop lies near the centre, by a bell-shaped offset; false: anywhere"
        ),
        "random_flip": Boolean(False, "Mirrors every second variation left to right"),
        "rotation_degrees": Number(0, "Turns by up to so much to either side; no black corners", minimum=0, maximum=45),
        "exposure_stops": Number(
            0, "Lightens or darkens by up to so much; 1 stop is a factor of 2", minimum=0, maximum=4
        ),
        "colour_push": Number(0, "Makes colours stronger or weaker by up to this share", minimum=0, maximum=1),
        "image_encoding": Choice(["jpeg", "png"], "jpeg", "How images are stored; png is lossless"),
        "jpeg_quality": Integer(95, "Quality of stored JPEGs", minimum=1, maximum=100),
        "batch_size": Integer(None, "Examples in a batch, for the reader", minimum=1, read_time=True),
    }


def crop_violations(image_size: "List[int] | None", crop_size: "List[int] | None") -> List[Violation]:
    """Returns what is wrong if the crop cannot lie inside the scaled photo."""
    if image_size is None or crop_size is None:
        return []
    sides: List[Tuple[str, int, int]] = [
        (name, crop_size[axis], image_size[axis]) for axis, name in enumerate(("height", "width"))
    ]
    too_long = [f"{name} {crop} > {image}" for name, crop, image in sides if crop > image]
    if not too_long:
        return []
    description = (
        f"{crop_size} is larger than image_size {image_size} ({', '.join(too_long)}); at most {image_size} would do"
    )
    return [Violation("config.crop_size", description)]
