"""The charts of the HTML page, as shapes and texts that its templates write.

Text stands around the SVG as HTML, and so keeps its size. Charts are stretched to the room that they
get: shapes are paths, whose strokes do not stretch, and a dot is a line of no length with round ends.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pytest_whq.model import BudgetVerdict, Comparison, Measurement, PowerCurve, format_metric
from pytest_whq.units import format_percent, format_quantity, format_seconds

WIDTH, HEIGHT = 1000, 100
"""The size of a chart in the numbers of its paths."""

_NICE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


class Shape(NamedTuple):
    """A path of SVG, and the class by which the page's style draws it."""

    kind: str
    path: str


class Mark(NamedTuple):
    """A small drawing within a line, of as many pixels."""

    width: int
    height: int
    shapes: tuple[Shape, ...]


class Key(NamedTuple):
    """What a kind of shape stands for, and an example of it."""

    mark: Mark
    text: str


class Chart(NamedTuple):
    """A chart with its labels; those ``along`` it stand from end to end or, if ``even``, in as many parts."""

    caption: str
    shapes: tuple[Shape, ...]
    legend: tuple[Key, ...]
    up: tuple[str, ...]
    along: tuple[str, ...]
    even: bool = False


def power_chart(curve: PowerCurve) -> Chart:
    """Watts over time, with the windows that were measured behind them."""
    top_w = round_up(1.03 * max((watts for watts in curve.power_w if watts is not None), default=1.0))
    length_s = curve.end_s - curve.start_s
    along = _scale(curve.start_s, curve.end_s)
    windows = "".join(_box(along(begin_s), along(end_s)) for begin_s, end_s in curve.windows_s)
    return Chart(
        "Power over time",
        (Shape("window", windows), HALFWAY, _MIDDLE, Shape("watts", _watts(curve.power_w, top_w))),
        (key("window", "M0 0H12V10H0Z", "measured"), key("watts", "M0 5H12", "all devices together")),
        up=tuple(format_quantity(share * top_w, "W") for share in (1.0, 0.5, 0.0)),
        along=tuple(format_seconds(share * length_s) if share else "0 s" for share in (0.0, 0.5, 1.0)),
    )


def _watts(power_w: Sequence[float | None], top_w: float) -> str:
    """A line through the middle of each step, broken where the power is not known."""
    step = WIDTH / max(1, len(power_w))
    parts, pen = [], "M"
    for number, watts in enumerate(power_w):
        if watts is None:
            pen = "M"
            continue
        parts.append(f"{pen}{(number + 0.5) * step:.0f} {HEIGHT * (1 - watts / top_w):.1f}")
        pen = "L"
    return "".join(parts)


def rounds_chart(measurement: Measurement, comparison: Comparison | None) -> Chart | None:
    """Wh/query of each round, with its mean, its 95 % interval and the baseline; None for one round."""
    values = [value for one in measurement.rounds if (value := one.wh_per_query) is not None]
    mean = measurement.wh_per_query
    if len(values) < 2 or mean is None:
        return None
    interval = measurement.interval95.get("wh_per_query")
    baseline = None
    if comparison is not None and comparison.metric == "wh_per_query":
        baseline = comparison.baseline
    marks = [*values, *(interval or ()), *([] if baseline is None else [baseline])]
    low, high = min(marks), max(marks)
    margin = (high - low) * 0.06 or abs(high) * 0.01 or 1.0
    along = _scale(low - margin, high + margin)
    shapes = [_MIDDLE]
    legend = [key("dots", "M6 5h.01", "a round"), key("mean", "M6 0V10", "their mean")]
    if interval is not None:
        left, right = (along(bound) for bound in interval)
        shapes.append(Shape("band", _box(left, right)))
        legend.append(key("band", "M0 0H12V10H0Z", "95 % interval"))
    if baseline is not None:
        shapes.append(_upright("base", along(baseline)))
        legend.append(key("base", "M6 0V10", f"baseline, {format_metric('wh_per_query', baseline)}"))
    shapes.append(_upright("mean", along(mean)))
    dots = "".join(f"M{along(value)} {_height_of(number):.0f}h.01" for number, value in enumerate(values))
    shapes.append(Shape("dots", dots))
    ticks = (low - margin, (low + high) / 2, high + margin)
    labels = tuple(format_metric("wh_per_query", tick) for tick in ticks)
    return Chart("Rounds, energy per query", tuple(shapes), tuple(legend), up=(), along=labels)


