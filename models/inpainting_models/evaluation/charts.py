"""Draws a small line chart as SVG text."""

from __future__ import annotations

import html
from collections.abc import Mapping

WIDTH, HEIGHT = 620, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 130, 28, 40
COLOURS = ("#7d7d7d", "#c98a1b", "#3b7dd8", "#8e5bc0", "#c2458a", "#16936b", "#d2492a", "#1ba3b8", "#6b8e23", "#333fa0")


def line_chart(title: str, axis: str, lines: Mapping[str, Mapping[str, float]], target: float | None = None) -> str:
    """Return an SVG of the lines, each from names of places along the axis to values; `target` is drawn dashed."""
    places = list(dict.fromkeys(place for line in lines.values() for place in line))
    values = [value for line in lines.values() for value in line.values()] + ([target] if target is not None else [])
    if not places:
        return f"<p>{html.escape(title)}: nothing was measured.</p>"
    top = max(values) * 1.05 or 1.0

    def x(place: str) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (places.index(place) + 0.5) / len(places)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top

    parts = [f"<svg width='{WIDTH}' height='{HEIGHT}' role='img' aria-label='{html.escape(title)}'>"]
    parts.append(f"<text x='{LEFT}' y='14' style='font-weight:600'>{html.escape(title)}</text>")
    for step in range(5):
        value = top * step / 4
        parts.append(f"<path d='M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}' stroke='currentColor' opacity='.15'/>")
        parts.append(f"<text x='{LEFT - 6}' y='{y(value) + 4:.1f}' text-anchor='end'>{value:.3g}</text>")
    for place in places:
        label = html.escape(place.replace("_", "–").replace("–up", "+"))
        parts.append(f"<text x='{x(place):.1f}' y='{HEIGHT - BOTTOM + 16}' text-anchor='middle'>{label}</text>")
    parts.append(
        f"<text x='{(LEFT + WIDTH - RIGHT) / 2}' y='{HEIGHT - 6}' text-anchor='middle'>{html.escape(axis)}</text>"
    )
    if target is not None:
        dashed = "stroke='currentColor' stroke-dasharray='4 4' opacity='.6'"
        parts.append(f"<path d='M{LEFT} {y(target):.1f}H{WIDTH - RIGHT}' {dashed}/>")
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in line.items())
        parts.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2'/>")
        height = TOP + 8 + 17 * number
        parts.append(f"<rect x='{WIDTH - RIGHT + 12}' y='{height - 8}' width='10' height='10' fill='{colour}'/>")
        parts.append(f"<text x='{WIDTH - RIGHT + 28}' y='{height + 1}'>{html.escape(name)}</text>")
    return "".join(parts) + "</svg>"
