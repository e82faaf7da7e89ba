"""Names the host that a handler tried to reach from where there is no network, and says what would do instead."""

from __future__ import annotations

import errno
import os
import re
from types import TracebackType
from typing import Any, Iterator, Optional
from urllib.parse import urlsplit

_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ECONNREFUSED, errno.EADDRNOTAVAIL}
# What a filter of system calls answers for a socket; for a file the same numbers come with its name.
_FORBIDDEN = {errno.EPERM, errno.EACCES, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}
_CLIENTS = ("requests.", "urllib3.", "httpx", "httpcore", "aiohttp.", "botocore.", "huggingface_hub.")
_UNCONNECTED = ("ConnectionError", "ConnectError", "NewConnectionError", "NameResolutionError", "ClientConnectorError")
_HOST = re.compile(r"host='([^']+)'|https?://([\w.-]+)|[Hh]ost[ :]+([\w-]+\.[\w.-]+)")


def out_of_reach(error: BaseException) -> str:
    """Returns what would do about a connection that ``error`` says could not be made; empty for other errors."""
    if not _unconnected(error):
        return ""
    host = _host(error)
    return (
        f"The handler tried to reach {host or 'the network'}, but its code runs without a network. What it downloads "
        "would do as a raw dataset with a role of its own, as a file in its repository, or in a package that it "
        "depends on"
    )


def _unconnected(error: BaseException) -> bool:
    kind = type(error)
    if kind.__module__.startswith(_CLIENTS) and kind.__name__.endswith(_UNCONNECTED):
        return True
    if not isinstance(error, OSError):
        return False
    if kind.__module__ == "socket" and kind.__name__ == "gaierror":
        return True
    if error.errno in _UNREACHABLE:
        return True
    # Only a network's module says which of these were about a socket.
    return error.errno in _FORBIDDEN and error.filename is None and _in_socket_code(error.__traceback__)


def _host(error: BaseException) -> str:
    """Returns the host by what the error says, or else by what the functions on its way were called with."""
    match = _HOST.search(str(error))
    if match:
        return str(next(group for group in match.groups() if group))
    for value in _arguments(error.__traceback__):
        if isinstance(value, tuple) and len(value) >= 2 and isinstance(value[0], str):
            return value[0]
        if isinstance(value, str) and value:
            return urlsplit(value).hostname or value
    return ""


def _arguments(trace: Optional[TracebackType]) -> Iterator[Any]:
    # The address is in no message: Python's own socket module leaves it out.
    while trace is not None:
        frame = trace.tb_frame
        if _standard(frame.f_code.co_filename):
            for name in ("address", "host", "url", "fullurl"):
                if name in frame.f_locals:
                    yield frame.f_locals[name]
        trace = trace.tb_next


def _in_socket_code(trace: Optional[TracebackType]) -> bool:
    while trace is not None:
        if _standard(trace.tb_frame.f_code.co_filename):
            return True
        trace = trace.tb_next
    return False


def _standard(filename: str) -> bool:
    folder, name = os.path.split(filename)
    standard = os.path.dirname(os.__file__)
    return name in ("socket.py", "client.py", "request.py", "ssl.py") and folder.startswith(standard)
