"""GMCNN's losses, with the weights that the authors' code arrives at (Wang et al., NeurIPS 2018, section 3).

Pictures are as the network has them: `(batch, height, width, 3)`, BGR in [-1, 1]; masks `(batch or 1, height, width,
1)`, 1 = hole. Each total comes as its weighted terms by name, so that a training can show them: their sum is the loss.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from inpainting_models.features import Features, to_rgb
from inpainting_models.gradient_penalty import LAMBDA, gradient_penalty
from inpainting_models.id_mrf import id_mrf

RECONSTRUCTION_WEIGHT = 1.4 * 1.2
KNOWN_WEIGHT = 1.2 * 1.2
ID_MRF_WEIGHT = 1.4 * 0.05
ADVERSARIAL_WEIGHT = 1e-3
# conv4_2 counts once as style and once as content.
_ID_MRF_LAYER_WEIGHTS = {"conv3_2": 1.0, "conv4_2": 2.0}


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, around a rectangular hole: there the losses look at it alone."""

    top: int
    left: int
    height: int
    width: int

    def crop(self, images: Any) -> Any:
        return images[:, self.top : self.top + self.height, self.left : self.left + self.width]


def confidence_weights(masks: Any, *, faithful: bool = True, iterations: int = 7) -> Any:
    """How much each pixel of the hole counts: much at the rim, where the surroundings say more, little in the middle.

    ``Mw = blur(1 - M + Mw) * M``, repeated; 0 outside the hole. ``faithful=True`` blurs as the authors' code does: its
    Gaussian is cut at ±1/40 standard deviation, so it is a plain mean over 64x64 pixels. ``False`` is the Gaussian of
    the paper, 64x64 with a deviation of 40 pixels.
    """
    kernel = _published_kernel() if faithful else _gaussian_kernel()
    weights = ops.zeros_like(masks)
    for _ in range(iterations):
        # The blur is separable: 2 x 64 products instead of 64 x 64.
        blurred = ops.conv(1.0 - masks + weights, kernel[:, None, None, None], padding="same")
        weights = ops.conv(blurred, kernel[None, :, None, None], padding="same") * masks
    return weights


def reconstruction(truth: Any, predicted: Any, weights: Any) -> Any:
    """The confidence-driven error of the hole: mean of |truth - predicted| times ``confidence_weights``."""
    return ops.mean(ops.abs(truth - predicted) * weights)


def known_reconstruction(truth: Any, predicted: Any, masks: Any) -> Any:
    """The error outside the hole, as if the hole were not there (``ae_loss`` in the authors' code)."""
    known = 1.0 - masks
    return ops.mean(ops.abs(truth - predicted) * known) / ops.mean(known)


def pretraining_loss(
    truth: Any, predicted: Any, masks: Any, box: Box | None = None, *, faithful: bool = True
) -> dict[str, Any]:
    """The first stage: 1.68 reconstruction + 1.44 known. ``box``: the rectangle around a rectangular hole."""
    weights = confidence_weights(masks, faithful=faithful)
    cropped = [box.crop(values) if box else values for values in (truth, predicted, weights)]
    return {
        "reconstruction": RECONSTRUCTION_WEIGHT * reconstruction(*cropped),
        "known": KNOWN_WEIGHT * known_reconstruction(truth, predicted, masks),
    }


def finetuning_loss(
    truth: Any,
    predicted: Any,
    masks: Any,
    fake_scores: tuple[Any, Any],
    features: Features,
    box: Box | None = None,
    *,
    faithful: bool = True,
    seed: Any = None,
) -> dict[str, Any]:
    """The second stage: 1.68 reconstruction + 2.88 known + 0.07 ID-MRF + 0.001 (local + global critic).

    Args:
        fake_scores: what the local and the global critic say of the prediction stitched into the picture.
        features: what ID-MRF compares: ``gmcnn_features(weights)`` as published, or ``FixedFilters()`` without weights.
            It sees the raw prediction.
        seed: for ID-MRF's choice of positions in large maps.
    """
    terms = pretraining_loss(truth, predicted, masks, box, faithful=faithful)
    # Added twice in the authors' code.
    terms["known"] = 2.0 * terms["known"]
    seen_truth, seen_prediction = (box.crop(images) if box else images for images in (truth, predicted))
    true_maps, predicted_maps = features(to_rgb(seen_truth)), features(to_rgb(seen_prediction))
    similarity = [
        _ID_MRF_LAYER_WEIGHTS.get(name, 1.0)
        * id_mrf(predicted_maps[name], true_maps[name], faithful=faithful, seed=seed)
        for name in true_maps
    ]
    local_scores, global_scores = fake_scores
    terms["id_mrf"] = ID_MRF_WEIGHT * sum(similarity)
    terms["adversarial"] = ADVERSARIAL_WEIGHT * (generator_loss(local_scores) + generator_loss(global_scores))
    return terms


def generator_loss(fake_scores: Any) -> Any:
    """What the generator pays one critic."""
    return -ops.mean(fake_scores)


def critic_loss(
    critic: Any, real: Any, fake: Any, masks: Any, *, mixing: Any = None, faithful: bool = True, seed: Any = None
) -> dict[str, Any]:
    """What one critic pays: mean(fake) - mean(real), and ten times the gradient penalty, counted in the hole.

    critic: gives scores of pictures; for the patch critic ``lambda images: critic([images, masks])``.
    """
    real, fake = ops.convert_to_tensor(real), ops.convert_to_tensor(fake)
    penalty = gradient_penalty(critic, real, fake, masks, mixing=mixing, faithful=faithful, seed=seed)
    return {"wasserstein": ops.mean(critic(fake)) - ops.mean(critic(real)), "penalty": LAMBDA * penalty}


def _published_kernel(size: int = 64, deviations: float = 1 / 40) -> NDArray[np.float32]:
    interval = (2 * deviations + 1.0) / size
    edges = np.linspace(-deviations - interval / 2, deviations + interval / 2, size + 1)
    cumulative = np.array([0.5 * (1 + math.erf(edge / math.sqrt(2))) for edge in edges])
    # The square root of the outer product is the outer product of the square roots.
    kernel = np.sqrt(np.diff(cumulative))
    return np.asarray(kernel / kernel.sum(), np.float32)


def _gaussian_kernel(size: int = 64, deviation_px: float = 40.0) -> NDArray[np.float32]:
    places = np.arange(size) - (size - 1) / 2
    kernel = np.exp(-(places**2) / (2 * deviation_px**2))
    return np.asarray(kernel / kernel.sum(), np.float32)
