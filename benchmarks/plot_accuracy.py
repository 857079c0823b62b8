"""Draws the figures of `accuracy.py` for docs/accuracy.md: error by length of the window, log-log.

    python benchmarks/plot_accuracy.py [RESULTS.json] [PLOT.svg]

The colours are readable on a light and on a dark page, so the picture has no background of its own.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

PROJECT = Path(__file__).parent.parent
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 580, 28, 348
X_TICKS = {0.05: "50 ms", 0.1: "100 ms", 0.3: "300 ms", 1.0: "1 s", 3.0: "3 s"}
Y_TICKS = {0.0001: "0.01 %", 0.001: "0.1 %", 0.01: "1 %", 0.1: "10 %", 1.0: "100 %"}
GREY = "#6e7781"
COLOURS = {"pytest-whq": "#2da44e", "plain difference": "#8b949e", "zeus": "#d4762c", "codecarbon": "#a371f7"}
_LABEL_HEIGHT = 16

Lines = Mapping[str, Sequence[tuple[float, float]]]


def main() -> None:
    """Read the results, write the plot."""
    arguments = [Path(argument) for argument in sys.argv[1:]]
    defaults = [PROJECT / "benchmarks/results/accuracy.json", PROJECT / "docs/accuracy.svg"]
    source, target = [*arguments, *defaults[len(arguments) :]]
    target.write_text(render(lines_of(json.loads(source.read_text("utf-8")))), "utf-8")


def lines_of(document: Mapping[str, list[Mapping[str, str | float | None]]]) -> Lines:
    """Each tool's points of seconds and rms error on the base variant."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for score in document["scores"]:
        rms = score["rms"]
        if score["variant"] == "base" and rms is not None:
            lines.setdefault(str(score["tool"]), []).append((float(score["duration_s"] or 0), float(rms)))
    return lines


def render(lines: Lines) -> str:
    """The plot as SVG."""
    body = "\n".join([*_axes(), *_curves(lines)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'font-family="system-ui, sans-serif" font-size="13">\n'
        f"<title>rms error of one window, by its length</title>\n{body}\n</svg>\n"
    )


def _x(seconds: float) -> float:
    return LEFT + (RIGHT - LEFT) * _share(seconds, X_TICKS)


def _y(ratio: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * _share(max(ratio, min(Y_TICKS)), Y_TICKS)


def _share(value: float, ticks: Mapping[float, str]) -> float:
    low, high = math.log(min(ticks)), math.log(max(ticks))
    return (math.log(value) - low) / (high - low)


def _axes() -> Iterator[str]:
    for value, text in Y_TICKS.items():
        y = _y(value)
        yield f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="{GREY}" stroke-opacity="0.35"/>'
        yield _text(LEFT - 8, y + 4, text, GREY, "end")
    for value, text in X_TICKS.items():
        yield f'<path d="M{_x(value):.1f} {BOTTOM}v5" stroke="{GREY}"/>'
        yield _text(_x(value), BOTTOM + 22, text, GREY, "middle")
    yield _text((LEFT + RIGHT) / 2, BOTTOM + 44, "length of the window", GREY, "middle")
    yield _text(8, TOP - 12, "rms error of one window", GREY, "start")


def _curves(lines: Lines) -> Iterator[str]:
    for tool, points in lines.items():
        path = " ".join(f"{_x(seconds):.1f},{_y(rms):.1f}" for seconds, rms in points)
        width = 3 if tool == "pytest-whq" else 2
        yield f'<polyline points="{path}" fill="none" stroke="{COLOURS[tool]}" stroke-width="{width}"/>'
        for seconds, rms in points:
            yield f'<circle cx="{_x(seconds):.1f}" cy="{_y(rms):.1f}" r="3.5" fill="{COLOURS[tool]}"/>'
    for tool, y in _label_places(lines).items():
        yield _text(RIGHT + 10, y + 4, tool, COLOURS[tool], "start")


def _label_places(lines: Lines) -> Mapping[str, float]:
    """Beside the last point of each line, moved down where two would overlap."""
    places = dict(sorted(((tool, _y(points[-1][1])) for tool, points in lines.items()), key=lambda p: p[1]))
    for above, below in pairwise(places):
        places[below] = max(places[below], places[above] + _LABEL_HEIGHT)
    return places


def _text(x: float, y: float, text: str, colour: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'


if __name__ == "__main__":
    main()