def _height_of(number: int) -> float:
    """How far down the dot of a round is: dots of like rounds lie apart, by the golden ratio."""
    return HEIGHT * (0.15 + 0.7 * ((number * 0.618034) % 1.0))


def change_mark(comparison: Comparison, reach: float) -> Mark | None:
    """The change with its 95 % interval, on a scale of ``reach`` to both sides; None where it is unknown."""
    if comparison.change is None:
        return None

    def along(change: float) -> str:
        return f"{60 + 54 * max(-1.0, min(1.0, change / reach)):.1f}"

    low, high = comparison.interval95 or (comparison.change, comparison.change)
    shapes = [Shape("zero", "M60 1V15")]
    if comparison.limit is not None and comparison.limit < reach:
        shapes.append(Shape("limit", f"M{along(comparison.limit)} 1V15"))
    shapes.append(Shape("whisker", f"M{along(low)} 8H{along(high)}"))
    shapes.append(Shape("point", f"M{along(comparison.change)} 8h.01"))
    return Mark(120, 16, tuple(shapes))


def reach_of(comparisons: Iterable[Comparison]) -> float:
    """A scale for `change_mark` that shows all but the wildest of the comparisons."""
    bounds = [abs(bound) for comparison in comparisons for bound in comparison.interval95 or ()]
    return min(0.4, max(0.1, *bounds)) if bounds else 0.1


def change_keys(reach: float) -> tuple[Key, ...]:
    """What stands for what in a `change_mark` on a scale of ``reach``."""
    end = format_percent(reach, signed=True)
    return (
        key("point", "M6 5h.01", "the change"),
        key("whisker", "M0 5H12", "its 95 % interval"),
        key("zero", "M6 0V10", "no change"),
        key("limit", "M6 0V10", f"the most that is allowed; from -{end.removeprefix('+')} to {end}"),
    )


def budget_bar(verdict: BudgetVerdict) -> Mark | None:
    """How much of a budget is used, full where it is exceeded; None where that is not known."""
    if verdict.value is None or not verdict.limit:
        return None
    return share_bar(verdict.value / verdict.limit)


def share_bar(share: float) -> Mark:
    """A bar that is full at 1 and above."""
    end = 2 + 96 * max(0.0, min(1.0, share))
    return Mark(100, 6, (Shape("track", "M2 3H98"), Shape("used", f"M2 3H{end:.0f}")))


def key(kind: str, path: str, text: str) -> Key:
    """An example of a shape, and what it stands for."""
    return Key(Mark(12, 10, (Shape(kind, path),)), text)


def _box(left: float, right: float) -> str:
    return f"M{left} 0H{right}V{HEIGHT}H{left}Z"


def _upright(kind: str, x: float) -> Shape:
    return Shape(kind, f"M{x:g} 0V{HEIGHT}")


HALFWAY = Shape("grid", f"M0 {HEIGHT / 2:g}H{WIDTH}")
_MIDDLE = _upright("grid", WIDTH / 2)


def _scale(low: float, high: float) -> Callable[[float], float]:
    """A function from values between ``low`` and ``high`` to places along a chart."""
    # A curve of no readings, or of steps that vanish beside its start, has no length.
    length = (high - low) or 1.0
    return lambda value: round(WIDTH * (value - low) / length, 1)


def round_up(value: float) -> float:
    """The next number from ``value`` up that looks good at the end of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((nice * power for nice in _NICE if nice * power >= value), 10 * power)
