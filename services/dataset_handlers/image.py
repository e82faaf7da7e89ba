"""What an image is here: uint8 ``(height, width, 3)`` in RGB; a mask or grey image is ``(height, width)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[np.uint8]
else:
    # Old NumPys have no type for an array of one kind.
    Image = np.ndarray
