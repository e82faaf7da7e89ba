"""Takes GMCNN weights out of the authors' TensorFlow 1 checkpoints and puts them into this project's network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_models.convert_error import ConversionError
from inpainting_models.gmcnn import GMCNNGenerator

_SCOPE = "inpaint_net"


def convert_gmcnn(source: Path, training_size: tuple[int, int] = (256, 256)) -> GMCNNGenerator:
    """The generator with the weights of ``source``, of whatever width they are (the authors' ``cnum``).

    Args:
        source: the checkpoint's folder, its prefix (``…/snap-0``), or a frozen graph (``.pb``).
        training_size: height and width that the weights were trained at; a checkpoint does not say.
    Raises:
        ConversionError: there is no checkpoint, or it is not GMCNN's.
    """
    tensors = _frozen_graph(source) if source.suffix == ".pb" else _checkpoint(source)
    first = f"{_SCOPE}/b1conv1/kernel"
    if first not in tensors:
        some = ", ".join(sorted(tensors)[:5]) or "nothing"
        raise ConversionError(f"{source} has no {first!r}: it is not a GMCNN generator (it holds {some}, …)")
    generator = GMCNNGenerator(channels=tensors[first].shape[-1], faithful=True, training_size=training_size)
    put_weights(generator, tensors)
    return generator


def put_weights(generator: GMCNNGenerator, tensors: Mapping[str, np.ndarray]) -> None:
    """Sets every layer of ``generator`` from ``tensors``, by the names of the authors' variables."""
    problems = []
    for layer in generator.layers:
        if not layer.weights:
            continue
        weights = []
        for weight, part in zip(layer.weights, ("kernel", "bias"), strict=True):
            # The enlarging layers have a scope of their own around the convolution.
            names = [f"{_SCOPE}/{layer.name}/{part}", f"{_SCOPE}/{layer.name}/{layer.name}_conv/{part}"]
            found = next((tensors[name] for name in names if name in tensors), None)
            if found is None:
                problems.append(f"{names[-1 if 'upsample' in layer.name else 0]} is missing")
            elif found.shape != tuple(weight.shape):
                problems.append(f"{layer.name}/{part} is {found.shape}, not {tuple(weight.shape)}")
            else:
                weights.append(found.astype(np.float32))
        if len(weights) == len(layer.weights):
            layer.set_weights(weights)
    if problems:
        raise ConversionError(f"not the weights of a GMCNN generator: {_some(problems)}")


def _checkpoint(source: Path) -> dict[str, np.ndarray]:
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(source))
        # Optimiser slots and the masks' random kernels stay where they are.
        names = [name for name in reader.get_variable_to_shape_map() if name.startswith(f"{_SCOPE}/")]
        return {name: reader.get_tensor(name) for name in names if name.rsplit("/", 1)[-1] in ("kernel", "bias")}
    except (ValueError, tf.errors.OpError) as error:
        raise ConversionError(f"no readable TensorFlow checkpoint in {source}: {_first_line(error)}") from error


def _frozen_graph(source: Path) -> dict[str, np.ndarray]:
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(source.read_bytes())
    except (OSError, DecodeError) as error:
        raise ConversionError(f"{source} is not a frozen TensorFlow graph: {_first_line(error)}") from error
    return {
        node.name: tf.make_ndarray(node.attr["value"].tensor)
        for node in graph.node
        if node.op == "Const" and node.name.startswith(f"{_SCOPE}/")
    }


def _first_line(error: Any) -> str:
    return str(error).strip().split("\n")[0]


def _some(problems: list[str], most: int = 4) -> str:
    rest = len(problems) - most
    return "; ".join(problems[:most]) + (f"; and {rest} more" if rest > 0 else "")
