"""How long a hit takes to be answered: the last walk over the raw files fresh, and a new walk."""

from __future__ import annotations

import time
from pathlib import Path

from house import House

# Behind so many seconds the last walk is too old to answer.
WALK_AGE_S = 11


def hit_times_ms(home: Path, raw: Path, rounds: int, fresh_each: int) -> tuple[list[float], list[float]]:
    """Return the times of hits on the raw dataset `photos`, with a fresh walk and with a new one."""
    house = House(home, raw)
    asked = {"max_bad_fraction": 1.0}
    fresh: list[float] = []
    walked: list[float] = []
    try:
        house.client.define("bench", "stock/images", {"photos": "photos"})
        house.client.request_dataset("bench", "latest", asked).wait()
        for _ in range(rounds):
            time.sleep(WALK_AGE_S)
            for figures, repeats in ((walked, 1), (fresh, fresh_each)):
                for _ in range(repeats):
                    began = time.perf_counter()
                    snapshot = house.client.request_dataset("bench", "latest", asked).wait()
                    figures.append((time.perf_counter() - began) * 1000)
                    assert snapshot.cached, snapshot
    finally:
        house.stop()
    return fresh, walked
