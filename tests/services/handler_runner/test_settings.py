"""A wrong setting names its variable and says what would do."""

from __future__ import annotations

import pytest

from handler_runner.settings import RunnerSettings
from service_kit.settings import read_settings


@pytest.fixture
def set_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("DARKROOM_RUNNER_RAW_ROOT", str(tmp_path))

    def set_all(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"DARKROOM_RUNNER_{name}", value)

    return set_all


def test_the_raw_root_alone_is_enough(set_variables, tmp_path):
    settings = read_settings(RunnerSettings)
    assert settings.raw_root == tmp_path
    assert settings.workers >= 1
    assert settings.name


def test_every_setting_has_its_sentence():
    for name, field in RunnerSettings.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WORKERS", "0"),
        ("WORKERS", "two"),
        ("NAME", "my runner"),
        ("RAW_ROOT", "/nowhere/at/all"),
        ("LOCAL_REPOSITORIES", '{"stock": "/tmp"}'),
        ("LOCAL_REPOSITORIES", '{"mine": "/nowhere"}'),
        ("STUCK_AFTER_S", "-1"),
    ],
)
def test_a_wrong_value_names_its_variable(set_variables, capsys, variable, value):
    set_variables(**{variable: value})
    with pytest.raises(SystemExit) as stopped:
        read_settings(RunnerSettings)
    assert stopped.value.code == 2
    assert f"DARKROOM_RUNNER_{variable}: " in capsys.readouterr().err


def test_a_missing_raw_root_is_named(monkeypatch, capsys):
    monkeypatch.delenv("DARKROOM_RUNNER_RAW_ROOT", raising=False)
    with pytest.raises(SystemExit):
        read_settings(RunnerSettings)
    assert "DARKROOM_RUNNER_RAW_ROOT: " in capsys.readouterr().err


def test_local_repositories_are_json(set_variables, tmp_path):
    set_variables(LOCAL_REPOSITORIES=f'{{"mine": "{tmp_path}"}}')
    assert read_settings(RunnerSettings).local_repositories == {"mine": tmp_path}


def test_git_repositories_are_named_once(set_variables, tmp_path, capsys):
    set_variables(REPOSITORIES='{"mine": {"url": "https://git.example.org/mine", "trusted": true}}')
    assert read_settings(RunnerSettings).repositories["mine"].trusted
    set_variables(LOCAL_REPOSITORIES=f'{{"mine": "{tmp_path}"}}')
    with pytest.raises(SystemExit):
        read_settings(RunnerSettings)
    assert "both name mine; another name for one of them would do" in capsys.readouterr().err
