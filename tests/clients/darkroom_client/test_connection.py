"""A registry that is missing is named at once; one that restarts is waited for."""

import threading
import time

import pytest

from darkroom_client import Client, NotFound, RequestState, Unavailable
from darkroom_client.async_inpainting import inpainting_address
from darkroom_client.channel import channel_options
from darkroom_client.connection import backoff_s, server_address


def test_a_missing_registry_gives_one_clear_message_within_seconds(tmp_path):
    begin = time.monotonic()
    with Client("localhost:1", cache=tmp_path) as client, pytest.raises(Unavailable) as caught:
        client.list_datasets()
    assert time.monotonic() - begin < 30
    assert str(caught.value) == (
        "no Darkroom registry answers at localhost:1; start one with `darkroom up --raw DIR`, "
        "or name another with --server or DARKROOM_SERVER"
    )


def test_a_watch_reattaches_by_itself_when_the_registry_is_killed_and_restarted(registry, tmp_path):
    (registry.home / "go").unlink()
    with Client(registry.server, cache=tmp_path) as client:
        request = client.request_dataset("street")
        states = []
        for snapshot in request.watch():
            states.append(snapshot.state)
            if len(states) == 3:
                registry.kill()
                restart = threading.Timer(1.0, registry.start)
                restart.start()
                registry.set("go")
        restart.join()
    assert states[:3] == [RequestState.BUILDING] * 3
    assert states[-1] is RequestState.READY


def test_a_call_made_while_the_registry_restarts_is_answered(registry, tmp_path):
    with Client(registry.server, cache=tmp_path) as client:
        assert len(client.list_datasets()) == 1
        registry.kill()
        restart = threading.Timer(1.0, registry.start)
        restart.start()
        assert client.request_dataset("street").wait(60).state is RequestState.READY
        restart.join()


def test_a_registry_that_stays_away_for_longer_than_the_patience_is_given_up(registry, tmp_path):
    (registry.home / "go").unlink()
    with Client(registry.server, cache=tmp_path, patience_s=0.5) as client:
        request = client.request_dataset("street")
        registry.kill()
        with pytest.raises(Unavailable, match="stayed away"):
            request.wait(60)


def test_what_a_restarted_registry_has_forgotten_is_not_found(registry, tmp_path):
    (registry.home / "go").unlink()
    with Client(registry.server, cache=tmp_path) as client:
        request = client.request_dataset("street")
        registry.kill()
        (registry.home / request.name).unlink()
        registry.start()
        with pytest.raises(NotFound):
            request.wait(60)


def test_pauses_grow_to_five_seconds_and_differ():
    pauses = [pause for pause, _ in zip(backoff_s(), range(50), strict=False)]
    assert all(0.1 <= pause <= 5.0 for pause in pauses)
    assert max(pauses[:3]) < 0.5 < max(pauses[10:])
    assert len(set(pauses)) > 40


def test_the_address_is_the_given_one_or_the_environments_or_the_usual(monkeypatch):
    monkeypatch.delenv("DARKROOM_SERVER", raising=False)
    assert server_address() == "localhost:50050"
    monkeypatch.setenv("DARKROOM_SERVER", "studio:7000")
    assert server_address() == "studio:7000"
    assert server_address("here:1") == "here:1"


def test_photos_are_retouched_two_ports_beyond_the_registry_unless_something_else_is_said(monkeypatch):
    for name in ("DARKROOM_SERVER", "DARKROOM_INPAINTING"):
        monkeypatch.delenv(name, raising=False)
    assert inpainting_address() == "localhost:50052"
    assert inpainting_address(registry="lab:1,other:2") == "lab:3"
    monkeypatch.setenv("DARKROOM_SERVER", "studio:7000,spare:7000")
    assert inpainting_address() == "studio:7002"
    assert inpainting_address(registry="[::1]:50050") == "[::1]:50052"
    monkeypatch.setenv("DARKROOM_INPAINTING", "gpu:1")
    assert inpainting_address() == "gpu:1"
    assert inpainting_address("here:5") == "here:5"


def test_a_registry_on_this_machine_is_not_looked_for_through_a_proxy():
    assert ("grpc.enable_http_proxy", 0) in channel_options("127.0.0.1:50050")
    assert ("grpc.enable_http_proxy", 0) not in channel_options("studio:50050")
