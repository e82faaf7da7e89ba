"""What a repository says of itself is read without running it."""

from __future__ import annotations

import pytest

from handler_runner.environment_metadata import read_metadata
from handler_runner.failure import WorkFailed

HANDLER = "raise SystemExit('this must not run')\n"


@pytest.fixture
def declare(tmp_path):
    def write(**files):
        (tmp_path / "my_handlers.py").write_text(HANDLER)
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        return read_metadata(tmp_path)

    return write


def test_a_project_table_says_all(declare, tmp_path):
    declared = declare(
        pyproject__toml="""
        [project]
        name = "my-handlers"
        requires-python = ">=3.9"
        dependencies = ["numpy==1.24.4", "tiny @ git+https://example.org/tiny@v1"]
        [tool.darkroom]
        python = "3.11"
        build = ["docopt==0.6.2"]
        """
    )
    assert declared.folder == tmp_path
    assert declared.module == "my_handlers"
    assert declared.requirements == ("numpy==1.24.4", "tiny @ git+https://example.org/tiny@v1")
    assert declared.build == ("docopt==0.6.2",)
    assert sorted(declared.python.split(",")) == ["==3.11.*", ">=3.9"]
    assert not declared.dynamic


def test_nothing_but_a_module_is_enough(declare):
    declared = declare()
    assert (declared.module, declared.requirements, declared.python) == ("my_handlers", (), "")


def test_requirements_txt_is_read_where_there_is_no_project(declare):
    text = "# ours\nnumpy==1.24.4 \\\n  --hash=sha256:00\n\nopencv-python-headless>=4.6  # old\n"
    declared = declare(requirements__txt=text, setup__py="this is no python")
    assert declared.requirements == ("numpy==1.24.4", "opencv-python-headless>=4.6")


def test_a_written_out_setup_py_is_read(declare):
    declared = declare(setup__py="from setuptools import setup\nsetup(install_requires=['numpy'], version='1')\n")
    assert declared.requirements == ("numpy",)


def test_setup_cfg_comes_before_setup_py(declare):
    declared = declare(
        setup__cfg="[options]\npython_requires = >=3.9\ninstall_requires =\n  numpy\n  six>=1\n", setup__py=HANDLER
    )
    assert declared.requirements == ("numpy", "six>=1")
    assert declared.python == ">=3.9"


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("pyproject__toml", "[project]\nname='x'\ndynamic=['dependencies']", "dynamic"),
        ("pyproject__toml", "[tool.poetry]\nname='x'", "Poetry"),
        ("setup__py", "import setuptools\nsetuptools.setup(install_requires=open('r').read().split())", "computes"),
        ("setup__cfg", "[options]\ninstall_requires = file: r.txt", "another file"),
    ],
)
def test_what_only_code_knows_is_named(declare, file, text, why):
    assert why in declare(**{file: text}).dynamic


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("pyproject__toml", "[project", "cannot be read"),
        ("pyproject__toml", "[tool.darkroom]\nbuilds=[]", "'builds'; it may have module, python, build"),
        ("pyproject__toml", "[tool.darkroom]\nbuild='docopt'", "must be a list"),
        ("pyproject__toml", "[tool.darkroom]\nmodule='nothing'", "has no module 'nothing'"),
        ("pyproject__toml", "[tool.darkroom]\nmodule='../x'", "the name of a module would do"),
        ("pyproject__toml", "[tool.darkroom]\npython='three'", "says no Python versions"),
        ("requirements__txt", "-r other.txt", "the option '-r other.txt'"),
        ("requirements__txt", "--index-url https://elsewhere.example", "leave indexes to the runner's operator"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_would_do(declare, file, text, message):
    with pytest.raises(WorkFailed, match=message) as caught:
        declare(**{file: text})
    assert caught.value.failure_class == "ENVIRONMENT"


def test_the_module_may_lie_in_src_or_be_named(tmp_path):
    (tmp_path / "src" / "inner").mkdir(parents=True)
    (tmp_path / "src" / "inner" / "__init__.py").touch()
    (tmp_path / "noise.py").touch()
    assert read_metadata(tmp_path).folder == tmp_path / "src"
    assert read_metadata(tmp_path).module == "inner"
    (tmp_path / "more.py").touch()
    (tmp_path / "pyproject.toml").write_text("[tool.darkroom]\nmodule = 'more'")
    assert read_metadata(tmp_path).folder == tmp_path
    assert read_metadata(tmp_path).module == "more"


def test_two_modules_are_refused_by_name(tmp_path):
    (tmp_path / "one.py").touch()
    (tmp_path / "two.py").touch()
    with pytest.raises(WorkFailed, match="It holds one, two"):
        read_metadata(tmp_path)
