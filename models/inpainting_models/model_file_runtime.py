"""What every library that runs model files is asked for, whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inpainting_models.model_file_error import ModelFileError

Array = NDArray[Any]

ONNX, LITERT, KERAS = (".onnx",), (".tflite", ".litert"), (".keras", ".h5", ".hdf5")
SUFFIXES = ONNX + LITERT + KERAS


@dataclass(frozen=True)
class Port:
    """One input or output of a model, as its file describes it."""

    name: str
    shape: tuple[int | None, ...]
    """None where any length will do."""
    dtype: np.dtype[Any]


class Runtime(Protocol):
    """A loaded model. It may be called from several threads at once."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def run(self, arrays: Sequence[Array], output: int) -> Array:
        """Gives the output of that number for ``arrays``, one for each of ``inputs``, of their dtypes."""


def open_runtime(path: Path, threads: int | None = None) -> Runtime:
    """Loads the model in ``path``; its suffix says which library runs it: .onnx, .tflite, .keras or .h5.

    Args:
        threads: how many threads it may use; None: the library's own choice.
    Raises:
        ModelFileError: the file is missing or broken, or the library is not installed.
    """
    if not path.is_file():
        raise ModelFileError(path, "there is no such file")
    suffix = path.suffix.lower()
    if suffix in ONNX:
        from inpainting_models.model_file_onnx import OnnxRuntime

        return OnnxRuntime(path, threads)
    if suffix in LITERT:
        from inpainting_models.model_file_litert import LiteRtRuntime

        return LiteRtRuntime(path, threads)
    if suffix in KERAS:
        from inpainting_models.model_file_keras import KerasRuntime, load

        return KerasRuntime(load(path))
    raise ModelFileError(path, f"is no kind of model file that is known: .onnx, .tflite, .keras or .h5, not {suffix!r}")
