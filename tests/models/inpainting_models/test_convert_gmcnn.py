"""A TensorFlow 1 checkpoint under the authors' names must come out as the same network, layer by layer.

The judge is a forward pass in plain NumPy, written from the published description and sharing no code with the
network: its own asymmetric SAME padding, dilation, ELU and align-corners resizes.
"""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from inpainting_models import load
from inpainting_models.convert import main
from inpainting_models.convert_error import ConversionError
from inpainting_models.convert_gmcnn import convert_gmcnn

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)

# --- the judge ---

TRUNK = "conv1 conv2_downsample conv3 conv4_downsample conv5 conv6 conv7_atrous conv8_atrous conv9_atrous conv10_atrous"


def trunk_layers(cnum):
    """Name, output channels, stride and dilation, as the table of the paper's code lists them."""
    wide = [cnum, 2 * cnum, 2 * cnum] + [4 * cnum] * 7
    strides = [1, 2, 1, 2, 1, 1, 1, 1, 1, 1]
    dilations = [1, 1, 1, 1, 1, 1, 2, 4, 8, 16]
    layers = list(zip(TRUNK.split(), wide, strides, dilations, strict=True))
    if cnum > 32:
        layers.append(("conv11_atrous", 4 * cnum, 1, 32))
    return [*layers, ("conv11", 4 * cnum, 1, 1), ("conv12", 4 * cnum, 1, 1)]


