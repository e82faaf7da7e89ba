"""Says why no call gets through to a server: nobody is there, or the two sides disagree about TLS."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from darkroom_client.channel import PINNED_NAME
from darkroom_client.errors import DarkroomError
from darkroom_client.logins import Login, fingerprint, login_of

LOOK_TIMEOUT_S = 5.0


def why_silent(server: str) -> str:
    """Return what stands between this machine and a server that gives no answer, and what would do; "": nothing seen.

    Blocking, for a few seconds at most. ``server`` is one ``HOST:PORT``.
    """
    host, _, port = server.rpartition(":")
    if not host or not port.isdigit():
        return ""
    address = host.strip("[]"), int(port)
    try:
        login = login_of(server)
    except DarkroomError as error:
        return error.message
    with suppress(OSError):
        # Without this a refused connection and a refused handshake would look alike.
        socket.create_connection(address, LOOK_TIMEOUT_S).close()
        return _plainly(server, address) if login is None else _by_tls(server, address, login)
    return ""


def _plainly(server: str, address: tuple[str, int]) -> str:
    if not shown_certificate(address):
        return ""
    return (
        f"{server} answers by TLS, and this machine has no login to it: type the line that `darkroom up` printed "
        f"there, `darkroom login {server} --invite ...`"
    )


def _by_tls(server: str, address: tuple[str, int], login: Login) -> str:
    shown = shown_certificate(address)
    if not shown:
        return (
            f"{server} answers without TLS, and this machine has a login to it, so nothing was sent: if that is right, "
            f"`darkroom logout {server}`; else somebody may stand in between"
        )
    if login.pinned and fingerprint(shown) != fingerprint(login.certificate):
        return (
            f"{server} shows another certificate ({fingerprint(shown)[:16]}...) than at `darkroom login` "
            f"({fingerprint(login.certificate)[:16]}...): if its operator made a new one, log in with the new invite, "
            f"`darkroom login {server} --invite ...`; else somebody stands in between, and nothing was sent"
        )
    return _not_believed(server, address, login)


def _not_believed(server: str, address: tuple[str, int], login: Login) -> str:
    context = ssl.create_default_context(cadata=login.certificate or None)
    try:
        with (
            socket.create_connection(address, LOOK_TIMEOUT_S) as connection,
            context.wrap_socket(connection, server_hostname=PINNED_NAME if login.pinned else address[0]),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return (
            f"the certificate of {server} is not believed ({error.verify_message.rstrip('.')}): "
            f"`darkroom login {server} --invite ...` with a new invite, or --token-file with --ca of its authority"
        )


def shown_certificate(address: tuple[str, int]) -> str:
    """Return the PEM certificate that is shown there; "": what answers speaks no TLS."""
    try:
        return ssl.get_server_certificate(address, timeout=LOOK_TIMEOUT_S)
    except ssl.SSLError:
        return ""
    except (ConnectionResetError, TimeoutError):
        # Services without TLS hang up, or wait for words that they know.
        return ""
