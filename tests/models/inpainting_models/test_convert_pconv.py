"""Weights as the Keras repository saves them must come out as the same network, layer by layer.

The judge is a forward pass in plain NumPy written from the published description, the repository's habits included:
the mask counted over all channels against a window of kh x kw, the bias added in empty windows, the sigmoid head.
"""

import h5py
import keras
import numpy as np
import pytest

from inpainting_models import load
from inpainting_models.convert import main
from inpainting_models.convert_error import ConversionError
from inpainting_models.convert_pconv import convert_pconv

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)

FILTERS = (4, 6, 8, 10)
KERNELS = (7, 5, 5, 3)
STAGES = len(FILTERS)

# --- the judge ---


def numpy_valid(x, kernel, stride):
    """VALID convolution of one picture `(h, w, c)`, in float64."""
    size = kernel.shape[0]
    rows, columns = ((side - size) // stride + 1 for side in x.shape[:2])
    result = np.zeros((rows, columns, kernel.shape[3]))
    for row in range(size):
        for column in range(size):
            window = x[
                row : row + (rows - 1) * stride + 1 : stride, column : column + (columns - 1) * stride + 1 : stride
            ]
            result += window @ kernel[row, column].astype(np.float64)
    return result


def numpy_partial(x, mask, weights, stride):
    """The repository's layer, its mask as wide as the picture; gives picture and mask."""
    kernel, bias = weights["img_kernel"], weights["bias"]
    margin = (kernel.shape[0] - 1) // 2
    x, mask = (np.pad(values.astype(np.float64), [(margin, margin), (margin, margin), (0, 0)]) for values in (x, mask))
    valid = numpy_valid(mask, np.ones_like(kernel), stride)
    ratio = kernel.shape[0] ** 2 / (valid + 1e-8) * np.clip(valid, 0, 1)
    return numpy_valid(x * mask, kernel, stride) * ratio + bias, np.clip(valid, 0, 1)


def numpy_normal(x, weights):
    deviation = np.sqrt(weights["moving_variance"] + 1e-3)
    return (x - weights["moving_mean"]) / deviation * weights["gamma"] + weights["beta"]


def numpy_unet(layers, image, mask):
    """The prediction for one picture, and each partial convolution's features and mask."""
    outputs = {}
    skips = []
    x = image
    for stage in range(1, STAGES + 1):
        skips.append((x, mask))
        x, mask = outputs[stage] = numpy_partial(x, mask, layers[f"p_conv2d_{stage}"], stride=2)
        if stage > 1:
            x = numpy_normal(x, layers[f"EncBN{stage - 1}"])
        x = np.maximum(x, 0)
    for stage in range(STAGES + 1, 2 * STAGES + 1):
        skip, skip_mask = skips.pop()
        x = np.concatenate([skip, x.repeat(2, 0).repeat(2, 1)], axis=2)
        mask = np.concatenate([skip_mask, mask.repeat(2, 0).repeat(2, 1)], axis=2)
        x, mask = outputs[stage] = numpy_partial(x, mask, layers[f"p_conv2d_{stage}"], stride=1)
        if stage < 2 * STAGES:
            x = numpy_normal(x, layers[f"batch_normalization_{stage - STAGES}"])
        x = np.where(x > 0, x, 0.2 * x)
    head = layers["outputs_img"]
    return 1 / (1 + np.exp(-(x @ head["kernel"][0, 0] + head["bias"]))), outputs


# --- the file ---


def random_layers(seed=0):
    rng = np.random.default_rng(seed)

    def convolution(size, channels_in, channels_out, name="img_kernel", gain=1.0):
        deviation = gain * np.sqrt(2 / (size * size * channels_in))
        kernel = rng.normal(0, deviation, (size, size, channels_in, channels_out)).astype(np.float32)
        return {name: kernel, "bias": rng.normal(0, 0.1, channels_out).astype(np.float32)}

    def normal(channels):
        draws = {name: rng.uniform(0.5, 1.5, channels) for name in ("gamma", "moving_variance")}
        draws |= {name: rng.normal(0, 0.1, channels) for name in ("beta", "moving_mean")}
        order = ("gamma", "beta", "moving_mean", "moving_variance")
        return {name: draws[name].astype(np.float32) for name in order}

    layers = {}
    channels = 3
    for stage, (width, size) in enumerate(zip(FILTERS, KERNELS, strict=True), 1):
        # The published scale is 1/C_in of what keeps values alive, so these are C_in larger.
        layers[f"p_conv2d_{stage}"] = convolution(size, channels, width, gain=channels)
        if stage > 1:
            layers[f"EncBN{stage - 1}"] = normal(width)
        channels = width
    for stage, (width, skip) in enumerate(zip((8, 6, 4, 3), (8, 6, 4, 3), strict=True), 1):
        total = skip + channels
        layers[f"p_conv2d_{STAGES + stage}"] = convolution(3, total, width, gain=total)
        if stage < STAGES:
            layers[f"batch_normalization_{stage}"] = normal(width)
        channels = width
    layers["outputs_img"] = convolution(1, 3, 3, name="kernel")
    return layers


def write_weights(path, layers, outer="", rename=lambda name: name, suffix=":0"):
    """As `save_weights` writes: a group for each layer, in it the layer's name again, then its weights."""
    with h5py.File(path, "w") as file:
        root = file.create_group(outer) if outer else file
        root.attrs["layer_names"] = [rename(name).encode() for name in layers]
        root.create_group("inputs_img").attrs["weight_names"] = []
        for name, weights in layers.items():
            group = root.create_group(rename(name))
            group.attrs["weight_names"] = [f"{rename(name)}/{weight}{suffix}".encode() for weight in weights]
            for weight, value in weights.items():
                group.create_dataset(f"{rename(name)}/{weight}{suffix}", data=value)
    return path


@pytest.fixture(scope="module")
def layers():
    return random_layers()


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(5)
    known = np.ones((32, 48, 3), np.float32)
    # Larger than the first stages can bridge, so that some windows see nothing at all.
    known[2:26, 10:44] = 0
    return rng.uniform(0, 1, (32, 48, 3)).astype(np.float32), known


def test_the_converted_network_equals_the_published_one_in_every_layer(layers, picture, tmp_path):
    source = write_weights(tmp_path / "weights.26-1.07.h5", layers)
    assert main(["pconv", str(source), str(tmp_path / "pconv.keras")]) == 0
    network = load(tmp_path / "pconv.keras")
    assert network.training_size == (512, 512)
    assert network.filters == FILTERS
    image, known = picture
    expected, by_stage = numpy_unet(layers, image, known)
    assert (by_stage[1][1] == 0).any(), "the picture must have windows without a known pixel"

    tensors = [network.get_layer(f"p_conv2d_{stage}").output for stage in by_stage]
    outputs = keras.Model(network.inputs, tensors)([image[None], known[None]])
    for stage, (features, mask) in zip(by_stage, outputs, strict=True):
        expected_features, expected_mask = by_stage[stage]
        scale = np.abs(expected_features).max()
        np.testing.assert_allclose(np.asarray(features)[0], expected_features, atol=1e-4 * scale, err_msg=str(stage))
        np.testing.assert_array_equal(np.asarray(mask)[0, :, :, 0], expected_mask[:, :, 0], err_msg=str(stage))
    prediction = np.asarray(network([image[None], known[None]]))[0]
    np.testing.assert_allclose(prediction, expected, atol=1e-4)
    assert expected.std() > 0.05, "the head must not hide the rest behind a flat sigmoid"


def test_layers_are_known_by_what_they_hold_when_keras_counted_on(layers, tmp_path):
    """Two models in one session shift the numbers, several GPUs nest them, newer Keras starts without one."""
    plain = convert_pconv(write_weights(tmp_path / "plain.h5", layers))

    def counted_on(name):
        head, _, number = name.rpartition("_")
        return f"{head}_{int(number) + 8}" if number.isdigit() and not name.startswith("Enc") else name

    def newer(name):
        head, _, number = name.rpartition("_")
        return (f"{head}_{int(number) - 1}" if number != "1" else head) if number.isdigit() else name

    nested = write_weights(tmp_path / "nested.h5", layers, outer="model_1", rename=counted_on)
    whole = write_weights(tmp_path / "whole.h5", layers, outer="model_weights", rename=newer, suffix="")
    with h5py.File(whole, "a") as file:
        file.create_dataset("optimizer_weights/Adam/p_conv2d_1/img_kernel/m:0", data=np.zeros(3))
    for path in (nested, whole):
        for one, other in zip(convert_pconv(path).weights, plain.weights, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=path.name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda layers: layers.pop("p_conv2d_3"), "7 partial convolutions"),
        (lambda layers: layers.pop("EncBN2"), "0 layers 'EncBN2'"),
        (lambda layers: layers.pop("batch_normalization_1"), "2 normalisations in the decoder, where 3 are needed"),
        (lambda layers: layers.pop("outputs_img"), "0 layers 'outputs_img'"),
        (lambda layers: layers["p_conv2d_2"].pop("bias"), "p_conv2d_2 has no bias"),
        (
            lambda layers: layers["p_conv2d_6"].update(img_kernel=np.zeros((5, 5, 2, 6))),
            r"p_conv2d_6/img_kernel is \(5, 5",
        ),
    ],
)
def test_weights_of_another_network_are_refused_by_name(tmp_path, change, message):
    layers = random_layers()
    change(layers)
    with pytest.raises(ConversionError, match=message):
        convert_pconv(write_weights(tmp_path / "weights.h5", layers))


@pytest.mark.parametrize("content", [None, b"not HDF5"])
def test_the_command_says_what_it_could_not_read(tmp_path, capsys, content):
    source = tmp_path / "weights.h5"
    if content:
        source.write_bytes(content)
    assert main(["pconv", str(source), str(tmp_path / "out.keras")]) == 2
    assert "is not an HDF5 file" in capsys.readouterr().err
