"""One id leads from a command through the logs of every service."""

from __future__ import annotations

import grpc
import pytest

from darkroom.dataset.v1 import dataset_pb2, dataset_pb2_grpc


def test_the_logs_of_registry_and_runner_know_what_a_command_caused_by_its_id(open_house, photos):
    house = open_house(photos).start()
    house.client.define("street", "test/slow", {"photos": "street"})
    mine, others = {"DARKROOM_REQUEST_ID": "night-7.anna"}, {"DARKROOM_REQUEST_ID": "no id: it has spaces"}
    done = house.darkroom("request", "street", "--set", "delay_s=0", "--json", env=mine).ok().json
    made = {entry["request"]: entry["request_id"] for entry in house.registry.events("request_made")}
    assert made == {done["request"]: "night-7.anna"}
    for events in (house.registry.events("work_claimed"), house.runner.events("work_begins")):
        assert {entry["kind"]: entry["request_id"] for entry in events if entry["kind"] in ("SNAPSHOT", "BUILD")} == {
            "SNAPSHOT": "night-7.anna",
            "BUILD": "night-7.anna",
        }
    [build] = [entry for entry in house.runner.events("work_ends") if entry["kind"] == "BUILD"]
    assert build["request_id"] == "night-7.anna"
    # What does not fit into a log line is replaced, by the command and, from others, by the registry.
    house.darkroom("request", "street", "--set", "delay_s=0", env=others).ok()
    with grpc.insecure_channel(house.server) as channel:
        stub = dataset_pb2_grpc.DatasetServiceStub(channel)
        request = dataset_pb2.RequestDatasetRequest(
            dataset_name="street", handler_version="latest", config_json='{"delay_s": 0}'
        )
        stub.RequestDataset(request, metadata=(("x-request-id", "a b"),))
    ids = [entry["request_id"] for entry in house.registry.events("request_made")]
    assert len(set(ids)) == 3
    assert all(each.isalnum() for each in ids[1:])


@pytest.mark.parametrize(("given", "kept"), [("train-1", True), ("x" * 64, True), ("x" * 65, False), ("", False)])
def test_a_client_takes_an_id_from_outside_only_if_it_fits(monkeypatch, given, kept):
    from darkroom_client.request_id import new_request_id

    monkeypatch.setenv("DARKROOM_REQUEST_ID", given)
    assert (new_request_id() == given) is kept
