"""Hosts that a handler reaches are noticed, by name and once."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

# A process of its own: an audit hook cannot be taken off.
TRY = """
import contextlib, json, socket, sys
from dataset_handlers.network_watch import hosts_reached
def connect(host, port):
    with contextlib.suppress(OSError), socket.socket() as endpoint:
        endpoint.settimeout(0.01)
        endpoint.connect((host, port))
connect("192.0.2.1", 9)
with hosts_reached() as local:
    connect("localhost", int(sys.argv[1]))
    connect("127.0.0.1", int(sys.argv[1]))
with hosts_reached() as outer:
    with hosts_reached() as inner:
        connect("192.0.2.7", 9)
        connect("192.0.2.7", 9)
    with contextlib.suppress(OSError):
        socket.getaddrinfo("weights.invalid", 443)
connect("192.0.2.8", 9)
print(json.dumps([local, inner, outer]))
"""


def test_only_hosts_beyond_this_machine_are_kept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", TRY, str(server.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [[], ["192.0.2.7"], ["192.0.2.7", "weights.invalid"]]
