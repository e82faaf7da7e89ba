"""The service by its RPCs: real photos in, real photos out, every error with its field."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from darkroom.inpainting.v1 import inpainting_pb2 as pb

from .conftest import House, decoded, encoded

BOX = pb.Box(x=200, y=100, width=60, height=80)


def request(photo: bytes, **options: object) -> pb.InpaintRequest:
    chosen = {"model": "ns"} | options
    return pb.InpaintRequest(
        photo=pb.Photo(content=photo), mask=pb.Mask(boxes=[BOX]), options=pb.InpaintOptions(**chosen)
    )


async def violations(call: object) -> dict[str, str]:
    """Return the fields that an INVALID_ARGUMENT names."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, caught.value
    bad = error_details_pb2.BadRequest()
    assert any(detail.Unpack(bad) for detail in rpc_status.from_call(caught.value).details)
    return {each.field: each.description for each in bad.field_violations}


@pytest.mark.parametrize("strategy", ["native", "baseline", "shrinking_mask", "two_step", "combined"])
async def test_a_photo_comes_back_with_only_its_hole_changed(
    house: House, photo_png: bytes, astronaut: np.ndarray, strategy: str
) -> None:
    response = await house.stub.Inpaint(request(photo_png, strategy=strategy))
    candidate = response.candidates[0]
    filled = decoded(candidate.photo.content)
    hole = np.zeros(filled.shape[:2], bool)
    hole[100:180, 200:260] = True
    assert (filled[~hole] == astronaut[~hole]).all()
    assert (filled[hole] != astronaut[hole]).any()
    assert (candidate.model, candidate.strategy) == ("ns", strategy)
    assert candidate.pass_count >= 1
    assert candidate.elapsed.ToMilliseconds() > 0
    assert strategy in candidate.reason


async def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(house: House, photo_png: bytes) -> None:
    first, again, other = [
        (await house.stub.Inpaint(request(photo_png, model="ns-grain", seed=seed))).candidates[0].photo.content
        for seed in (7, 7, 8)
    ]
    assert first == again != other


async def test_candidates_come_by_seed_and_each_can_be_had_again(house: House, photo_png: bytes) -> None:
    response = await house.stub.Inpaint(request(photo_png, model="ns-grain", seed=3, candidate_count=3))
    assert [each.seed for each in response.candidates] == [3, 4, 5]
    again = await house.stub.Inpaint(request(photo_png, model="ns-grain", seed=5))
    assert again.candidates[0].photo.content == response.candidates[2].photo.content
    assert len({each.photo.content for each in response.candidates}) == 3


async def test_a_model_without_chance_says_that_one_result_is_all(house: House, photo_png: bytes) -> None:
    response = await house.stub.Inpaint(request(photo_png, candidate_count=3))
    assert len(response.candidates) == 1
    assert "no chance" in response.candidates[0].warnings[0]


async def test_an_empty_mask_returns_the_very_file(house: House, photo_png: bytes) -> None:
    black = encoded(np.zeros((512, 512), np.uint8))
    response = await house.stub.Inpaint(
        pb.InpaintRequest(photo=pb.Photo(content=photo_png), mask=pb.Mask(image=pb.Photo(content=black)))
    )
    assert response.candidates[0].photo.content == photo_png
    assert response.candidates[0].reason == "the mask is empty"


async def test_a_soft_edge_changes_pixels_around_the_hole_and_none_beyond(
    house: House, photo_png: bytes, astronaut: np.ndarray
) -> None:
    hard = request(photo_png)
    hard.mask.feather_px = 8
    filled = decoded((await house.stub.Inpaint(hard)).candidates[0].photo.content)
    changed = np.argwhere((filled != astronaut).any(axis=2))
    assert 100 - 8 <= changed[:, 0].min() < 100
    assert 180 <= changed[:, 0].max() < 180 + 8
    assert 260 <= changed[:, 1].max() < 260 + 8


async def test_unknown_names_and_wrong_numbers_are_named_together(house: House, photo_png: bytes) -> None:
    bad = request(photo_png, model="magic", strategy="luck", seed=-1, candidate_count=9)
    found = await violations(house.stub.Inpaint(bad))
    assert set(found) == {"options.model", "options.strategy", "options.seed", "options.candidate_count"}
    assert "patchmatch" in found["options.model"]
    assert "two_step" in found["options.strategy"]


async def test_what_is_wrong_with_photo_or_mask_is_said_of_its_field(house: House, photo_png: bytes) -> None:
    small, white = (pb.Photo(content=encoded(np.full(shape, 255, np.uint8))) for shape in ((64, 64), (512, 512)))
    photo = pb.Photo(content=photo_png)
    cases = {
        "photo": pb.InpaintRequest(mask=pb.Mask(boxes=[BOX])),
        "mask.image": pb.InpaintRequest(photo=photo, mask=pb.Mask(image=small)),
        "mask": pb.InpaintRequest(photo=photo, mask=pb.Mask(image=white)),
        "mask.boxes[0]": pb.InpaintRequest(photo=photo, mask=pb.Mask(boxes=[pb.Box(x=600, y=0, width=9, height=9)])),
        "mask.polygons[0]": pb.InpaintRequest(photo=photo, mask=pb.Mask(polygons=[pb.Polygon()])),
        "mask.strokes[0]": pb.InpaintRequest(photo=photo, mask=pb.Mask(strokes=[pb.Stroke()])),
        "mask.grow_px": pb.InpaintRequest(photo=photo, mask=pb.Mask(boxes=[BOX], grow_px=-1)),
        "mask.feather_px": pb.InpaintRequest(photo=photo, mask=pb.Mask(boxes=[BOX], feather_px=101)),
    }
    for field, case in cases.items():
        assert set(await violations(house.stub.Inpaint(case))) == {field}
    marks_nothing = pb.InpaintRequest(photo=photo)
    assert "marks nothing" in (await violations(house.stub.Inpaint(marks_nothing)))["mask"]
    cut_off = request(photo_png[: len(photo_png) // 2])
    assert set(await violations(house.stub.Inpaint(cut_off))) == {"photo"}
    text = request(b"this is no photo at all")
    assert set(await violations(house.stub.Inpaint(text))) == {"photo"}
    # The service goes on.
    assert (await house.stub.Inpaint(request(photo_png))).candidates


async def test_models_are_listed_a_page_at_a_time(house: House) -> None:
    everything = (await house.stub.ListModels(pb.ListModelsRequest())).models
    names, token = [], ""
    while True:
        page = await house.stub.ListModels(pb.ListModelsRequest(page_size=2, page_token=token))
        names += [model.name for model in page.models]
        token = page.next_page_token
        if not token:
            break
    assert names == [model.name for model in everything] == sorted(names)
    assert [model.name for model in everything if model.default] == [house.catalog.default]
    one = (await house.stub.GetModel(pb.GetModelRequest(name="telea"))).model
    assert "two_step" in one.strategies
    assert not one.added


async def test_a_mask_that_is_everything_at_the_size_of_the_strategy_is_refused_by_its_name(house: House) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (700, 700, 3), np.uint8)
    dots = np.zeros((700, 700), np.uint8)
    dots[::2] = 255
    asked = request(encoded(photo), model="ns", strategy="baseline")
    asked.mask.CopyFrom(pb.Mask(image=pb.Photo(content=encoded(dots))))
    refused = await violations(house.stub.Inpaint(asked))
    assert refused["mask"].startswith("leaves nothing to paint from at the size at which baseline paints")
