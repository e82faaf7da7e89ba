"""What Prometheus reads from running services is what happened in them."""

from __future__ import annotations

import urllib.request
from contextlib import suppress
from functools import partial

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc
from darkroom.handler.v1 import handler_pb2
from darkroom.inpainting.v1 import inpainting_pb2
from darkroom_client.inpainting import Marks

from ..ports import free_port
from .collector import collector
from .inpainting_house import InpaintingHouse
from .process import until

CALLS = "grpc_server_call_duration_seconds_count"
DATASETS = "darkroom.dataset.v1.DatasetService/"
_HANDLERS = handler_pb2.DESCRIPTOR.services_by_name
SERVICES = {
    "registry": [*dataset_pb2.DESCRIPTOR.services_by_name.values(), _HANDLERS["RunnerService"]],
    "runner": [_HANDLERS["HandlerRunnerService"]],
    "inpainting": list(inpainting_pb2.DESCRIPTOR.services_by_name.values()),
}


def scraped(port: int) -> dict[tuple[str, ...], float]:
    """Sample values by name and label values."""
    with urllib.request.urlopen(f"http://localhost:{port}/metrics", timeout=30) as response:
        text = response.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_build_a_hit_and_a_download_are_seen_by_prometheus(open_house, photos):
    ports = {"registry": free_port(), "runner": free_port()}
    house = open_house(photos, METRICS_LISTEN=f"localhost:{ports['registry']}")
    house.registry.start()
    house.start_runner(METRICS_LISTEN=f"localhost:{ports['runner']}")
    house.wait_for_handlers()
    house.client.define("street", "stock/inpainting", {"photos": "street"})
    before = scraped(ports["registry"])
    assert before[("darkroom_work_queued", "BUILD")] == 0
    built = house.client.request_dataset("street").get()
    house.client.request_dataset("street").wait()
    registry, runner = scraped(ports["registry"]), scraped(ports["runner"])
    assert registry[("darkroom_requests_resolved_total", "new")] == 1
    assert registry[("darkroom_requests_resolved_total", "hit")] == 1
    assert registry[("darkroom_work_ended_total", "BUILD", "done")] == 1
    assert registry[("darkroom_work_seconds_count", "BUILD")] == 1
    assert registry[("darkroom_work_wait_seconds_count", "BUILD")] == 1
    assert registry[(CALLS, f"{DATASETS}RequestDataset", "OK")] == 2
    assert registry[("grpc_server_call_started_total", f"{DATASETS}RequestDataset")] == 2
    assert registry[("darkroom_downloads_reported_total",)] == 1
    size_bytes = sum(shard.size_bytes for shard in built.manifest.shards)
    assert registry[("darkroom_downloaded_bytes_total",)] >= size_bytes
    assert registry[("darkroom_shard_bytes_total",)] == size_bytes
    assert registry[("darkroom_shards_committed_total",)] == len(built.manifest.shards)
    assert runner[("darkroom_runner_work_ended_total", "BUILD", "done")] == 1
    assert runner[("darkroom_runner_shards_total",)] == len(built.manifest.shards)
    assert runner[("darkroom_runner_stage_seconds_total", "BUILDING")] > 0
    assert runner[("darkroom_runner_free_bytes",)] > 0
    # A watcher that has gone is no watcher.
    assert registry[("darkroom_watchers",)] == 0
    lines = house.client.usage("user")
    assert [(each.group, each.requests, each.hits, each.builds, each.downloads) for each in lines] == [
        ("tester@here", 2, 1, 1, 1)
    ]
    assert lines[0].download_bytes == registry[("darkroom_downloaded_bytes_total",)]
    shown = house.darkroom("usage", "--by", "name").ok().out.splitlines()
    assert shown[0].split() == ["NAME", "REQUESTS", "HITS", "JOINED", "BUILDS", "BUILD", "TIME", "DOWNLOADS", "BYTES"]
    assert shown[1].split()[:5] == ["street", "2", "1", "0", "1"]
    assert house.darkroom("usage", "--json", "--since", "1h").ok().json["usage"][0]["group"] == built.key


def test_each_rpc_of_each_service_is_counted_timed_weighed_and_traced(open_house, photos, tmp_path):
    ports = {name: free_port() for name in ("registry", "runner", "inpainting")}
    listen = f"localhost:{free_port()}"
    house = open_house(photos, METRICS_LISTEN=f"localhost:{ports['registry']}")
    inpainting = InpaintingHouse(tmp_path / "inpainting", METRICS_LISTEN=f"localhost:{ports['inpainting']}")
    runner = house.add_runner("runner-1", LISTEN=listen, METRICS_LISTEN=f"localhost:{ports['runner']}")
    served = {"registry": house.server, "runner": listen, "inpainting": inpainting.server}
    try:
        with collector() as found:
            for process in (house.registry, runner, inpainting.service):
                process.start(DARKROOM_TRACES=found.endpoint)
            until(lambda: inpainting.service.events("inpainting_ready"), "the retouching", 60.0)
            house.wait_for_handlers()
            for where, services in SERVICES.items():
                methods = [f"{service.full_name}/{method.name}" for service in services for method in service.methods]
                with grpc.insecure_channel(served[where]) as channel:
                    list(map(partial(call_emptily, channel), methods))
                seen = scraped(ports[where])
                for method in methods:
                    until(lambda of=method: found.named(of), f"the span of {method}")
                    assert seen[("grpc_server_call_started_total", method)] >= 1
                    statuses = [key[2] for key in seen if key[0] == CALLS and key[1] == method]
                    assert statuses, method
                    for name in ("rcvd", "sent"):
                        size = f"grpc_server_call_{name}_total_compressed_message_size_bytes_count"
                        assert seen[(size, method, statuses[0])] >= 1
            photo = (photos / "street" / "000.jpg").read_bytes()
            with inpainting.client() as client:
                client.inpaint_candidates(photo, marks=Marks(boxes=((9, 9, 20, 20),)), model="telea")
            seen = scraped(ports["inpainting"])
            assert seen[("darkroom_inpainting_ended_total", "done")] == 1
            assert seen[("darkroom_inpainting_work_seconds_total",)] > 0
            assert seen[("darkroom_inpainting_waiting",)] == seen[("darkroom_inpainting_running",)] == 0
    finally:
        inpainting.end()


def test_a_callers_deadline_ends_what_goes_on_behind_its_call(open_house, photos):
    port = free_port()
    house = open_house(photos, METRICS_LISTEN=f"localhost:{port}").start()
    house.client.define("street", "test/slow", {"photos": "street"})
    request = house.client.request_dataset("street", "latest", {"delay_s": 1})
    with grpc.insecure_channel(house.server) as channel:
        stub = dataset_pb2_grpc.DatasetServiceStub(channel)
        watch = stub.WatchRequest(dataset_pb2.WatchRequestRequest(name=request.name), timeout=5.0)
        assert next(watch).request.name == request.name
        assert scraped(port)[("darkroom_watchers",)] == 1
        with pytest.raises(grpc.RpcError) as raised:
            list(watch)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    until(lambda: scraped(port)[("darkroom_watchers",)] == 0, "the end of the watch")
    assert scraped(port)[(CALLS, f"{DATASETS}WatchRequest", "CANCELLED")] == 1
    request.cancel()


def call_emptily(channel: grpc.Channel, method: str) -> None:
    """Call any kind of RPC with one empty message, and wait for its first answer or its end."""
    call = channel.stream_stream(f"/{method}")(iter([b""]), timeout=5.0)
    with suppress(grpc.RpcError):
        next(call, None)
    call.cancel()
