"""Measures the published networks alone, on the backend and device that Keras has, and prints Markdown tables.

KERAS_BACKEND=jax .venv/bin/python tests/bench/bench_networks.py NAME   one of: painting, training; or both

Needs Keras, a backend and `models` only (`PYTHONPATH=models` where Darkroom is not installed); it is not part of
`make bench`, since it is meant for a GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from figures import HEADER, row
from measurements import run

from inpainting_models.gmcnn import GMCNNGenerator
from inpainting_models.losses import pretraining_loss
from inpainting_models.pconv import PConvUNet

POLICIES = ("float32", "mixed_bfloat16")
NETWORKS = {"GMCNN": (GMCNNGenerator, 1), "PConv": (PConvUNet, 3)}
# Network, height, width, and pictures at once.
PAINTED = (("GMCNN", 512, 680, 1), ("GMCNN", 512, 680, 8), ("PConv", 512, 512, 1), ("PConv", 512, 512, 8))
TRAINED_PX, TRAINED_BATCHES = 256, (16,)
WARM_CALLS, CALLS = 2, 20


def measure_painting(folder: Path) -> None:
    """Time a compiled call, the way of the pixels to the device and back included."""
    print(f"\n### Painting, Keras {keras.__version__} on {keras.backend.backend()}\n\n{HEADER}")
    for policy in POLICIES:
        keras.config.set_dtype_policy(policy)
        for name, height, width, count in PAINTED:
            model, images, masks = opened(name, height, width, count)
            took_ms, _ = timed_ms(partial(model.predict_on_batch, [images, masks]))
            note = f"{count * 1000 / np.median(took_ms):.0f} pictures a second"
            print(row(f"{name} {width}x{height}, {count} at once, {policy}", "ms", took_ms, note))


def measure_training(folder: Path) -> None:
    """Time a step of GMCNN's first stage: its loss, its gradient, Adam as published."""
    print(f"\n### A step of GMCNN's first stage at {TRAINED_PX}x{TRAINED_PX}\n\n{HEADER}")
    for policy in POLICIES:
        keras.config.set_dtype_policy(policy)
        for count in TRAINED_BATCHES:
            model, images, masks = opened("GMCNN", TRAINED_PX, TRAINED_PX, count)

            def loss(truth: Any, predicted: Any, masks: Any = masks) -> Any:
                return sum(pretraining_loss(truth, predicted, masks).values())

            model.compile(optimizer=keras.optimizers.Adam(1e-5, 0.5, 0.9), loss=loss)
            took_ms, losses = timed_ms(partial(model.train_on_batch, [images, masks], images))
            note = f"loss {losses[0]:.3f}, after {len(losses)} steps {losses[-1]:.3f}"
            print(row(f"{count} pictures, {policy}", "ms", took_ms, note))


def opened(name: str, height: int, width: int, count: int) -> tuple[Any, Any, Any]:
    """Return a network with weights of its own making, and pictures with masks in its convention."""
    network, mask_channels = NETWORKS[name]
    images = np.random.default_rng(0).uniform(0, 1, (count, height, width, 3)).astype(np.float32)
    masks = np.zeros((count, height, width, mask_channels), np.float32)
    masks[:, height // 4 : height // 2, width // 4 : width // 2] = 1
    return network(), images, masks if name == "GMCNN" else 1 - masks


def timed_ms(call: Callable[[], Any]) -> tuple[list[float], list[Any]]:
    """Return how long each call took once it was compiled and warm, and what all of them returned."""
    took_ms, returned = [], []
    for _ in range(WARM_CALLS + CALLS):
        begin = time.perf_counter()
        returned.append(call())
        took_ms.append((time.perf_counter() - begin) * 1000)
    return took_ms[WARM_CALLS:], returned


if __name__ == "__main__":
    run({"painting": measure_painting, "training": measure_training}, 1)
