"""A handler is named with its version in one word or in two, never in two that differ."""

import pytest
from typer.testing import CliRunner

from darkroom_client.catalog import Option
from darkroom_client.command import app
from darkroom_client.command_handlers import _example, _print_options


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mine/edges@"], "error: mine/edges@: a tag, branch or commit follows the @, as in mine/edges@v1"),
        (["mine/edges@v1", "v2"], "error: mine/edges@v1 v2: two versions; one of them would do"),
    ],
)
def test_two_versions_or_an_empty_one_are_refused(arguments, said):
    done = CliRunner().invoke(app, ["handlers", "show", *arguments])
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize(
    ("kind", "default", "example", "typed"),
    [
        ("size", [64, 64], [32, 48], "32x48"),
        ("integer", 3, 4, "4"),
        ("string", "plain", "two words", "'two words'"),
        ("list", [1], [1, 2], "'[1,2]'"),
        ("boolean", False, True, "true"),
        ("any", "a", None, "a"),
    ],
)
def test_an_example_is_what_is_typed_in_a_shell(kind, default, example, typed):
    assert _example(Option("x", kind, False, default, example=example)) == typed


def test_each_option_shows_type_default_range_and_a_value_to_try(capsys):
    option = Option("quality", "integer", False, 90, "JPEG quality", "a whole number from 1 to 100", example=47)
    _print_options([option, Option("size", "size", True, None, "", "", example=[8, 8])])
    assert capsys.readouterr().out.splitlines() == [
        "  OPTION   TYPE     DEFAULT   TRY",
        "  quality  integer  90        --set quality=47",
        "      JPEG quality",
        "      takes a whole number from 1 to 100",
        "  size     size     required  --set size=8x8",
    ]
