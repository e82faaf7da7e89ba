"""Every command is documented, whole, and nothing is documented that there is not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from darkroom_client.command import app

DOCUMENT = Path(__file__).parents[3] / "docs" / "commands.md"


def commands(group=None, path: str = "darkroom") -> dict:
    """Every command by its words, groups that do something of their own included."""
    group = group or typer.main.get_command(app)
    found = {}
    for name, command in group.commands.items():
        words = f"{path} {name}"
        if hasattr(command, "commands"):
            found |= commands(command, words)
        if not hasattr(command, "commands") or command.invoke_without_command:
            found[words] = command
    return found


def sections() -> dict[str, str]:
    """The text of each command's section."""
    parts = re.split(r"^### (darkroom [a-z -]*[a-z]).*$", DOCUMENT.read_text(), flags=re.MULTILINE)
    return {
        words: re.split(r"^## ", text, flags=re.MULTILINE)[0]
        for words, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_every_command_has_its_section_and_every_section_its_command():
    assert set(sections()) == set(commands())


@pytest.mark.parametrize("words", sorted(commands()))
def test_every_option_is_in_its_commands_section_and_every_one_there_exists(words):
    known = {
        option
        for parameter in commands()[words].params
        if parameter.param_type_name == "option"
        for option in parameter.opts
        if option not in ("--help", "-h")
    }
    rows = re.findall(r"^\| (`-[^|]*) \|", sections()[words], flags=re.MULTILINE)
    documented = {option for row in rows for option in re.findall(r"--?[a-z][a-z-]*", row)}
    assert documented == known


@pytest.mark.parametrize("words", sorted(commands()))
def test_every_command_explains_itself(words):
    done = CliRunner().invoke(app, [*words.split()[1:], "--help"])
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) > 4


def test_the_options_of_the_command_itself_are_documented():
    for parameter in typer.main.get_command(app).params:
        for option in parameter.opts:
            assert (
                option in ("--help", "-h")
                or f"`darkroom {option}`" in DOCUMENT.read_text()
                or f"`{option}`" in DOCUMENT.read_text()
            )


def test_an_unknown_option_is_refused_and_the_version_is_printed():
    assert CliRunner().invoke(app, ["ls", "--nonsense"]).exit_code == 2
    done = CliRunner().invoke(app, ["--version"])
    assert done.exit_code == 0
    assert re.fullmatch(r"darkroom \d+\.\d+.*\n", done.stdout)


def test_a_command_loads_no_other():
    code = (
        "import sys\n"
        "from darkroom_client.command import COMMANDS, app\n"
        "app(['usage', '--help'], standalone_mode=False)\n"
        "modules = {place.partition(':')[0] for place in COMMANDS.values()}\n"
        "print(*(each for each in modules if f'darkroom_client.{each}' in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "command_usage"
