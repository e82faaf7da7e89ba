"""`python -m dataset_handlers preview` tries the code in a folder, and says what came of it where it belongs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dataset_handlers.testing import make_photos

HANDLER = '''
import os
import sys

from dataset_handlers import Choice, DatasetHandler, Integer, photo_samples
from dataset_handlers.operations import encode_png, read_image

print("a line while it is imported")


class Halves(DatasetHandler):
    """Upper halves."""

    @classmethod
    def config_options(cls):
        return {"rows": Integer(2, minimum=1), "fault": Choice(["", "key", "import", "library", "exit"], "")}

    def samples(self):
        return photo_samples(self.raw_data_path)

    def examples(self, sample, rng):
        os.write(1, b"a line by a program\\n")
        if self.fault:
            raise_something(self.fault)
        image = read_image(self.raw_data_path / sample.photo)
        yield {"image": encode_png(image[: len(image) // self.rows]), "id": sample.id}


def raise_something(fault):
    if fault == "key":
        return {}["colour"]
    if fault == "import":
        import scipyyy.ndimage
    if fault == "library":
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
    sys.exit(3)
'''


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository") / "halves"
    folder.mkdir()
    (folder / "halves_handler.py").write_text(HANDLER)
    make_photos(folder.parent / "street", 8, (40, 60))
    return folder


def preview(repository: Path, *arguments: str, folder: str = ".", config: Any = None) -> Any:
    command = [
        sys.executable,
        "-I",
        "-m",
        "dataset_handlers",
        "preview",
        folder,
        "-o",
        str(repository.parent / "x.png"),
    ]
    command += ["--config", "-"] if config is not None else []
    return subprocess.run(
        [*command, *arguments],
        cwd=repository,
        input="" if config is None else json.dumps(config),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_sheet_is_the_answer_and_all_else_is_said_beside_it(repository: Path) -> None:
    sheet = repository.parent / "x.png"
    sheet.unlink(missing_ok=True)
    done = preview(repository, "--raw", "photos=../street", "-n", "3", config={"rows": 4})
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{sheet}\n"
    assert sheet.read_bytes()[1:4] == b"PNG"
    assert "a line while it is imported\n" in done.stderr
    assert done.stderr.count("a line by a program\n") == 3
    assert "halves: Upper halves.\n" in done.stderr
    assert "samples   8: " in done.stderr
    assert "image  PNG 10x60x3" in done.stderr
    assert "for an example (3 examples of 3 samples)" in done.stderr


def test_json_is_one_object_and_one_folder_plays_the_only_role(repository: Path) -> None:
    done = preview(repository, "--raw", "../street", "--json", "--check")
    trial = json.loads(done.stdout)
    assert trial["handler"] == "halves"
    assert trial["samples"] == sum(trial["splits"].values()) == trial["shown"] == trial["examples"] == 8
    assert trial["features"]["id"] == {"dtype": "bytes", "shape": [], "encoding": "utf8"}
    assert 0 < trial["example_s"] < 60
    assert "keeps the contract of a handler" in trial["notes"]
    assert trial["skipped"] == []


def test_the_authors_own_line_comes_first_and_the_meaning_last(repository: Path) -> None:
    done = preview(repository, "--raw", "../street", config={"fault": "key"})
    assert done.returncode == 1
    said = done.stderr[done.stderr.index("Traceback") :].splitlines()
    assert said[1].startswith(f'  File "{repository}/halves_handler.py", line ')
    assert said[1].endswith("in examples")
    assert said[-2] == "KeyError: 'colour'"
    assert said[-1].startswith("error: examples() of sample 'photo-0")
    assert "shard_writer" not in done.stderr


def test_a_package_that_this_python_lacks_is_named_with_the_way_to_another(repository: Path) -> None:
    done = preview(repository, "--raw", "../street", config={"fault": "import"})
    assert done.returncode == 1
    assert f"error: the handler imports 'scipyyy', which this Python 3.{sys.version_info[1]} (" in done.stderr
    assert "--python .venv/bin/python would do" in done.stderr


def test_a_missing_library_is_explained(repository: Path) -> None:
    done = preview(repository, "--raw", "../street", "--json", config={"fault": "library"})
    error = json.loads(done.stdout)["error"]
    assert error["reason"] == "HANDLER_ERROR"
    assert "opencv-python-headless" in error["message"]
    assert "raise_something" in error["detail"]


def test_a_handler_that_exits_is_no_success(repository: Path) -> None:
    done = preview(repository, "--raw", "../street", config={"fault": "exit"})
    assert done.returncode == 1
    assert "error: the handler called sys.exit(3)" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["--raw", "../street", "--handler", "thirds"],
            2,
            "error: --handler: no handler 'thirds' here; there are",
        ),
        (["--raw", "masks=../street"], 2, "error: --raw: the handler has no role 'masks'; --raw photos=DIR would do"),
        ([], 2, "error: --raw: --raw photos=DIR is missing: a folder for the role 'photos'"),
        (["--raw", "../nowhere"], 3, "error: the raw folder ../nowhere (role 'photos') is not there"),
        (["--raw", "../street", "-n", "0"], 2, "error: -n: 0 is not from 1 to 64"),
        (["--raw", "../street", "-o", "no/x.png"], 2, "error: -o: there is no folder "),
        (["--raw", "../street", "--module", "other"], 1, "has no module 'other'"),
    ],
)
def test_what_is_wrong_in_the_command_is_said_in_one_line(
    repository: Path, arguments: list[str], code: int, said: str
) -> None:
    done = preview(repository, *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_wrong_config_names_each_field_without_a_traceback(repository: Path) -> None:
    done = preview(repository, "--raw", "../street", config={"rows": 0, "cols": 1})
    assert done.returncode == 2
    assert "error: config.rows: 0 is not a whole number at least 1" in done.stderr
    assert "error: config.cols: no such option" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistake_of_syntax_shows_its_line(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text("def odd(:\n")
    done = preview(tmp_path, "--raw", ".")
    assert done.returncode == 1
    assert f'File "{tmp_path}/odd.py", line 1\n    def odd(:' in done.stderr
    assert "importlib" not in done.stderr
