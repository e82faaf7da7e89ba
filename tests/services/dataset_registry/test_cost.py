"""An estimate scales a finished build by what is known, and says what it rests on and what it leaves out."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataset_registry.cost import Finished, estimate


def preimage(handler: str = "inpainting", raw: str = "d1", commit: str = "c1", **config: Any) -> dict[str, Any]:
    config = {"image_size": [100, 100], "crop_size": None, "variations_per_sample": 1, **config}
    return {
        "repository": "stock",
        "handler": handler,
        "commit": commit,
        "lock_digest": "",
        "dataset_handlers": "1",
        "platform": {},
        "config": config,
        "raw": {"photos": raw},
    }


def build(key: str = "a" * 64, files: int = 50, ready_time: float = 1.0, **rest: Any) -> Finished:
    return Finished(key, preimage(**rest), 100, 1_000_000, 20.0, ready_time, {"photos": files} if files else {})


def test_nothing_known_of_the_handler_is_no_estimate():
    assert estimate(preimage(), {"photos": 50}, []) is None
    assert estimate(preimage(), {"photos": 50}, [build(handler="images")]) is None
    imported = Finished("b" * 32, {"imported": "old.zip"}, 1, 1, 1.0, 1.0)
    assert estimate(preimage(), {"photos": 50}, [imported]) is None


def test_the_same_config_from_other_photos_goes_by_their_number():
    cost = estimate(preimage(raw="d2"), {"photos": 75}, [build()])
    assert cost is not None
    assert (cost.example_count, cost.size_bytes, cost.build_s) == (150, 1_500_000, 30.0)
    assert cost.basis == f"the build of {'a' * 12} with the same config, scaled: 75 raw files in place of 50"


def test_variations_make_examples_and_smaller_images_fewer_bytes():
    cost = estimate(preimage(variations_per_sample=3, crop_size=[50, 50]), {"photos": 50}, [build()])
    assert cost is not None
    # A quarter of the area is more than a quarter of the bytes, and far more than a quarter of the time.
    assert cost.example_count == 300
    assert 3_000_000 / 4 < cost.size_bytes < 3_000_000 / 2
    assert 60 / 4 < cost.build_s < 60
    assert "from the same raw data" in cost.basis
    assert "variations_per_sample 3 in place of 1; images of 2,500 in place of 10,000 pixels" in cost.basis


def test_what_is_not_counted_is_named():
    cost = estimate(preimage(jpeg_quality=50, commit="c2"), {"photos": 50}, [build(jpeg_quality=95)])
    assert cost is not None
    assert cost.basis.endswith("not counted: jpeg_quality, commit")
    assert cost.size_bytes == 1_000_000


def test_raw_data_of_unknown_number_is_said_to_be_taken_as_equal():
    cost = estimate(preimage(raw="d2"), {"photos": 75}, [build(files=0)])
    assert cost is not None
    assert cost.example_count == 100
    assert "as many files, which is not known" in cost.basis


def test_the_nearest_config_counts_before_the_same_photos_and_the_newest_among_equals():
    other_config = build("c" * 64, jpeg_quality=50)
    other_photos = build("d" * 64, raw="d9")
    newer_photos = build("e" * 64, raw="d8", ready_time=2.0)
    cost = estimate(preimage(), {"photos": 50}, [other_config, other_photos, newer_photos])
    assert cost is not None
    assert "e" * 12 in cost.basis


def test_the_same_dataset_again_costs_what_it_cost():
    cost = estimate(preimage(), {"photos": 50}, [build()])
    assert cost is not None
    assert (cost.example_count, cost.size_bytes, cost.build_s) == (100, 1_000_000, 20.0)
    assert cost.basis == f"the last build of the same dataset, {'a' * 12}"


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 8))
def test_more_photos_and_variations_never_cost_less(files, more, variations):
    fewer = estimate(preimage(raw="d2"), {"photos": files}, [build()])
    larger = estimate(preimage(raw="d2", variations_per_sample=variations), {"photos": files + more}, [build()])
    assert fewer is not None
    assert larger is not None
    assert larger.example_count >= fewer.example_count
    assert larger.size_bytes >= fewer.size_bytes
    assert larger.build_s >= fewer.build_s
