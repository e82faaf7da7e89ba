"""Runs ONNX files with onnxruntime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_runtime import Array, Port

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class OnnxRuntime:
    """One session on the CPU; onnxruntime runs it from any number of threads."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        try:
            import onnxruntime  # type: ignore[import-untyped, import-not-found, unused-ignore]
        except ImportError as error:
            raise ModelFileError(path, "needs onnxruntime: pip install onnxruntime") from error
        options = onnxruntime.SessionOptions()
        # Only what stops the work; the rest is about the file's author's taste.
        options.log_severity_level = 4
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            # onnxruntime has no common base class for what it raises.
            raise ModelFileError(path, f"is not an ONNX model that can be read ({_first_line(error)})") from error
        self._path = path
        self.inputs = tuple(_port(path, node) for node in self._session.get_inputs())
        self.outputs = tuple(_port(path, node) for node in self._session.get_outputs())

    def run(self, arrays: Sequence[Array], output: int) -> Array:
        feeds = {port.name: array for port, array in zip(self.inputs, arrays, strict=True)}
        try:
            (result,) = self._session.run([self.outputs[output].name], feeds)
        except Exception as error:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in feeds.items())
            raise ModelFileError(self._path, f"could not be run on {shapes} ({_first_line(error)})") from error
        return np.asarray(result)


def _port(path: Path, node: Any) -> Port:
    if node.type not in _DTYPES:
        raise ModelFileError(path, f"{node.name} is {node.type}; known are {', '.join(_DTYPES)}")
    # A free side is a name or nothing.
    shape = tuple(side if isinstance(side, int) and side > 0 else None for side in node.shape)
    return Port(node.name, shape, np.dtype(_DTYPES[node.type]))


def _first_line(error: Exception) -> str:
    # Without onnxruntime's own name and number of the error, which stand before it.
    return str(error).strip().split("\n")[0].rpartition(" : ")[2]
