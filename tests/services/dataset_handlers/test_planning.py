"""A handler's plan: its shards, what it may skip, and what its user should know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataset_handlers.errors import RawMissing
from dataset_handlers.planning import list_samples, make_plan
from dataset_handlers.sample import Sample
from dataset_handlers.stock_inpainting import InpaintingHandler


def plan_of(handler: Any) -> Any:
    return make_plan(handler, list_samples(handler))


def test_a_plan_is_plain_data_and_counts_every_variation(photos: Path) -> None:
    handler = InpaintingHandler({"variations_per_sample": 3}, photos)
    plan = plan_of(handler)
    assert plan.sample_count == 24
    assert plan.example_count == 72
    assert plan.max_bad == 1
    facts = plan.to_json()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["kind"] == "shards"
    assert sum(shard["examples"] for shard in facts["shards"]) == 72


def test_the_same_photos_elsewhere_have_the_same_plan(photos: Path, own_photos: Path) -> None:
    assert plan_of(InpaintingHandler({}, photos)) == plan_of(InpaintingHandler({}, own_photos))


def test_an_empty_folder_is_raw_data_missing(tmp_path: Path) -> None:
    with pytest.raises(RawMissing, match=r"nothing that the handler can use lies below .* \(role 'photos'\)"):
        list_samples(InpaintingHandler({}, tmp_path))


def test_an_empty_split_is_warned_of(photos: Path) -> None:
    class Few(InpaintingHandler):
        def samples(self) -> Any:
            return [Sample("a.jpg")]

    plan = plan_of(Few({}, photos))
    assert len(plan.warnings) == 2
    assert plan.warnings[0].startswith("the split ")

    class Prescribed(InpaintingHandler):
        def samples(self) -> Any:
            return [Sample("a.jpg", split="train")]

    assert plan_of(Prescribed({}, photos)).warnings == []


def test_a_handler_whose_yield_varies_promises_no_number(photos: Path) -> None:
    class Varies(InpaintingHandler):
        examples_per_sample = None

    plan = plan_of(Varies({"variations_per_sample": 2}, photos))
    assert plan.example_count == 0
    assert {shard.examples for shard in plan.shards} == {0}
