"""Raw data for the handlers' tests: a folder of small photos with something to see in each."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest


def draw_photo(seed: int, height: int, width: int) -> np.ndarray:
    """Return an RGB picture of soft colours, a few shapes and a little grain."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.integers(0, 256, (4, 5, 3)).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(6):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(soft, centre, int(rng.integers(3, height // 3)), rng.integers(0, 256, 3).tolist(), -1, cv2.LINE_AA)
    return np.clip(soft + rng.normal(0, 4, soft.shape), 0, 255).astype(np.uint8)


def write_photo(path: Path, seed: int, height: int = 60, width: int = 80) -> Path:
    """Write such a picture; the suffix says how."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), draw_photo(seed, height, width)[:, :, ::-1])
    return path


@pytest.fixture(scope="session")
def _photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw") / "street"
    for number in range(24):
        name = f"{('cats', 'dogs', 'no class')[number % 3]}/photo {number:02}.{'png' if number % 5 == 0 else 'jpg'}"
        write_photo(folder / name, number, 60 + number, 96 - number)
    return folder


@pytest.fixture
def photos(_photos: Path) -> Path:
    """Return a folder with 24 photos in three folders; only to be read."""
    return _photos


@pytest.fixture
def own_photos(_photos: Path, tmp_path: Path) -> Path:
    """Return a copy of it that a test may change."""
    return Path(shutil.copytree(_photos, tmp_path / "street"))
