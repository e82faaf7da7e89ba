"""What a photo is inside the service: upright pixels at their own depth, transparency, and what its file also said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from service_kit.errors import InvalidArgument

Pixels: TypeAlias = npt.NDArray[Any]
"""uint8 or uint16."""

# Rec. 601, which is what JPEG's own brightness is.
_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)


class BadPhoto(InvalidArgument):
    """The file is damaged, or is nothing that can be read and written back as it was."""

    reason = "BAD_PHOTO"


class PhotoTooLarge(InvalidArgument):
    """The file's header announces more pixels than allowed."""

    reason = "PHOTO_TOO_LARGE"


@dataclass(frozen=True)
class Metadata:
    """What every format can carry; the orientation in it is already reset and previews are gone."""

    icc: bytes | None = None
    """The colour profile."""
    exif: bytes | None = None
    """A TIFF structure, as EXIF has it, without a preceding `Exif`."""
    xmp: bytes | None = None


@dataclass(frozen=True)
class Photo:
    """A decoded photo. Its arrays are its own and `paste` changes them: 100 megapixels are not copied lightly."""

    pixels: Pixels
    """uint8 or uint16 `(height, width, channels)`, upright; 3 channels are RGB, 1 is grey."""
    alpha: Pixels | None = None
    """`(height, width)` of the same type; never changed."""
    metadata: Metadata = field(default_factory=Metadata)
    format: str = "png"
    """jpeg, png, tiff or webp: what it was, and what it is written as unless told otherwise."""
    original: Any = None
    """What only its own format's codec understands: how it was compressed, and all that the format carries beside."""

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def largest(self) -> int:
        """255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)

    def crop(self, top: int, left: int, height: int, width: int) -> npt.NDArray[np.float32]:
        """Return a part as painters take it: float32 `(height, width, 3)`, RGB in [0, 1]."""
        part = self.pixels[top : top + height, left : left + width]
        part = np.broadcast_to(part, (*part.shape[:2], 3))
        return np.asarray(part / np.float32(self.largest), np.float32)

    def paste(self, top: int, left: int, painted: npt.NDArray[np.float32], weight: npt.NDArray[Any]) -> None:
        """Blend a painted part in, in place: `weight` `(height, width)` is 1 in the hole, 0 where nothing changes.

        Where the weight is 0 the pixels stay as they are, bit by bit. A bool mask is a weight, too.
        """
        height, width = weight.shape
        part = self.pixels[top : top + height, left : left + width]
        touched = weight > 0
        values = np.clip(painted[touched], 0, 1)
        if part.shape[2] == 1:
            values = (values @ _BRIGHTNESS)[:, None]
        mixed = values * self.largest
        if weight.dtype != np.bool_:
            share = np.asarray(weight[touched], np.float32)[:, None]
            mixed = share * mixed + (1 - share) * part[touched]
        part[touched] = np.rint(mixed).astype(part.dtype)
