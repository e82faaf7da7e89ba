"""Makes a painter of a user's own model file."""

from pathlib import Path

import numpy as np

from inpainting_models.model_file_arrays import to_dtype, to_images, to_inputs
from inpainting_models.model_file_description import ModelDescription
from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_presets import PRESETS
from inpainting_models.model_file_runtime import Port, Runtime, open_runtime
from inpainting_models.painting import Mask, Paint, Painter, Photo, at_multiple


def open_painter(
    path: Path | str, description: ModelDescription | None = None, name: str | None = None, threads: int | None = None
) -> Painter:
    """The painter in the file ``path``, checked against its description before any photo is given to it.

    Args:
        description: from ``model_file_yaml.read_description``; None for a network of this project's, which needs none.
        name: what it is called; None: the file's name without its suffix.
        threads: how many threads it may use; None: the library's own choice.
    Raises:
        ModelFileError: the file is missing or broken, its library is not installed, or it is not what the description
            says. The painter itself raises it for outputs that cannot be pictures.
    """
    path = Path(path)
    runtime = open_runtime(path, threads)
    description = description or _own_convention(runtime)
    if description is None:
        raise ModelFileError(
            path, f"needs a description of its pictures and masks: {', '.join(PRESETS)}, or a YAML file"
        )
    return runtime_painter(runtime, description, name or path.stem, path)


def runtime_painter(runtime: Runtime, description: ModelDescription, name: str, path: Path | str) -> Painter:
    """The painter of a loaded model; ``path`` is what errors name."""
    parts, order = _matched(runtime, description, path)
    output = _output(runtime, description, path)
    fixed = _fixed_size(runtime, description, path)
    one_by_one = not description.batch or any(port.shape[0] == 1 for port in runtime.inputs)

    def paint(images: Photo, masks: Mask) -> Photo:
        if one_by_one and len(images) > 1:
            return np.concatenate([paint(images[i : i + 1], masks[i : i + 1]) for i in range(len(images))])
        joined = to_inputs(description, images, masks, parts)
        arrays = [to_dtype(array, port.dtype) for array, port in zip(joined, order, strict=True)]
        by_name = {port.name: array for port, array in zip(order, arrays, strict=True)}
        raw = runtime.run([by_name[port.name] for port in runtime.inputs], output)
        try:
            return to_images(description, raw, images)
        except ValueError as error:
            raise ModelFileError(path, str(error)) from error

    about = f"model file {Path(path).name}"
    if fixed:
        return Painter(name, at_fixed_size(paint, fixed), fixed, 1, about)
    sized = at_multiple(paint, description.multiple)
    return Painter(name, sized, description.training_size, description.multiple, about)


def at_fixed_size(paint: Paint, size: tuple[int, int]) -> Paint:
    """Lets ``paint`` see pictures of ``size`` only: larger ones are scaled to fit in it, and what is left is padded."""

    def fitted(images: Photo, masks: Mask) -> Photo:
        height, width = masks.shape[1:]
        if (height, width) == size:
            return paint(images, masks)
        from inpainting_models.resolution import scaled, scaled_mask

        scale = min(1.0, size[0] / height, size[1] / width)
        inner = (max(1, min(size[0], round(height * scale))), max(1, min(size[1], round(width * scale))))
        smaller = np.stack([scaled(image, inner) for image in images])
        smaller_masks = np.stack([scaled_mask(mask, inner) for mask in masks])
        margins = ((0, 0), (0, size[0] - inner[0]), (0, size[1] - inner[1]))
        # The padding repeats the edge, its holes included: they do not become known by being repeated.
        painted = paint(
            np.pad(smaller, (*margins, (0, 0)), mode="edge"),
            np.pad(smaller_masks, margins, mode="edge"),
        )[:, : inner[0], : inner[1]]
        return np.stack([scaled(image, (height, width)) for image in painted])

    return fitted


def _own_convention(runtime: Runtime) -> ModelDescription | None:
    from inpainting_models.model_file_keras import KerasRuntime

    if not isinstance(runtime, KerasRuntime):
        return None
    from inpainting_models.keras_painter import convention

    return convention(runtime.model)


def _matched(
    runtime: Runtime, description: ModelDescription, path: Path | str
) -> tuple[list[tuple[str, ...]], list[Port]]:
    """The described inputs' parts, and for each the file's input."""
    there = ", ".join(f"{port.name} {_sides(port)}" for port in runtime.inputs)
    if len(runtime.inputs) != len(description.inputs):
        raise ModelFileError(
            path, f"has {len(runtime.inputs)} inputs ({there}), described are {len(description.inputs)}"
        )
    by_name = {port.name: port for port in runtime.inputs}
    parts, order = [], []
    for index, (name, names) in enumerate(description.inputs):
        if name and name not in by_name:
            raise ModelFileError(path, f"has no input {name!r}; there are {there}")
        port = by_name[name] if name else _by_part(runtime, names, index)
        if len(port.shape) != 4 or port.shape[0] not in (None, 1):
            raise ModelFileError(path, f"input {port.name} is {_sides(port)}, not four sides, the first 1 or free")
        channels = port.shape[1 if description.layout == "nchw" else 3]
        wanted = description.channels_of(names)
        if channels not in (None, wanted):
            other = port.shape[3 if description.layout == "nchw" else 1]
            hint = f"; is its layout {'nhwc' if description.layout == 'nchw' else 'nchw'}?" if other == wanted else ""
            raise ModelFileError(
                path, f"input {port.name} has {channels} channels, where {'+'.join(names)} has {wanted}{hint}"
            )
        parts.append(names)
        order.append(port)
    if len({port.name for port in order}) != len(order):
        raise ModelFileError(path, f"two described inputs are the same one of the file's: {there}")
    return parts, order


def _by_part(runtime: Runtime, names: tuple[str, ...], index: int) -> Port:
    """The one input whose name speaks of the part; otherwise the one of that number. Exporters reorder inputs."""
    called = [port for port in runtime.inputs if len(names) == 1 and names[0] in port.name.lower()]
    return called[0] if len(called) == 1 else runtime.inputs[index]


def _output(runtime: Runtime, description: ModelDescription, path: Path | str) -> int:
    names = [port.name for port in runtime.outputs]
    if not description.output_name:
        return 0
    if description.output_name not in names:
        raise ModelFileError(path, f"has no output {description.output_name!r}; there are {', '.join(names)}")
    return names.index(description.output_name)


def _fixed_size(runtime: Runtime, description: ModelDescription, path: Path | str) -> tuple[int, int] | None:
    first = 2 if description.layout == "nchw" else 1
    in_file = {port.shape[first : first + 2] for port in runtime.inputs if None not in port.shape[first : first + 2]}
    if len(in_file) > 1:
        raise ModelFileError(path, f"has inputs of different sizes: {', '.join(map(_sides, runtime.inputs))}")
    if not in_file:
        return description.fixed_size
    height, width = in_file.pop()
    assert height is not None
    assert width is not None
    if description.fixed_size not in (None, (height, width)):
        described = "x".join(map(str, description.fixed_size or ()))
        raise ModelFileError(path, f"is for {height}x{width} only, where size.fixed is {described}")
    return height, width


def _sides(port: Port) -> str:
    return "x".join("?" if side is None else str(side) for side in port.shape)
