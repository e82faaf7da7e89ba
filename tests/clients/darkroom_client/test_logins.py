"""What login remembers, where, and how an invite is read."""

import stat
from pathlib import Path

import pytest

from darkroom_client.errors import FailedPrecondition, InvalidArgument
from darkroom_client.logins import Invite, Login, login_of, logins_path, read_logins, store_login


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_LOGINS", str(tmp_path / "config" / "logins.json"))
    for name in ("DARKROOM_TOKEN", "DARKROOM_CERTIFICATE"):
        monkeypatch.delenv(name, raising=False)


def test_an_invite_survives_its_line() -> None:
    invite = Invite("ab" * 32, "dr_secret-token_1")
    assert Invite.parse(f"  {invite}\n") == invite


@pytest.mark.parametrize(
    "text", ["", "dri1_", "dri1_AAAA", "hello", "dri1_" + "!" * 80, "dri2_" + "A" * 80, "dri1_" + "A" * 80]
)
def test_what_is_no_invite_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidArgument, match="is no invite") as raised:
        Invite.parse(text)
    assert not text or text not in str(raised.value)


def test_a_login_is_kept_for_the_user_alone_and_forgotten() -> None:
    store_login("studio:50050", Login("PEM", True, "dr_x"))
    store_login("other:50050", Login("", False, "dr_y"))
    assert stat.S_IMODE(logins_path().stat().st_mode) == 0o600
    assert login_of("studio:50050") == Login("PEM", True, "dr_x")
    store_login("studio:50050", None)
    assert login_of("studio:50050") is None
    assert list(read_logins()) == ["other:50050"]


def test_the_environment_stands_above_what_was_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_login("studio:50050", Login("PEM", True, "dr_x"))
    (tmp_path / "ca.pem").write_text("ROOTS")
    monkeypatch.setenv("DARKROOM_TOKEN", "dr_env")
    monkeypatch.setenv("DARKROOM_CERTIFICATE", str(tmp_path / "ca.pem"))
    assert login_of("studio:50050") == Login("ROOTS", False, "dr_env")


def test_a_server_nobody_logged_in_to_is_called_plainly() -> None:
    assert login_of("localhost:50050") is None


def test_the_services_of_one_host_share_a_pinned_login() -> None:
    store_login("studio:50050", Login("PEM", True, "dr_x"))
    store_login("public.example:50050", Login("", False, "dr_y"))
    assert login_of("studio:50052") == Login("PEM", True, "dr_x")
    assert login_of("public.example:50052") is None
    assert login_of("studio.elsewhere:50050") is None
    store_login("localhost:50050", Login("PEM", True, "dr_z"))
    assert login_of("localhost:50051") is None


def test_a_broken_file_says_what_to_do() -> None:
    logins_path().parent.mkdir(parents=True)
    logins_path().write_text("[]")
    with pytest.raises(FailedPrecondition, match="remove it and log in again"):
        login_of("studio:50050")


def test_a_token_is_not_shown() -> None:
    assert "dr_x" not in repr(Login("PEM", True, "dr_x"))
