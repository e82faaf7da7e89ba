"""Takes PConv weights out of the Keras repository's HDF5 files and puts them into this project's network."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_models.convert_error import ConversionError
from inpainting_models.pconv import PConvUNet

# A layer's weights by their short names: kernel, bias, gamma, moving_mean, ...
LayerWeights = dict[str, np.ndarray]
_NORMAL_PARTS = ("gamma", "beta", "moving_mean", "moving_variance")


def convert_pconv(source: Path, training_size: tuple[int, int] = (512, 512)) -> PConvUNet:
    """The U-Net with the weights of ``source``, in the faithful mode that they were trained in.

    Layers are told apart by what they hold and put in order by the number in their names, because Keras counts on when
    several models were built in one session (``p_conv2d_17``), and nests them under another name for several GPUs.

    Raises:
        ConversionError: the file is not HDF5, or not of this network.
    """
    layers = _read(source)
    partial = _in_order(name for name, weights in layers.items() if "img_kernel" in weights)
    if not partial or len(partial) % 2:
        raise ConversionError(f"{source} has {len(partial)} partial convolutions (img_kernel), not an even number")
    stages = len(partial) // 2
    encoder_normal = [_only(layers, source, f"EncBN{number}") for number in range(1, stages)]
    decoder_normal = _in_order(
        name for name, weights in layers.items() if "gamma" in weights and not _short(name).startswith("EncBN")
    )
    if len(decoder_normal) != stages - 1:
        raise ConversionError(
            f"{source} has {len(decoder_normal)} normalisations in the decoder, where {stages - 1} are needed"
        )
    head = _only(layers, source, "outputs_img", otherwise="conv2d")

    filters = [layers[name]["img_kernel"].shape[-1] for name in partial[:stages]]
    network = PConvUNet(filters=filters, faithful=True, training_size=training_size)
    for number, name in enumerate(partial, 1):
        _put(network, f"p_conv2d_{number}", name, layers[name], ("img_kernel", "bias"))
    for number, name in enumerate(encoder_normal, 1):
        _put(network, f"EncBN{number}", name, layers[name], _NORMAL_PARTS)
    for number, name in enumerate(decoder_normal, stages + 1):
        _put(network, f"DecBN{number}", name, layers[name], _NORMAL_PARTS)
    _put(network, "outputs_img", head, layers[head], ("kernel", "bias"))
    return network


def _read(source: Path) -> dict[str, LayerWeights]:
    import h5py  # type: ignore[import-untyped, unused-ignore]

    layers: dict[str, LayerWeights] = defaultdict(dict)

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer_weights"):
            layer, _, weight = name.rpartition("/")
            layers[layer][weight.split(":")[0]] = np.asarray(item)

    try:
        with h5py.File(source, "r") as file:
            file.visititems(visit)
    except OSError as error:
        raise ConversionError(f"{source} is not an HDF5 file: {error}") from error
    return dict(layers)


def _put(network: PConvUNet, layer_name: str, name: str, weights: LayerWeights, parts: tuple[str, ...]) -> None:
    layer = network.get_layer(layer_name)
    missing = [part for part in parts if part not in weights]
    if missing:
        raise ConversionError(f"{name} has no {', '.join(missing)}")
    values = [weights[part].astype(np.float32) for part in parts]
    for part, value, weight in zip(parts, values, layer.weights, strict=True):
        if value.shape != tuple(weight.shape):
            raise ConversionError(f"{name}/{part} is {value.shape}; as {layer_name} it must be {tuple(weight.shape)}")
    layer.set_weights(values)


def _only(layers: dict[str, LayerWeights], source: Path, name: str, otherwise: str | None = None) -> str:
    """The path of the one layer called ``name``, or numbered after ``otherwise``."""
    found = [path for path in layers if _short(path) == name]
    if not found and otherwise:
        found = [path for path in layers if re.fullmatch(rf"{otherwise}(_\d+)?", _short(path))]
    if len(found) != 1:
        raise ConversionError(f"{source} has {len(found)} layers {name!r}, where one is needed")
    return found[0]


def _in_order(names: Iterable[str]) -> list[str]:
    def number(name: str) -> int:
        match = re.search(r"_(\d+)$", _short(name))
        # Newer Keras calls the first one `p_conv2d`, without a number.
        return int(match.group(1)) if match else 0

    return sorted(names, key=number)


def _short(path: str) -> str:
    return path.rsplit("/", 1)[-1]
