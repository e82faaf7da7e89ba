"""A relock over the wire: stages, then the lock; a handler's options follow the call's deadline."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest

from darkroom.dataset.v1 import dataset_pb2 as pb

from .conftest import House
from .lab import LOCK, REFUSING, Lab, define, describe


async def test_a_relock_streams_stages_and_then_the_lock(house: House, stub: Any) -> None:
    commit = Lab(house.lab).commit("v1")
    await define(house)

    async def relocked() -> list[pb.RelockRepositoryResponse]:
        return [each async for each in stub.RelockRepository(pb.RelockRepositoryRequest(repository="lab"))]

    ending = asyncio.create_task(relocked())
    await describe(house)
    *stages, last = await ending
    assert stages
    assert all(each.HasField("progress") and not each.commit for each in stages)
    assert (last.commit, last.previous_lock_digest, last.lock) == (commit, "", LOCK)
    shown = await stub.GetHandler(pb.GetHandlerRequest(name="lab/inpainting", version="v1"))
    assert shown.handler.lock_digest == last.lock_digest


async def test_a_handler_not_described_in_time_says_so_before_the_callers_deadline(house: House, stub: Any) -> None:
    Lab(house.lab).commit("v1")
    await define(house)
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await stub.GetHandler(pb.GetHandlerRequest(name="lab/inpainting", version="v1"), timeout=5)
    assert late.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "still being made; ask again" in late.value.details()


async def test_runners_show_their_sandbox_and_what_they_refuse(house: House, stub: Any) -> None:
    await house.dispatch.claim(replace(REFUSING, sandbox="none: no bwrap"), ["PREVIEW"], 0.0)
    [runner] = (await stub.ListRunners(pb.ListRunnersRequest())).runners
    assert runner.sandbox == "none: no bwrap"
    assert list(runner.refused_repositories) == ["lab: its sandbox is none: no bwrap; install bubblewrap"]
