"""Changes light and colour of photos within bounds: exposure in stops, and a push of colour that hues survive."""

from __future__ import annotations

import cv2
import numpy as np

from dataset_handlers.image import Image


def exposure(image: Image, stops: float) -> Image:
    """Returns ``image`` lighter by ``stops`` (1 doubles each value, -1 halves it), clipped at white."""
    return image if stops == 0 else cv2.convertScaleAbs(image, alpha=2.0**stops)


def random_exposure(image: Image, rng: np.random.Generator, max_stops: float) -> Image:
    """Returns ``image`` lighter or darker by up to ``max_stops``, drawn evenly."""
    return exposure(image, float(rng.uniform(-1, 1)) * max_stops)


def colour_push(image: Image, amount: float) -> Image:
    """Returns RGB ``image`` more (``amount`` up to 1) or less (down to -1, grey) colourful.

    A vibrance in CIE L*a*b*: lightness and hue angle stay, chroma C becomes ``C + amount * C * (1 - C / 128)`` for a
    positive amount, so that dull colours gain most and strong ones cannot leave the range; ``C * (1 + amount)`` for
    a negative one. Colours that the screen cannot show are clipped.
    """
    if amount == 0:
        return image
    if not -1 <= amount <= 1:
        raise ValueError(f"amount {amount} is not from -1 to 1")
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lightness, green_red, blue_yellow = cv2.split(lab)
    a, b = green_red.astype(np.float32) - 128, blue_yellow.astype(np.float32) - 128
    room = np.clip(1 - cv2.magnitude(a, b) / 128, 0, 1) if amount > 0 else 1
    factor = np.float32(1) + np.float32(amount) * room
    pushed = [np.clip(np.rint(channel * factor) + 128, 0, 255).astype(np.uint8) for channel in (a, b)]
    result: Image = cv2.cvtColor(cv2.merge([lightness, *pushed]), cv2.COLOR_LAB2RGB)
    return result


def random_colour_push(image: Image, rng: np.random.Generator, max_amount: float) -> Image:
    """Returns ``image`` with a colour push drawn evenly from ``-max_amount`` to ``max_amount``."""
    return colour_push(image, float(rng.uniform(-1, 1)) * max_amount)
