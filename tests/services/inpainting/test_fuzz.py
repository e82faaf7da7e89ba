"""Whatever comes: an answer, or an error that the caller can act upon; never an internal one, never an end."""

from __future__ import annotations

import asyncio

import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom.inpainting.v1 import inpainting_pb2 as pb

from .conftest import House, encoded

PHOTO = encoded(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8))
MEANT = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}

whole = st.one_of(st.integers(-5, 60), st.integers(-(2**31), 2**31 - 1))
real = st.one_of(st.floats(-5, 60, width=32), st.floats(width=32))
points = st.lists(st.builds(pb.Point, x=real, y=real), max_size=6)
pixels = st.one_of(
    st.just(PHOTO),
    st.binary(max_size=60),
    st.integers(0, len(PHOTO)).map(lambda at: PHOTO[:at]),
    st.tuples(st.integers(0, len(PHOTO) - 1), st.integers(0, 255)).map(
        lambda change: PHOTO[: change[0]] + bytes([change[1]]) + PHOTO[change[0] + 1 :]
    ),
)
photos = st.one_of(
    st.builds(pb.Photo, content=pixels),
    st.builds(pb.Photo, name=st.text(max_size=9)),
    st.builds(pb.Photo, object=st.text(max_size=9)),
    st.just(pb.Photo()),
)
marks = st.builds(
    pb.Mask,
    image=st.one_of(st.none(), photos),
    boxes=st.lists(st.builds(pb.Box, x=whole, y=whole, width=whole, height=whole), max_size=3),
    polygons=st.lists(st.builds(pb.Polygon, points=points), max_size=2),
    strokes=st.lists(st.builds(pb.Stroke, points=points, width_px=real), max_size=2),
    grow_px=st.one_of(st.just(0), whole),
    feather_px=st.one_of(st.just(0), whole),
)
options = st.builds(
    pb.InpaintOptions,
    model=st.sampled_from(["ns", "telea", "mean", "ns-grain", "", "magic"]),
    strategy=st.sampled_from(["", "auto", "native", "baseline", "two_step", "combined", "detail", "luck"]),
    seed=st.integers(-(2**63), 2**63 - 1),
    candidate_count=st.one_of(st.integers(0, 2), whole),
)

# Mostly right, or every request would end at its first mistake.
right_photo = st.just(pb.Photo(content=PHOTO))
inside = st.integers(0, 30)
right_marks = st.builds(
    pb.Mask,
    boxes=st.lists(st.builds(pb.Box, x=inside, y=inside, width=st.integers(1, 60), height=st.just(5)), max_size=3),
    strokes=st.lists(
        st.builds(
            pb.Stroke,
            points=st.lists(st.builds(pb.Point, x=inside, y=inside), min_size=1, max_size=3),
            width_px=st.integers(1, 9),
        ),
        min_size=1,
        max_size=2,
    ),
    feather_px=st.integers(0, 3),
)
right_options = st.builds(
    pb.InpaintOptions,
    model=st.sampled_from(["ns", "telea", "mean", "ns-grain", "patchmatch", "auto", ""]),
    strategy=st.sampled_from(["", "auto", "native", "baseline", "shrinking_mask", "two_step", "combined", "detail"]),
    seed=st.integers(0, 2**63 - 1),
    candidate_count=st.integers(0, 2),
)
requests = st.one_of(
    st.builds(pb.InpaintRequest, photo=right_photo, mask=right_marks, options=right_options),
    st.builds(pb.InpaintRequest, photo=photos, mask=right_marks, options=right_options),
    st.builds(pb.InpaintRequest, photo=right_photo, mask=marks, options=right_options),
    st.builds(pb.InpaintRequest, photo=right_photo, mask=right_marks, options=options),
)


async def test_random_requests_are_answered_with_meaning(house: House) -> None:
    loop = asyncio.get_running_loop()
    seen: set[grpc.StatusCode] = set()

    async def status(request: pb.InpaintRequest) -> grpc.StatusCode:
        call = house.stub.Inpaint(request, timeout=30)
        return await call.code()

    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(requests)
    def ask(request: pb.InpaintRequest) -> None:
        code = asyncio.run_coroutine_threadsafe(status(request), loop).result(60)
        assert code in MEANT, request
        seen.add(code)

    await asyncio.to_thread(ask)
    assert seen >= {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}


@pytest.mark.parametrize("method", ["Inpaint", "InpaintBatch", "UploadPhoto", "AddModel", "StartBatchJob"])
async def test_bytes_that_are_no_message_are_refused(house: House, method: str) -> None:
    streams = method in ("InpaintBatch", "UploadPhoto", "AddModel")
    path = f"/darkroom.inpainting.v1.InpaintingService/{method}"
    garbage = b"\xff\xff\xff"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        if method == "InpaintBatch":
            async for _ in house.channel.stream_stream(path)(iter([garbage])):
                pass
        elif streams:
            await house.channel.stream_unary(path)(iter([garbage]))
        else:
            await house.channel.unary_unary(path)(garbage)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
