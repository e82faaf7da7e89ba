"""Tokens are known by digest, end by themselves, and can be taken back."""

import json
import stat
from pathlib import Path

import pytest

from service_kit.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, Unauthenticated
from service_kit.token_file import TokenFile


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def test_a_token_is_good_for_its_scopes(path: Path) -> None:
    text = TokenFile(path).create("anna", ["read", "request"])
    token = TokenFile(path).verify(text)
    assert (token.name, token.scopes) == ("anna", ("read", "request"))


def test_the_file_holds_no_token_and_only_its_owner_may_read_it(path: Path) -> None:
    text = TokenFile(path).create("anna", ["read"])
    assert text not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "dr_", "dr_unknown", "Bearer x", "\x00", "é" * 100])
def test_an_unknown_token_is_refused(path: Path, text: str) -> None:
    file = TokenFile(path)
    file.create("anna", ["read"])
    with pytest.raises(Unauthenticated, match="not known"):
        file.verify(text)


def test_a_token_expires(path: Path, clock: Clock) -> None:
    file = TokenFile(path, clock)
    text = file.create("anna", ["read"], life_s=10.0)
    assert file.verify(text).name == "anna"
    clock.now += 10.0
    with pytest.raises(Unauthenticated, match="expired on 1970-01-01"):
        file.verify(text)


def test_a_running_service_sees_that_a_token_was_revoked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_kit.token_file._LOOK_EVERY_S", 0.0)
    serving = TokenFile(path)
    text = TokenFile(path).create("anna", ["read"])
    assert serving.verify(text)
    TokenFile(path).revoke("anna")
    with pytest.raises(Unauthenticated, match="revoked"):
        serving.verify(text)


def test_a_name_is_given_once_until_it_is_revoked(path: Path) -> None:
    file = TokenFile(path)
    first = file.create("anna", ["read"])
    with pytest.raises(AlreadyExists, match="revoke it first"):
        file.create("anna", ["read"])
    file.revoke("anna")
    second = file.create("anna", ["admin"])
    assert first != second
    assert TokenFile(path).verify(second).scopes == ("admin",)


def test_a_wrong_scope_is_answered_with_those_there_are(path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"root is no scope; there are read: .*admin: "):
        TokenFile(path).create("anna", ["root"])
    with pytest.raises(InvalidArgument, match="none is no scope"):
        TokenFile(path).create("anna", [])


def test_revoking_an_unknown_name_says_which_there_are(path: Path) -> None:
    file = TokenFile(path)
    file.create("anna", ["read"])
    with pytest.raises(NotFound, match="there are: anna"):
        file.revoke("bert")


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"name": "anna"}]', "not json"])
def test_a_file_that_holds_no_tokens_lets_nobody_in(path: Path, content: str) -> None:
    path.write_text(content)
    if content == "{}":
        # An empty object is no list, but holds no token either.
        with pytest.raises(Unauthenticated):
            TokenFile(path).verify("dr_x")
        return
    with pytest.raises(FailedPrecondition, match="is no file of tokens"):
        TokenFile(path).verify("dr_x")


def test_tokens_made_at_once_by_several_all_stay(path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda number: TokenFile(path).create(f"user-{number}", ["read"]), range(24)))
    assert {TokenFile(path).verify(text).name for text in texts} == {f"user-{number}" for number in range(24)}
    assert len(json.loads(path.read_text())) == 24
