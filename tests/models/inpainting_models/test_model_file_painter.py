"""A user's own file must paint what its model paints, in every format, convention and size.

Each model here fills the hole with one colour and keeps the rest: a wrong range, polarity, order of colours or layout
shows at once. The files are built by the test, in the conventions of well-known ones.
"""

import threading

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from inpainting_models.model_file_error import ModelFileError
from inpainting_models.model_file_painter import open_painter
from inpainting_models.model_file_yaml import parse_description, read_description

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorflow"),
]

RNG = np.random.default_rng(0)
PHOTOS = RNG.random((3, 16, 24, 3)).astype(np.float32)
HOLES = np.zeros((3, 16, 24), bool)
HOLES[0, 4:9, 5:20] = HOLES[1, :6, :6] = HOLES[2, 10:, 18:] = True
FILL = np.array([1.0, 0.5, 0.25], np.float32)
EXPECTED = np.where(HOLES[..., None], FILL, PHOTOS)


def save_onnx(path, nodes, inputs, constants, output_type=TensorProto.FLOAT, output_shape=("n", 3, "h", "w")):
    graph = helper.make_graph(
        nodes,
        "fill",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info("result", output_type, output_shape)],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()],
    )
    # A version that every onnxruntime of the last years knows.
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)
    return path


def lama_like(path, size=("h", "w"), gain=255.0, mask_first=False):
    """Pictures and masks in [0, 1], 1 = hole, NCHW; pictures come back as 0 to 255."""
    inputs = [("image", TensorProto.FLOAT, ("n", 3, *size)), ("mask", TensorProto.FLOAT, ("n", 1, *size))]
    nodes = [
        helper.make_node("Sub", ["one", "mask"], ["known"]),
        helper.make_node("Mul", ["image", "known"], ["kept"]),
        helper.make_node("Mul", ["fill", "mask"], ["filled"]),
        helper.make_node("Add", ["kept", "filled"], ["picture"]),
        helper.make_node("Mul", ["picture", "gain"], ["result"]),
    ]
    constants = {"one": 1, "fill": FILL.reshape(1, 3, 1, 1), "gain": gain}
    return save_onnx(path, nodes, inputs[::-1] if mask_first else inputs, constants, output_shape=("n", 3, *size))


