"""Returning to what was asked for."""

import json

import pytest

from darkroom_client import connection


def test_get_prints_the_folder_and_json_the_facts(darkroom, registry):
    done = darkroom("get", "street")
    assert done.stdout.strip().endswith(registry.facts["digest"])
    answer = json.loads(darkroom("get", registry.facts["key"][:8], "--json").stdout)
    assert set(answer) >= {"request", "key", "state", "cached", "archive", "digest", "examples", "bytes", "path"}
    assert answer["path"] == done.stdout.strip()
    assert answer["archive"] == f"street_latest_{registry.facts['key']}.zip"


@pytest.mark.parametrize("command", ["get", "watch", "cancel", "show", "pin"])
def test_what_there_is_not_is_not_found(darkroom, command):
    done = darkroom(command, "requests/00000000-0000-4000-8000-000000000000" if command != "show" else "nowhere")
    assert done.returncode == 3, done.stderr


def test_a_request_is_watched_to_its_end(darkroom):
    name = darkroom("request", "street", "--detach").stdout.strip()
    done = darkroom("watch", name, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["state"] == "READY"


def test_a_watched_failure_ends_with_its_exit_code(darkroom):
    name = darkroom("request", "street", "broken", "--detach").stdout.strip()
    done = darkroom("watch", name)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_withdrawn_request_says_so(darkroom, registry):
    (registry.home / "go").unlink()
    name = darkroom("request", "street", "--detach").stdout.strip()
    done = darkroom("cancel", name, "--json")
    assert json.loads(done.stdout)["state"] == "CANCELLED"
    assert darkroom("get", name).returncode == 1


def test_the_log_is_printed_as_it_is(darkroom):
    assert darkroom("logs", "street").stdout == "a line\nanother line\n"


def test_a_missing_registry_is_one_line(darkroom, monkeypatch):
    monkeypatch.setattr(connection, "CONTACT_TIMEOUT_S", 0.5)
    done = darkroom("ls", "--server", "localhost:1")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "start one with `darkroom up --raw DIR`" in done.stderr
