"""A process dies at the point that it was told, at no other, and every named point is somewhere."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service_kit.crash_points import REGISTRY_POINTS, RUNNER_POINTS

SERVICES = Path(__file__).resolve().parents[3] / "services"
SCRIPT = """
from service_kit.crash_points import reach
for name in ("shard_put", "unit_put", "shard_put"):
    print(name, flush=True)
    reach(name)
"""


@pytest.mark.parametrize(
    ("at", "printed", "code"),
    [
        ("", 3, 0),
        ("shard_put", 1, -signal.SIGKILL),
        ("unit_put", 2, -signal.SIGKILL),
        ("shard_put:2", 3, -signal.SIGKILL),
        ("shard_put:3", 3, 0),
    ],
)
def test_a_process_dies_where_it_was_told_to(at: str, printed: int, code: int) -> None:
    environment = {**os.environ, "DARKROOM_CRASH_AT": at}
    died = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert (len(died.stdout.split()), died.returncode) == (printed, code), died.stderr


def test_each_named_point_is_in_one_place_and_no_place_lacks_a_name() -> None:
    placed = [
        name
        for path in SERVICES.rglob("*.py")
        if path.name != "crash_points.py"
        for name in re.findall(r'\breach\("(\w+)"\)', path.read_text())
    ]
    assert sorted(placed) == sorted([*REGISTRY_POINTS, *RUNNER_POINTS])
