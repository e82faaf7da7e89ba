"""A partial convolution must see known pixels only, and say where it saw some."""

import numpy as np
import pytest

from inpainting_models.partial_convolution import PartialConvolution

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(2, 12, 10, 4)).astype(np.float32)
MASK = (RNG.random((2, 12, 10, 1)) > 0.5).astype(np.float32)


def layer_with(kernel, bias=0.0, **options):
    layer = PartialConvolution(kernel.shape[-1], kernel.shape[0], **options)
    layer.build([(None, None, None, kernel.shape[2])], [(None, None, None, 1)])
    layer.set_weights([kernel.astype(np.float32), np.full(kernel.shape[-1], bias, np.float32)])
    return layer


@pytest.mark.parametrize("faithful", [True, False])
def test_holes_cannot_be_seen(faithful):
    layer = PartialConvolution(3, 3, faithful=faithful)
    one, _ = layer([FEATURES], [MASK])
    other, _ = layer([np.where(MASK > 0, FEATURES, 99)], [MASK])
    np.testing.assert_array_equal(one, other)


def test_a_constant_picture_stays_constant_however_much_is_hidden():
    """The paper's scale makes up for what a window does not see; the border counts as hidden too."""
    layer = layer_with(np.ones((3, 3, 4, 2)) / 36, faithful=False)
    constant = np.full((1, 9, 9, 4), 0.7, np.float32)
    result, seen = layer([constant], [MASK[:1, :9, :9]])
    np.testing.assert_allclose(np.asarray(result), 0.7 * np.repeat(np.asarray(seen), 2, -1), atol=1e-6)
    assert 0.9 < np.asarray(seen).mean() <= 1


def test_the_published_scale_is_smaller_by_the_number_of_channels():
    kernel = RNG.normal(size=(3, 3, 4, 2))
    paper, _ = layer_with(kernel, faithful=False)([FEATURES], [MASK])
    published, _ = layer_with(kernel, faithful=True)([FEATURES], [MASK])
    np.testing.assert_allclose(np.asarray(published) * 4, paper, rtol=1e-4, atol=1e-5)


def test_only_the_published_layer_adds_its_bias_where_nothing_is_known():
    kernel, nothing = RNG.normal(size=(3, 3, 4, 2)), np.zeros((2, 12, 10, 1), np.float32)
    for faithful, expected in ((True, 0.5), (False, 0.0)):
        result, seen = layer_with(kernel, bias=0.5, faithful=faithful)([FEATURES], [nothing])
        np.testing.assert_array_equal(result, np.full((2, 12, 10, 2), expected))
        assert not np.asarray(seen).any()


def test_the_mask_grows_by_the_kernel_and_shrinks_with_the_stride():
    known = np.zeros((1, 16, 16, 1), np.float32)
    known[0, 8, 8] = 1
    _, seen = PartialConvolution(1, 5)([np.ones((1, 16, 16, 1))], [known])
    assert np.argwhere(np.asarray(seen)[0, :, :, 0]).tolist() == [[y, x] for y in range(6, 11) for x in range(6, 11)]
    _, seen = PartialConvolution(1, 5, strides=2)([np.ones((1, 16, 16, 1))], [known])
    assert np.argwhere(np.asarray(seen)[0, :, :, 0]).tolist() == [[y, x] for y in range(3, 6) for x in range(3, 6)]


def test_two_maps_with_masks_of_their_own_equal_one_map_with_a_mask_for_every_channel():
    left, right = FEATURES[..., :1], FEATURES[..., 1:]
    other_mask = 1 - MASK
    layer = PartialConvolution(3, 3)
    apart, seen_apart = layer([left, right], [MASK, other_mask])
    full = np.concatenate([MASK, other_mask.repeat(3, -1)], -1)
    together, seen_together = layer([FEATURES], [full])
    np.testing.assert_allclose(apart, together, atol=1e-5)
    np.testing.assert_array_equal(seen_apart, seen_together)


def test_half_precision_counts_exactly():
    """9 x 1,024 valid values are more than bfloat16 can count, and 1e-8 more than it can add."""
    layer = PartialConvolution(2, 3, dtype="mixed_bfloat16")
    wide = np.ones((1, 8, 8, 1024), np.float32)
    result, seen = layer([wide], [np.ones((1, 8, 8, 1), np.float32)])
    assert np.isfinite(np.asarray(result, np.float32)).all()
    np.testing.assert_array_equal(seen, np.ones((1, 8, 8, 1)))
