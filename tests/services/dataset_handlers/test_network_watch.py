"""Hosts that a handler reaches are noticed, by name and once."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

# A process of its own: an audit hook cannot be taken off.
TRY = """
import contextlib, json, socket, sys
from dataset_handlers.network_watch import NetworkWatch
watch = NetworkWatch()
with contextlib.suppress(OSError), socket.create_connection(("localhost", int(sys.argv[1])), 5): pass
with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5): pass
before = list(watch.hosts)
for _ in range(2):
    with contextlib.suppress(OSError), socket.socket() as endpoint:
        endpoint.settimeout(0.01)
        endpoint.connect(("192.0.2.7", 9))
with contextlib.suppress(OSError): socket.getaddrinfo("weights.invalid", 443)
print(json.dumps([before, watch.hosts]))
"""


def test_only_hosts_beyond_this_machine_are_kept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", TRY, str(server.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [[], ["192.0.2.7", "weights.invalid"]]