def migan_like(path):
    """Bytes in and out, NCHW, 255 = known."""
    inputs = [("image", TensorProto.UINT8, ("n", 3, "h", "w")), ("mask", TensorProto.UINT8, ("n", 1, "h", "w"))]
    nodes = [
        helper.make_node("Cast", ["image"], ["picture"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["mask"], ["white"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["white", "most"], ["known"]),
        helper.make_node("Sub", ["one", "known"], ["hole"]),
        helper.make_node("Mul", ["picture", "known"], ["kept"]),
        helper.make_node("Mul", ["fill", "hole"], ["filled"]),
        helper.make_node("Add", ["kept", "filled"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["result"], to=TensorProto.UINT8),
    ]
    constants = {"one": 1, "most": 255, "fill": FILL.reshape(1, 3, 1, 1) * 255}
    return save_onnx(path, nodes, inputs, constants, output_type=TensorProto.UINT8)


def joined_like(path):
    """One input of five channels: BGR in [-1, 1] with grey holes, ones, mask of 0 = hole; what it sees comes back."""
    inputs = [("x", TensorProto.FLOAT, ("n", 5, "h", "w"))]
    kernel = np.zeros((3, 5, 1, 1), np.float32)
    kernel[[0, 1, 2], [0, 1, 2]] = 1
    nodes = [helper.make_node("Conv", ["x", "kernel"], ["result"])]
    return save_onnx(path, nodes, inputs, {"kernel": kernel})


def test_a_file_like_lamas_paints(tmp_path):
    painter = open_painter(lama_like(tmp_path / "big-lama.onnx"), read_description("lama"))
    assert (painter.name, painter.training_size, painter.multiple) == ("big-lama", (512, 512), 8)
    np.testing.assert_allclose(painter.paint(PHOTOS, HOLES), EXPECTED, atol=1e-6)


def test_a_file_like_migans_paints_to_the_byte(tmp_path):
    painter = open_painter(migan_like(tmp_path / "migan.onnx"), read_description("migan"), name="small")
    assert painter.name == "small"
    np.testing.assert_allclose(painter.paint(PHOTOS, HOLES), EXPECTED, atol=1.01 / 255)


def test_inputs_are_known_by_their_names_when_an_exporter_reordered_them(tmp_path):
    painter = open_painter(lama_like(tmp_path / "lama.onnx", mask_first=True), read_description("lama"))
    np.testing.assert_allclose(painter.paint(PHOTOS, HOLES), EXPECTED, atol=1e-6)


def test_one_joined_input_gets_its_parts_in_order(tmp_path):
    description = parse_description(
        {
            "image": {"range": [-1, 1], "channels": "bgr", "hole": 0},
            "mask": {"hole": 0, "known": 1},
            "output": {"range": [-1, 1], "channels": "bgr"},
            "layout": "nchw",
            "inputs": {"x": "image+ones+mask"},
        }
    )
    painted = open_painter(joined_like(tmp_path / "joined.onnx"), description).paint(PHOTOS, HOLES)
    np.testing.assert_allclose(painted, np.where(HOLES[..., None], 0.5, PHOTOS), atol=1e-6)


def test_sides_are_padded_to_multiples_and_cut_off_again(tmp_path):
    painter = open_painter(lama_like(tmp_path / "lama.onnx"), read_description("lama"))
    photos, holes = PHOTOS[:, :13, :21], HOLES[:, :13, :21]
    np.testing.assert_allclose(painter.paint(photos, holes), EXPECTED[:, :13, :21], atol=1e-6)


@pytest.mark.parametrize("size", [(16, 24), (32, 32)])
def test_a_file_of_one_size_paints_smaller_pictures_by_padding(tmp_path, size):
    painter = open_painter(lama_like(tmp_path / "fixed.onnx", size), read_description("lama"))
    assert (painter.training_size, painter.multiple) == (size, 1)
    np.testing.assert_allclose(painter.paint(PHOTOS, HOLES), EXPECTED, atol=1e-6)


def test_a_file_of_one_size_paints_larger_pictures_by_scaling(tmp_path):
    painter = open_painter(lama_like(tmp_path / "fixed.onnx", (16, 16)), read_description("lama"))
    photo = np.full((1, 40, 64, 3), 0.2, np.float32)
    hole = np.zeros((1, 40, 64), bool)
    hole[:, 10:30, 20:50] = True
    # The object to remove is white; none of it may shine through into what is painted or known.
    painted = painter.paint(np.where(hole[..., None], 1, photo).astype(np.float32), hole)
    assert painted.shape == photo.shape
    np.testing.assert_allclose(painted[0, 16:24, 28:42], np.broadcast_to(FILL, (8, 14, 3)), atol=0.02)
    np.testing.assert_allclose(painted[0, :2], 0.2, atol=0.02)


def fill_network(size=(None, None)):
    images, masks = keras.Input((*size, 3), name="image"), keras.Input((*size, 1), name="mask")
    return keras.Model([images, masks], images * (1 - masks) + masks * FILL)


def test_a_keras_file_of_the_users_paints(tmp_path):
    fill_network().save(tmp_path / "mine.keras")
    painter = open_painter(tmp_path / "mine.keras", parse_description({}))
    np.testing.assert_allclose(painter.paint(PHOTOS, HOLES), EXPECTED, atol=1e-6)


def litert_bytes(batch, size, quantised=False):
    class Fill(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec((batch, *size, 3), name="image"),
                tf.TensorSpec((batch, *size, 1), name="mask"),
            ]
        )
        def fill(self, image, mask):
            return image * (1 - mask) + mask * FILL

    module = Fill()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.fill.get_concrete_function()], module)
    if quantised:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [image[None], mask[None, ..., None].astype(np.float32)] for image, mask in zip(PHOTOS, HOLES, strict=True)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


@pytest.mark.parametrize(
    ("batch", "size", "quantised", "tolerance"),
    [(1, (16, 24), False, 1e-6), (None, (None, None), False, 1e-6), (1, (16, 24), True, 0.02)],
)
def test_a_litert_file_paints(tmp_path, batch, size, quantised, tolerance):
    (tmp_path / "mine.tflite").write_bytes(litert_bytes(batch, size, quantised))
    painter = open_painter(tmp_path / "mine.tflite", parse_description({}), threads=1)
    np.testing.assert_allclose(painter.paint(PHOTOS, HOLES), EXPECTED, atol=tolerance)
    if size == (None, None):
        np.testing.assert_allclose(painter.paint(PHOTOS[:1, :12], HOLES[:1, :12]), EXPECTED[:1, :12], atol=tolerance)


