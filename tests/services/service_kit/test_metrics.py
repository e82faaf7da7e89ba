"""Metrics are shown where the operator said, to nobody else, and count every call once with how it ended."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY

from darkroom.handler.v1 import handler_pb2, handler_pb2_grpc
from service_kit.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable
from service_kit.metrics import MetricsPage, MetricsSettings
from service_kit.serving import Serving

METHOD = "darkroom.handler.v1.HandlerRunnerService/GetRunner"


class Servicer(handler_pb2_grpc.HandlerRunnerServiceServicer):  # type: ignore[misc]
    """Does what `error` says, after `delay_s`."""

    error: Exception | None = None
    delay_s = 0.0

    async def GetRunner(self, request: Any, context: Any) -> Any:
        await asyncio.sleep(self.delay_s)
        if self.error is not None:
            raise self.error
        return handler_pb2.GetRunnerResponse(work=["work/1"])


@pytest.fixture
async def called() -> AsyncIterator[tuple[Servicer, Any]]:
    servicer = Servicer()
    serving = Serving(
        "localhost:0",
        [],
        lambda server: handler_pb2_grpc.add_HandlerRunnerServiceServicer_to_server(servicer, server),
        metered=True,
    )
    await serving.start()
    async with grpc.aio.insecure_channel(f"localhost:{serving.port}") as channel:
        yield servicer, handler_pb2_grpc.HandlerRunnerServiceStub(channel)
    await serving.stop(0.0)


def value(name: str, status: str = "") -> float:
    labels = {"grpc_method": METHOD} | ({"grpc_status": status} if status else {})
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_each_call_is_counted_with_how_it_ended_and_its_bytes(called: tuple[Servicer, Any]) -> None:
    servicer, stub = called
    statuses = ("OK", "NOT_FOUND", "INTERNAL", "CANCELLED")
    counter = "grpc_server_call_duration_seconds_count"
    before = {status: value(counter, status) for status in statuses}
    started = value("grpc_server_call_started_total")
    sent = value("grpc_server_call_sent_total_compressed_message_size_bytes_sum", "OK")
    response = await stub.GetRunner(handler_pb2.GetRunnerRequest())
    for servicer.error in (NotFound("no such runner"), RuntimeError("a defect")):
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.GetRunner(handler_pb2.GetRunnerRequest())
    servicer.error, servicer.delay_s = None, 60.0
    left = stub.GetRunner(handler_pb2.GetRunnerRequest())
    while value("grpc_server_call_started_total") - started < 4:
        await asyncio.sleep(0.02)
    left.cancel()
    while value(counter, "CANCELLED") == before["CANCELLED"]:
        await asyncio.sleep(0.02)
    assert {status: value(counter, status) - before[status] for status in statuses} == dict.fromkeys(statuses, 1)
    assert value("grpc_server_call_started_total") - started == 4
    now_sent = value("grpc_server_call_sent_total_compressed_message_size_bytes_sum", "OK")
    assert now_sent - sent == response.ByteSize()


def test_metrics_are_off_unless_they_have_an_address() -> None:
    page = MetricsPage(MetricsSettings(), "DARKROOM_X_")
    page.start()
    assert not page.on
    assert page.port == 0
    page.stop()


def test_the_page_answers_at_its_address_and_a_second_one_cannot_have_it() -> None:
    page = MetricsPage(MetricsSettings(metrics_listen="127.0.0.1:0"), "DARKROOM_X_")
    page.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{page.port}/metrics", timeout=10) as response:
        assert b"grpc_server_call_started_total" in response.read()
    second = MetricsPage(MetricsSettings(metrics_listen=f"127.0.0.1:{page.port}"), "DARKROOM_X_")
    with pytest.raises(Unavailable, match=r"DARKROOM_X_METRICS_LISTEN: 127\.0\.0\.1:\d+ is taken"):
        second.start()
    page.stop()


def test_beyond_this_machine_it_must_be_meant() -> None:
    with pytest.raises(FailedPrecondition, match="DARKROOM_X_METRICS_INSECURE=true"):
        MetricsPage(MetricsSettings(metrics_listen="0.0.0.0:9464"), "DARKROOM_X_")
    assert MetricsPage(MetricsSettings(metrics_listen="0.0.0.0:9464", metrics_insecure=True), "DARKROOM_X_").on


@pytest.mark.parametrize("listen", ["localhost", "localhost:x", "localhost:70000"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises((InvalidArgument, FailedPrecondition), match="DARKROOM_X_METRICS_LISTEN"):
        MetricsPage(MetricsSettings(metrics_listen=listen), "DARKROOM_X_")
