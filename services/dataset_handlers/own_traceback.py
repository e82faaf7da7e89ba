"""Shows where in an author's own code an exception came from, without the frames of those who called it."""

from __future__ import annotations

import os
import traceback
from typing import List, Optional

from dataset_handlers.failures import causes


def own_traceback(error: BaseException, folder: str) -> str:
    """Returns the traceback that begins in ``folder``, of the first cause that has been there.

    Empty if no code below ``folder`` had a part in it.
    """
    inside = os.path.join(os.path.realpath(folder), "")
    # The first cause says most: what was raised from it only tells where it was met.
    for link in reversed(list(causes(error))):
        frames = _own_frames(link, inside)
        if frames is not None:
            head = ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
            return "".join([*head, *traceback.format_exception_only(type(link), link)])
    return ""


def _own_frames(error: BaseException, inside: str) -> Optional[List[traceback.FrameSummary]]:
    """Returns the frames from the first one of the folder on; None if there is none."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen ")]
    for place, frame in enumerate(frames):
        if os.path.realpath(frame.filename).startswith(inside):
            return frames[place:]
    if isinstance(error, SyntaxError) and error.filename and os.path.realpath(error.filename).startswith(inside):
        # It never ran: the exception itself shows the line.
        return []
    return None
