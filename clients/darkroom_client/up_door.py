"""What `darkroom up` needs to answer other machines: certificate and tokens, made by itself, and one line to invite."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from darkroom_client.errors import FailedPrecondition
from darkroom_client.logins import Invite, Login

MAKE_TIMEOUT_S = 60.0
# An address that is nobody's (RFC 5737): the way to it is the way to the world.
ELSEWHERE = ("192.0.2.1", 9)


@dataclass(frozen=True)
class Door:
    """Where the certificate, its key and the tokens of one home lie."""

    certificate: Path
    key: Path
    tokens: Path
    runner_token: Path
    home_token: Path
    invite_token: Path
    fingerprint: str

    def variables(self, part: str) -> dict[str, str]:
        """Return a part's settings, without prefix."""
        served = {"TLS_CERTIFICATE": str(self.certificate), "TLS_KEY": str(self.key), "TOKENS": str(self.tokens)}
        if part != "runner":
            return served
        return {
            "REGISTRY_CA": str(self.certificate),
            "REGISTRY_HOST_NAME": "darkroom",
            "REGISTRY_TOKEN_FILE": str(self.runner_token),
        }

    @property
    def login(self) -> Login:
        """What lets this user's commands on this machine in."""
        return Login(self.certificate.read_text(), True, self.home_token.read_text().strip())

    def invite(self, listen: str) -> str:
        """Return the line to type on another machine."""
        host, _, port = listen.rpartition(":")
        shown = name_for_others() if host in ("", "0.0.0.0", "[::]") else host
        invite = Invite(self.fingerprint, self.invite_token.read_text().strip())
        return f"darkroom login {shown}:{port} --invite {invite}"


def name_for_others() -> str:
    """Return this machine's full name; where it has none, the address from which it calls others."""
    name = socket.getfqdn()
    if "." in name and not name.startswith("localhost"):
        return name
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        # Sends nothing: it only asks for the way.
        probe.connect(ELSEWHERE)
        return str(probe.getsockname()[0])
    return socket.gethostname()


def make_door(home: Path, host: str) -> Door:
    """Return the home's door, made now or before. Raises `FailedPrecondition`."""
    command = [sys.executable, "-m", "service_kit.door", str(home / "door"), "--host", host.strip("[]") or "localhost"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=MAKE_TIMEOUT_S, check=False)
    if made.returncode != 0:
        raise FailedPrecondition(f"the certificate cannot be made: {made.stderr.strip()}")
    paths = json.loads(made.stdout)
    fingerprint = paths.pop("fingerprint")
    return Door(**{name: Path(path) for name, path in paths.items()}, fingerprint=fingerprint)
