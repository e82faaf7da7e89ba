"""Features: our own filters, and VGG from a file under the published names."""

import h5py
import numpy as np
import pytest
import tensorflow as tf

from inpainting_models.features import FixedFilters, to_rgb
from inpainting_models.features_vgg import VGGFeatures, gmcnn_features, pconv_features
from inpainting_models.model_file_error import ModelFileError

RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 32, 48, 3)).astype(np.float32)
BLOCKS = {16: (2, 2, 3, 3), 19: (2, 2, 4, 4)}


def write_vgg(path, depth, suffixes=("_W_1:0", "_b_1:0"), nested=False):
    """The published layout with four channels instead of hundreds; gives the kernels and biases by layer."""
    layers, channels = {}, 3
    with h5py.File(path, "w") as file:
        for block, count in enumerate(BLOCKS[depth], 1):
            for layer in range(1, count + 1):
                name = f"block{block}_conv{layer}"
                kernel, bias = RNG.normal(size=(3, 3, channels, 4)).astype(np.float32), RNG.normal(size=4)
                group = file.create_group(f"{name}/{name}" if nested else name)
                group.create_dataset(("" if nested else name) + suffixes[0], data=kernel)
                group.create_dataset(("" if nested else name) + suffixes[1], data=bias)
                layers[name], channels = (kernel, bias.astype(np.float32)), 4
    return layers


def convolved(values, layers, *names):
    for name in names:
        kernel, bias = layers[name]
        values = tf.nn.relu(tf.nn.conv2d(values, kernel, 1, "SAME") + bias)
    return values


def test_fixed_filters_are_the_same_everywhere_and_blind_to_flat_colour():
    maps = FixedFilters()(IMAGES)
    assert {name: values.shape for name, values in maps.items()} == {
        "scale0": (2, 32, 48, 64),
        "scale1": (2, 16, 24, 64),
        "scale2": (2, 8, 12, 64),
    }
    for name, values in FixedFilters()(IMAGES).items():
        np.testing.assert_array_equal(values, maps[name])
    flat = np.asarray(FixedFilters()(np.full_like(IMAGES, 0.6))["scale0"])
    assert np.abs(flat[:, 3:-3, 3:-3]).max() < 1e-5


def test_fixed_filters_are_orthogonal():
    kernel = np.asarray(FixedFilters()._kernel).reshape(-1, 64)
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(64), atol=1e-5)


def test_more_filters_than_directions_are_refused():
    with pytest.raises(ValueError, match="3x3 filters of three colours are at most 24, not 64"):
        FixedFilters(kernel_px=3)


def test_gmcnns_pictures_become_rgb():
    np.testing.assert_allclose(to_rgb(IMAGES * 2 - 1)[..., 0], IMAGES[..., 2], atol=1e-6)


def test_gmcnns_vgg_averages_and_confuses_colours_as_published(tmp_path):
    path = tmp_path / "vgg19.h5"
    layers = write_vgg(path, 19)
    # Keras's file is for BGR; the authors' was for RGB, and was fed BGR.
    kernel, bias = layers["block1_conv1"]
    layers["block1_conv1"] = (kernel[:, :, ::-1], bias)
    for faithful, pictures in ((True, IMAGES[..., ::-1]), (False, IMAGES)):
        values = pictures * 255 - np.array([123.68, 116.779, 103.939], np.float32)
        for block in ("block1", "block2"):
            values = convolved(values, layers, f"{block}_conv1", f"{block}_conv2")
            values = tf.nn.avg_pool2d(values, 2, 2, "SAME")
        expected = convolved(values, layers, "block3_conv1", "block3_conv2")
        maps = gmcnn_features(path, faithful=faithful)(IMAGES)
        assert list(maps) == ["conv3_2", "conv4_2"]
        np.testing.assert_allclose(maps["conv3_2"], expected, rtol=1e-3, atol=1e-2 * float(tf.reduce_max(expected)))


def test_pconvs_vgg_is_pytorchs(tmp_path):
    path = tmp_path / "vgg16.h5"
    layers = write_vgg(path, 16, suffixes=("kernel:0", "bias:0"), nested=True)
    values = (IMAGES - np.array([0.485, 0.456, 0.406], np.float32)) / np.array([0.229, 0.224, 0.225], np.float32)
    maps = pconv_features(path)(IMAGES)
    assert [values.shape[1] for values in maps.values()] == [16, 8, 4]
    expected = tf.nn.max_pool2d(convolved(values, layers, "block1_conv1", "block1_conv2"), 2, 2, "SAME")
    np.testing.assert_allclose(maps["pool1"], expected, rtol=1e-4, atol=1e-4)


def test_files_of_something_else_are_named(tmp_path):
    write_vgg(tmp_path / "vgg16.h5", 16)
    write_vgg(tmp_path / "vgg19.h5", 19)
    (tmp_path / "broken.h5").write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match=r"vgg16\.h5: has not the layers of VGG19"):
        gmcnn_features(tmp_path / "vgg16.h5")
    with pytest.raises(ModelFileError, match=r"vgg19\.h5: is VGG19's, where VGG16's is needed"):
        pconv_features(tmp_path / "vgg19.h5")
    with pytest.raises(ModelFileError, match=r"broken\.h5: is not an HDF5 file"):
        pconv_features(tmp_path / "broken.h5")
    with pytest.raises(ValueError, match="VGG16 has no conv3_4"):
        VGGFeatures(tmp_path / "vgg16.h5", ("conv3_4",), 16)
