"""Reads a model file's description from YAML, and says which key is wrong where one is."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import yaml

from inpainting_models.model_file_description import Masks, ModelDescription, Pictures
from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_presets import PRESETS

_PARTS = ("image", "mask", "ones")


def read_description(source: str | Path) -> ModelDescription:
    """The description in a YAML file, or the preset of that name (``lama``, ``migan``, ``gmcnn``, ``pconv``).

    Raises:
        ModelFileError: there is no such file or preset, or a key or value of it is not known; the message names it.
    """
    if str(source) in PRESETS:
        return PRESETS[str(source)]
    path = Path(source)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        presets = ", ".join(sorted(PRESETS))
        raise ModelFileError(path, f"is neither a preset ({presets}) nor a file that can be read ({error})") from error
    except yaml.YAMLError as error:
        raise ModelFileError(path, f"is not YAML: {' '.join(str(error).split())}") from error
    try:
        return parse_description({} if document is None else document)
    except ValueError as error:
        raise ModelFileError(path, str(error)) from error


def parse_description(document: Any) -> ModelDescription:
    """The description that a YAML document means; ValueError names the key that is wrong."""
    known = ("preset", "image", "mask", "output", "layout", "inputs", "size", "training_size", "batch")
    values = _mapping(document, "the description", known)
    description = ModelDescription()
    if "preset" in values:
        description = PRESETS[_choice(values["preset"], "preset", tuple(sorted(PRESETS)))]
    if "image" in values:
        description = replace(description, image=_pictures(values["image"], "image", description.image))
    if "mask" in values:
        description = replace(description, mask=_masks(values["mask"], description.mask))
    if "output" in values:
        output = dict(_mapping(values["output"], "output", ("name", "range", "channels")))
        name = str(output.pop("name", description.output_name))
        pictures = _pictures(output, "output", description.output)
        description = replace(description, output=pictures, output_name=name)
    if "layout" in values:
        description = replace(description, layout=_choice(values["layout"], "layout", ("nhwc", "nchw")))
    if "inputs" in values:
        description = replace(description, inputs=_inputs(values["inputs"]))
    if "size" in values:
        size = _mapping(values["size"], "size", ("multiple", "fixed"))
        if "multiple" in size:
            description = replace(description, multiple=_whole(size["multiple"], "size.multiple"))
        if "fixed" in size:
            description = replace(description, fixed_size=_size(size["fixed"], "size.fixed"))
    if "training_size" in values:
        description = replace(description, training_size=_size(values["training_size"], "training_size"))
    if "batch" in values:
        if not isinstance(values["batch"], bool):
            raise ValueError(f"batch is true or false, not {values['batch']!r}")
        description = replace(description, batch=values["batch"])
    return description


def _mapping(value: Any, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be keys and values ({', '.join(known)}), not {value!r}")
    unknown = sorted(str(key) for key in value if key not in known)
    if unknown:
        raise ValueError(f"{where} has no {', '.join(unknown)}; there are {', '.join(known)}")
    return value


def _pictures(value: Any, where: str, default: Pictures) -> Pictures:
    values = _mapping(value, where, tuple(item.name for item in fields(Pictures)))
    low, high = _numbers(values.get("range", default.range), f"{where}.range")
    if low == high:
        raise ValueError(f"{where}.range must have two different numbers, black and white")
    hole = values.get("hole", default.hole)
    return Pictures(
        range=(low, high),
        channels=_choice(values.get("channels", default.channels), f"{where}.channels", ("rgb", "bgr")),
        hole=None if hole is None else _number(hole, f"{where}.hole"),
    )


def _masks(value: Any, default: Masks) -> Masks:
    values = _mapping(value, "mask", tuple(item.name for item in fields(Masks)))
    masks = Masks(
        hole=_number(values.get("hole", default.hole), "mask.hole"),
        known=_number(values.get("known", default.known), "mask.known"),
        channels=_whole(values.get("channels", default.channels), "mask.channels"),
    )
    if masks.hole == masks.known:
        raise ValueError("mask.hole and mask.known must be different numbers")
    return masks


def _inputs(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A list in the file's order, or names and parts: ``[image, mask]``, ``{x: image+ones+mask}``."""
    if isinstance(value, Mapping):
        named = [(str(name), parts) for name, parts in value.items()]
    elif isinstance(value, list):
        named = [("", parts) for parts in value]
    else:
        raise ValueError(f"inputs is a list ([image, mask]) or names and parts, not {value!r}")
    inputs = tuple((name, tuple(part.strip() for part in str(parts).split("+"))) for name, parts in named)
    for _, parts in inputs:
        for part in parts:
            _choice(part, "inputs", _PARTS)
    if "image" not in {part for _, parts in inputs for part in parts}:
        raise ValueError("inputs has no image")
    return inputs


def _choice(value: Any, where: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"{where} is {', '.join(choices[:-1])} or {choices[-1]}, not {value!r}")
    return str(value)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where} is a number, not {value!r}")
    return float(value)


def _whole(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{where} is a whole number from 1, not {value!r}")
    return value


def _numbers(value: Any, where: str) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"{where} is two numbers, not {value!r}")
    return _number(value[0], where), _number(value[1], where)


def _size(value: Any, where: str) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{where} is [height, width], not {value!r}")
    return _whole(value[0], where), _whole(value[1], where)
