"""Other languages' way in, as `docs/other_languages.md` tells it: what stands there is run as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from darkroom.dataset.v1 import dataset_pb2

DOCUMENT = Path(__file__).parents[2] / "docs" / "other_languages.md"
EXAMPLE_LINES = 30


def block(language: str) -> str:
    """Return the one code block of that language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def run(shared_house, *command: str) -> subprocess.CompletedProcess[str]:
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, env=shared_house.variables({"PATH": tools}), capture_output=True, text=True, timeout=90, check=False
    )


def test_the_shell_block_lists_defines_requests_and_watches_to_the_end(shared_house):
    script = block("sh").replace("localhost:50050", shared_house.server)
    done = run(shared_house, "bash", "-euc", script)
    assert done.returncode == 0, done.stderr
    listed, _, rest = done.stdout.partition("{")
    assert "darkroom.dataset.v1.DatasetService/WatchRequest" in listed.split()
    handlers, raw, definition, asked, *watched = json_objects("{" + rest)
    assert "stock/inpainting" in [each["name"] for each in handlers["handlers"]]
    assert [each["name"] for each in raw["rawDatasets"]] == ["street"]
    assert definition["definition"]["handler"] == "stock/inpainting"
    assert asked["request"]["name"] == "requests/5f0c9cde-6f62-4b3d-9f0a-6f4f8f1b2a3c"
    assert watched[-1]["request"]["state"] == "REQUEST_STATE_READY"
    assert [each["request"]["state"] for each in watched[:-1]].count("REQUEST_STATE_READY") == 0


def test_the_python_block_of_thirty_lines_watches_and_ends(shared_house, tmp_path):
    program = block("python")
    assert len(program.splitlines()) <= EXAMPLE_LINES
    script = tmp_path / "watch.py"
    script.write_text(program)
    done = run(shared_house, sys.executable, str(script), "street", '{"seed": 30}')
    assert done.returncode == 0, done.stderr
    assert re.search(r"^street_latest_[0-9a-f]{64}\.zip by ReadShard$", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-2].startswith("STAGE_")
    refused = run(shared_house, sys.executable, str(script), "street", '{"image_size": 64, "crop_size": 65}')
    assert refused.returncode == 1
    assert "crop_size" in refused.stderr


def test_errors_carry_their_reason_and_fields_for_any_language(shared_house):
    code, kinds, message = refusal(shared_house, {"dataset_name": "streets", "handler_version": "latest"})
    assert (code, kinds) == ("not_found", ["google.rpc.ErrorInfo"])
    assert "'streets'" in message
    wrong = {"dataset_name": "street", "handler_version": "latest", "config_json": '{"sead": 1}'}
    code, kinds, message = refusal(shared_house, wrong)
    assert (code, kinds) == ("invalid_argument", ["google.rpc.ErrorInfo", "google.rpc.BadRequest"])
    assert "config.sead" in message


def test_a_tool_without_our_protos_finds_the_services_their_rpcs_and_their_health(shared_house):
    url = f"http://{shared_house.server}"
    curl = ["buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge"]
    services = run(shared_house, *curl, "--list-services", url).stdout.split()
    assert {"darkroom.dataset.v1.DatasetService", "grpc.health.v1.Health"} <= set(services)
    methods = run(shared_house, *curl, "--list-methods", url).stdout.split()
    declared = dataset_pb2.DESCRIPTOR.services_by_name["DatasetService"].methods
    assert {f"darkroom.dataset.v1.DatasetService/{method.name}" for method in declared} <= set(methods)
    listed = json.loads(run(shared_house, *curl, "-d", "{}", f"{url}/grpc.health.v1.Health/List").stdout)
    assert listed["statuses"][""] == listed["statuses"]["darkroom.dataset.v1.DatasetService"] == {"status": "SERVING"}


def refusal(shared_house, request: dict[str, str]) -> tuple[str, list[str], str]:
    """Return the code, the kinds of details and the message with which a request is refused."""
    url = f"http://{shared_house.server}/darkroom.dataset.v1.DatasetService/RequestDataset"
    command = ["buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", json.dumps(request), url]
    error = json.loads(run(shared_house, *command).stderr)
    return error["code"], [detail["type"] for detail in error["details"]], error["message"]


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that follow one another in a text."""
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        yield value
        position += len(text[position:]) - len(text[position:].lstrip())
