"""The table of strategies: each fills every hole and nothing else, plans what it does, and stops when told."""

from __future__ import annotations

import numpy as np
import pytest

from inpainting.strategies import STRATEGIES, WHOLE_FRAME_PX, Turn, usual_strategy, windows_of
from inpainting_models.painting import Cancelled, Mask, Painter, Photo
from service_kit.errors import InvalidArgument

SIZE = (64, 96)


class Identity:
    """Paints the very photo, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, images: Photo, masks: Mask) -> Photo:
        self.calls += 1
        return images.copy()


def photo_and_mask() -> tuple[Photo, Mask]:
    rows, columns = np.mgrid[0:240, 0:360].astype(np.float32)
    photo = np.stack([rows / 240, columns / 360, (rows + columns) / 600], axis=2).astype(np.float32)
    mask = np.zeros(photo.shape[:2], bool)
    mask[100:140, 150:200] = True
    return photo, mask


def turn(cancel: bool = False) -> Turn:
    return Turn(np.random.default_rng(0), lambda stage, done, total: None, lambda: cancel)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
@pytest.mark.parametrize("size", [None, SIZE], ids=["painter", "network"])
def test_a_strategy_fills_its_windows_in_as_many_passes_as_it_planned(name: str, size: tuple[int, int] | None) -> None:
    strategy, (photo, mask) = STRATEGIES[name], photo_and_mask()
    paint = Identity()
    painter = Painter("identity", paint, size)
    windows = strategy.windows(mask)
    planned = strategy.plan(painter, mask, windows)
    result = photo.copy()
    for box in windows:
        painted = strategy.paint(painter, photo[box.slices].copy(), mask[box.slices].copy(), turn())
        result[box.slices] = painted.photo
    assert np.array_equal(result[~mask], photo[~mask])
    assert paint.calls == planned.pass_count
    assert name in planned.text
    if name != "detail":
        # The identity brings the photo back: bicubically enlarged, it is a slope all the same.
        assert np.abs(result - photo).max() < 0.05


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"native"}))
def test_a_strategy_stops_before_its_next_pass(name: str) -> None:
    photo, mask = photo_and_mask()
    paint = Identity()
    with pytest.raises(Cancelled):
        STRATEGIES[name].paint(Painter("identity", paint, SIZE), photo, mask, turn(cancel=True))
    assert paint.calls == 0


def test_windows_hold_every_hole_and_a_huge_photo_is_never_seen_whole() -> None:
    mask = np.zeros((5500, 5500), bool)
    mask[100:150, 100:150] = mask[5000:5020, 4000:4300] = True
    assert mask.size > WHOLE_FRAME_PX
    for strategy in STRATEGIES.values():
        covered = np.zeros_like(mask)
        for box in strategy.windows(mask):
            assert box.height * box.width < mask.size / 4
            covered[box.slices] = True
        assert covered[mask].all()


def test_a_hole_across_a_huge_photo_is_refused_before_memory_is_taken() -> None:
    mask = np.zeros((7000, 7000), bool)
    mask[10, 10:6990] = mask[10:6990, 10] = True
    for strategy in STRATEGIES.values():
        with pytest.raises(InvalidArgument, match="mark it in parts"):
            windows_of(strategy, mask)


def test_auto_says_what_it_chose_and_why() -> None:
    photo, mask = photo_and_mask()
    painted = STRATEGIES["native"].paint(Painter("auto", Identity()), photo, mask, turn())
    [reason] = painted.reasons
    assert reason.startswith("auto: flat, because")
    assert painted.methods == ("flat",)


def test_networks_usually_go_by_detail_and_painters_by_native() -> None:
    assert usual_strategy(Painter("network", Identity(), SIZE)) == "detail"
    assert usual_strategy(Painter("painter", Identity())) == "native"
