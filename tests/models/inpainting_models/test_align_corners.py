"""Both ways of resizing, ours in Keras operations and TensorFlow's kernel, must sample the same places."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from inpainting_models.align_corners import AlignCornersResize, resize_bilinear, resize_nearest

MAPS = np.random.default_rng(1).normal(size=(2, 7, 11, 3)).astype(np.float32)


@pytest.mark.parametrize("size", [(14, 22), (28, 44), (13, 5), (7, 11), (1, 1)])
def test_our_resizes_equal_tensorflows(size):
    options = {"images": MAPS, "size": size, "align_corners": True, "half_pixel_centers": False}
    np.testing.assert_allclose(resize_bilinear(MAPS, *size), tf.raw_ops.ResizeBilinear(**options), atol=1e-6)
    np.testing.assert_array_equal(resize_nearest(MAPS, *size), tf.raw_ops.ResizeNearestNeighbor(**options))


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("scale", [2, 4])
def test_corners_stay_corners(interpolation, scale):
    large = np.asarray(AlignCornersResize(scale, interpolation)(MAPS))
    assert large.shape == (2, 7 * scale, 11 * scale, 3)
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        np.testing.assert_allclose(large[:, *corner], MAPS[:, *corner], atol=1e-6)


def test_the_layer_equals_the_functions_it_stands_for():
    for interpolation, function in (("bilinear", resize_bilinear), ("nearest", resize_nearest)):
        layer = AlignCornersResize(2, interpolation)
        np.testing.assert_allclose(np.asarray(layer(MAPS)), function(MAPS, 14, 22), atol=1e-6)
        assert AlignCornersResize.from_config(layer.get_config()).interpolation == interpolation


def test_other_interpolations_are_refused():
    with pytest.raises(ValueError, match="'bilinear' or 'nearest', not 'cubic'"):
        AlignCornersResize(2, "cubic")


def test_half_precision_comes_out_as_it_went_in():
    layer = AlignCornersResize(2, dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(layer(MAPS).dtype) == "bfloat16"
