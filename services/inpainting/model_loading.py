"""Makes a painter of a model's file, and of what its owner says about its inputs and outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inpainting_models.model_file_description import ModelDescription
from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_presets import PRESETS
from inpainting_models.model_file_yaml import parse_description
from inpainting_models.painting import Painter
from service_kit.errors import InvalidArgument

# Files of these say nothing about what their numbers mean.
SILENT_SUFFIXES = (".onnx", ".tflite", ".litert")
TRIAL_PX = 64
MAX_IO_CHARACTERS = 100_000


def load_painter(path: Path, io: str, name: str) -> Painter:
    """Return the file as a painter. Raises `InvalidArgument` naming what is wrong with the file or its description.

    ``io`` is the name of a known description, one as YAML, or empty for this project's own networks. The libraries
    that run networks are imported here, when the first is asked for.
    """
    description = None if not io.strip() else read_io(io)
    try:
        if description is not None:
            from inpainting_models.model_file_painter import open_painter

            return open_painter(path, description, name)
        if path.suffix in SILENT_SUFFIXES:
            raise InvalidArgument.of([("io", f"is needed for {path.suffix} files: {', '.join(PRESETS)}, or YAML")])
        from inpainting_models.keras_painter import keras_painter

        return keras_painter(path, name)
    except ModelFileError as error:
        # Some libraries name the file by its place on this machine, which is nobody's business.
        raise InvalidArgument.of([("file", error.reason.replace(str(path), path.name))]) from error


def read_io(io: str) -> ModelDescription:
    """Return the description that the words name or are. Raises `InvalidArgument`."""
    if io.strip() in PRESETS:
        return PRESETS[io.strip()]
    import yaml

    if len(io) > MAX_IO_CHARACTERS:
        raise InvalidArgument.of([("io", f"has {len(io):,} characters; a description is shorter")])
    try:
        return parse_description(yaml.safe_load(io))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        one_line = " ".join(str(error).split())
        raise InvalidArgument.of([("io", f"{one_line}; known by name are {', '.join(PRESETS)}")]) from error


def try_painter(painter: Painter) -> None:
    """Paint a small photo once. Raises `InvalidArgument` when that does not give a picture."""
    height, width = painter.training_size or (TRIAL_PX, TRIAL_PX)
    photo = np.linspace(0, 1, height * width * 3, dtype=np.float32).reshape(1, height, width, 3)
    mask = np.zeros((1, height, width), bool)
    mask[:, height // 3 : height // 2, width // 3 : width // 2] = True
    try:
        painted = painter.paint(photo, mask)
    except Exception as error:  # the libraries raise whatever they stumble over
        one_line = " ".join(str(error).split())[:500]
        raise InvalidArgument.of([("file", f"the model fails on a {width}x{height} photo: {one_line}")]) from error
    if painted.shape != photo.shape or not np.isfinite(painted).all():
        raise InvalidArgument.of([("file", f"the model gives no picture for a {width}x{height} photo")])
