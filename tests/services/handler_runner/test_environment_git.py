"""Environments of real repositories: packages of the real index, by the real uv, built in the real sandbox."""

from __future__ import annotations

import gc
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handler_runner.environment_git import GitEnvironments
from handler_runner.environment_limits import KeptLimits
from handler_runner.environment_lock import Lock, lock_digest
from handler_runner.environment_python import Interpreters
from handler_runner.failure import WorkFailed
from handler_runner.sandbox_limits import SandboxLimits
from handler_runner.sandbox_none import NoSandbox
from handler_runner.sandbox_probes import open_sandbox
from service_kit.errors import Unavailable
from service_kit.git import GitRepository

from ...git_repositories import Repository

HANDLER = {
    "my_handlers.py": "raise SystemExit('this runs in a child only')\n",
    "pyproject.toml": "[project]\nname = 'mine'\nversion = '1'\ndependencies = ['dataset-handlers', 'numpy==1.26.4']\n",
}
# A package without a wheel whose build tries to reach out and to look around.
TINY = {
    "pyproject.toml": "[build-system]\nrequires = ['flit_core==3.12.0']\nbuild-backend = 'backend'\n"
    "backend-path = ['.']\n[project]\nname = 'tiny'\nversion = '1.0'\ndescription = 'x'\n"
    "dependencies = ['six==1.16.0']\n",
    "tiny.py": '"""Small."""\nVALUE = 7\n',
    "backend.py": """
import json, os, socket
from flit_core.buildapi import *
from flit_core import buildapi

def build_wheel(*arguments):
    seen = {"secret": os.path.exists(SECRET), "variables": sorted(os.environ)}
    try:
        socket.create_connection(("1.1.1.1", 53), 2)
        seen["network"] = "reached"
    except OSError as error:
        seen["network"] = "none"
    with open("tiny.py", "a") as file:
        file.write(f"SEEN = {seen!r}\\n")
    return buildapi.build_wheel(*arguments)
""",
}


class Bench:
    """Repositories by name and the environments over them; what is installed is shared by the tests."""

    def __init__(self, folder: Path, home: Path, sandbox: object) -> None:
        self.folder, self.home, self.sandbox = folder, home, sandbox
        self.repositories: dict[str, GitRepository] = {}

    def add(self, name, files, trusted=True):
        made = Repository(self.folder / name, files)
        self.repositories[name] = GitRepository(name, made.url, trusted=trusted)
        return made

    def environments(self, home=None, **limits):
        return GitEnvironments(home or self.home, self.repositories, Interpreters(), self.sandbox, KeptLimits(**limits))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    found = open_sandbox(tmp_path_factory.mktemp("probes"), SandboxLimits())
    assert found.level.full, found.level
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def bench(tmp_path, home):
    return Bench(tmp_path, home, NoSandbox("it is not needed"))


def run(environment, code):
    """Run code as a child would be started, and return the JSON that it prints."""
    done = subprocess.run([environment.python, "-I", "-c", code], capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_an_environment_has_what_is_locked_and_the_runners_dataset_handlers(bench):
    mine = bench.add("mine", HANDLER)
    environments = bench.environments()
    environment = environments.prepare("mine", mine.commit)
    assert dict(environment.fields)["module"] == "my_handlers"
    assert Path(dict(environment.fields)["path"], "my_handlers.py").is_file()
    assert environment.lock_digest == lock_digest(environment.lock)
    assert "numpy==1.26.4 \\\n    --hash=sha256:" in environment.lock
    assert "://" not in environment.lock
    assert not environment.confined
    show = "print(json.dumps([numpy.__version__, dataset_handlers.__file__]))"
    found = run(environment, f"import json, numpy, google_crc32c, dataset_handlers; {show}")
    assert found[0] == "1.26.4"
    venv = Path(environment.python).parent.parent
    assert venv in environment.folders
    assert Path(found[1]).is_relative_to(venv)
    # Compiled already, because a sandbox shows it read-only.
    assert list(Path(found[1]).parent.glob("__pycache__/handler.*.pyc"))
    # The same commit with its lock: the same environment, whatever the index has by now.
    assert environments.prepare("mine", mine.commit, environment.lock) == environment
    # Another commit with the same lock shares the packages, not the sources.
    mine.change({"my_handlers.py": "x = 2\n"})
    other = environments.prepare("mine", mine.commit, environment.lock)
    assert other.python == environment.python
    assert other.fields != environment.fields


def test_many_at_once_make_one(bench):
    mine = bench.add("mine", {"m.py": ""})
    environments = bench.environments(bench.folder / "home")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: environments.prepare("mine", mine.commit), range(8)))
    assert len({environment.python for environment in made}) == 1
    assert len([path for path in (bench.folder / "home/venvs").iterdir() if path.name[0] != "."]) == 1


