"""Models by name: those that are always there, files that users add, and networks that callers share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from darkroom.inpainting.v1 import inpainting_pb2 as pb
from inpainting.added_models import AddedModels
from inpainting.model_catalog import ModelCatalog
from service_kit.errors import FailedPrecondition

from .conftest import House

IO = "{layout: nchw, inputs: [image, mask], output: {range: [0, 255]}, training_size: [64, 96], size: {multiple: 2}}"
BOX = pb.Box(x=200, y=100, width=60, height=80)


def network(path: Path) -> bytes:
    """Write a network of one convolution over picture and mask, for any batch and size."""
    kernel = np.random.default_rng(0).normal(0, 8, (3, 4, 5, 5)).astype(np.float32)
    nodes = [
        helper.make_node("Concat", ["image", "mask"], ["joined"], axis=1),
        helper.make_node("Conv", ["joined", "kernel"], ["raw"], pads=[2, 2, 2, 2]),
        helper.make_node("Clip", ["raw", "low", "high"], ["picture"]),
    ]
    sides = ("n", None, "h", "w")

    def port(name: str, channels: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, (sides[0], channels, *sides[2:]))

    constants = {"kernel": kernel, "low": np.float32(0), "high": np.float32(255)}
    graph = helper.make_graph(
        nodes,
        "network",
        [port("image", 3), port("mask", 1)],
        [port("picture", 3)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)
    return path.read_bytes()


def parts(content: bytes, name: str, io: str = IO, file_name: str = "net.onnx") -> Iterator[pb.AddModelRequest]:
    yield pb.AddModelRequest(name=name, file_name=file_name, io=io)
    for at in range(0, len(content), 1000):
        yield pb.AddModelRequest(chunk=content[at : at + 1000])


def request(photo: bytes, **options: object) -> pb.InpaintRequest:
    return pb.InpaintRequest(
        photo=pb.Photo(content=photo), mask=pb.Mask(boxes=[BOX]), options=pb.InpaintOptions(**options)
    )


async def refusal(call: object) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]
    return f"{caught.value.code().name} {caught.value.details()}"


async def test_a_users_network_is_added_used_made_the_default_and_removed(
    house: House, photo_png: bytes, tmp_path: Path
) -> None:
    added = (await house.stub.AddModel(parts(network(tmp_path / "net.onnx"), "mine"))).model
    assert (added.training_height_px, added.training_width_px, added.added) == (64, 96, True)
    for strategy, passes in (("baseline", 1), ("two_step", 2), ("combined", 5), ("detail", 1)):
        found = (await house.stub.Inpaint(request(photo_png, model="mine", strategy=strategy))).candidates[0]
        assert (found.model, found.strategy, found.pass_count) == ("mine", strategy, passes)
    await house.stub.SetDefaultModel(pb.SetDefaultModelRequest(name="mine"))
    found = (await house.stub.Inpaint(request(photo_png))).candidates[0]
    assert (found.model, found.strategy) == ("mine", "detail")
    await house.stub.RemoveModel(pb.RemoveModelRequest(name="mine"))
    assert house.catalog.default == "auto"
    assert "no model 'mine'" in await refusal(house.stub.Inpaint(request(photo_png, model="mine")))


async def test_callers_share_a_networks_runs_and_get_what_they_would_get_alone(
    make_house: Callable[..., object], photo_png: bytes, tmp_path: Path
) -> None:
    house: House = await make_house(concurrency=8)  # type: ignore[misc]
    await house.stub.AddModel(parts(network(tmp_path / "net.onnx"), "mine"))
    asked = request(photo_png, model="mine", strategy="combined")
    alone = (await house.stub.Inpaint(asked)).candidates[0].photo.content
    together = await asyncio.gather(*(house.stub.Inpaint(asked) for _ in range(32)))
    assert {each.candidates[0].photo.content for each in together} == {alone}
    sizes = (await house.stub.GetMetrics(pb.GetMetricsRequest())).batch_sizes
    assert sum(size * count for size, count in sizes.items()) == 33 * 5
    assert max(sizes) > 1


async def test_a_file_that_does_not_work_is_refused_and_leaves_nothing(house: House, tmp_path: Path) -> None:
    content = network(tmp_path / "net.onnx")
    cases = {
        "name: 'Mine!' must be": parts(content, "Mine!"),
        "ALREADY_EXISTS": parts(content, "telea"),
        "io: is needed for .onnx files: lama, migan": parts(content, "mine", io=""),
        "io: the description has no colour": parts(content, "mine", io="{colour: rgb}"),
        "io: ": parts(content, "mine", io="[unclosed"),
        "file: ": parts(content[: len(content) // 2], "mine"),
        "is no kind of model file": parts(content, "mine", file_name="net.pth"),
        "has 3 channels, where image+mask has 4": parts(
            content, "mine", io=IO.replace("[image, mask]", "[image+mask, mask]")
        ),
        "no bytes came": parts(b"", "mine"),
    }
    for words, chunks in cases.items():
        answer = await refusal(house.stub.AddModel(chunks))
        assert words in answer
        assert str(tmp_path) not in answer
    assert [model.name for model in house.catalog.models() if model.added] == []
    await house.stub.AddModel(parts(content, "mine"))
    assert "ALREADY_EXISTS" in await refusal(house.stub.AddModel(parts(content, "mine")))


async def test_models_of_darkrooms_own_stay(house: House) -> None:
    assert "FAILED_PRECONDITION" in await refusal(house.stub.RemoveModel(pb.RemoveModelRequest(name="telea")))
    assert "NOT_FOUND" in await refusal(house.stub.RemoveModel(pb.RemoveModelRequest(name="magic")))
    assert "NOT_FOUND" in await refusal(house.stub.SetDefaultModel(pb.SetDefaultModelRequest(name="magic")))
    assert "NOT_FOUND" in await refusal(house.stub.GetModel(pb.GetModelRequest(name="magic")))


def test_a_file_that_was_damaged_later_is_said_when_it_is_used(tmp_path: Path) -> None:
    network(tmp_path / "net.onnx")
    catalog = ModelCatalog(AddedModels(tmp_path / "models"), 8)
    catalog.add("mine", tmp_path / "net.onnx", "net.onnx", IO)
    # A new process, which has not loaded it yet.
    catalog = ModelCatalog(AddedModels(tmp_path / "models"), 8)
    assert [(model.name, model.ready) for model in catalog.models() if model.added] == [("mine", False)]
    (tmp_path / "models" / "mine" / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(FailedPrecondition, match="the model mine cannot be loaded"):
        catalog.painter("mine", 0, lambda stage, done, total: None, lambda: False)


async def test_a_model_that_fails_on_a_photo_is_said_and_the_service_goes_on(
    house: House, photo_png: bytes, tmp_path: Path
) -> None:
    await house.stub.AddModel(parts(network(tmp_path / "net.onnx"), "mine"))
    painter, batcher = house.catalog._loaded["mine"]

    def broken(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        raise RuntimeError("the\nlibrary stumbled")

    batcher._paint = broken
    answer = await refusal(house.stub.Inpaint(request(photo_png, model="mine", strategy="baseline")))
    assert answer == "FAILED_PRECONDITION the model mine failed on (64, 96): the library stumbled"
    assert (await house.stub.Inpaint(request(photo_png, model="ns"))).candidates
    assert painter.name == "mine"
