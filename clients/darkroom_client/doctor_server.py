"""What `darkroom doctor` sees of one registry: whether it answers, by what certificate, at what time, how old it is."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from typing import Any

from google.protobuf import timestamp_pb2

from darkroom.dataset.v1 import dataset_pb2
from darkroom_client.channel import PINNED_NAME
from darkroom_client.connection import Connection
from darkroom_client.doctor_check import Check, Level, graded
from darkroom_client.errors import DarkroomError, Internal, PermissionDenied, Unauthenticated
from darkroom_client.logins import LOOPBACK, Login, login_of

CALL_TIMEOUT_S = 20.0
DAY_S = 86_400.0
CERTIFICATE_WARN_DAYS, TOKEN_WARN_DAYS = 30, 7
CLOCK_WARN_S, CLOCK_FAIL_S = 5.0, 60.0
_LEVELS = {
    dataset_pb2.HEALTH_LEVEL_OK: Level.OK,
    dataset_pb2.HEALTH_LEVEL_WARN: Level.WARN,
    dataset_pb2.HEALTH_LEVEL_FAIL: Level.FAIL,
}


class ServerLook:
    """One look; afterwards it knows whether calls get through, and the registry's clock."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.lets_in = False
        self.ahead_s = 0.0
        """How far the registry's clock is before this machine's."""

    async def checks(self) -> AsyncIterator[Check]:
        """Yield what is seen; when no call gets through, that is the last."""
        server = self.server
        connection = Connection(server)
        try:
            begin = time.time()
            await connection.contact()
            yield Check("reach", Level.OK, f"{server} answers within {time.time() - begin:.2f} s")
            yield await asyncio.to_thread(certificate, server)
            begin = time.time()
            answer = await connection.call("GetHealthReport", dataset_pb2.GetHealthReportRequest(), CALL_TIMEOUT_S)
            self.lets_in = True
            self.ahead_s = seconds(answer.now_time) - time.time()
            for check in answered(server, answer, begin, time.time()):
                yield check
        except (Unauthenticated, PermissionDenied) as error:
            yield Check("token", Level.FAIL, error.message, f"ask for a token, then darkroom login {server}")
        except Internal as error:
            self.lets_in = True
            remedy = "bring the registry to the version of this client"
            yield Check("registry", Level.WARN, error.message, remedy)
        except DarkroomError as error:
            yield Check("reach", Level.FAIL, error.message, "see that the service runs, and the network between")
        finally:
            await connection.close()


def seconds(stamp: timestamp_pb2.Timestamp) -> float:
    """Return a moment as seconds since the epoch."""
    return float(stamp.ToMicroseconds()) / 1e6


def answered(server: str, answer: dataset_pb2.GetHealthReportResponse, begin: float, end: float) -> list[Check]:
    """Return what an answer says, which was asked for at ``begin`` and there at ``end`` by this machine's clock."""
    now = seconds(answer.now_time)
    # The registry looked at its clock somewhere in between.
    off_s = max(0.0, begin - now, now - end)
    side = "behind" if now > end else "before"
    words = f"is {off_s:.0f} s {side} the registry's" if off_s >= 1 else "agrees with the registry's"
    remedy = "let both machines keep time by NTP: URLs of the store and tokens end by the clock"
    return [
        token(server, answer, now),
        graded("clock", off_s, CLOCK_WARN_S, CLOCK_FAIL_S, f"this machine's clock {words}", remedy),
        version(f"registry {server}", answer.version),
        *(Check(each.subject, _LEVELS.get(each.level, Level.WARN), each.text, each.remedy) for each in answer.checks),
    ]


def certificate(server: str) -> Check:
    """Return how long the certificate is good that the server shows. Blocking."""
    login = login_of(server)
    if login is None:
        if server.rpartition(":")[0] in LOOPBACK:
            return Check("certificate", Level.OK, "none is needed on this machine")
        remedy = "serve with `darkroom up --listen`, which brings TLS and tokens: docs/deployment.md"
        return Check("certificate", Level.WARN, f"none: whoever is on the way to {server} can read and ask", remedy)
    try:
        end = ssl.cert_time_to_seconds(str(shown(server, login)["notAfter"]))
    except (OSError, KeyError) as error:
        return Check(
            "certificate", Level.FAIL, f"cannot be looked at: {error}", f"darkroom login {server} --invite ..."
        )
    days = (end - time.time()) / DAY_S
    return graded(
        "certificate",
        -days,
        -CERTIFICATE_WARN_DAYS,
        0.0,
        f"good for {days:.0f} days, until {datetime.fromtimestamp(end, UTC):%Y-%m-%d}",
        "renew it: the operator's own by their authority; Darkroom's by removing certificate.pem and key.pem in "
        "HOME/door, `darkroom up` again, and its new invite on each machine",
    )


def shown(server: str, login: Login) -> dict[str, Any]:
    """Return the fields of the certificate that a server shows, once it is believed. Raises OSError."""
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    context = ssl.create_default_context(cadata=login.certificate or None)
    with (
        socket.create_connection((host, int(port)), CALL_TIMEOUT_S) as connection,
        context.wrap_socket(connection, server_hostname=PINNED_NAME if login.pinned else host) as line,
    ):
        return dict(line.getpeercert() or {})


def token(server: str, answer: dataset_pb2.GetHealthReportResponse, now: float) -> Check:
    """Return whose token the registry saw, what it may, and how long."""
    if not answer.token_name:
        return Check("token", Level.OK, "none is asked for")
    what = f"{answer.token_name!r}, which may {', '.join(answer.token_scopes)}"
    if not answer.HasField("token_expire_time"):
        return Check("token", Level.OK, f"{what}, until it is revoked")
    days = (seconds(answer.token_expire_time) - now) / DAY_S
    return graded(
        "token",
        -days,
        -TOKEN_WARN_DAYS,
        0.0,
        f"{what}, for {days:.1f} days more",
        f"ask the operator for another, then darkroom login {server}",
    )


def version(subject: str, theirs: str) -> Check:
    """Return whether a part's version goes with this client's: equal, or one minor version older or newer."""
    ours = installed_version("darkroom")
    known = [re.match(r"(\d+)\.(\d+)", each) for each in (ours, theirs)]
    text = f"version {theirs or 'unknown'}, this client {ours}"
    if theirs == ours:
        return Check(subject, Level.OK, text)
    if all(known):
        (major, minor), (their_major, their_minor) = (map(int, each.groups()) for each in known if each)
        if major == their_major and abs(minor - their_minor) <= 1:
            return Check(subject, Level.OK, text)
    return Check(subject, Level.WARN, text, "bring both to one version; neighbours (N and N-1) go together")
