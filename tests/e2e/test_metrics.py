"""What Prometheus reads from running services is what happened in them."""

from __future__ import annotations

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from .house import free_port

CALLS = "grpc_server_call_duration_seconds_count"
DATASETS = "darkroom.dataset.v1.DatasetService/"


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
