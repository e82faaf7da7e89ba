"""Retouching with real processes: the command, the SDK, a service that is killed, callers that leave."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data, transform

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from darkroom_client import AsyncClient, Client, InvalidArgument, NotFound
from darkroom_client.inpainting import Marks

from .house import plain_environment
from .inpainting_house import InpaintingHouse
from .photos import make_photos
from .process import until

BOX = "100,60,40,50"
MARKS = Marks(boxes=((100, 60, 40, 50),))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InpaintingHouse]:
    house = InpaintingHouse(tmp_path_factory.mktemp("inpainting"))
    try:
        yield house.start()
    finally:
        house.end()


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[InpaintingHouse]:
    """A service that the test may kill; one photo at a time, so that there is a middle to be killed in."""
    house = InpaintingHouse(tmp_path / "house", CONCURRENCY=1)
    try:
        yield house.start()
    finally:
        house.end()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve small JPEGs."""
    return make_photos(tmp_path_factory.mktemp("retouch") / "photos", 12)


@pytest.fixture(scope="session")
def hard_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo whose filling takes many seconds."""
    path = tmp_path_factory.mktemp("hard") / "hard.jpg"
    Image.fromarray((transform.resize(data.astronaut(), (2000, 2000)) * 255).astype(np.uint8)).save(path)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_the_command_removes_a_box_and_says_how(house: InpaintingHouse, folder: Path, tmp_path: Path) -> None:
    done = house.darkroom("inpaint", folder / "000.jpg", "--box", BOX, "-o", tmp_path / "out.jpg").ok()
    assert done.out.strip() == str(tmp_path / "out.jpg")
    assert re.search(r"out\.jpg: auto: (detail|flat|ns), 1 pass, .* s; because", done.err)
    before, after = (np.asarray(Image.open(path)).astype(int) for path in (folder / "000.jpg", tmp_path / "out.jpg"))
    far = np.ones(before.shape[:2], bool)
    far[60 - 16 : 110 + 16, 100 - 16 : 140 + 16] = False
    assert np.abs(before - after)[far].mean() < 1
    assert np.abs(before - after)[60:110, 100:140].mean() > 1


def test_candidates_go_to_numbered_files_and_nothing_is_replaced(
    house: InpaintingHouse, folder: Path, tmp_path: Path
) -> None:
    arguments = ["inpaint", folder / "001.jpg", "--box", BOX, "-o", tmp_path / "out.jpg", "--candidates", 3, "--json"]
    done = house.darkroom(*arguments, "--model", "ns-grain").ok()
    rows = done.json["candidates"]
    assert [Path(row["path"]).name for row in rows] == ["out-1.jpg", "out-2.jpg", "out-3.jpg"]
    assert [row["seed"] for row in rows] == [0, 1, 2]
    assert len({Path(row["path"]).read_bytes() for row in rows}) == 3
    again = house.darkroom(*arguments)
    assert again.code == 1
    assert "--force" in again.err


def test_without_a_service_the_same_bytes_come(house: InpaintingHouse, folder: Path, tmp_path: Path) -> None:
    for name, how in (("served.jpg", []), ("local.jpg", ["--local"])):
        house.darkroom("inpaint", folder / "002.jpg", "--box", BOX, "--feather", 3, "-o", tmp_path / name, *how).ok()
    assert (tmp_path / "served.jpg").read_bytes() == (tmp_path / "local.jpg").read_bytes()


@pytest.mark.parametrize("how", [[], ["--local"]], ids=["service", "local"])
def test_bad_input_is_named_with_its_field(
    house: InpaintingHouse, folder: Path, tmp_path: Path, how: list[str]
) -> None:
    (tmp_path / "bad.jpg").write_bytes((folder / "000.jpg").read_bytes()[:900])
    Image.new("L", (10, 10), 255).save(tmp_path / "small.png")
    Image.new("L", (256, 192), 255).save(tmp_path / "white.png")
    photo = folder / "000.jpg"
    cases = [
        ([photo, "--box", "500,500,9,9"], "mask.boxes[0]: the box 500,500,9,9 lies outside"),
        ([photo, "--mask", tmp_path / "small.png"], "mask.image: the mask has 10x10 pixels, the photo 256x192"),
        ([photo, "--mask", tmp_path / "white.png"], "mask: the mask covers the whole photo"),
        ([photo, "--box", BOX, "--model", "magic"], "options.model: no model 'magic'; there are auto"),
        ([photo, "--box", BOX, "--strategy", "luck"], "options.strategy: no strategy 'luck'"),
        ([tmp_path / "bad.jpg", "--box", BOX], "photo: "),
        ([photo], "mark what should go"),
    ]
    # A process for each without a service; which takes longer, so that has the first ones alone.
    for arguments, words in cases[: 3 if how else None]:
        done = house.darkroom("inpaint", *arguments, "-o", tmp_path / "never.jpg", *how)
        assert done.code == 2, done
        assert f"error: {words}" in done.err
    assert not (tmp_path / "never.jpg").exists()
    missing = house.darkroom("inpaint", tmp_path / "no.jpg", "--box", BOX, *how)
    assert (missing.code, missing.err) == (3, f"error: there is no file {tmp_path / 'no.jpg'}\n")


def test_the_sdk_takes_paths_and_arrays_and_returns_arrays(house: InpaintingHouse, folder: Path) -> None:
    mask = np.zeros((192, 256), bool)
    mask[60:110, 100:140] = True
    with Client(inpainting=house.server) as client:
        by_path = client.inpaint(str(folder / "000.jpg"), mask, model="ns")
        assert (by_path.shape, by_path.dtype) == ((192, 256, 3), np.uint8)
        pixels = np.asarray(Image.open(folder / "000.jpg"))
        by_array = client.inpaint(pixels, mask, model="ns")
        assert np.array_equal(by_array[~mask], pixels[~mask])
        deep = client.inpaint(pixels.astype(np.uint16) * 257, mask, model="ns")
        assert deep.dtype == np.uint16
        assert np.array_equal(deep[~mask], pixels[~mask].astype(np.uint16) * 257)
        seen: list[str] = []
        client.inpaint(pixels, marks=MARKS, model="ns", on_progress=lambda each: seen.append(each.stage))
        # So small a photo is done before a reader sees each stage; what it sees comes in order.
        stages = ["QUEUED", "DECODING", "PAINTING", "ENCODING"]
        assert seen
        assert seen == sorted(seen, key=stages.index)
        with pytest.raises(InvalidArgument) as caught:
            client.inpaint(pixels, mask[:-1], model="ns")
        assert [each.field for each in caught.value.violations] == ["mask.image"]
        with pytest.raises(NotFound):
            client.inpaint("nothing.jpg", mask)


async def test_the_asynchronous_sdk_does_the_same(house: InpaintingHouse, folder: Path) -> None:
    async with AsyncClient(inpainting=house.server) as client:
        found = await client.inpaint(folder / "000.jpg", marks=MARKS, model="ns")
        assert found.shape == (192, 256, 3)
        assert [each.name for each in await client.inpainting.list_models() if each.default] == ["auto"]


def test_a_caller_that_leaves_stops_its_work(house: InpaintingHouse, hard_photo: Path) -> None:
    command = house.begin("inpaint", hard_photo, "--box", "300,300,1300,1300", "--model", "patchmatch")
    counts = Counts(house)
    until(lambda: counts.read().running_count == 1, "the work")
    command.kill()
    until(lambda: counts.read().running_count == 0, "the end of the work", 1.5)
    assert counts.read().cancelled_count == 1
    counts.close()


class Counts:
    """The service's counts, asked for over a plain stub."""

    def __init__(self, house: InpaintingHouse) -> None:
        import grpc

        from darkroom.inpainting.v1 import inpainting_pb2_grpc

        self._channel = grpc.insecure_channel(house.server)
        self._stub = inpainting_pb2_grpc.InpaintingServiceStub(self._channel)

    def read(self) -> pb.GetMetricsResponse:
        return self._stub.GetMetrics(pb.GetMetricsRequest(), timeout=5)

    def close(self) -> None:
        self._channel.close()


