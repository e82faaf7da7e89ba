"""PConv's loss, with the paper's weights (Liu et al., ECCV 2018, equations 2 to 7).

Pictures are as the network has them: `(batch, height, width, 3)`, RGB in [0, 1]; ``known`` `(batch, height, width, 1
or 3)`, 1 = known. Every term is a mean over values, not a sum: the paper's weights are for that.
"""

from typing import Any

from keras import ops

from inpainting_models.features import Features

WEIGHTS = {"known": 1.0, "hole": 6.0, "perceptual": 0.05, "style": 120.0, "total_variation": 0.1}


def pconv_loss(truth: Any, predicted: Any, known: Any, features: Features, *, faithful: bool = True) -> dict[str, Any]:
    """The weighted terms by name; their sum is the loss.

    Args:
        features: what the perceptual and the style term compare: ``pconv_features(weights)`` as published, or
            ``FixedFilters()`` without weights.
        faithful: the Keras repository's total variation; see ``total_variation``.
    """
    completed = known * truth + (1.0 - known) * predicted
    true_maps, predicted_maps, completed_maps = (features(images) for images in (truth, predicted, completed))
    terms = {
        "known": _distance(known * truth, known * predicted),
        "hole": _distance((1.0 - known) * truth, (1.0 - known) * predicted),
        "perceptual": sum(
            _distance(maps[name], true_maps[name]) for maps in (predicted_maps, completed_maps) for name in true_maps
        ),
        "style": sum(
            _distance(gram(maps[name]), gram(true_maps[name]))
            for maps in (predicted_maps, completed_maps)
            for name in true_maps
        ),
        "total_variation": total_variation(completed, known, faithful=faithful),
    }
    return {name: WEIGHTS[name] * value for name, value in terms.items()}


def gram(maps: Any) -> Any:
    """How channels occur together, wherever they do: `(batch, channels, channels)`, over channels x height x width."""
    height, width, channels = (int(side) for side in maps.shape[1:])
    flat = ops.reshape(maps, (-1, height * width, channels))
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / (channels * height * width)


def total_variation(completed: Any, known: Any, *, faithful: bool = True) -> Any:
    """The mean step between neighbours in the hole, grown by a pixel so that its rim is in it.

    ``faithful=True`` is the Keras repository's, which blackens the rest of the picture first, and so also counts the
    steps from the region to black. ``False`` counts steps inside the region only, as the paper says.
    """
    region = ops.max_pool(1.0 - known, 3, strides=1, padding="same")
    if faithful:
        seen = region * completed
        return _distance(seen[:, 1:], seen[:, :-1]) + _distance(seen[:, :, 1:], seen[:, :, :-1])
    down = ops.abs(completed[:, 1:] - completed[:, :-1]) * region[:, 1:] * region[:, :-1]
    across = ops.abs(completed[:, :, 1:] - completed[:, :, :-1]) * region[:, :, 1:] * region[:, :, :-1]
    return ops.mean(down) + ops.mean(across)


def _distance(one: Any, other: Any) -> Any:
    return ops.mean(ops.abs(one - other))
