"""A lock is a whole repository's, at one version."""

import pytest
from typer.testing import CliRunner

from darkroom_client.command import app


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lab/edges@v1"], "error: lab/edges@v1: a lock is the whole repository's; write lab"),
        (["lab@"], "error: lab@ : one version would do, as in lab@v1"),
        (["lab@v1", "v2"], "error: lab@v1 v2: one version would do, as in lab@v1"),
    ],
)
def test_a_handler_or_two_versions_are_refused(arguments, said):
    done = CliRunner().invoke(app, ["handlers", "relock", *arguments])
    assert done.exit_code == 2
    assert said in done.output
