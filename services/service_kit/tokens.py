"""Gives and takes access tokens: the operator's command.

python -m service_kit.tokens create FILE --name NAME --scope SCOPE [--scope ...] [--days N]   prints the token, once
python -m service_kit.tokens ls FILE
python -m service_kit.tokens revoke FILE NAME
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from service_kit.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from service_kit.scopes import SCOPE_TEXTS
from service_kit.token_file import Token, TokenFile

DAY_S = 86_400.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m service_kit.tokens", description="Give and take access tokens.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make a token and print it, once")
    create.add_argument("file", type=Path)
    create.add_argument("--name", required=True, help="who or what gets it")
    create.add_argument("--scope", action="append", required=True, help=" ".join(SCOPE_TEXTS))
    create.add_argument("--days", type=float, default=0.0, help="how long it is good; 0: until it is revoked")
    listing = commands.add_parser("ls", help="list what was given to whom")
    listing.add_argument("file", type=Path)
    revoke = commands.add_parser("revoke", help="refuse a token from now on")
    revoke.add_argument("file", type=Path)
    revoke.add_argument("name")
    chosen = parser.parse_args(arguments)
    file = TokenFile(chosen.file)
    try:
        match chosen.command:
            case "create":
                sys.stdout.write(file.create(chosen.name, chosen.scope, chosen.days * DAY_S) + "\n")
            case "ls":
                for token in file.tokens():
                    sys.stdout.write(f"{token.name}\t{','.join(token.scopes)}\t{_until(token)}\n")
            case _:
                file.revoke(chosen.name)
    except (AlreadyExists, FailedPrecondition, InvalidArgument, NotFound) as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    return 0


def _until(token: Token) -> str:
    if token.revoked:
        return "revoked"
    if not token.expire_time:
        return "until revoked"
    return datetime.fromtimestamp(token.expire_time, UTC).strftime("until %Y-%m-%d %H:%M UTC")


if __name__ == "__main__":
    sys.exit(main())