def test_a_folder_goes_on_where_it_was_and_ends_with_the_same_files(
    own_house: InpaintingHouse, house: InpaintingHouse, folder: Path, tmp_path: Path
) -> None:
    arguments = ["inpaint-batch", folder, "--box", BOX, "--model", "ns-grain", "--seed", 5]
    house.darkroom(*arguments, "-o", tmp_path / "whole").ok()
    # Killed in the middle: the command first, then the service under the next one.
    first = own_house.begin(*arguments, "-o", tmp_path / "out", "--parallel", 1)
    until(lambda: (tmp_path / "out").is_dir() and len(contents(tmp_path / "out")) >= 2, "the first results")
    first.kill()
    second = own_house.begin(*arguments, "-o", tmp_path / "out", "--parallel", 1)
    until(lambda: len(contents(tmp_path / "out")) >= 4, "the next results")
    own_house.service.kill()
    own_house.start()
    assert second.wait(180) == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert len(contents(tmp_path / "out")) == 12
    done = own_house.darkroom(*arguments, "-o", tmp_path / "out").ok()
    assert "0 filled, 12 were there, 0 failed" in done.err
    other = own_house.darkroom("inpaint-batch", folder, "--box", BOX, "-o", tmp_path / "out")
    assert (other.code, "choose another folder" in other.err) == (1, True)


def test_a_bad_photo_of_a_folder_fails_alone(house: InpaintingHouse, folder: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / "day").mkdir(parents=True)
    (photos / "day" / "good.jpg").write_bytes((folder / "000.jpg").read_bytes())
    (photos / "bad.jpg").write_bytes(b"no photo")
    done = house.darkroom("inpaint-batch", photos, "--box", BOX, "--model", "ns", "-o", tmp_path / "out", "--json")
    assert done.code == 1
    assert (done.json["done_count"], [photo for photo, _ in done.json["failures"]]) == (1, ["bad.jpg"])
    assert (tmp_path / "out" / "day" / "good.jpg").is_file()


