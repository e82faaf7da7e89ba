"""A download where there is no network names the host; tried by real connections in a place without one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from dataset_handlers.remedies import remedy_of

TRY = """
import json, socket, sys, urllib.request
from dataset_handlers.failures import failure_of
def open_url(): urllib.request.urlopen("https://weights.example.org/net.h5", timeout=5)
def retrieve(): urllib.request.urlretrieve("http://photos.example.org/a.zip")
def by_name(): socket.create_connection(("models.example.org", 443), 5)
def by_address(): socket.create_connection(("192.0.2.7", 443), 5)
def bare():
    with socket.socket() as endpoint: endpoint.connect(("192.0.2.7", 443))
def by_urllib3():
    import urllib3
    with urllib3.PoolManager(retries=False) as http: http.request("GET", "https://hub.example.org/x")
def wrapped():
    try: open_url()
    except OSError: raise RuntimeError("no weights")
found = {}
for attempt in (open_url, retrieve, by_name, by_address, bare, by_urllib3, wrapped):
    try: attempt()
    except Exception as error: found[attempt.__name__] = failure_of(error)["message"]
print(json.dumps(found))
"""


def without_network() -> list[str]:
    """Return the beginning of a command that runs in a network namespace of its own, which has nothing in it."""
    for command in (["unshare", "-rn"], ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-net"]):
        if shutil.which(command[0]) and not subprocess.run([*command, "true"], capture_output=True).returncode:
            return command
    pytest.skip("neither unshare nor bwrap may make a network namespace here")


def test_every_way_to_ask_for_a_host_names_it_and_what_would_do() -> None:
    command = [*without_network(), sys.executable, "-c", TRY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    hosts = {
        "open_url": "weights.example.org",
        "retrieve": "photos.example.org",
        "by_name": "models.example.org",
        "by_address": "192.0.2.7",
        "bare": "the network",
        "by_urllib3": "hub.example.org",
        "wrapped": "weights.example.org",
    }
    said = json.loads(done.stdout)
    assert said.keys() == hosts.keys()
    for attempt, host in hosts.items():
        assert f"The handler tried to reach {host}, but its code runs without a network" in said[attempt]
        assert "a raw dataset with a role of its own" in said[attempt]


def test_a_file_that_may_not_be_read_is_no_download() -> None:
    assert remedy_of(PermissionError(13, "Permission denied", "/photos/a.jpg")) == ""
    assert remedy_of(TimeoutError(110, "Connection timed out")) == ""


def test_errors_that_hold_one_another_come_to_an_end() -> None:
    one, other = ValueError(), ValueError()
    one.args, other.args = (other,), (one,)
    assert remedy_of(one) == ""
