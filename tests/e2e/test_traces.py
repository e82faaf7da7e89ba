"""One trace leads from a command through registry and runner to the child process, if somebody asks for traces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .collector import Collector, Span, collector
from .house import House, plain_environment
from .process import until

DATASETS = "darkroom.dataset.v1.DatasetService"
RUNNERS = "darkroom.handler.v1.RunnerService"
AWAY = "http://127.0.0.1:1"
LOADED = "import sys; sys.exit(', '.join(name for name in sys.modules if name.startswith('opentelemetry')) or 0)"


def test_a_command_a_build_and_its_child_are_one_trace(open_house, photos) -> None:
    with collector() as found:
        house = start_traced(open_house(photos), found.endpoint)
        traced = {"DARKROOM_TRACES": found.endpoint, "DARKROOM_REQUEST_ID": "night-7"}
        house.client.define("street", "test/slow", {"photos": "street"})
        words = ["request", "street", "--set", "delay_s=0", "--json", "--", sys.executable, "-c", ""]
        house.darkroom(*words, env=traced).ok()
        [command] = until(lambda: found.named("darkroom request"), "the command's span")
        [build] = until(lambda: found.named("work BUILD"), "the build's span")
        until(lambda: len(called(found, "FinishWork", build.trace)) >= 4, "the ends of a walk and a build")
        # Each side of each call that the command caused, the download's included.
        for method in ("WatchRequest", "GetDownloadPlan", "ReportDownload"):
            until(lambda of=method: len(called(found, of, command.trace)) == 2, f"both sides of {method}")
    spans = {span.id: span for span in found.spans if span.trace == command.trace}
    assert {"darkroom-client", "darkroom-registry", "darkroom-runner"} == {span.service for span in spans.values()}
    # From the child process up to the command, without a gap.
    [child] = [span for span in spans.values() if span.name == "child plan"]
    way = [child]
    while way[-1].parent:
        way.append(spans[way[-1].parent])
    assert [span.name for span in way] == [
        "child plan",
        "stage PLANNING",
        "work BUILD",
        f"{DATASETS}/RequestDataset",
        f"{DATASETS}/RequestDataset",
        "darkroom request",
    ]
    assert [span.service for span in way[-3:]] == ["darkroom-registry", "darkroom-client", "darkroom-client"]
    shards = [span for span in spans.values() if span.name == "child shard"]
    assert len(shards) == house.client.list_datasets()[0].shard_count
    assert {spans[span.parent].name for span in shards} == {"stage BUILDING"}
    for method in ("CommitShard", "FinishWork"):
        sides = called(found, method, command.trace)
        assert {span.service for span in sides} == {"darkroom-runner", "darkroom-registry"}
    ids = {span.facts["request_id"] for span in spans.values() if "request_id" in span.facts}
    assert ids == {"night-7"}
    # What is logged on the way says in which trace.
    for entry in (*house.registry.events("request_made"), *house.runner.events("work_ends")):
        if entry["request_id"] == "night-7":
            assert entry["trace_id"] == command.trace


def test_a_refusal_is_a_failed_span_without_its_words(open_house, photos) -> None:
    with collector() as found:
        house = open_house(photos)
        house.registry.start(DARKROOM_TRACES=found.endpoint)
        until(lambda: house.registry.events("registry_ready"), "the registry")
        house.darkroom("show", "abcdef", env={"DARKROOM_TRACES": found.endpoint})
        [server] = until(
            lambda: [span for span in called(found, "GetDataset") if span.service == "darkroom-registry"], "the span"
        )
    assert server.facts["rpc.grpc.status_code"] == 5
    assert not any(b"abcdef" in body for body in found.bodies)


@pytest.mark.parametrize("module", ["dataset_registry.__main__", "handler_runner.__main__", "darkroom_client.command"])
def test_nothing_of_it_is_loaded_while_nobody_asks(module: str) -> None:
    command = [sys.executable, "-c", f"import {module}; {LOADED}"]
    done = subprocess.run(command, env=plain_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_a_collector_that_is_away_harms_nothing(open_house, photos) -> None:
    house = start_traced(open_house(photos), AWAY)
    house.client.define("street", "test/slow", {"photos": "street"})
    words = ["request", "street", "--set", "delay_s=0", "--json"]
    done = house.darkroom(*words, env={"DARKROOM_TRACES": AWAY}).ok()
    assert Path(json.loads(done.out)["path"]).is_dir()


@pytest.mark.parametrize("module", ["dataset_registry", "inpainting", "darkroom_client"])
def test_what_is_no_url_is_refused_by_its_name(module: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", module, *(["ls"] if module == "darkroom_client" else [])]
    variables = plain_environment() | {"DARKROOM_TRACES": "localhost:4317"}
    done = subprocess.run(words, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (1, 2)
    assert "DARKROOM_TRACES must be the URL of an OTLP collector" in done.stderr


def start_traced(house: House, endpoint: str) -> House:
    """Start registry and runner with traces, and wait until requests can be made."""
    house.registry.start(DARKROOM_TRACES=endpoint)
    house.add_runner("runner-1").start(DARKROOM_TRACES=endpoint)
    house.wait_for_handlers()
    return house


def called(found: Collector, method: str, trace: str = "") -> list[Span]:
    """Return the spans of calls of a method, of one trace or of all."""
    spans = [span for span in list(found.spans) if span.name.endswith(f"Service/{method}")]
    return [span for span in spans if not trace or span.trace == trace]
