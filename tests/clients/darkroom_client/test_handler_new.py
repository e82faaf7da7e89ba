"""`darkroom handler new` writes a repository that works at once, and touches nothing that is there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from darkroom_client.command import app
from darkroom_client.errors import InvalidArgument
from darkroom_client.handler_new import handler_name, repository_name, write_repository
from dataset_handlers.testing import make_photos

ROOT = Path(__file__).parents[3]


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_it_is_committed_whole_on_main(tmp_path):
    done = CliRunner().invoke(app, ["handler", "new", str(tmp_path / "edges")])
    assert done.exit_code == 0
    assert done.stdout == f"{tmp_path / 'edges'}\n"
    assert git(tmp_path / "edges", "status", "--porcelain") == ""
    assert git(tmp_path / "edges", "rev-list", "--count", "main") == "1"
    assert git(tmp_path / "edges", "ls-files").splitlines() == [
        ".gitignore",
        "README.md",
        "edges_handler.py",
        "pyproject.toml",
        "tests/test_edges.py",
    ]
    for word in ("handler try", "pytest", "tag v1", "up --raw PHOTOS --repository edges=", "define edges", "request"):
        assert word in done.stderr


def test_its_own_test_passes_and_finds_a_handler_that_is_broken(tmp_path):
    write_repository(tmp_path / "my-edges", "outline_pairs")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "my-edges")]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, capture_output=True, text=True, env=plain, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    handler = tmp_path / "my-edges" / "outline_pairs_handler.py"
    handler.write_text(handler.read_text().replace("rng.random() < 0.5", "id(photo) % 64 < 32 or not hash(photo.data)"))
    assert handler.read_text().count("id(photo)") == 1
    done = subprocess.run(command, capture_output=True, text=True, env=plain, timeout=120, check=False)
    assert "1 failed, 1 passed" in done.stdout


def test_it_is_clean_by_the_rules_of_ruff(tmp_path):
    write_repository(tmp_path / "edges", "edges")
    for arguments in (["check", "--select", "B,E,F,I,UP"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--isolated", "--line-length", "120", "."],
            cwd=tmp_path / "edges",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_the_handler_can_be_read_in_one_look(tmp_path):
    write_repository(tmp_path / "edges", "edges")
    assert len((tmp_path / "edges" / "edges_handler.py").read_text().splitlines()) <= 45
    for path in (tmp_path / "edges").rglob("*"):
        assert ".git" in path.parts or path.is_dir() or "template" not in path.read_text().lower(), path


@pytest.mark.parametrize("there", ["file.txt", ".hidden"])
def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path, there):
    (tmp_path / there).write_text("mine")
    done = CliRunner().invoke(app, ["handler", "new", str(tmp_path), "--name", "edges", "--json"])
    assert done.exit_code == 1
    assert f"error: {tmp_path} is there already and is not empty; another folder would do" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [there]


def test_without_git_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(app, ["handler", "new", str(tmp_path / "edges")])
    assert done.exit_code == 1
    assert "git is not installed here" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_an_author_a_signing_one_and_one_with_hooks_commit_too(tmp_path, monkeypatch):
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "hooks" / "pre-commit").chmod(0o755)
    settings = f"[commit]\ngpgsign = true\n[core]\nhooksPath = {tmp_path / 'hooks'}\n[user]\nuseConfigOnly = true\n"
    (tmp_path / "gitconfig").write_text(settings)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    write_repository(tmp_path / "edges", "edges")
    assert git(tmp_path / "edges", "log", "--format=%an") == "darkroom"


@pytest.mark.parametrize(
    ("folder", "name", "chosen", "repository"),
    [
        ("edges", None, "edges", "edges"),
        ("My-Edges.v2", None, "my_edges_v2", "my-edges.v2"),
        ("Über Fotos", "edges", "edges", "ber-fotos"),
        ("ÜÜ", "edges", "edges", "mine"),
    ],
)
def test_names_follow_from_the_folder(folder, name, chosen, repository):
    assert handler_name(Path(folder), name) == chosen
    assert repository_name(Path(folder)) == repository


@pytest.mark.parametrize("name", ["", "Edges", "1st", "a-b", "class", "dataset", "test", "x" * 64, "a/b", "../a", "é"])
def test_a_name_that_python_or_the_registry_would_refuse_is_refused(name):
    with pytest.raises(InvalidArgument, match="--name edges would do"):
        handler_name(Path("edges"), name)


def test_json_says_what_was_written_and_what_is_next(tmp_path):
    done = CliRunner().invoke(app, ["handler", "new", str(tmp_path / "two words"), "--json"])
    made = json.loads(done.stdout)
    assert made["handler"] == "two_words"
    assert "two_words_handler.py" in made["files"]
    assert f"handler try '{tmp_path}/two words'" in made["next"][0]


def test_the_template_is_in_the_wheel(tmp_path):
    # What the builder would pack; to build it all takes ten times as long.
    from hatchling.builders.wheel import WheelBuilder

    builder = WheelBuilder(str(ROOT))
    inside = {included.distribution_path for included in builder.recurse_included_files()}
    templates = {path.name for path in (ROOT / "clients" / "darkroom_client" / "handler_template").iterdir()}
    assert len(templates) == 5
    assert {f"darkroom_client/handler_template/{name}" for name in templates} <= inside


def test_try_runs_what_new_wrote(tmp_path):
    write_repository(tmp_path / "edges", "edges")
    make_photos(tmp_path / "street", 5)
    command = [sys.executable, "-m", "darkroom_client", "handler", "try", "--raw", "photos=../street", "-o", "x.png"]
    done = subprocess.run(command, cwd=tmp_path / "edges", capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'edges' / 'x.png'}\n"
    assert "outlines  PNG 256x256x1" in done.stderr
