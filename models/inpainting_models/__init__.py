"""Fills marked holes in photos: painters, strategies for high resolution, networks, and the suite that judges them.

Nothing heavy is imported here: a painter that needs OpenCV, numba or Keras imports it in its own file.
"""

from inpainting_models.model_file_keras import load

__all__ = ["load"]
