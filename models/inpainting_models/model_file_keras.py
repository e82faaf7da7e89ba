"""Reads and writes Keras model files: this project's networks and a user's own."""

import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_runtime import Array, Port


def load(path: str | os.PathLike[str], dtype: str | None = None) -> Any:
    """The Keras model in ``path``, ready to be called as ``model([images, masks])`` in its network's own convention.

    Args:
        path: what ``convert`` or ``save`` wrote, or any ``.keras`` or ``.h5`` file.
        dtype: computes in another precision, as ``mixed_bfloat16`` (this project's networks only).
    Raises:
        ModelFileError: there is no such file, or it is not a Keras model.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(path, "there is no such file")
    # Imported here: the rest of the package works without Keras. The networks register themselves with it.
    import keras

    from inpainting_models import gmcnn, gmcnn_critics, pconv  # noqa: F401

    try:
        if zipfile.is_zipfile(path):
            model = _load_archive(keras, path)
        else:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        # Keras raises whatever it stumbles over: zip, HDF5, JSON, key or type errors.
        summary = str(error).strip().split("\n")[0] or type(error).__name__
        raise ModelFileError(path, f"is not a Keras model that can be read ({summary})") from error
    return model if dtype is None else with_dtype(model, dtype)


def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Writes ``model`` to ``path`` whole: a reader finds the old file or the new one, never half of one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder) / "model.keras"
        model.save(written)
        os.replace(written, path)


def with_dtype(model: Any, dtype: str) -> Any:
    """The same network with the same weights, computing in ``dtype``."""
    config = model.get_config()
    if "dtype" not in config or not hasattr(model, "layer_dtype"):
        raise ValueError(f"{type(model).__name__} cannot change its dtype; this project's networks can")
    changed = type(model).from_config({**config, "dtype": dtype})
    changed.set_weights(model.get_weights())
    return changed


def _load_archive(keras: Any, path: Path) -> Any:
    if path.suffix == ".keras":
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    # Keras believes names, not contents; a model may be called as its owner likes.
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / "model.keras"
        named.symlink_to(path.resolve())
        return keras.saving.load_model(named, compile=False, safe_mode=True)


class KerasRuntime:
    """A Keras model, compiled once for each new kind of size; training it meanwhile changes what it paints."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self._compiled = _compiled(model)
        self.inputs = tuple(_port(tensor) for tensor in model.inputs)
        self.outputs = tuple(_port(tensor) for tensor in model.outputs)

    def run(self, arrays: Sequence[Array], output: int) -> Array:
        results = self._compiled(list(arrays) if len(arrays) > 1 else arrays[0])
        return np.asarray(results[output] if isinstance(results, list | tuple) else results)


def _compiled(model: Any) -> Callable[[Any], Any]:
    # Not by the model's own `predict`: that would compile the model anew, under the feet of whoever trains it.
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # Without XLA, which is slower on a CPU.
        graph = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)
        return lambda inputs: graph(tf.nest.map_structure(tf.convert_to_tensor, inputs))
    if backend == "jax":
        import jax  # type: ignore[import-not-found, unused-ignore]

        stateless = jax.jit(model.stateless_call, static_argnames="training")

        def run(inputs: Any) -> Any:
            trainable = [variable.value for variable in model.trainable_variables]
            fixed = [variable.value for variable in model.non_trainable_variables]
            return stateless(trainable, fixed, inputs, training=False)[0]

        return run
    return lambda inputs: keras.tree.map_structure(keras.ops.convert_to_numpy, model(inputs, training=False))


def _port(tensor: Any) -> Port:
    return Port(tensor.name, tuple(tensor.shape), np.dtype(tensor.dtype))
