"""Notices which hosts a handler's code reaches: it works on its author's machine, and fails in a build."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any, List, Tuple


class NetworkWatch:
    """Keeps the hosts that this process asks for or connects to from now on; it stops nothing."""

    def __init__(self) -> None:
        self.hosts: List[str] = []
        # For good: Python has no way to take a hook off.
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: Tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            self._add(arguments[0])
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            self._add(arguments[1][0])

    def _add(self, host: Any) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
        # An address that follows its name says nothing new.
        if name and not _local(name) and name not in self.hosts and not (self.hosts and _is_address(name)):
            self.hosts.append(name)


def _local(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return False
    return True