def test_the_one_used_longest_ago_is_removed_once_nobody_has_it(bench):
    mine = bench.add("mine", {"m.py": ""})
    environments = bench.environments(bench.folder / "home", environments=1)
    first = environments.prepare("mine", mine.commit)
    second = environments.prepare("mine", mine.change({"requirements.txt": "six==1.17.0"}))
    paths = [Path(environment.python) for environment in (first, second)]
    assert [path.exists() for path in paths] == [True, True]
    first = None
    gc.collect()
    # The next use makes room.
    again = environments.prepare("mine", mine.commit, second.lock)
    assert again.python == second.python
    assert [path.exists() for path in paths] == [False, True]


def test_a_git_dependency_is_built_in_the_sandbox_without_network(bench, sandbox):
    bench.sandbox = sandbox
    secret = bench.folder / "secret"
    secret.write_text("x")
    tiny = bench.add("tiny", {**TINY, "backend.py": TINY["backend.py"].replace("SECRET", repr(str(secret)))})
    tiny.change({}, "v1")
    bench.repositories["tiny"] = GitRepository("tiny", f"file://{tiny.url}")
    mine = bench.add("mine", {"m.py": "", "requirements.txt": f"tiny @ git+file://{tiny.url}@v1"}, trusted=False)
    environments = bench.environments()
    environment = environments.prepare("mine", mine.commit)
    assert environment.confined
    seen, six = run(environment, "import json, tiny, six; print(json.dumps([tiny.SEEN, six.__version__]))")
    assert seen["network"] == "none"
    assert seen["secret"] is False
    assert not [name for name in seen["variables"] if name.startswith(("DARKROOM", "UV", "PYTEST"))]
    assert six == "1.16.0"
    assert tiny.commit in environment.lock
    assert "six==1.16.0" in environment.lock
    # A moved tag changes nothing for whoever has the lock, on any runner.
    tiny.change({"tiny.py": '"""Other."""\nVALUE = 8\n'}, "v1")
    elsewhere = bench.environments(bench.folder / "elsewhere").prepare("mine", mine.commit, environment.lock)
    assert run(elsewhere, "import tiny; print(tiny.VALUE)") == 7
    assert elsewhere.lock == environment.lock
    relocked = environments.prepare("mine", mine.commit)
    assert relocked.lock_digest != environment.lock_digest
    assert run(relocked, "import tiny; print(tiny.VALUE)") == 8
    # What confined code was built to is not what a trusted repository gets, nor the other way round.
    bench.repositories["mine"] = GitRepository("mine", mine.url, trusted=True)
    trusted = bench.environments().prepare("mine", mine.commit, relocked.lock)
    assert (trusted.lock, trusted.confined) == (relocked.lock, False)
    assert trusted.python != relocked.python


def test_a_source_distribution_is_built_where_it_is_asked_for(bench, sandbox):
    bench.sandbox = sandbox
    project = "[project]\nname='mine'\nversion='1'\ndependencies=['docopt']\n[tool.darkroom]\nbuild=['docopt==0.6.2']"
    mine = bench.add("mine", {"m.py": "", "pyproject.toml": project}, trusted=False)
    environment = bench.environments().prepare("mine", mine.commit)
    assert run(environment, "import json, docopt; print(json.dumps(docopt.__version__))") == "0.6.2"
    # The digest of the source distribution, and the pinned packages that it was built with.
    assert "49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8d08c85c491" in environment.lock
    assert "setuptools==" in environment.lock