def variable_shapes(cnum):
    """Every generator variable of the authors' checkpoint and its shape."""
    shapes = {}

    def add(name, kernel, channels_in, channels_out):
        shapes[f"inpaint_net/{name}/kernel"] = (kernel, kernel, channels_in, channels_out)
        shapes[f"inpaint_net/{name}/bias"] = (channels_out,)

    for branch, kernel in (("b1", 7), ("b2", 5), ("b3", 3)):
        channels = 5
        for name, out, _, _ in trunk_layers(cnum):
            add(branch + name, 5 if branch + name == "b3conv1" else kernel, channels, out)
            channels = out
    add("b2conv13_upsample/b2conv13_upsample_conv", 3, 4 * cnum, 2 * cnum)
    add("b2conv14", 5, 2 * cnum, 2 * cnum)
    add("b3conv13_upsample/b3conv13_upsample_conv", 3, 4 * cnum, 2 * cnum)
    add("b3conv14", 3, 2 * cnum, 2 * cnum)
    add("b3conv15_upsample/b3conv15_upsample_conv", 3, 2 * cnum, cnum)
    add("b3conv16", 3, cnum, cnum // 2)
    add("mergeconv17", 3, 4 * cnum + 2 * cnum + cnum // 2, cnum // 2)
    add("mergeconv18", 3, cnum // 2, 3)
    return shapes


def numpy_convolution(x, kernel, bias, stride=1, dilation=1):
    """SAME convolution of one picture `(h, w, c)` in float64, zero padded; an odd pixel goes bottom and right."""
    size = kernel.shape[0]
    reach = (size - 1) * dilation + 1
    pads, sides = [], []
    for side in x.shape[:2]:
        out = math.ceil(side / stride)
        total = max((out - 1) * stride + reach - side, 0)
        pads.append((total // 2, total - total // 2))
        sides.append(out)
    x = np.pad(x.astype(np.float64), [*pads, (0, 0)])
    result = np.zeros((*sides, kernel.shape[3]))
    for row in range(size):
        for column in range(size):
            top, left = row * dilation, column * dilation
            window = x[
                top : top + (sides[0] - 1) * stride + 1 : stride, left : left + (sides[1] - 1) * stride + 1 : stride
            ]
            result += window @ kernel[row, column].astype(np.float64)
    return result + bias


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def enlarge(x, height, width, nearest=False):
    """Align-corners resize: the first and the last pixels of both grids coincide."""
    for axis, size in ((0, height), (1, width)):
        places = np.arange(size) * (x.shape[axis] - 1) / (size - 1)
        if nearest:
            x = np.take(x, np.rint(places).astype(int), axis=axis)
            continue
        low = np.floor(places).astype(int)
        high = np.minimum(low + 1, x.shape[axis] - 1)
        weight = (places - low)[:, None, None] if axis == 0 else (places - low)[None, :, None]
        x = np.take(x, low, axis=axis) * (1 - weight) + np.take(x, high, axis=axis) * weight
    return x


def numpy_generator(variables, image, mask, cnum):
    """The raw prediction and every layer's output for one picture."""
    height, width = image.shape[:2]
    outputs = {}

    def layer(x, name, scope=None, activation=elu, **options):
        prefix = f"inpaint_net/{scope + '/' if scope else ''}{name}"
        x = numpy_convolution(x, variables[prefix + "/kernel"], variables[prefix + "/bias"], **options)
        outputs[scope or name] = activation(x)
        return outputs[scope or name]

    image = np.where(mask > 0.5, 0.0, image)
    start = np.concatenate([image, np.ones_like(mask), mask], axis=2)
    branches = {}
    for branch in ("b1", "b2", "b3"):
        x = start
        for name, _, stride, dilation in trunk_layers(cnum):
            x = layer(x, branch + name, stride=stride, dilation=dilation)
        branches[branch] = x
    one = enlarge(branches["b1"], height, width)
    x = enlarge(branches["b2"], height // 2, width // 2, nearest=True)
    x = layer(x, "b2conv13_upsample_conv", scope="b2conv13_upsample")
    two = enlarge(layer(x, "b2conv14"), height, width)
    x = enlarge(branches["b3"], height // 2, width // 2, nearest=True)
    x = layer(x, "b3conv13_upsample_conv", scope="b3conv13_upsample")
    x = enlarge(layer(x, "b3conv14"), height, width, nearest=True)
    x = layer(x, "b3conv15_upsample_conv", scope="b3conv15_upsample")
    three = layer(x, "b3conv16")
    x = layer(np.concatenate([one, two, three], axis=2), "mergeconv17")
    x = layer(x, "mergeconv18", activation=lambda value: value)
    return np.clip(x, -1, 1), outputs


# --- the checkpoint ---


def random_variables(cnum, seed=0):
    rng = np.random.default_rng(seed)

    def draw(shape):
        # He's scale keeps values alive through fifteen layers, so that a wrong one shows at the end.
        return (rng.normal(size=shape) * math.sqrt(2 / math.prod(shape[:-1] or (50,)))).astype(np.float32)

    return {name: draw(shape) for name, shape in variable_shapes(cnum).items()}


def write_checkpoint(folder: Path, variables):
    """What the authors' Saver leaves: also optimiser slots, a critic, the learning rate and unnamed kernels."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, value in variables.items():
            tf.compat.v1.Variable(value, name=name, use_resource=False)
            tf.compat.v1.Variable(value * 0 + 9, name=f"{name}/Adam", use_resource=False)
            tf.compat.v1.Variable(value * 0 + 9, name=f"{name}/Adam_1", use_resource=False)
        tf.compat.v1.Variable(np.ones((64, 64, 1, 1), np.float32), name="Variable", use_resource=False)
        tf.compat.v1.Variable(np.float32(1e-5), name="lr", use_resource=False)
        tf.compat.v1.Variable(np.ones((5, 5, 3, 4), np.float32), name="discriminator/disc_global/conv1/kernel")
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "snap-0"), write_meta_graph=False)
    return folder


CNUM = 4


@pytest.fixture(scope="module")
def variables():
    return random_variables(CNUM)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, variables):
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"), variables)


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(3)
    mask = np.zeros((24, 36, 1), np.float32)
    mask[5:15, 8:30] = 1
    return rng.uniform(-1, 1, (24, 36, 3)).astype(np.float32), mask


def test_the_converted_network_equals_the_published_one_in_every_layer(checkpoint, variables, picture, tmp_path):
    assert main(["gmcnn", str(checkpoint), str(tmp_path / "gmcnn.keras"), "--training-size", "512x680"]) == 0
    network = load(tmp_path / "gmcnn.keras")
    assert network.training_size == (512, 680)
    image, mask = picture
    expected, by_layer = numpy_generator(variables, image, mask, CNUM)

    # 3 x 12 convolutions of the trunks, 6 of the decoders, 2 of the merge: 44, as published.
    assert len(by_layer) == 44
    outputs = keras.Model(network.inputs, [network.get_layer(name).output for name in by_layer])
    for name, output in zip(by_layer, outputs([image[None], mask[None]]), strict=True):
        scale = np.abs(by_layer[name]).max()
        np.testing.assert_allclose(np.asarray(output)[0], by_layer[name], atol=2e-5 * scale, err_msg=name)
    prediction = np.asarray(network([image[None], mask[None]]))[0]
    np.testing.assert_allclose(prediction, expected, atol=1e-4)
    assert 0 < (np.abs(expected) == 1).mean() < 0.5, "the picture must show both clipped and free values"


def test_a_network_wider_than_32_has_the_widest_dilation(tmp_path):
    variables = random_variables(33)
    assert "inpaint_net/b1conv11_atrous/kernel" in variables
    network = convert_gmcnn(write_checkpoint(tmp_path, variables))
    assert network.channels == 33
    assert network.get_layer("b2conv11_atrous").dilation_rate == (32, 32)
    for name in ("b1conv11_atrous", "b3conv11"):
        np.testing.assert_array_equal(network.get_layer(name).kernel.numpy(), variables[f"inpaint_net/{name}/kernel"])


def test_a_frozen_graph_converts_like_its_checkpoint(tmp_path, variables, checkpoint):
    with tf.Graph().as_default() as graph:
        for name, value in variables.items():
            tf.constant(value, name=name)
    path = tmp_path / "frozen.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    for one, other in zip(convert_gmcnn(path).weights, convert_gmcnn(checkpoint).weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_an_incomplete_checkpoint_names_what_is_missing(tmp_path, variables):
    lacking = {name: value for name, value in variables.items() if "b3conv13_upsample" not in name}
    with pytest.raises(ConversionError, match="b3conv13_upsample/b3conv13_upsample_conv/kernel is missing"):
        convert_gmcnn(write_checkpoint(tmp_path, lacking))


def test_a_checkpoint_of_another_shape_names_the_layer(tmp_path, variables):
    wrong = {**variables, "inpaint_net/b2conv14/kernel": np.zeros((3, 3, 8, 8), np.float32)}
    with pytest.raises(ConversionError, match=r"b2conv14/kernel is \(3, 3, 8, 8\), not \(5, 5, 8, 8\)"):
        convert_gmcnn(write_checkpoint(tmp_path, wrong))


def test_another_networks_checkpoint_is_refused(tmp_path):
    with pytest.raises(ConversionError, match="it is not a GMCNN generator"):
        convert_gmcnn(write_checkpoint(tmp_path, {"vgg/conv1/kernel": np.zeros((3, 3), np.float32)}))


@pytest.mark.parametrize("name", ["nothing", "broken.pb"])
def test_the_command_says_what_it_could_not_read(tmp_path, capsys, name):
    (tmp_path / "broken.pb").write_bytes(b"not a graph")
    assert main(["gmcnn", str(tmp_path / name), str(tmp_path / "out.keras")]) == 2
    assert name in capsys.readouterr().err
    assert not (tmp_path / "out.keras").exists()
