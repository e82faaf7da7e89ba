"""Runs LiteRT (TensorFlow Lite) files, quantised ones included."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_runtime import Array, Port


class LiteRtRuntime:
    """One interpreter. It holds one picture's work at a time, so threads take turns."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        interpreter_class = _interpreter_class(path)
        try:
            self._interpreter = interpreter_class(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelFileError(path, f"is not a LiteRT model that can be read ({_first_line(error)})") from error
        self._path = path
        self._lock = threading.Lock()
        self._input_details = self._interpreter.get_input_details()
        self._output_details = self._interpreter.get_output_details()
        self.inputs = tuple(_port(details) for details in self._input_details)
        self.outputs = tuple(_port(details) for details in self._output_details)

    def run(self, arrays: Sequence[Array], output: int) -> Array:
        with self._lock:
            try:
                self._give_shapes([array.shape for array in arrays])
                for details, array in zip(self._input_details, arrays, strict=True):
                    self._interpreter.set_tensor(details["index"], _quantised(array, details))
                self._interpreter.invoke()
            except (ValueError, RuntimeError) as error:
                shapes = ", ".join(str(array.shape) for array in arrays)
                raise ModelFileError(self._path, f"could not be run on {shapes} ({_first_line(error)})") from error
            details = self._output_details[output]
            return _dequantised(self._interpreter.get_tensor(details["index"]), details)

    def _give_shapes(self, shapes: list[tuple[int, ...]]) -> None:
        changed = False
        for details, shape in zip(self._input_details, shapes, strict=True):
            if tuple(self._interpreter.get_tensor(details["index"]).shape) != shape:
                self._interpreter.resize_tensor_input(details["index"], shape, strict=True)
                changed = True
        if changed:
            self._interpreter.allocate_tensors()


def _interpreter_class(path: Path) -> Any:
    try:
        from ai_edge_litert import interpreter  # type: ignore[import-untyped, import-not-found, unused-ignore]

        return interpreter.Interpreter
    except ImportError as error:
        raise ModelFileError(path, "needs the LiteRT interpreter: pip install ai-edge-litert") from error


def _port(details: dict[str, Any]) -> Port:
    signature = details.get("shape_signature", details["shape"])
    shape = tuple(int(side) if side > 0 else None for side in signature)
    # Quantised tensors are given and taken in the numbers that they stand for.
    dtype = np.dtype(np.float32 if _scale(details) else details["dtype"])
    return Port(details["name"], shape, dtype)


def _scale(details: dict[str, Any]) -> float:
    return float(details["quantization"][0])


def _quantised(array: Array, details: dict[str, Any]) -> Array:
    if not _scale(details):
        return array
    limits = np.iinfo(details["dtype"])
    steps = np.rint(array / _scale(details)) + details["quantization"][1]
    return np.asarray(np.clip(steps, limits.min, limits.max).astype(details["dtype"]))


def _dequantised(array: Array, details: dict[str, Any]) -> Array:
    if not _scale(details):
        return array
    return np.asarray((array.astype(np.float32) - details["quantization"][1]) * np.float32(_scale(details)))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
