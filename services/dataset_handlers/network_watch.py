"""Notices which hosts a handler's code reaches: it works on its author's machine, and fails in a build."""

from __future__ import annotations

import contextlib
import ipaddress
import sys
from typing import Any, Iterator, List, Tuple

REMEDY = "a raw dataset with a role of its own, a file in the repository, or a package that ships it would do"

_watching: List[List[str]] = []
_hooked: List[bool] = []


@contextlib.contextmanager
def hosts_reached() -> Iterator[List[str]]:
    """Gives a list that fills with the hosts which this process asks for or connects to; it stops nothing."""
    if not _hooked:
        # Once: Python has no way to take a hook off.
        sys.addaudithook(_hear)
        _hooked.append(True)
    hosts: List[str] = []
    _watching.append(hosts)
    try:
        yield hosts
    finally:
        # Not remove(): another list may hold the same hosts.
        _watching[:] = [other for other in _watching if other is not hosts]


def _hear(event: str, arguments: Tuple[Any, ...]) -> None:
    if not _watching or not event.startswith("socket."):
        return
    if event == "socket.getaddrinfo":
        _add(arguments[0])
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        _add(arguments[1][0])


def _add(host: Any) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    if not name or _is_local(name):
        return
    for hosts in _watching:
        # An address that follows its name says nothing new.
        if name not in hosts and not (hosts and _is_address(name)):
            hosts.append(name)


def _is_local(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name.split("%")[0]).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return False
    return True
