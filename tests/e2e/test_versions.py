"""A handler comes from git at a version: with its own packages, confined, and known long after git has gone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from ..git_repositories import Repository
from .house import House
from .process import until

CROWD = Path(__file__).with_name("crowd.py")
CROWD_COUNT = 200
# Short, so that tests need not wait for the 10 s that are the default.
REF_MAX_AGE_S = 2.0

HANDLER = '''
"""Numbers for photos."""
from dataset_handlers import DatasetHandler, photo_samples


class Numbers(DatasetHandler):
    """One number for each photo."""

    def samples(self):
        return photo_samples(self.raw_data_path)

    def examples(self, sample, rng):
        yield {"number": NUMBER, "id": sample.id}
'''
OLD_HANDLER = '''
"""Needs what is long out of date, and a package that is on no index."""
import cv2
import numpy
import tiny
from dataset_handlers import DatasetHandler, photo_samples


class Versions(DatasetHandler):
    """The versions of what it runs with."""

    def samples(self):
        return photo_samples(self.raw_data_path)

    def examples(self, sample, rng):
        photo = cv2.imread(str(self.raw_data_path / sample.photo))
        assert photo.ndim == 3
        yield {"versions": " ".join([numpy.__version__, cv2.__version__, tiny.VERSION]), "id": sample.id}
'''
SEED = {
    "setup.py": "from setuptools import find_packages, setup\n"
    "setup(name='dataset_handlers', version='3.1', packages=find_packages(), install_requires=['six==1.16.0'])\n",
    "dataset_handlers/__init__.py": '''
import os
import six
from dataset_handlers.writing import write
from .words import GREETING


class DatasetHandler:
    """Writes its own files, as the original system's handlers do."""

    def __init__(self, config, base_data_path):
        self.times = config["times"]
        self.raw_data_path = base_data_path

    @staticmethod
    def config_options():
        return {"times": 1}

    def as_tfrecord(self):
        greeting = six.ensure_text(GREETING) * self.times
        return [write("train.tfrecord", greeting, len(os.listdir(self.raw_data_path)))]
