from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .ports import free_port

OTHERS = "import json; from tests.ports import free_port; print(json.dumps([free_port() for _ in range(20)]))"


def test_a_port_is_given_once_though_nobody_listens() -> None:
    ours = {free_port() for _ in range(20)}
    root = Path(__file__).parent.parent
    said = subprocess.run([sys.executable, "-c", OTHERS], cwd=root, capture_output=True, check=True, timeout=60)
    theirs = set(json.loads(said.stdout))
    assert (len(ours), len(theirs), ours & theirs) == (20, 20, set())
