"""What `darkroom login` remembers of each server: the certificate that it must show, and the token that it asks for."""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import json
import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from darkroom_client.errors import FailedPrecondition, InvalidArgument
from darkroom_client.snapshot import Violation
from darkroom_client.token_channel import can_be_token

INVITE_PREFIX = "dri1_"
_DIGEST_BYTES = 32
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Login:
    """How to call one server. ``certificate`` is PEM: the pinned one, or roots; empty: the system's roots."""

    certificate: str = ""
    pinned: bool = False
    token: str = ""

    def __repr__(self) -> str:
        """Return it without the token."""
        return f"Login(pinned={self.pinned}, token={'***' if self.token else ''!r})"


@dataclass(frozen=True)
class Invite:
    """What an invite line carries: whom to trust, and a token."""

    fingerprint: str
    token: str

    def __str__(self) -> str:
        data = bytes.fromhex(self.fingerprint) + self.token.encode()
        return INVITE_PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Invite:
        """Return the invite. Raises `InvalidArgument`."""
        text = text.strip()
        body = text.removeprefix(INVITE_PREFIX)
        with suppress(ValueError, binascii.Error):
            data = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            token = data[_DIGEST_BYTES:].decode()
            if text.startswith(INVITE_PREFIX) and can_be_token(token):
                return cls(data[:_DIGEST_BYTES].hex(), token)
        wrong = "is no invite, or not a whole one; copy the line that `darkroom up` prints to its end"
        raise InvalidArgument(f"--invite: {wrong}", [Violation("--invite", wrong)])


def logins_path() -> Path:
    """Return where logins are kept: ``DARKROOM_LOGINS``, or in the user's configuration folder."""
    named = os.environ.get("DARKROOM_LOGINS")
    return Path(named) if named else platformdirs.user_config_path("darkroom") / "logins.json"


def login_of(server: str) -> Login | None:
    """Return how to call ``HOST:PORT``; None: plainly, as a Darkroom on loopback wants it.

    ``DARKROOM_TOKEN`` and ``DARKROOM_CERTIFICATE`` (a PEM file) stand above what was stored, for machines where
    nobody logs in. Raises `FailedPrecondition` for files that cannot be read.
    """
    token, certificate = os.environ.get("DARKROOM_TOKEN", "").strip(), os.environ.get("DARKROOM_CERTIFICATE", "")
    if token or certificate:
        return Login(_text(Path(certificate)) if certificate else "", False, token)
    logins = read_logins()
    host = server.rpartition(":")[0]
    if server in logins or host in LOOPBACK:
        return logins.get(server)
    # The services of one Darkroom share a host, a certificate and their tokens.
    return next((each for name, each in logins.items() if each.pinned and name.rpartition(":")[0] == host), None)


def read_logins() -> Mapping[str, Login]:
    """Return every login by ``HOST:PORT``."""
    path = logins_path()
    try:
        return {server: Login(**row) for server, row in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FailedPrecondition(f"{path} holds no logins ({error}); remove it and log in again") from None


def store_login(server: str, login: Login | None) -> None:
    """Keep a login, or with None forget it; only the user can read the file."""
    path = logins_path()
    if login is None and server not in read_logins():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        logins = dict(read_logins())
        if login is None:
            logins.pop(server, None)
        else:
            logins[server] = login
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({name: asdict(each) for name, each in logins.items()}, file, indent=1)
        partial.replace(path)


def fingerprint(certificate: str) -> str:
    """Return sha256 over a PEM certificate's DER, 64 hex digits."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise FailedPrecondition(f"DARKROOM_CERTIFICATE: {path} cannot be read: {error.strerror}") from None
