"""Writes the blind page: pairs of results whose makers are hidden, a key kept apart, and counts the choices."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_models.evaluation.pictures import Album
from inpainting_models.evaluation.randomness import digest_of
from inpainting_models.evaluation.statistics import interval

CHOICES = ("left", "right", "same")
_PAGE = Path(__file__).with_name("blind_page.html")


def write_blind(album: Album, methods: Sequence[str], page: Path, key: Path, count: int) -> int:
    """Write the page with its pictures beside it, and the key; return the number of pairs.

    Neither the page nor its pictures' names tell which method is which: keep the key from who chooses. Pairs, sides and
    order are drawn by digest, and so the same for the same results.
    """
    pairs = [
        (case, *((one, two) if int(digest_of("side", case, one, two), 16) % 2 else (two, one)))
        for case in album.cases
        for one, two in combinations([name for name in methods if name in album.results[case]], 2)
    ]
    pairs.sort(key=lambda pair: digest_of("pair", *sorted(pair)))
    folder = page.parent / f"{page.stem}_pictures"
    folder.mkdir(parents=True, exist_ok=True)
    shown, secret = [], []
    for case, left, right in pairs[:count]:
        identity = digest_of("blind", case, left, right)[:12]
        files = {"left": left, "right": right, "hole": "_hole"}
        for side, method in files.items():
            shutil.copyfile(album.path(case, method), folder / f"{identity}-{side}.png")
        shown.append({"id": identity} | {side: f"{folder.name}/{identity}-{side}.png" for side in files})
        secret.append({"id": identity, "case": case, "left": left, "right": right})
    session = digest_of("session", *(pair["id"] for pair in shown))[:16]
    # A "<" could end the page's script.
    data = json.dumps({"session": session, "pairs": shown}).replace("<", "\\u003c")
    page.write_text(_PAGE.read_text(encoding="utf-8").replace("/*DATA*/null", data), encoding="utf-8")
    key.write_text(json.dumps({"session": session, "pairs": secret}, indent=1) + "\n")
    return len(shown)


def tally(choices: Sequence[dict[str, Any]], key: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return for each method against each other one how often it was preferred, with its interval over photos.

    `choices` are the files that the page saves, of one person or several. Raises ValueError for another page's.
    """
    pairs = {pair["id"]: pair for pair in key["pairs"]}
    votes: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for answers in choices:
        if answers.get("session") != key["session"]:
            raise ValueError(f"these choices are of page {answers.get('session')!r}, the key is of {key['session']!r}")
        for answer in answers["choices"]:
            pair, chosen = pairs[answer["id"]], answer["choice"]
            if chosen not in CHOICES:
                raise ValueError(f"no choice {chosen!r} (pair {answer['id']}); there are {', '.join(CHOICES)}")
            left = {"left": 1.0, "right": 0.0, "same": 0.5}[chosen]
            votes.setdefault((pair["left"], pair["right"]), []).append((left, pair["case"]))
            votes.setdefault((pair["right"], pair["left"]), []).append((1 - left, pair["case"]))
    counted: dict[str, dict[str, Any]] = {}
    for (method, other), cast in sorted(votes.items()):
        rate = interval(np.array([vote for vote, _ in cast]), [case for _, case in cast])
        counted.setdefault(method, {})[other] = {
            "preferred": rate.mean,
            "low": rate.low,
            "high": rate.high,
            "votes": rate.cases,
        }
    return counted
