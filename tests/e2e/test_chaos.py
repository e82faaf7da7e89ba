"""The chaos command's short form: a death at every named point, then harm by chance; see docs/chaos.md."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..chaos.harm import KINDS
from ..chaos.run import run
from ..chaos.undisturbed import UndisturbedHouse

# As long as the two runs may take where other tests run beside them.
pytestmark = pytest.mark.timeout(900)
SEED = 7
PHOTO_COUNT = 24


@pytest.fixture(scope="module")
def raw(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw root with few photos, which nobody changes."""
    root = tmp_path_factory.mktemp("chaos-photos")
    (root / "street").mkdir()
    for photo in sorted((photos / "street").iterdir())[:PHOTO_COUNT]:
        shutil.copy2(photo, root / "street")
    return root


@pytest.fixture(scope="module")
def undisturbed(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[UndisturbedHouse]:
    """Where the same is built in peace; both runs ask for much the same."""
    house = UndisturbedHouse(tmp_path_factory.mktemp("undisturbed") / "house", raw)
    try:
        yield house
    finally:
        house.end()


@pytest.mark.skipif(
    "DARKROOM_CHAOS" not in os.environ, reason="takes minutes: DARKROOM_CHAOS=1 or `make chaos` runs it"
)
def test_harm_of_every_kind_and_a_death_at_every_point_cost_nothing_on_sqlite(raw, undisturbed, tmp_path):
    report = run(tmp_path, raw, undisturbed, seconds=15, seed=SEED, database="sqlite", kinds=KINDS, bucket=False)
    print(report)
    assert report.good, str(report)
    assert report.findings.keys == report.findings.builds > 0


def test_a_killed_database_and_a_bad_way_to_the_bucket_cost_nothing_on_postgresql(raw, undisturbed, tmp_path):
    kinds = ("kill", "store", "database", "clock", "pause")
    report = run(tmp_path, raw, undisturbed, seconds=20, seed=SEED, database="postgresql", kinds=kinds, bucket=True)
    print(report)
    assert report.good, str(report)
    assert report.findings.keys == report.findings.builds > 0
