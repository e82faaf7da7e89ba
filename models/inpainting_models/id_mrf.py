"""The ID-MRF loss: every patch of one picture's features should find a partner of its own in the other's.

Implicit Diversified Markov Random Fields (Wang et al., NeurIPS 2018, section 3.2): a loss that rewards varied texture,
where a pixel loss rewards the mean of all textures.
"""

from typing import Any

import keras
from keras import ops

BANDWIDTH = 0.5
MOST_POSITIONS = 65**2


def id_mrf(
    predicted: Any,
    truth: Any,
    *,
    faithful: bool = True,
    bandwidth: float = BANDWIDTH,
    most_positions: int = MOST_POSITIONS,
    seed: Any = None,
) -> Any:
    """The loss between two feature maps `(batch, height, width, channels)`, a scalar.

    Args:
        faithful: as the authors' code: each predicted position looks for its partner in the truth. ``False`` exchanges
            the two, as the paper and the authors' PyTorch port have it.
        bandwidth: how sharply the nearest position is preferred (the code's ``nn_stretch_sigma``).
        most_positions: larger maps are thinned to this many random positions, the same ones in both.
        seed: an integer or ``keras.random.SeedGenerator`` for that choice.
    """
    height, width, channels = (int(side) for side in predicted.shape[1:])
    targets, candidates = (predicted, truth) if faithful else (truth, predicted)
    targets = ops.reshape(targets, (-1, height * width, channels))
    candidates = ops.reshape(candidates, (-1, height * width, channels))
    if height * width > most_positions:
        chosen = keras.random.shuffle(ops.arange(height * width), seed=seed)[:most_positions]
        targets, candidates = ops.take(targets, chosen, axis=1), ops.take(candidates, chosen, axis=1)

    mean = ops.mean(targets, axis=(0, 1), keepdims=True)
    targets, candidates = _unit(targets - mean), _unit(candidates - mean)
    # (batch, candidate, target): cosine distances in [0, 1].
    distances = (1.0 - ops.matmul(candidates, ops.transpose(targets, (0, 2, 1)))) / 2.0
    relative = distances / (ops.min(distances, axis=2, keepdims=True) + 1e-5)
    # A softmax over the targets is exp((1 - d) / h), normalised: the 1 cancels.
    similarity = ops.softmax(-relative / bandwidth, axis=2)
    best = ops.max(similarity, axis=1)
    return ops.mean(-ops.log(ops.mean(best, axis=1)))


def _unit(vectors: Any) -> Any:
    # The published code divides by the bare norm, and a picture of one colour is NaN in it.
    return vectors / ops.sqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True) + 1e-12)
