"""The operator's command gives, lists and takes tokens."""

from pathlib import Path

import pytest

from service_kit.token_file import TokenFile
from service_kit.tokens import main


def test_a_token_is_printed_once_and_listed_without_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tokens.json"
    assert main(["create", str(file), "--name", "gpu3", "--scope", "request", "--days", "90"]) == 0
    text = capsys.readouterr().out.strip()
    assert TokenFile(file).verify(text).name == "gpu3"
    assert main(["ls", str(file)]) == 0
    listed = capsys.readouterr().out
    assert listed.startswith("gpu3\trequest\tuntil 20")
    assert text not in listed


def test_a_revoked_token_is_listed_as_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tokens.json"
    main(["create", str(file), "--name", "gpu3", "--scope", "read"])
    assert main(["revoke", str(file), "gpu3"]) == 0
    capsys.readouterr()
    main(["ls", str(file)])
    assert capsys.readouterr().out == "gpu3\tread\trevoked\n"


def test_a_mistake_ends_with_2_and_what_would_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["revoke", str(tmp_path / "tokens.json"), "gpu3"]) == 2
    assert "no token 'gpu3'; there are: none" in capsys.readouterr().err
