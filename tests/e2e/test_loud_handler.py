"""Whatever a handler prints, forks and raises: its log is whole, and its error arrives with the traceback."""

from __future__ import annotations


def test_binary_on_stdout_forks_and_an_exception_garble_nothing(shared_house):
    shared_house.client.define("loud", "test/loud", {"photos": "street"})
    asked = shared_house.darkroom("request", "loud", "--json")
    assert asked.code == 1
    error = asked.json["error"]
    assert error["reason"] == "HANDLER_ERROR"
    assert "this handler gives up" in error["message"]
    assert "Traceback (most recent call last)" in asked.err
    assert 'raise RuntimeError("this handler gives up")' in asked.err
    [dataset] = shared_house.client.list_datasets("loud")
    log = shared_house.darkroom("logs", dataset.key).ok().out
    for line in (
        "a line by print",
        "a line on standard error",
        "\\x00\\x00\\x00\\x05hello \\xff\\xfe binary",
        "a line by a program",
    ):
        assert line in log.splitlines(), log
    # Asked again, the same failure answers at once: nothing runs in vain.
    builds = len(shared_house.runner.events("work_begins"))
    assert shared_house.darkroom("request", "loud").code == 1
    assert [each["kind"] for each in shared_house.runner.events("work_begins")[builds:]].count("BUILD") == 0
