"""The painters that need no network, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inpainting_models.painting import Cancel, Mask, Painter, Photo, Progress, each_photo

Fill = Callable[[Photo, Mask, np.random.Generator, Progress | None, Cancel | None], Photo]

NAMES = ("mean", "telea", "ns", "ns-grain", "patchmatch", "auto")


def painter(name: str, *, seed: int = 0, progress: Progress | None = None, cancel: Cancel | None = None) -> Painter:
    """Returns the painter called `name`; the same seed gives the same pixels, whatever else is in the batch.

    `progress` and `cancel` are asked and told while it paints. Raises ValueError for a name that there is not.
    """
    if name not in _FILLS:
        raise ValueError(f"no painter {name!r}; there are {', '.join(NAMES)}")
    fill, description = _FILLS[name]

    def paint_photo(photo: Photo, mask: Mask) -> Photo:
        # A generator of its own for each photo: a batch of several equals several batches of one.
        return fill(photo, mask, np.random.default_rng(seed), progress, cancel)

    return Painter(name, each_photo(paint_photo), description=description)


# Each imports what it needs when it is first used: the names can be listed without OpenCV or numba.


def _mean(
    photo: Photo, mask: Mask, rng: np.random.Generator, progress: Progress | None, cancel: Cancel | None
) -> Photo:
    from inpainting_models.conventional import fill_mean

    return fill_mean(photo, mask)


def _telea(
    photo: Photo, mask: Mask, rng: np.random.Generator, progress: Progress | None, cancel: Cancel | None
) -> Photo:
    from inpainting_models.conventional import fill_telea

    return fill_telea(photo, mask, cancel=cancel)


def _ns(photo: Photo, mask: Mask, rng: np.random.Generator, progress: Progress | None, cancel: Cancel | None) -> Photo:
    from inpainting_models.conventional import fill_navier_stokes

    return fill_navier_stokes(photo, mask, cancel=cancel)


def _ns_grain(
    photo: Photo, mask: Mask, rng: np.random.Generator, progress: Progress | None, cancel: Cancel | None
) -> Photo:
    from inpainting_models.smooth import fill_smooth_with_grain

    return fill_smooth_with_grain(photo, mask, rng, cancel=cancel)


def _patchmatch(
    photo: Photo, mask: Mask, rng: np.random.Generator, progress: Progress | None, cancel: Cancel | None
) -> Photo:
    from inpainting_models.patchmatch import fill_patchmatch

    return fill_patchmatch(photo, mask, rng, progress=progress, cancel=cancel)


def _auto(
    photo: Photo, mask: Mask, rng: np.random.Generator, progress: Progress | None, cancel: Cancel | None
) -> Photo:
    from inpainting_models.auto import auto

    result: Photo = auto(photo, mask, rng, progress=progress, cancel=cancel).photo
    return result


_FILLS: dict[str, tuple[Fill, str]] = {
    "mean": (_mean, "the mean colour of all that is known: a yardstick, not a retouch"),
    "telea": (_telea, "fast marching (Telea 2004): scratches and specks"),
    "ns": (_ns, "Navier-Stokes diffusion (Bertalmio 2001): scratches, specks, smooth gradients"),
    "ns-grain": (_ns_grain, "Navier-Stokes with grain like the surroundings': skies, walls, lawns without structure"),
    "patchmatch": (_patchmatch, "the photo's own patches, coarse to fine, copied: texture, edges and lattices"),
    "auto": (_auto, "chooses by the hole's shape and surroundings: diffusion, a grainy slope, or detail"),
}