''',
    "dataset_handlers/words.py": "GREETING = b'hello'\n",
    "dataset_handlers/writing.py": """
from dataset_handlers.example import encode_example
from dataset_handlers.tfrecord import write_record


def write(path, text, count):
    with open(path, "wb") as file:
        write_record(file, encode_example({"text": text, "count": count}))
    return path
""",
}


class Versions:
    """A house with git repositories."""

    def __init__(self, folder: Path, raw: Path) -> None:
        self.folder = folder
        tiny = Repository(folder / "tiny", tiny_package("1.0"))
        tiny.change({}, "v1.0")
        tiny.change(tiny_package("2.0"))
        self.mine = Repository(folder / "mine", {"my_handlers.py": handler(1)})
        self.mine.git("tag", "v1")
        self.mine.change({"my_handlers.py": handler(2)}, "v2")
        self.old = Repository(folder / "old", {"old_handlers.py": OLD_HANDLER, "pyproject.toml": old_project(tiny)})
        self.seed = Repository(folder / "seed", SEED)
        settings = {
            "mine": {"url": self.mine.url},
            "old": {"url": self.old.url},
            "tiny": {"url": f"file://{tiny.url}"},
            "seed": {"url": self.seed.url, "trusted": True},
        }
        self.runner_settings = {"REPOSITORIES": json.dumps(settings)}
        registry = {key: value for key, value in settings.items() if key != "tiny"}
        self.house = House(folder / "house", raw, REPOSITORIES=json.dumps(registry), REF_MAX_AGE_S=REF_MAX_AGE_S)
        self.house.registry.start()
        self.house.start_runner(**self.runner_settings)
        self.house.wait_for_handlers()

    def begun(self) -> Counter[str]:
        """How often the runner has begun each kind of work."""
        return Counter(entry["kind"] for entry in self.house.runner.events("work_begins"))


def handler(number: int) -> str:
    return HANDLER.replace("NUMBER", str(number))


def tiny_package(version: str) -> dict[str, str]:
    return {
        "pyproject.toml": "[build-system]\nrequires = ['flit_core==3.12.0']\nbuild-backend = 'flit_core.buildapi'\n"
        f"[project]\nname = 'tiny'\nversion = '{version}'\ndescription = 'Small.'\n",
        "tiny.py": f'"""Small."""\nVERSION = "{version}"\n',
    }


def old_project(tiny: Repository) -> str:
    return (
        "[project]\nname = 'old'\nversion = '1'\nrequires-python = '>=3.8'\n"
        "dependencies = ['dataset-handlers', 'numpy==1.23.5', 'opencv-python-headless==4.5.5.64', "
        f"'tiny @ git+file://{tiny.url}@v1.0']\n"
    )


@pytest.fixture(scope="module")
def versions(tmp_path_factory, photos):
    made = Versions(tmp_path_factory.mktemp("versions"), photos)
    try:
        yield made
    finally:
        made.house.end()


def numbers(dataset):
    """Return the numbers that all examples of a dataset hold."""
    return {int(example["number"]) for split in dataset.splits for example in dataset.as_numpy(split)}


def test_each_tag_has_its_own_output_and_one_commit_has_one_dataset(versions):
    client = versions.house.client
    mine = versions.mine
    client.define("numbers", "mine/numbers", {"photos": "street"})
    first = client.request_dataset("numbers", "v1").get()
    second = client.request_dataset("numbers", "v2").get()
    assert numbers(first) == {1}
    assert numbers(second) == {2}
    assert first.key != second.key
    # The branch stands where v2 does; and `latest` is the newest release.
    before = versions.begun()
    keys = {client.request_dataset("numbers", version).get().key for version in ("main", "latest", mine.commit)}
    assert keys == {second.key}
    assert versions.begun()["BUILD"] == before["BUILD"]
    described = client.get_handler("mine/numbers", "v2")
    assert described.commit == mine.commit


def test_a_moved_tag_gives_a_new_key(versions):
    client = versions.house.client
    client.define("moved", "mine/numbers", {"photos": "street"})
    versions.mine.change({"my_handlers.py": handler(3)}, "moving")
    time.sleep(REF_MAX_AGE_S)
    first = client.request_dataset("moved", "moving").get()
    versions.mine.change({"my_handlers.py": handler(4)}, "moving")
    moved_s = time.monotonic()

    def other():
        dataset = client.request_dataset("moved", "moving").get()
        return dataset if dataset.key != first.key else None

    second = until(other, "the new key", 60.0)
    print(f"the tag's new commit was built {time.monotonic() - moved_s:.1f} s after it moved")
    assert numbers(first) == {3}
    assert numbers(second) == {4}


def test_old_packages_and_one_from_git_are_what_the_handler_runs_with(versions):
    client = versions.house.client
    client.define("old", "old/versions", {"photos": "street"})
    dataset = client.request_dataset("old", "main").get()
    found = {str(example["versions"]) for split in dataset.splits for example in dataset.as_numpy(split)}
    assert found == {"1.23.5 4.5.5 1.0"}
    manifest = json.loads((Path(dataset.path) / "manifest.json").read_bytes())
    assert versions.old.commit in json.dumps(manifest)


def test_a_repository_in_the_seeds_style_runs_when_it_is_trusted(versions):
    client = versions.house.client
    client.define("seed", "seed/dataset_handler", {"photos": "street"})
    dataset = client.request_dataset("seed", "main", {"times": 2}).get()
    [example] = dataset.as_numpy("train")
    assert bytes(example["text"]) == b"hellohello"
    assert int(example["count"]) == len(list((versions.house.raw / "street").iterdir()))


def test_a_crowd_at_a_commit_that_nobody_has_seen_causes_one_environment_and_one_build(versions):
    house = versions.house
    house.client.define("crowd", "mine/numbers", {"photos": "street"})
    versions.mine.change({"my_handlers.py": handler(5)}, "v5")
    time.sleep(REF_MAX_AGE_S)
    before = versions.begun()
    plan = [["crowd", '{"seed": 7}', CROWD_COUNT]]
    crowd = subprocess.Popen(
        [sys.executable, str(CROWD), house.server, json.dumps(plan)],
        env=house.variables(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        assert crowd.stdout.readline() == "ready\n"
        crowd.stdin.write(f"{time.time()}\n")
        lines = [json.loads(line) for line in crowd.communicate(timeout=120)[0].splitlines()]
    finally:
        crowd.kill()
    assert Counter(state for _, _, state, _ in lines) == {"READY": CROWD_COUNT}
    assert len({key for _, key, _, _ in lines}) == 1
    begun = versions.begun() - before
    assert (begun["ENVIRONMENT"], begun["BUILD"]) == (1, 1)
    assert numbers(house.client.request_dataset("crowd", "v5", {"seed": 7}).get()) == {5}


def test_without_git_and_runner_what_is_ready_is_there_and_the_rest_waits_and_says_for_what(versions, tmp_path):
    house, client = versions.house, versions.house.client
    client.define("away", "mine/numbers", {"photos": "street"})
    ready = client.request_dataset("away", "v2").get()
    away = versions.folder / "away"
    versions.mine.folder.rename(away)
    house.runner.stop()
    time.sleep(REF_MAX_AGE_S)
    fetched = house.darkroom("get", ready.key, env={"DARKROOM_CACHE": str(tmp_path / "cache")}).ok()
    assert (Path(fetched.out.strip()) / "manifest.json").is_file()
    request = client.request_dataset("away", "v1", {"seed": 3})

    def now():
        return client.get_request(request.name).snapshot

    until(lambda: "cannot be reached" in now().waiting_for, "what the request waits for")
    away.rename(versions.mine.folder)
    until(lambda: not now().waiting_for, "the version's commit")
    # A runner that was stopped counts as away after a minute, and the request says so then.
    assert not now().state.final
    house.start_runner()
    assert numbers(request.get()) == {1}
