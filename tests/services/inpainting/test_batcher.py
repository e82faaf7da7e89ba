"""The batcher: runs are shared by those who wait, and nobody can tell from the pixels."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inpainting.batcher import Batcher
from inpainting_models.painting import Cancelled, Mask, Photo


def blur(images: Photo, masks: Mask) -> Photo:
    """A small convolution, as a network does them: over the whole batch at once."""
    known = np.where(masks[..., None], 0, images)
    padded = np.pad(known, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = masks.shape[1:]
    parts = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.asarray(np.tanh(np.mean(parts, axis=0)), np.float32)


class Slow:
    """Paints once it is let go on, and remembers how many images each run had."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.runs: list[int] = []

    def __call__(self, images: Photo, masks: Mask) -> Photo:
        self.runs.append(len(images))
        assert self.go_on.wait(60)
        return blur(images, masks)


def make(shape: tuple[int, int], seed: int, count: int = 1) -> tuple[Photo, Mask]:
    rng = np.random.default_rng(seed)
    return rng.random((count, *shape, 3), np.float32), rng.random((count, *shape)) < 0.3


@settings(max_examples=40, deadline=None)
@given(
    calls=st.lists(st.tuples(st.sampled_from([(4, 6), (5, 5), (8, 3)]), st.integers(1, 5)), min_size=1, max_size=8),
    max_images=st.integers(1, 6),
)
def test_shared_runs_give_what_runs_alone_give(calls: list[tuple[tuple[int, int], int]], max_images: int) -> None:
    batcher = Batcher(blur, max_images)
    inputs = [make(shape, seed, count) for seed, (shape, count) in enumerate(calls)]
    with ThreadPoolExecutor(len(calls)) as pool:
        painted = list(pool.map(lambda each: batcher.paint(*each), inputs))
    for (images, masks), result in zip(inputs, painted, strict=True):
        assert np.array_equal(result, blur(images, masks))
    assert sum(size * count for size, count in batcher.batch_sizes.items()) == sum(count for _, count in calls)
    assert max(batcher.batch_sizes) <= max_images


def test_who_waits_while_the_network_runs_goes_into_the_next_run_together() -> None:
    slow = Slow()
    batcher = Batcher(slow, max_images=8)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batcher.paint, *make((4, 4), 0))
        until(lambda: slow.runs == [1])
        rest = [pool.submit(batcher.paint, *make((4, 4), seed)) for seed in range(1, 5)]
        other = pool.submit(batcher.paint, *make((6, 6), 9))
        until(lambda: len(batcher._waiting) == 5)
        slow.go_on.set()
        for each in (first, *rest, other):
            each.result(60)
    assert sorted(slow.runs) == [1, 1, 4]


def test_an_image_that_fails_fails_alone() -> None:
    let_go = threading.Event()

    def paint(images: Photo, masks: Mask) -> Photo:
        assert let_go.wait(60)
        if (images == 0.5).all(axis=(1, 2, 3)).any():
            raise ValueError("no network likes grey")
        return blur(images, masks)

    batcher = Batcher(paint, max_images=8)
    grey = np.full((1, 4, 4, 3), 0.5, np.float32), np.ones((1, 4, 4), bool)
    with ThreadPoolExecutor(4) as pool:
        good = [pool.submit(batcher.paint, *make((4, 4), seed)) for seed in range(3)]
        bad = pool.submit(batcher.paint, *grey)
        time.sleep(0.05)
        let_go.set()
        for seed, each in enumerate(good):
            assert np.array_equal(each.result(60), blur(*make((4, 4), seed)))
        with pytest.raises(ValueError, match="grey"):
            bad.result(60)


def test_who_leaves_while_waiting_is_never_painted() -> None:
    slow = Slow()
    batcher = Batcher(slow, max_images=8)
    left = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batcher.paint, *make((4, 4), 0))
        until(lambda: slow.runs == [1])
        leaver = pool.submit(batcher.paint, *make((4, 4), 1), left.is_set)
        until(lambda: len(batcher._waiting) == 1)
        left.set()
        begin_s = time.monotonic()
        with pytest.raises(Cancelled):
            leaver.result(60)
        assert time.monotonic() - begin_s < 5
        slow.go_on.set()
        first.result(60)
    assert slow.runs == [1]


def test_many_images_of_one_call_are_split() -> None:
    batcher = Batcher(blur, max_images=3)
    images, masks = make((4, 4), 1, count=7)
    assert np.array_equal(batcher.paint(images, masks), blur(images, masks))
    assert batcher.batch_sizes == {3: 2, 1: 1}


def until(condition: object) -> None:
    end_s = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end_s
        time.sleep(0.005)
