"""`darkroom handler try` starts the Python that the handler needs, and says what would do when it cannot."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from darkroom_client.command import app
from darkroom_client.errors import InvalidArgument, NotFound
from darkroom_client.handler_try import declared_module
from dataset_handlers.testing import make_photos

HANDLER = '''
from dataset_handlers import DatasetHandler, Integer, photo_samples
class {name}(DatasetHandler):
    """Sizes in bytes."""
    @classmethod
    def config_options(cls):
        return {{"factor": Integer(1)}}
    def samples(self):
        return photo_samples(self.raw_data_path)
    def examples(self, sample, rng):
        yield {{"size": (self.raw_data_path / sample.photo).stat().st_size * self.factor}}
'''


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with two modules, of which pyproject.toml names one."""
    folder = tmp_path_factory.mktemp("try") / "repository"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[tool.darkroom]\nmodule = "wanted"\n')
    (folder / "wanted.py").write_text(HANDLER.format(name="Sizes"))
    (folder / "other.py").write_text("raise ValueError('not meant')\n")
    make_photos(folder.parent / "street", 4)
    return folder


def run(*arguments: str):
    command = [sys.executable, "-m", "darkroom_client", "handler", "try", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_declared_module_runs_with_the_config_as_people_type_it(repository):
    config = repository.parent / "config.yaml"
    config.write_text("factor: 2\n")
    raw = f"photos={repository.parent / 'street'}"
    sheet = repository.parent / "sheet.png"
    done = run(str(repository), "--raw", raw, "-c", str(config), "--set", "seed=3", "-o", str(sheet), "--json")
    assert done.returncode == 0, done.stderr
    trial = json.loads(done.stdout)
    assert trial["handler"] == "sizes"
    assert trial["sheet"] == str(sheet)
    assert trial["features"] == {"size": {"dtype": "int64", "shape": []}}


def test_its_exit_code_is_the_handlers(repository):
    raw = f"photos={repository.parent / 'street'}"
    done = run(str(repository), "--raw", raw, "--set", "factor=much", "-o", str(repository.parent / "x.png"))
    assert done.returncode == 2
    assert "error: config.factor: 'much' is not a whole number" in done.stderr
    assert not (repository.parent / "x.png").exists()


def test_a_python_without_dataset_handlers_says_what_to_install_there(repository, tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    python = tmp_path / "bare" / "bin" / "python"
    done = CliRunner().invoke(app, ["handler", "try", str(repository), "--raw", "x", "--python", str(python)])
    assert done.exit_code == 1
    assert f"error: {python} has no dataset_handlers that can try handlers; `{python} -m pip install " in done.stderr


def test_another_python_that_has_them_is_used(repository, tmp_path):
    # An interpreter of another name: it finds what is installed beside its real self.
    python = tmp_path / "another"
    python.write_text(f'#!/bin/sh\necho started by {python} >&2\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    raw = f"photos={repository.parent / 'street'}"
    done = run(str(repository), "--raw", raw, "--python", str(python), "-o", str(tmp_path / "x.png"))
    assert done.returncode == 0, done.stderr
    assert f"started by {python}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nowhere"], 3, "`darkroom handler new"),
        (["-o", "no/such/sheet.png"], 3, "error: -o no/such/sheet.png: there is no folder"),
        (["-n", "65"], 2, "error: -n 65: from 1 to 64"),
        (["-c", "none.yaml"], 3, "error: no config file none.yaml"),
        (["--python", "no-such-python"], 3, "error: --python no-such-python: no such program"),
        (["--python", "ls"], 2, "is no Python that can try handlers"),
    ],
)
def test_what_cannot_be_started_is_refused_in_one_line(repository, arguments, code, said, monkeypatch):
    monkeypatch.chdir(repository)
    done = CliRunner().invoke(app, ["handler", "try", *arguments])
    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_dataset_handlers_the_light_client_says_what_to_install(repository, monkeypatch):
    monkeypatch.setattr("darkroom_client.handler_try.find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["handler", "try", str(repository), "--raw", "x"])
    assert done.exit_code == 1
    assert "-m pip install 'dataset-handlers[operations]'` would do, or --python PATH" in done.stderr


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("[tool.darkroom]\nmodule = 3\n", InvalidArgument, "module is 3; the name of a module would do"),
        ('[tool.darkroom]\nmodule = "a b"\n', InvalidArgument, "module is 'a b'"),
        ("[tool", InvalidArgument, "pyproject.toml: "),
    ],
)
def test_a_wrong_pyproject_is_named(tmp_path: Path, text, error, said):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(error, match=said):
        declared_module(tmp_path)


def test_a_folder_that_is_none_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(NotFound, match="darkroom handler new"):
        declared_module(tmp_path / "nowhere")
    assert declared_module(tmp_path) == ""
