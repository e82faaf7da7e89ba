"""Makes what a Darkroom needs to answer other machines: a certificate, and tokens for its own parts and for guests.

python -m service_kit.door FOLDER [--host HOST ...]     prints where everything lies, as JSON

Made once; asked again it prints the same. Only the folder's owner can read it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from service_kit.errors import AlreadyExists, DarkroomError
from service_kit.scopes import ADMIN, REQUEST, RUN
from service_kit.tls import fingerprint, make_certificate
from service_kit.token_file import TokenFile

# Whose token has which scope: the runner's, that of commands on the serving machine, and the invite's.
PARTS = {"runner": RUN, "home": ADMIN, "invite": REQUEST}


def make_door(folder: Path, hosts: Sequence[str] = ()) -> dict[str, str]:
    """Return paths by name, the certificate's fingerprint among them. Raises `DarkroomError`, OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate, key = make_certificate(folder, tuple(hosts))
    tokens = folder / "tokens.json"
    made = {
        "certificate": str(certificate),
        "key": str(key),
        "fingerprint": fingerprint(certificate.read_bytes()),
        "tokens": str(tokens),
    }
    file = TokenFile(tokens)
    for name, scope in PARTS.items():
        path = folder / f"{name}.token"
        if not path.exists():
            _write(path, _new_token(file, name, scope))
        made[f"{name}_token"] = str(path)
    return made


def _new_token(file: TokenFile, name: str, scope: str) -> str:
    try:
        return file.create(name, [scope])
    except AlreadyExists:
        # Its text was lost before it was written down.
        file.revoke(name)
        return file.create(name, [scope])


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
    partial.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make it and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m service_kit.door", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", action="append", default=[], help="a name or address that the certificate is for")
    chosen = parser.parse_args(arguments)
    try:
        sys.stdout.write(json.dumps(make_door(chosen.folder, chosen.host)) + "\n")
    except (DarkroomError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
