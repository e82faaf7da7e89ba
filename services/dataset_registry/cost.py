"""Estimates what a build would cost from builds that are finished: pure, and it says on what it rests.

Simple on purpose: examples grow with the raw files and with the variations of each, bytes and time with the examples,
and both less than the image area: a smaller JPEG has more bytes for each pixel, and reading a photo costs the same
whatever is made of it. What else differs is named and not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataset_registry.explaining import Difference, differences

# What the config may tell of the amount of work.
VARIATIONS = "variations_per_sample"
# The first that is set is the size of what an example holds.
SIZES = ("crop_size", "image_size")
# Exponents of the area in an example's bytes and time, as measured with the stock handlers from 64 to 384 px.
BYTES_BY_AREA = 0.85
TIME_BY_AREA = 0.3
_NAMED = 3


@dataclass(frozen=True)
class Finished:
    """A build that ended well; ``raw_files`` is the files of each role's snapshot, as far as they are known."""

    key: str
    preimage: Mapping[str, Any]
    example_count: int
    size_bytes: int
    build_s: float
    ready_time: float
    raw_files: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """What a build would come to, and on what that rests, in one sentence."""

    example_count: int
    size_bytes: int
    build_s: float
    basis: str


def estimate(asked: Mapping[str, Any], raw_files: Mapping[str, int], finished: Iterable[Finished]) -> Cost | None:
    """Return what building ``asked`` would cost, from the nearest build of its handler; None when there is none."""
    ranked = sorted(
        ((differences(asked, each.preimage), each) for each in finished if _same_handler(asked, each.preimage)),
        key=lambda pair: _distance(*pair),
    )
    if not ranked:
        return None
    found, nearest = ranked[0]
    scaled: list[str] = []
    files = _files(found, raw_files, nearest.raw_files, scaled)
    variations = _ratio(
        _variations(asked), _variations(nearest.preimage), f"{VARIATIONS} {{}} in place of {{}}", scaled
    )
    area = _ratio(_area(asked), _area(nearest.preimage), "images of {} in place of {} pixels", scaled)
    examples = files * variations
    return Cost(
        example_count=round(nearest.example_count * examples),
        size_bytes=round(nearest.size_bytes * examples * area**BYTES_BY_AREA),
        build_s=nearest.build_s * examples * area**TIME_BY_AREA,
        basis=_basis(nearest, found, scaled),
    )


def _same_handler(asked: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return "handler" in other and all(asked[name] == other[name] for name in ("repository", "handler"))


def _distance(found: tuple[Difference, ...], build: Finished) -> tuple[int, int, int, float]:
    """Order builds: the config decides most of the cost, then the raw data, then the code."""
    config = sum(each.field.startswith("config.") for each in found)
    raw = sum(bool(each.role) for each in found)
    return config, raw, len(found) - config - raw, -build.ready_time


def _files(
    found: tuple[Difference, ...], asked: Mapping[str, int], known: Mapping[str, int], scaled: list[str]
) -> float:
    roles = [each.role for each in found if each.role]
    if not roles:
        return 1.0
    ours, theirs = sum(asked.values()), sum(known.values())
    if not all(asked.get(role) and known.get(role) for role in roles):
        scaled.append("as if its raw data had as many files, which is not known")
        return 1.0
    return _ratio(ours, theirs, "{} raw files in place of {}", scaled) if ours != theirs else 1.0


def _ratio(ours: float, theirs: float, words: str, scaled: list[str]) -> float:
    """Return how many times as much, noting it; 1 where one side does not say."""
    if not ours or not theirs or ours == theirs:
        return 1.0
    scaled.append(words.format(f"{ours:,.0f}", f"{theirs:,.0f}"))
    return ours / theirs


def _variations(preimage: Mapping[str, Any]) -> float:
    count = preimage["config"].get(VARIATIONS)
    return count if isinstance(count, int | float) and not isinstance(count, bool) and count > 0 else 0


def _area(preimage: Mapping[str, Any]) -> float:
    for name in SIZES:
        size = preimage["config"].get(name)
        if isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size):
            return float(size[0] * size[1])
    return 0.0


def _basis(nearest: Finished, found: tuple[Difference, ...], scaled: list[str]) -> str:
    counted = {f"config.{name}" for name in (VARIATIONS, *SIZES)}
    left = [each.field.removeprefix("config.") for each in found if not each.role and each.field not in counted]
    words = f"the build of {nearest.key[:12]}"
    if not found:
        words = f"the last build of the same dataset, {nearest.key[:12]}"
    elif not any(each.field.startswith("config.") for each in found):
        words += " with the same config"
    elif not any(each.role for each in found):
        words += " from the same raw data"
    if scaled:
        words += f", scaled: {'; '.join(scaled)}"
    if left:
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        words += f"; not counted: {', '.join(left[:_NAMED])}{more}"
    return words
