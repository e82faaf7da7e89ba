"""Makes a painter of one of this project's networks, whatever its own convention of pictures and masks."""

import os
from pathlib import Path
from typing import Any

from inpainting_models.model_file_description import ModelDescription
from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_painter import runtime_painter
from inpainting_models.painting import Painter


def keras_painter(model: Any, name: str | None = None, dtype: str | None = None) -> Painter:
    """The painter of a network, or of the file that ``convert`` wrote.

    Args:
        model: a ``GMCNNGenerator`` or ``PConvUNet``, or the path of one. A Keras model of another kind needs a
            description: see ``open_painter``.
        name: what it is called; None: the file's name, or the network's.
        dtype: computes in another precision, as ``mixed_bfloat16``, which is faster on processors that have it.
    Raises:
        ModelFileError: the file cannot be read, or holds another kind of network.
    """
    from inpainting_models.model_file_keras import KerasRuntime, load, with_dtype

    path = Path(model) if isinstance(model, str | os.PathLike) else None
    network = load(path) if path else model
    if dtype is not None:
        network = with_dtype(network, dtype)
    shown = path or network.name
    description = convention(network)
    if description is None:
        raise ModelFileError(shown, f"is a {type(network).__name__}, whose pictures and masks nobody has described")
    return runtime_painter(KerasRuntime(network), description, name or (path.stem if path else network.name), shown)


def convention(network: Any) -> ModelDescription | None:
    """How a network of this project wants its pictures and masks; None for any other model."""
    from dataclasses import replace

    from inpainting_models.gmcnn import GMCNNGenerator
    from inpainting_models.model_file_presets import PRESETS
    from inpainting_models.pconv import PConvUNet

    if isinstance(network, GMCNNGenerator):
        preset = PRESETS["gmcnn"]
    elif isinstance(network, PConvUNet):
        preset = PRESETS["pconv"]
    else:
        return None
    return replace(preset, multiple=network.multiple, training_size=network.training_size)