def test_a_repository_that_is_not_trusted_needs_a_full_sandbox(bench):
    mine = bench.add("mine", HANDLER, trusted=False)
    environments = bench.environments()
    [served] = environments.served()
    assert (served.name, served.commit) == ("mine", "")
    assert "is not trusted, and the sandbox here is none: it is not needed" in served.refusal
    with pytest.raises(WorkFailed, match="`trusted` in DARKROOM_RUNNER_REPOSITORIES, would do") as caught:
        environments.prepare("mine", mine.commit)
    assert caught.value.failure_class == "SANDBOX"


def test_a_repository_that_is_not_trusted_cannot_have_this_machines_own_repositories(bench, sandbox):
    bench.sandbox = sandbox
    secret = Repository(bench.folder / "secret", TINY)
    requires = f"[project]\nname='mine'\nversion='1'\ndependencies=['tiny @ git+file://{secret.url}@main']"
    mine = bench.add("mine", {**HANDLER, "pyproject.toml": requires}, trusted=False)
    with pytest.raises(WorkFailed, match="a repository that is not trusted may require https URLs"):
        bench.environments().prepare("mine", mine.commit)


@pytest.mark.parametrize(
    ("dependencies", "message"),
    [
        (
            ["pillow==8.0.0"],
            r"pillow has no wheel for Python .* on this machine; another version of it, or the package",
        ),
        (["numpy==1.99"], "the package index has no numpy==1.99; a version that it has would do"),
        (["six==1.16.0", "six==1.17.0"], "requirements that fit one another would do"),
        (["docopt==0.6.2"], "docopt has no wheel for Python"),
    ],
)
def test_what_cannot_be_installed_is_named(bench, dependencies, message):
    lines = ", ".join(map(repr, dependencies))
    mine = bench.add("mine", {**HANDLER, "pyproject.toml": f"[project]\nname='m'\nversion='1'\ndependencies=[{lines}]"})
    with pytest.raises(WorkFailed, match=message) as caught:
        bench.environments().prepare("mine", mine.commit)
    assert caught.value.failure_class == "ENVIRONMENT"
    assert "/tmp/" not in str(caught.value)


def test_a_build_that_fails_shows_what_it_printed(bench):
    broken = bench.add("broken", {"setup.py": "print('compiling')\nraise SystemExit('no compiler here')\n"})
    mine = bench.add("mine", {"m.py": "", "requirements.txt": f"broken @ git+file://{broken.url}"})
    with pytest.raises(WorkFailed, match=r"building broken .* failed: no compiler here") as caught:
        bench.environments().prepare("mine", mine.commit)
    assert "compiling" in caught.value.detail


def test_dynamic_requirements_are_refused_of_a_repository_that_is_not_trusted(bench, sandbox):
    bench.sandbox = sandbox
    setup = "import setuptools\nsetuptools.setup(install_requires=f())"
    mine = bench.add("mine", {"m.py": "", "setup.py": setup}, trusted=False)
    with pytest.raises(WorkFailed, match=r"setup.py computes .* A list under `dependencies` in \[project\]"):
        bench.environments().prepare("mine", mine.commit)


COMPUTED = """
import setuptools
version = "1.{}.0".format(16)
setuptools.setup(
    name="seed", version="1", py_modules=["my_handlers"], python_requires=">=3.8",
    install_requires=["six==" + version] + (["nothing-has-this-name-here"] if 1 > 2 else []),
)
"""
POETRY = """
[tool.poetry]
name = "my-handlers"
version = "1.0"
description = "x"
authors = ["Anna <anna@example.org>"]
[tool.poetry.dependencies]
python = ">=3.8"
six = "1.16.0"
[build-system]
requires = ["poetry-core>=1.0"]
build-backend = "poetry.core.masonry.api"
"""


@pytest.mark.parametrize("files", [{"setup.py": COMPUTED}, {"pyproject.toml": POETRY}], ids=["setup.py", "poetry"])
def test_requirements_that_only_a_trusted_repositorys_own_build_can_tell_are_in_the_lock(bench, files):
    mine = bench.add("mine", {"my_handlers.py": "", **files})
    made = bench.environments().prepare("mine", mine.commit)
    assert run(made, "import json, six; print(json.dumps(six.__version__))") == "1.16.0"
    assert "# requires, by its own build: [" in made.lock
    assert Lock.parse(made.lock).text() == made.lock
    # Whoever has the lock needs no build: not even the repository's is looked at.
    again = bench.environments().prepare("mine", mine.commit, made.lock)
    assert (again.python, again.lock_digest) == (made.python, made.lock_digest)


