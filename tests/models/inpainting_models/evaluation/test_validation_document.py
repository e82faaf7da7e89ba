"""The document that is cited says what the suite does."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from inpainting_models.evaluation.command import COMMANDS, EXTENTS
from inpainting_models.evaluation.hole_masks import FAMILIES
from inpainting_models.evaluation.images import list_sha256, shipped_images
from inpainting_models.evaluation.methods import BASELINES, parse_size
from inpainting_models.evaluation.metrics import MEASURES
from inpainting_models.evaluation.randomness import SUITE_VERSION
from inpainting_models.evaluation.suite import cells, plan, prepare

REPOSITORY = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
TEXT = (REPOSITORY / "docs" / "validation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [measure.name for measure in MEASURES])
def test_every_measure_is_explained(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_every_command_family_and_baseline_is_named() -> None:
    assert all(f"`{name}`" in TEXT for name in BASELINES)
    assert all(family.rstrip("x") in TEXT for family in FAMILIES)
    assert all(f"evaluate {command}" in TEXT for command in COMMANDS if command != "run")
    assert SUITE_VERSION in TEXT
    assert f"That makes {len(cells())} cells" in TEXT


def test_the_cited_digests_are_the_small_suites() -> None:
    extent = EXTENTS["small"]
    images = shipped_images()
    cases = plan(images, cells(bins=extent.bins), extent.per_cell)
    size = parse_size(extent.size)
    lines = sorted(f"{case.name} {prepare(case, size).mask_sha256}\n" for case in cases)
    assert list_sha256(images) in TEXT
    assert hashlib.sha256("".join(lines).encode()).hexdigest() in TEXT
    assert f"{len(cases)} at {extent.size}" in TEXT
