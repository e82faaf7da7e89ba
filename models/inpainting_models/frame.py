"""A whole photo as the seed's strategies see it: turned as the model was trained, brought to its size, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inpainting_models.painting import Mask, Photo, check_photo_and_mask, stitch
from inpainting_models.resolution import Size, scaled, scaled_mask

DEFAULT_TRAINING_SIZE: Size = (512, 680)
"""GMCNN's; what a painter without a training size of its own is run at."""


@dataclass(frozen=True)
class Frame:
    """A photo and its mask, transposed where the photo is portrait and the model landscape, or the other way round.

    Transposing keeps the very size the model was trained at, so models of a fixed size serve both.
    """

    photo: Photo
    mask: Mask
    training_size: Size
    transposed: bool

    @classmethod
    def of(cls, photo: Photo, mask: Mask, training_size: Size | None) -> Frame:
        """Raises ValueError if photo and mask do not fit, the mask is full, or the training size is no size."""
        check_photo_and_mask(photo, mask)
        height, width = training_size or DEFAULT_TRAINING_SIZE
        if height < 1 or width < 1:
            raise ValueError(f"a training size is (height, width) of at least one pixel, not {training_size}")
        transposed = (height - width) * (photo.shape[0] - photo.shape[1]) < 0
        if transposed:
            photo, mask = np.ascontiguousarray(photo.transpose(1, 0, 2)), np.ascontiguousarray(mask.T)
        return cls(photo, mask, (height, width), transposed)

    @property
    def second_size(self) -> Size:
        """The size of a second step: twice the training sides, but never larger than the photo."""
        return min(2 * self.training_size[0], self.mask.shape[0]), min(2 * self.training_size[1], self.mask.shape[1])

    @property
    def has_second_step(self) -> bool:
        """False where step 1 has seen all the detail there is: the photo is no larger than the training size."""
        return self.second_size[0] > self.training_size[0] or self.second_size[1] > self.training_size[1]

    def at(self, size: Size) -> tuple[Photo, Mask]:
        """Returns photo and mask at `size`; a pixel that mixes known and hole counts as hole."""
        return scaled(self.photo, size), scaled_mask(self.mask, size)

    def finish(self, painted: Photo) -> Photo:
        """Returns the photo in its own size and place, with `painted` (of any size, scaled bicubically) in the hole."""
        result = stitch(self.photo, scaled(painted, (self.mask.shape[0], self.mask.shape[1])), self.mask)
        return np.ascontiguousarray(result.transpose(1, 0, 2)) if self.transposed else result
