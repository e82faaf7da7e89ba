"""However many callers ask at once, each dataset is built once, and each caller sees the end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

CROWD = Path(__file__).with_name("crowd.py")
CROWD_PROCESSES = 2
SAME, OTHERS, CLIENTS_PER_OTHER = 200, 5, 10
HEAD_START_S = 0.3
# Asked for are 0.5 s; a loaded machine wakes its clients late.
TOGETHER_S = 3.0


def test_hundreds_of_callers_cause_one_build_for_each_key_and_all_see_the_same_dataset(open_house, photos):
    house = open_house(photos).start()
    house.client.define("street", "test/slow", {"photos": "street"})
    # The same config in two spellings, so that joining does not hang on the text.
    plan = [
        ["street", '{"seed": 1, "delay_s": 0.02}', SAME // CROWD_PROCESSES // 2],
        ["street", '{"delay_s": 0.02, "seed": 1.0}', SAME // CROWD_PROCESSES // 2],
        *(
            ["street", json.dumps({"seed": 2 + number, "delay_s": 0}), CLIENTS_PER_OTHER // CROWD_PROCESSES]
            for number in range(OTHERS)
        ),
    ]
    arguments = [sys.executable, str(CROWD), house.server, json.dumps(plan)]
    crowd = [
        subprocess.Popen(
            arguments, env=house.variables(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for _ in range(CROWD_PROCESSES)
    ]
    try:
        assert [each.stdout.readline() for each in crowd] == ["ready\n"] * CROWD_PROCESSES
        for each in crowd:
            each.stdin.write(f"{time.time() + HEAD_START_S}\n")
        lines = [json.loads(line) for each in crowd for line in each.communicate(timeout=90)[0].splitlines()]
    finally:
        for each in crowd:
            each.kill()
    assert len(lines) == SAME + OTHERS * CLIENTS_PER_OTHER
    asked = [line[0] for line in lines]
    assert max(asked) - min(asked) < TOGETHER_S
    print(f"asked within {max(asked) - min(asked):.2f} s")
    assert Counter(state for _, _, state, _ in lines) == {"READY": len(lines)}
    assert sorted(Counter(key for _, key, _, _ in lines).values()) == [CLIENTS_PER_OTHER] * OTHERS + [SAME]
    digest_of = {key: digest for _, key, _, digest in lines}
    assert all(digest_of[key] == digest for _, key, _, digest in lines)
    assert len(set(digest_of.values())) == 1 + OTHERS
    begun = Counter(entry["kind"] for entry in house.runner.events("work_begins"))
    # One environment for each repository, one walk over the photos, one build for each key.
    assert begun == {"ENVIRONMENT": 2, "SNAPSHOT": 1, "BUILD": 1 + OTHERS}
    for key in digest_of:
        dataset = house.client.get_dataset(key)
        assert dataset.attempt == 1
        assert "".join(house.client.read_log(dataset.name)).count("reading ") == dataset.example_count
