"""``darkroom login`` and ``darkroom logout``: get to know a server that answers by TLS, once."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Annotated

import typer

from darkroom_client.connection import Connection
from darkroom_client.errors import DarkroomError, InvalidArgument, NotFound, Unavailable
from darkroom_client.logins import Invite, Login, fingerprint, logins_path, read_logins, store_login
from darkroom_client.output import reporting, say
from darkroom_client.snapshot import Violation

CONNECT_TIMEOUT_S = 10.0

Server = Annotated[
    str, typer.Argument(metavar="HOST:PORT", help="The registry; the inpainting service is found by it.")
]


@reporting
def login(
    server: Server,
    invite: Annotated[
        str, typer.Option("--invite", metavar="INVITE", help="The line that `darkroom up` printed; `-` asks for it.")
    ] = "",
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="A file with a token, where the certificate is no secret."),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option("--ca", metavar="FILE", help="PEM file of the authority to believe; else the system's."),
    ] = None,
) -> None:
    """Check who answers, and remember its certificate and the token for every later command."""
    host, port = host_and_port(server)
    if invite == "-":
        invite = typer.prompt("invite", hide_input=True)
    if bool(invite) == bool(token_file):
        raise refused("--invite", "give an invite, or a token by --token-file, one of the two")
    if invite:
        known = Invite.parse(invite)
        shown = shown_certificate(host, port)
        if fingerprint(shown) != known.fingerprint:
            raise refused(
                "--invite",
                f"{server} shows another certificate ({fingerprint(shown)[:16]}...) than the invite names "
                f"({known.fingerprint[:16]}...): it is another server, or somebody stands in between; nothing was kept",
            )
        entry = Login(shown, True, known.token)
    else:
        assert token_file is not None
        entry = Login(text_of(certificate) if certificate else "", False, text_of(token_file).strip())
    before = read_logins().get(server)
    store_login(server, entry)
    try:
        asyncio.run(ask(server))
    except DarkroomError:
        store_login(server, before)
        raise
    say(f"logged in to {server}; kept in {logins_path()}, which only you can read")
    say(f"next: darkroom ls --server {server}, or export DARKROOM_SERVER={server}")


@reporting
def logout(server: Server) -> None:
    """Forget the certificate and the token of a server."""
    if server not in read_logins():
        raise NotFound(f"no login to {server}; there are: {', '.join(sorted(read_logins())) or 'none'}")
    store_login(server, None)
    say(f"forgot {server}")


async def ask(server: str) -> None:
    """Call the server once: the token must be good."""
    from darkroom.dataset.v1 import dataset_pb2

    connection = Connection(server)
    try:
        await connection.call("ListRunners", dataset_pb2.ListRunnersRequest(page_size=1), CONNECT_TIMEOUT_S)
    finally:
        await connection.close()


def shown_certificate(host: str, port: int) -> str:
    """Return the PEM certificate that a server shows. Raises `Unavailable`."""
    try:
        return ssl.get_server_certificate((host, port), timeout=CONNECT_TIMEOUT_S)
    except ssl.SSLError:
        raise Unavailable(f"what answers at {host}:{port} speaks no TLS: a Darkroom that needs no login?") from None
    except OSError as error:
        raise Unavailable(f"nothing answers at {host}:{port}: {error.strerror or error}") from None


def host_and_port(server: str) -> tuple[str, int]:
    """Return the two parts. Raises `InvalidArgument`."""
    host, _, port = server.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise refused("HOST:PORT", f"must be like studio.example:50050, not {server!r}")
    return host.strip("[]"), int(port)


def text_of(path: Path) -> str:
    """Return a file's text. Raises `InvalidArgument`."""
    try:
        return path.expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise refused(str(path), f"cannot be read: {error}") from None


def refused(option: str, what: str) -> InvalidArgument:
    """Return the error that names an option."""
    return InvalidArgument(f"{option}: {what}", [Violation(option, what)])