def test_threads_may_paint_at_the_same_time(tmp_path):
    (tmp_path / "mine.tflite").write_bytes(litert_bytes(None, (None, None)))
    painters = [
        open_painter(tmp_path / "mine.tflite", parse_description({}), threads=1),
        open_painter(lama_like(tmp_path / "lama.onnx"), read_description("lama"), threads=1),
    ]
    errors = []

    def work(index):
        for _ in range(10):
            for painter in painters:
                painted = painter.paint(PHOTOS[index : index + 1], HOLES[index : index + 1])
                errors.append(np.abs(painted - EXPECTED[index]).max())

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 60
    assert max(errors) < 1e-6


@pytest.mark.parametrize("name", ["broken.onnx", "broken.tflite", "broken.keras", "broken.pth"])
def test_a_broken_file_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"not a model at all")
    with pytest.raises(ModelFileError, match=f"{name}: is "):
        open_painter(tmp_path / name, parse_description({}))


def test_a_file_of_another_format_needs_a_description(tmp_path):
    with pytest.raises(ModelFileError, match=r"lama\.onnx: needs a description .*: lama, migan"):
        open_painter(lama_like(tmp_path / "lama.onnx"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"nowhere\.onnx: there is no such file"):
        open_painter(tmp_path / "nowhere.onnx", parse_description({}))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"preset": "lama", "layout": "nhwc"}, "input image has 24 channels, where image has 3; is its layout nchw"),
        (
            {"preset": "lama", "inputs": ["image+mask"]},
            r"has 2 inputs \(image \?x3x16x24, mask",
        ),
        ({"preset": "lama", "inputs": {"photo": "image", "mask": "mask"}}, "has no input 'photo'; there are image"),
        ({"preset": "lama", "output": {"name": "picture"}}, "has no output 'picture'; there are result"),
        ({"preset": "lama", "mask": {"channels": 3}}, "input mask has 1 channels, where mask has 3"),
        ({"preset": "lama", "size": {"fixed": [8, 8]}}, "is for 16x24 only, where size.fixed is 8x8"),
        (
            {"preset": "lama", "inputs": {"image": "image", "mask": "image"}},
            "input mask has 1 channels, where image has 3",
        ),
    ],
)
def test_a_file_that_is_not_as_described_is_refused_before_any_photo(tmp_path, document, message):
    path = lama_like(tmp_path / "lama.onnx", (16, 24))
    with pytest.raises(ModelFileError, match=message):
        open_painter(path, parse_description(document))


@pytest.mark.parametrize(
    ("gain", "document", "message"),
    [
        (1.0, {"preset": "lama"}, r"gave numbers up to 1.* for pictures that are not black, where .* 0 to 255"),
        (255.0, {"preset": "lama", "output": {"range": [0, 1]}}, r"gave numbers from .* to 25\d.*, where .* 0 to 1"),
        (float("nan"), {"preset": "lama"}, "gave numbers that are not finite"),
    ],
)
def test_outputs_that_cannot_be_pictures_are_an_error_and_not_a_black_hole(tmp_path, gain, document, message):
    painter = open_painter(lama_like(tmp_path / "lama.onnx", gain=gain), parse_description(document))
    with pytest.raises(ModelFileError, match=f"lama.onnx: {message}"):
        painter.paint(PHOTOS, HOLES)


def test_an_output_of_another_shape_is_an_error(tmp_path):
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["result"]),
    ]
    inputs = [("image", TensorProto.FLOAT, ("n", 3, "h", "w")), ("mask", TensorProto.FLOAT, ("n", 1, "k", "l"))]
    path = save_onnx(tmp_path / "small.onnx", nodes, inputs, {})
    painter = open_painter(path, parse_description({"layout": "nchw"}))
    with pytest.raises(ModelFileError, match=r"gave \(3, 3, 1, 1\) for pictures of 16x24"):
        painter.paint(PHOTOS, HOLES)
