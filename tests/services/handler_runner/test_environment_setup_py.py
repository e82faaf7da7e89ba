"""Old repositories' setup files are read as text."""

from __future__ import annotations

import pytest

from handler_runner.environment_setup_py import read_setup_cfg, read_setup_py


def test_a_list_under_a_name_counts_as_written_out():
    found = read_setup_py(
        "import setuptools\nNEEDS = ['numpy>=1.20',\n 'six']\nsetuptools.setup(install_requires=NEEDS, "
        "python_requires='>=3.6', packages=setuptools.find_packages())"
    )
    assert found.requirements == ("numpy>=1.20", "six")
    assert found.python == ">=3.6"
    assert not found.dynamic


def test_no_requirements_are_none():
    assert read_setup_py("from setuptools import setup\nsetup(name='x')").requirements == ()


@pytest.mark.parametrize(
    "text",
    [
        "setup(install_requires=read())",
        "setup(install_requires=['numpy'] + more)",
        "NEEDS = ['numpy']\nNEEDS += ['six']\nsetup(install_requires=NEEDS)",
        "NEEDS = ['numpy']\nif True:\n    NEEDS = ['six']\nsetup(install_requires=NEEDS)",
        "setup(**everything)",
        "setup()\nsetup()",
        "print 'old python'",
        "setup(install_requires=[1])",
        "(" * 5000,
    ],
)
def test_what_must_be_computed_is_dynamic(text):
    assert read_setup_py(text).dynamic


def test_a_setup_cfg_without_requirements_says_nothing():
    assert read_setup_cfg("[metadata]\nname = x\n") is None
    assert read_setup_cfg("no section") is None