def test_a_job_over_the_store_survives_kill_9_and_makes_the_same_bytes(
    own_house: InpaintingHouse, house: InpaintingHouse, folder: Path
) -> None:
    request = pb.StartBatchJobRequest(
        photo_prefix="shoot/photos/",
        mask=pb.Mask(boxes=[pb.Box(x=100, y=60, width=40, height=50)]),
        output_prefix="shoot/out/",
        options=pb.InpaintOptions(model="patchmatch", seed=3),
    )
    results = {}
    for place, kill in ((house, False), (own_house, True)):
        photos, out = place.store / "shoot" / "photos", place.store / "shoot" / "out"
        photos.mkdir(parents=True)
        for path in folder.iterdir():
            (photos / path.name).write_bytes(path.read_bytes())
        with place.client() as client:
            job = client.start_batch_job(request)
            watching = client.watch_batch_job(job.name)
            for snapshot in watching:
                if kill and snapshot.done_count >= 3:
                    place.service.kill()
                    assert len(contents(out)) < 13
                    kill = False
                    # The watcher waits, attaches again, and sees the job that goes on by itself.
                    place.start()
            assert (snapshot.state, snapshot.done_count, snapshot.failed_count) == ("DONE", 12, 0)
        results[place.server] = contents(out)
    undisturbed, killed = results.values()
    assert undisturbed == killed


def test_a_prefix_of_the_store_is_filled_by_one_command(house: InpaintingHouse, folder: Path) -> None:
    photos, out = house.store / "day" / "photos", house.store / "day" / "out"
    photos.mkdir(parents=True)
    for path in folder.iterdir():
        (photos / path.name).write_bytes(path.read_bytes())
    with Image.open(folder / "000.jpg") as image:
        mask = np.zeros((image.height, image.width), np.uint8)
    mask[60:110, 100:140] = 255
    Image.fromarray(mask).save(house.store / "day" / "mask.png")
    command = ["inpaint-batch", "--remote", "day/photos", "--mask", "day/mask.png", "-o", "day/out", "--model", "ns"]
    done = house.darkroom(*command).ok()
    assert done.out.strip() == "day/out/"
    assert "12 of 12 filled, 0 failed" in done.err
    assert {path.name for path in photos.iterdir()} < {path.name for path in out.iterdir()}
    missing = house.darkroom("inpaint-batch", "--remote", "day/none", "--box", BOX, "-o", "day/other")
    assert (missing.code, "day/none/" in missing.err) == (3, True)
    local = house.darkroom("inpaint-batch", folder, "--box", BOX, "-o", "out", "--cancel")
    assert (local.code, "add --remote" in local.err) == (2, True)


def test_a_remote_job_is_left_and_stopped_by_the_same_command(house: InpaintingHouse, hard_photo: Path) -> None:
    photos = house.store / "hard" / "photos"
    photos.mkdir(parents=True)
    (photos / "one.jpg").write_bytes(hard_photo.read_bytes())
    command = ["inpaint-batch", "--remote", "hard/photos", "--box", "200,200,1500,1500", "-o", "hard/out"]
    name = house.darkroom(*command, "--detach").ok().out.strip()
    assert name.startswith("batchJobs/")
    stopped = house.darkroom(*command, "--cancel", "--json").ok().json
    assert (stopped["name"], stopped["state"]) == (name, "CANCELLED")


def test_the_service_starts_without_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys, inpainting.__main__, inpainting.local; "
        "sys.exit(', '.join({'tensorflow', 'keras', 'onnxruntime', 'torch'} & set(sys.modules)) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"the service loads {run.stderr}"


def test_a_wrong_setting_is_named_and_an_address_beyond_this_machine_refused(tmp_path: Path) -> None:
    for variables, code, words in (
        ({"DARKROOM_INPAINTING_CONCURRENCY": "0"}, 2, "DARKROOM_INPAINTING_CONCURRENCY"),
        ({"DARKROOM_INPAINTING_LISTEN": "0.0.0.0:0"}, 1, "DARKROOM_INPAINTING_INSECURE=true"),
    ):
        run = subprocess.run(
            [sys.executable, "-m", "inpainting"],
            env=plain_environment() | variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert run.returncode == code
        assert words in run.stderr


@pytest.mark.skipif("DARKROOM_TEST_PHOTOS" not in os.environ, reason="wants large real photos")
def test_a_large_real_photo_keeps_its_metadata(house: InpaintingHouse, tmp_path: Path) -> None:
    hires = sorted((Path(os.environ["DARKROOM_TEST_PHOTOS"]) / "hires").glob("*.JPG"))[0]
    done = house.darkroom("inpaint", hires, "--box", "820,400,300,500", "-o", tmp_path / "out.JPG").ok()
    assert done.out
    with Image.open(hires) as before, Image.open(tmp_path / "out.JPG") as after:
        assert before.size == after.size
        assert before.getexif()[271] == after.getexif()[271]
        assert before.quantization == after.quantization
