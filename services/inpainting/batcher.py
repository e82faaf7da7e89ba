"""Lets callers that want to paint images of one shape share the network's run: counted in images, never in calls."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inpainting_models.painting import Cancel, Cancelled, Mask, Paint, Photo

LOOK_EVERY_S = 0.05


class Batcher:
    """A `Paint` for many threads: whoever waits while the network runs goes into the next run together.

    Nothing waits for company: an image that finds the network free is painted at once, alone. A run holds at most
    ``max_images`` images of one shape; the longest waiting shape is next. An image that fails fails alone.
    """

    def __init__(self, paint: Paint, max_images: int) -> None:
        if max_images < 1:
            raise ValueError(f"a batch holds at least one image, not {max_images}")
        self._paint = paint
        self._max_images = max_images
        self._changed = threading.Condition()
        self._waiting: deque[_Item] = deque()
        self._running = False
        self.batch_sizes: dict[int, int] = {}
        """How many runs had so many images."""

    def paint(self, images: Photo, masks: Mask, cancel: Cancel | None = None) -> Photo:
        """Paint as the wrapped function does. Raises `Cancelled` soon after ``cancel`` says so, unless it runs then."""
        if len(images) != len(masks):
            raise ValueError(f"{len(images)} images but {len(masks)} masks")
        items = [_Item(image, mask, cancel) for image, mask in zip(images, masks, strict=True)]
        with self._changed:
            self._waiting.extend(items)
        self._work_until_done(items)
        for item in items:
            if item.error is not None:
                raise item.error
        return np.stack([item.result for item in items if item.result is not None]) if items else images.copy()

    def _work_until_done(self, items: Sequence[_Item]) -> None:
        while True:
            with self._changed:
                while not (finished := all(item.done for item in items)) and self._running:
                    self._changed.wait(LOOK_EVERY_S)
                    self._drop_cancelled()
                if finished:
                    return
                # Nobody runs, so this thread does, for whoever waits the longest; perhaps it is not its own image.
                batch = self._take()
                self._running = bool(batch)
            if batch:
                try:
                    self._run(batch)
                finally:
                    with self._changed:
                        self._running = False
                        self._changed.notify_all()

    def _drop_cancelled(self) -> None:
        for item in [item for item in self._waiting if item.cancel and item.cancel()]:
            self._waiting.remove(item)
            item.finish(error=Cancelled())

    def _take(self) -> list[_Item]:
        self._drop_cancelled()
        if not self._waiting:
            return []
        shape = self._waiting[0].image.shape
        batch = [item for item in self._waiting if item.image.shape == shape][: self._max_images]
        for item in batch:
            self._waiting.remove(item)
        self.batch_sizes[len(batch)] = self.batch_sizes.get(len(batch), 0) + 1
        return batch

    def _run(self, batch: Sequence[_Item]) -> None:
        try:
            painted = self._paint(np.stack([item.image for item in batch]), np.stack([item.mask for item in batch]))
            if len(painted) != len(batch):
                raise ValueError(f"the model returned {len(painted)} images for {len(batch)}")
        except BaseException as error:
            if len(batch) == 1:
                batch[0].finish(error=error)
            else:
                for item in batch:
                    self._run([item])
            return
        for item, result in zip(batch, painted, strict=True):
            item.finish(result=result)


class _Item:
    """One image on its way."""

    __slots__ = ("cancel", "done", "error", "image", "mask", "result")

    def __init__(self, image: Photo, mask: Mask, cancel: Cancel | None) -> None:
        self.image = image
        self.mask = mask
        self.cancel = cancel
        self.done = False
        self.error: BaseException | None = None
        self.result: NDArray[np.float32] | None = None

    def finish(self, *, result: Photo | None = None, error: BaseException | None = None) -> None:
        self.result, self.error, self.done = result, error, True
