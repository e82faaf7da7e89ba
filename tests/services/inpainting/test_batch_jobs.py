"""Batch jobs: a prefix in, a prefix out, nothing done twice, the same bytes however often it was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import pytest

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from inpainting.batch_job import JobSpec
from inpainting.task import Options, Shapes, Source
from service_kit.object_store_settings import ObjectStoreSettings, open_object_store

from .conftest import House, encoded

BOX = pb.Box(x=200, y=100, width=60, height=80)


def start(**changes: object) -> pb.StartBatchJobRequest:
    fields: dict[str, object] = {
        "photo_prefix": "shoot/photos/",
        "output_prefix": "shoot/out/",
        "options": pb.InpaintOptions(model="ns-grain", seed=4),
    }
    if "mask_prefix" not in changes:
        fields["mask"] = pb.Mask(boxes=[BOX])
    return pb.StartBatchJobRequest(**(fields | changes))


def put_photos(house: House, photo: bytes, count: int = 4) -> list[str]:
    names = [f"shoot/photos/day-{number % 2}/{number}.png" for number in range(count)]
    for name in names:
        house.store.put(name, photo)
    return names


async def finished(house: House, request: pb.StartBatchJobRequest) -> pb.BatchJob:
    job = (await house.stub.StartBatchJob(request)).job
    async for each in house.stub.WatchBatchJob(pb.WatchBatchJobRequest(name=job.name)):
        job = each.job
    return job


def results(house: House) -> dict[str, bytes]:
    return {
        each.name: b"".join(house.store.read(each.name, 0, each.size_bytes))
        for each in house.store.list("shoot/out/")
        if each.name != "shoot/out/darkroom-job"
    }


async def test_a_job_fills_every_photo_below_its_prefix(house: House, photo_png: bytes) -> None:
    names = put_photos(house, photo_png)
    house.store.put("shoot/photos/readme.txt", b"not a photo")
    job = await finished(house, start())
    assert job.state == pb.BATCH_JOB_STATE_DONE
    assert (job.photo_count, job.done_count, job.failed_count) == (4, 4, 0)
    assert sorted(results(house)) == [name.replace("photos", "out") for name in sorted(names)]
    alone = await house.stub.Inpaint(
        pb.InpaintRequest(
            photo=pb.Photo(content=photo_png),
            mask=pb.Mask(boxes=[BOX]),
            options=pb.InpaintOptions(model="ns-grain", seed=4),
        )
    )
    assert set(results(house).values()) == {alone.candidates[0].photo.content}


async def test_a_job_goes_over_a_bucket_as_over_a_folder(
    make_house: Callable[..., object], minio_settings: ObjectStoreSettings, photo_png: bytes
) -> None:
    house: House = await make_house(store=open_object_store(minio_settings))  # type: ignore[misc]
    put_photos(house, photo_png)
    first = await finished(house, start())
    assert (first.done_count, first.failed_count, len(results(house))) == (4, 0, 4)
    before = results(house)
    house.store.delete("shoot/out/day-0/2.png")
    assert (await finished(house, start())).name == first.name
    assert results(house) == before


async def test_the_same_request_is_the_same_job_and_does_only_what_is_missing(house: House, photo_png: bytes) -> None:
    put_photos(house, photo_png)
    first = await finished(house, start())
    before = results(house)
    house.store.delete("shoot/out/day-1/1.png")
    done = house.queue.counts.done
    again = await finished(house, start())
    assert again.name == first.name
    assert results(house) == before
    assert house.queue.counts.done == done + 1


async def test_each_photo_may_have_its_own_mask_and_one_without_fails_alone(house: House, photo_png: bytes) -> None:
    put_photos(house, photo_png, 2)
    mask = np.zeros((512, 512), np.uint8)
    mask[50:90, 60:100] = 255
    house.store.put("shoot/masks/day-0/0.tif", encoded(mask, "tiff"))
    job = await finished(house, start(mask_prefix="shoot/masks/"))
    assert (job.done_count, job.failed_count) == (1, 1)
    assert job.failures[0].startswith("shoot/photos/day-1/1.png: no mask shoot/masks/day-1/1.*")


async def test_a_bad_photo_fails_alone_and_is_tried_again_next_time(house: House, photo_png: bytes) -> None:
    names = put_photos(house, photo_png)
    house.store.put(names[0], photo_png[:1000])
    job = await finished(house, start())
    assert (job.state, job.done_count, job.failed_count) == (pb.BATCH_JOB_STATE_DONE, 3, 1)
    house.store.put(names[0], photo_png)
    job = await finished(house, start())
    assert (job.done_count, job.failed_count) == (4, 0)


async def test_results_that_were_made_in_another_way_are_left_alone(house: House, photo_png: bytes) -> None:
    put_photos(house, photo_png, 1)
    await finished(house, start())
    with pytest.raises(grpc.aio.AioRpcError, match="another output_prefix") as caught:
        await house.stub.StartBatchJob(start(options=pb.InpaintOptions(model="telea")))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_cancelled_job_keeps_what_it_has_and_goes_on_when_asked(house: House, photo_png: bytes) -> None:
    put_photos(house, photo_png, 12)
    job = (await house.stub.StartBatchJob(start())).job
    watch = house.stub.WatchBatchJob(pb.WatchBatchJobRequest(name=job.name))
    async for each in watch:
        if each.job.done_count:
            break
    cancelled = (await house.stub.CancelBatchJob(pb.CancelBatchJobRequest(name=job.name))).job
    assert cancelled.state == pb.BATCH_JOB_STATE_CANCELLED
    assert 0 < len(results(house)) < 12
    job = await finished(house, start())
    assert (job.state, len(results(house))) == (pb.BATCH_JOB_STATE_DONE, 12)


async def test_a_paused_job_goes_on_when_the_service_starts_again(house: House, photo_png: bytes) -> None:
    put_photos(house, photo_png, 12)
    job = (await house.stub.StartBatchJob(start())).job
    async for each in house.stub.WatchBatchJob(pb.WatchBatchJobRequest(name=job.name)):
        if each.job.done_count:
            break
    await house.jobs.close()
    assert len(results(house)) < 12
    house.jobs._runs.clear()
    await house.jobs.resume()
    async for each in house.stub.WatchBatchJob(pb.WatchBatchJobRequest(name=job.name)):
        job = each.job
    assert (job.state, job.done_count) == (pb.BATCH_JOB_STATE_DONE, 12)


async def test_a_job_waits_for_a_store_that_is_away(house: House, photo_png: bytes, tmp_path: Path) -> None:
    put_photos(house, photo_png, 8)
    folder, away = tmp_path / "home-0" / "objects", tmp_path / "away"
    job = (await house.stub.StartBatchJob(start())).job
    async for each in house.stub.WatchBatchJob(pb.WatchBatchJobRequest(name=job.name)):
        job = each.job
        if job.done_count and folder.exists() and not away.exists():
            folder.rename(away)
        if job.waiting_for and not folder.exists():
            away.rename(folder)
            away.mkdir()
    assert away.exists()
    assert (job.state, job.done_count, job.failed_count) == (pb.BATCH_JOB_STATE_DONE, 8, 0)


async def test_wrong_jobs_are_refused_before_anything_is_written(house: House, photo_png: bytes) -> None:
    put_photos(house, photo_png, 1)

    async def refusal(**changes: object) -> str:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await house.stub.StartBatchJob(start(**changes))
        return f"{caught.value.code().name} {caught.value.details()}"

    assert "NOT_FOUND" in await refusal(photo_prefix="elsewhere/")
    assert "output_prefix: must not lie below" in await refusal(output_prefix="shoot/photos/out/")
    assert "photo_prefix: must be a folder's name" in await refusal(photo_prefix="shoot/photos")
    assert "options.model: no model" in await refusal(options=pb.InpaintOptions(model="magic"))
    assert "options.candidate_count" in await refusal(options=pb.InpaintOptions(candidate_count=2))
    assert "mask: marks nothing" in await refusal(mask=pb.Mask())
    assert results(house) == {}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await house.stub.CancelBatchJob(pb.CancelBatchJobRequest(name="batchJobs/" + "0" * 64))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_job_is_its_spec_written_down_and_read_again() -> None:
    spec = JobSpec(
        "a/",
        "b/",
        mask_image=Source(content=b"\x00mask"),
        shapes=Shapes(((1, 2, 3, 4),), (((1.0, 2.0), (3.0, 4.5), (5.0, 6.0)),), ((((1.0, 1.0),), 4.0),), 2, 3),
        options=Options("ns", "native", 5),
    )
    assert JobSpec.from_json(spec.to_json()) == spec
    assert JobSpec.from_json(spec.to_json()).id == spec.id
    assert JobSpec("a/", "b/", options=Options(seed=1)).id != JobSpec("a/", "b/").id


async def test_a_default_that_changes_does_not_change_a_job(
    make_house: Callable[..., object], photo_png: bytes
) -> None:
    house: House = await make_house()  # type: ignore[misc]
    put_photos(house, photo_png, 1)
    house.catalog.set_default("ns")
    job = await finished(house, start(options=pb.InpaintOptions()))
    house.catalog.set_default("telea")
    with pytest.raises(grpc.aio.AioRpcError, match="another way"):
        await house.stub.StartBatchJob(start(options=pb.InpaintOptions()))
    assert job.done_count == 1
