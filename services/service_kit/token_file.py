"""Access tokens: a file of what was given to whom, which holds no token itself.

Services read the file again whenever it changes, so a revoked token is refused within a second.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from service_kit.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, Unauthenticated
from service_kit.scopes import SCOPE_TEXTS, SCOPES

PREFIX = "dr_"
# A stat at every call would be cheap, too; a revoked token may live as long.
_LOOK_EVERY_S = 0.5
_NAME_CHARACTERS = 100
ANOTHER = "ask for another and give it to `darkroom login`"


@dataclass(frozen=True)
class Token:
    """One token as the file holds it: its digest, never itself."""

    name: str
    digest: str
    scopes: tuple[str, ...]
    create_time: float
    expire_time: float = 0.0
    revoked: bool = False

    def check(self, now: float) -> Token:
        """Return it if it is good now. Raises `Unauthenticated`."""
        if self.revoked:
            raise Unauthenticated(f"the token {self.name!r} was revoked; {ANOTHER}", reason="TOKEN_REVOKED")
        if self.expire_time and now >= self.expire_time:
            when = datetime.fromtimestamp(self.expire_time, UTC).strftime("%Y-%m-%d %H:%M UTC")
            raise Unauthenticated(f"the token {self.name!r} expired on {when}; {ANOTHER}", reason="TOKEN_EXPIRED")
        return self


class TokenFile:
    """The tokens of one Darkroom; any thread may ask."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Token] = {}
        self._version: tuple[int, int, int] | None = None
        self._looked_s = float("-inf")

    def verify(self, text: str) -> Token:
        """Return the token of that text. Raises `Unauthenticated` when it is unknown, expired or revoked."""
        digest = _digest(text)
        with self._lock:
            self._look()
            known = next((token for token in self._known.values() if hmac.compare_digest(token.digest, digest)), None)
        if known is None:
            raise Unauthenticated("this token is not known here; `darkroom login` stores another", reason="BAD_TOKEN")
        return known.check(self._clock())

    def tokens(self) -> list[Token]:
        """Return all, by name."""
        return sorted(read_tokens(self._path).values(), key=lambda token: token.name)

    def create(self, name: str, scopes: Sequence[str], life_s: float = 0.0) -> str:
        """Make a token and return its text, which nothing else holds. ``life_s`` 0: until it is revoked.

        Raises `InvalidArgument` for an unknown scope and `AlreadyExists` for a name that is taken.
        """
        if not name or len(name) > _NAME_CHARACTERS or not name.isprintable():
            raise InvalidArgument.of([("name", f"must be 1 to {_NAME_CHARACTERS} printable characters, not {name!r}")])
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            there = "; ".join(f"{scope}: {text}" for scope, text in SCOPE_TEXTS.items())
            raise InvalidArgument.of([("scope", f"{unknown[0] if unknown else 'none'} is no scope; there are {there}")])
        text = PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        token = Token(name, _digest(text), tuple(scopes), now, now + life_s if life_s else 0.0)

        def add(tokens: dict[str, Token]) -> None:
            if name in tokens and not tokens[name].revoked:
                raise AlreadyExists(f"there is a token {name!r} already; revoke it first, or name this one otherwise")
            tokens[name] = token

        self._change(add)
        return text

    def revoke(self, name: str) -> None:
        """Refuse the token from now on. Raises `NotFound`."""

        def mark(tokens: dict[str, Token]) -> None:
            if name not in tokens:
                raise NotFound(f"no token {name!r}; there are: {', '.join(sorted(tokens)) or 'none'}")
            tokens[name] = replace(tokens[name], revoked=True)

        self._change(mark)

    def _look(self) -> None:
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = now_s
        version = _version(self._path)
        if version != self._version:
            self._known = read_tokens(self._path)
            self._version = version

    def _change(self, step: Callable[[dict[str, Token]], None]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = read_tokens(self._path)
            step(tokens)
            partial = self._path.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump([asdict(token) for token in tokens.values()], file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)


def read_tokens(path: Path) -> dict[str, Token]:
    """Return the tokens by name; a missing file holds none. Raises `FailedPrecondition` for a file that is none."""
    try:
        rows = json.loads(path.read_text())
        tokens = [Token(**{**row, "scopes": tuple(row["scopes"])}) for row in rows]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError) as error:
        raise FailedPrecondition(f"{path} is no file of tokens ({error}); restore it from a backup") from None
    return {token.name: token for token in tokens}


def _digest(text: str) -> str:
    # 256 random bits: a slow hash would protect nothing more.
    return hashlib.sha256(text.encode()).hexdigest()


def _version(path: Path) -> tuple[int, int, int] | None:
    with suppress(FileNotFoundError):
        stat = path.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
    return None
