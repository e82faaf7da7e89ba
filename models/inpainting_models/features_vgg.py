"""The VGG features that the papers' losses compare, from a weights file that the user supplies.

No weights come with this project. ``keras.applications`` publishes both networks' (``vgg19_weights_tf_dim_ordering_tf
_kernels_notop.h5``), whose first kernels are for BGR pictures from 0 to 255; the PConv authors' were PyTorch's, for RGB
ones that are scaled otherwise, and the Keras repository names a file of them under Keras's layer names.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from keras import ops

from inpainting_models.model_file_error import ModelFileError

# Convolutions of each block of both networks.
_BLOCKS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_MEAN_RGB = (123.68, 116.779, 103.939)
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_DEVIATION = (0.229, 0.224, 0.225)

Scaling = Literal["gmcnn", "gmcnn-rgb", "torch"]
ChannelOrder = Literal["bgr", "rgb"]


class VGGFeatures:
    """Feature maps of VGG16 or VGG19, by name: ``conv3_2`` (after its ReLU) or ``pool3``.

    Args:
        weights: an HDF5 file of ``keras.applications``, with or without the dense layers on top.
        weights_order: the order of colours that the file's first kernel is for: ``bgr`` in Keras's own, ``rgb`` in
            PyTorch's.
        layers: which maps to give, in order.
        depth: 16 or 19.
        pooling: ``average`` for GMCNN's losses, ``max`` for PConv's.
        scaling: ``torch`` for PConv; ``gmcnn`` as the authors' code has it, which feeds BGR pictures to a network of
            RGB ones; ``gmcnn-rgb`` without that slip.
    Raises:
        ModelFileError: the file is missing, broken, or not of this network.
    """

    def __init__(
        self,
        weights: Path,
        layers: Sequence[str],
        depth: int,
        pooling: Literal["average", "max"] = "max",
        scaling: Scaling = "torch",
        weights_order: ChannelOrder = "bgr",
    ) -> None:
        self.name = f"VGG{depth}"
        self._layers = tuple(layers)
        self._pooling = pooling
        self._scaling = scaling
        names = {
            f"conv{block}_{layer}" for block, count in enumerate(_BLOCKS[depth], 1) for layer in range(1, count + 1)
        }
        unknown = set(layers) - names - {f"pool{block}" for block in range(1, 6)}
        if unknown:
            raise ValueError(f"VGG{depth} has no {', '.join(sorted(unknown))}")
        self._kernels = _read(Path(weights), depth, self._last_block())
        if weights_order == "bgr":
            # Here every picture is RGB until someone slips.
            kernel, bias = self._kernels["conv1_1"]
            self._kernels["conv1_1"] = (np.ascontiguousarray(kernel[:, :, ::-1]), bias)

    def __call__(self, images: Any) -> dict[str, Any]:
        features = self._scaled(images)
        maps = {}
        for block in range(1, self._last_block() + 1):
            layer = 1
            while (name := f"conv{block}_{layer}") in self._kernels:
                kernel, bias = self._kernels[name]
                maps[name] = features = ops.relu(ops.conv(features, kernel, padding="same") + bias)
                layer += 1
            pool = ops.average_pool if self._pooling == "average" else ops.max_pool
            maps[f"pool{block}"] = features = pool(features, 2, strides=2, padding="same")
        return {name: maps[name] for name in self._layers}

    def _scaled(self, images: Any) -> Any:
        if self._scaling == "torch":
            return (images - np.array(_TORCH_MEAN, np.float32)) / np.array(_TORCH_DEVIATION, np.float32)
        if self._scaling == "gmcnn":
            images = ops.flip(images, axis=-1)
        return images * 255.0 - np.array(_MEAN_RGB, np.float32)

    def _last_block(self) -> int:
        return max(int(name.split("_")[0][-1]) for name in self._layers)


def gmcnn_features(weights: Path, faithful: bool = True) -> VGGFeatures:
    """VGG19 as GMCNN's ID-MRF loss uses it: average pooling, ``conv3_2`` and ``conv4_2``."""
    scaling: Scaling = "gmcnn" if faithful else "gmcnn-rgb"
    return VGGFeatures(weights, ("conv3_2", "conv4_2"), 19, "average", scaling)


def pconv_features(weights: Path, weights_order: ChannelOrder = "rgb") -> VGGFeatures:
    """VGG16 as PConv's perceptual and style losses use it: the first three pooled maps, all of it PyTorch's way."""
    return VGGFeatures(weights, ("pool1", "pool2", "pool3"), 16, weights_order=weights_order)


def _read(path: Path, depth: int, last_block: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    import h5py  # type: ignore[import-untyped, unused-ignore]

    kernels = {}
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            for block, count in enumerate(_BLOCKS[depth][:last_block], 1):
                for layer in range(1, count + 1):
                    name = f"block{block}_conv{layer}"
                    group = root[name]
                    while name in group:
                        group = group[name]
                    # `block1_conv1_W_1:0` in the published files, `kernel:0` when Keras saves them again.
                    arrays = sorted(
                        (np.asarray(group[key], np.float32) for key in group), key=lambda array: -array.ndim
                    )
                    if [array.ndim for array in arrays] != [4, 1]:
                        raise ModelFileError(path, f"{name} is not a kernel and a bias")
                    kernels[f"conv{block}_{layer}"] = (arrays[0], arrays[1])
            if "block3_conv4" in root and depth == 16:
                raise ModelFileError(path, "is VGG19's, where VGG16's is needed")
    except OSError as error:
        raise ModelFileError(path, f"is not an HDF5 file that can be read ({error})") from error
    except KeyError as error:
        raise ModelFileError(path, f"has not the layers of VGG{depth}: {error}") from error
    return kernels