def test_a_checkout_of_another_trust_is_not_taken(bench, sandbox):
    bench.sandbox = sandbox
    mine = bench.add("mine", {"m.py": ""}, trusted=False)
    stray = mine.change({"m.py": "x = 'anybody pushed this to a fork'\n"})
    mine.git("reset", "--hard", "--quiet", "HEAD~1")
    made = bench.environments().prepare("mine", stray)
    assert made.confined
    bench.repositories["mine"] = GitRepository("mine", mine.url, trusted=True)
    with pytest.raises(WorkFailed, match="no branch or tag of the repository mine contains"):
        bench.environments().prepare("mine", stray, made.lock)
    trusted = bench.environments().prepare("mine", mine.git("rev-parse", "HEAD"), made.lock)
    bench.repositories["mine"] = GitRepository("mine", mine.url)
    confined = bench.environments().prepare("mine", trusted.commit, made.lock)
    assert dict(confined.fields)["path"] != dict(trusted.fields)["path"]
    # Packages of the index are what their hashes say, whoever asked for them.
    assert confined.python == trusted.python


def test_mirrors_and_checkouts_are_bounded_and_what_is_used_stays(bench):
    kept, limits = bench.folder / "home", {"mirrors_bytes": 2_000_000, "sources_bytes": 3_000_000}
    one, two, three = (
        bench.add(name, {"m.py": "", "noise.txt": os.urandom(1_200_000).hex()}) for name in ("one", "two", "three")
    )
    environments = bench.environments(kept, **limits)
    first = environments.prepare("one", one.commit)
    lock, made = first.lock, [first, environments.prepare("two", two.commit, first.lock)]
    [mirror] = [path.name for path in (kept / "mirrors").iterdir() if path.name[0] != "."]
    assert mirror.startswith("two-")
    # Both are in use, so both stay, though together they are too large.
    folders = [Path(dict(each.fields)["path"]) for each in made]
    assert all(folder.is_dir() for folder in folders)
    first = None
    made.clear()
    gc.collect()
    last = environments.prepare("three", three.commit, lock)
    assert [folder.is_dir() for folder in folders] == [False, False]
    assert Path(dict(last.fields)["path"]).is_dir()
    # The mirror that is gone is fetched again.
    again = environments.prepare("one", one.change({"m.py": "2"}), lock)
    assert Path(dict(again.fields)["path"], "m.py").read_text() == "2"


def test_a_commit_that_is_not_there_is_named(bench):
    bench.add("mine", HANDLER)
    with pytest.raises(WorkFailed, match=f"commit {'0' * 40}.*a version that the repository has would do"):
        bench.environments().prepare("mine", "0" * 40)


def test_git_that_is_away_is_no_failure_of_the_environment(bench):
    bench.repositories["mine"] = GitRepository("mine", "https://localhost:1/mine", trusted=True)
    with pytest.raises(Unavailable, match="the repository mine cannot be reached"):
        bench.environments().prepare("mine", "0" * 40)


def test_an_index_that_is_away_is_no_failure_of_the_environment(bench, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://user:secret@localhost:1/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(bench.folder / "cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    mine = bench.add("mine", HANDLER)
    with pytest.raises(Unavailable, match="the package index does not answer") as caught:
        bench.environments().prepare("mine", mine.commit)
    assert "secret" not in str(caught.value)


def test_a_lock_for_another_python_is_refused(bench):
    mine = bench.add("mine", {"m.py": ""})
    environments = bench.environments()
    lock = environments.prepare("mine", mine.commit).lock
    other = lock.replace("# python: 3.", "# python: 2.")
    with pytest.raises(WorkFailed, match=r"the lock is for Python 2\."):
        environments.prepare("mine", mine.commit, other)


def test_a_cached_environment_is_ready_without_network_or_git(bench, monkeypatch):
    mine = bench.add("mine", {"m.py": ""})
    made = bench.environments().prepare("mine", mine.commit)
    lock, python = made.lock, made.python
    os.rename(bench.folder / "mine", bench.folder / "away")
    monkeypatch.setenv("PATH", "/nowhere")
    # As after a restart.
    assert bench.environments().prepare("mine", mine.commit, lock).python == python
