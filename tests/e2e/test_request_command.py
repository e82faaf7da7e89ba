"""`darkroom request`: waits for a dataset, runs the training with it, and can be left and returned to."""

from __future__ import annotations

import signal

import pytest

from .house import House
from .process import until

TRAIN = 'test -f "$DARKROOM_DATASET/manifest.json" && echo "$DARKROOM_DATASET" && exit 7'
PROMISED = {"request", "key", "state", "cached", "archive", "digest", "examples", "bytes", "path"}


@pytest.fixture(scope="module")
def house(shared_house: House) -> House:
    shared_house.client.define("slow", "test/slow", {"photos": "street"})
    return shared_house


def test_the_command_gets_the_dataset_and_its_exit_code_is_passed_on(house):
    config = house.config({"image_size": [64, 64], "seed": 1})
    done = house.darkroom("request", "street", "latest", "-c", config, "--set", "seed=2", "--", "sh", "-c", TRAIN)
    assert done.code == 7, done.err
    dataset = house.client.get_dataset("street")
    assert done.out == f"{house.cache / 'datasets' / dataset.digest}\n"
    assert (dataset.preimage["config"]["seed"], dataset.preimage["config"]["image_size"]) == (2, [64, 64])


def test_json_is_exactly_one_object_with_what_was_promised(house):
    first = house.darkroom("request", "street", "--set", "seed=3", "--json").ok().json
    again = house.darkroom("request", "street", "--set", "seed=3.0", "--json").ok().json
    got = house.darkroom("get", again["request"], "--json").ok().json
    for answer in (first, again, got):
        assert answer.keys() >= PROMISED
        assert (answer["state"], answer["key"], answer["path"]) == ("READY", first["key"], first["path"])
    assert [first["cached"], again["cached"], got["cached"]] == [False, True, True]
    # What the training prints does not get between.
    trained = house.darkroom("request", "street", "--set", "seed=3", "--json", "--", "echo", "loss 0.5").ok()
    assert trained.json["key"] == first["key"]
    assert "loss 0.5" in trained.err


def test_a_miss_names_the_nearest_dataset_while_it_is_built(house):
    house.darkroom("request", "slow", "--set", "delay_s=0.001").ok()
    with house.darkroom_running("request", "slow", "--set", "delay_s=0.2") as asking:
        until(lambda: "nearest: " in asking.log, "the nearest")
        asking.send(signal.SIGINT)
        assert asking.wait() == 130
    assert "differs in config.delay_s (0.001, asked 0.2)" in asking.log
    [request] = house.client.list_requests("slow", active_only=True)
    house.client.get_request(request.name).cancel()
    # A hit has nothing to explain.
    assert "nearest" not in house.darkroom("request", "slow", "--set", "delay_s=0.001").ok().err


def test_ctrl_c_leaves_says_how_to_return_and_the_build_goes_on(house):
    with house.darkroom_running("request", "slow", "--set", "delay_s=0.06") as asking:
        until(lambda: "building" in asking.log, "the build")
        asking.send(signal.SIGINT)
        assert asking.wait() == 130
    [request] = house.client.list_requests("slow", active_only=True)
    assert "the build goes on. To return:" in asking.log
    for command in ("watch", "get", "cancel"):
        assert f"darkroom {command} {request.name}" in asking.log
    assert house.darkroom("watch", request.name).ok()
    assert "answered without a build" not in house.darkroom("get", request.name).ok().err


def test_a_detached_request_is_printed_and_can_be_withdrawn(house):
    name = house.darkroom("request", "slow", "--set", "delay_s=0.5", "--detach").ok().out.strip()
    assert house.client.get_request(name).snapshot.final is False
    withdrawn = house.darkroom("cancel", name, "--json").ok().json
    assert (withdrawn["request"], withdrawn["state"]) == (name, "CANCELLED")
    watched = house.darkroom("watch", name)
    assert watched.code == 1
    assert "the request was cancelled" in watched.err


def test_a_registry_that_is_not_there_is_named_at_once(house):
    asked = house.darkroom("request", "street", "--server", "localhost:1")
    assert asked.code == 1
    assert "no Darkroom registry answers at localhost:1; start one with `darkroom up --raw DIR`" in asked.err
