"""The chart of values at a few places, one line for each series of them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pytest_whq.rendering.webpage.charts import HALFWAY, HEIGHT, WIDTH, Chart, Shape, key, round_up

_COLOURS = 8


class Point(NamedTuple):
    """A value at one of the places, with half of its 95 % interval as a share of it, if known."""

    place: int
    value: float
    share: float | None


class Series(NamedTuple):
    """Points along one line, which has a name where there are several."""

    name: str
    points: Sequence[Point]


def points_chart(
    caption: str, labels: Sequence[str], series: Sequence[Series], write: Callable[[float], str]
) -> Chart:
    """The lines of ``series`` over evenly spaced places with their ``labels``, on a scale from zero."""
    every = [point for one in series for point in one.points]
    top = round_up(max(point.value * (1 + (point.share or 0.0)) for point in every))
    shapes, legend = [HALFWAY], []
    for number, one in enumerate(series):
        colour = colour_of(number)
        shapes += _line(one.points, colour, len(labels), top)
        if len(series) > 1:
            legend.append(key(f"series {colour}", "M0 5H12", one.name))
    if any(point.share is not None for point in every):
        legend.append(key("error", "M6 0V10", "95 % interval"))
    return Chart(
        caption,
        tuple(shapes),
        tuple(legend),
        up=tuple(write(share * top) for share in (1.0, 0.5, 0.0)),
        along=tuple(labels),
        even=True,
    )


def colour_of(number: int) -> str:
    """The classes of one series of many: a colour, and dashes where all colours are taken."""
    return f"s{number % _COLOURS} d{number // _COLOURS % 3}"


def _line(points: Sequence[Point], colour: str, places: int, top: float) -> list[Shape]:
    def x(point: Point) -> str:
        # Half a step on either side, so that each point stands above the middle of its label.
        return f"{WIDTH * (point.place + 0.5) / places:.1f}"

    def up(value: float) -> str:
        return f"{HEIGHT * (1 - value / top):.1f}"

    line = f"M{'L'.join(f'{x(one)} {up(one.value)}' for one in points)}"
    whiskers = "".join(
        f"M{x(one)} {up(one.value * (1 - one.share))}V{up(one.value * (1 + one.share))}"
        for one in points
        if one.share is not None
    )
    dots = "".join(f"M{x(one)} {up(one.value)}h.01" for one in points)
    errors = [Shape(f"error {colour}", whiskers)] if whiskers else []
    return [Shape(f"series {colour}", line), *errors, Shape(f"dots {colour}", dots)]
